"""Texts of cells, whole columns at once: white space, footnote marks, numbers as people write them."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.layout import NumberText, RowTest
from sdmx_service.submission.signs import DECIMAL_SIGN, INVISIBLE, THOUSANDS_SIGN, western

_BLANKS = " \t\n\r\v\f\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_BLANKS += "\u2028\u2029\u202f\u205f\u3000" + INVISIBLE
_SPACES = " \u00a0\u2007\u2009\u202f"
"""Spaces that stand between thousands; a layout that names one means all."""
_MARKS = r"(\s*(\*+|[†‡¹²³⁰⁴-⁹]+|\(\d{1,2}\)|\[\w{1,2}\]|\([a-z]\))|\s+\d{1,2}\))+$"
_GLUED = r"(\p{Ll}|\))\d{1,2}(,\d{1,2})*\)?$"


def trim(texts: pa.StringArray) -> pa.StringArray:
    """The texts without white space and invisible characters at their ends; a blank one is null."""
    trimmed = pc.utf8_trim(texts.cast(pa.string()), characters=_BLANKS)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def clean(texts: pa.StringArray, strip: tuple[str, ...]) -> pa.StringArray:
    """The texts without footnote marks at their ends and with single spaces, as the layout asks; blank is null."""
    encoded = texts.dictionary_encode()
    words = encoded.dictionary
    if "spaces" in strip:
        words = pc.replace_substring_regex(words, f"[{INVISIBLE}]", "")
        words = pc.replace_substring_regex(words, r"[\s\p{Z}]+", " ")
    if "footnote_marks" in strip:
        words = pc.replace_substring_regex(words, _MARKS, "")
        words = pc.replace_substring_regex(words, _GLUED, r"\1")
    return trim(words.take(encoded.indices))


def fits(texts: pa.StringArray, test: RowTest) -> pa.BooleanArray:
    """Which texts pass a test; a blank one passes only ``blank`` and ``not_in``."""
    result = pc.is_valid(texts) if not (test.blank or test.without) else pa.repeat(True, len(texts))
    if test.blank:
        result = pc.is_null(texts)
    if test.within:
        result = pc.and_(result, pc.is_in(texts, value_set=pa.array(test.within, pa.string())))
    if test.without:
        result = pc.and_not(result, pc.is_in(texts, value_set=pa.array(test.without, pa.string())))
    if test.matches is not None:
        result = pc.and_(result, _matches(texts, test.matches))
    return result


def _matches(texts: pa.StringArray, pattern: re.Pattern[str]) -> pa.BooleanArray:
    encoded = texts.dictionary_encode()
    found = pa.array([pattern.search(text) is not None for text in encoded.dictionary.to_pylist()], pa.bool_())
    return pc.fill_null(found.take(encoded.indices), False)


def read_numbers(texts: pa.StringArray, written: NumberText) -> tuple[pa.StringArray, pa.BooleanArray]:
    """Numbers with a decimal point and no thousands marks, and which texts are no numbers (those are null then).

    Thousands marks are left out only where they stand in threes, all the same, and not behind a leading zero
    (``0,125`` is no 125); the digits stay as they are, those of another script become 0 to 9.
    """
    texts = _western(pc.replace_substring(texts, "\u2212", "-"), written)
    point = re.escape(written.decimal)
    plain = _like(texts, rf"^[+-]?([0-9]+({point}[0-9]*)?|{point}[0-9]+)([eE][+-]?[0-9]+)?$")
    there = pc.is_valid(texts)
    good, found = plain, texts
    if not pc.all(pc.or_(good, pc.invert(there)), min_count=0).as_py():
        for mark in _grouping(written):
            grouped = _like(texts, rf"^[+-]?[1-9][0-9]{{0,2}}({re.escape(mark)}[0-9]{{3}})+({point}[0-9]*)?$")
            grouped = pc.and_not(grouped, plain)
            found = pc.if_else(grouped, pc.replace_substring(texts, mark, ""), found)
            good = pc.or_(good, grouped)
    found = pc.if_else(good, found, pa.scalar(None, pa.string()))
    if written.decimal != ".":
        found = pc.replace_substring(found, written.decimal, ".")
    return found, pc.and_not(there, good)


def _western(texts: pa.StringArray, written: NumberText) -> pa.StringArray:
    """The texts with digits of other scripts, and the signs that belong to them, as the layout writes numbers."""
    if not pc.any(_like(texts, r"[^\x00-\x7f]"), min_count=0).as_py():
        return texts
    signs = {ord(DECIMAL_SIGN): written.decimal, ord(THOUSANDS_SIGN): (*written.grouping, THOUSANDS_SIGN)[0]}
    encoded = texts.dictionary_encode()
    words = [western(word) for word in encoded.dictionary.to_pylist()]
    changed = [
        new.translate(signs) if new != old else old
        for new, old in zip(words, encoded.dictionary.to_pylist(), strict=True)
    ]
    return pa.array(changed, pa.string()).take(encoded.indices)


def take_mark(texts: pa.StringArray, mark: str) -> tuple[pa.StringArray, pa.BooleanArray]:
    """The texts without a mark that stands before or after a number, and which texts had it."""
    sign = re.escape(mark)
    marked = _like(texts, rf"^(?:{sign}\s*[+-]?[0-9].*|[+-]?.*[0-9]\s*{sign})$")
    bare = pc.replace_substring_regex(texts, rf"^{sign}\s*|\s*{sign}$", "")
    return pc.if_else(marked, bare, texts), marked


def _grouping(written: NumberText) -> list[str]:
    marks = list(written.grouping)
    if any(mark in _SPACES for mark in marks):
        marks += [space for space in _SPACES if space not in marks]
    return marks


def _like(texts: pa.StringArray, pattern: str) -> pa.BooleanArray:
    return pc.fill_null(pc.match_substring_regex(texts, pattern), False)
