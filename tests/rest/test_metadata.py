"""Reference metadata queries of both interfaces as a table, and what each format answers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from sdmx_service.formats.registry import formats_for
from sdmx_service.model.query import MetadataQuery
from sdmx_service.urls import v2
from tests.formats.metadata.messages import FORMATS, MetadataFormat
from tests.harness import House
from tests.rest.lighthouse import MARKUP, open_lighthouse
from tests.urls.strategies import v2_metadata

JSON = "application/vnd.sdmx.metadata+json;version=2.1.0"
CSV = "application/vnd.sdmx.metadata+csv;version=2.1.0"
GENERIC = "application/vnd.sdmx.genericmetadata+xml;version=2.1"
OLD, NEW = "SEA.COAST:CATCHES(1.0.0)", "SEA.COAST:CATCHES(1.1.0)"
DRAFT, NOR, ON_JOBS = "HARBOUR:CATCHES(2.0.0-draft)", "SEA:ON_NOR(1.0.0)", "SEA:ON_JOBS(1.0.0)"
LATEST = {NEW, DRAFT, NOR, ON_JOBS}


@pytest.fixture(scope="module")
def lighthouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_lighthouse(tmp_path_factory.mktemp("lighthouse")) as house:
        yield house


def found(house: House, path: str) -> set[str]:
    """The sets of an answer in SDMX-JSON, as ``AGENCY:ID(VERSION)``."""
    sets = json.loads(house.body(path, JSON))["data"]["metadataSets"]
    assert len({json.dumps(one) for one in sets}) == len(sets)
    return {f"{one['agencyID']}:{one['id']}({one.get('version', '1.0')})" for one in sets}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadataset", LATEST),
        ("metadataset/*/*/*", LATEST | {OLD}),
        ("metadataset/SEA.COAST", {NEW}),
        ("metadataset/COAST", {NEW}),
        ("metadataset/COAST/CATCHES/1.0.0", {OLD}),
        ("metadataset/SEA.COAST/CATCHES/*", {OLD, NEW}),
        ("metadataset/*/CATCHES/+", {NEW}),
        ("metadataset/*/CATCHES/1.0+.0", {NEW}),
        ("metadataset/*/CATCHES/~", {NEW, DRAFT}),
        ("metadataset/HARBOUR/CATCHES/2.0.0-draft", {DRAFT}),
        ("metadataset/SEA,HARBOUR/ON_NOR,CATCHES", {NOR, DRAFT}),
        ("metadataset/SEA/*", {NOR, ON_JOBS}),
        ("metadataset/*/ON_NOR,ON_JOBS/1.0.0,1.1.0", {NOR, ON_JOBS}),
        ("metadataflow", LATEST),
        ("metadataflow/SEA/MDF_CATCH", {NEW, DRAFT}),
        ("metadataflow/SEA/MDF_NOTES/1.0.0", {NOR, ON_JOBS}),
        ("metadataflow/SEA/MDF_NOTES,MDF_CATCH/+", LATEST),
        ("metadataflow/*/*/*/SEA.COAST", {NEW}),
        ("metadataflow/*/*/*/COAST", {NEW}),
        ("metadataflow/*/*/*/HARBOUR", {DRAFT}),
        ("metadataflow/SEA/MDF_CATCH/~/SEA.*", {NEW, DRAFT}),
        ("metadataflow/*/*/*/SEA,COAST", {NEW, NOR, ON_JOBS}),
        ("structure", {DRAFT, NOR, ON_JOBS}),  # about the latest version of something
        ("structure/*/*/*/*", LATEST),
        ("structure/dataflow", {DRAFT, ON_JOBS}),
        ("structure/dataflow/*/*/1.0.0", {NEW, DRAFT, ON_JOBS}),
        ("structure/codelist/SEA/CL_PORT", {NOR, ON_JOBS}),
        ("structure/codelist/*/*/1.0.0", {NOR, ON_JOBS}),
        ("structure/*/SEA/CL_PORT,DF_JOBS", {NOR, ON_JOBS}),
        ("structure/dataflow/SEA/DF_CATCH/1.0.0", {NEW, DRAFT}),
        ("structure/dataflow/SEA/DF_CATCH/1.1.0", {DRAFT}),
        ("structure/dataflow/SEA/DF_CATCH", {DRAFT}),
        ("structure/dataflow/SEA/DF_CATCH/*", {NEW, DRAFT}),
        ("structure/dataflow/SEA/DF_CATCH_EST,DF_JOBS/~", {ON_JOBS}),
    ],
)
def test_what_a_query_finds(lighthouse: House, path: str, expected: set[str]) -> None:
    assert found(lighthouse, f"v2/metadata/{path}") == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("MDF_CATCH", {NEW, DRAFT}),
        ("SEA,MDF_CATCH", {NEW, DRAFT}),
        ("SEA,MDF_NOTES,1.0.0", {NOR, ON_JOBS}),
        ("SEA,MDF_NOTES,latest/all", {NOR, ON_JOBS}),
        ("all,MDF_CATCH,all/all/SEA,COAST", {NEW}),
        ("MDF_CATCH//HARBOUR", {DRAFT}),
        ("MDF_CATCH/all/COAST+HARBOUR", {NEW, DRAFT}),
    ],
)
def test_what_a_query_of_version_1_finds(lighthouse: House, path: str, expected: set[str]) -> None:
    assert found(lighthouse, f"v1/metadata/{path}") == expected


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("v2/metadata/metadataset/NOBODY", 404),
        ("v2/metadata/metadataset/SEA/ON_NOR/9.9.9", 404),
        ("v2/metadata/metadataflow/SEA/MDF_NONE", 404),
        ("v2/metadata/metadataflow/SEA/MDF_CATCH/1.0.0/SKY.COAST", 404),
        ("v2/metadata/structure/dataflow/SEA/DF_LICENCE", 404),
        ("v2/metadata/structure/metadatastructure", 404),
        ("v2/metadata", 400),
        ("v2/metadata/codelist/SEA", 400),
        ("v2/metadata/structure/dataflows", 400),
        ("v2/metadata/metadataset/SEA/ON_NOR/1.0.0/X", 400),
        ("v2/metadata/metadataset/SE A", 400),
        ("v2/metadata/metadataset/SEA/ON_NOR/1.x", 400),
        ("v2/metadata/metadataset/%2E%2E/%2E%2E", 400),
        ("v2/metadata/metadataset?detail=referencestubs", 400),
        ("v2/metadata/metadataset?references=all", 400),
        ("v2/metadata/metadataset?asOf=yesterday", 400),
        ("v2/metadata/metadataset?asOf=2024-01-01T00:00:00Z", 404),
        ("v2/metadata/metadataset?format=csvdata", 406),
        ("v2/metadata/metadataflow/*/*/*/A.B.C.D!", 400),
        ("v1/metadata/NONE", 404),
        ("v1/metadata/MDF_CATCH/all/SKY,COAST", 404),
        ("v1/metadata/MDF_CATCH/A.B", 403),
        ("v1/metadata/MDF_CATCH?startPeriod=2024", 403),
        ("v1/metadata/MDF_CATCH?firstNObservations=1", 403),
        ("v1/metadata", 400),
        ("v1/metadata/MDF_CATCH?detail=allstubs", 400),
    ],
)  # fmt: skip
def test_what_is_refused_and_how(lighthouse: House, path: str, status: int) -> None:
    assert lighthouse.get(path, None).status == status


@pytest.mark.parametrize("api", ["v2", "v1"])
def test_the_formats_and_their_order(api: str) -> None:
    offered = [one.media_types[0].removeprefix("application/vnd.sdmx.") for one in formats_for("metadata", api)]
    new = ["metadata+json;version=2.1.0", "metadata+xml;version=3.1.0", "metadata+csv;version=2.1.0",
           "metadata+json;version=2.0.0", "metadata+xml;version=3.0.0", "metadata+csv;version=2.0.0"]  # fmt: skip
    old = ["genericmetadata+xml;version=2.1", "structurespecificmetadata+xml;version=2.1"]
    assert offered == (new + old if api == "v2" else old + new)


@pytest.mark.parametrize(
    ("path", "accept", "answered"),
    [
        ("v2/metadata/metadataset", None, JSON),
        ("v2/metadata/metadataset", "application/xml", "application/vnd.sdmx.metadata+xml;version=3.1.0"),
        ("v2/metadata/metadataset", "text/csv", CSV),
        ("v2/metadata/metadataset", "application/vnd.sdmx.metadata+csv;version=2.0.0", CSV.replace("2.1", "2.0")),
        ("v2/metadata/metadataset", "application/vnd.sdmx.metadata+json;version=2.0+.0", JSON),
        ("v2/metadata/metadataset?format=genericmetadata", None, "application/vnd.sdmx.metadata+xml;version=3.1.0"),
        ("v2/metadata/metadataset", "application/vnd.sdmx.genericmetadata+xml", GENERIC),
        ("v2/metadata/metadataset?format=jsonmetadata&formatVersion=2.0.0", None, JSON.replace("2.1.0", "2.0.0")),
        ("v1/metadata/MDF_CATCH", None, GENERIC),
        ("v1/metadata/MDF_CATCH", "application/xml", GENERIC),
        (
            "v1/metadata/MDF_CATCH?format=structurespecificmetadata",
            None,
            GENERIC.replace("generic", "structurespecific"),
        ),
        ("v1/metadata/MDF_CATCH", "application/json", JSON),
    ],
)
def test_the_format_of_an_answer(lighthouse: House, path: str, accept: str | None, answered: str) -> None:
    answer = lighthouse.get(path, accept)
    assert (answer.status, answer.headers["Content-Type"].partition(";labels")[0]) == (200, answered)


@pytest.mark.parametrize("target", FORMATS, ids=str)
@pytest.mark.parametrize("path", ["v2/metadata/metadataset", "v2/metadata/metadataset?detail=allstubs"])
def test_every_format_answers_validly_and_alike(lighthouse: House, target: MetadataFormat, path: str) -> None:
    media_type = next(one.media_types[0] for one in formats_for("metadata", "v2") if one.name == target.name)
    answer = lighthouse.get(path, media_type)
    body = b"".join(answer.chunks)
    if target.family == "xml" and target.version == "2.1" and "stubs" in path:
        assert answer.status == 406  # there are no stubs of sets in 2.1
        return
    assert answer.status == 200, body
    wild = "DF_CATCH(*)"  # the schemas of SDMX-JSON let no target be a pattern, unlike that of SDMX-ML and the model
    assert [fault for fault in target.faults(body) if wild not in fault] == []
    read = {f"{one.agency}:{one.id}({one.version})": one for one in target.read(body).structures}
    assert set(read) == LATEST
    if "stubs" in path:
        assert all(one.value is None and not one.texts for made in read.values() for _, one in made.values())  # type: ignore[attr-defined]
        return
    values = [(path, one.value or dict(one.texts)) for path, one in read[NEW].values() if one.value or one.texts]  # type: ignore[attr-defined]
    french = MARKUP.replace("and", "et")
    assert values == [
        ("CONTACT.NAME", "Ann \"Fish\" O'Hara"), ("CONTACT.MAIL", "a@sea"), ("CONTACT.MAIL", "b@sea"),
        ("METHOD", {"en": MARKUP, "fr": french}), ("SHIPS", "12"), ("SAMPLED", "true"), ("FISHES", "COD"), ("FISHES", "EEL"),
        ("BREAK.YEAR", "1999"), ("BREAK.WHY", {"en": "Storm; fog", "fr": "Tempête"}), ("BREAK.YEAR", "2004"),
    ]  # fmt: skip


def test_values_have_the_types_of_the_structure(lighthouse: House) -> None:
    """Sent as text, answered as what the metadata structure says."""
    body = json.loads(lighthouse.body("v2/metadata/metadataset/COAST/CATCHES", JSON))
    values = {one["id"]: one.get("value") for one in body["data"]["metadataSets"][0]["attributes"]}
    assert (values["SHIPS"], values["SAMPLED"], values["FISHES"]) == (12, True, "EEL")
    root = etree.fromstring(lighthouse.body("v2/metadata/metadataset/COAST/CATCHES", "application/xml"))
    (method,) = root.xpath("//*[local-name()='Attribute'][@id='METHOD']")
    assert [etree.QName(one).localname for one in method] == ["StructuredText", "StructuredText"]
    assert "".join(method[0].itertext()) == "Nets and rods"


def test_stubs_have_their_names_and_no_values(lighthouse: House) -> None:
    (one,) = json.loads(lighthouse.body("v2/metadata/metadataset/COAST?detail=allstubs", JSON))["data"]["metadataSets"]
    assert (one["isExternalReference"], one["name"]) == (True, "The CATCHES")
    assert "annotations" not in one
    assert one["attributes"][0] == {"id": "CONTACT"}


@pytest.mark.parametrize(
    ("wish", "name"), [("fr", "Le CATCHES"), ("de, fr;q=0.5", "Le CATCHES"), (None, "The CATCHES")]
)
def test_names_are_in_the_best_language(lighthouse: House, wish: str | None, name: str) -> None:
    answer = lighthouse.get("v2/metadata/metadataset/COAST", JSON, accept_language=wish)
    (one,) = json.loads(b"".join(answer.chunks))["data"]["metadataSets"]
    assert one["name"] == name
    assert "names" not in one
    assert answer.headers["Content-Language"] == ("fr" if name.startswith("Le") else "en")


def test_every_language_of_names_on_wish(lighthouse: House) -> None:
    answer = lighthouse.get("v2/metadata/metadataset/COAST", JSON, accept_language="*")
    (one,) = json.loads(b"".join(answer.chunks))["data"]["metadataSets"]
    assert one["names"] == {"en": "The CATCHES", "fr": "Le CATCHES"}


def rows(house: House, path: str, accept: str, language: str = "fr") -> list[list[str]]:
    answer = house.get(path, accept, accept_language=language)
    return list(csv.reader(io.StringIO(b"".join(answer.chunks).decode()), strict=True))


def test_csv_with_ids(lighthouse: House) -> None:
    heading, row = rows(lighthouse, "v2/metadata/metadataset/COAST/CATCHES", CSV)
    assert heading == [
        "MDSTRUCTURE[;]", "MDSTRUCTURE_ID", "METADATASET_ID", "TARGET_TYPES", "TARGET_IDS", "CONTACT.NAME", "CONTACT.MAIL[]",
        "METHOD[en;fr]", "SHIPS", "SAMPLED", "FISHES[]", "BREAK[].YEAR", "BREAK[].WHY[en;fr]",
    ]  # fmt: skip
    french = MARKUP.replace("and", "et")
    twice = [text.replace('"', '""') for text in (MARKUP, french)]
    assert row == [
        "metadataprovision", "SEA:MPA_COAST(1.0.0)", "SEA.COAST:CATCHES(1.1.0)", "dataflow", "SEA:DF_CATCH(1.0.0)",
        "Ann \"Fish\" O'Hara", "a@sea;b@sea", f'en:"{twice[0]}";fr:"{twice[1]}"', "12", "true", "COD;EEL", "1999;2004",
        '"en:""Storm; fog"";fr:Tempête";',
    ]  # fmt: skip


def test_csv_with_names(lighthouse: House) -> None:
    heading, row = rows(lighthouse, "v2/metadata/metadataset/COAST/CATCHES", f"{CSV};labels=name")
    cells = dict(zip(heading, row, strict=True))
    assert (cells["MDSTRUCTURE_NAME"], cells["METADATASET_NAME"]) == ("Le MPA_COAST", "Le CATCHES")
    assert heading[heading.index("FISHES[]") + 1] == "Le FISHES"
    assert row[heading.index("FISHES[]") : heading.index("FISHES[]") + 2][0] == "COD;EEL"
    assert len(row[heading.index("FISHES[]") + 1].split(";")) == 2
    assert row[heading.index("SHIPS") + 1] == ""


def test_csv_with_both(lighthouse: House) -> None:
    heading, row = rows(lighthouse, "v2/metadata/metadataset/SEA/ON_JOBS", f"{CSV};labels=both", "en")
    assert heading[-1] == "SHIPS: The SHIPS"
    assert row[1:3] == ["SEA:MDF_NOTES(1.0.0): The MDF_NOTES", "SEA:ON_JOBS(1.0.0): The ON_JOBS"]
    assert row[3:] == ["dataflow;codelist", row[4], "3"]
    assert row[4].startswith("SEA:DF_JOBS(1.0.0): The DF_JOBS;SEA:CL_PORT(1.0.0).NOR: ")


def test_metadata_sets_are_no_structures(lighthouse: House) -> None:
    """They refer to structures, and do not come with them."""
    accept = "application/vnd.sdmx.structure+json;version=2.1.0"
    for path in ("structure/*?detail=allstubs", "structure/metadataflow?references=all", "structure/metadataflow?references=parents",
                 "structure/metadataprovisionagreement?references=ancestors"):  # fmt: skip
        assert b"MetadataSet" not in lighthouse.body(f"v2/{path}", accept)


def test_an_unchanged_answer_is_not_sent_again(lighthouse: House) -> None:
    first = lighthouse.get("v2/metadata/metadataset", JSON)
    assert lighthouse.get("v2/metadata/metadataset", JSON, if_none_match=first.headers["ETag"]).status == 304


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("metadataflow/SEA/MDF_CATCH?references=children", {"MDF_CATCH", "MSD_CATCH"}),
        ("metadataflow/SEA/MDF_CATCH?references=parents", {"MDF_CATCH", "MPA_COAST"}),
        ("metadataflow/SEA/MDF_NOTES?references=parents", {"MDF_NOTES"}),
        ("metadataflow/SEA/MDF_CATCH?references=descendants", {"MDF_CATCH", "MSD_CATCH", "CS_META", "CL_FISH"}),
        ("metadataflow/SEA/MDF_CATCH?references=codelist", {"MDF_CATCH", "CL_FISH"}),
        ("metadatastructure/SEA/MSD_CATCH?references=children", {"MSD_CATCH", "CS_META", "CL_FISH"}),
        ("metadatastructure/SEA/MSD_CATCH?references=parents", {"MSD_CATCH", "MDF_CATCH", "MDF_NOTES"}),
        ("metadatastructure/SEA/MSD_CATCH?references=ancestors", {"MSD_CATCH", "MDF_CATCH", "MDF_NOTES", "MPA_COAST"}),
        ("metadatastructure/SEA/MSD_CATCH?references=metadataprovisionagreement", {"MSD_CATCH", "MPA_COAST"}),
        (
            "metadataprovisionagreement/SEA/MPA_COAST?references=children",
            {"MPA_COAST", "MDF_CATCH", "METADATA_PROVIDERS"},
        ),
        ("metadataproviderscheme/SEA/METADATA_PROVIDERS?references=parents", {"METADATA_PROVIDERS", "MPA_COAST"}),
        (
            "metadataproviderscheme/SEA/METADATA_PROVIDERS/1.0/COAST?references=parents",
            {"METADATA_PROVIDERS", "MPA_COAST"},
        ),
        ("metadataproviderscheme/SEA/METADATA_PROVIDERS/1.0/HARBOUR?references=parents", {"METADATA_PROVIDERS"}),
        (
            "dataproviderscheme/SEA/DATA_PROVIDERS/1.0/COAST?references=provisionagreement",
            {"DATA_PROVIDERS", "PA_CATCH_COAST"},
        ),
    ],
)
def test_references_of_structures_of_metadata(lighthouse: House, path: str, found: set[str]) -> None:
    body = json.loads(lighthouse.body(f"v2/structure/{path}", "application/vnd.sdmx.structure+json;version=2.1.0"))
    assert {one["id"] for several in body["data"].values() for one in several} == found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(query=v2_metadata())
def test_any_query_of_the_grammar_is_answered(lighthouse: House, query: MetadataQuery) -> None:
    path, parameters = v2.format(query)
    answer = lighthouse.get(f"v2/{path}?{parameters}", None)
    wished = query.representation.format or query.representation.format_version or query.representation.compression
    assert answer.status in ({200, 404} | ({406} if wished else set()))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    by=st.sampled_from(["metadataset", "metadataflow", "structure", "", "x"]),
    parts=st.lists(st.text(max_size=8).map(lambda text: quote(text, safe="*,+~.")), max_size=6),
    query=st.text(max_size=20).map(lambda text: quote(text, safe="=&")),
)
def test_any_path_gives_an_answer_of_the_table(lighthouse: House, by: str, parts: list[str], query: str) -> None:
    for api in ("v1", "v2"):
        path = "/".join(["metadata", *([by] if api == "v2" else []), *parts])
        assert lighthouse.get(f"{api}/{path}?{query}", None).status in (200, 400, 403, 404, 406, 414, 501)
