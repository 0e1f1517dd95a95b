"""Parquet, Arrow, JSON-stat and XLSX: what they hold besides the figures, and where they end."""

from __future__ import annotations

import io
import json
import re
import resource
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import CannotWrite, TooLarge
from sdmx_service.formats.columnar import writer as columnar
from sdmx_service.formats.json_stat.reader import read_json_stat
from sdmx_service.formats.json_stat.writer import write_json_stat
from sdmx_service.formats.registry import named
from sdmx_service.formats.spreadsheet import data_writer as spreadsheet
from sdmx_service.formats.table import METADATA
from sdmx_service.model.artefact import Texts
from sdmx_service.model.columns import columns
from sdmx_service.model.items import Code
from sdmx_service.model.message import Action, Dataset, Header, Labels, Message, WriteOptions
from sdmx_service.model.structure import Measure
from tests.formats.data.invented_data import World, worlds
from tests.formats.data.writing import BIRDS, FLOW, concept, dataset, occurring, plain, rich, structure, typed
from tests.rest.reading_back import datasets

ROW = {key: value for key, value in BIRDS[0].items() if key != "DECIMALS"}
RICH = [
    {**ROW, "FLAGS": ["A", "B"], "COLOURS": ["R"], "REMARK": {"en": "fine", "fr": "beau"}, "MOOD": "X"},
    {**ROW, "TIME_PERIOD": "2020", "FLAGS": None, "COLOURS": ["R"], "MOOD": None},
]


def parquet(*datasets: Dataset, **options: Any) -> pa.Table:
    body = b"".join(columnar.write_parquet(Message(datasets=datasets), WriteOptions(**options)))
    return pq.read_table(io.BytesIO(body))


def stat(*datasets: Dataset, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b"".join(write_json_stat(Message(datasets=datasets), WriteOptions(**options))))
    return found


def book(*datasets: Dataset, **options: Any) -> Any:
    return openpyxl.load_workbook(io.BytesIO(workbook(*datasets, **options)))


def workbook(*datasets: Dataset, **options: Any) -> bytes:
    return b"".join(spreadsheet.write_workbook(Message(datasets=datasets), WriteOptions(**options)))


# --- Parquet and Arrow ----------------------------------------------------------------------------------------------


def test_columns_are_typed_and_coded() -> None:
    table = parquet(dataset(rich(), RICH))
    kinds = {field.name: str(field.type) for field in table.schema}
    code = "dictionary<values=string, indices=int32, ordered=0>"
    assert (kinds["AREA"], kinds["TIME_PERIOD"], kinds["OBS_VALUE"], kinds["OBS_VALUE.decimals"]) == (
        code,
        code,
        "double",
        "int8",
    )
    assert table.column("FLAGS").to_pylist() == [["A", "B"], None]
    assert dict(table.column("REMARK").to_pylist()[0]) == {"en": "fine", "fr": "beau"}
    assert table.column("STRUCTURE_ID").to_pylist() == ["ZOO:DF_BIRDS(1.0.0)"] * 2


def test_a_coded_attribute_that_never_occurs_has_no_column_unless_all_are_asked_for() -> None:
    rows = [{key: value for key, value in row.items() if key != "MOOD"} for row in RICH]

    def source(*empty: str) -> Dataset:
        made = dataset(rich(), rows)
        return replace(made, domains={**made.domains, **dict.fromkeys(empty, ())})

    table, whole = parquet(source("MOOD")), parquet(source("MOOD"), columns="all")
    assert set(whole.column_names) - set(table.column_names) == {"MOOD"}
    assert whole.column("MOOD").null_count == 2
    assert "MOOD" in json.loads(table.schema.metadata[METADATA])["components"]
    assert "MOOD" in parquet(replace(source("MOOD"), domains={})).column_names  # nobody knows


def test_a_mark_is_no_number_and_keeps_its_text() -> None:
    table = parquet(dataset(structure(), BIRDS))
    assert table.column("OBS_VALUE").to_pylist() == [1.5, 2.0, None, -0.05, None, 12345678901234567890.123]
    assert table.column("OBS_VALUE.text").to_pylist() == [None, None, None, None, "NaN", "12345678901234567890.123"]


@pytest.mark.parametrize("write", [columnar.write_parquet, columnar.write_arrow])
def test_labels(write: Any) -> None:
    def table(labels: str) -> pa.Table:
        body = b"".join(
            write(Message(datasets=[dataset(rich(), RICH)]), WriteOptions(labels=labels, languages=("fr",)))
        )
        return (
            pq.read_table(io.BytesIO(body)) if write is columnar.write_parquet else pa.ipc.open_stream(body).read_all()
        )

    plain_table, both, name = table("id"), table("both"), table("name")
    assert plain_table.column("AREA").to_pylist() == ["4", "4"]
    assert both.column("AREA").to_pylist() == ['4: Nom, "4"'] * 2
    assert name.column("AREA").to_pylist() == ["4", "4"]
    assert name.column("AREA.name").to_pylist() == ['Nom, "4"'] * 2
    assert name.schema.names.index("AREA.name") == name.schema.names.index("AREA") + 1
    assert name.schema.field("AREA").metadata[b"sdmx:name"].decode() == "Le area, «x»"
    assert name.schema.field("AREA").metadata[b"sdmx:role"] == b"dimension"


def test_codes_of_one_name_stay_apart() -> None:
    """Parquet keeps each value of a dictionary once; two codes may have the same name."""
    rows = [{**ROW, "STATUS": code, "TIME_PERIOD": str(2000 + place)} for place, code in enumerate("ABABC")]
    codes = {code: Code(id=code, names=Texts({"en": "same" if code != "C" else "other"})) for code in "ABC"}
    labels = Labels(codes={"STATUS": codes})
    table = parquet(dataset(rich(), rows, labels=labels, size=2), labels="name")
    assert table.column("STATUS").to_pylist() == list("ABABC")
    assert table.column("STATUS.name").to_pylist() == ["same", "same", "same", "same", "other"]


def test_the_file_tells_what_it_is() -> None:
    table = parquet(dataset(structure(), BIRDS, valid_from="2020-01-01T00:00:00Z"), release=7)
    said = json.loads(table.schema.metadata[METADATA])
    assert (said["release"], said["structures"][0]["urn"]) == (7, FLOW.urn)
    assert said["structures"][0]["dataStructure"] == structure().ref.urn
    assert said["structures"][0]["validFrom"] == "2020-01-01T00:00:00Z"
    assert said["labels"]["AREA"]["008"] == {"en": "Name of 008", "fr": 'Nom, "008"'}
    assert said["components"]["UNIT"]["level"] == ["AREA"]


def test_data_sets_of_several_structures_are_one_table() -> None:
    other = structure(
        ("FREQ", "SIZE"), time=False, attributes=(), groups=(),
        measures=[Measure(id="OBS_VALUE", concept=concept("OBS_VALUE"), representation=plain("String"))],
    )  # fmt: skip
    second = dataset(other, [{"FREQ": "A", "SIZE": "L", "OBS_VALUE": "big"}], action=Action.DELETE)
    table = parquet(dataset(structure(), BIRDS), second)
    assert table.schema.names[3:9] == ["FREQ", "AREA", "BIRD", "TIME_PERIOD", "SIZE", "OBS_VALUE"]
    assert table.column("OBS_VALUE").to_pylist() == [
        "1.50",
        "2",
        None,
        "-0.05",
        "NaN",
        "12345678901234567890.123",
        "big",
    ]
    assert table.column("ACTION").to_pylist() == ["R"] * 6 + ["D"]


def test_keys_only() -> None:
    table = parquet(dataset(structure(), BIRDS, keys_only=True))
    assert table.select(["FREQ", "AREA", "BIRD", "TIME_PERIOD", "OBS_VALUE", "UNIT"]).to_pylist()[0] == {
        "FREQ": "A", "AREA": "4", "BIRD": "OWL", "TIME_PERIOD": None, "OBS_VALUE": None, "UNIT": "PS"}  # fmt: skip
    assert table.num_rows == 4
    assert parquet(dataset(structure(), [])).num_rows == 0


def long(count: int) -> Dataset:
    """Many rows that cost nothing to make."""
    rows = [{**row, "NOTE": None} for row in BIRDS[:2]]
    domains = occurring(structure(), rows)
    batch = pa.Table.from_batches([typed(structure(), rows, domains)] * 32_768).combine_chunks().to_batches()[0]

    def batches() -> Iterator[pa.RecordBatch]:
        for _ in range(count // batch.num_rows):
            yield batch
        yield batch.slice(0, count % batch.num_rows)

    return Dataset(structure=structure(), ref=FLOW, batches=batches(), domains=domains, attachments={})


def test_row_groups_and_memory_are_bounded() -> None:
    columnar_chunks = columnar.write_parquet(Message(datasets=[long(2_500_000)]), WriteOptions())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    body = b"".join(columnar_chunks)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    found = pq.ParquetFile(io.BytesIO(body)).metadata
    assert found.num_rows == 2_500_000
    assert all(found.row_group(place).num_rows <= columnar.ROW_GROUP for place in range(found.num_row_groups))
    assert found.num_row_groups <= 2 + 2_500_000 // columnar.ROW_GROUP
    assert found.row_group(0).column(0).compression == "SNAPPY"
    assert grown < 250


# --- JSON-stat ------------------------------------------------------------------------------------------------------


def test_a_cube_with_its_labels() -> None:
    found = stat(dataset(structure(), BIRDS), release=7, languages=("fr",))
    assert (found["version"], found["class"], found["label"]) == ("2.0", "dataset", "Oiseaux")
    assert (found["id"], found["size"]) == (["FREQ", "AREA", "BIRD", "TIME_PERIOD"], [2, 2, 2, 4])
    assert found["role"] == {"time": ["TIME_PERIOD"]}
    assert found["dimension"]["AREA"] == {
        "label": "Le area, «x»",
        "category": {"index": ["008", "4"], "label": {"008": 'Nom, "008"', "4": 'Nom, "4"'}},
    }
    assert found["value"] == {"12": 1.5, "13": 2, "1": -0.05, "2": "NaN", "19": 12345678901234567890.123}
    attributes = found["extension"]["attributes"]
    assert attributes["SOURCE"]["value"] == 'Zoo & "Co"'
    assert attributes["STATUS"]["value"] == {"12": "A", "9": "M", "1": "A", "2": "M", "19": "E"}
    assert found["extension"]["release"] == 7


def test_statuses_places_and_parents() -> None:
    rows = [
        {"FREQ": "A", "REF_AREA": area, "TIME_PERIOD": "2020", "OBS_VALUE": "1", "OBS_STATUS": "E"} for area in "123"
    ]
    from tests.formats.data.writing import attribute, coded

    made = structure(("FREQ", "REF_AREA"), attributes=[attribute("OBS_STATUS", coded("OBS_STATUS"))], groups=())
    areas = {
        code: Code(id=code, names=Texts({"en": f"Area {code}"}), parent="1" if code != "1" else None) for code in "123"
    }
    states = {"E": Code(id="E", names=Texts({"en": "Estimated"}))}
    labels = Labels(codes={"REF_AREA": areas, "OBS_STATUS": states})
    found = stat(dataset(made, rows, labels=labels))
    assert found["role"]["geo"] == ["REF_AREA"]
    assert found["dimension"]["REF_AREA"]["category"]["child"] == {"1": ["2", "3"]}
    assert found["status"] == {"0": "E", "1": "E", "2": "E"}
    assert found["extension"]["status"]["category"]["label"] == {"E": "Estimated"}


def test_several_measures_are_a_dimension() -> None:
    found = stat(dataset(rich(), RICH))
    assert (found["id"][-1], found["role"]["metric"], found["size"]) == ("MEASURE", ["MEASURE"], [1, 1, 1, 2, 2])
    assert found["value"] == {"0": 1.5, "1": "X", "2": 1.5}
    assert found["extension"]["attributes"]["REMARK"]["value"] == {"0": "fine"}
    assert found["extension"]["attributes"]["FLAGS"]["value"] == {"0": ["A", "B"]}


def test_several_data_sets_are_a_collection_that_our_reader_reads() -> None:
    second = structure(("FREQ", "SIZE"), time=False, attributes=(), groups=())
    datasets = [dataset(structure(), BIRDS), dataset(second, [{"FREQ": "A", "SIZE": "L", "OBS_VALUE": "5.5"}])]
    message = Message(header=Header(id="X"), datasets=datasets)
    body = b"".join(write_json_stat(message, WriteOptions()))
    assert json.loads(body)["class"] == "collection"
    sheets = read_json_stat(io.BytesIO(body)).sheets
    assert [column.to_pylist() for column in sheets[1].columns[:3]] == [["FREQ", "A"], ["SIZE", "L"], ["value", "5.5"]]


def test_what_a_cube_cannot_say() -> None:
    for wrong in (dataset(structure(), BIRDS, action=Action.DELETE), dataset(structure(), BIRDS, keys_only=True)):
        with pytest.raises(CannotWrite, match="JSON-stat"):
            stat(wrong)
    unknown = dataset(structure(), BIRDS)
    unknown.domains = {}
    with pytest.raises(CannotWrite, match="FREQ"):
        stat(unknown)
    unlisted = dataset(structure(), BIRDS)
    unlisted.domains = {**unlisted.domains, "AREA": ["4"]}
    with pytest.raises(CannotWrite, match="AREA"):
        stat(unlisted)
    huge = dataset(structure(), BIRDS)
    huge.domains = {name: list(map(str, range(300_000))) for name in huge.domains}
    with pytest.raises(TooLarge, match="cells"):
        stat(huge)


# --- XLSX -----------------------------------------------------------------------------------------------------------


def test_sheets_of_a_workbook() -> None:
    found = book(dataset(structure(), BIRDS), labels="name", release=7, address="/sdmx/v2/data/x?y", languages=("fr",))
    assert found.sheetnames == ["data", "codes", "about"]
    heads = [cell.value for cell in found["data"][1]]
    assert heads[:4] == ["FREQ", "Le freq, «x»", "AREA", "Le area, «x»"]
    assert [cell.value for cell in found["data"][2]][:4] == ["A", 'Nom, "A"', "4", 'Nom, "4"']
    codes = list(found["codes"].values)
    assert codes[:2] == [("COMPONENT", "CODE", "NAME", "PARENT"), ("FREQ", "A", 'Nom, "A"', None)]
    about = list(found["about"].values)
    assert ("release", "7", None, None) in about
    assert ("address", "/sdmx/v2/data/x?y", None, None) in about
    assert ("urn", None, "Oiseaux", FLOW.urn) in about
    both = [[cell.value for cell in row] for row in book(dataset(structure(), BIRDS), labels="both")["data"][1:2]]
    assert (both[0][0], both[1][1]) == ("FREQ: The freq", "4: Name of 4")


def test_nothing_becomes_a_formula_and_codes_keep_their_zeros() -> None:
    notes = ["=1+1", "+2", "-3", "@SUM(A1)", "'x", "=cmd|' /C calc'!A0"]
    rows = [{**row, "NOTE": note} for row, note in zip(BIRDS, notes, strict=True)]
    body = workbook(dataset(structure(), rows), labels="id")
    cells = {cell.value: cell for cell in openpyxl.load_workbook(io.BytesIO(body))["data"][1]}
    sheet = openpyxl.load_workbook(io.BytesIO(body))["data"]
    place = [cell.value for cell in sheet[1]].index("NOTE")
    assert [(row[place].value, row[place].data_type) for row in sheet.iter_rows(min_row=2)] == [
        (note, "s") for note in notes
    ]
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(body)).read("xl/worksheets/sheet1.xml")
    read = pd.read_excel(io.BytesIO(body), engine="calamine", dtype=str, keep_default_na=False)
    assert list(read["AREA"]) == ["4", "4", "4", "008", "008", "008"]
    assert "NOTE" in cells


def test_numbers_show_their_decimals() -> None:
    sheet = book(dataset(structure(), BIRDS), labels="id")["data"]
    place = [cell.value for cell in sheet[1]].index("OBS_VALUE")
    shown = [(row[place].value, row[place].number_format) for row in sheet.iter_rows(min_row=2)]
    assert shown == [
        (1.5, "0.00"), (2, "0"), (None, "General"), (-0.05, "0.00"), ("NaN", "General"), ("12345678901234567890.123", "General")]  # fmt: skip


def test_a_cell_holds_what_a_cell_holds() -> None:
    texts = ["x" * 40_000, "🦉" * 20_000, "y" * 32_767, "_x0041_\x02"]
    rows = [{**row, "NOTE": text} for row, text in zip(BIRDS, texts, strict=False)]
    sheet = book(dataset(structure(), rows), labels="id")["data"]
    found = [row[-1].value for row in sheet.iter_rows(min_row=2)]
    assert [len(text.encode("utf-16-le")) // 2 for text in found[:3]] == [32_767, 32_767, 32_767]
    assert (found[0][-1], found[2][-1], found[3]) == ("…", "y", "_x005F_x0041__x0002_")


def test_several_data_sets_say_what_they_are() -> None:
    gone = dataset(structure(), [{**BIRDS[0], "STATUS": None}], action=Action.DELETE, components=(), attachments={})
    sheet = book(gone, dataset(structure(), BIRDS), labels="id")["data"]
    rows = list(sheet.values)
    assert rows[0][:4] == ("STRUCTURE", "STRUCTURE_ID", "ACTION", "FREQ")
    assert [row[2] for row in rows[1:]] == ["D"] + ["R"] * 6


def test_more_rows_than_a_sheet_has_are_told_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "SHEET_ROWS", 100_000)
    assert len(workbook(long(100_000))) > 1000
    with pytest.raises(TooLarge, match="100,000 rows"):
        next(spreadsheet.write_workbook(Message(datasets=[long(100_001)]), WriteOptions()))
    monkeypatch.setattr(spreadsheet, "_MAX_PART", 1000)
    with pytest.raises(TooLarge, match="do not fit"):
        next(spreadsheet.write_workbook(Message(datasets=[long(50_000)]), WriteOptions()))


# --- whatever the structure -----------------------------------------------------------------------------------------


def cut(world: World, name: str) -> list[dict[str, Any]]:
    """The rows of a world as a format can tell them."""
    kinds = {one.id: one for one in columns(world.structure)}

    def shown(id: str, value: Any) -> Any:
        if name == "xlsx" and kinds[id].kind == "multi":
            return "; ".join(value)
        if name in ("xlsx", "jsonstat") and kinds[id].kind == "multilingual":
            return value.get("en", value[next(iter(value))])
        return value

    rows = []
    for row in world.rows:
        made = {id: shown(id, value) for id, value in row.items() if value is not None}
        told = [
            id
            for id in made
            if kinds[id].role == "measure" or (kinds[id].role == "attribute" and kinds[id].level != ())
        ]
        if told or name != "jsonstat":  # a cell of which nothing is said does not exist
            rows.append(made)
    return sorted((dict(sorted(row.items())) for row in rows), key=repr)


@pytest.mark.parametrize("name", ["parquet", "arrow", "jsonstat", "xlsx"])
@settings(max_examples=15)
@given(world=worlds(), size=st.integers(1, 4))
def test_nothing_is_lost(name: str, world: World, size: int) -> None:
    single = next((one.id for one in columns(world.structure) if one.kind == "multilingual"), None)
    if name != "parquet" and name != "arrow" and single is not None:
        tags = {tag for row in world.rows for tag in row.get(single) or {}}
        if len(tags) > 1 and "en" not in tags:
            return  # which of two languages is better is tested elsewhere
    format = named(name)
    assert format.write is not None
    labels = "name" if name == "xlsx" else "id"
    made = dataset(world.structure, world.rows, size=size)
    body = b"".join(format.write(Message(datasets=[made]), WriteOptions(labels=labels)))
    found = next(iter(datasets(format.media_types[0], body, world.structure.key_ids).values()), [])
    if name == "xlsx":
        found = [{id: spelled(value) for id, value in row.items()} for row in found]
    assert cut(world, name) == sorted((dict(sorted(row.items())) for row in found), key=repr)


def spelled(text: str) -> str:
    """What Excel makes of ``_xHHHH_``, which openpyxl leaves."""
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)
