"""SDMX-ML as written: valid against the official schemas, read back with lxml, sdmx1 and pysdmx, compared with the source rows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import sdmx
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pysdmx.io import read_sdmx

from sdmx_service.errors import CannotWrite, SemanticFault, TooLarge
from sdmx_service.formats import arrangement
from sdmx_service.formats.sdmx_ml.data_generic_writer import write_generic
from sdmx_service.formats.sdmx_ml.data_message import escape
from sdmx_service.formats.sdmx_ml.data_writer import write_specific
from sdmx_service.model.artefact import Texts
from sdmx_service.model.columns import columns
from sdmx_service.model.message import Action, Header, Message, Party, WriteOptions
from sdmx_service.model.structure import DataStructure, Measure
from sdmx_service.model.urn import Ref
from tests.formats.data.invented_data import World, structures, worlds
from tests.formats.data.specific_schema import base_schema, schema_for
from tests.formats.data.writing import BIRDS, FLOW, concept, dataset, plain, rich, structure

VERSIONS = ("2.1", "3.0", "3.1")
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
PROVIDER = Ref(type="DataProvider", agency="ZOO", id="DATA_PROVIDERS", version="1.0", item="KEEPER")


def specific(message: Message, version: str, **options: Any) -> bytes:
    return b"".join(write_specific(message, WriteOptions(**options), version=version))


def generic(message: Message, **options: Any) -> bytes:
    return b"".join(write_generic(message, WriteOptions(**options)))


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


# --- reading back -----------------------------------------------------------------------------------


def plain_attributes(element: etree._Element) -> dict[str, Any]:
    values: dict[str, Any] = {name: text for name, text in element.attrib.items() if not name.startswith("{")}
    for comp in element.findall("Comp"):
        texts = [[(text.get(XML_LANG), text.text or "") for text in value] for value in comp]
        values[comp.get("id")] = dict(texts[0]) if texts[0] else [value.text or "" for value in comp]
    return values


def specific_rows(found: etree._Element, keys: set[str]) -> Iterator[dict[str, Any]]:
    shared = plain_attributes(found)
    for atts in found.findall("Atts"):
        shared |= plain_attributes(atts)
    groups = [plain_attributes(group) for group in found.findall("Group")]
    for series in found.findall("Series"):
        for observation in series.findall("Obs"):
            yield merged({**shared, **plain_attributes(series), **plain_attributes(observation)}, groups, keys)
    for observation in found.findall("Obs"):
        yield merged({**shared, **plain_attributes(observation)}, groups, keys)


def merged(row: dict[str, Any], groups: list[dict[str, Any]], keys: set[str]) -> dict[str, Any]:
    """The row with what its groups say."""
    for group in groups:
        if all(row.get(name) == text for name, text in group.items() if name in keys):
            row = {**group, **row}
    return row


def generic_values(element: etree._Element | None) -> dict[str, str]:
    return {} if element is None else {value.get("id", ""): value.get("value", "") for value in element}


def generic_rows(found: etree._Element, at_observation: str, keys: set[str]) -> Iterator[dict[str, Any]]:
    ns = {"g": "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic"}
    shared = generic_values(found.find("g:Attributes", ns))
    groups = [
        {**generic_values(one.find("g:GroupKey", ns)), **generic_values(one.find("g:Attributes", ns))}
        for one in found.findall("g:Group", ns)
    ]
    for series in (*found.findall("g:Series", ns), found):
        key = generic_values(series.find("g:SeriesKey", ns))
        attributes = generic_values(series.find("g:Attributes", ns))
        for one in series.findall("g:Obs", ns):
            row = {
                **shared,
                **key,
                **attributes,
                **generic_values(one.find("g:ObsKey", ns)),
                **generic_values(one.find("g:Attributes", ns)),
            }
            if (dimension := one.find("g:ObsDimension", ns)) is not None:
                row[at_observation] = dimension.get("value", "")
            if (value := one.find("g:ObsValue", ns)) is not None:
                row["OBS_VALUE"] = value.get("value", "")
            yield merged(row, groups, keys)


def carried(text: str) -> str:
    """What XML 1.0 can carry of a text."""
    return "".join(
        "\ufffd" if sign in "\ufffe\uffff" or (sign < " " and sign not in "\t\n\r") else sign for sign in text
    )


def expected(world: World, *, one_value: bool = False) -> list[dict[str, Any]]:
    rows = []
    for row in world.rows:
        shown: dict[str, Any] = {}
        for column in columns(world.structure):
            value = row.get(column.id)
            if value is None:
                continue
            if isinstance(value, list):
                shown[column.id] = carried("; ".join(value)) if one_value else [carried(text) for text in value]
            elif isinstance(value, dict):
                shown[column.id] = (
                    carried(Texts(value).text()) if one_value else {tag: carried(text) for tag, text in value.items()}
                )
            else:
                shown[column.id] = carried(value)
        rows.append(shown)
    return sorted(rows, key=repr_of(world.structure))


def repr_of(made: DataStructure) -> Any:
    return lambda row: [row.get(name, "") for name in made.key_ids]


def views(made: DataStructure) -> list[str]:
    return [*made.key_ids, "AllDimensions"]


# --- properties -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@given(data=st.data(), size=st.integers(1, 4))
def test_specific_is_valid_and_says_what_the_source_says(version: str, data: st.DataObject, size: int) -> None:
    world = data.draw(worlds())
    view = data.draw(st.sampled_from(views(world.structure)))
    text = specific(
        Message(datasets=[dataset(world.structure, world.rows, size=size, dimension_at_observation=view)]), version
    )
    document = etree.fromstring(text)
    shown = view if len(world.structure.key_ids) > 1 else "AllDimensions"
    schema_for(world.structure, f"{FLOW.urn}:ObsLevelDim:{shown}", view, version).assertValid(document)
    (found,) = (one for one in document if local(one) == "DataSet")
    read = sorted(specific_rows(found, set(world.structure.key_ids)), key=repr_of(world.structure))
    assert expected(world, one_value=version == "2.1") == read


@given(data=st.data(), size=st.integers(1, 4))
def test_generic_is_valid_and_says_what_the_source_says(data: st.DataObject, size: int) -> None:
    world = data.draw(worlds())
    view = data.draw(st.sampled_from(views(world.structure)))
    text = generic(Message(datasets=[dataset(world.structure, world.rows, size=size, dimension_at_observation=view)]))
    document = etree.fromstring(text)
    base_schema("2.1").assertValid(document)
    (found,) = (one for one in document if local(one) == "DataSet")
    read = sorted(generic_rows(found, view, set(world.structure.key_ids)), key=repr_of(world.structure))
    assert expected(world, one_value=True) == read


@given(worlds())
def test_batches_do_not_show(world: World) -> None:
    for write in (partial(specific, version="3.1"), generic):
        texts = {
            write(Message(datasets=[dataset(world.structure, world.rows, size=size)])).rpartition(b"Header>")[2]
            for size in (1, 2, 100)
        }
        assert len(texts) == 1


@given(worlds(structures().filter(lambda made: made.time_dimension is not None)))
def test_each_series_is_opened_once(world: World) -> None:
    document = etree.fromstring(specific(Message(datasets=[dataset(world.structure, world.rows, size=1)]), "3.1"))
    keys = [tuple(one.get(name) for name in world.structure.dimension_ids) for one in document.iter("Series")]
    assert list(dict.fromkeys(tuple(row[name] for name in world.structure.dimension_ids) for row in world.rows)) == keys


# --- single things ----------------------------------------------------------------------------------


def test_the_schema_made_here_refuses_what_does_not_belong() -> None:
    text = specific(Message(datasets=[dataset(structure(), BIRDS)]), "3.1").replace(b"STATUS=", b"STATE=")
    schema = schema_for(structure(), f"{FLOW.urn}:ObsLevelDim:TIME_PERIOD", "TIME_PERIOD", "3.1")
    assert not schema.validate(etree.fromstring(text))


@pytest.mark.parametrize("version", VERSIONS)
def test_dataset_element(version: str) -> None:
    message = Message(datasets=[
        dataset(structure(), BIRDS, action=Action.MERGE, provider=PROVIDER, id="D1", valid_from="2020-01-01T00:00:00Z", valid_to="2021-01-01T00:00:00Z"),
        dataset(structure(), BIRDS, action=Action.DELETE),
        dataset(structure(), BIRDS, dimension_at_observation="AllDimensions"),
    ])  # fmt: skip
    document = etree.fromstring(specific(message, version))
    found = [one for one in document if local(one) == "DataSet"]
    names = {etree.QName(name).localname: text for name, text in found[0].attrib.items()}
    assert names["action"] == ("Merge" if version == "3.1" else "Append")
    assert (names["setID"], names["validFromDate"], names["validToDate"]) == (
        "D1",
        "2020-01-01T00:00:00Z",
        "2021-01-01T00:00:00Z",
    )
    assert names["SOURCE"] == 'Zoo & "Co"'
    assert names.get("dataScope") == ("Dataflow" if version == "2.1" else None)
    assert found[0].find("DataProvider") is not None
    refs = ["".join(text for name, text in one.attrib.items() if name.endswith("structureRef")) for one in found]
    ids = [one.get("structureID") for one in document.iter() if local(one) == "Structure" and one.get("structureID")]
    assert refs[0] == refs[1] == ids[0]
    assert refs[2] == ids[1] != ids[0]
    assert [(one.get("AREA"), one.get("TITLE")) for one in found[0].findall("Group")] == [
        ("4", "Owls, <4>"),
        ("008", "Emus"),
    ]


@pytest.mark.parametrize(
    ("kind", "element"),
    [("Dataflow", "StructureUsage"), ("DataStructure", "Structure"), ("ProvisionAgreement", "ProvisionAgrement")],
)
def test_header_names_what_the_data_belong_to(kind: str, element: str) -> None:
    ref = Ref(type=kind, agency="ZOO", id="X", version="1.0.0")
    document = etree.fromstring(generic(Message(datasets=[dataset(structure(), BIRDS, ref=ref)])))
    base_schema("2.1").assertValid(document)
    assert [local(one) for one in document.iter() if local(one).startswith(("Structure", "Provision"))] == [
        "Structure",
        element,
    ]


@pytest.mark.parametrize(
    "write", [write_generic, *(partial(write_specific, version=version) for version in ("2.1", "3.0", "3.1"))]
)
def test_everything_that_a_header_and_a_footer_can_say(write: Any) -> None:
    moment = datetime(2024, 1, 31, 12, tzinfo=UTC)
    provider = Ref(type="DataProvider", agency="ZOO", id="DATA_PROVIDERS", version="1.0", item="KEEPER")
    header = Header(
        id="M1", test=True, prepared=moment, sender=Party(id="ZOO", names=Texts({"en": "The zoo"}), timezone="+01:00"),
        receivers=(Party(id="YOU"),), names=Texts({"en": "Birds", "fr": "Oiseaux"}), sources=Texts({"en": "Books"}),
        action=Action.REPLACE, dataset_ids=("D1",), extracted=moment, embargo=moment, reporting_begin="2019", reporting_end="2021",
        provider=provider,
    )  # fmt: skip
    errors = (("510", "Warning", Texts({"en": "Not <all> of it", "fr": "Pas tout"})), ("1", "", Texts({"en": "x"})))
    message = Message(header=header, datasets=[dataset(structure(), BIRDS[:1])], errors=errors)
    document = etree.fromstring(b"".join(write(message, WriteOptions())))
    version = "2.1" if "v2_1" in document.tag else "3.1" if "v3_1" in document.tag else "3.0"
    for found in document.iter("{*}DataSet"):  # which only the structure's own schema knows
        if "Specific" in document.tag:
            document.remove(found)
    base_schema(version).assertValid(document)
    said = {local(one): one.text for one in document[0].iter()}
    assert {
        "DataSetAction": "Replace",
        "DataSetID": "D1",
        "ReportingBegin": "2019",
        "Source": "Books",
        "Test": "true",
    }.items() <= said.items()
    footer = document[-1]
    assert [(one.get("code"), one.get("severity")) for one in footer] == [("510", "Warning"), ("1", None)]
    assert [text.text for text in footer[0]] == ["Not <all> of it", "Pas tout"]


def test_generic_variants_have_their_root() -> None:
    text = b"".join(write_generic(Message(datasets=[dataset(structure(), BIRDS)]), WriteOptions(), time_series=True))
    document = etree.fromstring(text)
    base_schema("2.1").assertValid(document)
    assert local(document) == "GenericTimeSeriesData"
    text = b"".join(
        write_specific(Message(datasets=[dataset(structure(), BIRDS)]), WriteOptions(), version="2.1", time_series=True)
    )
    assert local(etree.fromstring(text)) == "StructureSpecificTimeSeriesData"


@pytest.mark.parametrize(
    "write", [partial(write_generic, time_series=True), partial(write_specific, version="2.1", time_series=True)]
)
def test_time_series_messages_hold_time_series_of_one_structure(write: Any) -> None:
    with pytest.raises(CannotWrite, match="AllDimensions"):
        write(Message(datasets=[dataset(structure(), BIRDS, dimension_at_observation="AllDimensions")]), WriteOptions())
    other = Ref(type="Dataflow", agency="ZOO", id="OTHER", version="1.0.0")
    with pytest.raises(CannotWrite, match="one structure"):
        write(Message(datasets=[dataset(structure(), BIRDS), dataset(structure(), BIRDS, ref=other)]), WriteOptions())


def test_keys_only() -> None:
    document = etree.fromstring(specific(Message(datasets=[dataset(structure(), BIRDS, keys_only=True)]), "3.1"))
    assert [(one.get("AREA"), one.get("BIRD"), len(one)) for one in document.iter("Series")] == [
        ("4", "OWL", 0), ("4", "EMU", 0), ("008", "EMU", 0), ("008", "EMU", 0)]  # fmt: skip
    base_schema("2.1").assertValid(
        etree.fromstring(generic(Message(datasets=[dataset(structure(), BIRDS, keys_only=True)])))
    )


@pytest.mark.parametrize("size", [1, 2, 9])
def test_rows_without_period_speak_of_their_series_only(size: int) -> None:
    rows = [
        {**row, **({"TIME_PERIOD": None, "OBS_VALUE": None, "STATUS": None} if number in (0, 3, 5) else {})}
        for number, row in enumerate(BIRDS)
    ]
    document = etree.fromstring(specific(Message(datasets=[dataset(structure(), rows, size=size)]), "3.1"))
    assert [(one.get("BIRD"), [obs.get("TIME_PERIOD") for obs in one]) for one in document.iter("Series")] == [
        ("OWL", ["2020"]), ("EMU", ["2020"]), ("EMU", ["2021"]), ("EMU", [])]  # fmt: skip


def test_a_structure_without_obs_value_has_a_primary_measure_in_2_1() -> None:
    measures = [Measure(id=name, concept=concept(name), representation=plain("Double")) for name in ("WEIGHT", "SIZE")]
    made = structure(("FREQ",), measures=measures, attributes=(), groups=())
    rows = [{"FREQ": "A", "TIME_PERIOD": "2020", "WEIGHT": "1", "SIZE": "2"}]
    assert b'<Obs OBS_VALUE="1" SIZE="2" ' in specific(Message(datasets=[dataset(made, rows)]), "2.1")
    text = generic(Message(datasets=[dataset(made, rows)]))
    assert b'<gen:ObsValue value="1"/><gen:Attributes><gen:Value id="SIZE" value="2"/></gen:Attributes>' in text


def test_best_language_in_2_1() -> None:
    rows = [
        {
            "FREQ": "A",
            "AREA": "4",
            "BIRD": "OWL",
            "TIME_PERIOD": "2020",
            "REMARK": {"en": "yes", "fr": "oui"},
            "KEEPERS": {"fr": "Jean", "en": "John"},
        }
    ]
    text = specific(Message(datasets=[dataset(rich(), rows)]), "2.1", languages=("fr-CA",))
    assert b'REMARK="oui"' in text
    assert b'KEEPERS="Jean"' in text


def test_unknown_dimension_at_observation() -> None:
    with pytest.raises(SemanticFault):
        specific(Message(datasets=[dataset(structure(), BIRDS, dimension_at_observation="COLOUR")]), "3.1")


def test_a_cross_section_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrangement, "SORTED_ROWS", 5)
    with pytest.raises(TooLarge):
        specific(Message(datasets=[dataset(structure(), BIRDS, dimension_at_observation="AREA")]), "3.1")


@given(st.text())
def test_escape_is_undone_by_a_parser(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert etree.fromstring(f'<a b="{escape(text)}"/>').get("b") == carried(text)


# --- other people's readers -------------------------------------------------------------------------


@pytest.mark.parametrize("view", [None, "AllDimensions"])
@pytest.mark.parametrize("version", [*VERSIONS, "generic"])
@pytest.mark.filterwarnings("ignore")
def test_pysdmx_reads_the_same_figures(version: str, view: str | None) -> None:
    message = Message(datasets=[dataset(structure(), BIRDS, dimension_at_observation=view)])
    text = generic(message) if version == "generic" else specific(message, version)
    (found,) = read_sdmx(io.BytesIO(text), validate=True).data
    assert found.structure == f"Dataflow={FLOW.agency}:{FLOW.id}({FLOW.version})"
    assert found.attributes == {"SOURCE": 'Zoo & "Co"'}
    read = found.data.sort_values(["FREQ", "AREA", "BIRD", "TIME_PERIOD"])
    rows = sorted(BIRDS, key=lambda row: [row[name] for name in ("FREQ", "AREA", "BIRD", "TIME_PERIOD")])
    for name in ("FREQ", "AREA", "BIRD", "TIME_PERIOD", "OBS_VALUE", "STATUS", "UNIT"):
        assert [row[name] or "" for row in rows] == read[name].astype(object).where(read[name].notna(), "").tolist()


@pytest.mark.parametrize("view", [None, "AllDimensions"])
@pytest.mark.filterwarnings("ignore")
def test_sdmx1_reads_the_same_figures(view: str | None) -> None:
    message = Message(datasets=[dataset(structure(), BIRDS, dimension_at_observation=view)])
    read = sdmx.read_sdmx(io.BytesIO(generic(message))).data[0].obs
    found = {
        tuple(str(one.key[name].value) for name in ("FREQ", "AREA", "BIRD", "TIME_PERIOD")): one.value for one in read
    }
    assert {(row["FREQ"], row["AREA"], row["BIRD"], row["TIME_PERIOD"]): row["OBS_VALUE"] for row in BIRDS} == {
        key: None if value is None else str(value) for key, value in found.items()
    }
