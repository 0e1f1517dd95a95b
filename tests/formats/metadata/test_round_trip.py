"""Properties: what a format can carry comes back equal and is valid; any bytes give an error of our own."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from sdmx_service.errors import CannotWrite, SdmxError
from sdmx_service.model.artefact import Texts
from sdmx_service.model.message import Header, Message, Party, WriteOptions
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet
from sdmx_service.model.urn import Ref
from tests.formats.metadata.messages import FORMATS, READERS, MetadataFormat
from tests.formats.metadata.sets import CSV, EVERYWHERE, JSON_ONLY, OLD, SINCE_3_0

SLOW = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    max_examples=12,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking a whole set takes minutes
)
WHOLE = [one for one in FORMATS if one.family != "csv"]
NEW = [one for one in WHOLE if one.version != "2.1" or one.family == "json"]
V2_1 = [one for one in WHOLE if one.family == "xml" and one.version == "2.1"]


def check(target: MetadataFormat, *sets: MetadataSet) -> None:
    written = target.write(Message(structures=sets))
    assert target.faults(written) == []
    assert target.read(written).structures == sets


@pytest.mark.parametrize("target", WHOLE, ids=str)
@SLOW
@given(made=EVERYWHERE)
def test_what_every_format_has_comes_back_equal(target: MetadataFormat, made: MetadataSet) -> None:
    check(target, made)


@pytest.mark.parametrize("target", NEW, ids=str)
@SLOW
@given(made=SINCE_3_0)
def test_what_3_0_brought_comes_back_equal(target: MetadataFormat, made: MetadataSet) -> None:
    check(target, made)


@pytest.mark.parametrize("target", V2_1, ids=str)
@SLOW
@given(made=OLD)
def test_agreements_and_structures_survive_2_1(target: MetadataFormat, made: MetadataSet) -> None:
    check(target, made)


@pytest.mark.parametrize("target", [one for one in FORMATS if one.family == "json"], ids=str)
@SLOW
@given(made=JSON_ONLY)
def test_formats_of_values_are_carried_by_json(target: MetadataFormat, made: MetadataSet) -> None:
    check(target, made)


@pytest.mark.parametrize("target", [one for one in FORMATS if one.family == "csv"], ids=str)
@SLOW
@given(sets=st.lists(CSV, min_size=1, max_size=3))
def test_what_a_table_can_carry_comes_back_equal(target: MetadataFormat, sets: list[MetadataSet]) -> None:
    if target.version == "2.0":
        sets = [replace(one, is_partial_language=None) for one in sets]
    written = target.write(Message(structures=tuple(sets)))
    read = target.read(written).structures
    alike = [replace(one, attributes=()) for one in sets]
    assert [replace(one, attributes=()) for one in read] == alike  # type: ignore[type-var]
    for before, after in zip(sets, read, strict=True):
        assert isinstance(after, MetadataSet)
        assert outline(after.attributes, sets) == outline(before.attributes, sets)


def outline(attributes: tuple[MetadataAttributeValue, ...], sets: list[MetadataSet], above: str = "") -> object:
    """The values by id; the columns are shared by all sets, so neither order nor a value among texts is kept."""
    found: dict[str, list[object]] = {}
    for one in attributes:
        path = f"{above}{one.id}"
        text: object = one.texts or one.value
        languages = [tag for other in sets for where, each in other.values() if where == path for tag in each.texts]
        if one.value is not None and languages:
            text = Texts({languages[0]: one.value})
        found.setdefault(one.id, []).append((text, outline(one.attributes, sets, f"{path}.")))
    return found


@pytest.mark.parametrize("reader", READERS, ids=lambda one: one.name)
@settings(max_examples=80)
@given(content=st.binary(max_size=60) | st.text(max_size=80).map(str.encode))
@example(content=b"")
@example(content=b"MDSTRUCTURE")
@example(content=b'MDSTRUCTURE,"')
@example(content=b'{"data":{"metadataSets":[1]}}')
@example(content=b'{"data":{"metadataSets":[{"id":"A"}]}}')
@example(content=b'{"meta":[],"data":{"metadataSets":[]}}')
@example(content=b'{"data":{"metadataSets":' + b"[" * 900 + b"]" * 900 + b"}}")
def test_any_bytes_give_an_error_of_our_own(reader, content: bytes) -> None:
    try:
        reader.read(io.BytesIO(content), None)
    except SdmxError as error:
        assert error.detail


FLOW = Ref(type="Metadataflow", agency="AG", id="MDF", version="1.0.0")
SET = MetadataSet(
    id="S", agency="AG", version="1.0.0", names=Texts({"en": "Set", "fr": "Jeu"}), described_by=FLOW,
    targets=("urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=AG:DF(1.0.0)",),
    attributes=(MetadataAttributeValue(id="A", value="x"),),
)  # fmt: skip


RICH = replace(
    SET,
    attributes=(
        MetadataAttributeValue(
            id="HEADING",
            attributes=(
                MetadataAttributeValue(id="B", texts=Texts({"en": 'say "it"; twice', "fr": "oui"})),
                MetadataAttributeValue(id="B", texts=Texts({"en": "again"})),
                MetadataAttributeValue(id="C", value="12", data_type="Integer"),
            ),
        ),
    ),
)


@pytest.mark.parametrize("target", FORMATS, ids=str)
@settings(max_examples=80)
@given(data=st.data())
def test_a_damaged_message_gives_an_error_of_our_own(target: MetadataFormat, data: st.DataObject) -> None:
    written = target.write(Message(structures=(RICH,)))
    start = data.draw(st.integers(0, len(written)))
    end = data.draw(st.integers(start, min(len(written), start + 40)))
    damaged = written[:start] + data.draw(st.binary(max_size=4)) + written[end:]
    try:
        target.read(damaged)
    except SdmxError as error:
        assert error.detail


@pytest.mark.parametrize("target", FORMATS, ids=str)
def test_the_header_travels(target: MetadataFormat) -> None:
    written = target.write(Message(header=Header(id="M1", sender=Party(id="ME")), structures=(SET,)))
    header = target.read(written).header
    if target.family != "csv":
        assert (header.id, header.sender.id) == ("M1", "ME")


@pytest.mark.parametrize("target", [one for one in FORMATS if one.family == "json"], ids=str)
def test_an_empty_message_is_valid(target: MetadataFormat) -> None:
    written = target.write(Message(header=Header(id="EMPTY", sender=Party(id="ME"))))
    assert target.faults(written) == []
    assert target.read(written).structures == ()


@pytest.mark.parametrize("target", [one for one in FORMATS if one.family == "xml"], ids=str)
def test_no_header_can_be_written_without_a_set(target: MetadataFormat) -> None:
    with pytest.raises(CannotWrite, match="no metadata set"):
        target.write(Message())


@pytest.mark.parametrize(("language", "names"), [(("fr",), "Jeu"), (("de",), "Set"), (("fr-CH",), "Jeu"), ((), "Set")])
def test_json_has_the_best_name_and_every_language_of_values(language: tuple[str, ...], names: str) -> None:
    made = replace(SET, attributes=(MetadataAttributeValue(id="A", texts=Texts({"en": "x", "fr": "y"})),))
    (target,) = (one for one in FORMATS if one.name == "metadata-json-2.1")
    written = target.write(Message(structures=(made,)), WriteOptions(languages=language))
    assert target.faults(written) == []
    assert f'"name":"{names}"'.encode() in written
    assert b'"names"' not in written
    assert b'"value":{"en":"x","fr":"y"}' in written


@pytest.mark.parametrize("target", FORMATS, ids=str)
@pytest.mark.parametrize(
    "made",
    [
        replace(SET, id="no id"),
        replace(SET, attributes=(MetadataAttributeValue(id="no id", value="x"),)),
        replace(SET, attributes=(MetadataAttributeValue(id="A", value="x", texts=Texts({"en": "y"})),)),
        replace(SET, described_by=None),
    ],
)
def test_what_no_message_can_say_is_refused(target: MetadataFormat, made: MetadataSet) -> None:
    with pytest.raises(CannotWrite):
        target.write(Message(structures=(made,)))


@pytest.mark.parametrize("target", [one for one in FORMATS if one.family == "xml"], ids=str)
@pytest.mark.parametrize("value", ["\x00", "a\x0bb", "￾"])
def test_what_xml_cannot_say_is_refused(target: MetadataFormat, value: str) -> None:
    for one in (
        MetadataAttributeValue(id="A", value=value),
        MetadataAttributeValue(id="A", texts=Texts({"en": value})),
    ):
        with pytest.raises(CannotWrite, match="XML cannot carry"):
            target.write(Message(structures=(replace(SET, attributes=(one,)),)))


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><p>&b;</p>",
        "&nbsp;",
        "</text><x/><text>",
        "<x:p>q</x:p>",
    ],
)
def test_what_is_no_markup_is_written_as_text(markup: str) -> None:
    one = MetadataAttributeValue(id="A", texts=Texts({"en": markup}), data_type="XHTML")
    for target in FORMATS:
        if target.family == "xml":
            check(target, replace(SET, attributes=(one,)))
