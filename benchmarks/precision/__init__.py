"""How precise the checks are: errors of known kinds put into real files, and what ``check`` says of them.

``injecting`` and what it imports know nothing of the program under test: neither its rules nor its code. ``judging``
runs the checks and counts. ``python -m benchmarks.precision --seed 7`` does both (docs/precision.md).
"""
