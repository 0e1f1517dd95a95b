"""Schemas that messages of one structure must obey: XML Schema for SDMX-ML, JSON Schema for SDMX-JSON; only written."""
