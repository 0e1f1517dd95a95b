"""SDMX-CSV as written: read back with the standard library, compared with the source rows."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysdmx.io import read_sdmx

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.sdmx_csv.reader import read_sdmx_csv
from sdmx_service.formats.sdmx_csv.writer import write_csv
from sdmx_service.model.artefact import Texts
from sdmx_service.model.columns import columns
from sdmx_service.model.items import Code
from sdmx_service.model.message import Action, Labels, Message, WriteOptions
from sdmx_service.model.structure import DataStructure, Measure
from sdmx_service.model.urn import Ref
from tests.formats.data.invented_data import World, worlds
from tests.formats.data.test_writer_roundtrip import resolving
from tests.formats.data.writing import BIRDS, FLOW, concept, dataset, plain, rich, structure


def text_of(message: Message, version: str = "2.1", **options: Any) -> str:
    return b"".join(write_csv(message, WriteOptions(**options), version=version)).decode()


def table(text: str) -> tuple[list[str], list[dict[str, str]]]:
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert all(len(row) == len(header) for row in rows)
    return header, [dict(zip(header, row, strict=True)) for row in rows]


def split(cell: str, kind: str) -> Any:
    """A cell as the source has it."""
    if cell == "":
        return None
    if kind == "multi":
        pattern = re.compile(r'(?:"((?:[^"]|"")*)"|([^;"][^;]*|))(?:;|$)', re.DOTALL)
        values, place = [], 0
        while True:
            match = pattern.match(cell, place)
            assert match is not None, cell[place:]
            values.append(match[1].replace('""', '"') if match[1] is not None else match[2])
            place = match.end()
            if not match[0].endswith(";"):
                return values
    if kind == "multilingual":
        pattern = re.compile(r'([A-Za-z-]+):(?:"((?:[^"]|"")*)"|([^;"][^;]*|))(?:;|$)', re.DOTALL)
        return {tag: (quoted.replace('""', '"') if quoted else bare) for tag, quoted, bare in pattern.findall(cell)}
    return cell


def rows_of(text: str, made: DataStructure) -> list[dict[str, Any]]:
    header, rows = table(text)
    names = {re.sub(r"\[.*\]$", "", name): name for name in header}
    return [{one.id: split(row[names[one.id]], one.kind) for one in columns(made)} for row in rows]


def expected(world: World) -> list[dict[str, Any]]:
    """The source; texts without a sign, which CSV cannot tell from none, left out."""

    def shown(value: Any) -> Any:
        return None if value in ("", [""]) else value

    return [{one.id: shown(row.get(one.id)) for one in columns(world.structure)} for row in world.rows]


@given(worlds(), st.integers(1, 4))
def test_every_value_comes_back(world: World, size: int) -> None:
    text = text_of(Message(datasets=[dataset(world.structure, world.rows, size=size)]))
    assert expected(world) == rows_of(text, world.structure)


@given(worlds())
def test_batches_do_not_show(world: World) -> None:
    texts = [text_of(Message(datasets=[dataset(world.structure, world.rows, size=size)])) for size in (1, 2, 100)]
    assert texts[0] == texts[1] == texts[2]


@pytest.mark.parametrize(
    ("version", "first"),
    [
        ("2.1", ["dataflow", "ZOO:DF_BIRDS(1.0.0)", "M"]),
        ("2.0", ["dataflow", "ZOO:DF_BIRDS(1.0.0)", "A"]),
        ("1.0", ["ZOO:DF_BIRDS(1.0.0)"]),
    ],
)
def test_leading_columns(version: str, first: list[str]) -> None:
    text = text_of(Message(datasets=[dataset(structure(), BIRDS, action=Action.MERGE)]), version)
    header, rows = table(text)
    assert ["DATAFLOW"] if version == "1.0" else ["STRUCTURE", "STRUCTURE_ID", "ACTION"] == header[: len(first)]
    assert first == list(rows[0].values())[: len(first)]
    assert [
        "FREQ",
        "AREA",
        "BIRD",
        "TIME_PERIOD",
        "OBS_VALUE",
        "SOURCE",
        "TITLE",
        "UNIT",
        "DECIMALS",
        "STATUS",
        "NOTE",
    ] == header[len(first) :]


def test_labels_both_and_keys() -> None:
    text = text_of(
        Message(datasets=[dataset(structure(), BIRDS)]),
        labels="both",
        keys="both",
        time_format="normalized",
        languages=("fr",),
    )
    header, rows = table(text)
    assert header[3:6] == ["SERIES_KEY", "OBS_KEY", "FREQ: Le freq, «x»"]
    assert rows[3]["STRUCTURE_ID"] == "ZOO:DF_BIRDS(1.0.0): Oiseaux"
    assert (rows[3]["SERIES_KEY"], rows[3]["OBS_KEY"]) == ("A.008.EMU", "A.008.EMU.2020")
    assert rows[3]["AREA: Le area, «x»"] == '008: Nom, "008"'
    assert [row["TIME_PERIOD: Le time_period, «x»"] for row in rows] == [
        "2019-01-01",
        "2020-01-01",
        "2020-01-01",
        "2020-01-01",
        "2021-01-01",
        "2021-01-01",
    ]
    assert [row["OBS_VALUE: Le obs_value, «x»"] for row in rows] == [row["OBS_VALUE"] or "" for row in BIRDS]


def test_labels_name() -> None:
    header, rows = table(text_of(Message(datasets=[dataset(structure(), BIRDS)]), labels="name"))
    assert header[:8] == [
        "STRUCTURE",
        "STRUCTURE_ID",
        "STRUCTURE_NAME",
        "ACTION",
        "FREQ",
        "The freq",
        "AREA",
        "The area",
    ]
    assert [row["STRUCTURE_NAME"] for row in rows] == ["Birds, counted"] * 6
    assert [(row["STATUS"], row["The status"]) for row in rows[:2]] == [("A", "Name of A"), ("", "")]


def test_names_of_several_codes_in_a_cell() -> None:
    row = {**BIRDS[0], "FLAGS": ["A", "B"], "REMARK": {"en": "fine"}}
    row.pop("DECIMALS")
    header, read = table(text_of(Message(datasets=[dataset(rich(), [row], labels=flags())]), labels="both"))
    assert (header[0], read[0]["FLAGS[]: The flags"]) == ("STRUCTURE[;]", 'A: Name of A;"B: Name; of B"')
    header, read = table(text_of(Message(datasets=[dataset(rich(), [row], labels=flags())]), labels="name"))
    assert (read[0]["FLAGS[]"], read[0]["The flags"], read[0]["The remark"]) == ("A;B", 'Name of A;"Name; of B"', "")
    _, read = table(text_of(Message(datasets=[dataset(rich(), [row], labels=flags())]), "1.0", labels="both"))
    assert read[0]["FLAGS: The flags"] == "A: Name of A; B: Name; of B"


def flags() -> Labels:
    names = {"A": "Name of A", "B": "Name; of B"}
    codes = {code: Code(id=code, names=Texts({"en": name})) for code, name in names.items()}
    components = {name: Texts({"en": f"The {name.lower()}"}) for name in ("FLAGS", "REMARK")}
    return Labels(components=components, codes={"FLAGS": codes})


@pytest.mark.parametrize(
    ("view", "keys"),
    [("TIME_PERIOD", ["A.4.OWL", "A.4.OWL.2019"]), ("AREA", ["A.OWL.2019", "A.4.OWL.2019"]), ("AllDimensions", ["", "A.4.OWL.2019"])],
)  # fmt: skip
def test_keys_leave_out_what_is_at_the_observation(view: str, keys: list[str]) -> None:
    message = Message(datasets=[dataset(structure(), BIRDS, dimension_at_observation=view)])
    header, rows = table(text_of(message, keys="both"))
    assert header[3:5] == ["SERIES_KEY", "OBS_KEY"]
    assert [rows[0]["SERIES_KEY"], rows[0]["OBS_KEY"]] == keys


@pytest.mark.parametrize("labels", ["id", "both"])
def test_the_measure_of_1_0_is_always_called_obs_value(labels: str) -> None:
    measures = [
        Measure(id=name, concept=concept(name), representation=plain("Double")) for name in ("WEIGHT", "LENGTH")
    ]
    made = structure(("FREQ",), measures=measures, attributes=(), groups=())
    row = {"FREQ": "A", "TIME_PERIOD": "2020", "WEIGHT": "1.50", "LENGTH": "2"}
    text = text_of(Message(datasets=[dataset(made, [row])]), "1.0", labels=labels)
    header, read = table(text)
    assert header[3] == "OBS_VALUE"
    assert list(read[0].values())[3:] == ["1.50", "2"]
    found = read_sdmx_csv(io.BytesIO(text.encode()), resolving(made))
    (batch,) = [batch for one in found.datasets for batch in one.batches]
    assert (batch.column("WEIGHT").to_pylist(), batch.column("LENGTH").to_pylist()) == (["1.50"], ["2"])


def test_fields_of_several_values_are_declared() -> None:
    rows = [
        {
            "FREQ": "A",
            "AREA": "4",
            "BIRD": "OWL",
            "TIME_PERIOD": "2020",
            "OBS_VALUE": "1",
            "FLAGS": ["A", "B"],
            "REMARK": {"fr": "x", "en": "y;z"},
        }
    ]
    header, read = table(text_of(Message(datasets=[dataset(rich(), rows)])))
    assert header[0] == "STRUCTURE[;]"
    assert (read[0]["FLAGS[]"], read[0]["REMARK[en;fr]"]) == ("A;B", 'fr:x;en:"y;z"')
    header, read = table(text_of(Message(datasets=[dataset(rich(), rows)]), "1.0", languages=("fr",)))
    assert (read[0]["FLAGS"], read[0]["REMARK"]) == ("A; B", "x")


def test_several_datasets_share_the_header() -> None:
    other = structure(("FREQ", "SIZE"), time=False, attributes=(), groups=())
    second = dataset(
        other,
        [{"FREQ": "A", "SIZE": "L", "OBS_VALUE": "5"}],
        ref=Ref(type="DataStructure", agency="ZOO", id="DSD_BIRDS", version="1.0.0"),
        action=Action.DELETE,
    )
    header, rows = table(text_of(Message(datasets=[dataset(structure(), BIRDS), second])))
    assert header[3:] == [
        "FREQ",
        "AREA",
        "BIRD",
        "TIME_PERIOD",
        "SIZE",
        "OBS_VALUE",
        "SOURCE",
        "TITLE",
        "UNIT",
        "DECIMALS",
        "STATUS",
        "NOTE",
    ]  # the dimensions of all, then the measures of all, then the attributes
    assert [row["ACTION"] for row in rows] == ["R"] * 6 + ["D"]
    assert {name: text for name, text in rows[-1].items() if text} == {
        "STRUCTURE": "datastructure", "STRUCTURE_ID": "ZOO:DSD_BIRDS(1.0.0)", "ACTION": "D", "FREQ": "A", "SIZE": "L", "OBS_VALUE": "5"}  # fmt: skip


def test_keys_only() -> None:
    _, rows = table(text_of(Message(datasets=[dataset(structure(), BIRDS, keys_only=True)])))
    assert [(row["FREQ"], row["AREA"], row["BIRD"], row["TIME_PERIOD"], row["OBS_VALUE"], row["STATUS"]) for row in rows] == [
        ("A", "4", "OWL", "", "", ""), ("A", "4", "EMU", "", "", ""), ("A", "008", "EMU", "", "", ""), ("Q", "008", "EMU", "", "", "")]  # fmt: skip


def test_only_chosen_components() -> None:
    header, _ = table(text_of(Message(datasets=[dataset(structure(), BIRDS, components=("OBS_VALUE", "STATUS"))])))
    assert header[3:] == ["FREQ", "AREA", "BIRD", "TIME_PERIOD", "OBS_VALUE", "STATUS"]


def test_nothing_to_write() -> None:
    assert text_of(Message(datasets=[dataset(structure(), [])])).count("\n") == 1


@pytest.mark.parametrize(
    ("version", "options"),
    [
        ("1.0", {"labels": "name"}),
        ("1.0", {"keys": "obs"}),
        ("2.1", {"labels": "ids"}),
        ("2.0", {"time_format": "iso"}),
    ],
)
def test_unknown_parameters_are_refused(version: str, options: dict[str, str]) -> None:
    with pytest.raises(CannotWrite):
        text_of(Message(datasets=[]), version, **options)


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1"])
@pytest.mark.filterwarnings("ignore")
def test_pysdmx_reads_the_same_figures(version: str) -> None:
    rows = [{**row, "AREA": "X" + row["AREA"]} for row in BIRDS]  # pysdmx makes 8 of 008
    text = text_of(Message(datasets=[dataset(structure(), rows)]), version)
    found = read_sdmx(io.BytesIO(text.encode()), validate=False).data[0]
    assert found.structure == f"Dataflow={FLOW.agency}:{FLOW.id}({FLOW.version})"
    for name in ("FREQ", "AREA", "BIRD", "TIME_PERIOD", "OBS_VALUE", "STATUS", "TITLE"):
        assert [row[name] or "" for row in rows] == [str(value) for value in found.data[name].astype(str)]
    assert isinstance(found.data, pd.DataFrame)
