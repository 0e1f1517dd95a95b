"""Publishing: accepted rows become row versions of the next release (docs/decisions/0010).

One ``Publication`` is one transaction over all cubes. It knows nothing of the release pointer, which the store moves
afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from sdmx_service.errors import StorageFault
from sdmx_service.model.confidentiality import Confidentiality
from sdmx_service.model.message import Action
from sdmx_service.model.selection import Cube
from sdmx_service.storage.directory import read_members
from sdmx_service.storage.engine import Session
from sdmx_service.storage.incoming import DeletePattern, Incoming, Periods, Seen, fill_deletes
from sdmx_service.storage.layout import OPEN, SERIES_COUNTS, CubeLayout
from sdmx_service.storage.masking import Mask, MaskedKeys
from sdmx_service.storage.port import ChangeCounts, Ranking, StagedPart
from sdmx_service.storage.quoting import both, identifier, literal, literals
from sdmx_service.storage.versions import CHANGED, DELETED, INSERTED, RANK_TYPES, RANKS, Versions

_MANY = 50_000
"""Changes above which the planner looks at the tables anew before going on."""
SERIES = ("_sid", "_dataflow", "_provider")


@dataclass
class Members:
    """Numbers of dataflows or providers; new names get the next number."""

    session: Session
    kind: str
    numbers: dict[str, int] = field(default_factory=dict)

    def load(self) -> None:
        """Read those known."""
        self.numbers = {name: number for number, name in read_members(self.session.table, self.kind).items()}

    def number(self, name: str) -> int:
        """The number of a name."""
        if name not in self.numbers:
            self.numbers[name] = max(self.numbers.values(), default=0) + 1
            self.session.execute(f"INSERT INTO members VALUES ({literals([self.kind, self.numbers[name], name])})")
        return self.numbers[name]


def rank_names(names: Iterable[str], best: Sequence[str]) -> dict[str, int]:
    """Places: those listed in that order, then the others by name."""
    places = {name: place for place, name in reversed(list(enumerate(best)))}
    order = sorted(names, key=lambda name: (places.get(name, len(places)), name))
    return {name: place for place, name in enumerate(order)}


def _differ(names: Collection[str], old: Sequence[str], new: Sequence[str]) -> bool:
    """Two rankings put the names in another order."""
    return len(names) > 1 and rank_names(names, old) != rank_names(names, new)


class CubePublication:
    """The part of a publication that concerns one cube."""

    def __init__(
        self,
        session: Session,
        layout: CubeLayout,
        flows: Members,
        providers: Members,
        confidentiality: Confidentiality | None = None,
    ) -> None:
        self.session = session
        self._confidentiality = confidentiality
        self.layout = layout
        self._flows = flows
        self._providers = providers
        self._periods = Periods(session, layout)
        self._seen = Seen()
        self.observations = Versions(session, layout.observations)
        self.attachments = Versions(session, layout.attachments)
        self._agreements: set[tuple[int, int]] = set()
        self._live: dict[int, int] | None = None
        self._submitted: dict[int, set[int]] = {}

    @property
    def _both(self) -> tuple[Versions, Versions]:
        return self.observations, self.attachments

    def begin(self) -> None:
        """Make empty work tables and read what is known of the cube."""
        for versions in self._both:
            versions.create()
        self.session.create_work(self.layout.table("keys"), {"_sid": "BIGINT", **self.layout.key_types})
        self._periods.load()
        pairs = self.session.rows(f"SELECT _dataflow, _provider FROM agreements WHERE _cube = {self.layout.number}")
        self._agreements = {(dataflow, provider) for dataflow, provider in pairs}

    # --- parts -------------------------------------------------------------------------------------------------

    def add(self, part: StagedPart, batches: Iterable[pa.RecordBatch]) -> None:
        """Apply a part to the net state."""
        dataflow, provider = self._flows.number(part.dataflow), self._providers.number(part.provider)
        if (dataflow, provider) not in self._agreements:
            self._agreements.add((dataflow, provider))
            listed = literals([self.layout.number, dataflow, provider])
            self.session.execute(f"INSERT INTO agreements VALUES ({listed})")
        self._submitted.setdefault(dataflow, set()).add(provider)
        for versions in self._both:
            versions.empty_work()
        incoming = Incoming(
            self.session, self.layout, self._periods, self._seen, *self._both, dataflow, provider, part.action
        )  # fmt: skip
        if part.action is Action.DELETE:
            self._delete(incoming, batches)
            return
        incoming.fill(batches)
        for versions in self._both:
            versions.analyse("work")
        self.session.analyse(self.layout.table("keys"))
        self._check_numbers()
        repeats = self.observations.most_repeats() if incoming.repeats.is_possible else 1
        if part.action is Action.REPLACE:
            self.observations.replace(repeats)
        else:
            self.observations.merge(self.layout.observed, repeats)
        self.attachments.set_or_end()

    def _check_numbers(self) -> None:
        """Notice a key that came in with the number of another one that is stored."""
        keys, series = identifier(self.layout.table("keys")), identifier(self.layout.table("series"))
        differs = " OR ".join(f"k.{c.quoted} <> s.{c.quoted}" for c in self.layout.dimensions) or "1 = 0"
        if self.session.rows(f"SELECT 1 FROM {keys} k JOIN {series} s ON s._sid = k._sid WHERE {differs} LIMIT 1"):
            raise StorageFault("Two keys have the same number; the store cannot tell them apart.")

    def _delete(self, incoming: Incoming, batches: Iterable[pa.RecordBatch]) -> None:
        types = {"_pattern": "INTEGER", **self.layout.key_types, "_period": "INTEGER"}
        self.session.create_work(self.layout.table("deletes"), types)
        for pattern in fill_deletes(incoming, batches):
            self._delete_observations(incoming, pattern)
            self._delete_attachments(incoming, pattern)

    def _deletes(self, pattern: DeletePattern, conditions: Iterable[str]) -> str:
        deletes = identifier(self.layout.table("deletes"))
        where = both([f"d._pattern = {pattern.number}", *conditions])
        return f"EXISTS (SELECT 1 FROM {deletes} d WHERE {where})"

    @staticmethod
    def _own(incoming: Incoming) -> str:
        return f"{{0}}._dataflow = {incoming.dataflow} AND {{0}}._provider = {incoming.provider}"

    def _delete_observations(self, incoming: Incoming, pattern: DeletePattern) -> None:
        observed = [c for c in pattern.components if not c.is_attached]
        if pattern.components and not observed:
            return
        deletes = identifier(self.layout.table("deletes"))
        same = [f"d.{c.quoted} = k.{c.quoted}" for c in pattern.dimensions]
        joined = both([f"d._pattern = {pattern.number}", *same])
        keys, series = identifier(self.layout.table("keys")), identifier(self.layout.table("series"))
        found = [
            f"SELECT k._sid, d._period FROM {series} k JOIN {deletes} d ON {joined} WHERE k._until = {OPEN}",
            f"SELECT k._sid, d._period FROM {keys} k JOIN {deletes} d ON {joined}",
        ]
        period = " AND m._period = {0}._period" if pattern.has_period else ""
        matches = f"EXISTS (SELECT 1 FROM ({' UNION ALL '.join(found)}) m WHERE m._sid = {{0}}._sid{period})"
        condition = f"{self._own(incoming)} AND {matches}"
        if observed:
            self.observations.blank(condition, observed)
        else:
            self.observations.end(condition)

    def _delete_attachments(self, incoming: Incoming, pattern: DeletePattern) -> None:
        own = self._own(incoming)
        if not pattern.components:
            if not pattern.has_period:
                same = [f"d.{c.quoted} = {{0}}.{c.quoted}" for c in pattern.dimensions]
                self.attachments.end(f"{own} AND {self._deletes(pattern, same)}")
            return
        for column in (c for c in pattern.components if c.is_attached):
            shared = [c for c in pattern.dimensions if c.id in (column.level or ())]
            same = [f"d.{c.quoted} = {{0}}.{c.quoted}" for c in shared]
            component = f"{{0}}._component = {literal(column.id)}"
            self.attachments.end(f"{own} AND {component} AND {self._deletes(pattern, same)}")

    # --- other ways to touch -----------------------------------------------------------------------------------

    def bring_contested(self, dataflows: Collection[int]) -> None:
        """Touch every key of these dataflows that several give a figure for: the ranking changes."""
        self._note_live()
        for versions in self._both:
            versions.bring_contested(dataflows)

    def bring_back(self, release: int) -> None:
        """Touch what differs from an earlier release, to become as it was."""
        for versions in self._both:
            versions.bring_back(release)
        names = ", ".join(f"s.{identifier(name)}" for name in ("_sid", *self.layout.key_types))
        self.session.execute(
            f"INSERT INTO {identifier(self.layout.table('keys'))} SELECT DISTINCT {names}"
            f" FROM {identifier(self.layout.table('series'))} s WHERE s._since <= {literal(release)}"
            f" AND s._until > {literal(release)} AND s._until < {OPEN}"
        )

    # --- the end -----------------------------------------------------------------------------------------------

    def settle(self, ranking: Ranking) -> None:
        """Decide who is shown and what changes."""
        self._note_live()
        is_contested = len(self._agreements) > 1
        if is_contested:
            self._write_ranks(ranking)
        for versions in self._both:
            if is_contested:
                versions.write_net()
            versions.analyse("net")
            if is_contested:
                versions.bring_rivals()
            versions.compare(self._seen.cuts(self.session.sorted_rows), is_contested=is_contested)
            versions.analyse("change")
            versions.empty_net()
            versions.empty_work()

    def _note_live(self) -> None:
        """Remember how many rows the submissions leave, before others are touched."""
        if self._live is None:
            self._live = self.observations.live()

    def _write_ranks(self, ranking: Ranking) -> None:
        flows = {number: name for name, number in self._flows.numbers.items()}
        providers = {number: name for name, number in self._providers.numbers.items()}
        best = ranking.dataflows.get(self.layout.cube.name, ())
        flow_ranks = rank_names({flows[number] for number, _ in self._agreements}, best)
        rows = []
        for flow, rank in flow_ranks.items():
            number = self._flows.numbers[flow]
            names = {providers[provider] for dataflow, provider in self._agreements if dataflow == number}
            ranks = rank_names(names, ranking.providers.get(flow, ()))
            rows += [(number, self._providers.numbers[name], rank, place) for name, place in ranks.items()]
        columns = zip(*sorted(rows), strict=True)
        arrays = [pa.array(column, pa.int32()) for column in columns]
        self.session.create_work(RANKS, RANK_TYPES)
        self.session.insert(RANKS, pa.table(dict(zip(RANK_TYPES, arrays, strict=True))))

    def counts(self) -> list[ChangeCounts]:
        """What changes, per dataflow that was submitted to or loses or gains rows."""
        names = {number: name for name, number in self._flows.numbers.items()}
        changes, live = self.observations.changes(), self._live or {}
        found = []
        for number in sorted({*self._submitted, *changes}):
            kinds = changes.get(number, {})
            inserted, changed, deleted = (kinds.get(kind, 0) for kind in (INSERTED, CHANGED, DELETED))
            if number not in self._submitted and not inserted + changed + deleted:
                continue
            found.append(
                ChangeCounts(
                    dataflow=names[number],
                    inserted=inserted,
                    changed=changed,
                    unchanged=max(0, live.get(number, 0) - inserted - changed),
                    deleted=deleted,
                )
            )
        return found

    def apply(self, release: int) -> None:
        """Write the new versions of observations, attachments and series."""
        for versions in self._both:
            versions.apply(release)
        is_large = sum(sum(kinds.values()) for kinds in self.observations.changes().values()) > _MANY
        if is_large:
            self.observations.analyse_main()
        if self._confidentiality is not None:
            mask = Mask(self.layout, self._flows.numbers, self._confidentiality)
            MaskedKeys(self.session, mask).follow(self.observations.changed(), is_statement=bool(self._submitted))
        self._count_series(release)
        if is_large:
            self.session.analyse(self.layout.table("series"))

    def _count_series(self, release: int) -> None:
        """New versions of the series that changed, with their counts."""
        layout, session = self.layout, self.session
        changed = identifier(layout.observations.work("change"))
        listed = ", ".join(SERIES)
        same = both(f"t.{name} = o.{name}" for name in SERIES)
        sums = [f"sum(CASE WHEN o._shown >= {n} THEN 1 ELSE 0 END) AS {name}" for n, name in enumerate(SERIES_COUNTS)]
        types = dict(zip(SERIES, ("BIGINT", "INTEGER", "INTEGER"), strict=True))
        session.create_work(layout.table("touched"), types)
        touched, counted, series = (identifier(layout.table(kind)) for kind in ("touched", "counted", "series"))
        session.execute(f"INSERT INTO {touched} SELECT DISTINCT {listed} FROM {changed}")
        session.analyse(layout.table("touched"))
        session.execute(
            f"UPDATE {series} AS o SET _until = {literal(release)} FROM {touched} t WHERE {same} AND o._until = {OPEN}"
        )
        session.create_work(layout.table("counted"), types | dict.fromkeys(SERIES_COUNTS, "INTEGER"))
        session.execute(
            f"INSERT INTO {counted} SELECT {', '.join(f'o.{name}' for name in SERIES)}, {', '.join(sums)}"
            f" FROM {identifier(layout.observations.name)} o JOIN {touched} t ON {same}"
            f" WHERE o._until = {OPEN} GROUP BY {', '.join(f'o.{name}' for name in SERIES)}"
        )
        session.analyse(layout.table("counted"))
        old = both([*(f"s.{name} = n.{name}" for name in SERIES), f"s._until = {literal(release)}"])
        names = [*SERIES, *layout.key_types, *SERIES_COUNTS]
        chosen = [
            f"COALESCE(k.{identifier(name)}, s.{identifier(name)})"
            if name in layout.key_types
            else f"n.{identifier(name)}"
            for name in names
        ]
        session.execute(
            f"INSERT INTO {series} ({', '.join(map(identifier, names))}, _since, _until)"
            f" SELECT {', '.join(chosen)}, {literal(release)}, {OPEN} FROM {counted} n"
            f" LEFT JOIN {identifier(layout.table('keys'))} k ON k._sid = n._sid LEFT JOIN {series} s ON {old}"
            f" ORDER BY n._sid, n._dataflow, n._provider"
        )


@dataclass
class Publication:
    """One release in the making."""

    session: Session
    layouts: Mapping[Cube, CubeLayout]
    ranking: Ranking
    confidentiality: Mapping[Cube, Confidentiality] = field(default_factory=dict)
    _cubes: dict[Cube, CubePublication] = field(default_factory=dict)
    _flows: Members = field(init=False)
    _providers: Members = field(init=False)

    def __post_init__(self) -> None:
        self._flows, self._providers = Members(self.session, "dataflow"), Members(self.session, "provider")
        self._flows.load()
        self._providers.load()

    def _cube(self, cube: Cube) -> CubePublication:
        if cube not in self._cubes:
            self._cubes[cube] = CubePublication(
                self.session, self.layouts[cube], self._flows, self._providers, self.confidentiality.get(cube)
            )
            self._cubes[cube].begin()
        return self._cubes[cube]

    def add(self, part: StagedPart, batches: Iterable[pa.RecordBatch]) -> None:
        """Apply a part of a submission."""
        self._cube(Cube.of(part.structure)).add(part, batches)

    def moved(self, before: Ranking) -> dict[Cube, set[int]]:
        """The dataflows of each cube in which those that have given figures stand in another order than before."""
        flows, providers = (
            {number: name for name, number in one.numbers.items()} for one in (self._flows, self._providers)
        )
        given: dict[int, dict[int, set[str]]] = {}
        for cube, flow, provider in self.session.rows("SELECT _cube, _dataflow, _provider FROM agreements"):
            given.setdefault(cube, {}).setdefault(flow, set()).add(providers[provider])
        found: dict[Cube, set[int]] = {}
        for cube, layout in self.layouts.items():
            here = given.get(layout.number, {})
            names = [flows[flow] for flow in here]
            if _differ(names, before.dataflows.get(cube.name, ()), self.ranking.dataflows.get(cube.name, ())):
                found[cube] = set(here)
                continue
            old, new = before.providers, self.ranking.providers
            changed = {
                flow
                for flow, names_of_flow in here.items()
                if _differ(names_of_flow, old.get(flows[flow], ()), new.get(flows[flow], ()))
            }
            if changed:
                found[cube] = changed
        return found

    def rank(self, moved: Mapping[Cube, Collection[int]]) -> None:
        """Decide anew who is shown in dataflows; after the parts were added."""
        for cube, dataflows in moved.items():
            self._cube(cube).bring_contested(dataflows)

    def restore(self, release: int) -> None:
        """Make everything as it was at a release."""
        for cube in self.layouts:
            self._cube(cube).bring_back(release)

    def settle(self) -> list[ChangeCounts]:
        """Decide what changes; nothing is written to the cubes yet."""
        found: list[ChangeCounts] = []
        for publication in self._cubes.values():
            publication.settle(self.ranking)
            found += publication.counts()
        return found

    def apply(self, release: int) -> None:
        """Write the changes as versions of a release."""
        for publication in self._cubes.values():
            publication.apply(release)
