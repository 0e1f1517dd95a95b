"""The short way through structure-specific data: nothing but ``Series`` and ``Obs`` with attributes.

Most of a large message is that. A piece of it is cut at its quotation marks: values on the one side; on the other what
stands between them, of which there are only a few different texts, each read once. Whatever is not as expected, and
whatever the parser would refuse, is left to the parser's events; both give the same rows.

That a piece is well-formed follows without the parser. What stands before the first mark holds no mark of another kind,
so that the first one opens a value, the second one closes it, and so on. Between values only tags of ``Series`` and
``Obs`` are known, opened and closed in turn; no value holds ``<``, a reference that means nothing, or a character that
XML forbids; no tag says an attribute twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.formats.sdmx_ml.data_rows import without_empty

_Array: TypeAlias = "pa.Array[Any]"
_Ints: TypeAlias = npt.NDArray[np.int64]
_Flags: TypeAlias = npt.NDArray[np.bool_]
_MOST_TEXTS: Final = 2000
_SHORT: Final = 200
"""Characters of a text between values that is worth remembering."""
_BETWEEN: Final = re.compile(
    r"(?P<close>/?>)?(?P<ends>(?:\s*</(?:Obs|Series)\s*>)*)\s*(?P<open><(?:Obs|Series))?"
    r"(?P<name>(?<=\s)[A-Za-z_][\w.-]*|\s+[A-Za-z_][\w.-]*)\s*=\s*",
    re.ASCII,
)
_TAIL: Final = re.compile(r"(?P<close>/?>)(?P<ends>(?:\s*</(?:Obs|Series)\s*>)*)\s*", re.ASCII)
_END: Final = re.compile(r"</(Obs|Series)")
_REFERENCE: Final = re.compile(r"&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|(lt|gt|amp|quot|apos));")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_LONGEST: Final = 12
"""Characters of a reference that no zeros lead."""
_WHITE: Final = "\n\r\t"
_NO_CHARACTERS: Final = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""U+FFFE and U+FFFF."""
_OPEN: Final = ">"


class _NotPlainError(ValueError):
    """Something that the short way does not know, or that the parser would refuse."""


@dataclass(frozen=True, slots=True)
class PlainRows:
    """Rows of a piece.

    Attributes:
        texts: values by component, one for each observation, those of its series included (these as dictionaries).
        lines: lines of the observations.
        series: what the series says that is open at the end; None if none is.
        empty_at: the line of its tag where it has no observation in this piece; None if it has one.
        names: line where a component is first named, by id.
        breaks: line breaks in the piece.
    """

    texts: dict[str, _Array]
    lines: _Array
    series: dict[str, str] | None
    empty_at: int | None
    names: dict[str, int]
    breaks: int


@dataclass(frozen=True, slots=True)
class _Between:
    """What stands before a value: the end of a tag, ends of elements, the beginning of a tag, the attribute's name."""

    text: str
    name: str
    close: str | None
    ends: tuple[str, ...]
    opens: str | None
    breaks_before: int

    @classmethod
    def of(cls, text: str) -> _Between:
        match = _BETWEEN.fullmatch(text)
        if match is None or match["name"].strip() == "xmlns":
            raise _NotPlainError
        opened = match["open"]
        return cls(
            text=text,
            name=match["name"].strip(),
            close=match["close"],
            ends=tuple(_END.findall(match["ends"])),
            opens=opened and opened[1:],
            breaks_before=text[: match.start("open")].count("\n") if opened else 0,
        )

    def follows(self, tag: str) -> bool:
        """Whether it may stand after the last value in a tag."""
        return self.opens is not None and _may_end(tag, self.close, self.ends)


_between = lru_cache(maxsize=_MOST_TEXTS)(_Between.of)
"""The same few texts stand in every piece."""


def _may_end(tag: str, close: str | None, ends: Sequence[str]) -> bool:
    """Whether a tag may be closed so: an observation is empty, a series is not."""
    if tag == "Series":
        return close == _OPEN and not ends
    own = 1 if close == _OPEN else 0
    return close is not None and ends[:own] == ("Obs",) * own and ends[own:] in ((), ("Series",))


def read_plain(piece: bytes, line: int, series: Mapping[str, Any] | None) -> PlainRows | None:
    """The rows of a piece of a message; None if it is not plain.

    Args:
        piece: inside a data set, or inside a series; from the end of a tag to the end of a tag.
        line: the line in which it begins.
        series: what the series says that is open at its beginning; None if none is.
    """
    try:
        return _Piece.cut(piece, line).rows(series)
    except _NotPlainError:
        return None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece cut at its quotation marks: ``kinds[indices[n]]`` stands before value n.

    Attributes:
        spans: values and what stands between them by turns, the latter with the quotation marks around it.
        opens: the first value of each tag.
        is_series: of each tag.
    """

    line: int
    kinds: list[_Between]
    indices: _Ints
    tail: re.Match[str]
    spans: _Array
    has_references: bool
    opens: _Ints
    is_series: _Flags

    @classmethod
    def cut(cls, piece: bytes, line: int) -> _Piece:
        """The piece, if it is plain; tags and their order are looked at by ``rows``."""
        data = np.frombuffer(piece, np.uint8)
        marks = np.flatnonzero(data == ord('"')).astype(np.int32)
        count = len(marks) // 2
        if count == 0 or len(marks) % 2:
            raise _NotPlainError
        marks[::2] += 1
        spans = pa.Array.from_buffers(pa.binary(), len(marks) - 1, [None, pa.py_buffer(marks), pa.py_buffer(piece)])
        first = pa.array([b'"' + piece[: marks[0]]], pa.binary())
        before = pa.concat_arrays([first, spans.take(pa.array(np.arange(1, 2 * count - 1, 2)))]).dictionary_encode()
        if len(before.dictionary) > _MOST_TEXTS:
            raise _NotPlainError
        texts = [_ascii(text[1:-1]) for text in before.dictionary.to_pylist()]
        kinds = [_between(text) if len(text) < _SHORT else _Between.of(text) for text in texts]
        indices = np.asarray(before.indices).astype(np.int64)
        tail = _TAIL.fullmatch(_ascii(piece[marks[-1] + 1 :]))
        if tail is None:
            raise _NotPlainError
        _check_characters(piece, data, [one.text for one in kinds], indices, tail[0])
        opens = np.flatnonzero(np.array([one.opens is not None for one in kinds])[indices])
        is_series = np.array([one.opens == "Series" for one in kinds])[indices[opens]]
        return cls(line, kinds, indices, tail, spans, b"&" in piece, opens, is_series)

    def _of(self, told: list[Any], kind: type) -> npt.NDArray[Any]:
        """Something told of the texts between, for each value."""
        return np.array(told, dtype=kind)[self.indices]

    # --- tags --------------------------------------------------------------------------------------------------
    def _levels(self, series: Mapping[str, Any] | None) -> _Ints:
        """Per tag how many series are open in it; that tags stand as in a plain message is made sure."""
        if len(self.opens) == 0 or self.opens[0] != 0:
            raise _NotPlainError
        before = self.indices[self.opens]
        first = self.kinds[before[0]]
        if first.close is not None or first.ends not in ((), ("Series",)):
            raise _NotPlainError
        follows = {tag: np.array([one.follows(tag) for one in self.kinds]) for tag in ("Series", "Obs")}
        is_right = np.where(self.is_series[:-1], follows["Series"][before[1:]], follows["Obs"][before[1:]])
        within = np.ones(len(self.indices), dtype=np.bool_)
        within[self.opens] = False
        is_attribute = self._of([one.close is None and not one.ends and one.opens is None for one in self.kinds], bool)
        last = "Series" if self.is_series[-1] else "Obs"
        ends = tuple(_END.findall(self.tail["ends"]))
        if not is_right.all() or not is_attribute[within].all() or not _may_end(last, self.tail["close"], ends):
            raise _NotPlainError
        closed = np.array(["Series" in one.ends for one in self.kinds], dtype=np.int64)[before]
        outside = int(series is not None) + np.cumsum(self.is_series) - self.is_series - np.cumsum(closed)
        if outside.min() < 0 or (outside + self.is_series).max() > 1:
            raise _NotPlainError
        levels: _Ints = outside + self.is_series
        if "Series" in ends and levels[-1] == 0:
            raise _NotPlainError
        return levels

    def rows(self, series: Mapping[str, Any] | None) -> PlainRows:
        """The rows."""
        levels = self._levels(series)
        tags = np.zeros(len(self.indices), dtype=np.int64)
        tags[self.opens[1:]] = 1
        tags = np.cumsum(tags)
        own, inherited = self._columns(tags)
        lines = self._lines()
        is_observation = ~self.is_series
        in_series = levels[is_observation] == 1
        context = np.where(in_series, np.cumsum(self.is_series)[is_observation], -1)
        texts = dict(own)
        for id in dict.fromkeys([*inherited, *(series or ())]):
            known: _Array = pa.array([(series or {}).get(id)], pa.string())
            if id in inherited:
                column = _spread(pa.concat_arrays([known, inherited[id]]), context)
            else:
                column = _spread(known, np.where(context == 0, 0, -1))
            texts[id] = pc.coalesce(own[id], column.cast(pa.string())) if id in own else column
        is_open = int(levels[-1]) - ("</Series" in self.tail["ends"]) == 1
        last = series
        if self.is_series.any():
            last = {id: column[len(column) - 1].as_py() for id, column in inherited.items()}
        return PlainRows(
            texts=texts,
            lines=pa.array(lines[self.opens[is_observation]], pa.int64()),
            series={id: text for id, text in (last or {}).items() if text is not None} if is_open else None,
            empty_at=int(lines[self.opens[-1]]) if self.is_series[-1] else None,
            names=self._first_lines(lines),
            breaks=int(self._of([one.text.count("\n") for one in self.kinds], int).sum()) + self.tail[0].count("\n"),
        )

    # --- columns -----------------------------------------------------------------------------------------------
    def _columns(self, tags: _Ints) -> tuple[dict[str, _Array], dict[str, _Array]]:
        """The values of observations and of series by attribute, null where a tag does not say it."""
        names = sorted({one.name for one in self.kinds})
        codes = self._of([names.index(one.name) for one in self.kinds], np.int16)
        numbers = np.where(self.is_series, np.cumsum(self.is_series), np.cumsum(~self.is_series)) - 1
        counts = {True: int(self.is_series.sum()), False: int((~self.is_series).sum())}
        found: dict[bool, dict[str, _Array]] = {True: {}, False: {}}
        for code, name in enumerate(names):
            places = np.flatnonzero(codes == code)
            said = tags[places]
            if (said[1:] == said[:-1]).any():  # The same attribute twice in a tag.
                raise _NotPlainError
            of_series = self.is_series[said]
            for kind in (True, False):
                chosen = of_series == kind
                if chosen.any():
                    found[kind][name] = self._column(places[chosen], numbers[said[chosen]], counts[kind])
        return found[False], found[True]

    def _column(self, places: _Ints, rows: _Ints, count: int) -> _Array:
        """Values at their rows; null elsewhere."""
        texts: _Array = self.spans.take(pa.array(2 * places)).cast(pa.string())
        if self.has_references:
            texts = _unescaped(texts)
        texts = without_empty(texts)
        if len(places) == count:
            return texts
        sources = np.full(count, -1)
        sources[rows] = np.arange(len(places))
        return texts.take(pa.array(sources, mask=sources < 0))

    # --- lines -------------------------------------------------------------------------------------------------
    def _lines(self) -> _Ints:
        breaks = self._of([one.text.count("\n") for one in self.kinds], int)
        before = self._of([one.breaks_before for one in self.kinds], int)
        return np.asarray(self.line + np.cumsum(breaks) - breaks + before, dtype=np.int64)

    def _first_lines(self, lines: _Ints) -> dict[str, int]:
        count = len(self.indices)
        first = np.zeros(len(self.kinds), dtype=np.int64)
        first[self.indices[::-1]] = np.arange(count - 1, -1, -1)
        found: dict[str, int] = {}
        for place in sorted(first.tolist()):
            found.setdefault(self.kinds[self.indices[place]].name, int(lines[place]))
        return found


def _ascii(text: bytes) -> str:
    if not text.isascii():
        raise _NotPlainError
    return text.decode("ascii")


def _check_characters(
    piece: bytes, data: npt.NDArray[np.uint8], between: Sequence[str], indices: _Ints, tail: str
) -> None:
    """Make sure that values hold no ``<``, no line break or tab (which become spaces), nothing that XML forbids."""
    times = np.bincount(indices, minlength=len(between))

    def outside(marks: str) -> int:
        texts = [*((int(n), one) for n, one in zip(times, between, strict=True)), (1, tail)]
        return sum(n * one.count(mark) for n, one in texts for mark in marks)

    if piece.count(b"<") != outside("<") or int(np.count_nonzero(data < ord(" "))) != outside(_WHITE):
        raise _NotPlainError
    if b"\r" in piece and piece.count(b"\r") != piece.count(b"\r\n"):
        raise _NotPlainError
    if not piece.isascii():
        try:
            piece.decode()
        except UnicodeDecodeError:
            raise _NotPlainError from None
        if any(one in piece for one in _NO_CHARACTERS):
            raise _NotPlainError


def _spread(values: _Array, places: _Ints) -> _Array:
    """Values at places, null at places below 0, as a dictionary."""
    encoded = values.dictionary_encode()
    indices = pa.array(places, pa.int64(), mask=places < 0) if (places < 0).any() else pa.array(places)
    return pa.DictionaryArray.from_arrays(encoded.indices.take(indices), encoded.dictionary)


def _unescaped(values: _Array) -> _Array:
    if not pc.any(pc.match_substring(values, "&")).as_py():
        return values
    encoded = values.dictionary_encode()
    texts = [_REFERENCE.sub(_character, _known(text)) for text in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)


def _known(text: str) -> str:
    """The text, if each ``&`` in it begins a reference."""
    if "&" in _REFERENCE.sub("", text):
        raise _NotPlainError
    return text


def _character(match: re.Match[str]) -> str:
    if match[3]:
        return _NAMED[match[3]]
    if len(match[0]) > _LONGEST:
        raise _NotPlainError
    number = int(match[1], 16) if match[1] else int(match[2])
    is_allowed = number in (9, 10, 13) or 0x20 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or number > 0xFFFF
    if not is_allowed or number > 0x10FFFF:
        raise _NotPlainError
    return chr(number)
