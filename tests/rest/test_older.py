"""Clients of SDMX 2.1 get the structure of the data they get, and of several artefacts those that 2.1 can carry."""

from __future__ import annotations

import pytest
from lxml import etree

from tests.harness import House
from tests.rest.reading_back import faults

XML = "application/vnd.sdmx.structure+xml;version=2.1"
SPECIFIC = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"


def test_a_structure_says_what_its_data_say(fishery: House) -> None:
    """Every component of the data is in the structure of SDMX 2.1, and none is coded that is sent as a text."""
    data = etree.fromstring(fishery.body("v1/data/SEA,DF_CATCH,1.0.0", SPECIFIC))
    body = fishery.body("v1/datastructure/SEA/DSD_CATCH/1.0.0", XML)
    assert faults(XML, body) == []
    structure = etree.fromstring(body)
    components = {
        one.get("id"): one
        for one in structure.iter("{*}Dimension", "{*}TimeDimension", "{*}Attribute", "{*}PrimaryMeasure")
        if one.get("id")
    }
    used = {name for one in data.iter("Series", "Obs", "Group") for name in one.attrib if not name.startswith("{")}
    assert used <= set(components)
    assert {"OBS_VALUE", "GRADE", "GEAR", "REMARK"} <= used
    assert etree.QName(components["OBS_VALUE"]).localname == "PrimaryMeasure"
    assert components["GRADE"].find(".//{*}Enumeration") is not None
    assert components["GEAR"].find(".//{*}Enumeration") is None


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("v1/dataflow/SEA/DF_CATCH/all", "DF_CATCH(2.0.0-draft)"),
        ("v1/codelist/SEA/all/all", "CL_MANY(2.1.0-draft)"),
        ("v1/datastructure/SEA/DSD_CATCH?references=structureset", "SM_HARBOUR_BOOK(1.0.0)"),
        ("v1/datastructure/SEA/DSD_CATCH?references=parents", "DF_CATCH(2.0.0-draft)"),
    ],
)
def test_what_cannot_be_carried_is_named_and_the_rest_is_sent(fishery: House, path: str, left_out: str) -> None:
    body = fishery.body(path, XML)
    assert faults(XML, body) == []
    root = etree.fromstring(body)
    (text,) = (one.findtext("{*}Text") for one in root.iterfind("{*}Footer/{*}Message"))
    assert left_out in text
    sent = [one.get("urn") for one in root.iterfind("{*}Structures/*/*")]
    assert sent
    assert not any(urn.endswith(left_out) for urn in sent)


@pytest.mark.parametrize("path", ["v1/structureset/SEA/SM_HARBOUR_BOOK"])
def test_what_is_asked_for_by_name_is_sent_or_refused(fishery: House, path: str) -> None:
    assert fishery.get(path, XML).status == 406
    assert fishery.get(f"{path}?references=children", XML).status == 406


def test_latest_is_in_production(fishery: House) -> None:
    """SDMX-REST 1.5: *latest* is the latest version in production; a draft hides nothing."""
    assert b"(1.1.0)" in fishery.body("v1/dataflow/SEA/DF_CATCH", XML)
    assert b'version="1.1.0"' in fishery.body("v1/data/SEA,DF_CATCH", SPECIFIC)
    assert b"2.0.0-draft" in fishery.body("v2/structure/dataflow/SEA/DF_CATCH", None)


@pytest.mark.parametrize(
    ("path", "status"),
    [("v1/allowedconstraint/SEA", 200), ("v1/actualconstraint/SEA", 404), ("v1/contentconstraint/SEA", 200)],
)
def test_allowed_and_actual_constraints_are_told_apart(fishery: House, path: str, status: int) -> None:
    assert fishery.get(path, XML).status == status
