"""Schema queries end to end: every answer of the service is right by the schema of its artefact, a changed one is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.formats.schema.judging import json_faults, xml_faults, xml_schema
from tests.formats.schema.reports import report_schema
from tests.harness import House
from tests.rest.fishery import open_fishery
from tests.rest.lighthouse import open_lighthouse

SDMX = "application/vnd.sdmx."
XML = {
    "3.1": (f"{SDMX}data+xml;version=3.1.0", f"{SDMX}schema+xml;version=3.1.0"),
    "3.0": (f"{SDMX}data+xml;version=3.0.0", f"{SDMX}schema+xml;version=3.0.0"),
    "2.1": (f"{SDMX}structurespecificdata+xml;version=2.1", f"{SDMX}schema+xml;version=2.1"),
}
JSON = {
    version: (f"{SDMX}data+json;version={version}.0", f"{SDMX}schema+json;version={version}.0")
    for version in ("2.1", "2.0")
}
ARTEFACTS = (
    "dataflow/SEA/DF_CATCH/1.1.0", "dataflow/SEA/DF_CATCH_EST/1.0.0", "dataflow/SEA/DF_LICENCE/1.0.0", "dataflow/SEA/DF_JOBS/1.0.0",
    "datastructure/SEA/DSD_CATCH/1.0.0", "datastructure/SEA/DSD_JOBS/1.0.0", "provisionagreement/SEA/PA_JOBS/1.0.0",
)  # fmt: skip
VIEWS = (None, "AllDimensions", "PORT", "AREA")


def _asked(view: str | None) -> str:
    return "" if view is None else f"?dimensionAtObservation={view}"


def _fits(artefact: str, view: str | None) -> bool:
    return view not in ("PORT", "AREA") or (view == "AREA") == ("JOBS" in artefact)


@pytest.mark.parametrize("view", VIEWS, ids=str)
@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_every_answer_is_right(fishery: House, artefact: str, view: str | None) -> None:
    if not _fits(artefact, view):
        assert fishery.get(f"v2/schema/{artefact}{_asked(view)}", JSON["2.1"][1]).status == 422
        return
    for version, (data, schema) in XML.items():
        judge = xml_schema(fishery.body(f"v2/schema/{artefact}{_asked(view)}", schema), version)
        assert xml_faults(judge, fishery.body(f"v2/data/{artefact}{_asked(view)}", data)) == []
    for data, schema in JSON.values():
        made = json.loads(fishery.body(f"v2/schema/{artefact}{_asked(view)}", schema))
        assert json_faults(made, json.loads(fishery.body(f"v2/data/{artefact}{_asked(view)}", data))) == []


def test_both_messages_of_2_1(fishery: House) -> None:
    """One schema judges both kinds of message with time at the observation, as version 1 of the interface has them."""
    judge = xml_schema(fishery.body("v1/schema/dataflow/SEA/DF_CATCH/1.1.0", None), "2.1")
    for kind in ("structurespecificdata", "structurespecifictimeseriesdata"):
        body = fishery.body("v1/data/SEA,DF_CATCH,1.1.0/all", f"{SDMX}{kind}+xml;version=2.1")
        assert xml_faults(judge, body) == []
        assert xml_faults(judge, body.replace(b"FISH=", b"BIRD="))


# --- what is wrong --------------------------------------------------------------------------------------------------
CATCH = "dataflow/SEA/DF_CATCH/1.1.0"
XML_CHANGES = {
    "unknown code": ("Series", "FISH", "SHARK"),
    "code that the constraint of the dataflow excludes": ("Series", "FISH", "SAL"),
    "text as value": ("Obs", "WEIGHT", "heavy"),
    "unknown code of an attribute": ("Obs", "STATUS", "NOT"),
    "no period": ("Obs", "TIME_PERIOD", "yesterday"),
    "mandatory attribute missing": ("Obs", "STATUS", None),
    "dimension missing": ("Series", "FISH", None),
    "unknown dimension": ("Series", "BOAT", "X"),
    "attribute of the series at the observation": ("Obs", "UNIT", "kg"),
}


@pytest.mark.parametrize("version", sorted(XML))
@pytest.mark.parametrize("change", XML_CHANGES)
def test_a_changed_message_is_wrong(fishery: House, version: str, change: str) -> None:
    data, schema = XML[version]
    root = etree.fromstring(fishery.body(f"v2/data/{CATCH}", data))
    tag, name, value = XML_CHANGES[change]
    rows = [one for one in root.iter(tag) if name in one.attrib]
    row = (rows or list(root.iter(tag)))[0]
    if value is None:
        del row.attrib[name]
    else:
        row.set(name, value)
    judge = xml_schema(fishery.body(f"v2/schema/{CATCH}", schema), version)
    (fault, *_) = xml_faults(judge, etree.tostring(root))
    assert name in fault or f"'{value}'" in fault


def test_what_the_structure_allows_and_the_dataflow_does_not(fishery: House) -> None:
    def fish(path: str) -> set[str | None]:
        root = etree.fromstring(fishery.body(path, XML["3.1"][1]))
        return {one.get("value") for one in root.findall(".//{*}simpleType[@name='CL_FISH']//{*}enumeration")}

    assert fish("v2/schema/datastructure/SEA/DSD_CATCH/1.0.0") > {"_T", "COD", "EEL"}
    assert fish(f"v2/schema/{CATCH}") == {"COD", "EEL"}  # not the parent, which the codelist of the answer has
    data, schema = XML["3.1"]
    body = fishery.body(f"v2/data/{CATCH}", data).replace(b'FISH="COD"', b'FISH="_T"')
    assert xml_faults(xml_schema(fishery.body(f"v2/schema/{CATCH}", schema), "3.1"), body)


def _json(house: House) -> tuple[dict[str, Any], dict[str, Any]]:
    data, schema = JSON["2.1"]
    return json.loads(house.body(f"v2/schema/{CATCH}", schema)), json.loads(house.body(f"v2/data/{CATCH}", data))


def _structure(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["data"]["structures"][0]
    return found


def _observations(document: dict[str, Any]) -> list[list[Any]]:
    series = document["data"]["dataSets"][0]["series"].values()
    return [row for one in series for row in one["observations"].values()]


def _unknown_code(document: dict[str, Any]) -> None:
    _structure(document)["dimensions"]["series"][2]["values"][0]["id"] = "SHARK"


def _excluded_code(document: dict[str, Any]) -> None:
    _structure(document)["dimensions"]["series"][2]["values"][0]["id"] = "SAL"


def _text_as_value(document: dict[str, Any]) -> None:
    _observations(document)[0][0] = "heavy"


def _boolean_as_value(document: dict[str, Any]) -> None:
    _observations(document)[0][0] = True


def _one_value_too_many(document: dict[str, Any]) -> None:
    _observations(document)[0].extend([None] * 9)


def _mandatory_value_missing(document: dict[str, Any]) -> None:
    names = [one["id"] for one in _structure(document)["attributes"]["observation"]]
    measures = len(_structure(document)["measures"]["observation"])
    _observations(document)[0][measures + names.index("STATUS")] = None


def _mandatory_attribute_missing(document: dict[str, Any]) -> None:
    listed = _structure(document)["attributes"]["observation"]
    listed[:] = [one for one in listed if one["id"] != "STATUS"]


def _foreign_dimension(document: dict[str, Any]) -> None:
    listed = _structure(document)["dimensions"]["series"]
    listed.append({**listed[0], "id": "BOAT", "keyPosition": 4})


def _dimension_twice(document: dict[str, Any]) -> None:
    listed = _structure(document)["dimensions"]["series"]
    listed.append({**listed[0], "name": "Again"})


def _dimension_missing(document: dict[str, Any]) -> None:
    _structure(document)["dimensions"]["series"].pop()


def _key_too_short(document: dict[str, Any]) -> None:
    series = document["data"]["dataSets"][0]["series"]
    series["0:0"] = series.pop(next(iter(series)))


def _no_header(document: dict[str, Any]) -> None:
    del document["meta"]


def _another_dataflow(document: dict[str, Any]) -> None:
    for link in _structure(document)["links"]:
        link["urn"] = link["urn"].replace("DF_CATCH", "DF_LICENCE")


def _no_period(document: dict[str, Any]) -> None:
    _structure(document)["dimensions"]["observation"][0]["values"][0]["value"] = "yesterday"


def _misspelt(document: dict[str, Any]) -> None:
    document["data"]["dataSet"] = document["data"].pop("dataSets")


@pytest.mark.parametrize(
    "change",
    [
        _unknown_code, _excluded_code, _text_as_value, _boolean_as_value, _one_value_too_many, _mandatory_value_missing,
        _mandatory_attribute_missing, _foreign_dimension, _dimension_twice, _dimension_missing, _key_too_short, _no_header,
        _another_dataflow, _no_period, _misspelt,
    ],
)  # fmt: skip
def test_a_changed_json_message_is_wrong(fishery: House, change: Any) -> None:
    schema, document = _json(fishery)
    change(document)
    assert json_faults(schema, document)


def test_a_deletion_may_leave_out_what_is_mandatory(fishery: House) -> None:
    data, schema = XML["3.1"]
    root = etree.fromstring(fishery.body(f"v2/data/{CATCH}", data))
    for series in root.iter("Series"):
        del series.attrib["FISH"]
        for row in series:
            row.attrib.pop("STATUS")
            row.set("WEIGHT", "-")
    body = etree.tostring(root)
    assert xml_faults(xml_schema(fishery.body(f"v2/schema/{CATCH}", schema), "3.1"), body)
    judge = xml_schema(fishery.body(f"v2/schema/{CATCH}?deletion=true", schema), "3.1")
    assert xml_faults(judge, body) == []
    assert xml_faults(judge, body.replace(b'PORT="NOR"', b'PORT="NOWHERE"'))
    made, document = _json(fishery)
    _mandatory_attribute_missing(document)
    _dimension_missing(document)
    assert json_faults(made, document)
    lenient = json.loads(fishery.body(f"v2/schema/{CATCH}?deletion=true", JSON["2.1"][1]))
    assert json_faults(lenient, document) == []
    _structure(document)["dimensions"]["series"][1]["values"][0]["id"] = "NOWHERE"
    assert json_faults(lenient, document)


PARTIAL = (
    "attributes=none", "measures=none", "attributes=none&measures=none", "attributes=series", "measures=GRADE",
    "attributes=GEAR,STATUS", "attributes=all&measures=none", "includeHistory=true", "limit=3&offset=2", "c[FISH]=COD",
)  # fmt: skip
WHOLE = ("includeHistory=true", "limit=3&offset=2", "c[FISH]=COD")


@pytest.mark.parametrize("query", PARTIAL)
def test_partial_answers(fishery: House, query: str) -> None:
    """A part of the data is right by the schema; data without what is mandatory by that for deletions."""
    asked = f"v2/schema/{CATCH}" if query in WHOLE else f"v2/schema/{CATCH}?deletion=true"
    for version, (data, schema) in XML.items():
        judge = xml_schema(fishery.body(asked, schema), version)
        assert xml_faults(judge, fishery.body(f"v2/data/{CATCH}?{query}", data)) == []
    for data, schema in JSON.values():
        made = json.loads(fishery.body(asked, schema))
        assert json_faults(made, json.loads(fishery.body(f"v2/data/{CATCH}?{query}", data))) == []


def test_what_was_deleted(tmp_path: Path) -> None:
    """An answer with what was deleted since a moment: single observations, and all of a port."""
    sent = (
        "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT\n"
        "dataflow,SEA:DF_CATCH(1.1.0),D,M,NOR,COD,2024-01,\ndataflow,SEA:DF_CATCH(1.1.0),D,M,SOU,,,\n"
    )
    with open_fishery(tmp_path / "house") as house:
        moment = house.library.view().published_at.isoformat().replace("+00:00", "Z")
        receipt, _ = house.send(sent.encode(), provider="SEA:DATA_PROVIDERS(1.0).HARBOUR")
        assert receipt.status == "published"
        for view in ("TIME_PERIOD", "AllDimensions", "PORT"):
            more = f"dimensionAtObservation={view}"
            for version, (data, schema) in XML.items():
                body = house.body(f"v2/data/{CATCH}?{more}&updatedAfter={moment}", data)
                assert b'action="Delete"' in body
                strict, lenient = (
                    _judge(house, (view, "TIME_PERIOD"), f"deletion={word}", schema, version)
                    for word in ("false", "true")
                )
                assert xml_faults(strict, body)
                assert xml_faults(lenient, body) == []
            for data, schema in JSON.values():
                document = json.loads(house.body(f"v2/data/{CATCH}?{more}&updatedAfter={moment}", data))
                for part in _parts(document):
                    shown = [one["id"] for one in _structure(part)["dimensions"]["observation"]]
                    own = f"dimensionAtObservation={shown[0] if len(shown) == 1 else 'AllDimensions'}"
                    made = json.loads(house.body(f"v2/schema/{CATCH}?{own}&deletion=true", schema))
                    assert json_faults(made, part) == []


def _parts(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A message of several structures as one of each."""
    for place, structure in enumerate(document["data"]["structures"]):
        own = [{**one, "structure": 0} for one in document["data"]["dataSets"] if one.get("structure", 0) == place]
        yield {**document, "data": {**document["data"], "structures": [structure], "dataSets": own}}


def _judge(house: House, views: tuple[str, ...], more: str, schema: str, version: str) -> etree.XMLSchema:
    """The schemas of several views: attributes that were deleted stand in a data set with time at the observation."""
    asked = dict.fromkeys(f"v2/schema/{CATCH}?dimensionAtObservation={view}&{more}" for view in views)
    return report_schema(*(house.body(one, schema) for one in asked), version=version)


# --- metadata sets --------------------------------------------------------------------------------------------------
SPECIFIC = f"{SDMX}structurespecificmetadata+xml;version=2.1"
METADATA_CHANGES = {
    "unknown attribute": ("SAMPLED", "SAILED"),
    "unknown code": ('FISHES value="EEL"', 'FISHES value="WHALE"'),
    "no number": ('SHIPS value="12"', 'SHIPS value="many"'),
    "number below the least": ('SHIPS value="12"', 'SHIPS value="-1"'),
    "value against the pattern": ("a@sea", "a at sea"),
    "no year": ('YEAR value="1999"', 'YEAR value="lately"'),
    "value of a heading": ("<CONTACT", '<CONTACT value="x"'),
    "mandatory attribute missing": ("<NAME [^>]*>", ""),
}


def test_metadata_sets_of_2_1(tmp_path: Path) -> None:
    """Sets of a metadataflow are right by its schema; those of an agreement, which 2.1 has not, by their structure's."""
    with open_lighthouse(tmp_path / "house") as house:
        asked = ("metadatastructure/SEA/MSD_CATCH", "metadataflow/SEA/MDF_CATCH/1.0.0", "metadataflow/SEA/MDF_NOTES")
        schemas = [house.body(f"v1/schema/{one}", f"{SDMX}schema+xml;version=2.1") for one in asked]
        judge = report_schema(*schemas)
        for flow in ("SEA,MDF_CATCH,1.0.0", "SEA,MDF_NOTES"):
            assert xml_faults(judge, house.body(f"v1/metadata/{flow}", SPECIFIC)) == []
        right = house.body("v2/metadata/metadataset/*/*/*", SPECIFIC)
        assert xml_faults(judge, right) == []
        for name, (old, new) in METADATA_CHANGES.items():
            changed = re.sub(old.encode(), new.encode(), right)
            assert changed != right, name
            assert xml_faults(judge, changed), name
        agreed = house.body("v2/schema/metadataprovisionagreement/SEA/MPA_COAST", f"{SDMX}schema+xml;version=2.1")
        assert etree.fromstring(agreed).get("targetNamespace") == etree.fromstring(schemas[0]).get("targetNamespace")


# --- how it is asked for --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "accept", "declared"),
    [
        (f"v2/schema/{CATCH}", None, "schema+json;version=2.1.0"),
        (f"v2/schema/{CATCH}", "*/*", "schema+json;version=2.1.0"),
        (f"v2/schema/{CATCH}", "application/xml", "schema+xml;version=3.1.0"),
        (f"v2/schema/{CATCH}?asOf=2999-01-01T00:00:00Z", None, "schema+json;version=2.1.0"),
        (f"v2/schema/{CATCH}?format=schema", None, "schema+xml;version=3.1.0"),
        (f"v2/schema/{CATCH}", f"{SDMX}schema+xml;version=3.0.0", "schema+xml;version=3.0.0"),
        (f"v2/schema/{CATCH}", f"{SDMX}structure+json;version=2.0.0", "structure+json;version=2.0.0"),
        ("v2/schema/dataflow/SEA/DF_CATCH", None, "schema+json;version=2.1.0"),
        ("v2/schema/dataflow/SEA/DF_CATCH/1.0%2B.0", None, "schema+json;version=2.1.0"),
        ("v1/schema/dataflow/SEA/DF_CATCH/1.1.0", None, "schema+xml;version=2.1"),
        ("v1/schema/dataflow/SEA/DF_CATCH", "*/*", "schema+xml;version=2.1"),
        ("v1/schema/dataflow/SEA/DF_CATCH?explicitMeasure=true", "*/*", "schema+xml;version=2.1"),
        ("v1/schema/dataflow/SEA/DF_JOBS", f"{SDMX}structure+json;version=2.0.0", "structure+json;version=2.0.0"),
    ],
)
def test_media_types(fishery: House, path: str, accept: str | None, declared: str) -> None:
    answer = fishery.get(path, accept)
    assert (answer.status, answer.headers["Content-Type"]) == (200, SDMX + declared)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("v2/schema/dataflow/SEA/DF_CATCH/9.0.0", 404), ("v2/schema/dataflow/SEA/DF_NONE", 404),
        (f"v2/schema/{CATCH}?dimensionAtObservation=BOAT", 422), (f"v2/schema/{CATCH}?asOf=2024-01-01T00:00:00Z", 404),
        (f"v2/schema/{CATCH}?explicitMeasure=true", 400), ("v2/schema/codelist/SEA/CL_FISH", 400), ("v1/schema/dataflow/SEA/DF_NONE", 404),
        ("v1/schema/dataflow/SEA/DF_CATCH?dimensionAtObservation=BOAT", 403),
        ("v2/schema/metadataflow/SEA/MDF_NONE", 404),
    ],
)  # fmt: skip
def test_refusals(fishery: House, path: str, status: int) -> None:
    assert fishery.get(path, None).status == status
    assert fishery.get(path, f"{SDMX}schema+xml;version={'2.1' if path.startswith('v1') else '3.1.0'}").status == status


def test_the_version_is_the_latest_where_none_is_said(fishery: House) -> None:
    schema = json.loads(fishery.body("v2/schema/dataflow/SEA/DF_CATCH", JSON["2.1"][1]))
    assert "DF_CATCH(2.0.0-draft)" in schema["$id"]
    stable = json.loads(fishery.body("v2/schema/dataflow/SEA/DF_CATCH/%2B", JSON["2.1"][1]))
    assert "DF_CATCH(1.1.0)" in stable["$id"]
