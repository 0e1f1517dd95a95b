"""Metadata sets against their structures: each fault with its place, and nothing against a right one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import deserialise, load_folder, serialise
from sdmx_service.catalog.metadata import check_metadata_set, sets_about, typed
from sdmx_service.formats.sdmx_json.metadata_reader import read_metadata
from sdmx_service.model.message import Action
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import Ref
from tests.rest.fishery import URN, write_content
from tests.rest.lighthouse import FULL, message, sets, structures, value


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = write_content(tmp_path_factory.mktemp("lighthouse") / "content")
    (folder / "dsd" / "metadata.json").write_text(message(**structures()), "utf-8")
    (folder / "dsd" / "sets.json").write_text(message(metadataSets=sets()), "utf-8")
    return load_folder(folder).catalog()


@cache
def _read(text: str) -> MetadataSet:
    import io

    (found,) = read_metadata(io.BytesIO(text.encode())).structures
    assert isinstance(found, MetadataSet)
    return found


def made(*attributes: dict[str, Any], **more: Any) -> MetadataSet:
    return _read(message(metadataSets=[{**sets()[1], "attributes": list(attributes), **more}]))


def test_the_sets_of_the_lighthouse_are_right(catalog: Catalog) -> None:
    for one in catalog.of_type("MetadataSet"):
        assert isinstance(one, MetadataSet)
        assert check_metadata_set(one, catalog) == ()


def test_sets_are_kept_as_they_were(catalog: Catalog) -> None:
    ours = [one for one in catalog.artefacts.values() if isinstance(one, MetadataSet)]
    assert len(ours) == 5
    content = load_folder(Path("nowhere"))
    content.artefacts += ours
    stored = serialise(content)
    assert f"{URN}metadatastructure.MetadataSet=SEA.COAST:CATCHES(1.1.0)" in stored
    assert deserialise(stored).artefacts == ours


@pytest.mark.parametrize(
    ("attributes", "place", "words"),
    [
        ([value("SHIP", "1")], "SHIP", "no such metadata attribute here. Near: SHIPS"),
        ([value("NAME", "x")], "NAME", "It belongs at CONTACT.NAME"),
        ([value("CONTACT", None, value("SHIPS", "1"), value("NAME", "x"))], "CONTACT.SHIPS", "It belongs at SHIPS"),
        ([value("CONTACT", "x", value("NAME", "x"))], "CONTACT", "it is a heading"),
        ([value("CONTACT", None, value("MAIL", "a@b"))], "CONTACT.NAME", "it is mandatory, and is here 0 times"),
        ([value("CONTACT", None, value("NAME", "x"), value("NAME", "y"))], "CONTACT.NAME", "at most 1 times, and is here 2"),
        ([value("CONTACT", None, value("NAME", "x"), value("MAIL", "a@b"), value("MAIL", "ab"))], "CONTACT.MAIL[2]", "expected"),
        ([value("SHIPS", "-1")], "SHIPS", "expected"),
        ([value("SHIPS", 1.5)], "SHIPS", "expected"),
        ([value("SHIPS", "many")], "SHIPS", "expected"),
        ([value("SAMPLED", "maybe")], "SAMPLED", "true or false"),
        ([value("SHIPS", {"en": "1"})], "SHIPS", "not texts by language"),
        ([value("FISHES", {"en": "COD"})], "FISHES", "not texts by language"),
        ([value("FISHES", "COD"), value("FISHES", "CODD")], "FISHES[2]", "it is not in SEA:CL_FISH(1.0+.0). Near: COD"),
        ([value("BREAK", None, value("YEAR", "99"))], "BREAK.YEAR", "expected"),
    ],
)  # fmt: skip
def test_faults_of_values_have_their_place(catalog: Catalog, attributes: list[Any], place: str, words: str) -> None:
    (fault,) = check_metadata_set(made(*attributes), catalog)
    assert fault.place == place
    assert words in str(fault)


@pytest.mark.parametrize(
    ("more", "place", "words"),
    [
        (
            {"targets": [f"{URN}codelist.Codelist=SEA:CL_PORT(1.0.0)"]},
            "targets[1]",
            "MDF_CATCH(1.0.0) does not allow it",
        ),
        ({"targets": [f"{URN}datastructure.Dataflow=SKY:DF_CATCH(1.0.0)"]}, "targets[1]", "does not allow it"),
        ({"agencyID": "HARBOUR"}, "agencyID", "with another provider. Write SEA.COAST or COAST"),
        ({"id": "*"}, "id", "it is no id"),
        ({"version": "*"}, "version", "it is no version"),
        ({"version": "latest"}, "version", "it is no version"),
        ({"agencyID": "9 lives"}, "agencyID", "it is no agencyID"),
    ],
)
def test_faults_of_the_head(catalog: Catalog, more: dict[str, Any], place: str, words: str) -> None:
    (fault,) = check_metadata_set(made(value("SHIPS", "1"), **more), catalog)
    assert fault.place == place
    assert words in str(fault)


def test_what_it_is_reported_against_must_be_here(catalog: Catalog) -> None:
    one = made(*FULL)
    gone = replace(one, described_by=Ref(type="Metadataflow", agency="SEA", id="MDF_GONE", version="1.0.0"))
    (fault,) = check_metadata_set(gone, catalog)
    assert "there is no such Metadataflow here" in str(fault)
    (fault,) = check_metadata_set(replace(one, described_by=None), catalog)
    assert fault.place == "metadataflow"


def test_a_set_that_deletes_needs_no_values(catalog: Catalog) -> None:
    empty = replace(made(value("CONTACT", None, value("MAIL", "-"))), action=Action.DELETE, targets=())
    assert check_metadata_set(empty, catalog) == ()


def test_any_set_gives_faults_and_no_exception(catalog: Catalog) -> None:
    strange = MetadataAttributeValue(id="CONTACT", value="", attributes=(MetadataAttributeValue(id="CONTACT"),) * 3)
    one = replace(made(*FULL), targets=("nonsense", "urn:sdmx:x"), attributes=(strange,) * 4)
    assert len(check_metadata_set(one, catalog)) > 5


def test_values_get_the_types_of_their_structure(catalog: Catalog) -> None:
    found = {path: one.data_type for path, one in typed(made(*FULL), catalog).values()}
    assert (found["SHIPS"], found["SAMPLED"], found["METHOD"], found["FISHES"]) == (
        "Integer",
        "Boolean",
        "XHTML",
        "String",
    )


def test_what_is_about_a_dataflow(catalog: Catalog) -> None:
    flows = [one for one in catalog.of_type("Dataflow") if isinstance(one, Dataflow)]
    found = {one.ref.text: [each.ref.text for each in sets_about(one, catalog)] for one in flows}
    draft, coast = "HARBOUR:CATCHES(2.0.0-draft)", "SEA.COAST:CATCHES(1.1.0)"
    assert found["SEA:DF_CATCH(1.0.0)"] == [draft, coast]
    assert found["SEA:DF_CATCH(1.1.0)"] == [draft]
    assert found["SEA:DF_JOBS(1.0.0)"] == ["SEA:ON_JOBS(1.0.0)"]
    assert found["SEA:DF_LICENCE(1.0.0)"] == []


def test_a_structure_alone_is_told_its_flows(catalog: Catalog) -> None:
    ref = Ref(type="MetadataStructure", agency="SEA", id="MSD_CATCH", version="1.0.0")
    one = replace(made(value("SHIPS", "1")), described_by=ref)
    (fault,) = check_metadata_set(one, catalog)
    assert "SEA:MDF_CATCH(1.0.0), SEA:MDF_NOTES(1.0.0)" in fault.hint
