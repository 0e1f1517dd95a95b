"""SDMX-ML 2.1, 3.0 and 3.1."""
