"""SDMX-CSV data messages: the field guides' rules, faults that say where, figures of real files."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import SdmxError, UnreadableFile, UnresolvedReference
from sdmx_service.formats import delimited
from sdmx_service.formats.sdmx_csv import text as recoding
from sdmx_service.formats.sdmx_csv.cells import split_texts, split_values
from sdmx_service.formats.sdmx_csv.heading import parse_heading_line
from sdmx_service.formats.sdmx_csv.reader import IGNORED_COLUMNS, read_sdmx_csv, sniff_sdmx_csv
from sdmx_service.formats.sniffing import peek
from sdmx_service.formats.spreadsheet.reader import sniff_csv
from sdmx_service.model.message import Action, Message
from sdmx_service.model.structure import DataStructure
from tests.formats.data.invented import (
    CODED,
    MULTI_CODED,
    MULTILINGUAL,
    NUMBER,
    OBSERVATION,
    STOCK,
    TEXT,
    resolving,
    rows,
    structure,
    without_row,
)
from tests.reference import Specimen

OLD = structure(
    ["DIM_1", "DIM_2"], attributes={"ATTR_1": (CODED, OBSERVATION), "ATTR_3": (TEXT, OBSERVATION)}, time="DIM_3"
)
HEAD = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,SEX,TIME_PERIOD,OBS_VALUE,STATUS,NOTE\n"
ROW = "dataflow,INV:DF(1.0.0),M,A,004,F,2020,12.50,NA,\n"


def read(text: str | bytes, *known: DataStructure) -> Message:
    data = text.encode() if isinstance(text, str) else text
    return read_sdmx_csv(io.BytesIO(data), resolving(*(known or (STOCK,))))


def refused(text: str | bytes, *known: DataStructure) -> str:
    with pytest.raises(UnreadableFile) as caught:
        rows(read(text, *known))
    return str(caught.value)


def test_codes_stay_text_and_empty_is_omitted() -> None:
    assert rows(read(HEAD + ROW)) == [
        [
            {
                "FREQ": "A",
                "AREA": "004",
                "SEX": "F",
                "TIME_PERIOD": "2020",
                "OBS_VALUE": "12.50",
                "STATUS": "NA",
                "_row": 2,
            }
        ]
    ]


def test_a_data_set_says_where_it_belongs() -> None:
    (dataset,) = read(HEAD + ROW).datasets
    assert (dataset.ref.type, dataset.ref.text, dataset.action) == ("Dataflow", "INV:DF(1.0.0)", Action.MERGE)
    assert dataset.dataflow == dataset.ref
    assert dataset.structure == STOCK


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("is_closed", [True, False])
def test_marks_and_line_ends_change_nothing(mark: str, end: str, is_closed: bool) -> None:
    text = (mark + HEAD + ROW + ROW).replace("\n", end)
    assert rows(read(text if is_closed else text.removesuffix(end))) == rows(read(HEAD + ROW + ROW))


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_heading_alone_is_no_row(end: str) -> None:
    assert rows(read(HEAD.removesuffix("\n") + end)) == []


def test_columns_stand_in_any_order_and_foreign_ones_are_named() -> None:
    message = read(
        "STRUCTURE,TIME_PERIOD,MINE,SEX,STRUCTURE_ID,OBS_VALUE,FREQ,AREA\ndataflow,2020,x,F,INV:DF(1.0),1,A,4\n"
    )
    assert without_row(rows(message)) == [
        [{"FREQ": "A", "AREA": "4", "SEX": "F", "TIME_PERIOD": "2020", "OBS_VALUE": "1"}]
    ]
    ((code, severity, texts),) = message.errors
    assert (code, severity) == (IGNORED_COLUMNS, "information")
    assert texts["en"].endswith(": MINE.")


def test_semicolons_and_decimal_commas() -> None:
    text = "STRUCTURE[|];STRUCTURE_ID;FREQ;AREA;SEX;TIME_PERIOD;OBS_VALUE;NOTE;TAGS[]\n"
    text += "dataflow;INV:DF(1.0);A;4;F;2020;12,4;1,5;a|b\n" + "dataflow;INV:DF(1.0);A;4;F;2021;-0,5e3;x;a\n"
    first, second = rows(read(text))[0]
    assert (first["OBS_VALUE"], first["NOTE"], first["TAGS"]) == ("12.4", "1,5", ["a", "b"])
    assert (second["OBS_VALUE"], second["TAGS"]) == ("-0.5e3", ["a"])


def test_labels_both_are_cut_where_values_are_codes() -> None:
    text = "STRUCTURE,STRUCTURE_ID,FREQ: Frequency,AREA: Area,SEX: Sex,TIME_PERIOD: Time,OBS_VALUE: Value,NOTE: Note\n"
    text += "dataflow,INV:DF(1.0): Flow: of people,A: Annual,4: Area: four,F: Female,2020: 2020,5,see: there\n"
    assert without_row(rows(read(text))) == [
        [{"FREQ": "A", "AREA": "4", "SEX": "F", "TIME_PERIOD": "2020", "OBS_VALUE": "5", "NOTE": "see: there"}]
    ]


def test_labels_name_are_passed_over_even_when_they_look_like_components() -> None:
    text = "STRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,FREQ,AREA,AREA,SEX,SEX,SEX,TIME_PERIOD,Time,OBS_VALUE,OBS_VALUE\n"
    text += "dataflow,INV:DF(1.0),Flow,A,Annual,4,Four,F,Female,2020,Year,5,\n"
    message = read(text)
    assert without_row(rows(message)) == [
        [{"FREQ": "A", "AREA": "4", "SEX": "F", "TIME_PERIOD": "2020", "OBS_VALUE": "5"}]
    ]
    assert message.errors == ()


def test_multilingual_and_multi_valued_cells() -> None:
    text = "STRUCTURE[;],STRUCTURE_ID,FREQ,TITLE[en;fr],TAGS[]\n"
    text += 'dataflow,INV:DF(1.0),A,"en:Value ""X"";fr:""a;b""","x;""y;z"";"\n'
    (row,) = rows(read(text))[0]
    assert row["TITLE"] == {"en": 'Value "X"', "fr": "a;b"}
    assert row["TAGS"] == ["x", "y;z", ""]


def test_a_separator_must_be_declared_where_it_is_needed() -> None:
    assert "STRUCTURE[;]" in refused("STRUCTURE,STRUCTURE_ID,FREQ,TAGS[]\ndataflow,INV:DF(1.0),A,x\n")


def test_several_structures_and_actions_are_data_sets_in_order() -> None:
    text = HEAD + "DATAFLOW,INV:DF(1.0),D,,,,,,,\n" + 2 * ROW + "dataprovision,INV:PA(1.0),R,A,4,F,2020,1,,\n"
    found = list(read(text).datasets)
    assert [(one.ref.type, one.ref.id, one.action) for one in found] == [
        ("Dataflow", "DF", Action.DELETE), ("Dataflow", "DF", Action.MERGE), ("ProvisionAgreement", "PA", Action.REPLACE)
    ]  # fmt: skip
    assert [len(one) for one in rows(read(text))] == [1, 2, 1]
    assert [row["_row"] for one in rows(read(text)) for row in one] == [2, 3, 4, 5]


def test_rows_that_alternate_between_structures_are_regrouped_but_actions_keep_their_order() -> None:
    lines = [f"dataflow,INV:D{n % 3}(1.0),M,A,{n},F,2020,1,,\n" for n in range(90)]
    lines.append("dataflow,INV:D0(1.0),D,A,0,F,2020,,,\n")
    lines += [f"dataflow,INV:D{n % 2}(1.0),M,A,{n},F,2021,1,,\n" for n in range(20)]
    found = [
        (one.ref.id, one.action, sum(batch.num_rows for batch in one.batches))
        for one in read(HEAD + "".join(lines)).datasets
    ]
    merge, delete = Action.MERGE, Action.DELETE
    assert sorted(found[:3]) == [("D0", merge, 30), ("D1", merge, 30), ("D2", merge, 30)]
    assert found[3] == ("D0", delete, 1)
    assert sorted(found[4:]) == [("D0", merge, 10), ("D1", merge, 10)]


def test_row_numbers_are_those_of_a_spreadsheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK_SIZE", 256)  # Many blocks.
    lines, expected = [], []
    for number in range(2, 200):
        if number % 7 == 0:
            lines.append("\n")
            continue
        note, extra = ('"two\nlines"' if number % 5 == 0 else ""), (",," if number % 11 == 0 else "")
        lines.append(f"dataflow,INV:DF(1.0),M,A,{number},F,2020,1,,{note}{extra}\n")
        expected.append((str(number), number))
    (found,) = rows(read(HEAD + "".join(lines)))
    assert [(row["AREA"], row["_row"]) for row in found] == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "begins with 'a,b"),
        ("STRUCTURE\nx\n", "one column only"),
        ("STRUCTURE;A,STRUCTURE_ID\n", "no column STRUCTURE_ID"),
        (HEAD + "dataflow,INV:DF(1.0),M,A,4\n", "Row 2 has 5 cells where the heading has 10 columns"),
        (HEAD + ROW + ROW.replace("\n", ",more\n"), "Row 3 has 11 cells where the heading has 10 columns"),
        (HEAD + ROW + ROW.replace(",M,", ",E,"), "Row 3, column ACTION: 'E'"),
        (HEAD + ROW.replace("dataflow", "codelist"), "Row 2, column STRUCTURE: 'codelist'"),
        (HEAD + ROW + ROW.replace("INV:DF(1.0.0)", "DF"), "Row 3, column STRUCTURE_ID: 'DF'"),
        (HEAD + ROW + ROW.replace("INV:DF(1.0.0)", ""), "Row 3, column STRUCTURE_ID: the cell is empty"),
        (
            HEAD + ROW + 'dataflow,INV:DF(1.0.0),M,A,4,F,2020,1,A,"open\n',
            "the one that opens in line 3 is never closed",
        ),
        (HEAD.replace("NOTE", "SEX") + ROW, "columns 6 and 10 are both 'SEX'"),
    ],
)
def test_faults_say_where(text: str, words: str) -> None:
    assert words in refused(text)


def test_bytes_that_are_not_utf8_are_found() -> None:
    start = (HEAD + ROW + ROW + ROW.replace("NA,", "NA,größt")).encode()
    words = refused(start + "dataflow,INV:DF(1.0.0),M,A,é,F,2020,1,A,\n".encode("latin-1"))
    assert "Line 5" in words
    assert f"byte {len(start) + 28} " in words
    assert "0xE9" in words


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp1251"])
def test_a_text_in_another_encoding_is_recoded_in_pieces(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setattr(recoding, "_CHUNK", 7)
    note = "Порт северный" if encoding == "cp1251" else "größtenteils geschätzt"
    message = read((HEAD + ROW + ROW.replace("NA,", f"NA,{note}")).encode(encoding))
    [[first, second]] = rows(message)
    assert "NOTE" not in first
    assert note in str(second["NOTE"])
    assert message.encoding is not None
    assert message.encoding.is_sure == encoding.startswith("utf")


def test_rows_below_a_line_that_names_the_separator_are_those_of_the_file() -> None:
    [found] = rows(read("sep=,\r\n" + HEAD + ROW + ROW))
    assert [row["_row"] for row in found] == [3, 4]
    assert "Row 4 has 3 cells" in refused("sep=,\n" + HEAD + ROW + "a,b,c\n")
    assert "Row 2 has no column STRUCTURE_ID" in refused("sep=,\nSTRUCTURE,b\n")


def test_metadata_messages_hold_no_data() -> None:
    with pytest.raises(UnreadableFile, match=r"MDSTRUCTURE\) holds no data"):
        read("MDSTRUCTURE,MDSTRUCTURE_ID,METADATASET_ID\nmetadataflow,INV:MDF(1.0),INV:MDS(1.0)\n")


def test_a_missing_structure_is_named() -> None:
    other = structure(["X"], id="OTHER")
    with pytest.raises(UnresolvedReference, match="INV:DF"):
        rows(read(HEAD + ROW, STOCK, other))


def test_a_structure_without_version_is_the_latest() -> None:
    (dataset,) = read(HEAD + ROW.replace("(1.0.0)", "")).datasets
    assert dataset.ref.version == "~"


# ------------------------------------------------------------------------------------------------------- version 1.0


def test_version_1_with_labels_and_commas() -> None:
    text = "DATAFLOW;DIM_1: One;DIM_2: Two;DIM_3: Three;OBS_VALUE;ATTR_3: Attribut 3;ATTR_1: Attribut 1;SERIESKEY\n"
    text += "ESTAT:NA_MAIN(1.6): Principaux agrégats;A: Value A;B: Value B;2014-01;12,4;Normal, special;N: Non;A.B\n"
    message = read(text, OLD)
    assert rows(message) == [
        [{"DIM_1": "A", "DIM_2": "B", "DIM_3": "2014-01", "OBS_VALUE": "12.4", "ATTR_3": "Normal, special", "ATTR_1": "N", "_row": 2}]
    ]  # fmt: skip
    assert "SERIESKEY" in message.errors[0][2]["en"]


def test_version_1_needs_every_dimension() -> None:
    assert "no column for DIM_2" in refused("DATAFLOW,DIM_1,dim_2,DIM_3,OBS_VALUE\nESTAT:NA(1.0),A,B,2014,1\n", OLD)


# ---------------------------------------------------------------------------------------------------------- sniffing


@pytest.mark.parametrize(
    ("text", "is_sdmx"),
    [
        (HEAD + ROW, True),
        ("\ufeff" + HEAD, True),
        ('"STRUCTURE[;]";"STRUCTURE_ID"\n', True),
        ("DATAFLOW,A\nESTAT:X(1.0),1\n", True),
        ("DATAFLOW,A\nx,1\n", False),
        ("STRUCTURE,A\nx,1\n", False),
        ("geo,t,from\nABW,1990,BES\n", False),
        ("<x/>", False),
    ],
)
def test_sdmx_csv_wins_over_plain_csv_when_it_is_one(text: str, is_sdmx: bool) -> None:
    head = peek(io.BytesIO(text.encode()), name="x.csv")
    assert (sniff_sdmx_csv(head) >= 90) == is_sdmx
    assert sniff_sdmx_csv(head) != sniff_csv(head) or not is_sdmx


# -------------------------------------------------------------------------------------------------------- properties

cell = st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00\r"), max_size=12)


@given(st.lists(st.tuples(cell, cell, cell, cell), min_size=1, max_size=30))
def test_whatever_a_csv_writer_writes_is_read(cells: list[tuple[str, str, str, str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["STRUCTURE", "STRUCTURE_ID", "AREA", "OBS_VALUE", "STATUS", "NOTE"])
    writer.writerows([("dataflow", "INV:DF(1.0)", *one) for one in cells])
    expected = [
        {name: text for name, text in zip(("AREA", "OBS_VALUE", "STATUS", "NOTE"), one, strict=True) if text}
        for one in cells
    ]
    assert without_row(rows(read(out.getvalue()))) == [expected]


@given(st.lists(cell, min_size=1, max_size=5), st.sampled_from([";", "|", ","]))
def test_values_of_a_cell_come_back(values: list[str], separator: str) -> None:
    text = separator.join('"' + value.replace('"', '""') + '"' for value in values)
    assert split_values(text, separator) == values


@given(st.dictionaries(st.sampled_from(["en", "fr", "zh-Hant", "ar"]), cell, min_size=1))
def test_texts_of_a_cell_come_back(texts: dict[str, str]) -> None:
    written = ";".join(f'{tag}:"' + text.replace('"', '""') + '"' for tag, text in texts.items())
    assert dict(split_texts(written, ";")) == texts


GOOD = (HEAD + ROW * 3 + 'dataflow,INV:DF(1.0.0),D,,,,,,,"x\ny"\n').encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        rows(read(data))
    except SdmxError:
        pass


@given(st.integers(0, len(GOOD)), st.integers(0, 20), st.binary(max_size=20))
def test_any_damage_is_read_or_refused(start: int, size: int, inserted: bytes) -> None:
    try:
        rows(read(GOOD[:start] + inserted + GOOD[start + size :]))
    except SdmxError:
        pass


# --------------------------------------------------------------------------------------------------------- specimens


def structure_of(path: bytes) -> DataStructure:
    """A structure with the components that the heading of a specimen names."""
    line = parse_heading_line(path.decode("utf-8-sig"))
    foreign = {
        "STRUCTURE",
        "STRUCTURE_ID",
        "STRUCTURE_NAME",
        "ACTION",
        "SERIES_KEY",
        "OBS_KEY",
        "DATAFLOW",
        "UPDATED",
        "LAST UPDATE",
        "SERIESKEY",
    }
    measures, attributes, dimensions = {}, {}, []
    time = "TIME_PERIOD" if any(one.id == "TIME_PERIOD" for one in line.headings) else None
    for one in line.headings:
        if one.id in foreign | {time} or "." in one.id:
            continue
        if one.id.startswith(("OBS_VALUE", "MEAS", "Me_")):
            measures[one.id] = NUMBER
        elif one.is_multi or one.languages:
            form = MULTI_CODED if one.is_multi else MULTILINGUAL
            attributes[one.id] = (form, OBSERVATION)
        elif one.id.startswith(("ATT", "OBS_")):
            attributes[one.id] = (CODED if one.is_both else TEXT, OBSERVATION)
        else:
            dimensions.append(one.id)
    return structure(dimensions, measures, attributes, time=time)


REFUSED = {
    "sdmx-csv-2.0/data/pysdmx/data_v2_action_col.csv": "Row 2 has 22 cells",
    "sdmx-csv-2.0/data/pysdmx/data_v2_invalid_action.csv": "Row 2, column ACTION: 'E'",
    "sdmx-csv-2.0/data/pysdmx/data_v2_structures_exception.csv": "Row 4, column STRUCTURE: 'dataTESTERROR'",
    "sdmx-csv-2.0/data/sdmxthon/two_actions_delete_after.csv": "Row 2 has 4 cells",
    "sdmx-csv-2.0/data/sdmx-csv-guide/example-14.csv": "declares no separator",
    "sdmx-csv-2.1/data/sdmx-csv-guide/example-14.csv": "declares no separator",
}
"""Specimens that break the rules, the last two although the field guide prints them."""


@pytest.mark.specimens(format="sdmx-csv", kind="data")
def test_specimens_equal_what_a_plain_csv_reader_sees(specimen: Specimen) -> None:
    data = specimen.path.read_bytes()
    message = read(data, structure_of(data))
    if specimen.file in REFUSED:
        with pytest.raises(UnreadableFile) as caught:
            rows(message)
        assert REFUSED[specimen.file] in str(caught.value)
        return
    found = [row for dataset in rows(message) for row in dataset]
    line = parse_heading_line(data.decode("utf-8-sig"))
    plain = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=line.delimiter))
    assert len(found) == len(plain)
    ids = [one.id for one in line.headings]
    for ours, theirs in zip(found, plain, strict=True):
        cells = dict(zip(ids, list(theirs.values()), strict=False))
        for name in set(ours) & {"OBS_VALUE", "MEAS_1", "DIM_1", "REF_AREA", "CITIZENSHIP"}:
            assert ours[name] == (cells[name] or "").partition(": ")[0].replace(",", ".")


@pytest.mark.specimens(format="sdmx-csv", kind="metadata")
def test_metadata_specimens_are_refused_in_words(specimen: Specimen) -> None:
    with pytest.raises(UnreadableFile, match="holds no data"):
        read(specimen.path.read_bytes())


def test_the_migration_specimen(specimens: tuple[Specimen, ...]) -> None:
    (specimen,) = [one for one in specimens if one.file.endswith("oecd_mig_b15_excerpt.csv")]
    data = specimen.path.read_bytes()
    message = read(data, structure_of(data))
    (dataset,) = rows(message)
    assert {row["CITIZENSHIP"] for row in dataset} >= {"CSK_F", "SCG_F"}
    lines = list(csv.DictReader(io.StringIO(data.decode())))
    assert sum(Decimal(row["OBS_VALUE"]) for row in dataset) == sum(Decimal(line["OBS_VALUE"]) for line in lines)
