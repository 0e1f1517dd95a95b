"""Tests of generated schemas."""
