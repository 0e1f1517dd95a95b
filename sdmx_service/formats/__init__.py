"""Bytes to model and model to bytes: one package per family of formats; ``registry`` is the table of them."""
