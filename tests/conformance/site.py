"""A service as the kit sees it: its two interfaces, and the figures and structures that were found there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.conformance.client import Client, Reply
from tests.conformance.reading import Artefact, Row, artefacts, rows
from tests.conformance.verdicts import NotBuiltError, NotMetError, Verdict, expect, need

SDMX = "application/vnd.sdmx."
CSV = f"{SDMX}data+csv;version=2.1.0, {SDMX}data+csv;version=2.0.0;q=0.9"
JSON = f"{SDMX}structure+json;version=2.1.0, {SDMX}structure+json;version=2.0.0;q=0.9"
FLOWS_TRIED = 25
LARGE = 8_000_000
"""Bytes of figures beyond which the kit works on a part of a dataflow."""


@dataclass(slots=True)
class Flow:
    """A dataflow with figures: its address, its components and the rows that the service gave for it.

    Attributes:
        key: the key of the part that is worked on; ``*`` is everything.
        levels: attribute ids by ``dataset``, ``series`` and ``obs``.
    """

    agency: str
    id: str
    version: str
    dimensions: list[str]
    time: str | None
    measures: list[str]
    levels: dict[str, list[str]]
    structure: tuple[str, str, str]
    key: str = "*"
    rows: list[Row] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Its path below ``/data/`` or ``/availability/``."""
        return f"dataflow/{self.agency}/{self.id}/{self.version}"

    @property
    def keys(self) -> set[tuple[str, ...]]:
        """The series of its rows."""
        return {tuple(row.get(id, "") for id in self.dimensions) for row in self.rows}

    def identity(self, row: Row) -> tuple[str, ...]:
        """Series and period of a row."""
        return tuple(row.get(id, "") for id in (*self.dimensions, self.time or ""))

    @property
    def attributes(self) -> list[str]:
        """All attributes that occur."""
        return [id for level in self.levels.values() for id in level if any(id in row for row in self.rows)]


class Site:
    """A service under measurement.

    Args:
        v2, v1: base addresses of SDMX-REST 2 and 1.
    """

    def __init__(self, v2: str, v1: str, token: str | None = None, timeout: float = 30.0, pause: float = 0.0) -> None:
        self.v2 = Client(v2.rstrip("/"), token, timeout, pause)
        self.v1 = Client(v1.rstrip("/"), None, timeout, pause)
        self.token = token

    # --- structures
    def structures(self, path: str, *statuses: int, **headers: str) -> list[Artefact]:
        """The artefacts of ``/structure/...``; none for another status."""
        reply = self.v2.get(f"/structure/{path}", *statuses, **{"Accept": JSON, **headers})
        return artefacts(reply) if reply.status == 200 else []

    @cached_property
    def flows(self) -> list[Artefact]:
        """All dataflows: of each the latest stable version, else the latest."""
        stable = {(one.agency, one.id): one for one in self.structures("dataflow/*/*/+", 200, 204, 404)}
        return [stable.get((one.agency, one.id), one) for one in self.structures("dataflow")]

    def first(self, kind: str) -> Artefact:
        """The first artefact of a type that is no stub."""
        found = [one for one in self.structures(kind, 200, 204, 404) if not one.is_stub]
        need(found, f"there is no {kind}")
        return found[0]

    # --- figures
    @cached_property
    def flow(self) -> Flow:
        """The dataflow that data checks work on."""
        best: Flow | None = None
        for one in self.flows[:FLOWS_TRIED]:
            try:
                found = self._described(one)
            except (NotMetError, NotBuiltError):
                continue
            if found is not None and (best is None or _worth(found) > _worth(best)):
                best = found
        need(best, "no dataflow with figures was found")
        assert best is not None
        return best

    def _described(self, artefact: Artefact) -> Flow | None:
        with_structure = self.structures(
            f"dataflow/{artefact.agency}/{artefact.id}/{artefact.version}?references=children"
        )
        structure = next((one.raw for one in with_structure if "dataStructureComponents" in one.raw), None)
        if structure is None:
            return None
        flow = _flow(artefact, structure)
        reply = self.v2.get(f"/data/{flow.path}", 200, 204, 404, Accept=CSV)
        if reply.status != 200 or "csv" not in reply.type:
            return None
        flow.rows = rows(reply)
        if len(reply.body) > LARGE:
            first = flow.rows[0]
            flow.key = ".".join([*(first.get(id, "*") for id in flow.dimensions[:-1]), "*"])
            flow.rows = rows(self.v2.get(f"/data/{flow.path}/{flow.key}", Accept=CSV))
        return flow if flow.rows else None

    def data(self, query: str = "", key: str | None = None, *statuses: int) -> list[Row]:
        """Rows of the part that is worked on, for more parameters or another key."""
        flow = self.flow
        path = f"/data/{flow.path}/{flow.key if key is None else key}" + (f"?{query}" if query else "")
        reply = self.v2.get(path, *(statuses or (200, 204, 404)), Accept=CSV)
        return rows(reply) if reply.status == 200 else []

    def expect_rows(
        self, query: str, test: Callable[[Row], bool], key: str | None = None, components: Iterable[str] | None = None
    ) -> None:
        """Not met unless exactly the rows that pass the test come, and as they were."""
        shown = None if components is None else {*self.flow.dimensions, self.flow.time or "", *components}
        expected = [_cut(row, shown) for row in self.flow.rows if test(row)]
        found = [_cut(row, shown) for row in self.data(query, key)]
        same = sorted(map(_frozen, found)) == sorted(map(_frozen, expected))
        where = f"key {key} " if key is not None else ""
        expect(same, f"{where}{query}: {len(found)} rows, {len(expected)} expected{_difference(found, expected)}")

    # --- version 1
    def old(self, path: str, *statuses: int, **headers: str) -> Reply:
        """An answer of version 1."""
        return self.v1.get(path, *statuses, **headers)

    @property
    def old_flow(self) -> str:
        """The dataflow's reference in version 1."""
        return f"{self.flow.agency},{self.flow.id},{self.flow.version}"

    @property
    def has_old(self) -> bool:
        """Whether there is a version 1."""
        try:
            return self.v1.ask("/dataflow").status in (200, 404)
        except Verdict:
            return False

    def close(self) -> None:
        """Ends both connections."""
        self.v2.close()
        self.v1.close()

    @property
    def spent(self) -> int:
        """Requests made."""
        return self.v2.spent + self.v1.spent


def _cut(row: Row, shown: set[str] | None) -> Row:
    return row if shown is None else {name: value for name, value in row.items() if name in shown}


def _frozen(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(row.items()))


def _difference(found: list[Row], expected: list[Row]) -> str:
    there, wanted = set(map(_frozen, found)), set(map(_frozen, expected))
    more, less = there - wanted, wanted - there
    return (f"; unexpected {dict(min(more))}" if more else "") + (f"; missing {dict(min(less))}" if less else "")


def _worth(flow: Flow) -> tuple[int, ...]:
    """How much can be tried on a dataflow."""
    series = min(len(flow.keys), 20)
    several = len({len({row.get(id) for row in flow.rows}) > 1 for id in flow.dimensions})
    zeros = any(row.get(id, "").startswith("0") for row in flow.rows for id in flow.dimensions)
    return (int(flow.time is not None), int(series > 3), len(flow.attributes), several, int(zeros), series)


def _flow(artefact: Artefact, structure: dict[str, Any]) -> Flow:
    made = structure["dataStructureComponents"]
    listed = made.get("dimensionList", {})
    time = listed.get("timeDimension")
    if time is None and listed.get("timeDimensions"):
        time = listed["timeDimensions"][0]
    attributes = made.get("attributeList", {}).get("attributes", [])
    levels: dict[str, list[str]] = {"dataset": [], "series": [], "obs": []}
    for one in attributes:
        relationship = one.get("attributeRelationship", {})
        wide = {"none", "dataflow"} & set(relationship)
        level = "dataset" if wide else "series" if {"dimensions", "group"} & set(relationship) else "obs"
        levels[level].append(one["id"])
    measures = made.get("measureList", {}).get("measures", [])
    ordered = sorted(listed.get("dimensions", []), key=lambda one: one.get("position", 0))
    return Flow(
        artefact.agency, artefact.id, artefact.version, [one["id"] for one in ordered],
        None if time is None else time.get("id", "TIME_PERIOD"), [one["id"] for one in measures], levels,
        (structure["agencyID"], structure["id"], structure.get("version", "1.0")),
    )  # fmt: skip
