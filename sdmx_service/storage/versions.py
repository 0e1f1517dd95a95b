"""Row versions: touched keys to a net state, the net state to changes, changes to new versions. All in sets.

``work`` holds rows that came in, ``net`` the state that touched rows shall have, ``change`` what differs from the
valid rows. A publication that says each row once, which most do, has its net state in ``work`` already: then ``net``
is a query and no table. Columns in which nothing was said are left out of the tables.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from sdmx_service.storage.engine import Session
from sdmx_service.storage.layout import OPEN, StoredColumn, Versioned
from sdmx_service.storage.quoting import both, either, identifier, literal, member

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


@dataclass(frozen=True)
class _Waiting:
    """A net state that is not written yet: its query, and the rows in it that are to be there, per dataflow."""

    query: str
    live: str


@dataclass
class Versions:
    """One versioned table during a publication."""

    session: Session
    table: Versioned
    is_empty: bool = True
    """Nothing is in ``net`` yet."""
    _filled: list[str] = field(default_factory=list)
    """The values that some row in ``work`` has."""
    _valued: set[str] = field(default_factory=set)
    """The values that some row in ``net`` may have."""
    _waiting: _Waiting | None = None
    _is_new: bool = True
    """The table itself has no rows."""
    _is_clear: bool = False
    """Nothing is in ``work`` yet."""

    def create(self) -> None:
        """Empty work tables."""
        self._is_new = not self.session.rows(f"SELECT 1 FROM {self._main} LIMIT 1")
        self.empty_work()
        self.empty_net()

    @property
    def _all(self) -> tuple[str, ...]:
        return (*self.table.identity, *self.table.carried, *self.table.values)

    @property
    def _main(self) -> str:
        return identifier(self.table.name)

    def _work(self, kind: str) -> str:
        return identifier(self.table.work(kind))

    def _columns(self, values: Iterable[str], *more: str) -> dict[str, str]:
        """Name -> type of identity, carried columns, these values and columns of history."""
        left_out = set(self.table.values) - set(values)
        return {name: kind for name, kind in self.table.columns(*more).items() if name not in left_out}

    def empty_net(self) -> None:
        """Make room once the changes are known."""
        self._waiting = None
        self.session.create_work(self.table.work("net"), self.table.columns("_live"))

    def empty_work(self) -> None:
        """Make room for the rows of the next part; a net state that waits for its table gets it."""
        self.write_net()
        if not self._is_clear:
            self._filled, self._is_clear = [], True
            self.session.create_work(self.table.work("work"), self._columns((), "_row"))

    def write_net(self) -> None:
        """Write the net state into its table, where it is a query."""
        if self._waiting is not None:
            names = _plain(self._columns(self._valued, "_live"))
            self.session.execute(f"INSERT INTO {self._work('net')} ({names}) {self._waiting.query}")
            self._waiting = None

    def analyse(self, kind: str) -> None:
        """Let the planner look at a work table."""
        if kind == "net" and self._waiting is not None:
            return
        self.session.analyse(self.table.work(kind))

    def analyse_main(self) -> None:
        """Let the planner look at the table itself."""
        self.session.analyse(self.table.name)

    # --- rows that came in -------------------------------------------------------------------------------------

    def take(self, rows: pa.Table) -> None:
        """Put rows into ``work``; a column of values in which nothing stands is left out."""
        self._is_clear = False
        blank = [name for name in self.table.values if rows.column(name).null_count == rows.num_rows]
        for name in self.table.values:
            if name not in blank and name not in self._filled:
                column = f"{identifier(name)} {self.table.types[name]}"
                self.session.execute(f"ALTER TABLE {self._work('work')} ADD COLUMN {column}")
                self._filled.append(name)
        self.session.insert(self.table.work("work"), rows.drop_columns(blank))

    def _came(self, name: str) -> str:
        """A value of a row ``w`` that came in."""
        return f"w.{identifier(name)}" if name in self._filled else f"CAST(NULL AS {self.table.types[name]})"

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
            self._set(source, columns)

    def replace(self, repeats: int) -> None:
        """Rows that came in are set as they are."""
        source = self._work("work") if repeats == 1 else self.latest()
        self._set(source)

    def set_or_end(self) -> None:
        """As ``replace``, and a row without its one value ends."""
        value = self._came(self.table.values[0])
        self._set(self.latest(), live=f"CASE WHEN {value} IS NULL THEN 0 ELSE 1 END")

    def _set(self, source: str, merged: Sequence[StoredColumn] = (), live: str = "1") -> None:
        """Put rows into ``net``; ``merged`` columns fall back on what the row has, others are as they came."""
        table = self.table
        came = {name: self._came(name) for name in table.values}
        kept = [*_plain_columns(table.identity, "w"), *_plain_columns(table.carried, "w")]
        if self.is_empty:
            self._set_first(source, kept, came, merged, live)
            return
        self.write_net()
        self._valued |= set(self._filled)
        self.bring(f"EXISTS (SELECT 1 FROM {source} w WHERE {_same('w', 'o', table.identity)})")
        net, same = self._work("net"), _same("n", "w", table.identity)
        chosen = {**came, **self._merged(merged, "n", "n._live = 1")}
        setters = [f"{identifier(name)} = {chosen[name]}" for name in table.values]
        self.session.execute(
            f"UPDATE {net} AS n SET {', '.join([*setters, f'_live = {live}'])} FROM {source} w WHERE {same}"
        )
        self.session.execute(
            f"INSERT INTO {net} ({_plain([*self._all, '_live'])}) SELECT {', '.join([*kept, *came.values(), live])}"
            f" FROM {source} w WHERE NOT EXISTS (SELECT 1 FROM {net} n WHERE {same})"
        )

    def _set_first(
        self, source: str, kept: Sequence[str], came: Mapping[str, str], merged: Sequence[StoredColumn], live: str
    ) -> None:
        """The first rows are the net state, until others are told."""
        table, chosen, join = self.table, dict(came), ""
        self._valued = set(self._filled)
        if merged and not self._is_new:
            self._valued = set(table.values)
            chosen |= self._merged(merged, "o", "1 = 1")
            join = f" LEFT JOIN {self._main} o ON {_same('o', 'w', table.identity)} AND o._until = {OPEN}"
        values = [f"{chosen[name]} AS {identifier(name)}" for name in table.values if name in self._valued]
        self._waiting = _Waiting(
            query=f"SELECT {', '.join([*kept, *values, f'{live} AS _live'])} FROM {source} w{join}",
            live=f"SELECT w._dataflow, count(*) FROM {source} w WHERE {live} = 1 GROUP BY w._dataflow",
        )
        self.is_empty = False

    def _merged(self, columns: Sequence[StoredColumn], alias: str, condition: str) -> dict[str, str]:
        """Per database column: what came in, or else what the row ``alias`` has (a number's columns all or none)."""
        found = {}
        for column in columns:
            given = either(f"w.{identifier(name)} IS NOT NULL" for name in column.names if name in self._filled)
            for name in column.names:
                other = f"{alias}.{identifier(name)}"
                found[name] = f"CASE WHEN {given} THEN {self._came(name)} WHEN {condition} THEN {other} END"
        return found

    # --- rows that are there -----------------------------------------------------------------------------------

    def bring(self, condition: str) -> None:
        """Put valid rows ``o`` that are not in ``net`` yet into it."""
        self.write_net()
        known = (
            "" if self.is_empty
            else f" AND NOT EXISTS (SELECT 1 FROM {self._work('net')} n WHERE {_same('n', 'o', self.table.identity)})"
        )  # fmt: skip
        count = self.session.execute(
            f"INSERT INTO {self._work('net')} ({_plain([*self._all, '_live'])}) SELECT {_list('o', self._all)}, 1"
            f" FROM {self._main} o WHERE o._until = {OPEN} AND {condition}{known}"
        )
        self.is_empty = self.is_empty and count == 0
        if count:
            self._valued = set(self.table.values)

    def end(self, condition: str) -> None:
        """End rows; the condition is on ``{0}``."""
        self.bring(condition.format("o"))
        self.session.execute(f"UPDATE {self._work('net')} AS n SET _live = 0 WHERE {condition.format('n')}")

    def blank(self, condition: str, columns: Sequence[StoredColumn]) -> None:
        """Take values out of rows, of which those end that have no other; the condition is on ``{0}``."""
        self.bring(condition.format("o"))
        taken = [name for column in columns for name in column.names]
        left = [f"n.{identifier(name)} IS NOT NULL" for name in self.table.values if name not in taken]
        live = f"CASE WHEN {either(left)} THEN n._live ELSE 0 END" if left else "0"
        setters = ", ".join([*(f"{identifier(name)} = NULL" for name in taken), f"_live = {live}"])
        self.session.execute(f"UPDATE {self._work('net')} AS n SET {setters} WHERE {condition.format('n')}")

    def bring_rivals(self) -> None:
        """Add the figures of others for the same keys."""
        net = self._work("net")
        self.bring(f"EXISTS (SELECT 1 FROM {net} g WHERE {_same('g', 'o', self.table.group)})")

    def bring_contested(self, dataflows: Iterable[int]) -> None:
        """Add all rows of keys that several give a figure for in one of these dataflows."""
        hidden = both(
            [
                _same("g", "o", self.table.group),
                f"g._until = {OPEN}",
                "g._shown < 2",
                member("g._dataflow", sorted(dataflows)),
            ]
        )
        self.bring(f"EXISTS (SELECT 1 FROM {self._main} g WHERE {hidden})")

    def bring_back(self, release: int) -> None:
        """Make ``net`` what turns the valid rows into those of an earlier release."""
        self.write_net()
        self._valued = set(self.table.values)
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
        return dict(self.session.rows(query if self._waiting is None else self._waiting.live))

    def compare(self, cuts: Sequence[int], *, is_contested: bool) -> None:
        """Write what differs from the valid rows into ``change``, in order.

        Args:
            cuts: between which the rows are taken, to sort them in little memory.
            is_contested: several may give a figure for a key.
        """
        table, names = self.table, self._columns(self._valued)
        kept = _list("n", names)
        shown = "CASE WHEN n._live = 0 THEN 0 ELSE 2 END"
        source = f"{self._work('net')} n" if self._waiting is None else f"({self._waiting.query}) n"
        if is_contested:
            group, flow = _list("n", table.group), _list("n", (*table.group, "_dataflow"))
            shown = (
                "CASE WHEN n._live = 0 THEN 0"
                f" WHEN row_number() OVER (PARTITION BY {group}, n._live ORDER BY r._flow_rank, r._rank) = 1 THEN 2"
                f" WHEN row_number() OVER (PARTITION BY {flow}, n._live ORDER BY r._rank) = 1 THEN 1 ELSE 0 END"
            )
            source += f" JOIN {identifier(RANKS)} r ON r._dataflow = n._dataflow AND r._provider = n._provider"
        change = (
            f"CASE WHEN o._sid IS NULL THEN n._live * {INSERTED} WHEN n._live = 0 THEN {DELETED}"
            f" WHEN {self._differs()} THEN {CHANGED} WHEN o._shown <> n._shown THEN {RESHOWN} ELSE 0 END"
        )
        self.session.create_work(table.work("change"), self._columns(self._valued, "_live", "_shown", "_change"))
        listed = _plain([*names, "_live", "_shown", "_change"])
        for low, high in itertools.pairwise([None, *cuts, None]):
            run = [] if low is None else [f"n._sid >= {literal(low)}"]
            run += [] if high is None else [f"n._sid < {literal(high)}"]
            inner = (
                f"SELECT {kept}, n._live, n._shown, {change} AS _change"
                f" FROM (SELECT {kept}, n._live, {shown} AS _shown FROM {source} WHERE {both(run)}) n"
                f" LEFT JOIN {self._main} o ON {_same('o', 'n', table.identity)} AND o._until = {OPEN}"
            )
            self.session.execute(
                f"INSERT INTO {self._work('change')} ({listed}) SELECT {listed} FROM ({inner}) c"
                f" WHERE c._change > 0 ORDER BY {_list('c', table.identity)}"
            )

    def _differs(self) -> str:
        """The condition that a row ``n`` has other values than the valid one ``o``."""
        return either(
            f"o.{identifier(name)} IS DISTINCT FROM n.{identifier(name)}"
            if name in self._valued
            else f"o.{identifier(name)} IS NOT NULL"
            for name in self.table.values
        )

    def changed(self) -> str:
        """What ``compare`` wrote, as SQL, with every column of values."""
        left_out = [name for name in self.table.values if name not in self._valued]
        blank = "".join(f", CAST(NULL AS {self.table.types[name]}) AS {identifier(name)}" for name in left_out)
        return f"(SELECT x.*{blank} FROM {self._work('change')} x)"

    def changes(self) -> dict[int, dict[int, int]]:
        """Dataflow -> kind of change -> rows."""
        found: dict[int, dict[int, int]] = {}
        query = f"SELECT _dataflow, _change, count(*) FROM {self._work('change')} GROUP BY _dataflow, _change"
        for dataflow, change, count in self.session.rows(query):
            found.setdefault(dataflow, {})[change] = count
        return found

    def apply(self, release: int) -> None:
        """End the old versions and insert the new ones, in the order of the changes."""
        table, change = self.table, self._work("change")
        self.session.execute(
            f"UPDATE {self._main} AS o SET _until = {literal(release)} FROM {change} c"
            f" WHERE {_same('o', 'c', table.identity)} AND o._until = {OPEN} AND c._change > {INSERTED}"
        )
        names = [*self._columns(self._valued), "_shown"]
        self.session.execute(
            f"INSERT INTO {self._main} ({_plain([*names, '_since', '_until'])})"
            f" SELECT {_list('c', names)}, {literal(release)}, {OPEN} FROM {change} c WHERE c._live = 1"
        )


def _plain_columns(names: Iterable[str], alias: str) -> list[str]:
    return [f"{alias}.{identifier(name)}" for name in names]


def clean(session: Session, table: Versioned | str, release: int) -> None:
    """Remove what a publication that was cut off left above the pointer."""
    name = identifier(table if isinstance(table, str) else table.name)
    session.execute(f"DELETE FROM {name} WHERE _since > {literal(release)}")
    session.execute(f"UPDATE {name} SET _until = {OPEN} WHERE _until > {literal(release)} AND _until < {OPEN}")
