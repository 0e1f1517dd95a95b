"""Confidential figures are hidden where rows are read, so that no way of reading can forget it.

A reader never names the table of observations: it names ``Mask.rows``, which is that table with the measures and the
attributes that may tell them emptied wherever they are confidential (docs/decisions/0012). What hides a row version:

- its own status, or its own value where the dataflow has a threshold;
- the *latest statement* about the same figure: the status it has now, or had when it went. These keys stand in a table
  of the cube (``c1_masks``), kept up by each publication;
- the latest statement about the figure that the dataflow shows now for the same key, whoever sent the version.

A release that brings no submission (a restore, a changed ranking) states nothing: an earlier release that comes back
does not free what was declared confidential after it. ``masking`` notes per cube by which rules the keys were found,
whether anything is hidden at all, and a version that grows with each change.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from sdmx_service.model.confidentiality import CONFIDENTIALITY, Confidentiality, PublicView
from sdmx_service.model.selection import Cube
from sdmx_service.storage.engine import Engine, Session
from sdmx_service.storage.layout import OPEN, CubeLayout, StoredColumn
from sdmx_service.storage.quoting import both, either, identifier, literal, member
from sdmx_service.storage.versions import CHANGED, INSERTED

_IDENTITY = ("_sid", "_dataflow", "_provider", "_period")
_MASK_TYPES = {"_sid": "BIGINT", "_dataflow": "INTEGER", "_provider": "INTEGER", "_period": "INTEGER",
               "_status": "TEXT", "_shown": "SMALLINT"}  # fmt: skip


def _same(left: str, right: str, names: Iterable[str] = _IDENTITY) -> str:
    return both(f"{left}.{name} = {right}.{name}" for name in names)


@dataclass(frozen=True)
class Mask:
    """What hides figures of a cube.

    Attributes:
        flows: dataflow name -> number.
        rules: the cube's confidentiality document; None: it has none.
        is_any: something is hidden, or may be; else readers see the table itself.
        version: changes whenever other figures are hidden or purged; empty where nothing ever was.
    """

    layout: CubeLayout
    flows: Mapping[str, int]
    rules: Confidentiality | None = None
    is_any: bool = False
    version: str = ""

    @cached_property
    def rows(self) -> str:
        """The observations as readers see them, to stand in FROM with an alias behind it."""
        table = identifier(self.layout.observations.name)
        if not self.is_any or self.rules is None:
            return table
        masks, hidden = identifier(masks_table(self.layout)), self._hidden()
        chosen = [f"o.{name}" for name in (*_IDENTITY, "_since", "_until", "_shown")]
        for column in self.layout.observed:
            if column.id == self.rules.status:
                chosen.append(f"{self._status()} AS {column.quoted}")
            elif column.role == "measure" or column.id in self.rules.hides:
                chosen += self._value(column, hidden)
            else:
                chosen += [f"o.{identifier(name)}" for name in column.names]
        return (
            f"(SELECT {', '.join(chosen)} FROM {table} o LEFT JOIN {masks} m ON {_same('m', 'o')}"
            f" LEFT JOIN {masks} v ON {_same('v', 'o', ('_sid', '_dataflow', '_period'))} AND v._shown >= 1)"
        )

    def open_before(self) -> str | None:
        """The query of row versions that had a figure and did not hide it, of figures that are hidden now."""
        if not self.is_any or self.rules is None:
            return None
        table, masks = identifier(self.layout.observations.name), identifier(masks_table(self.layout))
        has_value = either(f"o.{c.quoted} IS NOT NULL" for c in self.layout.observed if c.role == "measure")
        return (
            f"SELECT o.* FROM {table} o JOIN {masks} m ON {_same('m', 'o')}"
            f" WHERE NOT {self.own()} AND {has_value} AND o._until < {OPEN}"
        )

    def says_hidden(self, alias: str) -> str:
        """The condition that a row, as ``rows`` shows it, has the status of a hidden figure."""
        status = None if self.rules is None or not self.is_any else self.layout.by_id.get(self.rules.status)
        if self.rules is None or status is None:
            return "1 = 0"
        return f"coalesce({member(f'{alias}.{status.quoted}', self.rules.confidential)}, FALSE)"

    # --- one row version -----------------------------------------------------------------------------------------

    def own(self, alias: str = "o") -> str:
        """The condition that a row version hides itself, by its status or its value."""
        assert self.rules is not None
        conditions = []
        if (status := self.layout.by_id.get(self.rules.status)) is not None:
            conditions.append(f"coalesce({member(f'{alias}.{status.quoted}', self.rules.confidential)}, FALSE)")
        for name, view in self.rules.dataflows.items():
            if view.threshold and name in self.flows:
                conditions += [self._below(alias, column, name, view) for column in self._numbers()]
        return either(conditions)

    def own_status(self, alias: str = "o") -> str:
        """The status that a row version which hides itself is shown with."""
        assert self.rules is not None
        primary = literal(self.rules.primary)
        if (status := self.layout.by_id.get(self.rules.status)) is None:
            return primary
        name = f"{alias}.{status.quoted}"
        return f"CASE WHEN {member(name, self.rules.confidential)} THEN {name} ELSE {primary} END"

    def _numbers(self) -> list[StoredColumn]:
        return [one for one in self.layout.observed if one.role == "measure" and one.kind == "number"]

    def _falls_under(self, alias: str, name: str, view: PublicView) -> list[str]:
        """The row is of the dataflow, and has the codes that its public view is for."""
        conditions = [f"{alias}._dataflow = {literal(self.flows[name])}"]
        for id, codes in view.when.items():
            column = self.layout.by_id.get(id)
            conditions.append("1 = 0" if column is None else member(f"{alias}.{column.quoted}", codes))
        return conditions

    def _below(self, alias: str, column: StoredColumn, name: str, view: PublicView) -> str:
        value = f"{alias}.{column.quoted}"
        test = f"abs({value}) < {literal(view.threshold)} AND {value} <> {literal(0.0)}"
        return f"coalesce({both([*self._falls_under(alias, name, view), test])}, FALSE)"

    def _hidden(self) -> str:
        return f"(m._sid IS NOT NULL OR v._sid IS NOT NULL OR {self.own()})"

    def _status(self) -> str:
        assert self.rules is not None
        name = f"o.{self.layout.by_id[self.rules.status].quoted}"
        return (
            f"CASE WHEN {self.own()} THEN {self.own_status()} WHEN m._sid IS NOT NULL THEN m._status"
            f" WHEN v._sid IS NOT NULL THEN v._status ELSE {name} END"
        )

    def _value(self, column: StoredColumn, hidden: str) -> list[str]:
        assert self.rules is not None
        names = [f"o.{identifier(name)}" for name in column.names]
        shown = list(names)
        if column.role == "measure" and column.kind == "number":
            for name, view in self.rules.dataflows.items():
                if view.rounding and name in self.flows:
                    shown = self._rounded(names, shown, both(self._falls_under("o", name, view)), view.rounding)
        return [
            f"CASE WHEN {hidden} THEN NULL ELSE {value} END AS {identifier(name)}"
            for name, value in zip(column.names, shown, strict=True)
        ]

    @staticmethod
    def _rounded(names: list[str], shown: list[str], falls_under: str, base: float) -> list[str]:
        """Value, decimals and text of a number, rounded where it falls under a rule; marks stay."""
        value, is_number = (
            names[0],
            f"{falls_under} AND {names[0]} > {literal(-1e300)} AND {names[0]} < {literal(1e300)}",
        )
        step = literal(float(base))
        nearest = f"{step} * floor(abs({value}) / {step} + {literal(0.5)})"
        signed = f"CASE WHEN {value} < 0 THEN -({nearest}) ELSE {nearest} END"
        decimals = len(f"{base:f}".rstrip("0").partition(".")[2])
        rounded = (signed, f"CAST({decimals} AS SMALLINT)", "NULL")
        return [f"CASE WHEN {is_number} THEN {new} ELSE {old} END" for new, old in zip(rounded, shown, strict=True)]


def masks_table(layout: CubeLayout) -> str:
    """The table with the keys of a cube that are hidden now."""
    return layout.table("masks")


def rules_in(artefacts: Mapping[str, bytes]) -> dict[Cube, Confidentiality]:
    """The document per cube, of artefacts as a store keeps them; of several for one cube the last by name."""
    found: dict[Cube, Confidentiality] = {}
    for name in sorted(artefacts):
        if name.startswith(CONFIDENTIALITY):
            document = Confidentiality.from_json(json.loads(artefacts[name]))
            found |= dict.fromkeys(document.structures, document)
    return found


def _digest(rules: Confidentiality) -> str:
    told = json.dumps(rules.to_json(), sort_keys=True)
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


# --- keeping the keys -------------------------------------------------------------------------------------------------


class MaskedKeys:
    """The keys of one cube that are hidden now, within a transaction."""

    def __init__(self, session: Session, mask: Mask) -> None:
        self._session = session
        self._mask = mask
        self._table = identifier(masks_table(mask.layout))
        self._rows = identifier(mask.layout.observations.name)
        self._cube = literal(mask.layout.number)

    def renew(self) -> None:
        """Find the keys anew, from all that was ever stated."""
        rules, session = self._mask.rules, self._session
        listed = ", ".join(f"{name} {kind}" for name, kind in _MASK_TYPES.items())
        index = identifier(masks_table(self._mask.layout) + "_keys")
        session.execute(f"CREATE TABLE IF NOT EXISTS {self._table} ({listed})")
        session.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {self._table} (_sid, _period)")
        session.execute(f"DELETE FROM {self._table}")
        if rules is None:
            return
        session.execute(
            f"INSERT INTO {self._table} SELECT {', '.join(f'o.{name}' for name in _IDENTITY)},"
            f" {self._mask.own_status()}, 0 FROM ({self._statements()}) o WHERE o._place = 1 AND {self._mask.own()}"
        )
        session.execute(
            f"UPDATE {self._table} AS m SET _shown = o._shown FROM {self._rows} o"
            f" WHERE {_same('o', 'm')} AND o._until = {OPEN}"
        )
        has_views = any(view.threshold or view.rounding for view in rules.dataflows.values())
        is_any = has_views or bool(session.rows(f"SELECT 1 FROM {self._rows} o WHERE {self._mask.own()} LIMIT 1"))
        self._note(_digest(rules), is_any=is_any)

    def _statements(self) -> str:
        """The query of what was stated of figures that were ever confidential, ``_place`` counted from the last.

        A version that only comes to be shown, or is shown no more, has the values of the one before it.
        """
        values = self._mask.layout.observations.values
        alike = both(f"p.{name} IS NOT DISTINCT FROM o.{name}" for name in map(identifier, values))
        silent = [number for (number,) in self._session.rows("SELECT _number FROM releases WHERE _submissions = '[]'")]
        stated = f" AND NOT {member('o._since', silent)}" if silent else ""
        ever = f"SELECT DISTINCT {', '.join(f'o.{name}' for name in _IDENTITY)} FROM {self._rows} o"
        last = f"row_number() OVER (PARTITION BY {', '.join(f'o.{name}' for name in _IDENTITY)} ORDER BY o._since DESC)"
        return (
            f"SELECT o.*, {last} AS _place FROM ({ever} WHERE {self._mask.own()}) e"
            f" JOIN {self._rows} o ON {_same('o', 'e')}"
            f" LEFT JOIN {self._rows} p ON {_same('p', 'o')} AND p._until = o._since AND {alike}"
            f" WHERE p._sid IS NULL{stated}"
        )

    def _note(self, digest: str, *, is_any: bool) -> None:
        note(self._session, self._mask.layout)
        self._session.execute(
            f"UPDATE masking SET _rules = {literal(digest)}, _is_any = {literal(int(is_any))}, _version = _version + 1"
            f" WHERE _cube = {self._cube}"
        )

    def follow(self, change: str, *, is_statement: bool) -> None:
        """Take up what a publication changes.

        Args:
            change: the changed observations, as SQL (``Versions.changed``).
            is_statement: rows were submitted; else an earlier state comes back, which frees nothing.
        """
        rules = self._mask.rules
        known = self._session.rows(f"SELECT _rules, _is_any FROM masking WHERE _cube = {self._cube}")
        if rules is None or not known or known[0][0] != _digest(rules):
            return  # the next reader finds the keys anew
        table, changed = self._table, change
        stated = f"c._live = 1 AND {member('c._change', (INSERTED, CHANGED))}"
        count = 0
        if self._session.rows(f"SELECT 1 FROM {table} LIMIT 1"):
            shown = "CASE WHEN c._live = 1 THEN c._shown ELSE 0 END"
            count += self._session.execute(
                f"UPDATE {table} AS m SET _shown = {shown} FROM {changed} c WHERE {_same('c', 'm')}"
            )
            if is_statement:
                count += self._session.execute(
                    f"DELETE FROM {table} AS m USING {changed} c WHERE {_same('c', 'm')} AND {stated}"
                )
        found = self._session.execute(
            f"INSERT INTO {table} SELECT {', '.join(f'c.{name}' for name in _IDENTITY)}, {self._mask.own_status('c')},"
            f" c._shown FROM {changed} c WHERE {stated} AND {self._mask.own('c')}"
            f" AND NOT EXISTS (SELECT 1 FROM {table} m WHERE {_same('m', 'c')})"
        )
        if count or found:
            is_any = ", _is_any = 1" if found else ""
            self._session.execute(f"UPDATE masking SET _version = _version + 1{is_any} WHERE _cube = {self._cube}")


def forget_keys(session: Session) -> None:
    """Have every cube's keys found anew: rows that they were found in are not there any more."""
    session.execute("UPDATE masking SET _rules = '', _version = _version + 1")


def note(session: Session, layout: CubeLayout, *, purged: bool = False) -> None:
    """Have a cube in ``masking``; where values went away for good, what was made of them must be made anew."""
    place = f"_cube = {literal(layout.number)}"
    if not session.rows(f"SELECT 1 FROM masking WHERE {place}"):
        session.execute(f"INSERT INTO masking VALUES ({literal(layout.number)}, '', 0, 0, 0)")
    if purged:
        session.execute(f"UPDATE masking SET _purges = _purges + 1 WHERE {place}")


# --- for readers ------------------------------------------------------------------------------------------------------


class Masks:
    """The masks of a store's cubes, remembered until the pointer moves.

    Args:
        seen: the release and generation that this process saw last.
        rules: the documents of a generation.
    """

    def __init__(
        self, engine: Engine, seen: Callable[[], tuple[int, int]], rules: Callable[[], Mapping[Cube, Confidentiality]]
    ) -> None:
        self._engine = engine
        self._seen = seen
        self._read_rules = rules
        self._guard = threading.Lock()
        self._at: tuple[int, int] | None = None
        self._generation: int | None = None
        self._rules: Mapping[Cube, Confidentiality] = {}
        self._known: dict[Cube, tuple[bool, str]] = {}

    def rules(self, generation: int | None = None) -> Mapping[Cube, Confidentiality]:
        """The documents in force."""
        wanted = self._seen()[1] if generation is None else generation
        with self._guard:
            if self._generation == wanted:
                return self._rules
        found = self._read_rules()
        with self._guard:
            self._generation, self._rules = wanted, found
        return found

    def forget(self) -> None:
        """Something changed in this process."""
        with self._guard:
            self._at, self._generation = None, None
            self._known.clear()

    def of(self, layout: CubeLayout, flows: Mapping[str, int]) -> Mask:
        """The mask of a cube as it is now."""
        rules, at = self.rules().get(layout.cube), self._seen()
        with self._guard:
            if self._at != at:
                self._at = at
                self._known.clear()
            known = self._known.get(layout.cube)
        if known is None:
            known = self._look(layout, flows, rules)
            with self._guard:
                if self._at == at:
                    self._known[layout.cube] = known
        is_any, version = known
        return Mask(layout, flows, rules, is_any, version)

    def _look(self, layout: CubeLayout, flows: Mapping[str, int], rules: Confidentiality | None) -> tuple[bool, str]:
        found = self._noted(layout)
        if rules is None:
            return False, f"p{found[3]}" if found is not None and found[3] else ""
        digest = _digest(rules)
        if found is None or found[0] != digest:
            with self._engine.lock():  # nobody publishes meanwhile
                found = self._noted(layout)
                if found is None or found[0] != digest:
                    with self._engine.transaction() as session:
                        MaskedKeys(session, Mask(layout, flows, rules)).renew()
                    found = self._noted(layout)
        assert found is not None
        purges = f"p{found[3]}" if found[3] else ""
        return bool(found[1]), f"{digest}.{found[2]}{purges}" if found[1] else purges

    def _noted(self, layout: CubeLayout) -> tuple[str, int, int, int] | None:
        """Digest of the rules, whether anything is hidden, version, purges."""
        place = f"_cube = {literal(layout.number)}"
        rows = self._engine.read(f"SELECT _rules, _is_any, _version, _purges FROM masking WHERE {place}")
        return tuple(column[0].as_py() for column in rows.columns) if rows.num_rows else None
