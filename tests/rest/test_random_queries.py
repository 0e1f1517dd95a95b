"""Random data queries, and the counts of availability, against plain Python over the source rows of ``fishery``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness import CSV, JSON, House
from tests.rest.fishery import ALL_CATCH, ATTRIBUTES, CATCH, COAST, HARBOUR, KEY, MEASURES, Row, key_of
from tests.rest.reading_back import datasets
from tests.rest.test_conformance import ends, in_order, starts, weight

CONTEXTS: dict[str, Sequence[Row]] = {
    "dataflow/SEA/DF_CATCH/1.0.0": CATCH,
    "datastructure/SEA/DSD_CATCH/1.0.0": ALL_CATCH,
    "provisionagreement/SEA/PA_CATCH_COAST/1.0.0": COAST,
    "provisionagreement/SEA/PA_CATCH_HARBOUR/1.0.0": HARBOUR,
}
CODES = {"FREQ": ["A", "M", "Q"], "PORT": ["NOR", "SOU", "007", "NONE"], "FISH": ["COD", "EEL"]}
Test = Callable[[str, str], bool]
TEXTS: dict[str, Test] = {
    "eq": lambda value, asked: value == asked, "ne": lambda value, asked: value != asked, "lt": lambda value, asked: value < asked,
    "le": lambda value, asked: value <= asked, "gt": lambda value, asked: value > asked, "ge": lambda value, asked: value >= asked,
    "co": lambda value, asked: asked in value, "nc": lambda value, asked: asked not in value,
    "sw": str.startswith, "ew": str.endswith,
}  # fmt: skip
OPERANDS = {
    "FREQ": ["M", "A"], "PORT": ["NOR", "SOU", "007", "O"], "FISH": ["COD", "EEL", "E"], "STATUS": ["A", "E"], "GRADE": ["G1", "G2"],
    "UNIT": ["kg", "t", "k"], "PORT_NOTE": ["Note, NOR", "S", "Note"], "SOURCE": ["Model", "Coast log", "o"],
    "WEIGHT": ["0", "8.8", "-20", "100.20"], "TIME_PERIOD": ["2024", "2024-01", "2023-12", "2024-Q1", "2024-02-29"], "GEAR": ["NET", "POT", "RO"],
}  # fmt: skip
SPANS = {"2024": ("2024-01-01", "2024-12-31"), "2024-01": ("2024-01-01", "2024-01-31"), "2023-12": ("2023-12-01", "2023-12-31"),
         "2024-Q1": ("2024-01-01", "2024-03-31"), "2024-02-29": ("2024-02-29", "2024-02-29")}  # fmt: skip


def last_day(row: Row) -> str:
    return ends(row).replace("-06-31", "-06-30")


def holds(row: Row, id: str, operator: str, asked: str) -> bool:
    """One comparison; what is not there satisfies nothing, of several values one is enough."""
    if id == "TIME_PERIOD":
        first, last = SPANS[asked]
        begins, finishes = starts(row), last_day(row)
        inside = first <= begins and finishes <= last
        return {
            "eq": inside,
            "ne": not inside,
            "lt": finishes < first,
            "le": finishes <= last,
            "gt": begins > last,
            "ge": begins >= first,
        }[operator]
    if id == "WEIGHT":
        number = weight(row)
        if number is None:
            return operator == "ne" and "WEIGHT" in row  # a mark differs from every number
        return bool({"eq": number == float(asked), "ne": number != float(asked), "lt": number < float(asked), "le": number <= float(asked),
                     "gt": number > float(asked), "ge": number >= float(asked)}[operator])  # fmt: skip
    value = row.get(id)
    values = [] if value is None else value if isinstance(value, list) else [value]
    return any(TEXTS[operator](one, asked) for one in values)


@st.composite
def conditions(draw: Any) -> tuple[str, list[list[tuple[str, str]]]]:
    """A component, and alternatives of comparisons."""
    id = draw(st.sampled_from(sorted(OPERANDS)))
    few = ["eq", "ne", "lt", "le", "gt", "ge"]
    operators = few if id in ("TIME_PERIOD", "WEIGHT") else sorted(TEXTS)
    one = st.tuples(st.sampled_from(operators), st.sampled_from(OPERANDS[id]))
    return id, draw(st.lists(st.lists(one, min_size=1, max_size=2), min_size=1, max_size=2))


keys = st.lists(
    st.tuples(*(st.one_of(st.none(), st.sampled_from(codes)) for codes in CODES.values())), min_size=1, max_size=3
)


def series_cut(rows: list[Row], first: int | None, last: int | None) -> list[Row]:
    """The first and last rows of each series in time: by first day, the shorter first."""
    if first is None and last is None:
        return rows
    found: list[Row] = []
    rows = sorted(rows, key=lambda row: (key_of(row, KEY[:3]), starts(row), last_day(row)))
    for _, group in groupby(rows, key=lambda row: key_of(row, KEY[:3])):
        own = list(group)
        places = {*range(min(first or 0, len(own))), *range(max(0, len(own) - (last or 0)), len(own))}
        found += [own[place] for place in sorted(places)]
    return found


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    where=st.sampled_from(sorted(CONTEXTS)), key=st.one_of(st.none(), keys), wished=st.lists(conditions(), max_size=3, unique_by=lambda one: one[0]),
    first=st.one_of(st.none(), st.integers(1, 3)), last=st.one_of(st.none(), st.integers(1, 3)), page=st.one_of(st.none(), st.tuples(st.integers(0, 9), st.integers(1, 9))),
    plus=st.sampled_from(["+", "%2B"]), format=st.sampled_from([CSV, JSON]), sort=st.sampled_from(["", "*", "WEIGHT:desc", "TIME_PERIOD"]),
)  # fmt: skip
def test_random_queries(
    fishery: House,
    where: str,
    key: Any,
    wished: Any,
    first: Any,
    last: Any,
    page: Any,
    plus: str,
    format: str,
    sort: str,
) -> None:
    rows = [row for row in CONTEXTS[where] if key is None or any(fits(row, one) for one in key)]
    for id, alternatives in wished:
        rows = [row for row in rows if any(all(holds(row, id, *one) for one in every) for every in alternatives)]
    words = [
        f"c[{id}]={','.join(plus.join(map(':'.join, every)) for every in alternatives)}" for id, alternatives in wished
    ]
    path = f"{where}/{','.join(map(text_of, key))}" if key else where
    counts = fishery.get(
        f"v2/availability/{path}?{'&'.join(words)}", "application/vnd.sdmx.structure+json;version=2.1.0"
    )
    body = b"".join(counts.chunks)
    if rows:
        (found,) = orjson.loads(body)["data"]["availabilityConstraints"]
        assert (found["obsCount"], found["seriesCount"]) == (len(rows), len({key_of(row, KEY[:3]) for row in rows}))
    else:
        assert counts.status == 204
    rows = series_cut(rows, first, last)
    words += [f"{name}Observations={n}" for name, n in (("firstN", first), ("lastN", last)) if n is not None]
    words += [f"sort={sort}"] if sort else []
    whole = answered(fishery, path, words, format)
    assert in_order(whole) == in_order(
        {id: value for id, value in row.items() if id in (*KEY, *MEASURES, *ATTRIBUTES)} for row in rows
    )
    if page is not None:
        offset, limit = page
        part = answered(fishery, path, [*words, f"offset={offset}", f"limit={limit}"], format)
        assert part == whole[offset : offset + limit]


def fits(row: Row, key: Sequence[str | None]) -> bool:
    return all(code in (None, row[id]) for id, code in zip(CODES, key, strict=True))


def text_of(key: Sequence[str | None]) -> str:
    return ".".join(code or "*" for code in key)


def answered(house: House, path: str, words: Sequence[str], format: str) -> list[Row]:
    answer = house.get(f"v2/data/{path}?{'&'.join(words)}", format)
    body = b"".join(answer.chunks)
    assert answer.status in (200, 204), body
    return next(iter(datasets(format, body, KEY).values())) if answer.status == 200 else []
