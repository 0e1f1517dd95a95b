"""Invented structures and what readers yield as plain lists, for the tests of data readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from sdmx_service.errors import UnresolvedReference
from sdmx_service.model.columns import ROW, plain_text, read_schema
from sdmx_service.model.message import Message, Resolve, Target
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import (
    Attribute,
    DataStructure,
    Dimension,
    Group,
    Measure,
    Relationship,
    TimeDimension,
)
from sdmx_service.model.urn import Ref

CODES = Ref(type="Codelist", agency="INV", id="CL", version="1.0")
CODED = Representation(enumeration=CODES)
TEXT = Representation(text_format=TextFormat(type="String"))
NUMBER = Representation(text_format=TextFormat(type="Decimal"))
MULTI_CODED = Representation(enumeration=CODES, max_occurs="unbounded")
MULTILINGUAL = Representation(text_format=TextFormat(type="String", is_multilingual=True))


def concept(id: str) -> Ref:
    return Ref(type="Concept", agency="INV", id="CS", version="1.0", item=id)


def structure(
    dimensions: Iterable[str],
    measures: Mapping[str, Representation] | None = None,
    attributes: Mapping[str, tuple[Representation, Relationship]] | None = None,
    *,
    id: str = "DSD",
    time: str | None = "TIME_PERIOD",
    groups: Mapping[str, tuple[str, ...]] | None = None,
) -> DataStructure:
    """A structure of coded dimensions; the only measure is the decimal OBS_VALUE unless others are given."""
    measures = {"OBS_VALUE": NUMBER} if measures is None else measures
    return DataStructure(
        id=id,
        agency="INV",
        version="1.0.0",
        dimensions=tuple(Dimension(id=one, concept=concept(one), representation=CODED) for one in dimensions),
        time_dimension=None if time is None else TimeDimension(id=time, concept=concept(time)),
        groups=tuple(Group(id=name, dimensions=ids) for name, ids in (groups or {}).items()),
        measures=tuple(Measure(id=one, concept=concept(one), representation=form) for one, form in measures.items()),
        attributes=tuple(
            Attribute(id=one, concept=concept(one), representation=form, relationship=relation)
            for one, (form, relation) in (attributes or {}).items()
        ),
    )


OBSERVATION = Relationship()
DATASET = Relationship(kind="dataset")


def of(*dimensions: str) -> Relationship:
    return Relationship(kind="dimensions", dimensions=dimensions)


STOCK = structure(
    ["FREQ", "AREA", "SEX"],
    attributes={
        "STATUS": (CODED, OBSERVATION),
        "NOTE": (TEXT, OBSERVATION),
        "TAGS": (MULTI_CODED, OBSERVATION),
        "TITLE": (MULTILINGUAL, of("FREQ", "AREA", "SEX")),
        "UNIT": (CODED, of("AREA")),
        "SOURCE": (TEXT, DATASET),
    },
    groups={"ByArea": ("AREA",)},
)
"""Three dimensions and time, one decimal measure, attributes of every level and kind."""


def resolving(*known: DataStructure | tuple[Ref, DataStructure]) -> Resolve:
    """Resolves any reference to the one structure, or by id of the structure or of the reference given."""
    table = {
        one.id if isinstance(one, DataStructure) else one[0].id: one if isinstance(one, DataStructure) else one[1]
        for one in known
    }

    def resolve(ref: Ref) -> Target:
        if len(table) > 1 and ref.id not in table:
            raise UnresolvedReference(f"{ref} is not there.")
        found = table.get(ref.id) or next(iter(table.values()))
        return Target(structure=found, dataflow=ref if ref.type == "Dataflow" else None)

    return resolve


def plain(value: Any) -> Any:
    """Maps as dicts, everything else as it is."""
    if isinstance(value, list) and value and all(isinstance(one, tuple) for one in value):
        return dict(value)
    return value


def rows(message: Message) -> list[list[dict[str, Any]]]:
    """For each data set its rows without omitted values; each batch must have the schema as read."""
    found = []
    for dataset in message.datasets:
        found.append([])
        for batch in dataset.batches:
            assert isinstance(batch, pa.RecordBatch)
            batch.validate(full=True)
            texts = plain_text(batch)
            assert texts.schema == read_schema(dataset.structure)
            found[-1] += [
                {name: plain(value) for name, value in row.items() if value is not None} for row in texts.to_pylist()
            ]
    return found


def without_row(datasets: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    return [[{name: value for name, value in row.items() if name != ROW} for row in rows] for rows in datasets]
