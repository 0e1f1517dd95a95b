"""Places of findings: the same places in little memory, in the order in which a person reads the file."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.submission.places import gathered, in_order, spelt_out
from sdmx_service.submission.workspace import IN_ORDER

SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int64()),
        ("column", pa.string()),
        ("sheet", pa.string()),
        ("value", pa.string()),
        ("key_0", pa.string()),
        ("number", pa.int64()),
    ]
)
NAMES = {"key_0": "key.REF_AREA"}
texts = st.one_of(st.none(), st.sampled_from(["A", "B", "Z", "AA", "AB", "é", "z", ""]))
rows = st.lists(
    st.tuples(texts, st.one_of(st.none(), st.integers(1, 9)), texts, texts, st.one_of(st.none(), st.text()), texts),
    max_size=40,
)


def table(found: list[tuple[Any, ...]]) -> pa.Table:
    listed = [dict(zip(SCHEMA.names, (*row, number), strict=True)) for number, row in enumerate(found)]
    return pa.Table.from_pylist(listed, SCHEMA)


@given(rows, st.integers(1, 7))
def test_no_place_is_lost_or_changed(found: list[tuple[Any, ...]], size: int) -> None:
    plain = table(found)
    places = gathered(plain.to_batches(max_chunksize=size), SCHEMA, NAMES)
    assert places.to_pylist() == plain.rename_columns([NAMES.get(name, name) for name in SCHEMA.names]).to_pylist()
    assert spelt_out(places).schema.types == SCHEMA.types


@given(rows, st.integers(1, 7))
def test_the_order_is_that_of_the_database(found: list[tuple[Any, ...]], size: int) -> None:
    plain = table(found)
    columns = ", ".join(f'"{name}" AS _{name}' for name in ("file", "row", "column", "sheet"))
    query = f"SELECT number FROM (SELECT {columns}, number FROM plain) ORDER BY {IN_ORDER}, number"
    with duckdb.connect() as connection:
        expected = [number for (number,) in connection.execute(query).fetchall()]
    ordered = in_order(gathered(plain.to_batches(max_chunksize=size), SCHEMA, NAMES))
    assert ordered["number"].to_pylist() == expected


def test_codes_that_many_places_share_take_a_byte() -> None:
    areas = [f"{number % 100:03}" for number in range(100_000)]
    plain = table([("a.csv", number, "C", None, "1", area) for number, area in enumerate(areas)])
    places = gathered(plain.to_batches(max_chunksize=4_096), SCHEMA, NAMES)
    assert places["key.REF_AREA"].type == pa.dictionary(pa.int8(), pa.string())
    assert places.select(["file", "column", "sheet", "key.REF_AREA"]).nbytes < 5 * 100_000
    many = gathered(table([("a", n, None, None, None, str(n)) for n in range(40_000)]).to_batches(), SCHEMA, NAMES)
    assert many["key.REF_AREA"].to_pylist() == [str(number) for number in range(40_000)]
