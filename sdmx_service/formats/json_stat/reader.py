"""JSON-stat 2.0 (https://json-stat.org/full) to ``Tables``: a sheet per data set, a row per cell that says something.

The columns of a sheet are the dimensions (ids of their categories), then ``value`` and ``status``, then what is said of
the whole data set: ``dataset.label``, ``dataset.source``, ``dataset.updated``. Row 1 has these names; the cells follow
in the order of the cube, the last dimension running fastest.

*Choices:* a figure keeps the digits that were sent; a cell without value and without status makes no row; the sheet is
called by ``extension.id`` where there is one, else by the number of the data set in a collection; of a collection the
data sets that it carries are read, those that it only points to are not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from math import prod
from operator import mul
from typing import IO, Any, Final, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sdmx_service.errors import TooLarge, UnreadableFile
from sdmx_service.formats.sniffing import Head
from sdmx_service.model.message import Resolve, Sheet, Tables

MAX_SIZE: Final = 512 * 1024**2
"""Bytes; a cube is held as a whole."""
_LAST_CELL: Final = 2**62
_WHOLE: Final = ("label", "source", "updated")

_Places = npt.NDArray[np.int64]


def sniff_json_stat(head: Head) -> int:
    """How sure it is that this is JSON-stat, 0 to 100: a data set or a collection of them, and no SDMX."""
    text = "".join(head.text.split())
    if not text.startswith("{") or '"dataSets"' in text:
        return 0
    if '"class":"dataset"' in text or '"class":"collection"' in text:
        return 90
    return 50 if '"size":[' in text and '"id":[' in text else 0


def read_json_stat(file: IO[bytes], resolve: Resolve | None = None) -> Tables:
    """The data sets of a file, one sheet each.

    Raises:
        UnreadableFile: no JSON, no JSON-stat 2.0, or a cube that contradicts itself; the place is named.
        TooLarge: more than ``MAX_SIZE`` bytes.
    """
    file.seek(0)
    body = file.read(MAX_SIZE + 1)
    if len(body) > MAX_SIZE:
        raise TooLarge(f"The file has more than {MAX_SIZE} bytes of JSON-stat.", hint="Send parts.")
    document = _parsed(body)
    return Tables(sheets=tuple(_Cube(one, place).sheet(name) for name, place, one in _datasets(document)))


def _parsed(body: bytes) -> Any:
    """The document; numbers with a point or exponent are texts, with the digits that were sent."""
    try:
        return json.loads(body.decode(json.detect_encoding(body)), parse_float=str, parse_constant=_refuse_constant)
    except json.JSONDecodeError as fault:
        raise UnreadableFile(
            f"This is no JSON: {fault.msg} (line {fault.lineno}, column {fault.colno}).",
            hint="It was probably cut off on its way; send it again.",
        ) from None
    except UnicodeDecodeError as fault:
        raise UnreadableFile(f"Byte {fault.start + 1} of the file is not {fault.encoding}.") from None
    except (RecursionError, ValueError) as fault:
        raise UnreadableFile(f"The JSON cannot be read ({fault}).") from None


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _fault(place: str, problem: str) -> UnreadableFile:
    return UnreadableFile(f"JSON-stat, {place}: {problem}", hint="See https://json-stat.org/full for the format.")


def _datasets(document: Any) -> list[tuple[str | None, str, Mapping[str, Any]]]:
    """Name, place and content of each data set that the document carries."""
    if not isinstance(document, Mapping):
        raise _fault("/", "an object is needed.")
    kind = document.get("class")
    if kind == "dataset" or (kind is None and {"id", "size", "dimension", "value"} <= set(document)):
        return [(_name(document), "", document)]
    if kind != "collection":
        raise _fault("/class", f"{kind!r} carries no figures; a dataset or a collection of them is read.")
    link = document.get("link")
    items = link.get("item") if isinstance(link, Mapping) else None
    places = [(f"/link/item/{number}", one) for number, one in enumerate(items if isinstance(items, list) else ())]
    carried = [(place, one) for place, one in places if isinstance(one, Mapping) and "value" in one]
    if not carried:
        raise UnreadableFile(
            "The JSON-stat collection carries no data set, it only points to some.",
            hint="Fetch the data sets and send them.",
        )
    return [(_name(one) or str(number), place, one) for number, (place, one) in enumerate(carried, start=1)]


def _name(dataset: Mapping[str, Any]) -> str | None:
    extension = dataset.get("extension")
    said = extension.get("id") if isinstance(extension, Mapping) else None
    return said if isinstance(said, str) and said else None


class _Cube:
    """A data set: its dimensions, checked, and its cells."""

    def __init__(self, dataset: Mapping[str, Any], place: str) -> None:
        self._dataset = dataset
        self._place = place
        self._ids = self._texts("id")
        self._size = self._sizes()
        self._count = prod(self._size)
        if self._count > _LAST_CELL:
            raise _fault(f"{place}/size", f"{self._count} cells are more than can be counted.")
        self._codes = [self._categories(id, size) for id, size in zip(self._ids, self._size, strict=True)]

    # --- what it says ------------------------------------------------------------------------------------------
    def _texts(self, name: str) -> list[str]:
        found = self._dataset.get(name)
        if not isinstance(found, list) or not found or not all(isinstance(one, str) and one for one in found):
            raise _fault(f"{self._place}/{name}", "a list of the dimensions' ids is needed.")
        if len(set(found)) < len(found):
            raise _fault(f"{self._place}/{name}", f"a dimension stands there twice: {', '.join(found)}.")
        return found

    def _sizes(self) -> list[int]:
        found = self._dataset.get("size")
        whole = isinstance(found, list) and all(type(one) is int and one >= 0 for one in found)
        if not whole or not isinstance(found, list) or len(found) != len(self._ids):
            raise _fault(f"{self._place}/size", f"{len(self._ids)} whole numbers are needed, one for each dimension.")
        return found

    def _categories(self, id: str, size: int) -> list[str]:
        """The ids of a dimension's categories in their order."""
        place = f"{self._place}/dimension/{id}/category"
        dimensions = self._dataset.get("dimension")
        dimension = dimensions.get(id) if isinstance(dimensions, Mapping) else None
        category = dimension.get("category") if isinstance(dimension, Mapping) else None
        if not isinstance(category, Mapping):
            raise _fault(place, "the categories of the dimension are missing.")
        codes = _ordered(category, place)
        if len(codes) != size:
            raise _fault(place, f"{len(codes)} categories, and the size of {id!r} is {size}.")
        return codes

    # --- its cells ---------------------------------------------------------------------------------------------
    def sheet(self, name: str | None) -> Sheet:
        """The cells as text, below a row of names."""
        at_values, values = self._cells("value", _numbers)
        at_statuses, statuses = self._statuses()
        places = np.union1d(at_values, at_statuses)
        columns = [self._column(number, places) for number in range(len(self._ids))]
        columns += [_spread(values, at_values, places), _spread(statuses, at_statuses, places)]
        names = [*self._ids, "value", "status"]
        for word in _WHOLE:
            said = self._dataset.get(word)
            names.append(f"dataset.{word}")
            columns.append(pa.repeat(pa.scalar(said if isinstance(said, str) else None, pa.string()), len(places)))
        headed = [pa.concat_arrays([pa.array([head]), column]) for head, column in zip(names, columns, strict=True)]
        return Sheet(name=name, columns=tuple(headed))

    def _column(self, number: int, places: _Places) -> pa.StringArray:
        step = list(accumulate(self._size[:0:-1], mul, initial=1))[::-1][number]
        codes = pa.array(self._codes[number], pa.string())
        return codes.take(pa.array(places // step % max(self._size[number], 1)))

    def _cells(self, name: str, text: Callable[[Sequence[Any], str], pa.StringArray]) -> tuple[_Places, pa.StringArray]:
        """The places of the cells that have something, in order, and what they have as text."""
        found = self._dataset.get(name)
        place = f"{self._place}/{name}"
        if isinstance(found, Mapping):
            places = self._numbered(list(found), place)
            order = np.argsort(places, kind="stable")
            texts = text(list(found.values()), place).take(pa.array(order))
            places = places[order]
            if len(places) > 1 and (places[1:] == places[:-1]).any():
                raise _fault(place, "a cell stands there twice.")
        elif isinstance(found, list):
            if len(found) != self._count:
                raise _fault(place, f"{len(found)} cells, and the sizes of the dimensions make {self._count}.")
            places, texts = np.arange(len(found), dtype=np.int64), text(found, place)
        else:
            raise _fault(place, "a list or an object is needed.")
        there = texts.is_valid().to_numpy(zero_copy_only=False)
        return places[there], texts.drop_null()

    def _statuses(self) -> tuple[_Places, pa.StringArray]:
        """The places and texts of the statuses; one text for all cells is a status of each."""
        found = self._dataset.get("status")
        if found is None:
            return np.empty(0, np.int64), pa.array([], pa.string())
        whole = found[0] if isinstance(found, list) and len(found) == 1 != self._count else found
        if isinstance(whole, str):
            values, _ = self._cells("value", _numbers)
            return values, pa.repeat(pa.scalar(whole, pa.string()), len(values))
        return self._cells("status", _words)

    def _numbered(self, keys: list[str], place: str) -> _Places:
        try:
            places = np.array(keys, dtype=np.int64) if keys else np.empty(0, np.int64)
        except (ValueError, OverflowError):
            wrong = next(key for key in keys if not key.isascii() or not key.isdigit() or len(key) > 18)
            raise _fault(place, f"{wrong!r} is not the number of a cell.") from None
        if len(places) and (places.min() < 0 or places.max() >= self._count):
            wrong = str(places.min() if places.min() < 0 else places.max())
            raise _fault(place, f"there is no cell {wrong}; the last one is {self._count - 1}.")
        return places


def _ordered(category: Mapping[str, Any], place: str) -> list[str]:
    """The ids of the categories: ``index`` as list or object; ``label`` alone names a single one."""
    index = category.get("index")
    if index is None and isinstance(label := category.get("label"), Mapping) and len(label) == 1:
        return list(label)
    if isinstance(index, list):
        codes = index
    elif isinstance(index, Mapping):
        numbers = list(index.values())
        if not all(type(one) is int for one in numbers) or sorted(numbers) != list(range(len(numbers))):
            raise _fault(f"{place}/index", f"the positions are not 0 to {len(numbers) - 1}, each once.")
        codes = sorted(index, key=index.__getitem__)
    else:
        raise _fault(f"{place}/index", "a list or an object of the categories' ids is needed.")
    if not all(isinstance(one, str) for one in codes) or len(set(codes)) < len(codes):
        raise _fault(f"{place}/index", "the categories' ids must be texts that differ.")
    return codes


def _numbers(values: Sequence[Any], place: str) -> pa.StringArray:
    """Figures as text with the digits that were sent; texts stay as they are."""
    if wrong := {type(value) for value in values} - {type(None), int, str}:
        raise _fault(place, f"a figure is a number, a text or null, not {next(iter(wrong)).__name__}.")
    try:
        return pa.array(values, pa.int64()).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # Some are no whole numbers.
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def _words(values: Sequence[Any], place: str) -> pa.StringArray:
    """Statuses as text; null and a blank text say nothing."""
    if not all(value is None or isinstance(value, str) for value in values):
        raise _fault(place, "a status is a text or null.")
    return pa.array([value or None for value in values], pa.string())


def _spread(texts: pa.StringArray, places: _Places, wanted: _Places) -> pa.StringArray:
    """The texts at the wanted places, null where there is none."""
    if not len(places):
        return pa.nulls(len(wanted), pa.string())
    found = np.searchsorted(places, wanted).clip(max=len(places) - 1)
    there = places[found] == wanted
    return texts.take(pa.array(found, mask=~there))
