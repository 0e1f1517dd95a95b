"""What stands in a cell of SDMX-CSV: ``code: name``, decimal commas, several values, texts by language.

All of it works on distinct values: a column is dictionary-encoded, its dictionary changed, and the result spread again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

DEFAULT_LANGUAGE: Final = "en"
"""Language of a multilingual text that names none, as ``xml:lang`` in SDMX-ML (``common:TextType``)."""
_DECIMAL_COMMA = r"^([+-]?[0-9]*),([0-9]+(?:[eE][+-]?[0-9]+)?)$"
_LANGUAGE = r"(?:([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*):)?"
_WITH_LANGUAGE = re.compile(_LANGUAGE + "(.*)", re.DOTALL)


def cut_labels(cells: pa.Array[Any]) -> pa.Array[Any]:
    """``code: name`` cut to ``code``; other cells stay (SDMX-CSV, ``labels=both``)."""
    return _on_distinct(cells, lambda values: pc.list_element(pc.split_pattern(values, ": ", max_splits=1), 0))


def with_decimal_points(cells: pa.Array[Any]) -> pa.Array[Any]:
    """``12,4`` as ``12.4``; whatever is no number with a decimal comma stays."""
    if not pc.any(pc.match_substring(cells, ",")).as_py():
        return cells
    return pc.replace_substring_regex(cells, _DECIMAL_COMMA, r"\1.\2")


def lists(cells: pa.Array[Any], separator: str | None, *, has_decimal_commas: bool, has_labels: bool) -> pa.Array[Any]:
    """Cells of several values as lists; without a separator each cell is one value."""

    def parse(text: str) -> list[str]:
        values = split_values(text, separator)
        if has_labels:
            values = [value.partition(": ")[0] for value in values]
        return [re.sub(_DECIMAL_COMMA, r"\1.\2", value) for value in values] if has_decimal_commas else values

    return _parsed(cells, parse, pa.list_(pa.string()))


def single_values(cells: pa.Array[Any], separator: str) -> pa.Array[Any]:
    """Cells that may hold several values, for a component that has one: the value where it is one, else the cell."""

    def parse(text: str) -> str:
        values = split_values(text, separator)
        return values[0] if len(values) == 1 else text

    return _parsed(cells, parse, pa.string())


def single_texts(cells: pa.Array[Any], separator: str, languages: tuple[str, ...]) -> pa.Array[Any]:
    """Cells with texts by language, for a component that has one text: the text where it is one, else the cell."""

    def parse(text: str) -> str:
        texts = split_texts(text, separator, languages)
        return texts[0][1] if len(texts) == 1 else text

    return _parsed(cells, parse, pa.string())


def maps(cells: pa.Array[Any], separator: str | None, languages: tuple[str, ...]) -> pa.Array[Any]:
    """Cells with texts by language as maps; without a separator each cell is one text."""
    return _parsed(cells, lambda text: split_texts(text, separator, languages), pa.map_(pa.string(), pa.string()))


def split_values(text: str, separator: str | None) -> list[str]:
    """The values in a cell: separated by ``separator``, quoted with ``"`` where they hold it."""
    if separator is None:
        return [text]
    if '"' not in text:
        return text.split(separator)
    return [_unquoted(quoted, plain) for quoted, plain in _tokens(text, _value_pattern(separator))]


def split_texts(text: str, separator: str | None, languages: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """The texts in a cell as (language, text): ``en:Yes;fr:Oui``, each perhaps quoted, with or without its language.

    A text without language is of the first of ``languages`` (those of the heading; any where there are none), else of
    ``DEFAULT_LANGUAGE``. Of two texts in one language the later one counts.
    """
    default = languages[0] if languages else DEFAULT_LANGUAGE
    if separator is None:
        return [(default, text)]
    found: dict[str, str] = {}
    for language, quoted, plain in _tokens(text, _text_pattern(separator)):
        value = _unquoted(quoted, plain)
        if language is None and quoted is not None and (inner := _WITH_LANGUAGE.fullmatch(value)) is not None:
            language, value = inner[1], inner[2]
        if language is not None and languages and language not in languages:
            language, value = None, f"{language}:{value}"
        found[language or default] = value
    return list(found.items())


@lru_cache(maxsize=32)
def _value_pattern(separator: str) -> re.Pattern[str]:
    mark = re.escape(separator)
    return re.compile(rf'(?:"((?:[^"]|"")*)"|([^{mark}]*))({mark}|\Z)', re.DOTALL)


@lru_cache(maxsize=32)
def _text_pattern(separator: str) -> re.Pattern[str]:
    return re.compile(rf"\s*{_LANGUAGE}{_value_pattern(separator).pattern}", re.DOTALL)


def _tokens(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str | None, ...]]:
    """The groups of each value, in order; after a separator there is always another value, perhaps an empty one."""
    place = 0
    while (match := pattern.match(text, place)) is not None:
        *groups, end = match.groups()
        yield tuple(groups)
        if not end:
            return
        place = match.end()


def _unquoted(quoted: str | None, plain: str | None) -> str:
    return quoted.replace('""', '"') if quoted is not None else (plain or "")


def _on_distinct(cells: pa.Array[Any], change: Callable[[pa.Array[Any]], pa.Array[Any]]) -> pa.Array[Any]:
    encoded = cells.dictionary_encode()
    return change(encoded.dictionary).take(encoded.indices)


def _parsed(cells: pa.Array[Any], parse: Callable[[str], object], kind: pa.DataType) -> pa.Array[Any]:
    def change(values: pa.Array[Any]) -> pa.Array[Any]:
        return pa.array([parse(text) for text in values.to_pylist() if text is not None], type=kind)

    return _on_distinct(cells, change)
