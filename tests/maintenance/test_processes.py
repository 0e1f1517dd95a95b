"""Two service processes on one PostgreSQL: each is a store and a library of its own."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sdmx_service.auth import OPERATOR
from sdmx_service.formats.registry import named
from sdmx_service.maintenance.registrations import submit_registrations
from sdmx_service.maintenance.structures import Address, delete_structure, submit_structures
from sdmx_service.model.artefact import ItemScheme
from sdmx_service.model.message import Message
from sdmx_service.model.registration import Registration, Result
from sdmx_service.model.urn import Ref, artefact_type
from tests.harness import House, open_house
from tests.rest.fishery import write_content
from tests.rest.maintaining import codelist, concepts, dataflow, message, structure

pytestmark = pytest.mark.postgres


@pytest.fixture
def houses(postgres_database: str, tmp_path: Path) -> Iterator[tuple[House, House]]:
    content = write_content(tmp_path / "content")
    with ExitStack() as stack:
        yield (
            stack.enter_context(open_house(postgres_database, content)),
            stack.enter_context(open_house(postgres_database, content)),
        )


def post(house: House, *artefacts: tuple[str, dict]) -> list[Result]:
    read = named("structure-json").read
    assert read is not None
    sent = read(io.BytesIO(json.dumps(message(*artefacts)).encode()), lambda ref: pytest.fail(str(ref)))
    assert isinstance(sent, Message)
    return list(submit_structures(sent, Address(), house.library, OPERATOR))


def codes(house: House, ref: Ref) -> list[str]:
    found = house.library.view().catalog.artefact(ref)
    assert isinstance(found, ItemScheme)
    return [item.id for item in found.items]


def test_changes_from_both_sides_all_come_through(houses: tuple[House, House]) -> None:
    ref = Ref(type="Codelist", agency="SEA", id="CL_BOTH", version="1.0")
    post(houses[0], codelist("CL_BOTH", "1.0", "START"))
    assert codes(houses[1], ref) == ["START"]
    with ThreadPoolExecutor(8) as pool:
        several = pool.map(
            lambda n: post(houses[n % 2], codelist("CL_BOTH", "1.0", f"C{n}", isPartial=True)), range(12)
        )  # fmt: skip
        assert [one.code for results in several for one in results] == [200] * 12
    wanted = sorted(["START", *(f"C{n}" for n in range(12))])
    assert [sorted(codes(house, ref)) for house in houses] == [wanted, wanted]
    results = delete_structure(Address(kind=artefact_type("Codelist"), ref=ref), houses[1].library, OPERATOR)
    assert [one.code for one in results] == [200]
    assert houses[0].library.view().catalog.lookup(ref) is None


def test_a_cube_that_one_makes_anew_is_what_the_other_writes_to(houses: tuple[House, House]) -> None:
    one, other = houses
    parts = [codelist("CL_D", "1.0.0", "X", "Y"), concepts("CS_D", "1.0.0", "A", "B", "HEADS")]
    lists = {"A": "CL_D(1.0.0)", "B": "CL_D(1.0.0)"}
    post(one, *parts, structure("DSD_D", "1.0.0-draft", "CS_D(1.0.0)", {"A": "CL_D(1.0.0)"}))
    post(other, dataflow("DF_D", "1.0.0-draft", "DSD_D(1.0.0-draft)"))
    assert [result.code for result in post(one, structure("DSD_D", "1.0.0-draft", "CS_D(1.0.0)", lists))] == [200]
    sent = b"STRUCTURE,STRUCTURE_ID,ACTION,A,B,HEADS\ndataflow,SEA:DF_D(1.0.0-draft),M,X,Y,3\n"
    receipt, findings = other.send(sent, provider="SEA.HARBOUR")
    assert receipt.status == "published", findings
    for house in houses:
        (row,) = house.rows("v2/data/dataflow/SEA/DF_D/1.0.0-draft")
        assert (row["A"], row["B"], row["HEADS"]) == ("X", "Y", "3")
    assert [
        result.code for result in post(other, structure("DSD_D", "1.0.0-draft", "CS_D(1.0.0)", {"A": "CL_D(1.0.0)"}))
    ] == [409]


def test_registrations_and_earlier_moments_are_the_same_on_both(houses: tuple[House, House]) -> None:
    agreement = Ref(type="ProvisionAgreement", agency="SEA", id="PA_JOBS", version="1.0.0")
    request = ("Append", Registration(agreement=agreement, simple="https://sea.example/a.csv"))
    before = datetime.now(UTC)
    (made,) = submit_registrations([request], houses[0].library, OPERATOR)
    assert isinstance(made.subject, Registration)
    for house in houses:
        assert dict(house.library.view().catalog.registrations) == {made.subject.id: made.subject}
        assert dict(house.library.catalog_at(before).registrations) == {}
