"""The generated flows on the data structure that the service ships, as a data set and as files for readers.

``generator`` makes the rows on a small structure of its own; here they get codes of ``DSD_MIG_FLOW``: 235 countries,
immigration and emigration, three groups of persons, thousands of persons (so that one decimal is a right figure).
The rows are the same in every process: nothing but the number of observations has to be passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from benchmarks import generator
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import load_folder
from sdmx_service.formats.registry import named
from sdmx_service.model.columns import columns, render_numbers, typed_schema
from sdmx_service.model.items import Codelist
from sdmx_service.model.message import Action, Dataset, Header, Message, Party, WriteOptions
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref
from sdmx_service.settings import content_folder

SIZES = {"100k": 100_000, "1M": 1_000_000, "10M": generator.MOST}
"""Observations by the name of a size."""

DATAFLOW, PROVIDER = "UNSD_MIG:DF_FLOW_PRV", "UNSD_MIG.UNDESA"
FILLED = ("OBS_VALUE", "OBS_STATUS", "UNIT_MEASURE", "UNIT_MULT")
"""The measure and the attributes that have values."""

_SEXES = {"_T": "_U", "M": "M", "F": "F"}  # no totals: random figures add up to nothing
_STATUSES = {"A": "A", "E": "E", "P": "P", "M": "A"}
_FIXED = {"FREQ": "A", "UNIT_MEASURE": "PS", "UNIT_MULT": "3"}


@cache
def catalog() -> Catalog:
    """The structures that the service ships."""
    return load_folder(content_folder()).catalog(1)


def dataflow() -> Ref:
    """The dataflow of the rows."""
    return catalog().named(DATAFLOW, "Dataflow").ref


def structure() -> DataStructure:
    """The data structure of the rows, its representations resolved."""
    return catalog().target(dataflow()).structure


def key_ids() -> tuple[str, ...]:
    """The dimensions of a series, in order."""
    return tuple(dimension.id for dimension in structure().dimensions)


@cache
def areas() -> tuple[str, ...]:
    """As many countries as the generator has areas, in order of code."""
    codelist = catalog().named("UNSD_MIG:CL_AREA_MIG", "Codelist")
    assert isinstance(codelist, Codelist)
    parents = {item.parent for item in codelist.items}
    countries = sorted(item.id for item in codelist.items if item.id.isdigit() and item.id not in parents)
    if len(countries) < len(generator.AREAS):
        raise ValueError(f"{len(countries)} countries are not enough for {len(generator.AREAS)} areas.")
    return tuple(countries[: len(generator.AREAS)])


def domains() -> dict[str, tuple[str, ...]]:
    """Every value that occurs, per dimension, time and coded component."""
    found: dict[str, tuple[str, ...]] = {}
    for column in columns(structure()):
        if column.kind == "code":
            found[column.id] = ("_T",) if column.role == "dimension" else ()
    found |= {id: (code,) for id, code in _FIXED.items()}
    found |= {"REF_AREA": areas(), "COUNTERPART_AREA": areas(), "MEASURE": ("EMI", "IMM"), "SEX": ("F", "M", "_U")}
    return found | {"OBS_STATUS": ("A", "E", "P"), "TIME_PERIOD": generator.YEARS}


def batches(observations: int, *, seed: int = 1, calm: bool = False) -> Iterator[pa.RecordBatch]:
    """The rows as typed, ordered by key and period; the dictionaries of all batches are those of ``domains``."""
    known = {id: pa.array(values, pa.string()) for id, values in domains().items()}
    schema = typed_schema(structure())
    for batch in generator.batches(observations, seed=seed, calm=calm):
        yield _batch(batch, schema, known)


def _batch(source: pa.RecordBatch, schema: pa.Schema, known: dict[str, pa.Array]) -> pa.RecordBatch:
    count = source.num_rows
    taken = {
        "REF_AREA": source["REF_AREA"].indices,
        "COUNTERPART_AREA": source["COUNTERPART_AREA"].indices,
        "MEASURE": source["FLOW"].indices,
        "SEX": _recoded(source["SEX"], _SEXES, known["SEX"]),
        "TIME_PERIOD": source["TIME_PERIOD"].indices,
        "OBS_STATUS": pc.fill_null(_recoded(source["OBS_STATUS"], _STATUSES, known["OBS_STATUS"]), 0),
    }
    first = pa.array(np.zeros(count, np.int32))
    found = []
    for field in schema:
        if field.name in taken:
            found.append(pa.DictionaryArray.from_arrays(taken[field.name].cast(pa.int32()), known[field.name]))
        elif len(known.get(field.name, ())):
            found.append(pa.DictionaryArray.from_arrays(first, known[field.name]))
        elif field.name.startswith("OBS_VALUE"):
            found.append(source[field.name])
        else:
            found.append(pa.nulls(count, field.type))
    return pa.RecordBatch.from_arrays(found, schema=schema)


def _recoded(column: pa.DictionaryArray, codes: dict[str, str], known: pa.Array) -> pa.Int32Array:
    """The indices of a column after its codes were exchanged."""
    new = pc.index_in(pa.array([codes[code] for code in column.dictionary.to_pylist()]), known)
    return new.take(column.indices)


def dataset(rows: Iterable[pa.RecordBatch]) -> Dataset:
    """The rows as a writer takes them, with the components that have values."""
    return Dataset(
        structure=structure(),
        ref=dataflow(),
        dataflow=dataflow(),
        batches=iter(rows),
        action=Action.REPLACE,
        domains=domains(),
        components=FILLED,
    )


def write(rows: Iterable[pa.RecordBatch], format: str, path: Path) -> None:
    """Write the rows to a file, batch by batch."""
    header = Header(id="FLOWS", prepared=datetime(2026, 1, 1, tzinfo=UTC), sender=Party(id="BENCH"))
    writer = named(format).write
    assert writer is not None
    with path.open("wb") as file:
        for chunk in writer(Message(header=header, datasets=[dataset(rows)]), WriteOptions()):
            file.write(chunk)


def write_structure(path: Path) -> None:
    """Write the data structure and all that it refers to as an SDMX-ML 2.1 message, for peers."""
    writer = named("structure-xml-2.1").write
    assert writer is not None
    wanted, found = [catalog().artefact(dataflow())], {}
    while wanted:
        artefact = wanted.pop()
        if artefact.ref not in found:
            found[artefact.ref] = artefact
            wanted.extend(catalog().children(artefact))
    header = Header(id="STRUCTURE", prepared=datetime(2026, 1, 1, tzinfo=UTC), sender=Party(id="BENCH"))
    with path.open("wb") as file:
        for chunk in writer(Message(header=header, structures=tuple(found.values())), WriteOptions()):
            file.write(chunk)


def text_table(rows: Iterable[pa.RecordBatch]) -> pa.Table:
    """The rows as text columns, those that have values: what a peer's frame or table is made of."""
    return pa.Table.from_batches([_text(batch) for batch in rows])


def _text(batch: pa.RecordBatch) -> pa.RecordBatch:
    found = {}
    for column in columns(structure()):
        if column.id == "OBS_VALUE":
            found[column.id] = render_numbers(batch[column.id], batch[column.decimals])
        elif column.role in ("dimension", "time") or column.id in FILLED:
            found[column.id] = batch[column.id].cast(pa.string())
    return pa.RecordBatch.from_pydict(found)


# --- what is in a file ----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What tells that rows are the right ones: how many, how many have a value, and the sum of the values."""

    observations: int
    values: int
    total: float

    def same(self, other: Digest) -> bool:
        """Counts are equal, and sums but for the order of adding."""
        close = abs(self.total - other.total) <= 1e-9 * max(1.0, abs(other.total))
        return (self.observations, self.values) == (other.observations, other.values) and close


def digest(rows: Iterable[pa.RecordBatch]) -> Digest:
    """The digest of rows as typed."""
    count, values, total = 0, 0, 0.0
    for batch in rows:
        column = batch["OBS_VALUE"]
        count += batch.num_rows
        values += batch.num_rows - column.null_count
        total += pc.sum(column).as_py() or 0.0
    return Digest(observations=count, values=values, total=total)


_OBSERVATION = {"generic": rb"<[a-z]*:?Obs>", "xml": rb"<[a-z]*:?Obs[ />]"}
_VALUE = {"generic": rb"<[a-z]*:?ObsValue[^>]* ?value=\"([^\"]*)\"", "xml": rb" OBS_VALUE=\"([^\"]*)\""}


def digest_file(path: Path) -> Digest:
    """The digest of a data file in SDMX-CSV, SDMX-ML or SDMX-JSON, without any reader that is measured."""
    if path.suffix == ".csv":
        options = pyarrow.csv.ConvertOptions(include_columns=["OBS_VALUE"], column_types={"OBS_VALUE": pa.float64()})
        options.null_values = ["", "NaN", "nan"]
        return _digest_values(pyarrow.csv.read_csv(path, convert_options=options)["OBS_VALUE"])
    body = path.read_bytes()
    if path.suffix == ".json":
        return _digest_json(orjson.loads(body))
    kind = "generic" if b"GenericData" in body[:2000] else "xml"
    found = np.array([value for value in re.findall(_VALUE[kind], body) if value not in (b"", b"NaN")], dtype=bytes)
    values = found.astype(np.float64)
    count = sum(1 for _ in re.finditer(_OBSERVATION[kind], body))
    return Digest(observations=count, values=len(values), total=float(values.sum()))


def _digest_values(column: Any) -> Digest:
    return Digest(
        observations=len(column), values=len(column) - column.null_count, total=float(pc.sum(column).as_py() or 0.0)
    )


def _digest_json(document: dict[str, Any]) -> Digest:
    series = document["data"]["dataSets"][0]["series"].values()
    observed = [row[0] if row else None for one in series for row in one["observations"].values()]
    values = [float(value) for value in observed if value is not None]
    return Digest(observations=len(observed), values=len(values), total=sum(values))
