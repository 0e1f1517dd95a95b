"""How fast each format is written, beside pysdmx on the same rows in the same run: ``python -m benchmarks.writers``.

Figures are observations per second of processor time (so that other load on the machine matters less) on one core; the
peer gets its rows as the pandas frame it wants, made beforehand, and fewer of them, as it is slower.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa
from pysdmx.io import write_sdmx
from pysdmx.io.format import Format as PeerFormat
from pysdmx.io.pd import PandasDataset
from pysdmx.model import Component, Components, Concept, DataType, Role
from pysdmx.model.dataflow import Schema

from benchmarks import generator
from sdmx_service.formats.registry import named
from sdmx_service.model.message import Action, Dataset, Message, WriteOptions
from sdmx_service.model.urn import Ref

PEERS = {
    "sdmx-csv-2.1": PeerFormat.DATA_SDMX_CSV_2_1_0,
    "sdmx-csv-2.0": PeerFormat.DATA_SDMX_CSV_2_0_0,
    "sdmx-csv-1.0": PeerFormat.DATA_SDMX_CSV_1_0_0,
    "sdmx-ml-3.1": PeerFormat.DATA_SDMX_ML_3_1,
    "sdmx-ml-3.0": PeerFormat.DATA_SDMX_ML_3_0,
    "sdmx-ml-2.1-structurespecific": PeerFormat.DATA_SDMX_ML_2_1_STR,
    "sdmx-ml-2.1-generic": PeerFormat.DATA_SDMX_ML_2_1_GEN,
    "sdmx-json-2.1": None,
    "sdmx-json-2.0": None,
}
"""Our formats, and what the peer calls them; it writes no SDMX-JSON data."""
FLAT = "AllDimensions"
_DATAFLOW = Ref(type="Dataflow", agency=generator.AGENCY, id="DF_FLOWS", version="1.0.0")


def message(batches: list[pa.RecordBatch], view: str | None) -> Message:
    """The generated rows as a message for our writers."""
    dataset = Dataset(
        structure=generator.structure(),
        ref=_DATAFLOW,
        dataflow=_DATAFLOW,
        batches=iter(batches),
        action=Action.REPLACE,
        domains=generator.codes(),
        dimension_at_observation=view,
    )
    return Message(datasets=[dataset])


def peer_dataset(batches: list[pa.RecordBatch], count: int) -> PandasDataset:
    """The same rows as pysdmx wants them."""
    table = pa.Table.from_batches(batches).slice(0, count).select([*generator.codes(), "OBS_VALUE"])
    frame = table.to_pandas().astype(dict.fromkeys(generator.codes(), str))
    frame["OBS_STATUS"] = frame["OBS_STATUS"].replace("None", pd.NA)
    made = generator.structure()
    roles = {
        **dict.fromkeys(made.key_ids, (Role.DIMENSION, None)),
        "OBS_VALUE": (Role.MEASURE, None),
        "OBS_STATUS": (Role.ATTRIBUTE, "O"),
    }
    components = [
        Component(
            id=name, required=True, role=role, concept=Concept(id=name, dtype=DataType.STRING), attachment_level=level
        )
        for name, (role, level) in roles.items()
    ]
    schema = Schema(
        context="dataflow", agency=_DATAFLOW.agency, id=_DATAFLOW.id, version=_DATAFLOW.version,
        components=Components(components), artefacts=[],
    )  # fmt: skip
    return PandasDataset(structure=schema, data=frame)


def speed(write: Callable[[], Any], count: int, repeats: int) -> float:
    """Observations per second of processor time, the best of some repeats."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        write()
        best = min(best, time.process_time() - start)
    return count / best


def ours(name: str, batches: list[pa.RecordBatch], view: str | None) -> int:
    """Write everything and throw it away; the bytes written."""
    write = named(name).write
    assert write is not None
    return sum(map(len, write(message(batches, view), WriteOptions())))


def measure(
    observations: int, peer_observations: int, repeats: int
) -> list[tuple[str, str, float, float | None, float]]:
    """Per format and view: our speed, the peer's, and bytes per observation."""
    batches = list(generator.batches(observations))
    peer = peer_dataset(batches, peer_observations)
    measured = []
    for name, format in PEERS.items():
        for view in (None, FLAT):
            size = ours(name, batches, view)
            fast = speed(partial(ours, name, batches, view), observations, repeats)
            slow = None
            if format is not None and ("csv" not in name or view is None):
                options = {} if "csv" in name else {"dimension_at_observation": {peer.short_urn: view or "TIME_PERIOD"}}
                slow = speed(partial(write_sdmx, [peer], format, **options), peer_observations, 1)
            measured.append((name, view or "series", fast, slow, size / observations))
    return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--observations", type=int, default=1_000_000)
    parser.add_argument("--peer-observations", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{'format':31} {'view':14} {'M obs/s':>8} {'pysdmx':>8} {'ratio':>7} {'B/obs':>6}")
    for name, view, fast, slow, size in measure(arguments.observations, arguments.peer_observations, arguments.repeats):
        peer, ratio = ("", "") if slow is None else (f"{slow / 1e6:.3f}", f"{fast / slow:.1f}")
        print(f"{name:31} {view:14} {fast / 1e6:8.2f} {peer:>8} {ratio:>7} {size:6.1f}")


if __name__ == "__main__":
    main()
