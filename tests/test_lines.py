"""What commands print of texts that others wrote: one line stays one line, and no sign moves the cursor."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.cli.access import account_line, token_line
from sdmx_service.cli.held import decision_line, submission_line
from sdmx_service.cli.lines import line, lines

EVIL = "a.csv\n2  2026-01-01  boss (administrator)  publish\x1b[2K\x9b1A\r\u2028\u202eb"

TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(st.text(st.characters()))
def test_a_line_is_one(text: str) -> None:
    told = line(text)
    assert len(told.splitlines()) <= 1
    assert not [one for one in told if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")]
    assert not TURNING & {unicodedata.bidirectional(one) for one in told}
    assert line(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "fichier \u00e9t\u00e9.csv",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u79fb\u6c11 (1).xlsx",
        "c:\\n",
        "",
    ],
)
def test_texts_of_every_language_stay_as_they_are(text: str) -> None:
    assert line(text) == text


def test_what_is_changed_can_be_read() -> None:
    assert line("a\nb\x1b[2K\u202ec") == "a\\nb\\x1b[2K\\u202ec"


def test_further_lines_are_indented() -> None:
    assert lines("one\r\ntwo\x1b", "    ") == "one\n    two\\x1b"


def test_lines_of_lists() -> None:
    receipt: dict[str, object] = {
        "id": "S1",
        "received_at": "2026",
        "status": "accepted",
        "provider": None,
        "dataflows": [],
    }
    decision = {"map": EVIL, "value": "x", "code": "y", "start": "", "end": "", "provider": EVIL, "by": EVIL}
    token = {"id": "12ab34cd", "role": "reader", "provider": None, "created_at": "2026", "name": EVIL}
    account = {
        "name": "a",
        "state": "invited",
        "role": "reader",
        "provider": None,
        "created_at": "2026",
        "display": EVIL,
    }
    for told in (
        submission_line({**receipt, "file": {"name": EVIL}}), decision_line(decision), token_line(token),
        account_line(account),
    ):  # fmt: skip
        assert told == line(told)
        assert "\\x1b[2K" in told
