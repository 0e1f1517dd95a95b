"""What stands behind the small numbers in the rows of a cube, as it was known at a release."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sdmx_service.storage.layout import CubeLayout
from sdmx_service.storage.quoting import identifier, literal

Query = Callable[[str], pa.Table]


@dataclass(frozen=True)
class Directory:
    """Names of dataflows, providers and periods of one cube.

    Attributes:
        dataflows, providers: number -> name.
        agreements: the pairs (dataflow, provider) that ever sent something.
        periods: number -> text.
        starts, ends: number -> first second and end (``model.period``).
        attached: ids of the attributes of series, groups and data sets that ever had a value.
    """

    dataflows: Mapping[int, str]
    providers: Mapping[int, str]
    agreements: frozenset[tuple[int, int]]
    periods: Mapping[int, str]
    starts: Mapping[int, int]
    ends: Mapping[int, int]
    attached: frozenset[str]

    @cached_property
    def dataflow_numbers(self) -> Mapping[str, int]:
        """Name -> number."""
        return {name: number for number, name in self.dataflows.items()}

    @cached_property
    def provider_numbers(self) -> Mapping[str, int]:
        """Name -> number."""
        return {name: number for number, name in self.providers.items()}

    def has(self, dataflows: Collection[str] | None, providers: Collection[str] | None) -> bool:
        """Whether one of some providers ever sent something for one of some dataflows; None: for any."""
        if dataflows is None and providers is None:
            return bool(self.agreements)
        if dataflows is None or providers is None:
            place, known = (1, self.provider_numbers) if dataflows is None else (0, self.dataflow_numbers)
            wanted = {known.get(name) for name in (providers if dataflows is None else dataflows) or ()}
            return any(pair[place] in wanted for pair in self.agreements)
        flows = [self.dataflow_numbers.get(name, -1) for name in dataflows]
        return any(
            (flow, self.provider_numbers.get(name, -1)) in self.agreements for flow in flows for name in providers
        )

    @cached_property
    def chronological(self) -> Sequence[int]:
        """The numbers of the periods by first moment, then the shorter first, then by text."""
        return sorted(self.periods, key=lambda number: (self.starts[number], self.ends[number], self.periods[number]))

    @cached_property
    def period_ranks(self) -> npt.NDArray[np.int64]:
        """Number -> place in time."""
        ranks = np.zeros(max(self.periods, default=0) + 1, dtype=np.int64)
        for rank, number in enumerate(self.chronological):
            ranks[number] = rank
        return ranks


def _columns(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def read_members(query: Query, kind: str) -> dict[int, str]:
    """Number -> name of all dataflows, or all providers, of the store."""
    return dict(_columns(query(f"SELECT _number, _name FROM members WHERE _kind = {literal(kind)}")))


def read_directory(query: Query, layout: CubeLayout) -> Directory:
    """The directory of a cube."""
    pairs = frozenset(
        _columns(query(f"SELECT _dataflow, _provider FROM agreements WHERE _cube = {literal(layout.number)}"))
    )
    flows, providers = read_members(query, "dataflow"), read_members(query, "provider")
    attachments = identifier(layout.attachments.name)
    periods = _columns(query(f"SELECT _number, _period, _start, _end FROM {identifier(layout.table('periods'))}"))
    return Directory(
        dataflows={number: flows[number] for number, _ in pairs},
        providers={number: providers[number] for _, number in pairs},
        agreements=pairs,
        periods={number: text for number, text, _, _ in periods},
        starts={number: start for number, _, start, _ in periods},
        ends={number: end for number, _, _, end in periods},
        attached=frozenset(found[0] for found in _columns(query(f"SELECT DISTINCT _component FROM {attachments}"))),
    )


def touched(query: Query, layout: CubeLayout, release: int) -> dict[str, list[int]]:
    """Per dataflow the releases, up to one, in which a row that is shown came, changed or went."""
    parts = [
        f"SELECT DISTINCT _dataflow, {moment} AS _release FROM {identifier(table.name)}"
        f" WHERE _shown >= 1 AND {moment} <= {literal(release)}"
        for table in (layout.observations, layout.attachments)
        for moment in ("_since", "_until")
    ]
    names = read_members(query, "dataflow")
    found: dict[str, list[int]] = {}
    for number, at in _columns(query(f"{' UNION '.join(parts)} ORDER BY 1, 2")):
        found.setdefault(names[number], []).append(at)
    return found
