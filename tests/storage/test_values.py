"""Typed columns to database columns and back."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import SemanticFault, StorageFault
from sdmx_service.model.columns import typed_schema
from sdmx_service.storage.layout import CubeLayout, lay_out
from sdmx_service.storage.quoting import identifier, literal, member
from sdmx_service.storage.structures import decode_structure, encode_structure
from sdmx_service.storage.values import encode, encode_attached, encode_text, index_codes, typed_attached, typed_columns
from tests.storage.cubes import CODED, ICE, ICE_NOW, TEXT, attribute, ice_cream, typed, untyped

texts = st.text(max_size=6)
values: dict[str, Any] = {
    "SCOOPS": st.sampled_from(["1", "1.50", "-0", "NaN", "1e9", "~", "12345678901234567890"]),
    "MOOD": texts,
    "REMARK": st.dictionaries(texts, texts, min_size=1, max_size=3),
    "TOPPINGS": st.lists(texts, max_size=3),
    "FACTOR": st.sampled_from(["1", "0.10", "NaN"]),
    "SHOP": texts,
    "TASTERS": st.lists(texts, max_size=3),
    "SOURCE": st.dictionaries(texts, texts, min_size=1, max_size=3),
}
rows = st.lists(st.fixed_dictionaries({}, optional=values), min_size=1, max_size=8)


@given(rows, st.integers(0, 3))
def test_values_come_back(lines: list[dict[str, Any]], start: int) -> None:
    layout = lay_out(1, ICE)
    batch = typed(ICE, lines).slice(start)
    stored = {name: array for column in layout.observed for name, array in encode(column, batch).items()}
    attached = {column.id: encode_attached(column, batch) for column in layout.attached}
    assert all(pa.types.is_string(array.type) for array in attached.values())
    found: dict[str, Any] = {}
    for column in layout.observed:
        found |= typed_columns(column, pa.table(stored), {})
    for column in layout.attached:
        found |= typed_attached(column, attached[column.id], {})
    names = [name for name in typed_schema(ICE).names if name in found]
    back = pa.table({name: found[name] for name in names})
    assert back.schema.types == [typed_schema(ICE).field(name).type for name in names]
    assert untyped(ICE, back) == lines[start:]


def test_lists_of_a_slice_are_its_own() -> None:
    lists = pa.array([["a"], ["b", 'c"\\'], [], None, ["d"]])
    assert encode_text("multi", lists.slice(1, 3)).to_pylist() == ['["b","c\\"\\\\"]', "[]", None]


def test_codes_outside_the_domain_are_refused() -> None:
    assert index_codes(pa.array(["b", None]), ["a", "b"]).indices.to_pylist() == [1, None]
    with pytest.raises(StorageFault, match="'c'"):
        index_codes(pa.array(["c"]), ["a", "b"])


# --- structures and layouts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("structure", [ICE, ICE_NOW])
def test_structures_come_back(structure: Any) -> None:
    assert decode_structure(encode_structure(structure)) == structure


def test_layouts_come_back() -> None:
    layout = lay_out(3, ICE)
    assert CubeLayout.from_json(3, layout.cube, layout.to_json()) == layout


def test_names_that_a_database_would_confuse_are_kept_apart() -> None:
    long = "L" * 70
    more = [attribute("scoops", TEXT, "observation"), attribute(long, CODED, "observation"),
            attribute(long + "2", CODED, "observation")]  # fmt: skip
    names = [column.name for column in lay_out(1, ice_cream(more=more)).columns]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(len(name.encode()) <= 50 for name in names)


# --- quoting ---------------------------------------------------------------------------------------------------------


def test_quoting() -> None:
    assert literal("it's \\ $1 %s") == "'it''s \\ $1 %s'"
    assert [literal(3), literal(None), literal(0.5)] == ["3", "NULL", "CAST('0.5' AS FLOAT8)"]
    assert identifier('a"b') == '"a""b"'
    assert [member("x", []), member("x", ["a"]), member("x", {2, 1})] == ["1 = 0", "x = 'a'", "x IN (1, 2)"]
    for quote in (literal, identifier):
        with pytest.raises(SemanticFault, match="NUL"):
            quote("a\x00")
