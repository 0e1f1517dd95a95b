"""Data types and facets: the values that each schema accepts and refuses, as rows of a table."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from lxml import etree

from sdmx_service.formats.sdmx_schema.json_types import simple_value
from sdmx_service.formats.sdmx_schema.values import marks
from sdmx_service.model.columns import columns
from sdmx_service.model.representation import Representation, SentinelValue, TextFormat
from sdmx_service.model.structure import Measure
from tests.formats.data.writing import FLOW, attribute, concept, structure
from tests.formats.schema.judging import ROOT, schema_of, written, xml_schema

F = TextFormat
TYPES: list[tuple[TextFormat, list[str], list[str]]] = [
    (F(type="String"), ["", "x y", "#N/A"], []),
    (F(type="String", min_length=2, max_length=3), ["ab", "abc", "#N/A", "NaN"], ["a", "abcd", ""]),
    (F(type="String", pattern="[A-Z]{2}[0-9]+"), ["AB1", "#N/A"], ["A1", "ab1", "xAB1"]),
    (F(type="String", min_length=5, max_length=3), ["ab", "abcdef"], []),  # contradicts itself
    (F(type="String", pattern="[A-"), ["whatever"], []),  # is no pattern
    (F(type="Alpha"), ["abC", "#N/A"], ["a1", "a b"]),
    (F(type="AlphaNumeric", max_length=4), ["ab12"], ["ab-1", "ab123"]),
    (F(type="Boolean"), ["true", "false", "1"], ["yes", "2"]),
    (F(type="URI"), ["https://example.org/x"], []),
    (F(type="Integer"), ["5", "-5", "NaN", "#N/A"], ["5.5", "x", "", "2147483648"]),
    (F(type="Integer", min_value="1", max_value="9.0"), ["1", "9"], ["0", "10"]),
    (F(type="Integer", min_value="9", max_value="1"), ["0", "10"], []),  # contradicts itself
    (F(type="Short", max_value="100000"), ["32767"], ["32768"]),
    (F(type="Count"), ["0", "12345678901234567890"], ["-1", "1.5"]),
    (F(type="BigInteger"), ["123456789012345678901234567890"], ["1.5"]),
    (F(type="Decimal", decimals=2), ["1", "1.25", "-1.50", "1.500"], ["1.255", "x"]),
    (F(type="Decimal", min_value="0", max_value="1.5"), ["0", "1.5"], []),
    (F(type="Double", decimals=1), ["1.5", "1.50", "NaN"], ["abc"]),
    (F(type="Double", min_value="-1", max_value="1e2"), ["-1", "100"], ["-1.5", "101"]),
    (F(type="ExclusiveValueRange", min_value="0", max_value="10"), ["5"], ["x"]),
    (F(type="GregorianYear"), ["2020"], ["2020-01", "20", "x"]),
    (F(type="GregorianYearMonth"), ["2020-01"], ["2020", "2020-13"]),
    (F(type="GregorianDay"), ["2020-02-29"], ["2020-02", "2020-02-32"]),
    (F(type="DateTime"), ["2020-01-01T00:00:00", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5+02:00"], ["2020-01-01"]),
    (F(type="ReportingQuarter"), ["2020-Q4"], ["2020-Q5", "2020"]),
    (F(type="ReportingTimePeriod"), ["2020-A1", "2020-W53", "2020-M12"], ["2020", "2020-W54"]),
    (F(type="ObservationalTimePeriod"), ["2020", "2020-01", "2020-D366", "2015-07-01/P5Y", "2020-T3"], ["2020-Q", "2020/01"]),
    (F(type="StandardTimePeriod"), ["2020", "2020-S2"], ["2015-07-01/P5Y"]),
    (F(type="TimeRange"), ["2015-07-01/P5Y", "2015-07-01T00:00:00/PT5H"], ["2015", "2015-07-01/2016-07-01"]),
    (F(type="Month"), ["--12"], ["--13", "12"]),
    (F(type="MonthDay"), ["--07-01"], ["07-01"]),
    (F(type="Day"), ["---31"], ["---32"]),
    (F(type="Time"), ["12:30:00"], ["12:61:00"]),
    (F(type="Duration"), ["P1Y", "PT5M"], ["1Y"]),
    (F(type="Integer", min_value="0", sentinels=(SentinelValue(value="-9"),)), ["1", "-9"], ["-1"]),
]  # fmt: skip
NUMBERS = {"Integer", "Short", "Count", "Double", "Numeric", "Long", "Float"}


def _column(text_format: TextFormat) -> Any:
    made = structure(
        measures=(Measure(id="OBS_VALUE", concept=concept("OBS_VALUE")),),
        attributes=(attribute("X", Representation(text_format=text_format)),),
    )
    return made, next(one for one in columns(made) if one.id == "X")


@pytest.mark.parametrize(("text_format", "right", "wrong"), TYPES, ids=lambda value: getattr(value, "type", ""))
def test_values(text_format: TextFormat, right: list[str], wrong: list[str]) -> None:
    made, column = _column(text_format)
    body = written(schema_of(made, FLOW, ("A",)), "schema-xml-3.1")
    root = etree.fromstring(body)
    observation = next(one for one in root.findall("{*}complexType") if one.get("name") == "ObsType")
    kind = next(one.get("type") for one in observation.iter("{*}attribute") if one.get("name") == "X")
    element = etree.SubElement(root, "{http://www.w3.org/2001/XMLSchema}element", name="probe", type=kind)
    assert element is not None
    judge = xml_schema(etree.tostring(root), "3.1")
    space = root.get("targetNamespace")
    validator = jsonschema.Draft202012Validator(simple_value(column.component.form, marks(column)))
    for values, expected in ((right, True), (wrong, False)):
        for value in values:
            probe = etree.Element(f"{{{space}}}probe")
            probe.text = value
            assert judge.validate(probe) is expected, value
            assert validator.is_valid(_in_json(text_format.type, value)) is expected, value


def _in_json(kind: str, text: str) -> Any:
    """The value as the writer of data writes it."""
    if kind == "Boolean" and text in ("true", "1", "false", "0"):
        return text in ("true", "1")
    if kind in NUMBERS:
        try:
            return int(text)
        except ValueError:
            pass
        try:
            number = float(text)
        except ValueError:
            return text
        return text if number != number else number
    return text


def test_the_folder_of_the_official_schemas_is_there() -> None:
    assert (ROOT / "sdmx31" / "SDMXDataStructureSpecific.xsd").is_file()
