"""Structure maps applied to rows: the standard's examples (Technical Notes, *Structure Mapping*), and what goes wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import load_folder
from sdmx_service.errors import InvalidStructure, UnresolvedReference
from sdmx_service.model.artefact import Annotation
from sdmx_service.model.columns import read_schema
from sdmx_service.model.finding import Finding
from sdmx_service.model.mapping import (
    ComponentMap,
    FixedValue,
    FrequencyFormat,
    MappedValue,
    MappingRow,
    RepresentationMap,
    StructureMap,
    TimePatternMap,
)
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import Attribute, DataStructure, Dimension, Measure, TimeDimension
from sdmx_service.model.urn import Ref
from sdmx_service.submission.combinations import distinct
from sdmx_service.submission.mapping import Mapper
from sdmx_service.submission.recognising import recognise
from sdmx_service.submission.report import Report
from sdmx_service.submission.tables import extract
from tests.harness import ROOT
from tests.submission.sheets import file as file_of
from tests.submission.sheets import layout as layout_of
from tests.submission.sheets import open_file, sheet


def concept(id: str) -> Ref:
    return Ref(type="Concept", agency="TEST", id="CS", item=id)


def attribute(id: str, **representation: Any) -> Attribute:
    return Attribute(id=id, concept=concept(id), representation=Representation(**representation))


STRUCTURE = DataStructure(
    agency="TEST",
    id="DSD",
    version="1.0.0",
    dimensions=tuple(Dimension(id=id, concept=concept(id)) for id in ("FREQ", "REF_AREA", "INDICATOR")),
    time_dimension=TimeDimension(id="TIME_PERIOD", concept=concept("TIME_PERIOD")),
    measures=(
        Measure(
            id="OBS_VALUE",
            concept=concept("OBS_VALUE"),
            representation=Representation(text_format=TextFormat(type="Double")),
        ),
    ),
    attributes=(
        attribute("OBS_CONF"),
        attribute("STATUS"),
        attribute("NOTE", text_format=TextFormat(is_multilingual=True)),
        attribute("TAGS", max_occurs="unbounded"),
    ),
)


def row(*sources: str | MappedValue | None, to: str | tuple[str, ...], **validity: str) -> MappingRow:
    values = tuple(one if isinstance(one, MappedValue) else MappedValue(value=one) for one in sources)
    return MappingRow(sources=values, targets=(to,) if isinstance(to, str) else to, **validity)


def regex(value: str) -> MappedValue:
    return MappedValue(value=value, is_regex=True)


def part(value: str | None, start: int | None, end: int | None, **words: Any) -> MappedValue:
    return MappedValue(value=value, start_index=start, end_index=end, **words)


class Case:
    """A structure map in the making: ``to`` adds component maps, ``apply`` runs it on rows."""

    def __init__(self, **parts: Any) -> None:
        self._components: list[ComponentMap] = []
        self._maps: list[RepresentationMap] = []
        self._parts = parts

    def to(self, sources: str, targets: str, *rows: MappingRow) -> Case:
        reference = None
        if rows:
            made = RepresentationMap(agency="TEST", id=f"RM_{len(self._maps)}", version="1.0.0", rows=rows)
            self._maps.append(made)
            reference = made.ref
        self._components.append(
            ComponentMap(sources=tuple(sources.split()), targets=tuple(targets.split()), representation_map=reference)
        )
        return self

    def declare(self, kind: str) -> None:
        """Say the data type of the sources of the last representation map."""
        last = self._maps[-1]
        self._maps[-1] = replace(last, sources=(kind,) * len(last.rows[0].sources))

    def mapper(self, provider: str | None = None) -> Mapper:
        structure_map = StructureMap(
            agency="TEST",
            id="SM",
            version="1.0.0",
            source=Ref(type="DataStructure", agency="TEST", id="SRC"),
            target=STRUCTURE.ref,
            components=tuple(self._components),
            **self._parts,
        )
        return Mapper(structure_map, Catalog.of(self._maps), STRUCTURE, provider)

    def apply(self, **columns: list[str | None]) -> tuple[list[dict[str, Any]], list[Finding]]:
        arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
        count = len(next(iter(arrays.values())))
        arrays["_row"] = pa.array(range(2, count + 2), pa.int64())
        report = Report()
        table = self.mapper().apply(pa.table(arrays), report)
        assert table.schema == read_schema(STRUCTURE)
        said = [{name: value for name, value in one.items() if value is not None} for one in table.to_pylist()]
        return said, list(report.findings())


def one(sources: str, *rows: MappingRow, given: list[str | None]) -> list[str | None]:
    """What an attribute's map makes of some values; unmapped ones are None."""
    mapped, _ = Case().to(sources, "STATUS", *rows).apply(**{sources: given})
    return [found.get("STATUS") for found in mapped]


def fixed(component: str, *values: str, role: Any = "target") -> FixedValue:
    return FixedValue(component=component, values=values, role=role)


# --- the standard's examples ---------------------------------------------------------------------------------------


def test_one_to_one() -> None:
    rows = [row("AF", to="AFG"), row("AL", to="ALB"), row("DZ", to="DZA")]
    assert one("area", *rows, given=["DZ", "AF", "DZ"]) == ["DZA", "AFG", "DZA"]


def test_several_sources_to_one_target() -> None:
    rows = [row(code, to="EUR") for code in ("FR", "DE", "IT", "ES", "BE")]
    assert one("area", *rows, given=["FR", "BE"]) == ["EUR", "EUR"]


def test_combinations_to_several_targets() -> None:
    case = Case().to(
        "FREQUENCY ADJUSTMENT MATURITY",
        "INDICATOR STATUS NOTE",
        row("A", "N", "L", to=("A_N_L", "QXR15", "Unadjusted")),
        row("M", "S_A1", "TY12", to=("MON_SAX_12", "MPM12", "Seasonally Adjusted")),
    )
    mapped, findings = case.apply(
        FREQUENCY=["M", "A", "A"], ADJUSTMENT=["S_A1", "N", "S_A1"], MATURITY=["TY12", "L", "L"]
    )
    assert mapped == [
        {"INDICATOR": "MON_SAX_12", "STATUS": "MPM12", "NOTE": [("en", "Seasonally Adjusted")], "_row": 2},
        {"INDICATOR": "A_N_L", "STATUS": "QXR15", "NOTE": [("en", "Unadjusted")], "_row": 3},
    ]
    [finding] = findings
    assert (finding.code, finding.row, finding.value) == ("F201", 4, "A | S_A1 | L")


def test_many_to_one_with_copies() -> None:
    case = (
        Case()
        .to("FREQ", "FREQ")
        .to("REF_AREA", "REF_AREA")
        .to("ADJUSTMENT REF_SECTOR STO", "INDICATOR", row("N", "S1", "B5G", to="IND_ABC"))
    )
    mapped, _ = case.apply(FREQ=["A"], REF_AREA=["PL"], ADJUSTMENT=["N"], REF_SECTOR=["S1"], STO=["B5G"])
    assert mapped == [{"FREQ": "A", "REF_AREA": "PL", "INDICATOR": "IND_ABC", "_row": 2}]


def test_one_series_to_many() -> None:
    rows = [row("XM_AN", to=("XM", "A")), row("XM_AN", to=("XN", "A"))]
    mapped, findings = (
        Case().to("s", "INDICATOR FREQ", *rows).to("v", "OBS_VALUE").apply(s=["XM_AN", "XM_AN"], v=["1", "2"])
    )
    assert mapped == [
        {"INDICATOR": "XM", "FREQ": "A", "OBS_VALUE": "1", "_row": 2},
        {"INDICATOR": "XN", "FREQ": "A", "OBS_VALUE": "1", "_row": 2},
        {"INDICATOR": "XM", "FREQ": "A", "OBS_VALUE": "2", "_row": 3},
        {"INDICATOR": "XN", "FREQ": "A", "OBS_VALUE": "2", "_row": 3},
    ]
    assert findings == []


def test_a_wrong_cell_of_a_wide_table_is_told_once() -> None:
    table = {
        "columns": {"region": "Region"},
        "unpivot": {"headers": "^20..$", "name": "year", "value": "n"},
    }
    wide = sheet(
        [["Region", "2020", "2021", "Sex"], ["Nord", "1", "2", "x"], ["South", "3", "4", "y"], ["Nord", "5", "6", "z"]]
    )
    found = layout_of(table)
    mapper = Case().to("region", "REF_AREA", row("South", to="S")).to("n", "OBS_VALUE").mapper()
    report = Report()
    [(_, rows)] = extract(found, file_of(wide), report)
    assert mapper.apply(rows, report).num_rows == 2
    assert [(one.code, one.row, one.column, one.value) for one in report.findings()] == [
        ("F201", 2, "A", "Nord"),
        ("F201", 4, "A", "Nord"),
    ]
    assert report.counts["error"] == 2
    # a year that is wrong is wrong in each of its cells
    report = Report()
    [(_, rows)] = extract(found, file_of(wide), report)
    mapper = Case().to("year", "REF_AREA", row("2020", to="S")).to("n", "OBS_VALUE").mapper()
    mapper.apply(rows, report)
    assert [(one.row, one.column) for one in report.findings()] == [(2, "C"), (3, "C"), (4, "C")]


def test_places_without_rows_are_all_told() -> None:
    case = Case().to("s", "REF_AREA", row("a", to="A"))
    rows = pa.table({"s": ["x", "x"], "_row": pa.nulls(2, pa.int64()), "_column": pa.nulls(2, pa.string())})
    report = Report()
    case.mapper().apply(rows, report)
    assert report.counts["error"] == 2


def test_free_text() -> None:
    rows = [row("Germany", to="DE"), row("Great Britain", to="GB"), row("United Kingdom", to="GB")]
    assert one("name", *rows, given=["United Kingdom", "Germany"]) == ["GB", "DE"]


@pytest.mark.parametrize(
    ("rows", "given", "expected"),
    [
        ([row(regex("A"), to="OUT_A")], ["A", "AB"], ["OUT_A", None]),
        ([row(regex("^[A-G]"), to="OUT_B")], ["Ghost", "Hat"], ["OUT_B", None]),
        ([row(regex("A|B"), to="OUT_C")], ["A", "B", "C"], ["OUT_C", "OUT_C", None]),
        ([row(regex("([0-9]{4})[0-9]([0-9]{1})"), to=r"\1-Q\2")], ["200933"], ["2009-Q3"]),
        (
            [row(regex("A"), to="OUT_A"), row(regex("B"), to="OUT_B"), row(regex("[A-Z]"), to="OUT_C")],
            ["A", "G", "B"],
            ["OUT_A", "OUT_C", "OUT_B"],
        ),
        ([row(regex("[0-2]"), to="A"), row(regex("[3-4]"), to="B")], ["0", "4", "12"], ["A", "B", None]),
        ([row(regex("ing$"), to="X")], ["ring", "ringer"], ["X", None]),
        ([row(regex("(?<year>[0-9]+)M"), to=r"\1")], ["2010M"], ["2010"]),
        ([row(regex("(a)|(b)"), to=r"<\1\2>")], ["b"], ["<b>"]),
        ([row("A", to="literal"), row(regex("."), to="any")], ["A", "B"], ["literal", "any"]),
        ([row(regex("."), to="any"), row("A", to="literal")], ["A"], ["any"]),
        ([row("A", to=r"\1")], ["A"], [r"\1"]),
        ([row(part("DEF", 5, 7), to="D")], ["ABC_DEF_XYZ", "ABC_DE", "DEF"], ["D", None, None]),
        ([row(part("XU", 1, 2), to="Y")], ["XULADS", "XU", "AXU"], ["Y", "Y", None]),
        ([row(part(None, 5, 7), to=r"\1")], ["ABC_DEF_XYZ"], ["DEF"]),
        ([row(part("[A-C]+", 1, 3, is_regex=True), to="abc")], ["ABCX", "ABXX"], ["abc", None]),
    ],
)
def test_expressions_and_substrings(
    rows: list[MappingRow], given: list[str | None], expected: list[str | None]
) -> None:
    assert one("x", *rows, given=given) == expected


def test_groups_are_counted_through_all_sources() -> None:
    rows = [row(regex("(....)-(..)"), "Mai", regex("([a-z])"), to=r"\2/\1/\3")]
    mapped, _ = Case().to("a b c", "STATUS", *rows).apply(a=["2018-01"], b=["Mai"], c=["x"])
    assert mapped[0]["STATUS"] == "01/2018/x"


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2006", None), ("2007", "F"), ("2007-01-01", "F"), ("2009-Q4", "F"), ("2009-12-31T23:59:59", "F"),
        ("2010", "C"), ("2031-W20", "C"), ("2009-07-01/P1Y", None),
    ],
)  # fmt: skip
def test_validity_is_inclusive_at_every_frequency(time: str, expected: str | None) -> None:
    rows = [row("XULADS", to="F", valid_from="2007", valid_to="2009"), row("XULADS", to="C", valid_from="2010")]
    mapped, findings = Case().to("t", "TIME_PERIOD").to("i", "OBS_CONF", *rows).apply(t=[time], i=["XULADS"])
    assert mapped[0].get("OBS_CONF") == expected
    assert [finding.expected for finding in findings] == ([] if expected else [f"a value that is mapped for {time}"])


def test_validity_of_a_dimension_splits_one_source_in_time() -> None:
    """A country that came apart: the same name is two codes, one after the other."""
    rows = [row("Sudan", to="736", valid_to="2010"), row("Sudan", to="729", valid_from="2011"), row("Chad", to="148")]
    case = Case().to("year", "TIME_PERIOD").to("name", "REF_AREA", *rows)
    mapped, findings = case.apply(year=["2010", "2011", "1999"], name=["Sudan", "Sudan", "Chad"])
    assert [found["REF_AREA"] for found in mapped] == ["736", "729", "148"]
    assert findings == []


def test_validity_by_the_source_time_where_none_is_mapped() -> None:
    rows = [row("a", to="x", valid_to="2010"), row("a", to="y", valid_from="2011")]
    mapped, _ = Case().to("k", "STATUS", *rows).apply(k=["a"], TIME_PERIOD=["2020"])
    assert mapped[0]["STATUS"] == "y"
    with pytest.raises(InvalidStructure, match="no time is mapped"):
        Case().to("k", "STATUS", *rows).apply(k=["a"])


def test_a_time_that_is_none_is_left_for_the_check_of_times() -> None:
    rows = [row("a", to="x", valid_to="2010")]
    mapped, findings = Case().to("t", "TIME_PERIOD").to("k", "REF_AREA", *rows).apply(t=["soon"], k=["a"])
    assert mapped == [{"TIME_PERIOD": "soon", "REF_AREA": "x", "_row": 2}]
    assert findings == []


# --- missing values, fixed values, shapes --------------------------------------------------------------------------


def test_a_missing_source_is_a_missing_target_unless_a_row_says_otherwise() -> None:
    assert one("x", row("a", to="A"), given=[None, "a"]) == [None, "A"]
    assert one("x", row("a", to="A"), row("", to="Z"), given=[None, "a"]) == ["Z", "A"]
    assert one("x", row(None, to="Z"), given=[None]) == ["Z"]
    assert one("x", row(regex(".+"), to="Z"), given=[None]) == [None]
    assert one("x", row("a", to=""), given=["a"]) == [None]
    _, findings = Case().to("x", "STATUS", row("a", to="")).apply(x=[None, "a"])
    assert findings == []


def test_one_missing_source_of_two() -> None:
    case = Case().to("x y", "STATUS", row("a", "", to="A"))
    mapped, findings = case.apply(x=["a", "a", None], y=[None, "b", None])
    assert [found.get("STATUS") for found in mapped] == ["A", None, None]
    assert [(finding.row, finding.value) for finding in findings] == [(3, "a | b")]


def test_fixed_values_and_shapes() -> None:
    case = Case(fixed=(fixed("FREQ", "A"), fixed("TAGS", "p", "q"), fixed("unit", "PS", role="source")))
    mapped, _ = case.to("unit", "STATUS", row("PS", to="persons")).to("x", "NOTE").apply(x=["hello", None])
    assert mapped == [
        {"FREQ": "A", "TAGS": ["p", "q"], "STATUS": "persons", "NOTE": [("en", "hello")], "_row": 2},
        {"FREQ": "A", "TAGS": ["p", "q"], "STATUS": "persons", "_row": 3},
    ]
    mapped, _ = Case().to("x", "TAGS").apply(x=["hello", None])
    assert [found.get("TAGS") for found in mapped] == [["hello"], None]


def test_no_rows() -> None:
    mapped, findings = Case().to("a b", "STATUS", row("x", "y", to="z")).apply(a=[], b=[])
    assert (mapped, findings) == ([], [])


def test_rows_of_one_structure_to_another() -> None:
    """Typed columns (codes, lists) are read as the columns of a layout are."""
    codes = pa.array(["AF", "AL", "AF"]).dictionary_encode()
    tags = pa.array([["p", "q"], None, []], pa.list_(pa.string()))
    case = Case().to("REF_AREA", "REF_AREA", row("AF", to="AFG"), row("AL", to="ALB")).to("TAGS", "TAGS")
    table = case.mapper().apply(pa.table({"REF_AREA": codes, "TAGS": tags}), Report())
    assert table["REF_AREA"].to_pylist() == ["AFG", "ALB", "AFG"]
    assert table["TAGS"].to_pylist() == [["p", "q"], None, []]
    with pytest.raises(InvalidStructure, match="several values"):
        Case().to("TAGS", "STATUS").mapper().apply(pa.table({"TAGS": tags}), Report())


# --- data types, arrays, filters -----------------------------------------------------------------------------------


def declared(kind: str, *rows: MappingRow) -> Case:
    case = Case().to("x", "STATUS", *rows)
    case.declare(kind)
    return case


@pytest.mark.parametrize(
    ("kind", "known", "given", "expected"),
    [
        ("Integer", "7", ["7", "07", "7.0", " 7", "70", "x"], ["T", "T", "T", "T", None, None]),
        ("Double", "0.5", ["0.50", ".5", "5e-1", "5"], ["T", "T", "T", None]),
        ("Boolean", "true", ["1", "TRUE", "true", "0"], ["T", "T", "T", None]),
        ("String", "7", ["7", "07"], ["T", None]),
    ],
)
def test_numbers_and_booleans_are_compared_as_such(
    kind: str, known: str, given: list[str | None], expected: list[str | None]
) -> None:
    mapped, _ = declared(kind, row(known, to="T")).apply(x=given)
    assert [found.get("STATUS") for found in mapped] == expected


def test_expressions_see_numbers_as_they_were_sent() -> None:
    mapped, _ = declared("Integer", row(regex("[0-2]"), to="A"), row("3", to="B")).apply(x=["2", "3.0", "02"])
    assert [found.get("STATUS") for found in mapped] == ["A", "B", None]


ARRAYS = pa.array([["p", "q"], ["q", "p"], ["p"], None, [], ["r"], ["p", "r"]], pa.list_(pa.string()))


def mapped_arrays(target: str, *rows: MappingRow) -> tuple[list[Any], list[Finding]]:
    report = Report()
    table = Case().to("TAGS", target, *rows).mapper().apply(pa.table({"TAGS": ARRAYS}), report)
    return table[target].to_pylist(), list(report.findings())


def test_combinations_of_an_array_to_one_value() -> None:
    """*Standard*: an attribute with an array representation, combinations of its values to a single value."""
    found, findings = mapped_arrays("STATUS", row("p", "q", to="BOTH"), row("p", "", to="ONE"))
    assert found == ["BOTH", "BOTH", "ONE", None, None, None, None]
    assert sorted(one.value or "" for one in findings) == ["p, r", "r"]


def test_each_value_of_an_array_to_values_of_an_array() -> None:
    found, findings = mapped_arrays("TAGS", row("p", to="P"), row("q", to="Q"))
    assert found == [["P", "Q"], ["Q", "P"], ["P"], None, None, None, None]
    assert [one.code for one in findings] == ["F201", "F201"]


def test_the_values_of_an_array_agree_on_a_single_one() -> None:
    found, _ = mapped_arrays("STATUS", row("p", to="X"), row("q", to="X"), row("r", to="Y"))
    assert found == ["X", "X", "X", None, None, "Y", None]


def test_a_source_to_several_values_of_one_target() -> None:
    mapped, _ = Case().to("x", "TAGS", row("a", to=("P", "Q")), row("b", to=("R", ""))).apply(x=["a", "b"])
    assert [found["TAGS"] for found in mapped] == [["P", "Q"], ["R"]]


def test_a_fixed_source_value_is_a_filter() -> None:
    case = Case(fixed=(fixed("FREQUENCY", "A", role="source"),)).to("x", "STATUS")
    mapped, findings = case.apply(FREQUENCY=["A", "M", None, "A"], x=["1", "2", "3", "4"])
    assert [found["STATUS"] for found in mapped] == ["1", "3", "4"]
    assert [(one.code, one.message) for one in findings] == [
        ("F101", "1 row was left out on purpose: the map is about FREQUENCY 'A' alone.")
    ]


def test_rows_for_some_providers_only() -> None:
    bound = replace(row("a", to="X"), annotations=(Annotation(type="PROVIDER", title="NET.SOUTH"),))
    case = Case().to("x", "STATUS", bound, row("b", to="Y"))
    rows = pa.table({"x": ["a", "b"]})
    south, others = case.mapper("NET.SOUTH").apply(rows, Report()), case.mapper().apply(rows, Report())
    assert (south["STATUS"].to_pylist(), others["STATUS"].to_pylist()) == (["X", "Y"], [None, "Y"])


# --- ambiguity -----------------------------------------------------------------------------------------------------


def test_a_value_that_several_rows_fit_is_told_and_the_first_is_taken() -> None:
    rows = [row(regex("A.*"), to="STARTS"), row(regex(".*Z"), to="ENDS"), row(regex(".*"), to="ANY")]
    mapped, findings = Case().to("x", "STATUS", *rows).apply(x=["AZ", "AB", "BZ", "C", "AZ"])
    assert [found["STATUS"] for found in mapped] == ["STARTS", "STARTS", "ENDS", "ANY", "STARTS"]
    assert [(one.code, one.severity.value, one.row, one.value) for one in findings] == [
        ("F202", "info", 2, "AZ"), ("F202", "info", 6, "AZ"),
    ]  # fmt: skip
    assert findings[0].message == (
        "STATUS: 'AZ' fits several rows of TEST:RM_0(1.0.0): STARTS is taken, the first; others give ENDS."
    )


def test_of_many_such_values_the_first_are_told_one_by_one() -> None:
    rows = [row(regex("A.*"), to="X"), row(regex(".*Z"), to="Y")]
    report = Report()
    Case().to("x", "STATUS", *rows).mapper().apply(
        pa.table({"x": [f"A{number}Z" for number in range(700)], "_row": range(700)}), report
    )
    assert [group.count for group in report.groups][-1] == 200
    assert (len(report.groups), sum(group.count for group in report.groups)) == (501, 700)


def test_rows_that_agree_or_hold_at_other_times_are_no_rivals() -> None:
    rows = [row(regex("A.*"), to="X"), row("AZ", to="X"), row(regex(".Z"), to="Y", valid_to="2000")]
    case = Case().to("t", "TIME_PERIOD").to("x", "STATUS", *rows)
    assert case.apply(t=["2020"], x=["AZ"])[1] == []
    assert [one.code for one in case.apply(t=["1999"], x=["AZ"])[1]] == ["F202"]


# --- findings ------------------------------------------------------------------------------------------------------


def test_unmapped_values_are_grouped_with_places_and_the_nearest_known() -> None:
    columns = {"area": "Area", "n": "N"}
    tables = file_of(sheet([["N", "Area"], ["1", "Norwey"], ["2", "Norway"], ["3", "Norwey"], ["4", "Zzz"]], "S"))
    report = Report()
    [(_, rows)] = extract(layout_of({"sheet": "S", "columns": columns}), tables, report)
    known = [row("Norway", to="NO"), row("Sweden", to="SE")]
    table = Case().to("area", "REF_AREA", *known).to("n", "OBS_VALUE").mapper().apply(rows, report)
    assert table["OBS_VALUE"].to_pylist() == ["2"]
    assert [(group.code, group.count) for group in report.groups] == [("F201", 2), ("F201", 1)]
    first, second, third = report.findings()
    assert (first.row, second.row, third.row) == (2, 4, 5)
    assert (first.sheet, first.column, first.value, first.suggestion) == ("S", "B", "Norwey", "Norway")
    assert first.message == "REF_AREA: 'Norwey' has no mapping in TEST:RM_0(1.0.0)."
    assert (third.value, third.suggestion) == ("Zzz", None)


def test_a_row_whose_attribute_is_not_mapped_stays() -> None:
    mapped, findings = Case().to("x", "STATUS", row("a", to="A")).to("v", "OBS_VALUE").apply(x=["b"], v=["1"])
    assert mapped == [{"OBS_VALUE": "1", "_row": 2}]
    assert [finding.code for finding in findings] == ["F201"]


# --- maps that cannot be meant -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (Case().to("x", "COLOUR"), "'COLOUR' is no component of TEST:DSD"),
        (Case(fixed=(fixed("COLOUR", "red"),)), "'COLOUR' is no component"),
        (Case(times=(TimePatternMap(sources=("t",), target="WHEN", pattern="yyyy"),)), "'WHEN' is no component"),
        (Case().to("x", "STATUS").to("y", "STATUS"), "STATUS is mapped more than once"),
        (Case(fixed=(fixed("STATUS", "a", "b"),)), "must be one value"),
        (Case().to("x y", "STATUS"), "2 sources cannot be copied to 1 targets"),
        (Case().to("x y", "STATUS", row("a", to="c")), "maps 1 values to 1"),
        (Case().to("x", "STATUS", row(*"abcdef", to="c")), "6 values"),
        (Case().to("x", "STATUS", row(regex("("), to="c")), "no regular expression"),
        (Case().to("x", "STATUS", row(regex("(a)"), to=r"\2")), "names group 2"),
        (Case().to("x", "STATUS", row("a", to="c", valid_from="then")), "validity period cannot be read"),
        (Case().to("x", "STATUS", row("a", to="b"), row("a", to="c")), "'a' maps to 'b' and to 'c'"),
        (Case().to("x", "TIME_PERIOD", row("a", to="2020", valid_from="2020")), "depends on the time"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused(case: Case, said: str) -> None:
    with pytest.raises(InvalidStructure, match=said.replace("(", r"\(")):
        case.mapper()


def test_rows_that_say_the_same_or_hold_at_other_times_do_not_contradict() -> None:
    Case().to("x", "STATUS", row("a", to="b"), row("a", to="b")).mapper()
    Case().to("x", "STATUS", row("a", to="b", valid_to="2009"), row("a", to="c", valid_from="2010")).mapper()
    with pytest.raises(InvalidStructure, match="contradict"):
        Case().to("x", "STATUS", row("a", to="b", valid_to="2009"), row("a", to="c", valid_from="2009-12")).mapper()


def test_a_source_that_is_not_there() -> None:
    with pytest.raises(InvalidStructure, match="it reads y, which the layout"):
        Case().to("x", "STATUS").to("y", "OBS_CONF").apply(x=["a"])


def test_a_representation_map_that_is_not_there() -> None:
    case = Case()
    case._components.append(
        ComponentMap(
            sources=("x",), targets=("STATUS",), representation_map=Ref(type="RepresentationMap", agency="T", id="R")
        )
    )
    with pytest.raises(UnresolvedReference):
        case.mapper()


# --- time ----------------------------------------------------------------------------------------------------------


def timed(pattern: str, freq: str, *, formats: tuple[FrequencyFormat, ...] = (), **words: Any) -> Case:
    time_map = TimePatternMap(
        sources=("t",), target="TIME_PERIOD", pattern=pattern, frequency_dimension="FREQ", **words
    )
    return Case(times=(time_map,), fixed=(fixed("FREQ", freq),), frequency_formats=formats)


@pytest.mark.parametrize(
    ("freq", "expected"),
    [("A", "1981"), ("S", "1981-S2"), ("T", "1981-T2"), ("Q", "1981-Q3"), ("M", "1981-07"), ("W", "1981-W29"),
     ("D", "1981-07-18"), ("B", "1981-07-18"), ("I", "1981-07-18T23:59:59"), ("A10", "1981")],
)  # fmt: skip
def test_the_frequency_says_how_time_is_written(freq: str, expected: str) -> None:
    mapped, _ = timed("dd/MM/yyyy", freq).apply(t=["18/07/1981"])
    assert mapped[0]["TIME_PERIOD"] == expected


def test_the_frequency_may_differ_by_row_and_be_mapped_itself() -> None:
    time_map = TimePatternMap(sources=("t",), target="TIME_PERIOD", pattern="yyyy-MM", frequency_dimension="FREQ")
    case = Case(times=(time_map,)).to("f", "FREQ", row("year", to="A"), row("month", to="M"))
    mapped, _ = case.apply(t=["2018-05", "2018-05"], f=["month", "year"])
    assert [found["TIME_PERIOD"] for found in mapped] == ["2018-05", "2018"]


def test_times_that_do_not_fit_are_findings() -> None:
    mapped, findings = timed("dd/MM/yyyy", "D").apply(t=["18/07/1981", "July", "31/02/1999", None])
    assert [found.get("TIME_PERIOD") for found in mapped] == ["1981-07-18", None]
    assert [(found.code, found.row, found.value) for found in findings] == [
        ("F403", 3, "July"), ("F403", 4, "31/02/1999"),
    ]  # fmt: skip
    assert findings[0].message == (
        "TIME_PERIOD: 'July' cannot be taken as a time period: 'July' does not fit the pattern dd/MM/yyyy."
    )


def test_frequency_formats_change_how_time_is_written() -> None:
    formats = (
        FrequencyFormat(id="m", frequency_id="M", date_pattern="yyyy'M'nn"),
        FrequencyFormat(id="x", frequency_id="A", date_pattern="yy"),
    )
    case = timed("dd.MM.yyyy", "M", formats=formats, mapped_frequencies=("m",))
    assert case.apply(t=["18.07.1981"])[0][0]["TIME_PERIOD"] == "1981M07"
    case = timed("dd.MM.yyyy", "A", formats=formats, mapped_frequencies=("m",))
    assert case.apply(t=["18.07.1981"])[0][0]["TIME_PERIOD"] == "1981"


def test_the_mapped_time_decides_about_validity() -> None:
    case = timed("d.M.yyyy", "A").to(
        "k", "REF_AREA", row("a", to="x", valid_to="2010"), row("a", to="y", valid_from="2011")
    )
    mapped, _ = case.apply(t=["5.3.2010", "31.12.2011"], k=["a", "a"])
    assert [(found["TIME_PERIOD"], found["REF_AREA"]) for found in mapped] == [("2010", "x"), ("2011", "y")]


def test_a_frequency_that_nothing_maps() -> None:
    time_map = TimePatternMap(sources=("t",), target="TIME_PERIOD", pattern="yyyy", frequency_dimension="FREQ")
    with pytest.raises(InvalidStructure, match="'FREQ', which nothing maps"):
        Case(times=(time_map,)).apply(t=["2020"])


# --- properties ----------------------------------------------------------------------------------------------------

CELLS = st.sampled_from([None, "a", "b", "c", "d"])


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=30))
def test_distinct_combinations_are_those_of_the_rows(rows: list[tuple[str | None, ...]]) -> None:
    arrays = [pa.array([row[place] for row in rows], pa.string()) for place in range(3)]
    codes, combinations = distinct(arrays)
    assert [combinations[code] for code in codes] == rows
    assert len(set(combinations)) == len(combinations)


@given(
    st.lists(st.tuples(CELLS, CELLS), max_size=20),
    st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), st.sampled_from("XYZ")),
)
def test_each_row_is_mapped_as_if_it_were_alone(
    pairs: list[tuple[str | None, str | None]], known: dict[tuple[str, str], str]
) -> None:
    case = Case().to("x y", "STATUS", *(row(*key, to=target) for key, target in known.items()), row("-", "-", to="-"))
    mapped, findings = case.apply(x=[x for x, _ in pairs], y=[y for _, y in pairs])
    assert [found.get("STATUS") for found in mapped] == [known.get(pair) for pair in pairs]  # type: ignore[arg-type]
    wrong = [number for number, pair in enumerate(pairs, 2) if any(pair) and pair not in known]
    assert sorted(finding.row or 0 for finding in findings) == wrong


# --- real files and the mappings of this repository ----------------------------------------------------------------


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_folder(ROOT).catalog()


@pytest.mark.parametrize(
    ("path", "layout", "count"),
    [
        ("stock/undesa_ims2024_bilateral_by_sex.csv", "DESA_STOCK_OD", 153_296),
        ("flow/eurostat_imm5prv_by_age_intraEU.csv", "IMM5PRV_AGE", 175_710),
        ("eurostat/malta_migr_flows.csv", "ESTAT_FLOW_CTZ", 241),
        ("eurostat/malta_demo_gind.csv", "ESTAT_DEMO_GIND", 97),
        ("national/un_flows2015_canada.xlsx", "UNFLOWS_CTZ", None),
        ("national/destatis_wanderungen_2018.xlsx", "DESTATIS_WANDERUNGEN", None),
    ],
)
def test_real_files_map_whole(shared: Path, catalog: Catalog, path: str, layout: str, count: int | None) -> None:
    tables = open_file(shared / "data" / path)
    [found] = recognise(catalog.layouts.values(), tables, path.rpartition(".")[2], path)
    assert found.id == layout
    report, total = Report(), 0
    for table_layout, rows in extract(found, tables, report):
        structure_map = catalog.artefact(table_layout.map)
        assert isinstance(structure_map, StructureMap)
        structure = catalog.target(structure_map.target).structure
        mapped = Mapper(structure_map, catalog, structure).apply(rows, report)
        assert mapped.num_rows == rows.num_rows
        assert all(mapped[name].null_count == 0 for name in structure.key_ids)
        total += mapped.num_rows
    assert not report.has_errors
    assert count is None or total == count
