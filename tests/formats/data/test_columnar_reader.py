"""Parquet that comes in: our own export, tables of components, any other table for a mapping; safe against bombs."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import SdmxError, TooLarge, UnreadableFile, UnresolvedReference, UnsafeFile
from sdmx_service.formats.columnar import reader
from sdmx_service.formats.columnar.reader import read_parquet, sniff_parquet
from sdmx_service.formats.columnar.writer import write_parquet
from sdmx_service.formats.recognition import head_of, recognise_data
from sdmx_service.model.message import UNSAID, Action, Message, Resolve, Tables, Target, WriteOptions
from sdmx_service.model.urn import Ref
from tests.formats.data.invented import STOCK, resolving, rows, without_row
from tests.formats.data.test_every_format import HOSTILE, made, rows_of
from tests.formats.data.writing import dataset


def parquet(table: pa.Table, **how: Any) -> io.BytesIO:
    out = io.BytesIO()
    pq.write_table(table, out, **how)
    out.seek(0)
    return out


def nowhere(ref: Ref) -> Target:
    raise UnresolvedReference(f"{ref} is not there.")


def of_nothing_said(resolve: Resolve) -> Resolve:
    """Resolves all but what a message does not say."""
    return lambda ref: nowhere(ref) if ref == UNSAID else resolve(ref)


def read_message(table: pa.Table, **how: Any) -> Message:
    found = read_parquet(parquet(table, **how), resolving(STOCK))
    assert isinstance(found, Message)
    return found


KEY = {"FREQ": ["A", "A"], "AREA": ["007", "NA"], "SEX": ["F", "M"], "TIME_PERIOD": ["2020", "2021"]}


@pytest.mark.parametrize("kind", ["Double", "Decimal", "Integer"])
def test_our_own_export_comes_back_digit_for_digit(kind: str) -> None:
    known = made(kind)
    source = rows_of(HOSTILE, ["x"] * len(HOSTILE))
    body = b"".join(write_parquet(Message(datasets=[dataset(known, source, size=7)]), WriteOptions(labels="name")))
    file = io.BytesIO(body)
    assert recognise_data(head_of(file)).name == "parquet"
    (found,) = without_row(rows(read_parquet(file, of_nothing_said(resolving(known)))))  # type: ignore[arg-type]
    assert [dict(row) for row in source] == found


def test_runs_of_structures_and_actions_are_data_sets() -> None:
    table = pa.table(
        {
            "OBS_VALUE": pa.array([1.5, 2, None, 4], pa.float64()),
            "ACTION": ["M", "M", "D", None],
            "STRUCTURE_ID": ["INV:A(1.0)", "INV:A(1.0)", "INV:A(1.0)", "INV:B"],
            **{name: values * 2 for name, values in KEY.items()},
            "EXTRA": [1, 2, 3, 4],
        }
    )
    message = read_message(table)
    read = [
        (one.ref.text, one.action, [row for batch in one.batches for row in batch.to_pylist()])
        for one in message.datasets
    ]
    assert [(ref, action, len(found)) for ref, action, found in read] == [
        ("INV:A(1.0)", Action.MERGE, 2), ("INV:A(1.0)", Action.DELETE, 1), ("INV:B(~)", Action.MERGE, 1),
    ]  # fmt: skip
    assert [row["_row"] for _, _, found in read for row in found] == [1, 2, 3, 4]
    assert [row["OBS_VALUE"] for _, _, found in read for row in found] == ["1.5", "2", None, "4"]
    (note,) = message.errors
    assert "EXTRA" in note[2]["en"]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array([1, 20000000000]), ["1", "20000000000"]),
        (pa.array([1.0, 1e11]), ["1", "100000000000"]),
        (pa.array([0.1, float("nan")]), ["0.1", None]),
        (pa.array([1234567.25, 1e22], pa.float64()), ["1234567.25", "1e+22"]),
        (pa.array([Decimal("1.50"), Decimal("2.00")]), ["1.50", "2.00"]),
        (pa.array(["1.50", ""]), ["1.50", None]),
        (pa.array(["1", "2"]).dictionary_encode(), ["1", "2"]),
        (pa.nulls(2), [None, None]),
    ],
)
def test_values_of_any_type_are_the_text_they_mean(values: Any, texts: list[str | None]) -> None:
    ((one, two),) = without_row(rows(read_message(pa.table({**KEY, "OBS_VALUE": values}))))
    assert [one.get("OBS_VALUE"), two.get("OBS_VALUE")] == texts
    assert (one["AREA"], two["AREA"]) == ("007", "NA")


def test_lists_texts_by_language_dates_and_flags() -> None:
    table = pa.table(
        {
            **KEY,
            "TAGS": pa.array([["a", "b"], None], pa.list_(pa.string())),
            "TITLE": pa.array(["T", None]),
            "NOTE": pa.array([dt.datetime(2020, 1, 2, 3, 4, 5), dt.datetime(2020, 1, 2, 3, 4, 5, 500_000)]),
            "STATUS": pa.array([True, False]),
        }
    )
    ((one, two),) = without_row(rows(read_message(table)))
    assert (one["TAGS"], one["TITLE"], one["NOTE"], two["NOTE"]) == (
        ["a", "b"], {"en": "T"}, "2020-01-02T03:04:05", "2020-01-02T03:04:05.5",
    )  # fmt: skip
    assert (one["STATUS"], two.get("TAGS")) == ("true", None)
    (single,) = without_row(rows(read_message(pa.table({**KEY, "TAGS": ["a", None]}))))
    assert [row.get("TAGS") for row in single] == [["a"], None]
    with pytest.raises(UnreadableFile, match="'NOTE' of the Parquet file holds list"):
        rows(read_message(pa.table({**KEY, "NOTE": [[1], [2]]})))


def test_a_frame_of_pandas_is_read() -> None:
    frame = pd.DataFrame({**KEY, "OBS_VALUE": [1.5, None]})
    out = io.BytesIO()
    frame.to_parquet(out)
    found = read_parquet(out, resolving(STOCK))
    assert isinstance(found, Message)
    ((one, two),) = without_row(rows(found))
    assert (one["OBS_VALUE"], two.get("OBS_VALUE")) == ("1.5", None)


@pytest.mark.parametrize("resolve", [of_nothing_said(resolving(STOCK)), resolving(STOCK)])
def test_another_table_is_one_for_a_mapping(resolve: Resolve) -> None:
    table = pa.table({"Land": ["007", None], "Jahr": [2020, 2021], "Anteil": [0.5, None]})
    found = read_parquet(parquet(table), resolve)
    assert isinstance(found, Tables)
    (sheet,) = found.sheets
    assert [column.to_pylist() for column in sheet.columns] == [
        ["Land", "007", None], ["Jahr", "2020", "2021"], ["Anteil", "0.5", None],
    ]  # fmt: skip
    assert sheet.numbers is not None
    assert [column.to_pylist() for column in sheet.numbers][1:] == [[False, True, True], [False, True, False]]
    assert sheet.origin is not None
    assert sheet.origin.rows.to_pylist() == [None, 1, 2]


def test_batches_are_small_whatever_the_size() -> None:
    table = pa.table({name: pa.array(values * 100_000) for name, values in KEY.items()})
    sizes = [len(batch) for one in read_message(table).datasets for batch in one.batches]
    assert sum(sizes) == 200_000
    assert max(sizes) <= 65_536


# ------------------------------------------------------------------------------------------------------ what is refused


def test_faults_say_where() -> None:
    lead = {"STRUCTURE_ID": ["INV:A(1.0)", None], **KEY}
    with pytest.raises(UnreadableFile, match="Row 2, column STRUCTURE_ID"):
        rows(read_message(pa.table(lead)))
    for name, value, words in (
        ("STRUCTURE_ID", "nonsense", "Row 1, column STRUCTURE_ID: 'nonsense'"),
        ("ACTION", "X", "Row 1, column ACTION: 'X' is not an action"),
        ("STRUCTURE", "cube", "Row 1, column STRUCTURE: 'cube'"),
    ):
        table = {"STRUCTURE_ID": ["INV:A(1.0)"] * 2, **KEY, name: [value] * 2}
        with pytest.raises(UnreadableFile, match=words):
            rows(read_message(pa.table(table)))


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    ones = pa.table({"A": pa.repeat(pa.scalar(1, pa.int8()), 30_000_000)})
    file = parquet(ones, compression="zstd", row_group_size=30_000_000)
    assert len(file.getbuffer()) < 200_000
    with pytest.raises(UnsafeFile, match="30000000 rows"):
        read_parquet(file, resolving(STOCK))
    monkeypatch.setattr(reader, "MAX_CELLS", 3)
    with pytest.raises(TooLarge, match="2 rows and 4 columns"):
        read_parquet(parquet(pa.table(KEY)), of_nothing_said(resolving(STOCK)))


def test_two_columns_of_one_name_are_refused() -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["A", "A"])
    with pytest.raises(UnreadableFile, match="same name"):
        read_parquet(parquet(table), resolving(STOCK))


GOOD = parquet(pa.table({"STRUCTURE_ID": ["INV:A(1.0)"] * 2, **KEY, "OBS_VALUE": [1.5, 2.5]})).getvalue()


@given(st.integers(0, len(GOOD)), st.integers(0, 20), st.binary(max_size=20))
def test_any_damage_is_read_or_refused(start: int, size: int, inserted: bytes) -> None:
    data = GOOD[:start] + inserted + GOOD[start + size :]
    try:
        found = read_parquet(io.BytesIO(data), resolving(STOCK))
        assert isinstance(found, Tables) or rows(found) is not None
    except SdmxError:
        pass


def test_sniffing() -> None:
    assert sniff_parquet(head_of(io.BytesIO(GOOD))) == 100
    assert sniff_parquet(head_of(io.BytesIO(b"PAR2"))) == 0
