"""Invented structures and data for the tests of writers: rows are plain dictionaries, the source that answers are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sdmx_service.model.artefact import Texts
from sdmx_service.model.columns import Column, columns, parse_numbers, typed_schema
from sdmx_service.model.items import Code
from sdmx_service.model.message import Action, Dataset, Labels
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import (
    Attribute,
    Dataflow,
    DataStructure,
    Dimension,
    Group,
    Measure,
    Relationship,
    TimeDimension,
)
from sdmx_service.model.urn import Ref

Row = Mapping[str, Any]
FLOW = Ref(type="Dataflow", agency="ZOO", id="DF_BIRDS", version="1.0.0")


def concept(name: str) -> Ref:
    return Ref(type="Concept", agency="ZOO", id="CS", version="1.0.0", item=name)


def coded(name: str, **more: Any) -> Representation:
    return Representation(enumeration=Ref(type="Codelist", agency="ZOO", id=f"CL_{name}", version="1.0.0"), **more)


def plain(kind: str, *, multilingual: bool | None = None, **more: Any) -> Representation:
    return Representation(text_format=TextFormat(type=kind, is_multilingual=multilingual), **more)


def dimension(name: str) -> Dimension:
    return Dimension(id=name, concept=concept(name), representation=coded(name))


def attribute(name: str, form: Representation, relation: Relationship | None = None) -> Attribute:
    return Attribute(id=name, concept=concept(name), representation=form, relationship=relation or Relationship())


def on(*dimensions: str) -> Relationship:
    return Relationship(kind="dimensions", dimensions=dimensions)


TIME = TimeDimension(id="TIME_PERIOD", concept=concept("TIME_PERIOD"), representation=plain("ObservationalTimePeriod"))
ON_DATASET = Relationship(kind="dataset")


def structure(
    dimensions: Sequence[str] = ("FREQ", "AREA", "BIRD"),
    *,
    time: bool = True,
    measures: Sequence[Measure] | None = None,
    attributes: Sequence[Attribute] | None = None,
    groups: Sequence[Group] = (Group(id="Sibling", dimensions=("AREA", "BIRD")),),
) -> DataStructure:
    if measures is None:
        measures = (Measure(id="OBS_VALUE", concept=concept("OBS_VALUE"), representation=plain("Double")),)
    if attributes is None:
        attributes = (
            attribute("SOURCE", plain("String"), ON_DATASET),
            attribute("TITLE", plain("String"), Relationship(kind="group", group="Sibling")),
            attribute("UNIT", coded("UNIT"), on("AREA")),
            attribute("DECIMALS", plain("Integer"), on(*dimensions)),
            attribute("STATUS", coded("STATUS")),
            attribute("NOTE", plain("String")),
        )
    return DataStructure(
        agency="ZOO",
        id="DSD_BIRDS",
        version="1.0.0",
        dimensions=tuple(map(dimension, dimensions)),
        time_dimension=TIME if time else None,
        groups=tuple(groups),
        attributes=tuple(attributes),
        measures=tuple(measures),
    )


def rich() -> DataStructure:
    """Two measures, several values and several languages, attributes of every level."""
    return structure(
        measures=(
            Measure(id="OBS_VALUE", concept=concept("OBS_VALUE"), representation=plain("Decimal")),
            Measure(id="MOOD", concept=concept("MOOD"), representation=coded("MOOD")),
        ),
        attributes=(
            attribute("SOURCE", plain("String"), ON_DATASET),
            attribute("KEEPERS", plain("String", multilingual=True), ON_DATASET),
            attribute("TITLE", plain("String"), Relationship(kind="group", group="Sibling")),
            attribute("UNIT", coded("UNIT"), on("AREA")),
            attribute("COLOURS", coded("COLOURS", max_occurs="unbounded"), on("FREQ", "AREA", "BIRD")),
            attribute("STATUS", coded("STATUS")),
            attribute("FLAGS", coded("FLAGS", max_occurs=3)),
            attribute("NOTE", plain("String")),
            attribute("REMARK", plain("String", multilingual=True)),
        ),
    )


def typed(structure: DataStructure, rows: Sequence[Row], domains: Mapping[str, Sequence[str]]) -> pa.RecordBatch:
    """Rows as a batch with the schema as typed."""
    arrays: list[pa.Array] = []
    for column in columns(structure):
        values = [row.get(column.id) for row in rows]
        if column.kind == "code":
            known = {code: place for place, code in enumerate(domains[column.id])}
            indices = pa.array([None if value is None else known[value] for value in values], pa.int32())
            arrays.append(pa.DictionaryArray.from_arrays(indices, pa.array(list(known), pa.string())))
        elif column.kind == "number":
            numbers = parse_numbers(pa.array(values, pa.string()))
            assert not any(numbers.invalid.to_pylist())
            arrays += [numbers.values, numbers.decimals, numbers.texts]
        elif column.kind == "multi":
            arrays.append(pa.array(values, pa.list_(pa.string())))
        elif column.kind == "multilingual":
            pairs = [None if value is None else list(value.items()) for value in values]
            arrays.append(pa.array(pairs, pa.map_(pa.string(), pa.string())))
        else:
            arrays.append(pa.array(values, pa.string()))
    schema = typed_schema(structure)
    return pa.RecordBatch.from_arrays(
        [array.cast(field.type) for array, field in zip(arrays, schema, strict=True)], schema=schema
    )


def occurring(structure: DataStructure, rows: Sequence[Row]) -> dict[str, list[str]]:
    """Per coded component the values that occur; per multilingual one its languages."""
    found: dict[str, list[str]] = {}
    for column in columns(structure):
        values = [row[column.id] for row in rows if row.get(column.id) is not None]
        if column.kind == "code":
            found[column.id] = sorted(set(values))
        elif column.kind == "multilingual":
            found[column.id] = sorted({tag for value in values for tag in value})
    return found


def attachments(structure: DataStructure, rows: Sequence[Row]) -> dict[str, pa.Table]:
    """Data set and group attributes before the rows."""
    tables = {}
    for column in columns(structure):
        if column.level is None or len(column.level) == len(structure.dimension_ids):
            continue
        kept: dict[tuple[str, ...], Row] = {}
        for row in rows:
            if row.get(column.id) is not None:
                kept.setdefault(tuple(row[name] for name in column.level), row)
        batch = typed(structure, list(kept.values()), occurring(structure, rows))
        names = [
            name for name in batch.schema.names if name in (*column.level, column.id, column.decimals, column.text)
        ]
        tables[column.id] = pa.Table.from_batches([batch.select(names)])
    return tables


def labels(structure: DataStructure, domains: Mapping[str, Sequence[str]]) -> Labels:
    return Labels(
        components={
            one.id: Texts({"en": f"The {one.id.lower()}", "fr": f"Le {one.id.lower()}, «x»"})
            for one in columns(structure)
        },
        codes={
            one.id: {
                code: Code(id=code, names=Texts({"en": f"Name of {code}", "fr": f'Nom, "{code}"'}))
                for code in domains[one.id]
            }
            for one in columns(structure)
            if one.kind == "code" and one.role != "time"
        },
        structure=Texts({"en": "Birds, counted", "fr": "Oiseaux"}),
    )


def dataset(
    structure: DataStructure,
    rows: Sequence[Row],
    *,
    size: int = 3,
    ref: Ref = FLOW,
    action: Action = Action.REPLACE,
    **more: Any,
) -> Dataset:
    """A data set for writers, in batches of ``size`` rows; an empty batch is among them."""
    domains = occurring(structure, rows)

    def batches() -> Iterator[pa.RecordBatch]:
        yield typed(structure, [], domains)
        for start in range(0, len(rows), size):
            yield typed(structure, rows[start : start + size], domains)

    more.setdefault("attachments", attachments(structure, rows))
    more.setdefault("labels", labels(structure, domains))
    return Dataset(
        structure=structure,
        ref=ref,
        dataflow=FLOW,
        batches=batches(),
        action=action,
        domains=domains,
        **more,
    )


def column_of(structure: DataStructure, name: str) -> Column:
    return next(one for one in columns(structure) if one.id == name)


def dataflow() -> Dataflow:
    return Dataflow(
        agency="ZOO",
        id="DF_BIRDS",
        version="1.0.0",
        names=Texts({"en": "Birds, counted"}),
        structure=Ref(type="DataStructure", agency="ZOO", id="DSD_BIRDS", version="1.0.0"),
    )


BIRDS: list[Row] = [
    {"FREQ": "A", "AREA": "4", "BIRD": "OWL", "TIME_PERIOD": "2019", "OBS_VALUE": "1.50", "STATUS": "A", "UNIT": "PS", "DECIMALS": "1",
     "TITLE": "Owls, <4>", "SOURCE": 'Zoo & "Co"', "NOTE": None},
    {"FREQ": "A", "AREA": "4", "BIRD": "OWL", "TIME_PERIOD": "2020", "OBS_VALUE": "2", "STATUS": None, "UNIT": "PS", "DECIMALS": "1",
     "TITLE": "Owls, <4>", "SOURCE": 'Zoo & "Co"', "NOTE": "line\none, \"two\" & <three> 🦉"},
    {"FREQ": "A", "AREA": "4", "BIRD": "EMU", "TIME_PERIOD": "2020", "OBS_VALUE": None, "STATUS": "M", "UNIT": "PS", "DECIMALS": None,
     "TITLE": None, "SOURCE": 'Zoo & "Co"', "NOTE": "tab\tand\rreturn"},
    {"FREQ": "A", "AREA": "008", "BIRD": "EMU", "TIME_PERIOD": "2020", "OBS_VALUE": "-0.05", "STATUS": "A", "UNIT": "KG", "DECIMALS": "0",
     "TITLE": "Emus", "SOURCE": 'Zoo & "Co"', "NOTE": None},
    {"FREQ": "A", "AREA": "008", "BIRD": "EMU", "TIME_PERIOD": "2021", "OBS_VALUE": "NaN", "STATUS": "M", "UNIT": "KG", "DECIMALS": "0",
     "TITLE": "Emus", "SOURCE": 'Zoo & "Co"', "NOTE": None},
    {"FREQ": "Q", "AREA": "008", "BIRD": "EMU", "TIME_PERIOD": "2021-Q1", "OBS_VALUE": "12345678901234567890.123", "STATUS": "E",
     "UNIT": "KG", "DECIMALS": "3", "TITLE": "Emus", "SOURCE": 'Zoo & "Co"', "NOTE": "a'b"},
]  # fmt: skip
"""Rows of ``structure()``."""
