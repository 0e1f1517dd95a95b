"""Numbers come back digit for digit; a structure becomes the columns that storage and formats count on."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.model.columns import (
    MARKS,
    coded,
    columns,
    parse_numbers,
    read_schema,
    render_numbers,
    typed_schema,
)
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import (
    Attribute,
    DataStructure,
    Dimension,
    Group,
    Measure,
    Relationship,
    TimeDimension,
)
from sdmx_service.model.urn import Ref

LEXICAL = st.one_of(
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.from_regex(r"[+-]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,18})([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from([*MARKS, "INF", "-INF"]),
)


def numbers_of(texts: list[str | None]) -> list[str | None]:
    parsed = parse_numbers(pa.array(texts, pa.string()))
    assert not any(parsed.invalid.to_pylist())
    return render_numbers(parsed.values, parsed.decimals, parsed.texts).to_pylist()


@given(st.lists(st.one_of(st.none(), LEXICAL), max_size=40))
def test_every_number_comes_back_as_it_was_sent(texts: list[str | None]) -> None:
    assert numbers_of(texts) == texts


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_values_are_the_doubles_of_the_text(floats: list[float]) -> None:
    parsed = parse_numbers(pa.array([repr(one) for one in floats], pa.string()))
    assert parsed.values.to_pylist() == floats


@given(st.text(max_size=12))
def test_what_is_no_number_is_marked(text: str) -> None:
    parsed = parse_numbers(pa.array([text], pa.string()))
    try:
        value = float(text) if text.strip() == text and "_" not in text and text.isascii() else None
    except ValueError:
        value = None
    if parsed.invalid.to_pylist() == [True]:
        assert value is None or math.isinf(value) or math.isnan(value)
        assert parsed.values.to_pylist() == [None]
    elif text not in MARKS and not text.endswith("INF"):
        assert parsed.values.to_pylist() == [value]


def test_plain_numbers_need_no_text() -> None:
    parsed = parse_numbers(pa.array(["0", "12", "-3.50", "0.001", "999999999999999"]))
    assert parsed.texts.null_count == 5
    assert parsed.decimals.to_pylist() == [0, 0, 2, 3, 0]


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.integers(-1000, 10**16).map(str),
            st.decimals(-10, 10**6, allow_nan=False, allow_infinity=False, places=2).map(str),
            st.text(alphabet="0123456789.-", max_size=6),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_number_is_read_alike_beside_any_other(texts: list[str | None]) -> None:
    """Columns of ordinary numbers are read a shorter way than others."""
    together = parse_numbers(pa.array(texts, pa.string()))
    for place, text in enumerate(texts):
        alone = parse_numbers(pa.array([text, "+1", "#N/A"], pa.string()))
        for name in ("values", "decimals", "texts", "invalid"):
            assert getattr(together, name)[place].as_py() == getattr(alone, name)[0].as_py(), (name, text)


@given(st.lists(st.sampled_from(["a", "b", "", None]), max_size=5), st.sampled_from([1, 700]))
def test_texts_are_coded_whether_they_come_in_runs_or_not(texts: list[str | None], times: int) -> None:
    column = pa.array([text for text in texts for _ in range(times)], pa.string())
    found = coded(column)
    assert found.cast(pa.string()).equals(column)
    assert len(found.dictionary) == len(set(texts) - {None})
    assert coded(found) is found
    assert coded(column.slice(1)).cast(pa.string()).equals(column.slice(1))


def structure() -> DataStructure:
    concept = Ref(type="ConceptScheme", agency="A", id="CS", version="1.0.0", item="X")
    coded = Representation(enumeration=Ref(type="Codelist", agency="A", id="CL", version="1.0.0"))
    number = Representation(text_format=TextFormat(type="Double"))
    return DataStructure(
        id="D",
        agency="A",
        version="1.0.0",
        dimensions=(Dimension(id="AREA", concept=concept, representation=coded), Dimension(id="SEX", concept=concept)),
        time_dimension=TimeDimension(id="TIME_PERIOD", concept=concept),
        groups=(Group(id="G", dimensions=("SEX",)),),
        measures=(Measure(id="V", concept=concept, representation=number), Measure(id="W", concept=concept)),
        attributes=(
            Attribute(id="OBS", concept=concept, representation=coded),
            Attribute(id="SET", concept=concept, relationship=Relationship(kind="dataset")),
            Attribute(id="GRP", concept=concept, relationship=Relationship(kind="group", group="G")),
            Attribute(id="SER", concept=concept, relationship=Relationship(kind="dimensions", dimensions=("SEX", "AREA"))),
            Attribute(id="TIM", concept=concept, relationship=Relationship(kind="dimensions", dimensions=("AREA", "TIME_PERIOD"))),
            Attribute(id="MUL", concept=concept, representation=Representation(max_occurs="unbounded")),
            Attribute(id="LAN", concept=concept, representation=Representation(text_format=TextFormat(is_multilingual=True))),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("id", "role", "kind", "level"),
    [
        ("AREA", "dimension", "code", None), ("TIME_PERIOD", "time", "code", None), ("V", "measure", "number", None),
        ("W", "measure", "text", None), ("OBS", "attribute", "code", None), ("SET", "attribute", "text", ()),
        ("GRP", "attribute", "text", ("SEX",)), ("SER", "attribute", "text", ("AREA", "SEX")),
        ("TIM", "attribute", "text", None), ("MUL", "attribute", "multi", None), ("LAN", "attribute", "multilingual", None),
    ],
)  # fmt: skip
def test_columns_know_role_kind_and_level(id: str, role: str, kind: str, level: tuple[str, ...] | None) -> None:
    (column,) = [one for one in columns(structure()) if one.id == id]
    assert (column.role, column.kind, column.level) == (role, kind, level)


def test_schemas() -> None:
    read, typed = read_schema(structure(), origin=False), typed_schema(structure())
    assert read.field("V").type == pa.string() and read.field("MUL").type == pa.list_(pa.string())
    assert typed.field("V").type == pa.float64() and typed.field("V.decimals").type == pa.int8()
    assert typed.field("AREA").type == pa.dictionary(pa.int32(), pa.string())
    assert [name for name in typed.names if "." not in name] == read.names
