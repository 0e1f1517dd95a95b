"""The schema of every dataflow that is delivered: data of allowed codes are right by it, in every view and version."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import load_folder
from sdmx_service.dissemination.metadata import metadata
from sdmx_service.dissemination.schema import schema
from sdmx_service.model.columns import Column, columns
from sdmx_service.model.items import ConceptScheme
from sdmx_service.model.message import Message, Party
from sdmx_service.model.query import MetadataQuery, SchemaQuery
from sdmx_service.model.schema import DataSchema, MetadataSchema
from sdmx_service.model.structure import Attribute, Measure
from tests.formats.data.writing import dataset
from tests.formats.schema.judging import (
    JSON,
    XML,
    data,
    json_faults,
    json_schema,
    second_opinion,
    written,
    xml_faults,
    xml_schema,
)
from tests.formats.schema.reports import report_schema, sent

ROOT = Path(__file__).parents[2]
CATALOG = load_folder(ROOT).catalog()
FLOWS = [one.ref for one in CATALOG.of_type("Dataflow")]
TEXTS = {
    "String": "a <b> & \"c\"", "DateTime": "2024-01-31T12:00:00", "MonthDay": "--07-01", "Integer": "3", "Double": "1.5",
    "Decimal": "-0.25", "Boolean": "true", "URI": "https://example.org/x", "GregorianDay": "2024-01-31", "Count": "7",
    "ObservationalTimePeriod": "2021", "GregorianYear": "2021", "Long": "12", "Short": "3", "BasicTimePeriod": "2021", "Float": "1.5",
    "BigInteger": "12", "XHTML": "<p>x</p>", "StandardTimePeriod": "2021", "Duration": "P1Y",
}  # fmt: skip


def asked(catalog: Catalog, kind: str, ref: Any, **more: Any) -> Message:
    query = SchemaQuery(context=kind, agency=ref.agency, id=ref.id, version=ref.version, **more)
    return schema(query, catalog, sender=Party(id="TEST"))


def _value(column: Column, made: DataSchema, number: int) -> Any:
    if column.id in made.enumerations:
        allowed = list(made.enumerations[column.id].values)
        text = allowed[number * 7 % len(allowed)]
    elif column.role == "time":
        text = ("2020", "2021-Q1", "2021-03", "2021-03-04")[number % 4]
    else:
        text = TEXTS[column.component.form.data_type]
    if column.kind == "multilingual":
        return {"en": text, "fr": text}
    return [text] if column.kind == "multi" else text


def _rows(made: DataSchema) -> Iterator[dict[str, Any]]:
    """Six observations: one with everything, the others with what is mandatory; one more with marks."""
    structure = made.structure
    known: dict[tuple[str, tuple[str, ...]], Any] = {}
    for number in range(6):
        row = {one.id: _value(one, made, number) for one in columns(structure) if one.role in ("dimension", "time")}
        for one in columns(structure):
            component = one.component
            if isinstance(component, Measure | Attribute) and (number == 0 or component.usage == "mandatory"):
                level = structure.key_ids if one.level is None else one.level
                place = (one.id, tuple(row[id] for id in level))
                row[one.id] = known.setdefault(place, _value(one, made, number))
        if number == 5:
            row |= {one.id: "NaN" for one in columns(structure) if one.role == "measure" and one.kind == "number"}
        yield row


@pytest.mark.parametrize("ref", FLOWS, ids=lambda ref: ref.id)
def test_data_of_every_dataflow(ref: Any) -> None:
    structure = CATALOG.target(ref).structure
    views = ["TIME_PERIOD", "AllDimensions", structure.dimension_ids[1]]
    for (version, name), view in zip(
        XML.items(), itertools.islice(itertools.cycle(views), len(ref.id) % 3, None), strict=False
    ):
        message = asked(CATALOG, "dataflow", ref, dimension_at_observation=view)
        made = message.schema
        assert isinstance(made, DataSchema)
        rows = sorted(_rows(made), key=lambda row: [row[id] for id in structure.key_ids])
        sent = dataset(structure, rows, ref=ref, dimension_at_observation=view)
        assert xml_faults(xml_schema(written(made, f"schema-xml-{version}"), version), data([sent], name)) == []
        for kind, format in JSON.items():
            sent = dataset(structure, rows, ref=ref, dimension_at_observation=view)
            assert (
                json_faults(json_schema(written(made, f"schema-json-{kind}")), json.loads(data([sent], format))) == []
            )


@pytest.mark.parametrize("kind", ["provisionagreement", "datastructure"])
def test_every_other_context(kind: str) -> None:
    """Agreements and structures have a schema that lxml can use; those of agreements are no wider than the dataflow's."""
    classes = {"provisionagreement": "ProvisionAgreement", "datastructure": "DataStructure"}
    found = list(CATALOG.of_type(classes[kind]))
    assert found
    for one in found[:: max(1, len(found) // 12)]:
        made = asked(CATALOG, kind, one.ref).schema
        assert isinstance(made, DataSchema)
        xml_schema(written(made, "schema-xml-3.1"), "3.1")
        if kind == "provisionagreement":
            flow = asked(CATALOG, "dataflow", CATALOG.target(one.ref).dataflow).schema
            assert isinstance(flow, DataSchema)
            for id, enumeration in made.enumerations.items():
                assert set(enumeration.values) <= set(flow.enumerations[id].values)


def test_a_second_opinion() -> None:
    """xmlschema finds no fault in the largest schema, and the JSON schema is one."""
    made = asked(CATALOG, "dataflow", next(ref for ref in FLOWS if ref.id == "DF_STOCK_OD")).schema
    assert isinstance(made, DataSchema)
    assert max(len(one.values) for one in made.enumerations.values()) > 200
    second_opinion(written(made, "schema-xml-3.1"), "3.1")
    jsonschema.Draft202012Validator.check_schema(json_schema(written(made, "schema-json-2.1")))


def test_it_is_made_in_a_moment() -> None:
    """The schema of a dataflow with hundreds of codes: 20 ms on an idle machine; here below 200 ms of processor time."""
    ref = next(ref for ref in FLOWS if ref.id == "DF_STOCK_OD")
    written(asked(CATALOG, "dataflow", ref).schema, "schema-xml-3.1")  # type: ignore[arg-type]
    start = time.process_time()
    written(asked(CATALOG, "dataflow", ref).schema, "schema-json-2.1")  # type: ignore[arg-type]
    assert time.process_time() - start < 0.2


@pytest.mark.parametrize("kind", ["MetadataStructure", "Metadataflow", "MetadataProvisionAgreement"])
def test_metadata(kind: str) -> None:
    """The metadata structure has schemas of both kinds, and a structure message with its concepts and codelists."""
    ref = next(one.ref for one in CATALOG.of_type(kind) if one.agency == "UNSD_MIG")
    message = asked(CATALOG, kind.lower(), ref)
    made = message.schema
    assert isinstance(made, MetadataSchema)
    assert made.enumerations["MIGRATION.CITIZENS"].values
    assert "attribute.MIGRATION.CITIZENS" in json_schema(written(made, "schema-json-2.1"))["$defs"]
    xml_schema(written(made, "schema-xml-3.1"), "3.1")
    sent = {one.type for one in message.structures}
    assert sent == {"MetadataStructure", "Codelist", "ConceptScheme", "AgencyScheme"}
    concepts = [one for one in message.structures if isinstance(one, ConceptScheme)]
    assert any(one.item("MIG_CRITERION") is not None for one in concepts)


def test_metadata_sets_of_2_1() -> None:
    """The sets that are delivered, as structure-specific metadata, are right by the schema of their metadataflow."""
    ref = next(one.ref for one in CATALOG.of_type("Metadataflow") if one.agency == "UNSD_MIG")
    made = asked(CATALOG, "metadataflow", ref, api="v1").schema
    assert made is not None
    body = written(made, "schema-xml-2.1")
    judge = report_schema(body)
    found = metadata(MetadataQuery(api="v1", by="metadataflow", ids=(ref.id,)), CATALOG, sender=Party(id="TEST"))
    right = sent(*found.structures)
    assert right.count(b"<mes:MetadataSet ") == len(list(CATALOG.of_type("MetadataSet"))) > 5
    assert xml_faults(judge, right) == []
    for old, new in {
        "DATA_DESCR": "DATA_DESC",
        'SOURCE_TYPE value="': 'SOURCE_TYPE value="X',
        "<STAT_PRES": '<STAT_PRES value="x"',
    }.items():
        assert old.encode() in right
        assert xml_faults(judge, right.replace(old.encode(), new.encode())), new
    second_opinion(body, "2.1")
