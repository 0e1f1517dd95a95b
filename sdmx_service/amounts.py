"""Amounts of memory as the databases write them: ``150MB``, ``1.5 GB``. Nothing is loaded for it."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>[KMGT]B)", re.IGNORECASE)
_UNITS = {"KB": 1e-3, "MB": 1.0, "GB": 1e3, "TB": 1e6}


def megabytes(text: str) -> float | None:
    """How many megabytes (of a million bytes) an amount is; None where the text is not written as one."""
    found = _AMOUNT.fullmatch(text)
    return None if found is None else float(found["number"]) * _UNITS[found["unit"].upper()]
