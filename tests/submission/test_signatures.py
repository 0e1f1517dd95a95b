"""Which layout reads a file, and what a sender is told where none does."""

from __future__ import annotations

from typing import Any

import pytest

from sdmx_service.errors import NotFound, UnknownFormat
from sdmx_service.submission.recognising import recognise
from sdmx_service.submission.signatures import layout_of, named_layout
from tests.submission.sheets import file, layout, sheet
from tests.submission.test_tables import COLUMNS, PLAIN, SPANS, TWO_ROWS


def signed(id: str, **signature: Any) -> Any:
    return layout({"columns": COLUMNS, **signature.pop("table", {})}, signature=signature, id=id)


def test_recognise_takes_the_layout_that_names_most_headers() -> None:
    few, all_, other = (
        signed("FEW", headers=["Crop"]),
        signed("ALL", headers=["Crop", "year"]),
        signed("O", headers=["x"]),
    )
    assert recognise([few, all_, other], file(sheet(PLAIN)), "csv", None) == [all_]


def test_recognise_needs_all_that_a_signature_gives() -> None:
    tables = file(sheet([[], *PLAIN], "2020"), sheet([], "Notes"))
    table = {"table": {"sheet": "20.."}}
    cases = {
        "ok": signed("ok", formats=["xlsx"], sheets=["20..", "Notes"], headers=["Crop"], file="crops", **table),
        "format": signed("format", formats=["csv"], sheets=["20.."]),
        "sheets": signed("sheets", sheets=["20..", "More"]),
        "file": signed("file", sheets=["20.."], file="^animals"),
        "headers": signed("headers", headers=["Crop", "Hectares"], **table),
        "other sheet": signed("other sheet", headers=["Crop"], table={"sheet": "Notes"}),
        "nothing": signed("nothing"),
    }
    assert [one.id for one in recognise(cases.values(), tables, "xlsx", "crops-2020.xlsx")] == ["ok"]
    assert recognise([cases["file"]], tables, "xlsx", None) == []


def test_headers_of_a_signature_may_stand_in_two_rows() -> None:
    both = signed("both", headers=["Region", "Women"], table={"header": {"find": ["Region"], "rows": 2}})
    assert recognise([both], file(sheet(TWO_ROWS, merged=SPANS)), "xlsx", None) == [both]
    assert recognise([signed("one", headers=["Region", "Women"])], file(sheet(TWO_ROWS)), "xlsx", None) == []


def test_a_layout_that_refuses_is_recognised_by_its_headers() -> None:
    refusing = layout(id="REFUSING", refuse={"en": "No."}, signature={"headers": ["Port", "Catch"]})
    assert recognise([refusing], file(sheet([["Port", "Catch"], ["A", "1"]])), "csv", "x.csv") == [refusing]
    assert recognise([refusing], file(sheet([["Port", "Crew"], ["A", "1"]])), "csv", "x.csv") == []


# --- remedies -------------------------------------------------------------------------------------------------------


def house(**signatures: list[str]) -> dict[str, Any]:
    """Layouts by id with the headers of their signatures; REFUSING takes no file."""
    layouts = {id: signed(id, headers=headers) for id, headers in signatures.items()}
    refusing = layout(id="REFUSING", refuse={"en": "No."}, signature={"headers": ["Crop", "Year", "Acres"]})
    return layouts | {"REFUSING": refusing}


def told(layouts: dict[str, Any], rows: list[list[str]] = PLAIN, format: str = "csv") -> str:
    with pytest.raises(UnknownFormat) as caught:
        layout_of(file(sheet(rows)), format, "crops.csv", layouts)
    return caught.value.hint


def test_a_table_that_no_layout_knows_is_told_those_that_read_tables() -> None:
    reading = layout({}, id="MESSAGES", messages=[{"structures": ["A:B"], "dimensions": ["FREQ"], "attributes": []}])
    layouts = house(FISH=["Port", "Catch"], BIRDS=["Nest"]) | {"MESSAGES": reading}
    assert told(layouts) == "Say the mapping (BIRDS, FISH) or send an SDMX message."


def test_a_table_that_a_layout_nearly_knows_is_told_what_it_lacks() -> None:
    layouts = house(
        CROPS=["Crop", "Year", "Weight"], FIELDS=["Crop", "Year", "Tonnes", "Field", "Owner"], FISH=["Port"]
    )
    assert told(layouts) == (
        "It looks like a file for CROPS, but for the header 'Weight'; FIELDS, but for the headers 'Field', 'Owner'."
        " Correct the headers, or say the mapping, or send an SDMX message."
    )


def test_of_many_headers_that_are_not_there_some_are_named() -> None:
    wide = [["a", "b", "c", "d", "e", "f"]]
    assert "headers 'v', 'w', 'x', 'y' and 1 more." in told(house(WIDE=[*"abcdef", *"vwxyz"]), wide)


def test_a_file_saved_in_another_format_is_told_its_mapping() -> None:
    layouts = {"CROPS": signed("CROPS", formats=["csv"], headers=["Crop", "Year", "Tonnes"])}
    assert told(layouts, format="xlsx").startswith("It looks like a file for CROPS. ")
    assert told({"CROPS": signed("CROPS", formats=["csv"], headers=["Crop", "Year", "Acres"])}, format="xlsx") == (
        "Say the mapping (CROPS) or send an SDMX message."
    )


def test_among_several_only_those_that_take_files_are_offered() -> None:
    layouts = house(ONE=["Crop", "Owner"], TWO=["Year", "Owner"])
    assert told(layouts, [["Crop", "Year", "Acres", "Owner"]]) == "Say which: ONE, TWO."


def test_a_mapping_that_is_not_there_is_told_those_that_take_files() -> None:
    with pytest.raises(NotFound, match="no mapping 'FISCH'") as caught:
        named_layout("FISCH", house(FISH=["Port"]))
    assert caught.value.hint == "There are: FISH."
    assert named_layout("REFUSING", house()).id == "REFUSING"
