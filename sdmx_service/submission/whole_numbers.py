"""Whole numbers written otherwise: ``5.0``, ``5e1`` where the structure asks for an integer.

*Choice*: they are taken, since spreadsheets and programs write every number so, kept as the integer that they are, and
told (F307). What goes out is therefore valid by the schema of the structure, for which ``5.0`` is no ``xs:int``.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.model.columns import Numbers

INTEGERS: Final = frozenset({"Short", "Integer", "Long", "BigInteger", "Count"})
"""Data types whose values are integers in XML Schema."""
_WRITTEN = r"^[+-]?[0-9]+$"
_EXACT: Final = 2.0**53


def as_integers(texts: pa.StringArray, numbers: Numbers) -> tuple[Numbers, pa.BooleanArray | None]:
    """The numbers with integers as integers, and where these were written otherwise; None: nowhere."""
    values = numbers.values
    small = pc.less(pc.abs(values), _EXACT)
    whole = pc.and_(pc.equal(values, pc.trunc(values)), small)
    otherwise = pc.and_not(whole, pc.match_substring_regex(texts.cast(pa.string()), _WRITTEN))
    otherwise = pc.fill_null(otherwise, False)
    if not pc.any(otherwise, min_count=0).as_py():
        return numbers, None
    decimals = pc.if_else(otherwise, pa.scalar(0, pa.int8()), numbers.decimals)
    kept = pc.if_else(otherwise, pa.scalar(None, pa.string()), numbers.texts)
    return Numbers(values, decimals, kept, numbers.invalid), otherwise
