"""Mapped rows of one key added up: a file of single cases becomes figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.errors import InvalidStructure
from sdmx_service.model.columns import COLUMN, ROW, SHEET, parse_numbers, render_numbers
from sdmx_service.model.structure import DataStructure
from sdmx_service.submission.combinations import distinct


def summed(rows: pa.Table, structure: DataStructure, measures: Sequence[str]) -> pa.Table:
    """One row per key, in the order in which the keys first occur, with the sums of some measures.

    A missing value adds nothing; a sum of missing values only is missing. Other components keep the value that all
    rows of the key have, and lose it where these differ (lists and texts by language: the first one's). The row is the
    first one's; it has no column. A text that is no number stands as it is, so that the check of types names it.

    Raises:
        InvalidStructure: a measure that the structure does not have.
    """
    known = [one.id for one in structure.measures]
    if unknown := [name for name in measures if name not in known]:
        raise InvalidStructure(
            f"The mapping sums {', '.join(unknown)}, no measure of {structure.ref.text}.",
            hint=f"Its measures are {', '.join(known)}.",
        )
    rows = rows.combine_chunks()
    codes, keys = distinct([_whole(rows[name]) for name in structure.key_ids])
    first = np.full(len(keys), len(codes))
    np.minimum.at(first, codes, np.arange(len(codes)))
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    codes, first = place[codes], first[order]
    arrays = []
    for field in rows.schema:
        column = _whole(rows[field.name])
        if field.name in measures:
            arrays.append(_sums(column, codes, first))
        elif field.name in (ROW, SHEET) or field.name in structure.key_ids:
            arrays.append(column.take(pa.array(first)))
        elif field.name == COLUMN:
            arrays.append(pa.nulls(len(first), field.type))
        else:
            arrays.append(_common(column, codes, first))
    return pa.table(arrays, schema=rows.schema)


def _sums(texts: pa.StringArray, codes: npt.NDArray[np.int64], first: npt.NDArray[np.int64]) -> pa.StringArray:
    numbers = parse_numbers(texts)
    values = numbers.values.to_numpy(zero_copy_only=False)
    there = ~np.isnan(values)
    values = np.where(there, values, 0.0)
    totals = np.bincount(codes, weights=values, minlength=len(first))
    counts = np.bincount(codes[there], minlength=len(first))
    decimals = np.zeros(len(first), np.int8)
    np.maximum.at(decimals, codes, pc.fill_null(numbers.decimals, 0).to_numpy(zero_copy_only=False))
    rendered = pc.coalesce(render_numbers(pa.array(totals), pa.array(decimals)), pa.array(totals).cast(pa.string()))
    rendered = pc.if_else(pa.array(counts > 0), rendered, pa.scalar(None, pa.string()))
    wrong = np.flatnonzero(numbers.invalid.to_numpy(zero_copy_only=False))
    if not wrong.size:
        return rendered
    bad = np.full(len(first), -1)
    bad[codes[wrong]] = wrong
    return pc.if_else(pa.array(bad >= 0), texts.take(pa.array(np.where(bad >= 0, bad, 0))), rendered)


def _common(column: pa.Array, codes: npt.NDArray[np.int64], first: npt.NDArray[np.int64]) -> pa.Array:
    """Per key the value that all its rows have, else null."""
    if column.null_count == len(column):
        return pa.nulls(len(first), column.type)
    if pa.types.is_nested(column.type):
        return column.take(pa.array(first))
    values = column.dictionary_encode(null_encoding="encode").indices.to_numpy(zero_copy_only=False)
    differs = np.zeros(len(first), bool)
    np.logical_or.at(differs, codes, values != values[first][codes])
    return pc.if_else(pa.array(differs), pa.scalar(None, column.type), column.take(pa.array(first)))


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
