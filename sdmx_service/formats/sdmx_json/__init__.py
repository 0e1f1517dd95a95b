"""SDMX-JSON: structure messages 2.0 and 2.1, data messages 2.0 and 2.1."""
