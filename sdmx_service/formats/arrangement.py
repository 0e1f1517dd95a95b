"""Where each component of a data set is written: the view that the dimension at observation asks for.

SDMX 3.1 technical notes, *Data messages*: a time series view (time at the observation), a flat view
(``AllDimensions``) or a cross-section (another dimension at the observation). An attribute stands at the lowest level
that knows all dimensions it depends on; repeated on each observation it would say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sdmx_service.errors import SemanticFault, TooLarge
from sdmx_service.formats.fragments import Strings, array_of, pc
from sdmx_service.model.columns import Column, columns
from sdmx_service.model.message import Dataset
from sdmx_service.model.structure import Attribute, DataStructure, Group

ALL_DIMENSIONS = "AllDimensions"
SORTED_ROWS = 5_000_000
"""Rows that a cross-section may hold: they are put in its order in memory, as no store yields them in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """The columns of a data set by the place they are written at.

    Attributes:
        dimension_at_observation: a dimension's id, or ``AllDimensions``.
        series_dimensions: the key of a series, in key order; empty in the flat view.
        observation_dimensions: the others.
        dataset_attributes: attributes of the data set, whose values ``Dataset.attachments`` holds.
        group_attributes: attributes of partial keys, whose values ``Dataset.attachments`` holds.
        series_attributes, observation_attributes: attributes that are taken from the rows.
    """

    dimension_at_observation: str
    series_dimensions: tuple[Column, ...]
    observation_dimensions: tuple[Column, ...]
    measures: tuple[Column, ...]
    dataset_attributes: tuple[Column, ...]
    group_attributes: tuple[Column, ...]
    series_attributes: tuple[Column, ...]
    observation_attributes: tuple[Column, ...]

    @property
    def is_flat(self) -> bool:
        """There are no series."""
        return not self.series_dimensions

    @property
    def dimensions(self) -> tuple[Column, ...]:
        """All dimensions; those of the series first."""
        return (*self.series_dimensions, *self.observation_dimensions)


def arrange(dataset: Dataset, *, groups: str = "declared") -> Arrangement:
    """The arrangement of a data set.

    Args:
        groups: ``declared``: only attributes of a declared group are written at it (SDMX-ML);
            ``partial``: all attributes of a partial key (SDMX-JSON ``dimensionGroupAttributes``); ``none``: all of
            them are taken from the rows (SDMX-JSON 1.0).

    Raises:
        SemanticFault: the dimension at observation is no dimension of the structure.
    """
    every = columns(dataset.structure)
    wanted = [one for one in every if dataset.components is None or one.id in dataset.components]
    keys = [one for one in every if one.role in ("dimension", "time")]
    at_observation = observation_dimension(dataset)
    if at_observation == ALL_DIMENSIONS:
        series: tuple[Column, ...] = ()
    else:
        series = tuple(one for one in keys if one.id != at_observation)
    known = {one.id for one in series}
    attributes = [one for one in wanted if one.role == "attribute"]
    of_dataset = [one for one in attributes if one.level == ()]
    of_groups = [one for one in attributes if one.level and _at_group(dataset, one, groups)]
    rest = [one for one in attributes if one not in of_dataset and one not in of_groups]
    of_series = [one for one in rest if one.level and series and set(one.level) <= known]
    return Arrangement(
        dimension_at_observation=at_observation if series else ALL_DIMENSIONS,
        series_dimensions=series,
        observation_dimensions=tuple(one for one in keys if one.id not in known),
        measures=tuple(one for one in wanted if one.role == "measure"),
        dataset_attributes=tuple(of_dataset),
        group_attributes=tuple(of_groups),
        series_attributes=tuple(of_series),
        observation_attributes=tuple(one for one in rest if one not in of_series),
    )


def observation_dimension(dataset: Dataset) -> str:
    """The dimension at observation: as asked, else time, else ``AllDimensions`` (SDMX-REST 2.2.2, data.md)."""
    time = dataset.structure.time_dimension
    wanted = dataset.dimension_at_observation
    if wanted is None:
        return ALL_DIMENSIONS if time is None else time.id
    if wanted != ALL_DIMENSIONS and wanted not in dataset.structure.key_ids:
        raise SemanticFault(
            f"{wanted!r} is no dimension of {dataset.structure.ref.text}.",
            hint=f"Ask for one of {', '.join(dataset.structure.key_ids)} or {ALL_DIMENSIONS}.",
        )
    if dataset.keys_only and time is not None:  # keys without observations are the keys of time series
        return time.id
    return wanted


def _at_group(dataset: Dataset, column: Column, groups: str) -> bool:
    """Whether the values of an attribute are written once per partial key, before the rows."""
    if column.id not in dataset.attachments or groups == "none":
        return False
    level = column.level or ()
    if groups == "partial":
        return len(level) < len(dataset.structure.dimension_ids)
    return group_of(dataset.structure, column) is not None


def group_of(structure: DataStructure, column: Column) -> Group | None:
    """The declared group that an attribute names as its own (2.1 *Group* or *AttachmentGroup*)."""
    attribute = column.component
    if not isinstance(attribute, Attribute) or not column.level:
        return None
    relation = attribute.relationship
    names = {relation.group, *relation.attachment_groups}
    own = (group for group in structure.groups if set(group.dimensions) == set(column.level))
    return next((group for group in own if group.id in names), None)


def groups(dataset: Dataset, arrangement: Arrangement) -> Iterator[tuple[str, list[Column], pa.RecordBatch]]:
    """Per declared group that has values: its id, its attributes, and their values as ``attached`` gives them."""
    by_group: dict[str, list[Column]] = {}
    for column in arrangement.group_attributes:
        group = group_of(dataset.structure, column)
        if group is not None:
            by_group.setdefault(group.id, []).append(column)
    for name, attributes in by_group.items():
        batch = attached(dataset, attributes)
        if batch is not None:
            yield name, attributes, batch


def rows(dataset: Dataset, arrangement: Arrangement) -> Iterator[pa.RecordBatch]:
    """The batches with the rows of each series next to each other, one row per series if only keys are asked for."""
    if dataset.only_attributes:
        return _keyed_rows(dataset, arrangement)
    time = dataset.structure.time_dimension
    is_series = time is not None and arrangement.dimension_at_observation == time.id
    if dataset.is_sorted or arrangement.is_flat or is_series:
        return dataset.batches
    return _sorted(dataset, arrangement)


def _keyed_rows(dataset: Dataset, arrangement: Arrangement) -> Iterator[pa.RecordBatch]:
    """The attributes of whole series keys, a row per key, where there are no observations."""
    whole = set(dataset.structure.dimension_ids)
    every = (*arrangement.series_attributes, *arrangement.observation_attributes)
    batch = attached(dataset, [one for one in every if one.level and set(one.level) == whole])
    if batch is not None:
        yield batch


def level_rows(dataset: Dataset) -> Iterator[pa.RecordBatch]:
    """The attributes of a data set that has only these, as rows: a batch per level, the other dimensions null."""
    by_level: dict[tuple[str, ...], list[Column]] = {}
    for column in columns(dataset.structure):
        if column.id in dataset.attachments:
            by_level.setdefault(column.level or (), []).append(column)
    for level, attributes in by_level.items():
        batch = attached(dataset, attributes)
        if batch is None:
            continue
        for name in dataset.structure.dimension_ids:
            if name not in level:
                batch = batch.append_column(name, pa.nulls(batch.num_rows, pa.string()))
        yield batch


def _sorted(dataset: Dataset, arrangement: Arrangement) -> Iterator[pa.RecordBatch]:
    """All rows in the order of a cross-section, from memory."""
    batches: list[pa.RecordBatch] = []
    count = 0
    for batch in dataset.batches:
        count += batch.num_rows
        if count > SORTED_ROWS:
            raise TooLarge(
                f"A cross-section of more than {SORTED_ROWS:,} observations is not offered.",
                hint="Narrow the query, or ask for the time series view or for AllDimensions.",
            )
        batches.append(batch)
    if not batches:
        return
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    keys = [_order(table, one.id) for one in arrangement.dimensions]
    yield from table.take(np.lexsort(keys[::-1])).to_batches() if count else ()


def _order(table: pa.Table, name: str) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    column = table.column(name).combine_chunks()
    if not isinstance(column, pa.DictionaryArray):
        column = column.dictionary_encode()
    indices: np.ndarray[tuple[int], np.dtype[np.int32]] = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return indices


def attached(dataset: Dataset, attributes: Sequence[Column]) -> pa.RecordBatch | None:
    """The values of attributes of one level, one row per partial key, from ``Dataset.attachments``; None without any.

    Columns are the level's dimensions (text) and the attributes' own; a key without one of them has null there.
    """
    tables = [dataset.attachments[one.id].combine_chunks() for one in attributes if one.id in dataset.attachments]
    if not tables or (not attributes[0].level and not any(table.num_rows for table in tables)):
        return None
    level = attributes[0].level or ()
    keys = [_joined_keys(table, level) for table in tables]
    every = pc.unique(pa.concat_arrays(keys))
    if len(every) == 0:
        return None
    dimensions = {name: pa.concat_arrays([_text(table, name) for table in tables]) for name in level}
    places = pc.index_in(every, value_set=pa.concat_arrays(keys))
    arrays = {name: column.take(places) for name, column in dimensions.items()}
    for table, own in zip(tables, keys, strict=True):
        places = pc.index_in(every, value_set=own)
        for name in table.schema.names:
            if name not in arrays:
                column = array_of(table, name)
                arrays[name] = column.take(places) if column is not None else None
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))


def _text(table: pa.Table, name: str) -> Strings:
    column = array_of(table, name)
    return pa.nulls(table.num_rows, pa.string()) if column is None else column.cast(pa.string())


def _joined_keys(table: pa.Table, level: Sequence[str]) -> Strings:
    """A text per row that tells partial keys apart."""
    if not level:
        return pa.array([""] * min(table.num_rows, 1), pa.string())
    parts = [pc.fill_null(_text(table, name), "\0") for name in level]
    return pc.binary_join_element_wise(*parts, "\x1f")
