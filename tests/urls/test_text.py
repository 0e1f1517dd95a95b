"""What addresses are made of: decoding, moments, protected values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import SyntaxFault
from sdmx_service.urls import text
from tests.urls.strategies import MOMENTS, TEXTS

AN_HOUR_EAST = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2009-05-15T14:15:00Z", datetime(2009, 5, 15, 14, 15, tzinfo=UTC)),
        ("2009-05-15T14:15:00+01:00", datetime(2009, 5, 15, 14, 15, tzinfo=AN_HOUR_EAST)),
        ("2009-05-15T14:15:00-14:00", datetime(2009, 5, 16, 4, 15, tzinfo=UTC)),
        ("2009-05-15T14:15:00.5Z", datetime(2009, 5, 15, 14, 15, 0, 500_000, tzinfo=UTC)),
        ("2009-05-15T14:15:00.1234567891Z", datetime(2009, 5, 15, 14, 15, 0, 123_456, tzinfo=UTC)),
        ("2009-12-31T24:00:00Z", datetime(2010, 1, 1, tzinfo=UTC)),
        ("2009-12-31T24:00:00.000Z", datetime(2010, 1, 1, tzinfo=UTC)),
    ],
)
def test_moments(written: str, expected: datetime) -> None:
    assert text.read_moment(written, "here") == expected


def test_a_moment_without_offset_is_local_time_of_the_service() -> None:
    moment = text.read_moment("2009-05-15T14:15:00", "here")
    assert moment.tzinfo is not None
    assert moment == datetime(2009, 5, 15, 14, 15).astimezone()


@pytest.mark.parametrize(
    "written",
    [
        *("2009-05-15", "2009-05-15T14:15", "2009-05-15 14:15:00", "15.05.2009", "2009-13-01T00:00:00Z", "now", ""),
        *("2009-05-15T24:00:01Z", "2009-05-15T24:00:00.1Z", "2009-05-15T23:60:00Z", "2009-05-15T14:15:00+0100"),
        *("2009-05-15T14:15:00+15:00", "2009-05-15T14:15:00+01:60", "0000-01-01T00:00:00Z", "9999-12-31T24:00:00Z"),
        *("-2009-05-15T14:15:00Z", "12009-05-15T14:15:00Z", "２009-05-15T14:15:00Z", "2009-05-15T14:15:00 01:00"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2009-05-15T14:15:00.Z", "2009-05-15T14:15:00z"),
    ],
)
def test_what_is_no_moment_is_refused_with_its_place(written: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        text.read_moment(written, "The parameter asOf")
    assert caught.value.detail.startswith("The parameter asOf is ")
    assert written in caught.value.detail
    assert caught.value.hint


@given(moment=MOMENTS)
def test_a_moment_reads_as_written(moment: datetime) -> None:
    written = text.write_moment(moment)
    assert written is not None
    assert text.read_moment(written, "here") == moment


def test_a_moment_with_seconds_in_its_offset_is_written_in_utc() -> None:
    moment = datetime(1900, 1, 1, 0, 20, 0, tzinfo=timezone(timedelta(minutes=19, seconds=32)))
    assert text.write_moment(moment) == "1900-01-01T00:00:28Z"


@given(value=TEXTS)
def test_a_protected_value_holds_no_operator_and_comes_back(value: str) -> None:
    protected = text.protect(value)
    assert not set(protected) & set("+,.*")
    assert text.restore(protected) == value


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [("a+b", "a+b"), ("a%2Bb", "a+b"), ("%E6%BC%A2", "漢"), ("100%25", "100%"), ("%252C", "%2C"), ("a%2Fb", "a/b")],
)
def test_decoding_is_done_once_and_plus_is_no_space(raw: str, decoded: str) -> None:
    assert text.decode(raw, "here") == decoded


@pytest.mark.parametrize("raw", ["%", "%2", "%zz", "100%", "%FF", "%C3", "%00", "%0A", "\x7f", "\ud800", "%ED%A0%80"])
def test_what_cannot_be_decoded_is_refused(raw: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        text.decode(raw, "The place")
    assert caught.value.detail.startswith("The place is ")
    assert caught.value.hint


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(SyntaxFault) as caught:
        text.read_moment("9" * 10_000, "here")
    assert len(str(caught.value)) < 500


@given(word=st.text(), words=st.lists(st.text(min_size=1), min_size=1))
def test_the_nearest_word_is_one_of_the_words(word: str, words: list[str]) -> None:
    assert text.nearest(word, words) in (None, *words)
