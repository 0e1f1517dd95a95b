"""The same digits and the same texts in every format, read back by other means than our readers."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.recognition import head_of, recognise_data
from sdmx_service.formats.registry import Format, formats_for
from sdmx_service.formats.sdmx_json.data_writer import write_data
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.structure import DataStructure, Measure
from tests.formats.data.invented_data import NUMBERS, TEXTS
from tests.formats.data.test_writer_roundtrip import resolving
from tests.formats.data.writing import BIRDS, Row, attribute, concept, dataset, plain, structure
from tests.rest.reading_back import datasets

FORMATS = formats_for("data", "v2")
HOSTILE = (
    "1e22", "0.30000000000000004", "5e-324", "-0", "-0.0", "0.100000000000", "0.000000000001", "123456.123456789012", "1E+2", "007",
    "+1", ".5", "1.", "12345678901234567890.5", "NaN", "INF", "-INF", "#N/A", "1.7976931348623157e308", "999999999999999",
    "9999999999999999", "-1", "2.50", "1234567890.1", "0.1234567890123456789", "10000000000000000000000", "63", "64", "0",
)  # fmt: skip
"""Numbers as they were sent: doubles at their edges, many decimals, spellings of their own."""
TEXTS_AS_SENT = (
    "=1+1", "+49 30", "-x", "@SUM(A1)", 'a "b"', "a,b;c", "]]>", "<![CDATA[x]]>", "&amp; <b>'", "line\nbreak", "cr\rlf\r\n", "\ttab",
    "\x01\x1f", "\ufffe\uffff", "🦉 \U00010348", "_x000D_", " lead and trail ", "null", "#N/A", "en:x;fr:y", "\\u0041", "\x7f\x85\u2028",
)  # fmt: skip


def made(kind: str) -> DataStructure:
    """One measure and one attribute of the observation, which has a number and a text of its own."""
    measures = [Measure(id="OBS_VALUE", concept=concept("OBS_VALUE"), representation=plain(kind))]
    attributes = [attribute("NOTE", plain("String")), attribute("RATE", plain(kind))]
    return structure(("FREQ",), measures=measures, attributes=attributes, groups=())


def rows_of(values: Sequence[str], texts: Sequence[str]) -> list[Row]:
    """A row per value."""
    return [
        {"FREQ": "A", "TIME_PERIOD": str(1900 + number), "OBS_VALUE": value, "RATE": value, "NOTE": text}
        for number, (value, text) in enumerate(zip(values, texts, strict=True))
    ]


def read_back(format: Format, structure: DataStructure, rows: Sequence[Row], size: int) -> dict[str, Any]:
    """The rows as written, by their period."""
    assert format.write is not None
    message = Message(datasets=[dataset(structure, rows, size=size)])
    labels = "name" if format.name == "xlsx" else "id"
    body = b"".join(format.write(message, WriteOptions(labels=labels)))
    (found,) = datasets(format.media_types[0], body, ("FREQ", "TIME_PERIOD")).values()
    return {str(row["TIME_PERIOD"]): row for row in found}


@pytest.mark.parametrize("kind", ["Double", "Decimal", "Integer"])
@pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.name)
def test_the_same_digits(format: Format, kind: str) -> None:
    rows = rows_of(HOSTILE, [""] * len(HOSTILE))
    for size in (7, 100):
        found = read_back(format, made(kind), rows, size)
        assert {row["TIME_PERIOD"]: row["OBS_VALUE"] for row in rows} == {
            period: str(row["OBS_VALUE"]) for period, row in found.items()
        }
        assert [str(row["RATE"]) for _, row in sorted(found.items())] == list(HOSTILE)


@pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.name)
@settings(max_examples=10)
@given(values=st.lists(NUMBERS | st.floats(allow_nan=False, allow_infinity=False).map(repr), min_size=1, max_size=8))
def test_the_same_digits_whatever_they_are(format: Format, values: list[str]) -> None:
    rows = rows_of(values, ["x"] * len(values))
    found = read_back(format, made("Double"), rows, 3)
    assert values == [str(found[row["TIME_PERIOD"]]["OBS_VALUE"]) for row in rows]


def carried(format: Format, text: str) -> str:
    """A text as a format carries it: XML 1.0 has no control characters, a spreadsheet spells them."""
    if "+xml" in format.media_types[0]:
        return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "\ufffd", text)
    return text


def spelled(format: Format, text: str) -> str:
    """What a reader of spreadsheets makes of ``_xHHHH_`` (openpyxl leaves it)."""
    if format.name != "xlsx":
        return text
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)


@pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.name)
def test_the_same_texts(format: Format) -> None:
    rows = rows_of(["1"] * len(TEXTS_AS_SENT), TEXTS_AS_SENT)
    for size in (3, 100):
        found = read_back(format, made("Double"), rows, size)
        assert [carried(format, text) for text in TEXTS_AS_SENT] == [
            spelled(format, found[row["TIME_PERIOD"]]["NOTE"]) for row in rows
        ]


@pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.name)
@settings(max_examples=10)
@given(texts=st.lists(TEXTS.filter(bool), min_size=1, max_size=5))
def test_the_same_texts_whatever_they_are(format: Format, texts: list[str]) -> None:
    rows = rows_of(["1"] * len(texts), texts)
    found = read_back(format, made("Double"), rows, 2)
    assert [carried(format, text) for text in texts] == [
        spelled(format, found[row["TIME_PERIOD"]]["NOTE"]) for row in rows
    ]


@pytest.mark.parametrize("half", [b"\\ud83e", b"\\udd89\\ud83e", b"\\\\\\uD800", b"\xed\xa0\x80"])
@pytest.mark.parametrize("place", [b"a'b", b"OWL", b"Emus"])
def test_half_a_character_is_refused_at_the_door(half: bytes, place: bytes) -> None:
    body = b"".join(write_data(Message(datasets=[dataset(structure(), BIRDS)]), WriteOptions()))
    file = io.BytesIO(body.replace(b'"%s"' % place, b'"%s"' % half))
    read = recognise_data(head_of(file), "sdmx-json").read
    assert read is not None
    with pytest.raises(UnreadableFile, match="surrogate"):
        read(file, resolving(structure()))
    whole = io.BytesIO(body.replace(b'"%s"' % place, b'"\\ud83e\\udd89 \\\\ud83e"'))
    assert read(whole, resolving(structure())) is not None
