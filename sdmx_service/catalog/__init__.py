"""Structures, mappings and rules as one immutable whole: loaded, references resolved, swapped as a piece."""
