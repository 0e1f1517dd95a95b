"""What ``sort`` means in a structure, and how an answer in that order is grouped (SDMX-REST 2.2, data.md, *sort*).

A message in series needs the rows of each series next to each other. *Choices:* where the order wished takes series
apart and the client named no ``dimensionAtObservation``, the answer is flat (``AllDimensions``) and exactly in that
order; where the client named one, its groups stay whole, come in the order of their first row, and are in the order
wished inside. Either is a right message in every format, and pages are the same in all of them. Each data set is
sorted for itself; data sets come by reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sdmx_service.errors import SemanticFault
from sdmx_service.model.columns import columns
from sdmx_service.model.query import ALL_DIMENSIONS, SortKey
from sdmx_service.model.structure import DataStructure

EVERY_DIMENSION = "*"
SERIES_KEY = "series_key"


def resolved(
    sort: Sequence[SortKey],
    structure: DataStructure,
    at_observation: str,
    unknown: Callable[[str, DataStructure], SemanticFault],
) -> tuple[SortKey, ...]:
    """The order by components alone, each named once.

    ``*`` is all dimensions as the structure has them, ``series_key`` those that are not at the observation (of a flat
    answer, which has no series: all but time).

    Raises:
        SemanticFault: the structure has no such component.
    """
    time = structure.time_dimension
    apart = {at_observation} if at_observation != ALL_DIMENSIONS or time is None else {time.id}
    words = {
        EVERY_DIMENSION: structure.key_ids,
        SERIES_KEY: tuple(id for id in structure.key_ids if id not in apart),
    }
    known = {column.id for column in columns(structure)}
    found: dict[str, SortKey] = {}
    for key in sort:
        for id in words.get(key.component, (key.component,)):
            if id not in known:
                raise unknown(id, structure)
            found.setdefault(id, SortKey(component=id, descending=key.descending))
    return tuple(found.values())


def keeps_together(sort: Sequence[SortKey], structure: DataStructure, at_observation: str) -> bool:
    """Whether rows in that order have the rows of each series next to each other."""
    if at_observation == ALL_DIMENSIONS:
        return True
    left = {id for id in structure.key_ids if id != at_observation}
    level = {column.id: column.level for column in columns(structure) if column.role == "attribute"}
    for key in sort:
        of_series = level.get(key.component)
        if key.component in left:
            left.discard(key.component)
        elif of_series is not None and at_observation not in of_series:
            continue  # the same on every row of a series
        elif left:
            return False
    return True  # what is equal so far comes series by series


def series_of(structure: DataStructure, at_observation: str) -> tuple[str, ...]:
    """The dimensions of a series."""
    return tuple(id for id in structure.key_ids if id != at_observation)
