"""What a store should say, from lists of dictionaries: no SQL, no columns, no cleverness."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sdmx_service.model.period import parse_period
from sdmx_service.model.structure import DataStructure
from tests.storage.cubes import Row

RowId = tuple[str, str, tuple[str, ...], str]
"""Dataflow, provider, codes, period."""
ValueId = tuple[str, str, str, tuple[str | None, ...]]
"""Dataflow, provider, attribute, partial key."""


@dataclass
class Version:
    values: Any
    shown: int
    since: int


@dataclass
class State:
    rows: dict[RowId, Version] = field(default_factory=dict)
    attached: dict[ValueId, Version] = field(default_factory=dict)
    providers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    dataflows: Sequence[str] = ()


class Oracle:
    def __init__(self, structure: DataStructure) -> None:
        self.structure = structure
        self.ids = structure.dimension_ids
        self.levels = {a.id: structure.level(a) for a in structure.attributes}
        self.releases = [State()]

    # --- the way in ----------------------------------------------------------------------------------------------

    def publish(
        self,
        parts: Iterable[tuple[str, str, str, Iterable[Row]]],
        providers: Mapping[str, Sequence[str]] | None = None,
        dataflows: Sequence[str] | None = None,
    ) -> None:
        """Parts are (dataflow, provider, action, rows)."""
        last = self.releases[-1]
        rows = {id: dict(v.values) for id, v in last.rows.items()}
        attached = {id: v.values for id, v in last.attached.items()}
        for flow, provider, action, lines in parts:
            for line in lines:
                self._apply(rows, attached, flow, provider, action, line)
        new_providers = last.providers if providers is None else providers
        self._commit(rows, attached, new_providers, last.dataflows if dataflows is None else dataflows)

    def restore(self, release: int) -> None:
        state = self.releases[release]
        rows = {id: dict(v.values) for id, v in state.rows.items()}
        attached = {id: v.values for id, v in state.attached.items()}
        self._commit(rows, attached, state.providers, state.dataflows)

    def _apply(self, rows: Any, attached: Any, flow: str, provider: str, action: str, line: Row) -> None:
        codes = tuple(line.get(id) for id in self.ids)
        period = line.get("TIME_PERIOD")
        values = {id: v for id, v in line.items() if id not in (*self.ids, "TIME_PERIOD") and v is not None}
        own = {id: v for id, v in values.items() if self.levels.get(id) is None}
        if action == "D":
            self._delete(rows, attached, flow, provider, codes, period, values)
            return
        if None not in codes and period is not None:
            known = rows.setdefault((flow, provider, codes, period), {})
            if action == "R":
                known.clear()
            known.update(own)
        given = {id for id, code in zip(self.ids, codes, strict=True) if code is not None}
        for id, level in self.levels.items():
            if level is None:
                continue
            place = (flow, provider, id, tuple(c if i in level else None for i, c in zip(self.ids, codes, strict=True)))
            if id in values:
                attached[place] = values[id]
            elif action == "R" and period is None and given == set(level):
                attached.pop(place, None)

    def _delete(
        self, rows: Any, attached: Any, flow: str, provider: str, codes: Any, period: Any, values: Mapping[str, Any]
    ) -> None:
        own = [id for id in values if self.levels.get(id) is None]
        for id in [id for id in rows if id[:2] == (flow, provider)]:
            if not _matches(codes, id[2]) or period not in (None, id[3]):
                continue
            if not values:
                del rows[id]
            for name in own:
                rows[id].pop(name, None)
            if own and not rows[id]:  # an observation of which nothing is left
                del rows[id]
        for id in [id for id in attached if id[:2] == (flow, provider)]:
            level = self.levels[id[2]]
            shared = tuple(c if i in level else None for i, c in zip(self.ids, codes, strict=True))
            wanted = codes if not values else shared
            named = (not values and period is None) or id[2] in values
            if named and _matches(wanted, id[3]):
                del attached[id]

    def _commit(self, rows: Any, attached: Any, providers: Any, dataflows: Any) -> None:
        number, last = len(self.releases), self.releases[-1]
        state = State(providers=copy.deepcopy(providers), dataflows=tuple(dataflows))
        for new, old, target in ((rows, last.rows, state.rows), (attached, last.attached, state.attached)):
            for id, values in new.items():
                shown = self._shown(id, new, state)
                before = old.get(id)
                same = before is not None and before.values == values and before.shown == shown
                target[id] = Version(values, shown, before.since if same else number)
        self.releases.append(state)

    def _shown(self, id: Any, every: Any, state: State) -> int:
        def place(names: Sequence[str], name: str) -> tuple[int, str]:
            return (names.index(name) if name in names else len(names), name)

        def rank(other: Any) -> Any:
            return place(state.providers.get(other[0], ()), other[1])

        rivals = [other for other in every if other[2:] == id[2:]]
        if min((r for r in rivals if r[0] == id[0]), key=rank) != id:
            return 0
        best_flow = min({r[0] for r in rivals}, key=lambda flow: place(state.dataflows, flow))
        return 2 if best_flow == id[0] else 1

    # --- the way out ---------------------------------------------------------------------------------------------

    def view(self, release: int, context: str, since: int | None = None) -> list[dict[str, Any]]:
        """The rows of a context, each with its attached attributes, dataflow and provider."""
        state, least = self.releases[release], {"provisionagreement": 0, "dataflow": 1, "datastructure": 2}[context]
        found = []
        for (flow, provider, codes, period), version in state.rows.items():
            if version.shown < least or (
                since is not None
                and version.since <= since
                and not self._attributes_changed((flow, provider)[: 2 - least], codes, since, release, least)
            ):
                continue
            line = dict(zip(self.ids, codes, strict=True)) | {"TIME_PERIOD": period} | version.values
            for (other_flow, other_provider, id, place), value in state.attached.items():
                same = (least == 2) or (other_flow == flow and (least == 1 or other_provider == provider))
                if same and value.shown >= least and _matches(place, codes):
                    line[id] = value.values
            if least < 2:
                line |= {"_dataflow": flow, "_provider": provider}
            found.append(line)
        return found

    def _attributes_changed(self, origin: Any, codes: Any, since: int, release: int, least: int) -> bool:
        """A value of the whole series began or ended after ``since``."""
        for number in range(since + 1, release + 1):
            before, after = self.releases[number - 1].attached, self.releases[number].attached
            for id in {*before, *after}:
                if id[3] != codes or id[: len(origin)] != origin:
                    continue
                old, new = before.get(id), after.get(id)
                if new is not None and new.since == number and new.shown >= least:
                    return True
                if old is not None and (new is None or new.since == number) and old.shown >= least:
                    return True
        return False

    def deleted(self, since: int, release: int, context: str) -> list[dict[str, Any]]:
        """The keys shown at ``since`` and not at ``release``."""
        names = {"provisionagreement": ("_dataflow", "_provider"), "dataflow": ("_dataflow",), "datastructure": ()}[
            context
        ]

        def key(line: Mapping[str, Any]) -> Any:
            return tuple(line[id] for id in (*names, *self.ids, "TIME_PERIOD"))

        now = {key(line) for line in self.view(release, context)}
        wanted = (*(("_dataflow", "_provider") if names else ()), *self.ids, "TIME_PERIOD")
        gone = [line for line in self.view(since, context) if key(line) not in now]
        return [{id: line[id] for id in wanted} for line in gone]


def _matches(pattern: Sequence[str | None], codes: Sequence[str | None]) -> bool:
    return all(p is None or p == c for p, c in zip(pattern, codes, strict=True))


def chronological(text: str) -> tuple[int, int, str]:
    return parse_period(text).sort_key
