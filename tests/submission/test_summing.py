"""Rows of one key added up, against a plain loop."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.model.columns import read_schema
from sdmx_service.submission.summing import summed
from tests.submission.staging import structure

STRUCTURE = structure("DSD", ("AREA",), attributes={"STATUS": None, "UNIT": ("AREA",)})


def table(rows: list[tuple[str, str, str | None, str | None]]) -> pa.Table:
    schema = read_schema(STRUCTURE)
    found: dict[str, list[object]] = {name: [None] * len(rows) for name in schema.names}
    for name, place in (("AREA", 0), ("TIME_PERIOD", 1), ("OBS_VALUE", 2), ("STATUS", 3)):
        found[name] = [row[place] for row in rows]
    found["_row"] = list(range(2, len(rows) + 2))
    return pa.table({name: pa.array(found[name], schema.field(name).type) for name in schema.names}, schema=schema)


numbers = st.decimals(-1000, 1000, places=2).map(str) | st.integers(-1000, 1000).map(str)
rows_of = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(("2023", "2024")), st.none() | numbers, st.sampled_from("xy")),
    max_size=30,
)


@given(rows_of)
def test_sums_are_those_of_a_plain_loop(rows: list[tuple[str, str, str | None, str | None]]) -> None:
    expected: dict[tuple[str, str], list[tuple[int, str | None, str | None]]] = {}
    for number, (area, time, value, status) in enumerate(rows, start=2):
        expected.setdefault((area, time), []).append((number, value, status))
    found = summed(table(rows), STRUCTURE, ("OBS_VALUE",)).to_pylist()
    assert [(row["AREA"], row["TIME_PERIOD"]) for row in found] == list(expected)
    for row, group in zip(found, expected.values(), strict=True):
        values = [Decimal(value) for _, value, _ in group if value is not None]
        assert (None if row["OBS_VALUE"] is None else Decimal(row["OBS_VALUE"])) == (sum(values) if values else None)
        statuses = {status for _, _, status in group}
        assert row["STATUS"] == (statuses.pop() if len(statuses) == 1 else None)
        assert (row["_row"], row["_column"]) == (group[0][0], None)


def test_what_is_no_number_stands_for_the_check_of_types() -> None:
    found = summed(table([("a", "2024", "1", "x"), ("a", "2024", "many", "x")]), STRUCTURE, ("OBS_VALUE",))
    assert found["OBS_VALUE"].to_pylist() == ["many"]


@pytest.mark.parametrize(("values", "total"), [(("0.10", "0.20"), "0.30"), (("9" * 15, "1"), "1e+15")])
def test_decimals_and_large_sums(values: tuple[str, str], total: str) -> None:
    found = summed(table([("a", "2024", value, None) for value in values]), STRUCTURE, ("OBS_VALUE",))
    assert Decimal(found["OBS_VALUE"][0].as_py()) == Decimal(total)
