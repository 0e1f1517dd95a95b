"""A few series named by whole keys: their rows as the database hands them over, without tables in between.

A small answer costs calls, not rows: thirty columns of seven rows are soonest put together row by row. Whatever has
more rows than ``MOST`` takes the way of ``blocks``; both give the same batches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import pyarrow as pa

from sdmx_service.storage.directory import Directory
from sdmx_service.storage.layout import CubeLayout, StoredColumn
from sdmx_service.storage.values import Array, domain_values, not_in_domain, typed_attached

MOST = 5_000
"""So many rows, by the number of periods there are, are looked up as such."""
ORIGIN = ("_sid", "_dataflow", "_provider")
"""The first columns of rows of observations; ``_period`` follows, then their values."""
_PERIOD = len(ORIGIN)
Texts = list[str | None]


@dataclass(frozen=True)
class NamedSeries:
    """Observations of a few series, in the order of the answer.

    Attributes:
        codes: number of a series -> its codes, in the order of the dimensions.
        group: what tells one series of the answer from another.
        names: the database columns of ``lines``.
        lines: the observations as read.
        attached: attribute id -> partial key (``key_of``) -> text.
    """

    layout: CubeLayout
    directory: Directory
    codes: Mapping[int, Sequence[str]]
    group: Sequence[str]
    names: Sequence[str]
    lines: Sequence[Sequence[Any]]
    attached: Mapping[str, Mapping[tuple[Any, ...], str | None]]

    def __len__(self) -> int:
        return len(self.lines)

    @cached_property
    def rows(self) -> Sequence[Sequence[Any]]:
        """The observations by series and period."""
        ranks, width = self.directory.period_ranks, len(self.group)
        return sorted(self.lines, key=lambda line: (*line[:width], ranks[line[_PERIOD]]))

    def key_of(self, column: StoredColumn, line: Sequence[Any]) -> tuple[Any, ...]:
        """The partial key of an attached attribute in a row: the series or the codes of its level, then the origin."""
        rest = tuple(line[1 : len(self.group)])
        if self.layout.is_whole_key(column):
            return (line[0], *rest)
        codes, level = self.codes[line[0]], column.level or ()
        return (*(code for c, code in zip(self.layout.dimensions, codes, strict=True) if c.id in level), *rest)

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def _key_places(self) -> Mapping[str, int]:
        return {column.id: place for place, column in enumerate(self.layout.dimensions)}

    @cached_property
    def _known(self) -> dict[str, Texts]:
        return {}

    def _texts(self, column: StoredColumn) -> Texts:
        """A column that is not a number of observations, as text per row."""
        found = self._known.get(column.id)
        if found is None:
            found = self._known[column.id] = self._read(column)
        return found

    def _read(self, column: StoredColumn) -> Texts:
        if column.role == "time":
            periods = self.directory.periods
            return [periods[line[_PERIOD]] for line in self.rows]
        if column.role == "dimension":
            place = self._key_places[column.id]
            return [self.codes[line[0]][place] for line in self.rows]
        if column.is_attached:
            values = self.attached.get(column.id)
            return [values.get(self.key_of(column, line)) for line in self.rows] if values else [None] * len(self.rows)
        return self._values(column.name)

    def _values(self, name: str) -> list[Any]:
        place = self._places.get(name)
        return [None] * len(self.rows) if place is None else [line[place] for line in self.rows]

    def values(self, column: StoredColumn) -> set[str]:
        """The codes of a component that occur."""
        found = {text for text in self._texts(column) if text is not None}
        return (
            domain_values(column, pa.array(found, pa.string())) if column.kind in ("multi", "multilingual") else found
        )

    def batch(
        self, columns: Sequence[StoredColumn], domains: Mapping[str, Sequence[str]], *, with_origin: bool
    ) -> pa.RecordBatch:
        """The observations as typed."""
        found: dict[str, Array] = {}
        if with_origin:
            found["_dataflow"] = _coded([self.directory.dataflows[line[1]] for line in self.rows], None)
            found["_provider"] = _coded([self.directory.providers[line[2]] for line in self.rows], None)
        for column in columns:
            if column.kind == "code" or column.role in ("time", "dimension"):
                found[column.id] = _coded(self._texts(column), domains.get(column.id))
            elif column.is_attached or column.kind != "number":
                found |= typed_attached(column, pa.array(self._texts(column), pa.string()), domains)
            else:
                types = (pa.float64(), pa.int8(), pa.string())
                names = (column.id, f"{column.id}.decimals", f"{column.id}.text")
                for name, own, kind in zip(names, column.names, types, strict=True):
                    found[name] = pa.array(self._values(own), kind)
        return pa.RecordBatch.from_arrays(list(found.values()), names=list(found))


def _coded(texts: Texts, domain: Sequence[str] | None) -> Array:
    """Codes as a dictionary over the domain; over what occurs if there is none."""
    if domain is None:
        domain = [text for text in dict.fromkeys(texts) if text is not None]
    if len(domain) <= 1 and texts and texts.count(texts[0]) == len(texts) and texts[0] in (None, *domain):
        return _constant(texts[0], len(texts), *domain)
    places: dict[str | None, int | None] = {code: place for place, code in enumerate(domain)}
    places[None] = None
    try:
        indices = pa.array([places[text] for text in texts], pa.int32())
    except KeyError as error:
        raise not_in_domain(error.args[0]) from None
    return pa.DictionaryArray.from_arrays(indices, pa.array(domain, pa.string()))


@lru_cache(maxsize=4096)
def _constant(text: str | None, count: int, *domain: str) -> Array:
    """The same code, or none, throughout: most columns of one series, and the same in the next."""
    indices = pa.nulls(count, pa.int32()) if text is None else pa.array([0] * count, pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(domain, pa.string()))
