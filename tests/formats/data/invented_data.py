"""Strategies: small invented structures with data, for the properties of writers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from sdmx_service.model.columns import Column, columns
from sdmx_service.model.structure import Attribute, DataStructure, Group, Measure, Relationship
from tests.formats.data.writing import Row, attribute, coded, concept, on, plain, structure

CODES = ("A", "B2", "007", "_T", "x-y")
PERIODS = (
    "2019",
    "2019-Q1",
    "2019-Q4",
    "2020",
    "2020-01",
    "2020-W53",
    "2020-02-29",
    "2020-01-01T00:00:00",
    "2015-07-01/P5Y",
)
LANGUAGES = ("en", "fr", "pt-BR")
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        'say "x"',
        "a,b;c",
        "<&>'",
        "line\nbreak\r\n",
        "\ttab",
        "🦉 \U00010348",
        "en:x;fr:y",
        '"',
        ";",
        "\x00\x01\x1f",
        "\ufffe\uffff",
        " ",
        "null",
        "#N/A",
    ]
)
NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.decimals(-(10**6), 10**6, places=3, allow_nan=False).map(lambda number: f"{number:f}"),
    st.sampled_from(["NaN", "1e5", "+1.0", "-0", "0.10", ".5", "007", "12345678901234567890.5", "INF", "1.", "-0.001"]),
)


@dataclasses.dataclass(frozen=True)
class World:
    """A structure and rows in the order a store yields them: each series contiguous, periods ascending."""

    structure: DataStructure
    rows: tuple[Row, ...]


def _forms() -> st.SearchStrategy[Any]:
    return st.sampled_from(
        [plain("String"), plain("Double"), plain("Decimal"), plain("Integer"), plain("Boolean"), coded("X"), coded("X", max_occurs="unbounded"),
         plain("String", max_occurs=5), plain("String", multilingual=True)]
    )  # fmt: skip


@st.composite
def structures(draw: Callable[..., Any]) -> DataStructure:
    dimensions = draw(st.sampled_from([("FREQ",), ("FREQ", "AREA"), ("FREQ", "AREA", "SEX")]))
    group = Group(id="Siblings", dimensions=dimensions[1:])
    relations = [Relationship(kind="dataset"), on(*dimensions), on(dimensions[-1]), Relationship()]
    if group.dimensions:
        relations.append(Relationship(kind="group", group=group.id))
    attributes: list[Attribute] = [
        attribute(f"ATT_{number}", draw(_forms()), draw(st.sampled_from(relations)))
        for number in range(draw(st.integers(0, 5)))
    ]
    forms = st.sampled_from([plain("Double"), plain("Decimal"), coded("X"), plain("Integer")])
    names = ["OBS_VALUE", "SECOND"][: draw(st.integers(1, 2))]
    measures = [Measure(id=name, concept=concept(name), representation=draw(forms)) for name in names]
    return structure(
        dimensions,
        time=draw(st.booleans()),
        measures=measures,
        attributes=attributes,
        groups=(group,) if group.dimensions else (),
    )


def _value(column: Column) -> st.SearchStrategy[Any]:
    """A value of that column, or None."""
    if column.kind == "code":
        return st.none() | st.sampled_from(CODES)
    if column.kind == "number":
        return st.none() | NUMBERS
    if column.kind == "multi":
        element = st.sampled_from(CODES) if column.component.form.is_coded else TEXTS
        return st.none() | st.lists(element, min_size=1, max_size=3)
    if column.kind == "multilingual":
        return st.none() | st.dictionaries(st.sampled_from(LANGUAGES), TEXTS, min_size=1, max_size=3)
    return st.none() | (st.sampled_from(["true", "false"]) if column.component.form.data_type == "Boolean" else TEXTS)


@st.composite
def worlds(draw: Callable[..., Any], having: st.SearchStrategy[DataStructure] | None = None) -> World:
    made: DataStructure = draw(having if having is not None else structures())
    keys = st.tuples(*(st.sampled_from(CODES) for _ in made.dimension_ids))
    chosen: Sequence[tuple[str, ...]] = draw(st.lists(keys, unique=True, max_size=4))
    known: dict[tuple[str, tuple[str, ...]], Any] = {}
    rows: list[Row] = []
    for key in chosen:
        periods = (
            draw(st.lists(st.sampled_from(PERIODS), unique=True, min_size=1, max_size=3))
            if made.time_dimension
            else [None]
        )
        for period in sorted(periods, key=str):
            row: dict[str, Any] = dict(zip(made.dimension_ids, key, strict=True))
            if period is not None:
                row["TIME_PERIOD"] = period
            for column in columns(made):
                if column.role in ("measure", "attribute"):
                    if column.level is None:
                        row[column.id] = draw(_value(column))
                    else:
                        place = (column.id, tuple(row[name] for name in column.level))
                        if place not in known:
                            known[place] = draw(_value(column))
                        row[column.id] = known[place]
            rows.append(row)
    return World(made, tuple(rows))
