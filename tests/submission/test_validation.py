"""Every finding of the validator: code, row, column, value, key, suggestion, and words."""

from __future__ import annotations

import io
import time
import zipfile

import pyarrow as pa
import pytest

from sdmx_service.model.columns import parse_numbers, render_numbers
from sdmx_service.model.finding import CATALOGUE, Finding
from sdmx_service.submission.whole_numbers import as_integers
from tests.submission.checking import ARTEFACTS, FLOW, HEADER, checked, constraint, findings, message, row


def brief(found: list[Finding]) -> list[tuple[str, int | None, str | None, str | None]]:
    return [(one.code, one.row, one.column, one.value) for one in found]


def test_a_right_row_has_no_findings() -> None:
    outcome = checked(message(row()))
    assert outcome.groups == ()
    assert outcome.receipt.status == "received"
    assert [(flow.dataflow, flow.observations) for flow in outcome.receipt.dataflows] == [("TEST:DF_V(1.0.0)", 1)]


@pytest.mark.parametrize(
    ("component", "value", "code", "said"),
    [
        ("AREA", "MLT", "F401", "AREA: 'MLT' is not a code of TEST:CL_AREA(1.0.0)."),
        ("AREA", "NaN", "F401", "AREA: 'NaN' is not a code of TEST:CL_AREA(1.0.0)."),
        ("GRADE", "G9", "F401", "GRADE: 'G9' is not a code of TEST:CL_GRADE(1.0.0)."),
        ("GRADE", "NaN", "F401", "GRADE: 'NaN' is not a code of TEST:CL_GRADE(1.0.0)."),
        ("STATUS", "a", "F401", "STATUS: 'a' is not a code of TEST:CL_STATUS(1.0.0)."),
        ("FLAGS", "X;Z", "F401", "FLAGS: 'Z' is not a code of TEST:CL_FLAGS(1.0.0)."),
        ("VALUE", "1,5x", "F304", "VALUE: '1,5x' is not what the structure asks for: a number."),
        ("VALUE", "~", "F304", "VALUE: '~' is not what the structure asks for: a number."),
        ("COUNT", "1.5", "F304", "COUNT: '1.5' is not what the structure asks for: a whole number of type Integer."),
        ("COUNT", "INF", "F304", "COUNT: 'INF' is not what the structure asks for: a whole number of type Integer."),
        ("COUNT", "-1", "F304", "COUNT: '-1' is not what the structure asks for: at least 0."),
        ("COUNT", "101", "F304", "COUNT: '101' is not what the structure asks for: at most 100."),
        ("RATE", "INF", "F304", "RATE: 'INF' is not what the structure asks for: a finite number, below 1.8e308 in size."),
        ("VALUE", "-1e400", "F304",
         "VALUE: '-1e400' is not what the structure asks for: a finite number, below 1.8e308 in size."),
        ("COUNT", "1e400", "F304", None),
        ("RATE", "0.55", "F304", "RATE: '0.55' is not what the structure asks for: at most 1 decimal."),
        ("NOTE", "a", "F304", "NOTE: 'a' is not what the structure asks for: at least 2 characters."),
        ("NOTE", "abcdef", "F304", "NOTE: 'abcdef' is not what the structure asks for: at most 5 characters."),
        ("NOTE", "1a", "F304", "NOTE: '1a' is not what the structure asks for: the pattern [a-z]+[0-9]*."),
        ("TEXT", "en:much too long", "F304", "TEXT: 'much too long' is not what the structure asks for: at most 8 characters."),
        ("WHEN", "soon", "F304", "WHEN: 'soon' is not what the structure asks for: a time of type StandardTimePeriod."),
        ("TIME_PERIOD", "2024-Q1", "F403",
         "TIME_PERIOD: '2024-Q1' cannot be taken as a time period: a time of type GregorianYear is needed here."),
        ("TIME_PERIOD", "2024-W54", "F403", None),
        ("TIME_PERIOD", "spring", "F403", None),
    ],
)  # fmt: skip
def test_a_wrong_value_is_found_where_it_stands(component: str, value: str, code: str, said: str | None) -> None:
    cell = f'"{value}"' if "," in value else value
    (found,) = findings(row(SEX="M"), row(**{component: cell}))
    assert (found.code, found.row, found.column) == (code, 3, component)
    assert found.value == value.rpartition("en:")[2].rpartition(";")[2]
    expected = {"AREA": "MT", "SEX": "F", "TIME_PERIOD": "2024"}
    assert found.key == (expected | {component: value} if component in expected else expected)
    assert found.file == "sent.csv"
    assert said is None or found.message == said
    assert found.expected
    assert "{" not in found.message


@pytest.mark.parametrize(
    ("component", "value"),
    [("COUNT", "5"), ("COUNT", "+5"), ("COUNT", "NaN"), ("VALUE", "NaN"), ("VALUE", "-INF"),
     ("VALUE", "1e-3"), ("RATE", "0.50"), ("RATE", "#N/A"), ("GRADE", "#N/A"), ("STATUS", "#N/A"), ("NOTE", "#N/A"),
     ("WHEN", "2024-01-31"), ("SEX", "~")],
)  # fmt: skip
def test_forms_that_are_right(component: str, value: str) -> None:
    assert findings(row(**{component: value})) == []


@pytest.mark.parametrize("value", ["5.0", "5e1", "0.00", "1.0e+1"])
def test_a_whole_number_written_otherwise_is_taken_and_told(value: str) -> None:
    (found,) = findings(row(COUNT=value))
    assert (found.code, found.severity.value, found.value) == ("F307", "info", value)


def test_it_is_kept_as_the_schema_of_the_structure_takes_it() -> None:
    texts = pa.array(["5.0", "5e1", "7", "+7", "NaN", None, "2.5", "12345678901234567890.0"])
    numbers, otherwise = as_integers(texts, parse_numbers(texts))
    assert otherwise is not None
    assert otherwise.to_pylist() == [True, True, False, False, False, False, False, False]
    written = render_numbers(numbers.values, numbers.decimals, numbers.texts).to_pylist()
    assert written == ["5", "50", "7", "+7", "NaN", None, "2.5", "12345678901234567890.0"]
    assert as_integers(pa.array(["7"]), parse_numbers(pa.array(["7"])))[1] is None


@pytest.mark.parametrize(
    ("value", "suggestion"), [("MLT", "MT"), ("Malta", "MT"), ("ITA", "IT"), ("Italia", "IT"), ("###", None)]
)
def test_the_nearest_code_by_id_or_name(value: str, suggestion: str | None) -> None:
    (found,) = findings(row(AREA=value))
    assert found.suggestion == suggestion


def test_a_suggestion_is_a_code_that_may_be_sent() -> None:
    (found,) = findings(row(AREA="Frence"), more=(constraint(FLOW.ref, "AREA", "MT", "IT"),))
    assert found.suggestion != "FR"


def test_a_code_that_the_dataflow_does_not_hold() -> None:
    (found,) = findings(row(), row(AREA="FR"), more=(constraint(FLOW.ref, "AREA", "MT", "IT"),))
    assert (found.code, found.row, found.column, found.value) == ("F402", 3, "AREA", "FR")
    assert found.message == "AREA: 'FR' is not allowed by TEST:CON_AREA(1.0.0)."


def test_a_code_that_is_not_this_providers_to_send() -> None:
    agreement = next(one.ref for one in ARTEFACTS if one.type == "ProvisionAgreement")
    (found,) = findings(row(), row(AREA="FR"), more=(constraint(agreement, "AREA", "MT", "IT"),))
    assert (found.code, found.row, found.column, found.value) == ("F502", 3, "AREA", "FR")
    assert found.message == "AREA: 'FR' is not for this provider to send; TEST:CON_AREA(1.0.0) does not cover it."


class TestPresence:
    @pytest.mark.parametrize("dimension", ["AREA", "SEX", "TIME_PERIOD"])
    @pytest.mark.parametrize("action", ["M", "R"])
    def test_a_dimension_without_value(self, dimension: str, action: str) -> None:
        found = [one for one in findings(row(), row(**{dimension: ""}), action=action) if one.code == "F302"]
        assert brief(found) == [("F302", 3, dimension, None)]
        assert found[0].message == f"The dimension {dimension} has no value."

    def test_an_observation_attribute_needs_the_whole_key(self) -> None:
        header = "AREA,SEX,TIME_PERIOD,VALUE,STATUS"
        found = findings("MT,F,,,A", header=header, action="M")
        assert ("F302", 2, "TIME_PERIOD", None) in brief(found)

    def test_a_row_of_a_higher_level_needs_only_its_dimensions(self) -> None:
        assert (
            findings(
                row(UNIT="", AREA_NOTE="", SOURCE=""),
                "MT,F,,,,,,,,,,PS,,,",
                "MT,,,,,,,,,,,,,Islands,",
                ",,,,,,,,,,,,Register,,",
            )
            == []
        )

    def test_a_row_that_carries_nothing_needs_a_key(self) -> None:
        found = findings(row(), ",F,2024,,,,,,,,,,,,")
        assert ("F302", 3, "AREA", None) in brief(found)

    @pytest.mark.parametrize(
        ("component", "code"), [("VALUE", "F305"), ("STATUS", "F303"), ("UNIT", "F303"), ("SOURCE", "F303")]
    )
    @pytest.mark.parametrize("action", ["M", "R"])
    def test_what_is_mandatory(self, component: str, code: str, action: str) -> None:
        (found,) = findings(row(**{component: ""}), action=action)
        assert (found.code, found.row, found.column) == (code, 2, component)
        kind = "measure" if code == "F305" else "attribute"
        assert found.message == f"The mandatory {kind} {component} has no value, neither in the file nor from before."

    def test_a_mandatory_attribute_may_stand_anywhere_in_its_level(self) -> None:
        rows = [row(TIME_PERIOD="2022", UNIT=""), row(TIME_PERIOD="2023"), row(TIME_PERIOD="2024", UNIT="")]
        assert findings(*rows) == []
        found = findings(*rows, row(SEX="M", UNIT=""), row(SEX="M", TIME_PERIOD="2023", UNIT=""))
        assert brief(found) == [("F303", 5, "UNIT", None)]
        assert found[0].key == {"AREA": "MT", "SEX": "M"}

    def test_a_deletion_needs_no_values(self) -> None:
        assert findings("MT,F,2024,,,,,,,,,,,,", action="D") == []
        assert findings("MT,,,-,-,-,-,-,-,-,-,-,-,-,-", action="D") == []

    def test_a_deletion_that_takes_what_is_mandatory_and_leaves_the_figure(self) -> None:
        """A row copied with its attributes deletes these, of the series too, and not the figure that was meant."""
        found = findings("MT,F,2024,,,,,A,,,,PS,,,", action="D")
        assert brief(found) == [("F254", 2, "STATUS", None), ("F254", 2, "UNIT", None)]
        assert found[0].message.startswith("The deletion names STATUS, which is mandatory")
        assert brief(findings("MT,F,2024,1.5,,,,A,,,,,,,", action="D")) == []  # the measure goes with its status
        assert brief(findings("MT,F,2024,1.5,,,,A,,,,PS,,,", action="D")) == [("F254", 2, "UNIT", None)]
        assert findings("MT,F,,,,,,,,,,PS,,,", action="D") == []  # a series by itself, as differences have it

    @pytest.mark.parametrize(
        ("cells", "what"), [(",,,,,,,,,,,,,,", "everything"), (",,,1,-,,,,,,,,,,", "every VALUE and every COUNT")]
    )
    def test_a_deletion_without_a_key_is_told_once(self, cells: str, what: str) -> None:
        found = findings("MT,F,2024,,,,,,,,,,,,", cells, ",,,,,,,,,,,,,,", action="D")
        assert [(one.code, one.severity.value, one.row) for one in found if one.code == "F255"] == [
            ("F255", "warning", 3)
        ]
        assert found[0].message == (
            f"The deletion names no key: {what} of TEST.P1 in TEST:DF_V(1.0.0) is taken away "
            "(how much is stored is not known here)."
        )

    def test_a_deletion_of_attributes_or_of_a_part_of_the_key_is_not_one_of_all(self) -> None:
        for cells in (",,,,,,,A,,,,,,,", ",F,,,,,,,,,,,,,", ",,2024,,,,,,,,,,,,", ",,,,,,,,,,,,x,,"):
            assert [one for one in findings(cells, action="D") if one.code == "F255"] == []
        assert [one for one in findings(row(), action="R") if one.code == "F255"] == []

    def test_a_deletion_needs_known_codes(self) -> None:
        assert brief(findings("MTT,,,,,,,,,,,,,,", action="D")) == [("F401", 2, "AREA", "MTT")]


class TestTheSameThingTwice:
    def test_a_key_twice_names_every_row(self) -> None:
        found = findings(row(), row(SEX="M"), row(VALUE="9"))
        assert brief(found) == [("F501", 2, "VALUE", "1.5"), ("F501", 4, "VALUE", "9")]
        assert found[0].message == "The same key occurs more than once: rows 2, 4."
        assert found[0].key == {"AREA": "MT", "SEX": "F", "TIME_PERIOD": "2024"}

    def test_a_key_twice_in_an_archive_names_the_files(self) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name in ("a.csv", "b.csv"):
                archive.writestr(name, message(row()))
        found = [one for group in checked(packed.getvalue()).groups for one in group.findings()]
        assert [(one.code, one.file, one.row) for one in found] == [("F501", "a.csv", 2), ("F501", "b.csv", 2)]
        assert found[0].message == "The same key occurs more than once: rows a.csv 2, b.csv 2."

    def test_a_message_shows_the_beginning_of_a_very_long_value(self) -> None:
        (found,) = findings(row(AREA="M" * 70_000))
        assert found.value == "M" * 70_000
        assert found.message == f"AREA: '{'M' * 500}... (70000 characters)' is not a code of TEST:CL_AREA(1.0.0)."

    def test_the_same_key_may_have_another_action(self) -> None:
        assert findings("D|MT,F,2024,,,,,,,,,,,,", f"M|{row()}") == []
        assert findings(f"M|{row()}", f"R|{row()}") == []

    def test_an_attribute_that_contradicts_itself(self) -> None:
        found = findings(row(), row(SEX="M", AREA_NOTE="Island"), row(AREA="IT", AREA_NOTE="Boot"))
        assert brief(found) == [("F306", 2, "AREA_NOTE", "Islands"), ("F306", 3, "AREA_NOTE", "Island")]
        assert found[0].message == "AREA_NOTE has different values in one group: Island, Islands."
        assert found[0].key == {"AREA": "MT"}

    def test_both_are_found_across_batches(self) -> None:
        years = [row(TIME_PERIOD=f"{year:04}") for year in range(1, 9999)]
        wide = [
            line.replace("MT,F", area)
            for area in ("MT,F", "MT,M", "IT,F", "IT,M", "FR,F", "FR,M", "MT,~")
            for line in years
        ]
        wide = [line.replace("Islands", "") for line in wide]
        wide[0] = wide[0].replace("ab1,", "ab1,").replace(",Register,,", ",Register,Islands,")
        last = row(TIME_PERIOD="0001", AREA_NOTE="Island", UNIT="Persons")
        found = findings(*wide, last)
        assert {(one.code, one.row) for one in found if one.code == "F501"} == {("F501", 2), ("F501", len(wide) + 2)}
        assert {(one.code, one.column, one.row) for one in found if one.code == "F306"} == {
            ("F306", "AREA_NOTE", 2), ("F306", "AREA_NOTE", len(wide) + 2), ("F306", "UNIT", 2), ("F306", "UNIT", len(wide) + 2),
        }  # fmt: skip


def test_a_hundred_thousand_wrong_codes_are_all_told_and_soon() -> None:
    body = message(*(row(AREA=f"Q{number}") for number in range(100_000)))
    began = time.perf_counter()
    outcome = checked(body)
    took = time.perf_counter() - began
    groups = [group for group in outcome.groups if group.code == "F401"]
    assert sum(group.count for group in groups) == outcome.receipt.findings["error"] == 100_000
    told = {(one.row, one.value) for group in groups for one in group.findings()}
    assert told == {(number + 2, f"Q{number}") for number in range(100_000)}
    assert len(groups) <= 501
    assert took < 60


def test_no_rows_is_a_finding() -> None:
    (found,) = findings()
    assert (found.code, found.file, found.message) == ("F109", "sent.csv", "The file holds no rows of data.")


def test_columns_that_are_no_component_are_named() -> None:
    (found,) = findings(row() + ",x", header=HEADER + ",COLOUR")
    assert (found.code, found.severity.value) == ("F105", "info")
    assert "COLOUR" in found.message


def test_every_catalogue_entry_is_documented(request: pytest.FixtureRequest) -> None:
    documented = (request.config.rootpath / "docs" / "errors.md").read_text(encoding="utf-8")
    for kind in CATALOGUE.values():
        assert (
            f"| `{kind.code}` | {kind.severity.value} | {kind.title} | {kind.explanation} | {kind.remedy} |"
            in documented
        )
