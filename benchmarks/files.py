"""Writing and reading files: our formats, pysdmx and sdmx1."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from benchmarks import flows
from benchmarks.context import Context
from benchmarks.flows import Digest
from benchmarks.measuring import Figure, figure
from sdmx_service.formats.recognition import head_of, recognise_data
from sdmx_service.model.message import Message

Run = Callable[[Context], Figure]
PYSDMX = {
    "sdmx-csv-2.0": "DATA_SDMX_CSV_2_0_0",
    "sdmx-ml-2.1-structurespecific": "DATA_SDMX_ML_2_1_STR",
    "sdmx-ml-2.1-generic": "DATA_SDMX_ML_2_1_GEN",
    "sdmx-ml-3.0": "DATA_SDMX_ML_3_0",
}
"""Our name of a format -> pysdmx's."""


def suffix(format: str) -> str:
    """The file suffix of a format."""
    return {"csv": ".csv", "json": ".json"}.get(format.split("-")[1], ".xml")


# --- writing --------------------------------------------------------------------------------------------------------
def write_ours(format: str, context: Context) -> Figure:
    """Write from Arrow batches that lie in memory."""
    path = context.file(f"ours-{format}{suffix(format)}")
    rows = list(flows.batches(context.observations))
    found = figure(lambda: flows.write(rows, format, path), context.observations, path)
    context.require(flows.digest_file(path), path.name)
    path.unlink()
    return found


def write_pysdmx(format: str, context: Context) -> Figure:
    """Write from a pysdmx data set (a data frame) in memory, grouped in series as ours."""
    from pysdmx.io import write_sdmx
    from pysdmx.io.format import Format
    from pysdmx.io.pd import PandasDataset

    path = context.file(f"pysdmx-{format}{suffix(format)}")
    schema = _pysdmx_schema(context)
    dataset = PandasDataset(structure=schema, data=flows.text_table(flows.batches(context.observations)).to_pandas())
    options: dict[str, Any] = {}
    if suffix(format) == ".xml":
        options = {"prettyprint": False, "dimension_at_observation": {schema.short_urn: "TIME_PERIOD"}}
    found = figure(
        lambda: write_sdmx([dataset], Format[PYSDMX[format]], str(path), **options), context.observations, path
    )
    context.require(flows.digest_file(path), path.name)
    path.unlink()
    return found


def _structure_file(context: Context) -> Path:
    path = context.folder / "structure.xml"
    if not path.exists():
        flows.write_structure(path)
    return path


def _pysdmx_schema(context: Context) -> Any:
    from pysdmx.io import read_sdmx

    message = read_sdmx(_structure_file(context), validate=False)
    (structure,) = message.get_data_structure_definitions()
    return structure.to_schema()


def write_sdmx1(context: Context) -> Figure:
    """Write structure-specific SDMX-ML 2.1 from sdmx1's objects, read from our file before."""
    import sdmx

    path = context.file("sdmx1.xml")
    message = _sdmx1_message(context, "sdmx-ml-2.1-structurespecific")
    found = figure(lambda: path.write_bytes(sdmx.to_xml(message)), context.observations, path)
    written = len(re.findall(rb"<[a-z]*:?Obs[ />]", path.read_bytes()))
    if written != context.observations:
        raise AssertionError(f"sdmx1 wrote {written} observations.")
    path.unlink()
    return found


# --- reading --------------------------------------------------------------------------------------------------------
def source(context: Context, format: str, *, calm: bool = False) -> Path:
    """A file of the rows, written once."""
    path = context.file(f"{'calm-' * calm}{format}{suffix(format)}")
    if not path.exists():
        partial_path = path.with_suffix(".part")
        flows.write(flows.batches(context.observations, calm=calm), format, partial_path)
        partial_path.rename(path)
    return path


def read_ours(format: str, context: Context) -> Figure:
    """Read to text columns with their origin, batch by batch; nothing is kept."""
    path = source(context, format)
    counted: dict[str, float] = {"rows": 0, "values": 0, "total": 0.0}

    def read() -> None:
        with path.open("rb") as file:
            found = recognise_data(head_of(file, name=path.name)).read
            assert found is not None
            message = found(file, flows.catalog().target)
            assert isinstance(message, Message)
            for dataset in message.datasets:
                for batch in dataset.batches:
                    value = batch["OBS_VALUE"]
                    text = value.filter(pc.fill_null(pc.not_equal(value, ""), False))
                    counted["rows"] += pc.sum(pc.is_valid(batch["TIME_PERIOD"])).as_py()
                    counted["values"] += len(text)
                    counted["total"] += pc.sum(text.cast("double")).as_py() or 0.0

    found = figure(read, context.observations, path, "text columns with row numbers, streamed")
    context.require(
        Digest(observations=int(counted["rows"]), values=int(counted["values"]), total=counted["total"]), path.name
    )
    return found


def read_pysdmx(format: str, context: Context, *, calm: bool = False) -> Figure:
    """Read to a data frame of text, without XSD validation."""
    import pandas as pd
    from pysdmx.io import read_sdmx

    path = source(context, format, calm=calm)
    frames: list[Any] = []
    found = figure(lambda: frames.extend(read_sdmx(path, validate=False).data or ()), context.observations, path)
    values = pd.to_numeric(frames[0].data["OBS_VALUE"].astype("object").replace("", None), errors="coerce").dropna()
    digest = Digest(observations=len(frames[0].data), values=len(values), total=float(values.sum()))
    context.require(digest, path.name, calm=calm)
    return found


def read_sdmx1(format: str, context: Context) -> Figure:
    """Read to sdmx1's objects and, but for CSV, to pandas."""
    import sdmx

    structure = _sdmx1_structure(context)
    path = source(context, format)
    messages: list[Any] = []

    def read() -> None:
        messages.append(sdmx.read_sdmx(path, structure=structure))
        if suffix(format) == ".xml":
            messages.append(sdmx.to_pandas(messages[0]))

    note = "to_pandas left out: it refuses an empty value" if suffix(format) == ".csv" else ""
    found = figure(read, context.observations, path, note)
    count = len(messages[0].data[0].obs)
    if count != context.observations:
        raise AssertionError(f"sdmx1 read {count} observations.")
    return found


def _sdmx1_structure(context: Context) -> Any:
    import logging

    import sdmx

    logging.getLogger("sdmx").setLevel(logging.ERROR)
    message: Any = sdmx.read_sdmx(_structure_file(context))
    return message.structure[flows.structure().id]


def _sdmx1_message(context: Context, format: str) -> Any:
    import sdmx

    return sdmx.read_sdmx(source(context, format), structure=_sdmx1_structure(context))


WRITTEN = ("sdmx-csv-2.0", "sdmx-ml-2.1-structurespecific", "sdmx-ml-2.1-generic", "sdmx-ml-3.0", "sdmx-json-2.1")
READ = WRITTEN[:3]


def writing(format: str) -> dict[str, Run]:
    """Who writes a format."""
    found: dict[str, Run] = {"ours": partial(write_ours, format)}
    if format in PYSDMX:
        found["pysdmx"] = partial(write_pysdmx, format)
    if format == "sdmx-ml-2.1-structurespecific":
        found["sdmx1"] = write_sdmx1
    return found


def reading(format: str) -> dict[str, Run]:
    """Who reads a format."""
    return {
        "ours": partial(read_ours, format),
        "pysdmx": partial(read_pysdmx, format),
        "sdmx1": partial(read_sdmx1, format),
    }
