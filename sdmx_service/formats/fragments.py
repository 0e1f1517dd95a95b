"""Rows of text from columns, without work per row: every text format is a table of fragments.

What a row prints is a sequence of *pieces*: a literal, a fragment picked from a table by a code, or a text of its own.
The tables are made once per dictionary (escaped, wrapped in whatever the format puts around a value). Neighbouring
tables of few entries are folded into one; then one ``take`` over a pool of all fragments, with the indices of a row
side by side, writes the rows one behind the other: the data buffer of the result *is* the output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from sdmx_service.formats.digits import digits
from sdmx_service.model.artefact import Texts as Names
from sdmx_service.model.columns import Column, render_numbers

Strings: TypeAlias = Any
"""An Arrow array, of strings where nothing else is said: the stubs of pyarrow cannot follow what is done here."""
pc: Any = compute

Indices = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]
Make = Callable[[Strings], Strings]
"""Turns distinct values into fragments, position by position."""

_MANY_ROWS = 1_024
"""From so many rows on numbers are picked from tables of digits, which are larger than a small answer."""
_FEW = 4
"""Distinct values whose fragments are remembered from answer to answer."""

_FOLD = 4_096
"""Entries of a folded table at most."""


class Coded(NamedTuple):
    """Per row the fragment at that place of the table."""

    indices: Indices
    table: Strings


class Texts(NamedTuple):
    """Per row a text of its own, never null."""

    values: Strings


Piece = str | Coded | Texts


@lru_cache(maxsize=4096)
def strings(*texts: str) -> Strings:
    """A table of those fragments, the same one each time."""
    return pa.array(texts, pa.string())


def choose(mask: Mask, no: str, yes: str) -> Piece:
    """One of two fragments per row; a literal where all rows agree."""
    if mask.all():
        return yes
    return Coded(mask.astype(np.int32), strings(no, yes)) if mask.any() else no


class Renderer:
    """Joins pieces to rows; keeps folded tables while the same tables come again. One for each kind of row."""

    def __init__(self) -> None:
        self._folds: dict[tuple[int, int], tuple[Strings, ...]] = {}

    def rows(self, pieces: Sequence[Piece], count: int) -> Strings:
        """One text per row: the pieces joined."""
        if count == 0:
            return pa.array([], pa.string())
        parts = self._fold(pieces, count)
        if not parts:
            return pa.repeat(pa.scalar("", pa.string()), count)
        return _every(self._taken(parts, count), len(parts))

    def data(self, pieces: Sequence[Piece], count: int) -> bytes | memoryview:
        """All rows one behind the other, without a copy."""
        parts = self._fold(pieces, count) if count else []
        return _joined(self._taken(parts, count)) if parts else b""

    @staticmethod
    def _taken(parts: Sequence[Coded | Texts], count: int) -> Strings:
        """The fragments of every row, one behind the other."""
        width = len(parts)
        index = np.empty((count, width), np.int32)
        base = 0
        for position, part in enumerate(parts):
            own = np.arange(count, dtype=np.int32) if isinstance(part, Texts) else part.indices
            np.add(own, base, out=index[:, position], casting="unsafe")
            base += len(_table(part))
        pool = pa.concat_arrays([_table(part) for part in parts])
        return pool.take(pa.array(index.reshape(-1)))

    def _fold(self, pieces: Sequence[Piece], count: int) -> list[Coded | Texts]:
        """The pieces with literals and small tables merged into their neighbours."""
        limit = max(64, min(count // 8, _FOLD))  # what is made once for so many rows must cost little beside them
        zeros = np.zeros(count, np.int32)
        known, self._folds = self._folds, {}
        parts: list[Coded | Texts] = []
        for part in _without_literals(pieces, zeros):
            last = parts[-1] if parts else None
            if isinstance(part, Coded) and isinstance(last, Coded) and _may_fold(last.table, part.table, limit):
                parts[-1] = self._merged(last, part, known)
            else:
                parts.append(part)
        return parts

    def _merged(self, left: Coded, right: Coded, known: dict[tuple[int, int], tuple[Strings, ...]]) -> Coded:
        key = (id(left.table), id(right.table))  # the tables are kept beside their product, so no id is used twice
        kept = self._folds[key] = known.get(key) or (left.table, right.table, _product(left.table, right.table))
        if len(right.table) == 1:
            return Coded(left.indices, kept[2])
        if len(left.table) == 1:
            return Coded(right.indices, kept[2])
        return Coded(left.indices.astype(np.int32) * np.int32(len(right.table)) + right.indices, kept[2])


def _without_literals(pieces: Sequence[Piece], zeros: Indices) -> Iterator[Coded | Texts]:
    """The pieces, neighbours that are the same in every row as one table of one fragment."""
    literal = ""
    for piece in pieces:
        if isinstance(piece, str):
            literal += piece
        elif isinstance(piece, Coded) and _is_same(piece):
            literal += piece.table[int(piece.indices[0])].as_py()
        else:
            if literal:
                yield Coded(zeros, strings(literal))
                literal = ""
            yield piece
    if literal:
        yield Coded(zeros, strings(literal))


def _is_same(piece: Coded) -> bool:
    """Every row prints the same fragment; looked for in earnest only where first, middle and last row agree."""
    if len(piece.table) == 1:
        return True
    indices = piece.indices
    first = indices[0]
    return bool(first == indices[-1] == indices[len(indices) // 2]) and bool((indices == first).all())


def _may_fold(left: Strings, right: Strings, limit: int) -> bool:
    return min(len(left), len(right)) == 1 or len(left) * len(right) <= limit


def _table(part: Coded | Texts) -> Strings:
    return part.values if isinstance(part, Texts) else part.table


def _product(left: Strings, right: Strings) -> Strings:
    """Every entry of the left followed by every entry of the right."""
    size = len(left) * len(right)
    index = np.empty((size, 2), np.int32)
    index[:, 0] = np.repeat(np.arange(len(left)), len(right))
    index[:, 1] = np.tile(np.arange(len(right)), len(left)) + len(left)
    return _every(pa.concat_arrays([left, right]).take(pa.array(index.reshape(-1))), 2)


def _every(joined: Strings, width: int) -> Strings:
    """Each ``width`` neighbours as one text, by leaving out the offsets between them."""
    offsets = np.frombuffer(joined.buffers()[1], np.int32)[joined.offset : joined.offset + len(joined) + 1 : width]
    data = joined.buffers()[2] or pa.py_buffer(b"")
    return pa.StringArray.from_buffers(len(joined) // width, pa.py_buffer(offsets.tobytes()), data)


def joined_bytes(rows: Strings) -> bytes:
    """All rows one behind the other."""
    return bytes(_joined(rows))


def _joined(rows: Strings) -> bytes | memoryview:
    """All rows one behind the other: the data buffer itself."""
    if len(rows) == 0 or rows.buffers()[2] is None:
        return b""
    offsets = np.frombuffer(rows.buffers()[1], np.int32)
    start, end = int(offsets[rows.offset]), int(offsets[rows.offset + len(rows)])
    return memoryview(rows.buffers()[2].slice(start, end - start))


# ------------------------------------------------------------------------------------------------------------- columns


class Cells:
    """Columns of batches as pieces; keeps the tables while the dictionaries stay the same."""

    def __init__(self) -> None:
        self._dictionaries: dict[str, Strings] = {}
        self._tables: dict[str, tuple[Strings, Strings]] = {}

    def coded(self, batch: pa.RecordBatch, name: str, make: Make, *, absent: str = "", slot: str = "") -> Coded:
        """A dictionary column (or text column) as fragments.

        Args:
            make: distinct values to fragments; called once per dictionary.
            absent: the fragment of null, and of every row where the batch has no such column.
            slot: tells several renderings of one column apart.
        """
        column = array_of(batch, name)
        if column is None or column.null_count == len(column):
            return Coded(np.zeros(batch.num_rows, np.int32), strings(absent))
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        dictionary = self._same(name, _plain(encoded.dictionary))
        key = f"{name}\0{slot}\0{absent}"
        kept = self._tables.get(key)
        if kept is None or kept[0] is not dictionary:
            kept = self._tables[key] = (dictionary, _table_of(make, dictionary, absent))
        if len(dictionary) == 1 and not encoded.null_count:  # the same throughout
            return Coded(np.zeros(batch.num_rows, np.int32), kept[1].slice(0, 1))
        return Coded(_filled(encoded.indices, len(dictionary)), kept[1])

    def _same(self, name: str, dictionary: Strings) -> Strings:
        """The dictionary seen before, if it holds the same values."""
        known = self._dictionaries.get(name)
        if known is None or not known.equals(dictionary):
            known = self._dictionaries[name] = dictionary
        return known


def _table_of(make: Make, dictionary: Strings, absent: str) -> Strings:
    """The fragments of a dictionary and of null; few values are remembered, as small answers ask for the same ones."""
    if len(dictionary) <= _FEW and getattr(make, "__closure__", make) is None:  # a closure must not be kept alive
        return _few_fragments(make, tuple(dictionary.to_pylist()), absent)
    return pa.concat_arrays([make(dictionary), strings(absent)])


@lru_cache(maxsize=8192)
def _few_fragments(make: Make, values: tuple[str, ...], absent: str) -> Strings:
    return pa.concat_arrays([make(pa.array(values, pa.string())), strings(absent)])


def _encoded(batch: pa.RecordBatch | pa.Table, name: str) -> Strings | None:
    """A column of a batch (or table) as dictionary and indices; None where there is none."""
    column = array_of(batch, name)
    if column is None:
        return None
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def _plain(dictionary: Strings) -> Strings:
    texts = dictionary if dictionary.type == pa.string() else dictionary.cast(pa.string())
    return texts.fill_null("") if texts.null_count else texts


def _filled(indices: Strings, null: int) -> Indices:
    if indices.null_count:
        indices = indices.fill_null(null)
    return cast(Indices, indices.to_numpy(zero_copy_only=False))


def texts_of(batch: pa.RecordBatch | pa.Table, column: Column) -> Strings | None:
    """A single-valued column as text; None where the batch has no such column."""
    if column.kind != "number":
        encoded = _encoded(batch, column.id)
        return None if encoded is None else _plain(encoded.dictionary).take(encoded.indices)
    values = array_of(batch, column.id)
    if values is None:
        return None
    if not pa.types.is_floating(values.type):
        return values.cast(pa.string())
    decimals, texts = array_of(batch, column.decimals), array_of(batch, column.text)
    if decimals is None:
        decimals = pa.nulls(len(values), pa.int8())
    return render_numbers(values, decimals, texts)


def array_of(batch: pa.RecordBatch | pa.Table, name: str) -> Strings | None:
    """A column of a batch or table as one array; None where there is none."""
    position = batch.schema.get_field_index(name)
    if position < 0:
        return None
    column: Any = batch.column(position)
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks() if column.num_chunks else pa.array([], column.type)
    return column


def small_integers(
    batch: pa.RecordBatch | pa.Table, column: Column, before: str, after: str, absent: str = ""
) -> Coded | None:
    """Numbers as fragments of a table, if all are whole and small, as decimals and multipliers are; else None."""
    values, decimals, texts = (array_of(batch, name) for name in (column.id, column.decimals, column.text))
    if values is None or not pa.types.is_floating(values.type) or decimals is None or len(values) == 0:
        return None
    if (texts is not None and texts.null_count < len(texts)) or pc.any(pc.not_equal(decimals, 0)).as_py():
        return None
    numbers = values.to_numpy(zero_copy_only=False)  # null is NaN
    missing = np.isnan(numbers)
    places = np.where(missing, _SMALL, numbers)
    if places.min() < 0 or places.max() > _SMALL or int((places == _SMALL).sum()) != values.null_count:
        return None
    return Coded(np.rint(places).astype(np.int32), _integers(before, after, absent))


_SMALL = 64
"""Numbers below it stand in a table, and null at this place."""


@lru_cache(maxsize=1024)
def _integers(before: str, after: str, absent: str) -> Strings:
    return strings(*(f"{before}{number}{after}" for number in range(_SMALL)), absent)


def joined_values(
    batch: pa.RecordBatch | pa.Table, column: Column, value: Make, text: Callable[[str], Make], separator: str
) -> Strings | None:
    """A multi-valued or multilingual column with the values of a row joined; null stays null.

    Args:
        value: renders distinct single values of a multi-valued column.
        text: for a language tag, renders distinct texts of a multilingual column.
        separator: stands between two values.
    """
    array = array_of(batch, column.id)
    if array is None:
        return None
    start, end = array.offsets[0].as_py(), array.offsets[-1].as_py()
    offsets = pc.subtract(array.offsets, start)
    if column.kind == "multi":
        parts = by_distinct(array.values.slice(start, end - start), value)
    else:
        tags, items = array.keys.slice(start, end - start), array.items.slice(start, end - start)
        parts = pa.nulls(len(items), pa.string())
        for tag in pc.unique(tags).to_pylist():
            parts = pc.if_else(pc.equal(tags, tag), by_distinct(items, text(tag)), parts)
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, parts.fill_null("")), separator)
    filled = pc.and_(array.is_valid(), pc.not_equal(offsets[1:], offsets[:-1]))  # no value at all is no value
    return joined if pc.all(filled).as_py() else pc.if_else(filled, joined, None)


def best_texts(batch: pa.RecordBatch | pa.Table, column: Column, languages: Sequence[str]) -> Strings | None:
    """Of each multilingual value the text in the best language (``Texts.best``)."""
    array = array_of(batch, column.id)
    if array is None:
        return None
    tags = pc.unique(array.keys).to_pylist()
    best = pa.nulls(len(array), pa.string())
    while tags:
        found = Names({tag: tag for tag in tags}).best(languages)
        tag = found[0] if found is not None else tags[0]
        best = pc.coalesce(best, pc.map_lookup(array, tag, "first"))
        tags.remove(tag)
    return best


def by_distinct(values: Strings, make: Make) -> Strings:
    """``make`` of each value, worked out once per distinct value; null stays null."""
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    return make(_plain(encoded.dictionary)).take(encoded.indices)


def wrapped(values: Strings | None, before: str, after: str, absent: str = "") -> list[Piece]:
    """Pieces of texts with something around each; ``absent`` where null."""
    if values is None or values.null_count == len(values):
        return [absent]
    if not values.null_count:
        return [before, Texts(values), after]
    valid = cast(Mask, values.is_valid().to_numpy(zero_copy_only=False))
    return [choose(valid, absent, before), Texts(values.fill_null("")), choose(valid, "", after)]


def numbers(batch: pa.RecordBatch, column: Column, before: str, after: str, absent: str = "") -> list[Piece]:
    """Pieces of a column of numbers with something around each; ``absent`` where null."""
    small = small_integers(batch, column, before, after, absent)
    if small is not None:
        return [small]
    picked = digit_pieces(batch, column, before, after, absent)
    return picked or wrapped(texts_of(batch, column), before, after, absent)


def digit_pieces(batch: pa.RecordBatch, column: Column, before: str, after: str, absent: str) -> list[Piece]:
    """Numbers as fragments of digits; none where they have more than tables hold, texts of their own, or are few."""
    values, decimals, texts = (array_of(batch, name) for name in (column.id, column.decimals, column.text))
    if values is None or not pa.types.is_floating(values.type) or decimals is None or len(values) < _MANY_ROWS:
        return []
    found = None if texts is not None and texts.null_count < len(texts) else digits(values, decimals, after)
    if found is None:
        return []
    pieces: list[Piece] = [Coded(indices, table) for indices, table in found.columns]
    return [before if found.missing is None else choose(found.missing, before, absent), *pieces]


def validity(batch: pa.RecordBatch, name: str) -> Mask:
    """Which rows have a value in that column; a number with only a text counts, an empty list does not."""
    column = array_of(batch, name)
    if column is None:
        return np.zeros(batch.num_rows, np.bool_)
    text = array_of(batch, f"{name}.text")
    if text is not None and text.null_count < len(text):
        return _valid(column) | _valid(text)
    return _valid(column)


def _valid(column: Strings) -> Mask:
    if column.null_count == len(column):
        return np.zeros(len(column), np.bool_)
    if pa.types.is_list(column.type) or pa.types.is_map(column.type):
        valid = pc.and_(column.is_valid(), pc.not_equal(column.offsets[1:], column.offsets[:-1]))
    elif not column.null_count:
        return np.ones(len(column), np.bool_)
    else:
        valid = column.is_valid()
    return cast(Mask, valid.to_numpy(zero_copy_only=False))


# -------------------------------------------------------------------------------------------------------------- series


class Runs:
    """Finds where the next series begins, across the borders of batches."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = tuple(ids)
        self._last: tuple[str | None, ...] | None = None

    @property
    def is_open(self) -> bool:
        """A row has been seen."""
        return self._last is not None

    def starts(self, batch: pa.RecordBatch) -> Mask:
        """Per row whether it begins another series than the row before it."""
        mask = np.zeros(batch.num_rows, np.bool_)
        first: list[str | None] = []
        last: list[str | None] = []
        for name in self.ids:
            encoded = _encoded(batch, name)
            if encoded is None:
                first.append(None)
                last.append(None)
                continue
            dictionary = encoded.dictionary
            if len(dictionary) == 1 and not encoded.null_count:  # the same throughout
                first.append(dictionary[0].as_py())
                last.append(first[-1])
                continue
            indices = _filled(encoded.indices, -1)
            mask[1:] |= indices[1:] != indices[:-1]
            first.append(dictionary[int(indices[0])].as_py() if indices[0] >= 0 else None)
            last.append(dictionary[int(indices[-1])].as_py() if indices[-1] >= 0 else None)
        mask[0] = self._last != tuple(first)
        self._last = tuple(last)
        return mask


def numbered(starts: Mask) -> Indices:
    """Per row the number of its series within the batch, 1 for the first that begins here, 0 for a continued one."""
    return cast(Indices, np.cumsum(starts, dtype=np.int32))
