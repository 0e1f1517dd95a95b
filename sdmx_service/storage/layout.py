"""Which tables and columns a cube has (docs/decisions/0010)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sdmx_service.errors import StorageFault
from sdmx_service.model.columns import Column, Kind, Role, columns
from sdmx_service.model.selection import Cube
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.quoting import identifier

OPEN = 2147483647
"""``_until`` of a row version that no release has ended."""

_LONGEST_NAME = 50
"""Bytes; PostgreSQL cuts names at 63, and the longest suffix is ``.decimals``."""

SERIES_COUNTS = ("_own", "_in_dataflow", "_in_structure")
"""Columns of a series version: observations that are shown at least 0, 1, 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredColumn:
    """A component in a cube: its name there, and what storage must know of it."""

    id: str
    name: str
    role: Role
    kind: Kind
    level: tuple[str, ...] | None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its database columns: three for a number, one otherwise."""
        if self.kind == "number":
            return (self.name, f"{self.name}.decimals", f"{self.name}.text")
        return (self.name,)

    @property
    def quoted(self) -> str:
        """Its (first) database column, quoted."""
        return identifier(self.name)

    @property
    def is_attached(self) -> bool:
        """An attribute of a series, group or data set."""
        return self.role == "attribute" and self.level is not None

    @property
    def types(self) -> Mapping[str, str]:
        """Its database columns and their types."""
        types = ("FLOAT8", "SMALLINT", "TEXT") if self.kind == "number" else ("TEXT",)
        return dict(zip(self.names, types, strict=True))


@dataclass(frozen=True)
class Versioned:
    """A table of row versions and how a publication sees it.

    Attributes:
        name: the table; work tables are called after it.
        identity: what makes two versions versions of one row.
        group: what rows of several dataflows and providers share when they give the same figure.
        carried: columns that the identity determines.
        values: columns that a version is for.
        types: of all these.
    """

    name: str
    identity: tuple[str, ...]
    group: tuple[str, ...]
    carried: tuple[str, ...]
    values: tuple[str, ...]
    types: Mapping[str, str]

    def work(self, kind: str) -> str:
        """The name of a work table."""
        return f"{self.name}_{kind}"

    def columns(self, *names: str) -> dict[str, str]:
        """Name -> type of identity, carried columns, values and the named columns of history."""
        more = {"_live": "SMALLINT", "_shown": "SMALLINT", "_change": "SMALLINT", "_row": "BIGINT",
                "_since": "INTEGER", "_until": "INTEGER"}  # fmt: skip
        return {name: self.types[name] for name in (*self.identity, *self.carried, *self.values)} | {
            name: more[name] for name in names
        }


@dataclass(frozen=True)
class CubeLayout:
    """The tables of a cube."""

    number: int
    cube: Cube
    columns: tuple[StoredColumn, ...]

    @cached_property
    def dimensions(self) -> tuple[StoredColumn, ...]:
        """The dimensions in key order, time left out."""
        return tuple(column for column in self.columns if column.role == "dimension")

    @cached_property
    def time(self) -> StoredColumn | None:
        """The time dimension, if there is one."""
        return next((column for column in self.columns if column.role == "time"), None)

    @cached_property
    def observed(self) -> tuple[StoredColumn, ...]:
        """Measures and attributes of the observation."""
        return tuple(
            column for column in self.columns if column.role in ("measure", "attribute") and column.level is None
        )

    @cached_property
    def attached(self) -> tuple[StoredColumn, ...]:
        """Attributes of series, groups and data set."""
        return tuple(column for column in self.columns if column.is_attached)

    @cached_property
    def by_id(self) -> Mapping[str, StoredColumn]:
        """The columns by component id."""
        return {column.id: column for column in self.columns}

    def is_whole_key(self, column: StoredColumn) -> bool:
        """The attribute belongs to the whole series key."""
        return column.level is not None and len(column.level) == len(self.dimensions)

    def table(self, kind: str) -> str:
        """The name of a table of the cube."""
        return f"c{self.number}_{kind}"

    @cached_property
    def key_types(self) -> dict[str, str]:
        """Database columns of the dimensions."""
        return {column.name: "TEXT" for column in self.dimensions}

    @cached_property
    def observations(self) -> Versioned:
        """The table of observations."""
        values = {name: kind for column in self.observed for name, kind in column.types.items()}
        return Versioned(
            name=self.table("observations"),
            identity=("_sid", "_dataflow", "_provider", "_period"),
            group=("_sid", "_period"),
            carried=(),
            values=tuple(values),
            types={"_sid": "BIGINT", "_dataflow": "INTEGER", "_provider": "INTEGER", "_period": "INTEGER", **values},
        )

    @cached_property
    def attachments(self) -> Versioned:
        """The table of attribute values of series, groups and data set."""
        return Versioned(
            name=self.table("attachments"),
            identity=("_sid", "_dataflow", "_provider", "_component"),
            group=("_sid", "_component"),
            carried=tuple(self.key_types),
            values=("_value",),
            types={"_sid": "BIGINT", "_dataflow": "INTEGER", "_provider": "INTEGER", "_component": "TEXT",
                   "_value": "TEXT", **self.key_types},
        )  # fmt: skip

    @cached_property
    def series_columns(self) -> dict[str, str]:
        """The table of series versions: name -> type."""
        return {
            "_sid": "BIGINT", "_dataflow": "INTEGER", "_provider": "INTEGER", **self.key_types,
            **dict.fromkeys(SERIES_COUNTS, "INTEGER"),
            "_since": "INTEGER", "_until": "INTEGER",
        }  # fmt: skip

    def statements(self) -> Iterable[str]:
        """What creates the tables, without keys and indexes."""
        yield _create(self.table("series"), self.series_columns)
        for versioned in (self.observations, self.attachments):
            yield _create(versioned.name, versioned.columns("_since", "_until", "_shown"))
        yield _create(
            self.table("periods"), {"_number": "INTEGER", "_period": "TEXT", "_start": "BIGINT", "_end": "BIGINT"}
        )

    def to_json(self) -> str:
        """The columns as the registry of cubes keeps them."""
        return json.dumps([[c.id, c.name, c.role, c.kind, c.level] for c in self.columns])

    @classmethod
    def from_json(cls, number: int, cube: Cube, text: str) -> CubeLayout:
        """The layout that the registry keeps."""
        return cls(number, cube, tuple(_stored(*entry) for entry in json.loads(text)))


def _stored(id: str, name: str, role: Any, kind: Any, level: Sequence[str] | None) -> StoredColumn:
    return StoredColumn(id=id, name=name, role=role, kind=kind, level=None if level is None else tuple(level))


def _create(table: str, types: Mapping[str, str]) -> str:
    return f"CREATE TABLE {identifier(table)} ({', '.join(f'{identifier(n)} {t}' for n, t in types.items())})"


def _name(id: str, taken: set[str]) -> str:
    """A database name for a component: its id, unless that is too long or taken in another spelling."""
    name, number = id, 1
    while len(name.encode()) > _LONGEST_NAME or name.casefold() in taken:
        number += 1
        name = f"{id.encode()[: _LONGEST_NAME - 6].decode(errors='ignore')}~{number}"
    taken.add(name.casefold())
    return name


def lay_out(number: int, structure: DataStructure) -> CubeLayout:
    """The layout of a new cube."""
    taken: set[str] = set()
    stored = [_stored(c.id, _name(c.id, taken), c.role, c.kind, c.level) for c in columns(structure)]
    return CubeLayout(number, Cube.of(structure), tuple(stored))


def widen(layout: CubeLayout, structure: DataStructure) -> CubeLayout:
    """The layout with what a further version of the structure brings.

    Raises:
        StorageFault: the version contradicts the cube (other dimensions, another level or kind), which only a new
            major version may.
    """
    wanted = columns(structure)
    if structure.dimension_ids != tuple(c.id for c in layout.dimensions) or (
        (structure.time_dimension is None) != (layout.time is None)
    ):
        raise StorageFault(
            f"{structure.agency}:{structure.id}({structure.version}) has other dimensions than what is stored"
            f" as {layout.cube.name}.",
            hint="Other dimensions need a new major version of the structure.",
        )
    for column in wanted:
        _check_same(layout, column)
    taken = {c.name.casefold() for c in layout.columns}
    fresh = [c for c in wanted if c.id not in layout.by_id]
    added = [_stored(c.id, _name(c.id, taken), c.role, c.kind, c.level) for c in fresh]
    return CubeLayout(layout.number, layout.cube, (*layout.columns, *added)) if added else layout


def _check_same(layout: CubeLayout, column: Column) -> None:
    known = layout.by_id.get(column.id)
    if known is None:
        return
    texts = ("code", "text")
    same_kind = known.kind == column.kind or (known.kind in texts and column.kind in texts)
    if known.role != column.role or known.level != column.level or not same_kind:
        raise StorageFault(
            f"{column.id} is stored in {layout.cube.name} as {known.role} ({known.kind}, level {known.level})"
            f" and cannot become {column.role} ({column.kind}, level {column.level}).",
            hint="A change of that kind needs a new major version of the structure.",
        )
