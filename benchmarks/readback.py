"""What came over the wire read again without any reader of ours, and compared with the source row for row.

Files are read in pieces by patterns over Arrow text, so that ten million rows take a minute and no memory. Rows come in
another order than they were made in: each row becomes a number of 64 bits that every character of it decides, twice
and independently, and the sums of these numbers are compared. A row too many, missing, or other in one digit shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from benchmarks import flows
from benchmarks.context import Context, WrongRowsError

_PIECE = 1 << 24
_STEP = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1
Strings = Any
Tables = Iterator[pa.Table]


def names() -> tuple[str, ...]:
    """The columns that are compared: every one that has values."""
    return (*flows.key_ids(), "TIME_PERIOD", *flows.FILLED)


# --- fingerprints ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Rows in any order: how many, and two independent sums."""

    rows: int
    first: int
    second: int


def fingerprint(tables: Iterable[pa.Table]) -> Fingerprint:
    """The fingerprint of rows of text; null and the empty text are the same."""
    rows = 0
    sums = [0, 0]
    for table in tables:
        rows += table.num_rows
        words = [np.zeros(table.num_rows, np.uint64), np.zeros(table.num_rows, np.uint64)]
        for place, name in enumerate(names()):
            step = np.uint64(_STEP * (place + 1) & _WORD)
            for kind, own in enumerate(_words(table[name])):
                words[kind] = _mix(words[kind] ^ (own + step))
        for kind in (0, 1):
            sums[kind] = (sums[kind] + int(words[kind].sum(dtype=np.uint64))) & _WORD
    return Fingerprint(rows, sums[0], sums[1])


def _words(column: Any) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers per text, worked out once per distinct text."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).fill_null("").dictionary_encode()
    texts = array.dictionary.to_pylist()
    digests = b"".join(blake2b(text.encode(), digest_size=16).digest() for text in texts)
    table = np.frombuffer(digests, np.uint64).reshape(-1, 2)
    indices = array.indices.to_numpy(zero_copy_only=False)
    return table[indices, 0], table[indices, 1]


def _mix(words: np.ndarray) -> np.ndarray:
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def expected(context: Context) -> Fingerprint:
    """The fingerprint of the generated rows, kept beside the files so that it is worked out once."""
    kept = context.file("fingerprint.txt")
    if not kept.exists():
        found = fingerprint(flows.text_table([batch]) for batch in flows.batches(context.observations))
        kept.write_text(f"{found.rows} {found.first} {found.second}")
    return Fingerprint(*map(int, kept.read_text().split()))


def require(context: Context, path: Path, kind: str) -> None:
    """Refuse the figure of a file that does not hold the source's rows exactly.

    Raises:
        WrongRowsError: a row is missing, too many, or differs.
    """
    found = fingerprint(READERS[kind](path))
    if found != expected(context):
        raise WrongRowsError(f"{path.name}: {found} instead of {expected(context)}")


# --- readers --------------------------------------------------------------------------------------------------------
def read_csv(path: Path) -> Tables:
    """SDMX-CSV by pyarrow; columns that should be empty must be."""
    convert = pyarrow.csv.ConvertOptions(strings_can_be_null=False)
    with path.open("rb") as file:
        header = file.readline().decode().strip().split(",")
    convert.column_types = dict.fromkeys(header, pa.string())
    reader = pyarrow.csv.open_csv(path, pyarrow.csv.ReadOptions(block_size=_PIECE), convert_options=convert)
    others = [name for name in header[3:] if name not in names()]
    for batch in reader:
        table = pa.Table.from_batches([batch])
        for name in others:
            _empty(table[name], name)
        yield table.select(names())


def _empty(column: Any, name: str) -> None:
    if column.null_count < len(column) and pc.any(pc.not_equal(column, "")).as_py():
        raise WrongRowsError(f"{name} has values.")


def _pieces(path: Path, end: bytes) -> Iterator[str]:
    """The file in pieces that end where a series does."""
    rest = b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            whole, found, after = (rest + piece).rpartition(end)
            if found:
                yield (whole + found).decode()
            rest = after
    yield rest.decode()


def _split(text: str, series: str, observation: str) -> tuple[Strings, Strings, Strings]:
    """What stands before the observations of each series, the observations, and to which series each belongs."""
    every = pc.list_flatten(pc.split_pattern(pa.array([text], pa.large_string()), series))
    every = every.slice(1).cast(pa.string())  # what stands before the first
    parts = pc.split_pattern(every, observation)
    heads = pc.list_element(parts, 0)
    observations = pc.list_slice(parts, 1)
    return heads, pc.list_flatten(observations), pc.list_parent_indices(observations)


def _found(texts: Strings, pattern: str) -> Strings:
    return pc.struct_field(pc.extract_regex(texts, f'{pattern}(?P<v>[^"]*)"'), 0)


def _of_series(heads: Strings, parents: Strings, pattern: Callable[[str], str]) -> dict[str, Strings]:
    ids = (*flows.key_ids(), "UNIT_MEASURE", "UNIT_MULT")
    return {id: _found(heads, pattern(id)).dictionary_encode().take(parents).cast(pa.string()) for id in ids}


def read_specific(path: Path) -> Tables:
    """Structure-specific SDMX-ML by patterns of attributes, in whatever order."""
    for text in _pieces(path, b"</Series>"):
        heads, observed, parents = _split(text, "<Series ", "<Obs ")
        if len(observed):
            found = _of_series(heads, parents, lambda id: f' ?{id}="')
            for id in ("TIME_PERIOD", "OBS_VALUE", "OBS_STATUS"):
                found[id] = _found(observed, f'{id}="')
            yield pa.table(found)


def read_generic(path: Path) -> Tables:
    """Generic SDMX-ML by patterns of elements."""
    for text in _pieces(path, b"</gen:Series>"):
        heads, observed, parents = _split(text, "<gen:Series>", "<gen:Obs>")
        if len(observed):
            found = _of_series(heads, parents, lambda id: f'id="{id}" value="')
            found["TIME_PERIOD"] = _found(observed, '<gen:ObsDimension value="')
            found["OBS_VALUE"] = _found(observed, '<gen:ObsValue value="')
            found["OBS_STATUS"] = _found(observed, 'id="OBS_STATUS" value="')
            yield pa.table(found)


def read_json(path: Path) -> Tables:
    """SDMX-JSON: the head as JSON, the series by patterns."""
    structure: dict[str, Any] = {}
    opening = ""
    for text in _pieces(path, b"}},"):
        if not structure:
            opening += text
            head, found, text = opening.partition(',"dataSets":[{')
            if not found:
                continue
            structure = orjson.loads(head + "}}")["data"]["structures"][0]
            text = text.partition('"series":{')[2]
        heads, bodies, parents = _split("}}," + text, "}},", '"observations":{')
        lists = pc.split_pattern(bodies, "],")
        yield from _json_tables(structure, heads, pc.list_flatten(lists), parents.take(pc.list_parent_indices(lists)))


def _json_tables(structure: dict[str, Any], heads: Strings, observed: Strings, parents: Strings) -> Tables:
    if not len(observed):
        return
    parts = pc.extract_regex(observed, r'^"(?P<t>\d+)":\[(?P<v>[^,\]]*),(?P<s>[^,\]]*)(?:,null)*[\]\}]*$')
    if parts.null_count:
        raise WrongRowsError(f"An observation of another form: {observed.filter(parts.is_null())[0]}")
    key = pc.extract_regex(heads, r'^"(?P<k>[0-9:]+)":\{"attributes":\[(?P<a>[^\]]*)\]')
    found: dict[str, Strings] = {}
    dimensions = structure["dimensions"]
    codes = pc.split_pattern(pc.struct_field(key, 0), ":")
    for place, one in enumerate(dimensions["series"]):
        found[one["id"]] = _listed(one, pc.list_element(codes, place)).take(parents)
    attributes = pc.split_pattern(pc.struct_field(key, 1), ",")
    for place, one in enumerate(structure["attributes"]["series"]):
        column = pc.list_element(attributes, place)
        if one["id"] in names():
            found[one["id"]] = _listed(one, column).take(parents)
        else:
            _empty(pc.if_else(pc.equal(column, "null"), "", column), one["id"])
    found["TIME_PERIOD"] = _listed(dimensions["observation"][0], pc.struct_field(parts, 0))
    values = pc.struct_field(parts, 1)
    found["OBS_VALUE"] = pc.if_else(pc.equal(values, "null"), "", values)
    found["OBS_STATUS"] = _listed(structure["attributes"]["observation"][0], pc.struct_field(parts, 2))
    yield pa.table(found)


def _listed(component: dict[str, Any], texts: Strings) -> Strings:
    """Positions as the codes of the list; the texts themselves where there is no list."""
    values = component.get("values")
    if not values:
        return pc.if_else(pc.equal(texts, "null"), "", texts)
    known = pa.array([one.get("id", one.get("value")) for one in values], pa.string())
    return known.take(pc.if_else(pc.equal(texts, "null"), None, texts).cast(pa.int32()))


def read_parquet(path: Path) -> Tables:
    """Parquet by DuckDB; the digits of a number are those that its count of decimals asks for."""
    digits = (
        '"OBS_VALUE.text"',
        """CASE "OBS_VALUE.decimals" WHEN 0 THEN CAST(CAST("OBS_VALUE" AS BIGINT) AS VARCHAR)
        WHEN 1 THEN printf('%.1f', "OBS_VALUE") WHEN 2 THEN printf('%.2f', "OBS_VALUE") END""",
    )
    chosen = [
        f'coalesce({", ".join(digits)}) AS "OBS_VALUE"'
        if name == "OBS_VALUE"
        else f'CAST("{name}" AS VARCHAR) AS "{name}"'
        for name in names()
    ]
    with duckdb.connect() as connection:
        rows = connection.sql(f"SELECT {', '.join(chosen)} FROM read_parquet('{path}')")
        for batch in rows.to_arrow_reader(1 << 18):
            yield pa.Table.from_batches([batch])


READERS: dict[str, Callable[[Path], Tables]] = {
    "csv": read_csv,
    "specific": read_specific,
    "generic": read_generic,
    "json": read_json,
    "parquet": read_parquet,
}
