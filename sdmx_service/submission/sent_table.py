"""Rows of one structure in the workspace: what is the same in all of them is told once, not kept in each.

Most columns of a file say one thing throughout (a total, a unit, the provider). A table holds the columns that vary; a
view shows it with every column, those that do not vary as constants, which queries then neither read nor compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.model.columns import COLUMN, ROW, SHEET, columns
from sdmx_service.model.message import Action
from sdmx_service.model.structure import DataStructure, Measure
from sdmx_service.storage.port import StagedPart
from sdmx_service.storage.quoting import both, literal

MARKS: Final[Mapping[str, str]] = {
    "_part": "INTEGER", "_state": "INTEGER", "_dataflow": "VARCHAR", "_provider": "VARCHAR", "_action": "VARCHAR",
    "_file": "VARCHAR", "_row": "BIGINT", "_column": "VARCHAR", "_sheet": "VARCHAR", "_whole": "BOOLEAN",
    "_ends": "BOOLEAN",
}  # fmt: skip
"""Columns beside the components, and their types."""
_ALWAYS: Final = "_row"
_INCOMING: Final = "incoming"

Constant = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Given:
    """A column of rows that come: an expression over the incoming columns, or a value that all rows have."""

    expression: str | None = None
    constant: Constant = None


@dataclass(slots=True, kw_only=True)
class SentTable:
    """The table and the view of one structure.

    Attributes:
        view: what queries read; ``rowid`` numbers its rows.
        run: runs a statement; ``insert``: runs one that reads rows as ``incoming``, whose columns are called as given.
    """

    view: str
    structure: DataStructure
    run: Callable[[str], None]
    insert: Callable[[str, pa.Table], None]
    _types: dict[str, str] = field(init=False)
    _constants: dict[str, Constant] = field(default_factory=dict)
    """The columns that do not vary so far."""
    _is_empty: bool = True

    def __post_init__(self) -> None:
        own = columns(self.structure)
        self._types = {
            **MARKS,
            **{f"c{number}": "DOUBLE" if one.kind == "number" else "VARCHAR" for number, one in enumerate(own)},
        }
        self.run(f"CREATE TABLE {self._data} ({_ALWAYS} {self._types[_ALWAYS]})")
        self._constants = {name: None for name in self._types if name != _ALWAYS}
        self._show()

    @property
    def _data(self) -> str:
        return f"{self.view}_data"

    def add(self, part: StagedPart, batch: pa.RecordBatch, *, number: int, state: int, file: str | None) -> None:
        """Add rows as typed, with their origin columns where there are any.

        Args:
            number: of the part; later ones count more.
            state: of the history that the part tells.
        """
        if not len(batch):
            return
        present = {name: f"i{place}" for place, name in enumerate(batch.schema.names)}
        given = {
            "_part": Given(None, number),
            "_state": Given(None, state),
            "_dataflow": Given(None, part.dataflow),
            "_provider": Given(None, part.provider),
            "_action": Given(None, part.action.value),
            "_file": Given(None, file),
            "_row": _given(batch, ROW, present, "{}"),
            "_column": _given(batch, COLUMN, present, "{}"),
            "_sheet": _given(batch, SHEET, present, "{}"),
            "_whole": _whole(batch, self.structure, present),
            "_ends": _ends(part, present),
        }
        for place, column in enumerate(columns(self.structure)):
            form = "CAST({} AS VARCHAR)" if column.kind in ("multi", "multilingual") else "{}"
            given[f"c{place}"] = _given(batch, column.id, present, form)
        self._let_vary(given)
        stored = {name: one for name, one in given.items() if name not in self._constants}
        listed = ", ".join(_sql(one, self._types[name]) for name, one in stored.items())
        rows = pa.Table.from_batches([batch]).rename_columns([f"i{place}" for place in range(batch.num_columns)])
        self.insert(f"INSERT INTO {self._data} ({', '.join(stored)}) SELECT {listed} FROM {_INCOMING}", rows)

    def _let_vary(self, given: Mapping[str, Given]) -> None:
        """Give the table the columns that vary from now on; what was there has had the constant."""
        is_changed = False
        for name, known in list(self._constants.items()):
            one = given[name]
            if one.expression is None and (self._is_empty or _is_same(one.constant, known)):
                is_changed = is_changed or not _is_same(one.constant, known)
                self._constants[name] = one.constant
                continue
            said = "" if self._is_empty or known is None else f" DEFAULT {_literal(known)}"
            self.run(f"ALTER TABLE {self._data} ADD COLUMN {name} {self._types[name]}{said}")
            del self._constants[name]
            is_changed = True
        self._is_empty = False
        if is_changed:
            self._show()

    def _show(self) -> None:
        """Make the view anew."""
        listed = ", ".join(
            f"CAST({_literal(self._constants[name])} AS {kind}) AS {name}" if name in self._constants else name
            for name, kind in self._types.items()
        )
        self.run(f"CREATE OR REPLACE VIEW {self.view} AS SELECT rowid AS rowid, {listed} FROM {self._data}")


def _is_same(one: Constant, other: Constant) -> bool:
    return type(one) is type(other) and one == other


def _literal(value: Constant) -> str:
    return str(value).upper() if isinstance(value, bool) else literal(value)


def _sql(given: Given, kind: str) -> str:
    return given.expression if given.expression is not None else f"CAST({_literal(given.constant)} AS {kind})"


def _given(batch: pa.RecordBatch, name: str, present: Mapping[str, str], form: str) -> Given:
    """A column of the batch; a constant where all rows say the same code, or nothing."""
    if name not in present:
        return Given()
    array: Any = batch.column(name)
    if array.null_count == len(array):
        return Given()
    expression = form.format(present[name])
    if array.null_count:
        return Given(expression)
    if pa.types.is_dictionary(array.type):
        first = array.indices[0]
        is_constant = len(array.dictionary) == 1 or pc.all(pc.equal(array.indices, first)).as_py()
        value = array.dictionary[first.as_py()].as_py() if is_constant else None
    elif name in (COLUMN, SHEET):
        value = array[0].as_py() if pc.all(pc.equal(array, array[0])).as_py() else None
    else:
        value = None
    return Given(expression) if value is None or "\x00" in value else Given(None, value)


def _whole(batch: pa.RecordBatch, structure: DataStructure, present: Mapping[str, str]) -> Given:
    """Whether a row has every dimension."""
    lacking = [id for id in structure.key_ids if id not in present or batch.column(id).null_count]
    if not lacking:
        return Given(None, True)
    if any(id not in present or batch.column(id).null_count == len(batch) for id in lacking):
        return Given(None, False)
    return Given(_all_given(present[id] for id in lacking))


def _all_given(names: Iterable[str]) -> str:
    return both(f"{name} IS NOT NULL" for name in names)


def _ends(part: StagedPart, present: Mapping[str, str]) -> Given:
    """Whether a deletion ends observations: it names nothing but a key, or it names a measure.

    SDMX 3.1 technical notes, *Action*: a deletion without measures and attributes deletes everything at its key.
    """
    if part.action is not Action.DELETE:
        return Given(None, False)
    structure = part.structure
    carried = [one for one in structure.components if one.id not in structure.key_ids and one.id in present]
    measures = [f"{present[one.id]} IS NOT NULL" for one in carried if isinstance(one, Measure)]
    nothing = both(f"{present[one.id]} IS NULL" for one in carried)
    return Given(" OR ".join([f"({nothing})", *measures]))
