"""What an SDMX-JSON data message says beside its data: which component stands where, and what positions mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.errors import SyntaxFault, UnreadableFile
from sdmx_service.model.urn import Ref

Value: TypeAlias = str | list[Any] | dict[str, str]
"""Of a plain, a multi-valued, a multilingual component."""
_Array: TypeAlias = "pa.Array[Any]"
_CLASSES: Final = ("ProvisionAgreement", "Dataflow", "DataStructure")
"""What a link may name as the structure of data, the most telling first."""
PLACE_1_0: Final = "/data/structure"


def as_object(value: object, place: str) -> dict[str, Any]:
    """The value, which must be an object; null is an empty one.

    Raises:
        UnreadableFile: it is none.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableFile(f"{place}: {str(value)[:80]!r} is not an object.")
    return value


def as_array(value: object, place: str) -> list[Any]:
    """The value, which must be an array; null is an empty one.

    Raises:
        UnreadableFile: it is none.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableFile(f"{place}: {str(value)[:80]!r} is not an array.")
    return value


def plain_value(value: object) -> Value | None:
    """A JSON value as the text, list or texts by language of a component."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return [plain_value(one) for one in value if one is not None]
    if isinstance(value, dict):
        return {tag: text for tag, text in value.items() if isinstance(text, str)}
    return str(value)


def _listed_value(value: object, place: str) -> Value | None:
    """An entry of a ``values`` array: by its id, else its value or values."""
    if not isinstance(value, dict):
        return plain_value(value)
    if (period := _full_period(value)) is not None:
        return period
    for name in ("id", "value", "values", "name"):
        if value.get(name) is not None:
            return plain_value(value[name])
    if value:
        raise UnreadableFile(f"{place}: the value has neither id nor value.")
    return None


def _full_period(value: Mapping[str, Any]) -> str | None:
    """The period whose ``id`` had to be written without its signs, as 1.0 allows none of ``:/+.`` there."""
    return _full_text(value) if "start" in value else None


def _full_text(value: object) -> str | None:
    """The text whose ``id`` had to be written without its signs; it is the name."""
    if not isinstance(value, dict):
        return None
    identity, name = value.get("id"), value.get("name")
    if not isinstance(identity, str) or not isinstance(name, str) or "_" not in identity:
        return None
    return name if re.sub(r"[^A-Za-z0-9_@$-]", "_", name) == identity else None


@dataclass(frozen=True, slots=True)
class Listed:
    """A component of the message: its id and, where the message lists them, the values that positions mean."""

    id: str
    place: str
    values: list[Value | None] | None
    texts: tuple[str | None, ...] = ()
    """Names of which the ``id`` is a spelling with fewer signs; ``uncoded`` takes them for the values."""

    @classmethod
    def of(cls, node: object, place: str) -> Listed:
        """What a component object says.

        Raises:
            UnreadableFile: it has no id, or a value that is none.
        """
        said = as_object(node, place)
        if not isinstance(said.get("id"), str):
            raise UnreadableFile(f"{place}: the component has no id.")
        values = said.get("values")
        # *Choice:* an empty list of values is no list, as tools write it for uncoded components.
        if not values:
            return cls(said["id"], place, None)
        each = as_array(values, f"{place}/values")
        found = [_listed_value(one, f"{place}/values/{n}") for n, one in enumerate(each)]
        texts = tuple(map(_full_text, each))
        return cls(said["id"], place, found, texts if any(texts) else ())

    def uncoded(self) -> Listed:
        """The same for a component without codes, whose values are texts: 1.0 lists those of dimensions like codes."""
        if not self.texts or self.values is None:
            return self
        return replace(self, values=[text or one for text, one in zip(self.texts, self.values, strict=True)], texts=())

    def at(self, positions: _Array) -> _Array:
        """The values at positions, as text; null where there is no position.

        Raises:
            UnreadableFile: a position outside the list, or no list.
        """
        values = self.values or []
        self._check(positions)
        table: _Array = pa.array([one if isinstance(one, str) else None for one in values], pa.string())
        return table.take(positions)

    def _check(self, positions: _Array) -> None:
        bounds = pc.min_max(positions).as_py()
        if bounds["max"] is not None and not 0 <= bounds["min"] <= bounds["max"] < len(self.values or []):
            worst = bounds["min"] if bounds["min"] < 0 else bounds["max"]
            raise UnreadableFile(
                f"{self.place}: the data point to value {worst} of {self.id}, and there are {len(self.values or [])}.",
                hint="Positions count from 0.",
            )

    def column(self, cells: Sequence[Any]) -> Sequence[Value | None] | _Array:
        """What the cells of the data say: positions in the list where there is one, else the values themselves."""
        if self.values is None:
            return [one if one is None or type(one) is str else plain_value(one) for one in cells]
        if all(one is None or isinstance(one, str) for one in self.values):
            try:
                return self.at(pa.array(cells, pa.int64()))
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                pass  # Values stand among the positions.
        return [self._cell(one) for one in cells]

    def _cell(self, cell: Any) -> Value | None:
        if type(cell) is not int:
            return plain_value(cell)
        self._check(pa.array([cell], pa.int64()))
        return self.values[cell] if self.values is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which component stands where in the data sets that one ``structure`` object describes."""

    place: str
    links: tuple[Ref, ...]
    fixed: tuple[Listed, ...]
    """Dimensions with one value for the whole data set."""
    series: tuple[Listed, ...]
    observation: tuple[Listed, ...]
    measures: tuple[str, ...] | None
    measure_lists: tuple[Listed, ...]
    dataset_attributes: tuple[Listed, ...]
    group_attributes: tuple[Listed, ...]
    series_attributes: tuple[Listed, ...]
    observation_attributes: tuple[Listed, ...]

    @classmethod
    def of(cls, node: object, place: str) -> Layout:
        """What a ``structure`` object says.

        Raises:
            UnreadableFile: it is not as the schema says.
        """
        said = as_object(node, place)

        def listed(group: str, *levels: str) -> tuple[Listed, ...]:
            holder = as_object(said.get(group), f"{place}/{group}")
            level = next((one for one in levels if one in holder), levels[0])
            where = f"{place}/{group}/{level}"
            return tuple(Listed.of(one, f"{where}/{n}") for n, one in enumerate(as_array(holder.get(level), where)))

        return cls(
            place=place,
            links=links_of(said, place),
            fixed=listed("dimensions", "dataSet", "dataset"),
            series=listed("dimensions", "series"),
            observation=listed("dimensions", "observation"),
            measures=None if said.get("measures") is None else (),
            measure_lists=listed("measures", "observation"),
            dataset_attributes=listed("attributes", "dataSet", "dataset"),
            group_attributes=listed("attributes", "dimensionGroup"),
            series_attributes=listed("attributes", "series"),
            observation_attributes=listed("attributes", "observation"),
        )

    @property
    def is_1_0(self) -> bool:
        """The message has one structure for all data sets, and the measure no place in it."""
        return self.place == PLACE_1_0

    def with_uncoded(self, ids: Collection[str]) -> Layout:
        """The same where these dimensions have no codes."""

        def of(listed: tuple[Listed, ...]) -> tuple[Listed, ...]:
            return tuple(one.uncoded() if one.id in ids else one for one in listed)

        return replace(self, fixed=of(self.fixed), series=of(self.series), observation=of(self.observation))

    @property
    def dimensions(self) -> tuple[Listed, ...]:
        """All dimensions as keys of ``dimensionGroupAttributes`` have them: by level, not by ``keyPosition``.

        The official samples do so (sdmx-json 2.0.0, ``agri.json`` and ``constructed-sample-full.json``).
        """
        return (*self.fixed, *self.series, *self.observation)

    @property
    def ids(self) -> dict[str, Listed]:
        """Every component that the message names, by id."""
        groups = (self.fixed, self.series, self.observation, self.measure_lists, self.dataset_attributes)
        more = (self.group_attributes, self.series_attributes, self.observation_attributes)
        return {one.id: one for group in (*groups, *more) for one in group}


def links_of(node: dict[str, Any], place: str) -> tuple[Ref, ...]:
    """The references to what describes data among the links of an object, the most telling first.

    Raises:
        UnreadableFile: the links are no array.
    """
    found = []
    for link in as_array(node.get("links"), f"{place}/links"):
        urn = link.get("urn") if isinstance(link, dict) else None
        try:
            ref = Ref.parse(urn) if isinstance(urn, str) else None
        except SyntaxFault:
            ref = None
        if ref is not None and ref.type in _CLASSES:
            found.append(ref)
    return tuple(sorted(found, key=lambda ref: _CLASSES.index(ref.type)))
