"""The short way through structure-specific data: nothing but ``Series`` and ``Obs`` with attributes.

Most of a large message is that. A piece of it, already checked by the parser to be well-formed, is cut at its quotation
marks by Arrow: values on the one side; on the other what stands between them, of which there are only a few different
texts, each read once. Whatever is not as expected is left to the parser's events; both give the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.formats.sdmx_ml.data_rows import without_empty

_Array: TypeAlias = "pa.Array[Any]"
_Ints: TypeAlias = npt.NDArray[np.int64]
_MOST_TEXTS: Final = 2000
_BETWEEN: Final = re.compile(
    r"(?P<close>/?>)?(?P<ends>(?:\s*</(?:Obs|Series)>)*)\s*(?P<open><(?:Obs|Series))?(?P<name>(?<=\s)[A-Za-z_][\w.-]*|"
    r"\s+[A-Za-z_][\w.-]*)\s*=\s*"
)
_TAIL: Final = re.compile(r"(?P<close>/?>)(?P<ends>(?:\s*</(?:Obs|Series)>)*)\s*")
_REFERENCE: Final = re.compile(r"&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|(lt|gt|amp|quot|apos));")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


@dataclass(frozen=True, slots=True)
class PlainRows:
    """Rows of a piece.

    Attributes:
        texts: values by component, one for each observation, those of its series included.
        lines: lines of the observations.
        series: what the series says that is open at the end; None if none is.
        empty_at: the line of its tag where it has no observation in this piece; None if it has one.
        names: line where a component is first named, by id.
    """

    texts: dict[str, _Array]
    lines: _Array
    series: dict[str, str] | None
    empty_at: int | None
    names: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Between:
    """What stands before a value: the end of a tag, ends of elements, the beginning of a tag, the attribute's name."""

    name: str
    is_observation: bool
    is_series: bool
    ends_series: bool
    closes_empty: bool
    line_breaks: int
    breaks_before: int

    @classmethod
    def of(cls, text: str) -> _Between | None:
        match = _BETWEEN.fullmatch(text)
        if match is None:
            return None
        opened = match["open"]
        if (match["close"] is None and match["ends"] and opened is None) or (match["close"] and opened is None):
            return None
        if match["name"].strip() == "xmlns":
            return None  # A namespace of its own, which is no component.
        return cls(
            name=match["name"].strip(),
            is_observation=opened == "<Obs",
            is_series=opened == "<Series",
            ends_series="</Series>" in match["ends"],
            closes_empty=match["close"] == "/>",
            line_breaks=text.count("\n"),
            breaks_before=text[: match.start("open")].count("\n") if opened else 0,
        )


def read_plain(piece: bytes, line: int, series: Mapping[str, Any] | None) -> PlainRows | None:
    """The rows of a piece of a message; None if it is not plain.

    Args:
        piece: well-formed in its place, in UTF-8, from the end of a tag to the end of a tag.
        line: the line in which it begins.
        series: what the series says that is open at its beginning; None if none is.
    """
    if b"<!" in piece or b"<?" in piece or b"'" in piece:
        return None
    text = piece.decode()
    parts: _Array = pc.split_pattern(pa.array([text], pa.string()), '"').flatten()
    count = len(parts) // 2
    if count == 0 or len(parts) % 2 == 0:
        return None
    tail = _TAIL.fullmatch(parts[len(parts) - 1].as_py())
    before = parts.take(pa.array(np.arange(0, 2 * count, 2))).dictionary_encode()
    if tail is None or len(before.dictionary) > _MOST_TEXTS:
        return None
    found = [_Between.of(one) for one in before.dictionary.to_pylist() if one is not None]
    kinds = [one for one in found if one is not None]
    if len(kinds) < len(found):
        return None
    indices = np.asarray(before.indices).astype(np.int64)
    if not _has_plain_values(text, before.dictionary.to_pylist(), indices, parts[len(parts) - 1].as_py()):
        return None
    values = _unescaped(parts.take(pa.array(np.arange(1, 2 * count, 2))), b"&" in piece)
    return _Piece(kinds, indices, without_empty(values), line).rows(tail, series)


def _has_plain_values(text: str, distinct: list[str | None], indices: _Ints, tail: str) -> bool:
    """Whether no value holds a line break or tab, which the parser would turn into a space."""
    times = np.bincount(indices, minlength=len(distinct))
    for mark in "\n\r\t":
        outside = sum(int(n) * (one or "").count(mark) for n, one in zip(times, distinct, strict=True))
        if text.count(mark) != outside + tail.count(mark):
            return False
    return True


def _unescaped(values: _Array, has_references: bool) -> _Array:
    if not has_references:
        return values

    def character(match: re.Match[str]) -> str:
        if match[3]:
            return _NAMED[match[3]]
        return chr(int(match[1], 16) if match[1] else int(match[2]))

    encoded = values.dictionary_encode()
    texts = [_REFERENCE.sub(character, text) for text in encoded.dictionary.to_pylist() if text is not None]
    return pa.array(texts, pa.string()).take(encoded.indices)


class _Piece:
    """A piece cut at its quotation marks: ``kinds[indices[n]]`` stands before value n."""

    def __init__(self, kinds: list[_Between], indices: _Ints, values: _Array, line: int) -> None:
        self._kinds = kinds
        self._indices = indices
        self._values = values
        self._line = line
        self._is_observation = self._of([one.is_observation for one in kinds], bool)
        self._is_series = self._of([one.is_series for one in kinds], bool)
        self._tags = np.cumsum(self._is_observation | self._is_series) - 1
        """For each value the number of the tag in which it stands."""

    def _of(self, told: list[Any], kind: type) -> npt.NDArray[Any]:
        """Something told of the texts between, for each value."""
        return np.array(told, dtype=kind)[self._indices]

    def rows(self, tail: re.Match[str], series: Mapping[str, Any] | None) -> PlainRows | None:
        """The rows; None if elements stand as no plain message has them."""
        opens = np.flatnonzero(self._is_observation | self._is_series)
        is_series_tag = self._is_series[opens]
        level = int(series is not None) + np.cumsum(self._is_series) - np.cumsum(self._of_ends())
        if not self._is_plain(tail, opens, is_series_tag, level):
            return None
        observations = opens[~is_series_tag]
        lines = self._lines()
        context = np.where(level[observations] == 1, np.cumsum(self._is_series)[observations], -1)
        own = self._columns(~is_series_tag)
        inherited = self._columns(is_series_tag)
        texts = dict(own)
        for id in dict.fromkeys([*inherited, *(series or ())]):
            first: _Array = pa.array([(series or {}).get(id)], pa.string())
            each = pa.concat_arrays([first, inherited[id]]) if id in inherited else None
            places = context if each is not None else np.where(context == 0, 0, -1)
            column = (first if each is None else each).take(pa.array(places, mask=places < 0))
            texts[id] = pc.coalesce(own[id], column) if id in own else column
        is_open = int(level[-1]) - ("</Series>" in tail["ends"]) == 1
        last = series
        if is_series_tag.any():
            last = {id: column[len(column) - 1].as_py() for id, column in inherited.items()}
        return PlainRows(
            texts=texts,
            lines=pa.array(lines[observations], pa.int64()),
            series={id: text for id, text in (last or {}).items() if text is not None} if is_open else None,
            empty_at=int(lines[opens[-1]]) if is_series_tag[-1] else None,
            names=self._first_lines(lines),
        )

    def _of_ends(self) -> npt.NDArray[Any]:
        return self._of([one.ends_series for one in self._kinds], int)

    def _is_plain(self, tail: re.Match[str], opens: _Ints, is_series_tag: npt.NDArray[np.bool_], level: _Ints) -> bool:
        """Series hold observations and nothing else; none is empty."""
        if len(opens) == 0 or opens[0] != 0 or level.min() < 0 or level.max() > 1:
            return False
        follows = is_series_tag[1:] & is_series_tag[:-1]
        is_last_closed = tail["close"] == "/>" or bool(tail["ends"])
        if bool(is_series_tag[-1]) == is_last_closed:  # An empty series, or an observation with something in it.
            return False
        # What ends right before a tag is the tag before it.
        closes_empty = self._of([one.closes_empty for one in self._kinds], bool)[opens[1:]]
        is_cut_well = not self._kinds[self._indices[0]].closes_empty
        return is_cut_well and not (follows.any() or (closes_empty & is_series_tag[:-1]).any())

    def _lines(self) -> _Ints:
        breaks = self._of([one.line_breaks for one in self._kinds], int)
        before = self._of([one.breaks_before for one in self._kinds], int)
        return np.asarray(self._line + np.cumsum(breaks) - breaks + before, dtype=np.int64)

    def _columns(self, chosen: npt.NDArray[np.bool_]) -> dict[str, _Array]:
        """The values in the chosen tags by attribute, null where a tag does not say it."""
        count = int(chosen.sum())
        numbers = np.cumsum(chosen) - 1
        names = sorted({one.name for one in self._kinds})
        codes = self._of([names.index(one.name) for one in self._kinds], int)
        found: dict[str, _Array] = {}
        for code, name in enumerate(names):
            places = np.flatnonzero((codes == code) & chosen[self._tags])
            if len(places) == count and count:
                found[name] = self._values.take(pa.array(places))
            elif len(places):
                sources = np.full(count, -1)
                sources[numbers[self._tags[places]]] = places
                found[name] = self._values.take(pa.array(sources, mask=sources < 0))
        return found

    def _first_lines(self, lines: _Ints) -> dict[str, int]:
        count = len(self._indices)
        first = np.zeros(len(self._kinds), dtype=np.int64)
        first[self._indices[::-1]] = np.arange(count - 1, -1, -1)
        found: dict[str, int] = {}
        for place in sorted(first.tolist()):
            found.setdefault(self._kinds[self._indices[place]].name, int(lines[place]))
        return found
