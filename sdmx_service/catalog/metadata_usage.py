"""Reference metadata reported with data (SDMX 3.0 *MetadataAttributeUsage*): attributes of a resolved structure.

*Standard*: a data structure names a metadata structure and those of its attributes that may come with data, each with
what it belongs to. *Choices*: what nests in such an attribute comes along under its dotted path, at the same level;
headings that hold no value do not; an id that the data structure has already stays the data structure's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from sdmx_service.model.representation import Representation
from sdmx_service.model.structure import Attribute, DataStructure, MetadataAttribute, MetadataStructure
from sdmx_service.model.urn import Ref

CoreRepresentation = Callable[[Ref], Representation | None]


def metadata_attributes(
    structure: DataStructure, metadata: MetadataStructure, core: CoreRepresentation
) -> tuple[Attribute, ...]:
    """The attributes that a structure takes from its metadata structure, in the order of its usages.

    Args:
        core: a concept's own representation.
    """
    known = {component.id for component in structure.components}
    found: dict[str, Attribute] = {}
    for usage in structure.metadata_usages:
        *path, last = usage.metadata_attribute.split(".")
        for id, one in _below(_level(metadata.attributes, path), ".".join(path)):
            is_meant = id == usage.metadata_attribute or id.startswith(f"{usage.metadata_attribute}.")
            if last and is_meant and id not in known and not one.is_presentational:
                form = one.representation or core(one.concept)
                found[id] = Attribute(
                    id=id,
                    concept=one.concept,
                    annotations=one.annotations,
                    representation=_repeated(one, form),
                    relationship=usage.relationship,
                    is_metadata=True,
                )
    return tuple(found.values())


def _level(attributes: tuple[MetadataAttribute, ...], path: list[str]) -> tuple[MetadataAttribute, ...]:
    """The attributes that nest at the end of a path."""
    for id in path:
        attributes = tuple(inner for one in attributes if one.id == id for inner in one.items)
    return attributes


def _below(attributes: tuple[MetadataAttribute, ...], path: str) -> Iterator[tuple[str, MetadataAttribute]]:
    for one in attributes:
        id = f"{path}.{one.id}" if path else one.id
        yield id, one
        yield from _below(one.items, id)


def _repeated(one: MetadataAttribute, form: Representation | None) -> Representation | None:
    """The representation with how often the attribute may occur, which a metadata structure says beside it."""
    if one.max_occurs in (None, 0, 1):
        return form
    return replace(form or Representation(), min_occurs=one.min_occurs, max_occurs=one.max_occurs)
