"""The table of figures: a page of rows with names beside codes; what all rows share stands above the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from markupsafe import Markup

from sdmx_service.model.artefact import Item, Texts
from sdmx_service.model.columns import MARKS, Column, columns, render_numbers
from sdmx_service.model.message import Labels
from sdmx_service.model.selection import Selection
from sdmx_service.storage.port import Store
from sdmx_service.web.language import Tongue


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value to show: its words, the code behind them, and whether it is a mark for *missing*."""

    text: Markup
    code: str | None = None
    is_missing: bool = False


NO_VALUE = Cell(text=Markup(""), is_missing=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The head of a column (or of a shared value)."""

    id: str
    name: Markup
    is_number: bool = False
    is_key: bool = False
    is_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A page of figures.

    Attributes:
        shared: values that are the same in all rows shown, with their headings.
        headings, rows: the table.
    """

    shared: tuple[tuple[Heading, Cell], ...]
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]


def read_figures(
    store: Store, selection: Selection, domains: Mapping[str, Sequence[str]], labels: Labels, tongue: Tongue
) -> Figures:
    """The rows of a selection (which is limited to a page) in the words of the reader."""
    batches = list(store.scan(selection, domains))
    rows = sum(batch.num_rows for batch in batches)
    shown: list[tuple[Heading, list[Cell]]] = []
    shared: list[tuple[Heading, Cell]] = []
    for column in columns(selection.structure):
        values = _values(column, batches)
        heading = _heading(column, labels, tongue)
        cells = [_cell(column, value, labels, tongue) for value in values]
        if _is_shared(column, values, domains):
            shared.append((heading, cells[0]))
        elif column.role != "attribute" or any(value is not None for value in values):
            shown.append((heading, cells))
    return Figures(
        shared=tuple(shared),
        headings=tuple(heading for heading, _ in shown),
        rows=tuple(zip(*(cells for _, cells in shown), strict=True)) if rows else (),
    )


def _is_shared(column: Column, values: Sequence[Any], domains: Mapping[str, Sequence[str]]) -> bool:
    """Dimensions count over the whole selection, so that columns stay when the reader turns the page."""
    if not values or column.role in ("time", "measure"):
        return False
    if column.role == "dimension":
        return len(domains.get(column.id, ())) == 1
    return values[0] is not None and all(value == values[0] for value in values)


def _values(column: Column, batches: Sequence[pa.RecordBatch]) -> list[Any]:
    """The values of a column; numbers as the text that was sent."""
    found: list[Any] = []
    for batch in batches:
        if column.id not in batch.schema.names:
            found.extend([None] * batch.num_rows)
        elif column.kind == "number":
            parts = (batch.column(name) for name in (column.id, column.decimals, column.text))
            found.extend(render_numbers(*parts).to_pylist())
        else:
            found.extend(batch.column(column.id).to_pylist())
    return found


def _heading(column: Column, labels: Labels, tongue: Tongue) -> Heading:
    return Heading(
        id=column.id,
        name=tongue.mark(labels.components.get(column.id, Texts()), column.id),
        is_number=column.kind == "number",
        is_key=column.role in ("dimension", "time"),
        is_text=column.kind in ("text", "multi", "multilingual"),
    )


def _cell(column: Column, value: Any, labels: Labels, tongue: Tongue) -> Cell:
    if value is None:
        return NO_VALUE
    codes = labels.codes.get(column.id, {})
    match column.kind:
        case "multi":
            parts = [_named(one, codes, tongue) for one in value]
            return Cell(text=Markup("; ").join(parts))
        case "multilingual":
            return Cell(text=tongue.mark(Texts(value)))
        case "code" if column.role != "time":
            return Cell(text=_named(value, codes, tongue), code=value)
        case _:
            text = str(value)
            return Cell(text=Markup.escape(text), is_missing=text in MARKS)


def _named(code: str, codes: Mapping[str, Item], tongue: Tongue) -> Markup:
    item = codes.get(code)
    return Markup.escape(code) if item is None else tongue.name(item)


def pages(total: int, offset: int, size: int) -> Iterator[tuple[str, int]]:
    """The neighbouring pages as (relation, offset): first, previous, next, last; those that lead nowhere left out."""
    last = max(0, (total - 1) // size * size)
    if offset > 0:
        yield "first", 0
        yield "previous", min(last, max(0, offset - size))
    if offset + size < total:
        yield "next", offset + size
        yield "last", last
