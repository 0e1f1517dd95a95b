"""Repeatable measurements of the service and of its peers on the same rows: ``python -m benchmarks``."""
