"""Bounds of validity in maps: a map has any period, a message a day, and both mean the same."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from lxml import etree

from sdmx_service.errors import CannotWrite
from sdmx_service.model.artefact import Texts
from sdmx_service.model.mapping import MappedValue, MappingRow, RepresentationMap
from sdmx_service.model.message import Message
from sdmx_service.model.period import parse_period
from tests.formats.structure.messages import FORMATS

_, ML_3_0, ML_3_1, JSON_2_0, JSON_2_1, _ = FORMATS
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
"""RFC 3339, which the format ``date-time`` of JSON schemas means."""
PERIODS = [
    ("2020", "2020-01-01", "2020-12-31"),
    ("2020-06", "2020-06-01", "2020-06-30"),
    ("2020-Q1", "2020-01-01", "2020-03-31"),
    ("2020-S2", "2020-07-01", "2020-12-31"),
    ("2020-W01", "2019-12-30", "2020-01-05"),
    ("2020-A1", "2020-01-01", "2020-12-31"),
    ("2020-02-29", "2020-02-29", "2020-02-29"),
]


def map_of(**validity: str) -> RepresentationMap:
    return RepresentationMap(
        id="RM", agency="AG", version="1.0.0", names=Texts({"en": "Map"}), sources=("String",),
        targets=("String",), rows=(MappingRow(sources=(MappedValue(value="A"),), targets=("B",), **validity),),
    )  # fmt: skip


def texts(target: Any, content: bytes) -> list[str]:
    if target in (JSON_2_0, JSON_2_1):
        (found,) = json.loads(content)["data"]["representationMaps"]
        (row,) = found["representationMappings"]
        return [row[name] for name in ("validFrom", "validTo")]
    (row,) = etree.fromstring(content).iter("{*}RepresentationMapping")
    return [row.get(name) for name in ("validFrom", "validTo")]


@pytest.mark.parametrize("target", [ML_3_0, ML_3_1, JSON_2_0, JSON_2_1], ids=str)
@pytest.mark.parametrize(("period", "first", "last"), PERIODS)
def test_a_period_is_written_as_its_days(target: Any, period: str, first: str, last: str) -> None:
    content = target.write(Message(structures=(map_of(valid_from=period, valid_to=period),)))
    assert target.faults(content) == []
    found = texts(target, content)
    assert [one.removesuffix("T00:00:00Z") for one in found] == [first, last]
    if target in (JSON_2_0, JSON_2_1):
        assert all(DATE_TIME.fullmatch(one) for one in found)
    (back,) = target.read(content).structures
    (row,) = back.rows
    assert parse_period(row.valid_from).start == parse_period(period).start
    assert parse_period(row.valid_to).end == parse_period(period).end


@pytest.mark.parametrize(
    ("said", "written"),
    [("2020-06-30T12:00:00", "2020-06-30T12:00:00Z"), ("2020-06-30T12:00:00+02:00", "2020-06-30T12:00:00+02:00"),
     ("2020-06-30+02:00", "2020-06-30T00:00:00+02:00"), ("2020-06-30Z", "2020-06-30T00:00:00Z")],
)  # fmt: skip
def test_json_has_a_zone_with_each_moment(said: str, written: str) -> None:
    content = JSON_2_1.write(Message(structures=(map_of(valid_from=said, valid_to=said),)))
    assert JSON_2_1.faults(content) == []
    assert texts(JSON_2_1, content) == [written, written]


@pytest.mark.parametrize("target", [ML_3_1, JSON_2_1], ids=str)
def test_what_is_no_time_is_not_written(target: Any) -> None:
    with pytest.raises(CannotWrite, match="some day"):
        target.write(Message(structures=(map_of(valid_from="some day"),)))
