"""What a filled cell of a questionnaire says: a figure, a symbol, marks, footnotes, or that a figure is taken back.

A text of two meanings is not guessed at: ``1,234`` is a thousand where figures are whole, and asked about where the
sheet's unit has decimals and the language does not tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from babel import Locale, UnknownLocaleError

from sdmx_service.catalog.questionnaire import CellSign, Questionnaire
from sdmx_service.submission.signs import DECIMAL_SIGN, INVISIBLE, THOUSANDS_SIGN, western

_SPACES: Final = " \u00a0\u2007\u2009\u202f"
_EDGES: Final = _SPACES + "\t\n\r" + INVISIBLE
_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_NOTE = re.compile(r"\(\s*(\w{1,3}(?:\s*[,;]\s*\w{1,3})*)\s*\)$|(?<=\d)\s*/\s*(\d{1,2})$|([⁰¹²³⁴⁵⁶⁷⁸⁹]+)$")
_STATUS = re.compile(r"\[\s*(\w{1,18})\s*\]$")
_PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-][0-9]+)?")
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:([ '’.,])[0-9]{3})(?:\1[0-9]{3})*(?:([.,])[0-9]+)?")
_DECIMAL = re.compile(r"[+-]?[0-9]+[.,][0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A cell, read.

    Attributes:
        value: the figure as a number with a point; None if there is none.
        sets: components that symbols, marks and the status in brackets set.
        notes: marks of footnotes, in order.
        deletes: the figure is taken back.
        keeps: the figure stays as it was sent.
    """

    value: str | None = None
    sets: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    deletes: bool = False
    keeps: bool = False


class Unreadable(Exception):
    """A cell that is no figure; ``readings`` are the two that an ambiguous one has."""

    def __init__(self, readings: tuple[str, str] | None = None) -> None:
        super().__init__()
        self.readings = readings


class EntryReader:
    """Reads the cells of a questionnaire.

    Args:
        language: of the workbook; it tells how numbers are written where they are texts.
    """

    def __init__(self, questionnaire: Questionnaire, language: str) -> None:
        self._symbols = {_folded(text): one for one in questionnaire.symbols for text in one.texts}
        self._marks = {_folded(text): one for one in questionnaire.marks for text in one.texts}
        self._kept = {_folded(text) for text in (() if questionnaire.kept is None else questionnaire.kept.texts)}
        self._longest_first = sorted(self._marks, key=len, reverse=True)
        self._status = questionnaire.status_component
        self._deletions = {text.casefold() for text in questionnaire.deletion.values()}
        self._decimal, self._grouping = _signs_of(language)

    def read(self, text: str, *, is_number: bool, is_whole: bool) -> Entry:
        """What a cell that is not blank says.

        Args:
            is_number: the cell holds a number, not a text.
            is_whole: figures of the sheet are whole numbers.

        Raises:
            Unreadable: it is no figure, or one of two readings.
        """
        text = text.strip(_EDGES)
        if is_number and _PLAIN.fullmatch(text):
            return Entry(value=text)
        if text.casefold() in self._deletions:
            return Entry(deletes=True)
        sets: dict[str, str] = {}
        notes: list[str] = []
        rest = self._peeled(text, sets, notes)
        if _folded(rest) in self._kept:
            if sets or notes:
                raise Unreadable
            return Entry(keeps=True)
        symbol = self._symbols.get(_folded(rest))
        if symbol is not None:
            return Entry(value=symbol.value, sets={**symbol.sets, **sets}, notes=tuple(notes))
        if not rest and self._status in sets:
            return Entry(sets=sets, notes=tuple(notes))
        return Entry(value=self._number(rest, is_whole=is_whole), sets=sets, notes=tuple(notes))

    def _peeled(self, text: str, sets: dict[str, str], notes: list[str]) -> str:
        """The text without the footnotes and marks at its ends, which are noted."""
        while _folded(text) not in self._symbols and _folded(text) not in self._kept:
            if (note := _NOTE.search(text)) is not None and (note.start() or note[1]):
                said = (note[1] or note[2] or note[3]).translate(_SUPERSCRIPTS)
                notes[:0] = [one.strip() for one in re.split("[,;]", said)]
                text = text[: note.start()].rstrip(_EDGES)
            elif self._status is not None and (status := _STATUS.search(text)) is not None:
                _say(sets, {self._status: status[1]})
                text = text[: status.start()].rstrip(_EDGES)
            elif (mark := self._mark(text)) is not None:
                sign, text = mark
                _say(sets, sign.sets)
            else:
                return text
        return text

    def _mark(self, text: str) -> tuple[CellSign, str] | None:
        folded = _folded(text)
        for mark in self._longest_first:
            if folded.endswith(mark) and self._may_stand_before(folded[: -len(mark)]):
                return self._marks[mark], text[: -len(mark)].rstrip(_EDGES)
            if folded.startswith(mark) and folded[len(mark) :].lstrip(_SPACES)[:1].isdigit():
                return self._marks[mark], text[len(mark) :].lstrip(_EDGES)
        return None

    def _may_stand_before(self, rest: str) -> bool:
        """Whether a mark may follow: a figure or a symbol does, the beginning of a word does not (``TRUE``)."""
        rest = rest.strip(_EDGES)
        return any(sign.isdigit() for sign in rest) or rest in self._symbols or _STATUS.search(rest) is not None

    def _number(self, text: str, *, is_whole: bool) -> str:
        text = self._western(text.replace("−", "-"))
        for space in _SPACES[1:]:
            text = text.replace(space, " ")
        grouped = _GROUPED.fullmatch(text)
        if grouped is None:
            if _PLAIN.fullmatch(text):
                return text
            if _DECIMAL.fullmatch(text):
                return text.replace(",", ".")
            raise Unreadable
        mark, point = grouped[1], grouped[2]
        if point == mark and mark is not None:
            raise Unreadable
        without = text.replace(mark, "")
        if point is not None:
            return without.replace(point, ".")
        if mark in ".," and text.count(mark) == 1 and not is_whole:
            return self._asked(text, mark, without)
        return without

    def _western(self, text: str) -> str:
        """The text with digits of another script, and the signs that belong to them, as the language writes them."""
        found = western(text)
        return text if found == text else found.replace(DECIMAL_SIGN, ".").replace(THOUSANDS_SIGN, " ")

    def _asked(self, text: str, mark: str, grouped: str) -> str:
        if mark == self._grouping:
            return grouped
        if mark == self._decimal:
            return text.replace(mark, ".")
        raise Unreadable((grouped, text.replace(mark, ".")))


def _say(sets: dict[str, str], more: Mapping[str, str]) -> None:
    """Add what a mark sets; two marks that say different things of one component are not decided here."""
    for id, text in more.items():
        if sets.setdefault(id, text) != text:
            raise Unreadable((f"{id} {text}", f"{id} {sets[id]}"))


def _folded(text: str) -> str:
    return text.strip(_EDGES).lower()


def _signs_of(language: str) -> tuple[str, str]:
    """The decimal sign and the thousands mark of a language (Unicode CLDR); of an unknown one those of English."""
    try:
        symbols = Locale.parse(language, sep="-").number_symbols["latn"]
    except (UnknownLocaleError, ValueError):
        return ".", ","
    return symbols["decimal"], symbols["group"]
