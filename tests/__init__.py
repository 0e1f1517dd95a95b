"""The tests mirror the rooms of sdmx_service; what they share is in conftest, reference and postgres_server."""
