"""Where components stand in a message of one view; the same rules as for data (``formats.arrangement``).

The writers of data decide by the data at hand; a schema has to allow every place that a component may have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sdmx_service.formats.arrangement import group_of
from sdmx_service.model.columns import Column, columns
from sdmx_service.model.schema import DataSchema
from sdmx_service.model.structure import Attribute, Group, Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The columns of a structure by the place they may have.

    Attributes:
        series_dimensions: in key order; none in the flat view.
        observation_dimensions: the others.
        dataset_attributes: attributes of the data set.
        grouped: attributes of each declared group.
        series_attributes: attributes that a series shows, those of groups left out.
        observation_attributes: those that an observation shows, likewise.
    """

    every: tuple[Column, ...]
    series_dimensions: tuple[Column, ...]
    observation_dimensions: tuple[Column, ...]
    measures: tuple[Column, ...]
    dataset_attributes: tuple[Column, ...]
    grouped: tuple[tuple[Group, tuple[Column, ...]], ...]
    series_attributes: tuple[Column, ...]
    observation_attributes: tuple[Column, ...]

    @classmethod
    def of(cls, schema: DataSchema) -> Placement:
        """The placement of a schema's structure in its view."""
        every = columns(schema.structure)
        keys = [one for one in every if one.role in ("dimension", "time")]
        series_ids = set(schema.series_ids)
        attributes = [one for one in every if one.role == "attribute"]
        of_group = {one.id: group_of(schema.structure, one) for one in attributes}
        rest = [one for one in attributes if one.level != () and of_group[one.id] is None]
        of_series = [one for one in rest if series_ids and one.level and set(one.level) <= series_ids]
        return cls(
            every=every,
            series_dimensions=tuple(one for one in keys if one.id in series_ids),
            observation_dimensions=tuple(one for one in keys if one.id not in series_ids),
            measures=tuple(one for one in every if one.role == "measure"),
            dataset_attributes=tuple(one for one in attributes if one.level == ()),
            grouped=tuple(
                (group, tuple(one for one in attributes if of_group[one.id] is group))
                for group in schema.structure.groups
            ),
            series_attributes=tuple(of_series),
            observation_attributes=tuple(one for one in rest if one not in of_series),
        )

    @property
    def dimensions(self) -> tuple[Column, ...]:
        """All dimensions in key order."""
        return tuple(one for one in self.every if one.role in ("dimension", "time"))

    @property
    def group_attributes(self) -> tuple[Column, ...]:
        """The attributes of all declared groups, each once."""
        found = [one for _, attributes in self.grouped for one in attributes]
        return tuple(one for one in self.every if one in found)


def is_mandatory(column: Column) -> bool:
    """Whether a value must be there: of a dimension, or of a measure or attribute that says so."""
    component = column.component
    if isinstance(component, Measure | Attribute):
        return component.usage == "mandatory"
    return True


def several(columns: Sequence[Column]) -> list[Column]:
    """Those with several values or languages."""
    return [one for one in columns if one.kind in ("multi", "multilingual")]
