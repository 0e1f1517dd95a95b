"""SDMX-JSON data messages: the official samples against a plain walk, digits, positions, damage."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import NotBuilt, SdmxError, UnreadableFile, UnresolvedReference
from sdmx_service.formats.sdmx_json import data_reader
from sdmx_service.formats.sdmx_json.data_reader import read_sdmx_json_data, sniff_sdmx_json_data
from sdmx_service.formats.sniffing import peek
from sdmx_service.model.columns import COLUMN
from sdmx_service.model.message import Action, Message
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref
from tests.formats.data.invented import (
    MULTI_CODED,
    MULTILINGUAL,
    NUMBER,
    OBSERVATION,
    STOCK,
    TEXT,
    resolving,
    rows,
    structure,
)
from tests.reference import Specimen

FLOW = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=INV:DF(1.0.0)"


def listed(id: str, *values: Any) -> dict[str, Any]:
    return {"id": id, "values": [{"id": value} if isinstance(value, str) else value for value in values]}


def document(dataset: dict[str, Any], **levels: Any) -> dict[str, Any]:
    said = {
        "links": [{"rel": "dataflow", "urn": FLOW}],
        "dimensions": {
            "series": [listed("FREQ", "A"), listed("AREA", "004", "008"), listed("SEX", "F")],
            "observation": [{"id": "TIME_PERIOD", "values": [{"value": "2020"}, {"value": "2021"}]}],
        },
        "measures": {"observation": [{"id": "OBS_VALUE"}]},
        "attributes": {
            "dataSet": [{"id": "SOURCE"}],
            "dimensionGroup": [listed("UNIT", "PS")],
            "series": [{"id": "TITLE"}],
            "observation": [listed("STATUS", "A", "E"), {"id": "TAGS"}],
        },
        **levels,
    }
    return {"meta": {"id": "M", "sender": {"id": "ME"}}, "data": {"structures": [said], "dataSets": [dataset]}}


def read(root: Any, *known: DataStructure) -> Message:
    data = root if isinstance(root, bytes) else json.dumps(root).encode()
    return read_sdmx_json_data(io.BytesIO(data), resolving(*(known or (STOCK,))))


def plain(message: Message) -> list[list[dict[str, Any]]]:
    return [[{name: value for name, value in row.items() if name != COLUMN} for row in one] for one in rows(message)]


def refused(root: Any, *known: DataStructure) -> str:
    with pytest.raises(UnreadableFile) as caught:
        rows(read(root, *known))
    return str(caught.value)


DATASET = {
    "structure": 0,
    "action": "Replace",
    "validFrom": "2024-01-01",
    "attributes": ["census"],
    "dimensionGroupAttributes": {":1::": [0]},
    "series": {
        "0:0:0": {"attributes": [{"en": "Yes", "fr": "Oui"}], "observations": {"0": [1.5, 1, ["a", "b"]], "1": [2]}},
        "0:1:0": {"attributes": ["T"]},
    },
}
KEY = {"FREQ": "A", "AREA": "004", "SEX": "F"}
TITLE = {"TITLE": {"en": "Yes", "fr": "Oui"}}
EXPECTED = [
    {"SOURCE": "census"},
    {"AREA": "008", "UNIT": "PS"},
    {**KEY, **TITLE, "TIME_PERIOD": "2020", "OBS_VALUE": "1.5", "STATUS": "E", "TAGS": ["a", "b"]},
    {**KEY, **TITLE, "TIME_PERIOD": "2021", "OBS_VALUE": "2"},
    {**KEY, "AREA": "008", "TITLE": {"en": "T"}},
]


def test_series_groups_and_data_set() -> None:
    assert plain(read(document(DATASET))) == [EXPECTED]


def test_the_data_set_says_where_it_belongs() -> None:
    message = read(document(DATASET))
    (one,) = message.datasets
    assert (message.header.id, message.header.sender.id) == ("M", "ME")
    assert (one.ref.urn, one.action, one.valid_from) == (FLOW, Action.REPLACE, "2024-01-01")
    assert one.dimension_at_observation == "TIME_PERIOD"


def test_rows_point_into_the_document() -> None:
    pointers = [row[COLUMN] for row in rows(read(document(DATASET)))[0]]
    assert pointers[2:] == [
        "/data/dataSets/0/series/0:0:0/observations/0",
        "/data/dataSets/0/series/0:0:0/observations/1",
        "/data/dataSets/0/series/0:1:0",
    ]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_batches_may_end_anywhere(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(data_reader, "_ROWS", size)
    (found,) = plain(read(document(DATASET)))
    assert found == EXPECTED


def test_flat_data_and_dimensions_of_the_whole_data_set() -> None:
    dimensions = {
        "dataSet": [listed("FREQ", "A"), listed("SEX", "F")],
        "observation": [listed("AREA", "004", "008"), listed("TIME_PERIOD", "2020", "2021")],
    }
    found = read(document({"observations": {"0:1": [1], "1:0": [2, None, None], "1:1": []}}, dimensions=dimensions))
    (one,) = found.datasets
    assert one.dimension_at_observation == "AllDimensions"
    found = read(document({"observations": {"0:1": [1], "1:0": [2, None, None], "1:1": []}}, dimensions=dimensions))
    assert plain(found) == [[
        {**KEY, "TIME_PERIOD": "2021", "OBS_VALUE": "1"},
        {**KEY, "AREA": "008", "TIME_PERIOD": "2020", "OBS_VALUE": "2"},
        {**KEY, "AREA": "008", "TIME_PERIOD": "2021"},
    ]]  # fmt: skip


def test_numbers_keep_the_digits_that_were_sent() -> None:
    texts = ["1.50", "0.1", "12345678901234567890.125", "1e-7", "-0.0", "9007199254740993", "NaN"]
    body = ",".join(f'"{n}":[{text}]' for n, text in enumerate(texts))
    dimensions = {"observation": [{"id": "TIME_PERIOD", "values": [{"value": str(n)} for n in range(9)]}]}
    text = json.dumps(document({"observations": "HERE"}, dimensions=dimensions)).replace('"HERE"', "{" + body + "}")
    assert [row["OBS_VALUE"] for row in plain(read(text.encode()))[0]] == texts


def test_the_first_link_that_is_known_is_taken() -> None:
    pa = FLOW.replace("datastructure.Dataflow", "registry.ProvisionAgreement").replace("DF(", "PA(")
    links = [{"urn": FLOW}, {"urn": "urn:nonsense"}, {"rel": "x"}, {"urn": pa}]
    known = (Ref(type="Dataflow", agency="INV", id="DF"), STOCK)
    other = structure(["X"], id="OTHER")
    root = json.dumps(document({}, links=links)).encode()
    (one,) = read_sdmx_json_data(io.BytesIO(root), resolving(known, other)).datasets
    assert one.ref.id == "DF"
    with pytest.raises(UnresolvedReference, match="INV:PA"):
        list(read_sdmx_json_data(io.BytesIO(root), resolving(other, structure(["Y"], id="Y"))).datasets)


@pytest.mark.parametrize(
    ("root", "words"),
    [
        (b"", "empty or truncated"),
        (b"{", "empty or truncated"),
        (b'{"data": [}', "Line 1, column 11"),
        (b'{"data": "\xff"}', "Byte 11"),
        (b"[]", "not an object"),
        (b"[" * 100_000, "cannot be read"),
        (b'{"data": {"codelists": []}}', "no dataSets, but codelists"),
        (b'{"meta": {}}', "no data"),
        (document({"structure": 3}), "/data/dataSets/0/structure: 3"),
        (document({"action": "Burn"}), "The action 'Burn'"),
        (document({}, links=[]), "no link has the URN"),
        (document({"series": {"0:0": {"observations": {"0": [1]}}}}), "the key '0:0' should have 3 parts"),
        (document({"series": {"0:x:0": {"observations": {"0": [1]}}}}), "no position"),
        (document({"series": {"0:7:0": {"observations": {"0": [1]}}}}), "point to value 7 of AREA, and there are 2"),
        (document({"series": {"0:0:0": {"observations": {"0": [1, -1]}}}}), "point to value -1 of STATUS"),
        (document({"series": {"0:0:0": []}}), "/data/dataSets/0/series/0:0:0: '[]' is not an object"),
        (document({"series": {"0:0:0": {"observations": {"0": 1}}}}), "is not an array"),
        (document({}, measures={"observation": [{"id": "NO"}]}), "'NO' is no component of INV:DF"),
        (document({"series": {"0:0:0": {"observations": {"0": [["1", "2"]]}}}}), "OBS_VALUE has the value"),
    ],
)
def test_faults_say_where(root: Any, words: str) -> None:
    assert words in refused(root)


def test_drafts_are_not_built() -> None:
    with pytest.raises(NotBuilt, match="draft"):
        read({"header": {}, "structure": {}, "dataSets": []})


GOOD = json.dumps(document(DATASET)).encode()


@given(st.integers(0, len(GOOD)), st.integers(0, 20), st.binary(max_size=12))
def test_any_damage_is_read_or_refused(start: int, size: int, inserted: bytes) -> None:
    try:
        rows(read(GOOD[:start] + inserted + GOOD[start + size :]))
    except SdmxError:
        pass


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_any_value_at_any_place_is_read_or_refused(data: st.DataObject) -> None:
    root = json.loads(GOOD)
    node: Any = root
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(node[key], dict | list) or not node[key] or data.draw(st.integers(0, 4)) == 0:
            node[key] = data.draw(anything)
            break
        node = node[key]
    try:
        rows(read(root))
    except SdmxError:
        pass


# --------------------------------------------------------------------------------------------------------- specimens


def components(root: dict[str, Any]) -> DataStructure:
    body = root.get("data", {})
    dimensions: dict[str, None] = {}
    measures: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for said in body.get("structures") or [body.get("structure") or {}]:
        for level in said.get("dimensions", {}).values():
            dimensions |= dict.fromkeys(one["id"] for one in level if one["id"] != "TIME_PERIOD")
        measures |= {one["id"]: NUMBER for one in said.get("measures", {}).get("observation", [])}
        for level in said.get("attributes", {}).values():
            for one in level:
                several = one.get("format", {}).get("maxOccurs") not in (None, 1)
                form = MULTI_CODED if several else MULTILINGUAL if "COMMENT" in one["id"] else TEXT
                attributes[one["id"]] = (MULTI_CODED if one["id"] == "SOURCE" else form, OBSERVATION)
    return structure(list(dimensions), measures or None, attributes)


REFUSED = {
    "sdmx-json-2.0/data/sdmx-json/exr-action-delete.json": "point to value 1 of OBS_STATUS, and there are 1",
    "sdmx-json-2.1/data/sdmx-json/exr-action-delete.json": "point to value 1 of OBS_STATUS, and there are 1",
    "sdmx-json-2.1/data/sdmx-json/generated-sample.json": "no link has the URN",
}
"""Samples that are valid by the schema and yet point nowhere."""


@pytest.mark.specimens(format="sdmx-json", kind="data")
def test_samples_equal_a_plain_walk(specimen: Specimen) -> None:
    data = specimen.path.read_bytes()
    assert sniff_sdmx_json_data(peek(io.BytesIO(data))) >= 90
    root = json.loads(data)
    known = components(root)
    if specimen.file in REFUSED:
        assert REFUSED[specimen.file] in refused(data, known)
        return
    found = plain(read(data, known))
    expected = [walked(one, root["data"]) for one in root["data"]["dataSets"]]
    assert [[row for row in one if "OBS_VALUE" in row] for one in found] == expected


def walked(dataset: dict[str, Any], body: dict[str, Any]) -> list[dict[str, Any]]:
    """Keys and measure of the observations by a plain walk; attributes are taken from what the reader tested above."""
    said = (body.get("structures") or [body.get("structure")])[dataset.get("structure", 0)]
    dimensions, attributes = said["dimensions"], said["attributes"]

    def value(one: Any) -> Any:
        return next((one[name] for name in ("id", "value", "name") if one.get(name) is not None), None) if one else None

    def key(text: str, level: list[Any]) -> dict[str, Any]:
        return {one["id"]: value(one["values"][int(part)]) for part, one in zip(text.split(":"), level, strict=True)}

    def cells(row: list[Any], level: list[Any]) -> dict[str, Any]:
        found = {}
        for cell, one in zip(row, level, strict=False):
            told = value(one["values"][cell]) if one.get("values") and isinstance(cell, int) else cell
            told = str(told) if isinstance(told, int) else told
            found[one["id"]] = [told] if one["id"] == "SOURCE" and told is not None else told
        return {id: told for id, told in found.items() if told is not None}

    fixed = {one["id"]: value(one["values"][0]) for one in dimensions.get("dataSet", dimensions.get("dataset", []))}
    series, observation = dimensions.get("series", []), dimensions.get("observation", [])
    found = []
    for name, one in dataset.get("series", {}).items():
        base = fixed | key(name, series) | cells(one.get("attributes") or [], attributes.get("series", []))
        for text, row in one.get("observations", {}).items():
            found.append(base | key(text, observation) | measured(row) | cells(row[1:], attributes["observation"]))
    for text, row in dataset.get("observations", {}).items():
        if row:
            found.append(
                fixed | key(text, [*series, *observation]) | measured(row) | cells(row[1:], attributes["observation"])
            )
    return found


def measured(row: list[Any]) -> dict[str, Any]:
    return {"OBS_VALUE": str(row[0])}


@pytest.mark.specimens(format="sdmx-json")
def test_every_specimen_is_read_or_refused(specimen: Specimen) -> None:
    try:
        rows(read(specimen.path.read_bytes()))
    except SdmxError as error:
        assert error.detail
    if specimen.kind == "structure":
        assert sniff_sdmx_json_data(peek(io.BytesIO(specimen.path.read_bytes()))) == 0
