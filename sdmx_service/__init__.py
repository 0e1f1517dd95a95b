"""SDMX exchange and dissemination service: see docs/code-map.md for the rooms and the two walks."""

__version__ = "0.1.0"
