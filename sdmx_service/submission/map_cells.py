"""Texts as cells of a workbook and back, exactly: what a spreadsheet would change is written as JSON.

A text stands as it is unless it is empty, begins with a quote or a bracket, begins or ends with white space, or holds
characters that spreadsheets change; then it stands as a JSON string. A list of one text is that text, any other a JSON
list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_CHANGED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]|_[xX][0-9A-Fa-f]{4}_")
_ESCAPED = re.compile(r"[\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")


def written(text: str) -> str:
    """The text as a cell."""
    is_plain = text and text == text.strip() and text[0] not in '"[{' and not _CHANGED.search(text)
    return text if is_plain else written_value(text)


def written_value(value: Any) -> str:
    """Any JSON value as a cell."""
    body = json.dumps(value, ensure_ascii=False)
    body = re.sub(r"_(?=[xX][0-9A-Fa-f]{4}_)", r"\\u005f", body)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", body)


def written_list(texts: Sequence[str]) -> str:
    """A list of texts as a cell."""
    return written(texts[0]) if len(texts) == 1 else written_value(list(texts))


def read(cell: str | None) -> str:
    """The text of a cell; an empty one is the empty text.

    Raises:
        ValueError: it begins like a JSON string and is none.
    """
    if cell is None:
        return ""
    if not cell.startswith('"'):
        return cell.strip()
    found = json.loads(cell)
    if not isinstance(found, str):
        raise ValueError("no JSON string")
    return found


def read_value(cell: str | None) -> Any:
    """The JSON value of a cell, None for an empty one.

    Raises:
        ValueError: it is no JSON.
    """
    return None if cell is None else json.loads(cell)


def read_list(cell: str | None) -> list[str]:
    """The texts of a cell; an empty one has none.

    Raises:
        ValueError: it begins like JSON and is no JSON list of texts.
    """
    if cell is None:
        return []
    if not cell.startswith("["):
        return [read(cell)]
    found = json.loads(cell)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("no JSON list of texts")
    return found
