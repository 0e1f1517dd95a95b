"""The kinds of errors that statistical offices make, each as a function that puts one into a file.

A kind gets the file and a source of chance, and gives what it did, or None where it found no place for itself. Unless
told to damage *anywhere*, it looks for a place where the file itself contradicts the error: a sum, a key, a code, or a
series that never did such a thing. Errors that nothing in a file contradicts cannot be seen by anybody who has the
file alone.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.precision.cells import Cell, Source

_FEW_PARTS = 3
"""Parts of a sum up to which the rest of them gives one away that is not told."""
_DAMPING = 10
"""Added to figures before their logarithms are compared: small figures vary."""


@dataclass(slots=True, kw_only=True)
class Injected:
    """One error: what was done, where, and what contradicts it.

    Attributes:
        cells: the damaged cells.
        sums: cells that add them up.
        beside: cells of the same series beside a cell that is not there any more.
        evidence: ``format``, ``code``, ``key``, ``sum``, ``series``, ``table``, or ``none``.
        keys: the series touched, which later errors leave alone.
    """

    kind: str
    note: str
    cells: list[Cell]
    sums: list[Cell] = field(default_factory=list)
    beside: list[Cell] = field(default_factory=list)
    evidence: str = "none"
    period: str | None = None
    parts: list[Cell] = field(default_factory=list)
    """Cells that differ from a damaged one in one word: a finding there may name the damaged figure."""


@dataclass(slots=True, kw_only=True)
class Damage:
    """A file being damaged; what was touched once is left alone from then on."""

    source: Source
    chance: random.Random
    anywhere: bool = False
    touched: set[int] = field(default_factory=set)
    groups: set[tuple[str, ...]] = field(default_factory=set)

    # --- choosing ----------------------------------------------------------------------------------------------
    def cells(self, tries: int = 400) -> Iterable[Cell]:
        """Cells in random order that have a figure and were not touched."""
        every = self.source.cells
        for _ in range(tries):
            cell = self.chance.choice(every)
            if cell.value is not None and not self._is_near(cell):
                yield cell

    def _is_near(self, cell: Cell) -> bool:
        if id(cell) in self.touched or self.source.group_of(cell) in self.groups:
            return True
        return any(id(one) in self.touched for one in self.source.series[cell.key])

    def done(self, injected: Injected) -> Injected:
        """Note what was touched: the series, and the sums with their series at those periods."""
        source = self.source
        more = [whole for cell in (*injected.cells, *injected.sums) for name in source.totals
                for whole in source.wholes(cell, name)]  # fmt: skip
        injected.sums = list({id(one): one for one in (*injected.sums, *more)}.values())
        injected.parts = [one for cell in injected.cells[:20] if cell.key for one in source.cells_near(cell)]
        for cell in injected.cells:
            self.touched.update(id(one) for one in source.series[cell.key])
        self.touched.update(id(one) for cell in injected.sums for one in source.series[cell.key])
        self.touched.update(id(one) for one in injected.beside)
        return injected

    # --- what contradicts --------------------------------------------------------------------------------------
    def sums(self, cells: Iterable[Cell]) -> list[Cell]:
        """The sums of cells, and the sums of these."""
        found: dict[int, Cell] = {}
        waiting = list(cells)
        while waiting:
            for one in self.source.sums(self.source, waiting.pop()):
                if id(one) not in found:
                    found[id(one)] = one
                    waiting.append(one)
        return list(found.values())

    def is_seen(self, cell: Cell, new: float | None) -> str:
        """What in the file contradicts a new figure."""
        if self.sums([cell]) or self._is_whole(cell):
            return "sum"
        return "series" if new is not None and self._stands_out(cell, new) else "none"

    def _is_whole(self, cell: Cell) -> bool:
        """The cell adds others up."""
        return bool(self.source.parts(cell))

    def _stands_out(self, cell: Cell, new: float) -> bool:
        """A person who looks at the series sees it: four times off, and twelve times its usual change."""
        before, after = self.source.neighbours(cell)
        if before is None or after is None or before.value is None or after.value is None or not self.source.is_calm:
            return False
        figures = [one.value for one in self.source.series[cell.key] if one.value is not None]
        steps = sorted(abs(_log(b) - _log(a)) for a, b in pairwise(figures))
        line = (_log(before.value) + _log(after.value)) / 2
        off = abs(_log(new) - line)
        usual = steps[len(steps) // 2] if steps else 9.0
        return (
            len(figures) >= 6
            and max(new, before.value, after.value) >= 300
            and off >= math.log(4)
            and off >= 12 * max(usual, 0.02)
        )

    def may(self, evidence: str) -> bool:
        """Whether an error with that evidence may be put in."""
        return self.anywhere or evidence != "none"

    # --- doing -------------------------------------------------------------------------------------------------
    def write(self, cell: Cell, value: float | str) -> None:
        """Write a figure as the file writes figures."""
        text = value if isinstance(value, str) else _plain(value)
        old = self.source.grid.text(cell)
        if not isinstance(value, str) and "." in old and "." not in text:
            text += ".0"
        self.source.grid.write(cell, text)

    def changed(self, kind: str, cell: Cell, new: float | str, note: str = "") -> Injected:
        """Write another figure into a cell; how it is told."""
        old = self.source.grid.text(cell)
        evidence = "format" if isinstance(new, str) else self.is_seen(cell, new)
        self.write(cell, new)
        told = note or f"{old} became {new if isinstance(new, str) else _plain(new)}"
        is_lost = isinstance(new, str)  # a figure that cannot be read is not there
        return self.done(
            Injected(
                kind=kind,
                note=told,
                cells=[cell],
                sums=self.sums([cell]),
                beside=_siblings(self.source, cell) if is_lost else [],
                evidence=evidence,
                period=cell.period if is_lost else None,
            )
        )


def _log(value: float) -> float:
    return math.log(max(value, 0) + _DAMPING)


def _plain(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)


Kind = Callable[[Damage], Injected | None]
KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Kind], Kind]:
    """Register a kind under its name."""

    def register(function: Kind) -> Kind:
        KINDS[name] = function
        return function

    return register


# --- figures --------------------------------------------------------------------------------------------------------
def _figure(damage: Damage, name: str, least: float, new: Callable[[float], float | None]) -> Injected | None:
    for cell in damage.cells():
        value = cell.value or 0.0
        if abs(value) < least:
            continue
        changed = new(value)
        if changed is None or changed == value:
            continue
        if damage.may(damage.is_seen(cell, changed)):
            return damage.changed(name, cell, changed)
    return None


@kind("unit_slip")
def unit_slip(damage: Damage) -> Injected | None:
    """Persons among thousands: a thousand times as much."""
    return _figure(damage, "unit_slip", 10, lambda value: value * 1000)


@kind("thousands_for_persons")
def thousands_for_persons(damage: Damage) -> Injected | None:
    """Thousands among persons."""
    return _figure(damage, "thousands_for_persons", 1500, lambda value: float(round(value / 1000)))


@kind("decimal_point_moved")
def decimal_point_moved(damage: Damage) -> Injected | None:
    """Ten or a hundred times as much or as little."""
    factor = damage.chance.choice([10.0, 100.0, 0.1])
    return _figure(damage, "decimal_point_moved", 100, lambda value: round(value * factor, 1))


@kind("digits_swapped")
def digits_swapped(damage: Damage) -> Injected | None:
    """Two neighbouring digits in each other's place."""

    def swapped(value: float) -> float | None:
        text = _plain(abs(value))
        places = [n for n in range(len(text) - 1) if text[n] != text[n + 1] and text[n : n + 2].isdigit()]
        if not places:
            return None
        at = damage.chance.choice(places)
        moved = float(text[:at] + text[at + 1] + text[at] + text[at + 2 :])
        return -moved if value < 0 else moved

    return _figure(damage, "digits_swapped", 20, swapped)


@kind("sign_flipped")
def sign_flipped(damage: Damage) -> Injected | None:
    """A minus before a number of persons."""
    for cell in damage.cells():
        if (cell.value or 0) > 0 and "net" not in cell.names.values():
            injected = damage.changed("sign_flipped", cell, -(cell.value or 0))
            injected.evidence = "format"
            return injected
    return None


@kind("text_in_number")
def text_in_number(damage: Damage) -> Injected | None:
    """A letter among the digits, or a remark."""
    for cell in damage.cells():
        text = _plain(abs(cell.value or 0))
        at = damage.chance.randrange(len(text))
        wrong = damage.chance.choice([text[:at] + "O" + text[at + 1 :], text + "?", "ca. " + text, text + " persons"])
        return damage.changed("text_in_number", cell, wrong)
    return None


@kind("zero_for_missing")
def zero_for_missing(damage: Damage) -> Injected | None:
    """A zero where no figure was to be had."""
    return _figure(damage, "zero_for_missing", 50, lambda value: 0.0)


@kind("zero_for_mark")
def zero_for_mark(damage: Damage) -> Injected | None:
    """A zero where the source marks that there is no figure."""
    source = damage.source
    for _ in range(min(100, len(source.blanks))):
        cell = damage.chance.choice(source.blanks)
        if cell.key not in source.series or damage._is_near(cell) or source.index.get((cell.key, cell.period)):
            continue
        source.take_in(cell)
        evidence = "sum" if damage.sums([cell]) else "series" if damage._stands_out(cell, 0.0) else "none"
        if not damage.may(evidence):
            source.leave_out(cell)
            continue
        source.blanks.remove(cell)
        injected = damage.changed("zero_for_mark", cell, 0.0)
        injected.parts += [one for one in source.blanks if (one.sheet, one.line) == (cell.sheet, cell.line)]
        return injected
    return None


@kind("mark_for_zero")
def mark_for_zero(damage: Damage) -> Injected | None:
    """A mark of a missing figure, or nothing, where it is zero."""
    source = damage.source
    if source.grid.is_long and source.mark == "":
        return None  # its rows have a figure, or are not there
    for cell in damage.cells():
        sums = damage.sums([cell])
        evidence = "sum" if any(0 < len(source.parts(one)) <= _FEW_PARTS for one in sums) else "none"
        if cell.value != 0 or not damage.may(evidence):
            continue
        source.grid.write(cell, source.mark)
        note = f"{dict(cell.key)} in {cell.period}: 0 became {source.mark!r}"
        return damage.done(Injected(kind="mark_for_zero", note=note, cells=[cell], sums=sums,
                                    beside=_siblings(source, cell), evidence=evidence, period=cell.period))  # fmt: skip
    return None


@kind("total_not_updated")
def total_not_updated(damage: Damage) -> Injected | None:
    """A part is revised and its total is not."""
    for cell in damage.cells():
        value = cell.value or 0.0
        if abs(value) < 20 or not damage.sums([cell]):
            continue
        new = float(round(value * damage.chance.choice([0.85, 0.93, 1.04, 1.12]))) + 1
        if new != value:
            return damage.changed("total_not_updated", cell, new)
    return None


@kind("total_wrong")
def total_wrong(damage: Damage) -> Injected | None:
    """The total is the sum of the parts of another column, or was not recomputed."""
    for part in damage.cells():
        for cell in damage.source.sums(damage.source, part):
            if damage._is_near(cell) or not cell.value:
                continue
            new = float(round(cell.value * damage.chance.choice([0.97, 1.02, 1.1]))) + 1
            if new != cell.value:
                return damage.changed("total_wrong", cell, new)
    return None


# --- rows and series ------------------------------------------------------------------------------------------------
def _shared_period(source: Source, cell: Cell) -> list[Cell]:
    """The cells of its table at its period, in the order of the file."""
    return [one for one in source.table(cell) if one.period == cell.period and one.column == cell.column]


@kind("row_shifted")
def row_shifted(damage: Damage) -> Injected | None:
    """A block of figures one row too low."""
    source = damage.source
    for cell in damage.cells(60):
        block = _shared_period(source, cell)
        at = next(n for n, one in enumerate(block) if one is cell)
        block = block[at : at + damage.chance.choice([5, 7, 9])]
        if len(block) < 5 or any(damage._is_near(one) or one.value is None for one in block):
            continue
        figures = [one.value or 0.0 for one in block]
        new = [figures[0], *figures[:-1]]
        seen = [damage.is_seen(one, value) for one, value in zip(block, new, strict=True) if value != one.value]
        evidence = "sum" if "sum" in seen else "series" if "series" in seen else "none"
        if not seen or not damage.may(evidence):
            continue
        sums = damage.sums(block)
        for one, value in zip(block, new, strict=True):
            damage.write(one, value)
        note = f"{len(block)} figures from {source.grid.place(block[0])} on stand one row too low"
        return damage.done(Injected(kind="row_shifted", note=note, cells=block, sums=sums, evidence=evidence))
    return None


@kind("year_offset")
def year_offset(damage: Damage) -> Injected | None:
    """A series one period late."""
    source = damage.source
    for cell in damage.cells(100):
        series = [one for one in source.series[cell.key] if one.value is not None]
        if len(series) < 6 or len({one.value for one in series}) < 5:
            continue
        evidence = "sum" if damage.sums([cell]) or damage._is_whole(cell) else "none"
        if not damage.may(evidence):
            continue
        figures = [one.value or 0.0 for one in series]
        sums = damage.sums(series)
        for one, value in zip(series[1:], figures, strict=False):
            damage.write(one, value)
        note = f"the series {dict(cell.key)} is one period late"
        return damage.done(Injected(kind="year_offset", note=note, cells=series, sums=sums, evidence=evidence))
    return None


@kind("year_copied")
def year_copied(damage: Damage) -> Injected | None:
    """A table's figures of a year are those of the year before."""
    source = damage.source
    if not source.is_calm and not damage.anywhere:
        return None  # its figures are carried forward by habit
    for cell in damage.cells(60):
        block = [one for one in source.table(cell) if one.period == cell.period]
        pairs = [(one, before) for one in block if (before := source.neighbours(one)[0]) is not None]
        pairs = [(one, before) for one, before in pairs if one.value is not None and before.value is not None]
        living = [one for one, before in pairs if max(one.value or 0, before.value or 0) > 0]
        moving = sum(one.value != before.value for one, before in pairs)
        if len(living) < 12 or moving < 0.7 * len(living) or any(damage._is_near(one) for one in block):
            continue
        for one, before in pairs:
            damage.write(one, before.value or 0.0)
        damage.groups.add(source.group_of(cell))
        note = f"{len(pairs)} figures of {source.group_of(cell)} in {cell.period} are those of the period before"
        cells = [one for one, _ in pairs]
        sums = damage.sums(cells)
        return damage.done(Injected(kind="year_copied", note=note, cells=cells, sums=sums, evidence="table"))
    return None


@kind("break_unmarked")
def break_unmarked(damage: Damage) -> Injected | None:
    """From some year on a table follows another definition: all is two and a half to four times as much."""
    source = damage.source
    if not source.is_calm and not damage.anywhere:
        return None
    for cell in damage.cells(60):
        group = source.group_of(cell)
        periods = sorted({one.period for one in source.series[cell.key]})
        table = source.table(cell)
        if len(periods) < 6 or any(damage._is_near(one) for one in table):
            continue
        start = periods[damage.chance.randrange(2, len(periods) - 2)]
        later = [one for one in table if one.period >= start and one.value is not None]
        first = [one for one in later if one.period == start and (one.value or 0) >= 50]
        factor = damage.chance.choice([2.5, 3.0, 4.0])
        if len(first) < 8 or math.log(factor) < 8 * _usual_step(table):
            continue
        for one in later:
            damage.write(one, float(round((one.value or 0) * factor)))
        damage.groups.add(group)
        note = f"{group}: from {start} on {factor} times as much, no break marked"
        cells = [one for one in later if one.period == start]
        sums = damage.sums(later)
        return damage.done(
            Injected(kind="break_unmarked", note=note, cells=cells, sums=sums, beside=later, evidence="table")
        )
    return None


def _usual_step(table: Sequence[Cell]) -> float:
    """What a table usually does from one period to the next: the median over periods of the median step."""
    by_key: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for cell in table:
        if cell.value is not None and cell.value >= 50:
            by_key.setdefault(cell.key, {})[cell.period] = cell.value
    periods = sorted({cell.period for cell in table})
    steps = []
    for before, after in pairwise(periods):
        both = [_log(one[after]) - _log(one[before]) for one in by_key.values() if before in one and after in one]
        if both:
            steps.append(abs(sorted(both)[len(both) // 2]))
    return max(0.02, sorted(steps)[len(steps) // 2]) if len(steps) > 3 else 9.0


@kind("sexes_swapped")
def sexes_swapped(damage: Damage) -> Injected | None:
    """Men and women in each other's place."""
    source = damage.source
    pair = {"male": "female", "M": "F", "german": "foreign"}
    for cell in damage.cells():
        names = cell.names
        word = next((name for name in ("sex", "whose") if names.get(name) in pair), None)
        other = None if word is None else source.other(cell, **{word: pair[names[word]]})
        if other is None or other.value is None or cell.value is None or damage._is_near(other):
            continue
        ratio = abs(_log(cell.value) - _log(other.value))
        sums = [one for one in damage.sums([cell, other]) if one.names.get("flow") == "net" or "CITIZENSHIP" in names]
        evidence = "sum" if sums else "series" if _keeps_ratio(source, cell, other, ratio) else "none"
        if cell.value == other.value or not damage.may(evidence):
            continue
        old = cell.value, other.value
        damage.write(cell, old[1])
        damage.write(other, old[0])
        note = f"{_plain(old[0])} and {_plain(old[1])} are swapped"
        return damage.done(Injected(kind="sexes_swapped", note=note, cells=[cell, other], sums=sums, evidence=evidence))
    return None


def _keeps_ratio(source: Source, cell: Cell, other: Cell, ratio: float) -> bool:
    """The ratio of the two is steady and clearly not one: a person sees the swap."""
    pairs = list(zip(source.series[cell.key], source.series[other.key], strict=False))
    ratios = [_log(a.value or 0) - _log(b.value or 0) for a, b in pairs]
    steps = sorted(abs(b - a) for a, b in pairwise(ratios))
    usual = steps[len(steps) // 2] if steps else 9.0
    own = _log(cell.value or 0) - _log(other.value or 0)
    before, after = source.neighbours(cell)
    if before is None or after is None or max(cell.value or 0, other.value or 0) < 300:
        return False
    near = [_log(a.value or 0) - _log(b.value or 0) for a, b in pairs if a in (before, after)]
    is_steady = bool(near) and max(abs(one - own) for one in near) < ratio / 6
    return ratio > math.log(1.6) and usual < ratio / 6 and is_steady


# --- rows that come and go ------------------------------------------------------------------------------------------
def _siblings(source: Source, cell: Cell) -> list[Cell]:
    return [one for one in source.neighbours(cell) if one is not None]


@kind("part_dropped")
def part_dropped(damage: Damage) -> Injected | None:
    """A row, or a cell, that is not there any more."""
    source = damage.source
    for cell in damage.cells():
        before, after = source.neighbours(cell)
        sums = damage.sums([cell])
        evidence = "table" if before and after and (cell.value or 0) >= 100 and source.is_full() else "none"
        if not damage.may(evidence):
            continue
        beside = _siblings(source, cell)
        note = f"{dict(cell.key)} in {cell.period} ({source.grid.text(cell)}) is not there"
        if source.grid.is_long:
            source.grid.drop(cell)
        else:
            source.grid.write(cell, "")
        return damage.done(Injected(kind="part_dropped", note=note, cells=[] if source.grid.is_long else [cell],
                                    sums=sums, beside=beside, evidence=evidence, period=cell.period))  # fmt: skip
    return None


@kind("duplicate_key")
def duplicate_key(damage: Damage) -> Injected | None:
    """A row that stands twice, with two figures."""
    source = damage.source
    if not source.grid.is_long:
        return None
    for cell in damage.cells():
        line = source.grid.repeat(cell)
        copy = Cell(key=cell.key, period=cell.period, value=cell.value, line=line, column=cell.column)
        damage.write(copy, (cell.value or 0) + damage.chance.choice([1, 10, 100]))
        note = f"{dict(cell.key)} in {cell.period} stands twice"
        return damage.done(Injected(kind="duplicate_key", note=note, cells=[cell, copy], sums=damage.sums([cell]),
                                    evidence="key"))  # fmt: skip
    return None


def _recoded(
    damage: Damage, name: str, column: str, text: Callable[[Cell], str | None], evidence: str
) -> Injected | None:
    """Give a row another word in a column: its old figure is missing then, and the new one may be there twice."""
    source = damage.source
    if column not in source.columns or not source.grid.is_long:
        return None
    for cell in damage.cells():
        new = text(cell)
        place = source.columns[column]
        if new is None or new == cell.line[place]:
            continue
        changed = {"period": new} if column == "period" else {}
        key = tuple((id, new if id == column else word) for id, word in cell.key)
        twin = source.index.get((key, changed.get("period", cell.period)))
        seen = evidence if evidence != "key" else "key" if twin is not None else _lost(damage, cell)
        if not damage.may(seen):
            continue
        note = f"{column} {cell.line[place]!r} became {new!r}"
        joined = source.series.get(key, [])
        beside = [*_siblings(source, cell), *joined]
        sums = damage.sums([cell, *([twin] if twin is not None else [])]) + source.wholes(cell, column)
        cell.line[place] = new
        return damage.done(Injected(kind=name, note=note, cells=[cell], sums=sums, beside=beside, evidence=seen))
    return None


def _lost(damage: Damage, cell: Cell) -> str:
    """What shows that a row went elsewhere: the hole it leaves in a table without holes."""
    before, after = damage.source.neighbours(cell)
    return "table" if before and after and (cell.value or 0) >= 100 and damage.source.is_full() else "none"


def _wrong(damage: Damage, name: str) -> Callable[[Cell], str | None]:
    words = damage.source.wrong.get(name, ())
    return lambda cell: damage.chance.choice(words) if words else None


@kind("unknown_code")
def unknown_code(damage: Damage) -> Injected | None:
    """A code that no list has."""
    columns = [name for name in damage.source.wrong if name in damage.source.columns]
    if not columns:
        return None
    column = damage.chance.choice(sorted(columns))
    return _recoded(damage, "unknown_code", column, _wrong(damage, column), "code")


@kind("wrong_area_name")
def wrong_area_name(damage: Damage) -> Injected | None:
    """A label with a typing error: the whole row is of an area that does not exist."""
    source = damage.source
    name = "label" if "label" in source.columns else "partner"
    if source.grid.is_long or name not in source.columns or name not in source.wrong:
        return None
    for cell in damage.cells(100):
        row = [
            one for one in source.cells if one.line is cell.line or (one.line == cell.line and one.sheet == cell.sheet)
        ]
        if any(damage._is_near(one) for one in row):
            continue
        head = Cell(key=(), period="", value=None, line=cell.line, column=source.columns[name], sheet=cell.sheet)
        old, new = source.grid.text(head), damage.chance.choice(source.wrong[name])
        sums = damage.sums(row)
        source.grid.write(head, new)
        note = f"{old!r} became {new!r}"
        cells = [*row, head]
        injected = Injected(kind="wrong_area_name", note=note, cells=row, sums=sums, evidence="code")
        damage.done(injected)
        injected.cells = cells
        return injected
    return None


@kind("aggregate_among_countries")
def aggregate_among_countries(damage: Damage) -> Injected | None:
    """A group of countries where a country should stand."""
    return _recoded(damage, "aggregate_among_countries", "partner", _wrong(damage, "aggregate"), "key")


@kind("age_overlap")
def age_overlap(damage: Damage) -> Injected | None:
    """An age that overlaps those beside it."""
    return _recoded(damage, "age_overlap", "age", _wrong(damage, "overlap"), "code")


@kind("self_pair")
def self_pair(damage: Damage) -> Injected | None:
    """An area as its own origin."""
    if "partner" not in damage.source.columns:
        return None
    return _recoded(damage, "self_pair", "partner", lambda cell: cell.names.get("area"), "code")


@kind("direction_swapped")
def direction_swapped(damage: Damage) -> Injected | None:
    """Origin and destination in each other's place."""
    source = damage.source
    if not {"area", "partner"} <= set(source.columns) or not source.grid.is_long:
        return None
    for cell in damage.cells():
        names = cell.names
        twin = source.other(cell, area=names["partner"], partner=names["area"])
        if names["area"] == names["partner"] or (twin is not None and damage._is_near(twin)):
            continue
        evidence = "key" if twin is not None else _lost(damage, cell)
        if not damage.may(evidence):
            continue
        beside = [*_siblings(source, cell), *([] if twin is None else source.series[twin.key])]
        cell.line[source.columns["area"]], cell.line[source.columns["partner"]] = names["partner"], names["area"]
        note = f"{names['partner']} to {names['area']} became {names['area']} to {names['partner']}"
        return damage.done(
            Injected(kind="direction_swapped", note=note, cells=[cell], beside=beside, evidence=evidence)
        )
    return None


@kind("wrong_area")
def wrong_area(damage: Damage) -> Injected | None:
    """The code of another area."""
    every = sorted({cell.names["partner"] for cell in damage.source.cells[:20000] if "partner" in cell.names})
    if not every:
        return None
    return _recoded(damage, "wrong_area", "partner", lambda cell: damage.chance.choice(every), "key")


@kind("wrong_period")
def wrong_period(damage: Damage) -> Injected | None:
    """A row with the year beside its own, or with two digits swapped."""

    def wrong(cell: Cell) -> str | None:
        year = cell.period
        if not (year.isdigit() and len(year) == 4):
            return None
        periods = [one.period for one in damage.source.series[cell.key]]
        return damage.chance.choice([damage.chance.choice(periods), year[:2] + year[3] + year[2]])

    return _recoded(damage, "wrong_period", "period", wrong, "key")


@kind("period_unreadable")
def period_unreadable(damage: Damage) -> Injected | None:
    """A year that is none."""
    return _recoded(
        damage, "period_unreadable", "period", lambda cell: cell.period.replace("1", "l").replace("2", "Z", 1), "code"
    )
