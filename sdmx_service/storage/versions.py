"""Row versions: touched keys to a net state, the net state to changes, changes to new versions. All in sets.

``work`` holds rows that came in, ``net`` the state that touched rows shall have, ``change`` what differs from the
valid rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sdmx_service.storage.engine import Session
from sdmx_service.storage.layout import OPEN, StoredColumn, Versioned
from sdmx_service.storage.quoting import both, either, identifier, literal

INSERTED, CHANGED, DELETED, RESHOWN = 1, 2, 3, 4
"""Values of ``_change``: a new row, other values, a row that ends, the same values shown elsewhere."""

RANKS = "work_ranks"
"""Work table: (dataflow, provider) -> place of the dataflow in the cube, of the provider in the dataflow."""
RANK_TYPES = {"_dataflow": "INTEGER", "_provider": "INTEGER", "_flow_rank": "INTEGER", "_rank": "INTEGER"}


def _same(left: str, right: str, names: Iterable[str]) -> str:
    return both(f"{left}.{identifier(name)} = {right}.{identifier(name)}" for name in names)


def _list(alias: str, names: Iterable[str]) -> str:
    return ", ".join(f"{alias}.{identifier(name)}" for name in names)


def _plain(names: Iterable[str]) -> str:
    return ", ".join(map(identifier, names))


@dataclass
class Versions:
    """One versioned table during a publication."""

    session: Session
    table: Versioned
    is_empty: bool = True
    """Nothing is in ``net`` yet."""

    def create(self) -> None:
        """Empty work tables."""
        table = self.table
        self.session.create_work(table.work("work"), table.columns("_row"))
        self.session.create_work(table.work("net"), table.columns("_live"))
        self.session.create_work(table.work("change"), table.columns("_live", "_shown", "_change"))

    @property
    def _all(self) -> tuple[str, ...]:
        return (*self.table.identity, *self.table.carried, *self.table.values)

    @property
    def _main(self) -> str:
        return identifier(self.table.name)

    def _work(self, kind: str) -> str:
        return identifier(self.table.work(kind))

    def empty_net(self) -> None:
        """Make room once the changes are known."""
        self.session.create_work(self.table.work("net"), self.table.columns("_live"))

    def empty_work(self) -> None:
        """Make room for the rows of the next part."""
        self.session.create_work(self.table.work("work"), self.table.columns("_row"))

    def analyse(self, kind: str) -> None:
        """Let the planner look at a work table."""
        self.session.analyse(self.table.work(kind))

    def analyse_main(self) -> None:
        """Let the planner look at the table itself."""
        self.session.analyse(self.table.name)

    # --- rows that came in -------------------------------------------------------------------------------------

    def most_repeats(self) -> int:
        """How often a row came in, at most."""
        query = (
            f"SELECT count(*) AS n FROM {self._work('work')} GROUP BY {_plain(self.table.identity)} HAVING count(*) > 1"
        )
        return int(self.session.rows(f"SELECT coalesce(max(n), 1) FROM ({query}) x")[0][0])

    def latest(self) -> str:
        """The work rows, the last of each identity only."""
        return self._ranked("DESC", 1)

    def _ranked(self, direction: str, place: int) -> str:
        partition = _plain(self.table.identity)
        return (
            f"(SELECT * FROM (SELECT x.*, row_number() OVER (PARTITION BY {partition} ORDER BY _row {direction}) AS _n"
            f" FROM {self._work('work')} x) x WHERE _n = {place})"
        )

    def merge(self, columns: Sequence[StoredColumn], repeats: int) -> None:
        """Values that came in are set; omitted ones stay as they are."""
        for place in range(1, repeats + 1):
            source = self._work("work") if repeats == 1 else self._ranked("ASC", place)
            self._set(source, {}, columns)

    def replace(self, repeats: int) -> None:
        """Rows that came in are set as they are."""
        source = self._work("work") if repeats == 1 else self.latest()
        self._set(source, {name: f"w.{identifier(name)}" for name in self.table.values})

    def set_or_end(self) -> None:
        """As ``replace``, and a row without its one value ends."""
        value = identifier(self.table.values[0])
        self._set(
            self.latest(), {self.table.values[0]: f"w.{value}"}, live=f"CASE WHEN w.{value} IS NULL THEN 0 ELSE 1 END"
        )

    def _set(
        self, source: str, values: Mapping[str, str], merged: Sequence[StoredColumn] = (), live: str = "1"
    ) -> None:
        """Put rows into ``net``; ``merged`` columns fall back on what the row has, ``values`` are as given."""
        table = self.table
        kept = [*_plain_columns(table.identity, "w"), *_plain_columns(table.carried, "w")]
        if self.is_empty:
            chosen = [{**values, **_merged(merged, "o", "1 = 1")}[name] for name in table.values]
            join = ""
            if merged:
                join = f" LEFT JOIN {self._main} o ON {_same('o', 'w', table.identity)} AND o._until = {OPEN}"
            count = self.session.execute(
                f"INSERT INTO {self._work('net')} ({_plain([*self._all, '_live'])})"
                f" SELECT {', '.join([*kept, *chosen, live])} FROM {source} w{join}"
            )
            self.is_empty = count == 0
            return
        self.bring(f"EXISTS (SELECT 1 FROM {source} w WHERE {_same('w', 'o', table.identity)})")
        chosen_values = {**values, **_merged(merged, "n", "n._live = 1")}
        setters = [f"{identifier(name)} = {chosen_values[name]}" for name in table.values]
        self.session.execute(
            f"UPDATE {self._work('net')} AS n SET {', '.join([*setters, f'_live = {live}'])} FROM {source} w"
            f" WHERE {_same('n', 'w', table.identity)}"
        )
        chosen = [*kept, *(f"w.{identifier(name)}" for name in table.values), live]
        net, same = self._work("net"), _same("n", "w", table.identity)
        self.session.execute(
            f"INSERT INTO {net} ({_plain([*self._all, '_live'])}) SELECT {', '.join(chosen)}"
            f" FROM {source} w WHERE NOT EXISTS (SELECT 1 FROM {net} n WHERE {same})"
        )

    # --- rows that are there -----------------------------------------------------------------------------------

    def bring(self, condition: str) -> None:
        """Put valid rows ``o`` that are not in ``net`` yet into it."""
        known = (
            "" if self.is_empty
            else f" AND NOT EXISTS (SELECT 1 FROM {self._work('net')} n WHERE {_same('n', 'o', self.table.identity)})"
        )  # fmt: skip
        count = self.session.execute(
            f"INSERT INTO {self._work('net')} ({_plain([*self._all, '_live'])}) SELECT {_list('o', self._all)}, 1"
            f" FROM {self._main} o WHERE o._until = {OPEN} AND {condition}{known}"
        )
        self.is_empty = self.is_empty and count == 0

    def end(self, condition: str) -> None:
        """End rows; the condition is on ``{0}``."""
        self.bring(condition.format("o"))
        self.session.execute(f"UPDATE {self._work('net')} AS n SET _live = 0 WHERE {condition.format('n')}")

    def blank(self, condition: str, columns: Sequence[StoredColumn]) -> None:
        """Take values out of rows that stay; the condition is on ``{0}``."""
        self.bring(condition.format("o"))
        setters = ", ".join(f"{identifier(name)} = NULL" for column in columns for name in column.names)
        self.session.execute(f"UPDATE {self._work('net')} AS n SET {setters} WHERE {condition.format('n')}")

    def bring_rivals(self) -> None:
        """Add the figures of others for the same keys."""
        net = self._work("net")
        self.bring(f"EXISTS (SELECT 1 FROM {net} g WHERE {_same('g', 'o', self.table.group)})")

    def bring_contested(self) -> None:
        """Add all rows of keys that several give a figure for."""
        hidden = f"{_same('g', 'o', self.table.group)} AND g._until = {OPEN} AND g._shown < 2"
        self.bring(f"EXISTS (SELECT 1 FROM {self._main} g WHERE {hidden})")

    def bring_back(self, release: int) -> None:
        """Make ``net`` what turns the valid rows into those of an earlier release."""
        names, net = _list("o", self._all), self._work("net")
        listed = _plain([*self._all, "_live"])
        at = f"o._since <= {literal(release)} AND o._until > {literal(release)} AND o._until < {OPEN}"
        self.session.execute(f"INSERT INTO {net} ({listed}) SELECT {names}, 1 FROM {self._main} o WHERE {at}")
        known = f"EXISTS (SELECT 1 FROM {net} n WHERE {_same('n', 'o', self.table.identity)})"
        self.session.execute(
            f"INSERT INTO {net} ({listed}) SELECT {names}, 0 FROM {self._main} o"
            f" WHERE o._until = {OPEN} AND o._since > {literal(release)} AND NOT {known}"
        )
        self.is_empty = False

    # --- changes -----------------------------------------------------------------------------------------------

    def live(self) -> dict[int, int]:
        """Dataflow -> rows in ``net`` that are to be there."""
        query = f"SELECT _dataflow, count(*) FROM {self._work('net')} WHERE _live = 1 GROUP BY _dataflow"
        return dict(self.session.rows(query))

    def compare(self, *, is_contested: bool) -> None:
        """Write what differs from the valid rows into ``change``."""
        table, all_ = self.table, _list("n", self._all)
        shown = "CASE WHEN n._live = 0 THEN 0 ELSE 2 END"
        source = f"{self._work('net')} n"
        if is_contested:
            group, flow = _list("n", table.group), _list("n", (*table.group, "_dataflow"))
            shown = (
                "CASE WHEN n._live = 0 THEN 0"
                f" WHEN row_number() OVER (PARTITION BY {group}, n._live ORDER BY r._flow_rank, r._rank) = 1 THEN 2"
                f" WHEN row_number() OVER (PARTITION BY {flow}, n._live ORDER BY r._rank) = 1 THEN 1 ELSE 0 END"
            )
            source += f" JOIN {identifier(RANKS)} r ON r._dataflow = n._dataflow AND r._provider = n._provider"
        differs = either(f"o.{identifier(name)} IS DISTINCT FROM n.{identifier(name)}" for name in table.values)
        change = (
            f"CASE WHEN o._sid IS NULL THEN n._live * {INSERTED} WHEN n._live = 0 THEN {DELETED}"
            f" WHEN {differs} THEN {CHANGED} WHEN o._shown <> n._shown THEN {RESHOWN} ELSE 0 END"
        )
        inner = (
            f"SELECT {all_}, n._live, n._shown, {change} AS _change"
            f" FROM (SELECT {all_}, n._live, {shown} AS _shown FROM {source}) n"
            f" LEFT JOIN {self._main} o ON {_same('o', 'n', table.identity)} AND o._until = {OPEN}"
        )
        names = _plain([*self._all, "_live", "_shown", "_change"])
        self.session.execute(
            f"INSERT INTO {self._work('change')} ({names}) SELECT {names} FROM ({inner}) c WHERE c._change > 0"
        )

    def changes(self) -> dict[int, dict[int, int]]:
        """Dataflow -> kind of change -> rows."""
        found: dict[int, dict[int, int]] = {}
        query = f"SELECT _dataflow, _change, count(*) FROM {self._work('change')} GROUP BY _dataflow, _change"
        for dataflow, change, count in self.session.rows(query):
            found.setdefault(dataflow, {})[change] = count
        return found

    def apply(self, release: int, cuts: Sequence[int]) -> None:
        """End the old versions and insert the new ones, in runs between ``cuts`` (to sort in little memory)."""
        table, change = self.table, self._work("change")
        self.session.execute(
            f"UPDATE {self._main} AS o SET _until = {literal(release)} FROM {change} c"
            f" WHERE {_same('o', 'c', table.identity)} AND o._until = {OPEN} AND c._change > {INSERTED}"
        )
        names = [*self._all, "_shown"]
        for low, high in itertools.pairwise([None, *cuts, None]):
            run = [] if low is None else [f"c._sid >= {literal(low)}"]
            run += [] if high is None else [f"c._sid < {literal(high)}"]
            self.session.execute(
                f"INSERT INTO {self._main} ({_plain([*names, '_since', '_until'])})"
                f" SELECT {_list('c', names)}, {literal(release)}, {OPEN} FROM {change} c"
                f" WHERE {both(['c._live = 1', *run])} ORDER BY {_list('c', table.identity)}"
            )


def _plain_columns(names: Iterable[str], alias: str) -> list[str]:
    return [f"{alias}.{identifier(name)}" for name in names]


def _merged(columns: Sequence[StoredColumn], alias: str, condition: str) -> dict[str, str]:
    """Per database column: what came in, or else what the row ``alias`` has (a number's columns all or none)."""
    found = {}
    for column in columns:
        given = either(f"w.{identifier(name)} IS NOT NULL" for name in column.names)
        for name in column.names:
            quoted = identifier(name)
            found[name] = f"CASE WHEN {given} THEN w.{quoted} WHEN {condition} THEN {alias}.{quoted} END"
    return found


def clean(session: Session, table: Versioned | str, release: int) -> None:
    """Remove what a publication that was cut off left above the pointer."""
    name = identifier(table if isinstance(table, str) else table.name)
    session.execute(f"DELETE FROM {name} WHERE _since > {literal(release)}")
    session.execute(f"UPDATE {name} SET _until = {OPEN} WHERE _until > {literal(release)} AND _until < {OPEN}")
