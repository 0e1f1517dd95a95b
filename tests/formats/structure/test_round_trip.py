"""Properties: what a format can carry comes back equal, valid, and with every language."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdmx_service.errors import SdmxError
from sdmx_service.model.artefact import Texts
from sdmx_service.model.constraint import AvailabilityConstraint, CubeRegion, DataConstraint, KeyValue, MemberValue
from sdmx_service.model.items import Code, Codelist
from sdmx_service.model.message import Header, Message, Party, WriteOptions
from sdmx_service.model.urn import Ref
from tests.formats.structure.artefacts import BEFORE_VTL, RULESETS, SINCE_3_0
from tests.formats.structure.messages import FORMATS, StructureFormat, reader_of, said_in_1_0
from tests.formats.structure.messages import SINCE_3_0 as SINCE_3_0_FORMATS

SLOW = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=40)


@pytest.mark.parametrize("target", FORMATS, ids=str)
@SLOW
@given(artefact=BEFORE_VTL)
def test_what_every_format_has_comes_back_equal(target: StructureFormat, artefact) -> None:
    if isinstance(artefact, DataConstraint) and target.sdmx == "3.1":
        artefact = _without_role(artefact)
    if target.version == "1.0":
        artefact = said_in_1_0(artefact)
    _check(target, artefact)


@pytest.mark.parametrize("target", FORMATS[:5], ids=str)
@SLOW
@given(artefact=RULESETS)
def test_what_all_but_the_oldest_have_comes_back_equal(target: StructureFormat, artefact) -> None:
    _check(target, artefact)


@pytest.mark.parametrize("target", SINCE_3_0_FORMATS, ids=str)
@SLOW
@given(artefact=SINCE_3_0)
def test_what_3_0_brought_comes_back_equal(target: StructureFormat, artefact) -> None:
    _check(target, artefact)


def _without_role(artefact: DataConstraint) -> DataConstraint:
    """From 3.1 on a data constraint has no role: it is always Allowed."""
    return replace(artefact, role=None)


def _check(target: StructureFormat, artefact) -> None:
    written = target.write(Message(structures=(artefact,)))
    assert target.faults(written) == []
    assert target.read(written).structures == (artefact,)


@pytest.mark.parametrize("target", FORMATS, ids=str)
def test_an_empty_message_is_valid(target: StructureFormat) -> None:
    written = target.write(Message(header=Header(id="EMPTY", sender=Party(id="ME"))))
    assert target.faults(written) == []
    read = target.read(written)
    assert (read.structures, read.header.id, read.header.sender.id) == ((), "EMPTY", "ME")


@pytest.mark.parametrize("target", FORMATS, ids=str)
def test_a_stub_is_valid_and_leads_somewhere(target: StructureFormat) -> None:
    stub = Codelist(id="CL", agency="AG", version="1.0", names=Texts({"en": "Codes"}), is_external_reference=True,
                    structure_url="https://example.org/codelist/AG/CL/1.0", service_url="https://example.org")  # fmt: skip
    written = target.write(Message(structures=(stub,)))
    assert target.faults(written) == []
    assert target.read(written).structures == (stub,)


AVAILABLE = AvailabilityConstraint(
    attachment=Ref(type="Dataflow", agency="AG", id="DF", version="1.0.0"),
    region=CubeRegion(members=(KeyValue(component="FREQ", values=(MemberValue(value="A"), MemberValue(value="M"))),)),
    series_count=12,
    observation_count=345,
)


@pytest.mark.parametrize("target", [one for one in FORMATS if one.sdmx == "3.1"], ids=str)
def test_what_is_there_is_an_availability_constraint_in_3_1(target: StructureFormat) -> None:
    written = target.write(Message(availability=(AVAILABLE,)))
    assert target.faults(written) == []
    assert target.read(written).availability == (AVAILABLE,)


@pytest.mark.parametrize("target", [one for one in FORMATS if one.sdmx != "3.1"], ids=str)
def test_what_is_there_is_an_actual_constraint_before_3_1(target: StructureFormat) -> None:
    written = target.write(Message(availability=(AVAILABLE,)))
    assert target.faults(written) == []
    (found,) = target.read(written).structures
    assert isinstance(found, DataConstraint)
    assert (found.role, found.attachments, found.regions) == ("Actual", (AVAILABLE.attachment,), (AVAILABLE.region,))
    assert {note.id: note.title for note in found.annotations} == {"series_count": "12", "obs_count": "345"}


NAMES = Texts({"fr": "Codes", "en": "Code list", "ar": "رموز"})
LISTED = Codelist(id="CL", agency="AG", names=NAMES, items=(Code(id="A", names=Texts({"de": "Ah"})),))


@pytest.mark.parametrize(("languages", "name"), [(("fr",), "Codes"), (("de", "ar"), "رموز"), ((), "Code list")])
def test_json_has_the_best_language_or_all(languages: tuple[str, ...], name: str) -> None:
    target = FORMATS[4]
    body = json.loads(target.write(Message(structures=(LISTED,)), WriteOptions(languages=languages)))
    assert body["data"]["codelists"][0]["name"] == name
    assert "names" not in body["data"]["codelists"][0]
    assert "de" in body["meta"]["contentLanguages"]  # the code has no other name
    every = json.loads(
        target.write(Message(structures=(LISTED,)), WriteOptions(languages=languages, all_languages=True))
    )
    assert every["data"]["codelists"][0]["names"] == dict(NAMES)
    assert sorted(every["meta"]["contentLanguages"]) == ["ar", "de", "en", "fr"]


def test_xml_always_has_every_language() -> None:
    for target in FORMATS[:3]:
        assert target.read(target.write(Message(structures=(LISTED,)), WriteOptions(languages=("fr",)))).structures == (
            LISTED,
        )


@pytest.mark.parametrize("target", FORMATS, ids=str)
def test_an_indented_message_says_the_same(target: StructureFormat) -> None:
    message = Message(structures=(LISTED,))
    indented = target.write(message, WriteOptions(all_languages=True, indent=True))
    assert indented.count(b"\n") > 10
    assert target.read(indented).structures == (LISTED,)


@pytest.mark.parametrize("family", ["sdmx-ml", "sdmx-json"])
@SLOW
@given(content=st.binary(max_size=200))
def test_any_bytes_give_a_message_or_an_error_of_ours(family: str, content: bytes) -> None:
    try:
        reader_of(family)(io.BytesIO(content))
    except SdmxError as error:
        assert error.detail


@pytest.mark.parametrize("target", FORMATS, ids=str)
@SLOW
@given(artefact=BEFORE_VTL, data=st.data())
def test_a_damaged_message_gives_a_message_or_an_error_of_ours(target: StructureFormat, artefact, data) -> None:
    told = said_in_1_0(artefact) if target.version == "1.0" else artefact
    written = target.write(Message(structures=(told,)))
    at = data.draw(st.integers(0, len(written) - 1))
    length = data.draw(st.integers(0, 40))
    damaged = written[:at] + data.draw(st.binary(max_size=8)) + written[at + length :]
    try:
        target.read(damaged)
    except SdmxError as error:
        assert error.detail
