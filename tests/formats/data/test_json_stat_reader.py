"""JSON-stat 2.0 as offices write it: every form of values, statuses and categories, and what is wrong with some."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.json_stat.reader import read_json_stat, sniff_json_stat
from sdmx_service.formats.recognition import head_of, recognise
from sdmx_service.model.message import Sheet

Json = dict[str, Any]


def dataset(**changes: Any) -> Json:
    """Two areas in three years, some cells without value."""
    document: Json = {
        "version": "2.0",
        "class": "dataset",
        "label": "Boats",
        "source": "Harbour",
        "updated": "2024-01-02",
        "id": ["area", "time"],
        "size": [2, 3],
        "dimension": {
            "area": {"category": {"index": {"N": 0, "S": 1}}},
            "time": {"category": {"index": ["2001", "2002", "2003"]}},
        },
        "value": {"0": 5, "4": 2.5, "5": 7},
        "status": {"4": "e", "1": ":"},
    }
    return {name: one for name, one in (document | changes).items() if one is not None}


def sheets(document: Any) -> tuple[Sheet, ...]:
    return read_json_stat(io.BytesIO(json.dumps(document).encode())).sheets


def rows(document: Any) -> list[list[str | None]]:
    (sheet,) = sheets(document)
    return [list(row) for row in zip(*(column.to_pylist() for column in sheet.columns), strict=True)]


def figures(document: Any) -> dict[tuple[str | None, str | None], tuple[str | None, str | None]]:
    return {(row[0], row[1]): (row[2], row[3]) for row in rows(document)[1:]}


EXPECTED = {
    ("N", "2001"): ("5", None),
    ("N", "2002"): (None, ":"),
    ("S", "2002"): ("2.5", "e"),
    ("S", "2003"): ("7", None),
}


def test_the_header_names_dimensions_and_what_is_said_of_the_whole() -> None:
    header, first, *_ = rows(dataset())
    assert header == ["area", "time", "value", "status", "dataset.label", "dataset.source", "dataset.updated"]
    assert first[4:] == ["Boats", "Harbour", "2024-01-02"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"value": [5, None, None, None, 2.5, 7]},
        {"value": [5, None, None, None, 2.5, 7], "status": [None, ":", None, None, "e", None]},
        {"status": ["", ":", "", "", "e", ""]},
        {"value": {"5": 7, "4": 2.5, "0": 5}},
        {"value": {"0": "5", "4": 2.5, "5": 7}},
    ],
)
def test_forms_of_values_and_statuses_mean_the_same(changes: Json) -> None:
    assert figures(dataset(**changes)) == EXPECTED


@pytest.mark.parametrize("index", [["N", "S"], {"N": 0, "S": 1}, {"S": 1, "N": 0}])
def test_forms_of_categories_mean_the_same(index: Any) -> None:
    dimension = dataset()["dimension"] | {"area": {"category": {"index": index}}}
    assert figures(dataset(dimension=dimension)) == EXPECTED


def test_a_single_category_may_have_a_label_only() -> None:
    document = dataset(
        id=["area", "sex"],
        size=[2, 1],
        dimension={"area": {"category": {"index": ["N", "S"]}}, "sex": {"category": {"label": {"T": "Total"}}}},
        value=[1, 2],
        status=None,
    )
    assert figures(document) == {("N", "T"): ("1", None), ("S", "T"): ("2", None)}


@pytest.mark.parametrize("status", ["p", ["p"]])
def test_one_status_for_all(status: Any) -> None:
    assert {found[1] for found in figures(dataset(status=status)).values()} == {"p"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(879102, "879102"), (123456789012, "123456789012"), (10**17, "100000000000000000"),
     (0.1 + 0.2, "0.30000000000000004"), (-4.0, "-4.0"), (5.0, "5.0"), (12345678901.5, "12345678901.5"), ("1 234", "1 234")],
)  # fmt: skip
def test_figures_keep_their_digits(value: Any, text: str) -> None:
    assert figures(dataset(value={"0": value, "1": 0.5}, status=None))["N", "2001"] == (text, None)
    assert figures(dataset(value={"0": value}, status=None))["N", "2001"] == (text, None)


@pytest.mark.parametrize("text", ["5.0", "1.50", "-0.0", "1e3", "12345678901234567890", "0.1234567890123456789"])
def test_figures_are_the_text_that_stands_in_the_file(text: str) -> None:
    data = json.dumps(dataset(value={"0": 17.25}, status=None)).replace("17.25", text)
    (sheet,) = read_json_stat(io.BytesIO(data.encode())).sheets
    assert sheet.columns[-5].to_pylist() == ["value", text]


def test_what_is_no_number_of_json_is_refused() -> None:
    data = json.dumps(dataset(value={"0": float("nan")}))
    with pytest.raises(UnreadableFile, match="NaN is no number of JSON"):
        read_json_stat(io.BytesIO(data.encode()))


def test_the_name_of_a_sheet_is_the_id_of_its_data_set() -> None:
    assert [sheet.name for sheet in sheets(dataset(extension={"id": "BOATS"}))] == ["BOATS"]
    assert [sheet.name for sheet in sheets(dataset())] == [None]


def test_a_collection_gives_the_data_sets_it_carries() -> None:
    items = [dataset(), {"class": "dataset", "href": "https://example.org/x"}, dataset(extension={"id": "BOATS"})]
    found = sheets({"version": "2.0", "class": "collection", "link": {"item": items}})
    assert [sheet.name for sheet in found] == ["1", "BOATS"]


@given(
    size=st.lists(st.integers(1, 4), min_size=1, max_size=4), data=st.data(), sparse=st.booleans(), listed=st.booleans()
)
def test_every_cell_comes_to_its_place(size: list[int], data: st.DataObject, sparse: bool, listed: bool) -> None:
    count = 1
    for one in size:
        count *= one
    values = data.draw(st.lists(st.none() | st.integers(-9, 9), min_size=count, max_size=count))
    ids = [f"D{n}" for n in range(len(size))]
    codes = [[f"{name}_{place}" for place in range(n)] for name, n in zip(ids, size, strict=True)]
    index = [one if listed else {code: place for place, code in enumerate(one)} for one in codes]
    document = dataset(
        id=ids,
        size=size,
        dimension={name: {"category": {"index": one}} for name, one in zip(ids, index, strict=True)},
        value={str(n): one for n, one in enumerate(values) if one is not None} if sparse else values,
        status=None,
    )
    expected = []
    for place, value in enumerate(values):
        rest, key = place, []
        for one in reversed(codes):
            rest, at = divmod(rest, len(one))
            key.insert(0, one[at])
        if value is not None:
            expected.append([*key, str(value)])
    assert [row[: len(ids) + 1] for row in rows(document)[1:]] == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"class": "dimension"}, "carries no figures"),
        ({"id": ["area"]}, "1 whole numbers"),
        ({"id": []}, "ids is needed"),
        ({"id": ["area", "area"]}, "twice"),
        ({"size": [2, 4]}, "3 categories, and the size of 'time' is 4"),
        ({"size": [2, -3]}, "whole numbers"),
        ({"size": [2, "3"]}, "whole numbers"),
        ({"size": None}, "whole numbers"),
        ({"value": [1, 2]}, "2 cells, and the sizes of the dimensions make 6"),
        ({"value": {"6": 1}}, "no cell 6"),
        ({"value": {"-1": 1}}, "no cell -1"),
        ({"value": {"x": 1}}, "'x' is not the number"),
        ({"value": {"99999999999999999999": 1}}, "not the number"),
        ({"value": {"1": 5, "01": 6}}, "twice"),
        ({"value": {"1": [5]}}, "not list"),
        ({"value": {"1": True}}, "not bool"),
        ({"value": 4}, "a list or an object"),
        ({"status": {"1": 4}}, "a status is a text"),
        ({"dimension": None}, "categories of the dimension are missing"),
        ({"dimension": {"area": {}, "time": {}}}, "categories of the dimension are missing"),
        (
            {"dimension": dataset()["dimension"] | {"area": {"category": {"index": {"N": 0, "S": 2}}}}},
            "positions are not 0 to 1",
        ),
        ({"dimension": dataset()["dimension"] | {"area": {"category": {"index": ["N", "N"]}}}}, "differ"),
        ({"dimension": dataset()["dimension"] | {"area": {"category": {}}}}, "index"),
    ],
)
def test_what_contradicts_itself_is_named(changes: Json, words: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        sheets(dataset(**changes))
    assert words in caught.value.detail
    assert caught.value.hint


@pytest.mark.parametrize("document", [[], {"class": "collection"}, {"class": "collection", "link": {"item": [{}]}}])
def test_nothing_to_read(document: Any) -> None:
    with pytest.raises(UnreadableFile):
        sheets(document)


def test_what_is_cut_off_says_where() -> None:
    body = json.dumps(dataset()).encode()
    with pytest.raises(UnreadableFile, match="line 1, column"):
        read_json_stat(io.BytesIO(body[: len(body) // 2]))


def test_it_is_recognised_by_its_looks() -> None:
    file = io.BytesIO(json.dumps(dataset(), indent=1).encode())
    assert recognise(head_of(file, name="answer.json"), "data").name == "json-stat"
    unsaid = io.BytesIO(json.dumps({name: one for name, one in dataset().items() if name != "class"}).encode())
    assert recognise(head_of(unsaid), "data").name == "json-stat"
    sdmx = io.BytesIO(b'{"meta":{},"data":{"dataSets":[{"series":{}}],"structures":[]}}')
    assert sniff_json_stat(head_of(sdmx)) == 0
