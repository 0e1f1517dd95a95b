"""Bilateral flows that nobody ever counted: any number of observations, always the same ones.

235 x 235 pairs of areas, 33 years, up to six variants (sex, kind of flow), 80 % whole numbers, 20 % with one decimal,
1 % without a value, 10 % with a status. ``batches`` yields the rows as typed (``model.columns``), ordered by key and
period. Figures of one series have nothing to do with each other, so that rules about series find something wrong
everywhere; *calm* ones keep to a level and a trend, as those of a file do that an agency accepts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pyarrow as pa

from sdmx_service.model.columns import typed_schema
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import Attribute, DataStructure, Dimension, Measure, TimeDimension
from sdmx_service.model.urn import Ref

AREAS = tuple(f"{number:03}" for number in range(1, 236))
YEARS = tuple(str(year) for year in range(1990, 2023))
VARIANTS = tuple(product(("_T", "M", "F"), ("IMM", "EMI")))
STATUSES = ("A", "E", "P", "M")
PAIRS = len(AREAS) ** 2
MOST = PAIRS * len(VARIANTS) * len(YEARS)
"""10,934,550: all series there can be."""

AGENCY, DATAFLOW, PROVIDER = "BENCH", "BENCH:DF_FLOWS(1)", "BENCH.OFFICE"


def _concept(id: str) -> Ref:
    return Ref(type="Concept", agency=AGENCY, id="CS_FLOWS", version="1.0.0", item=id)


def _coded(id: str) -> Representation:
    return Representation(enumeration=Ref(type="Codelist", agency=AGENCY, id=f"CL_{id}", version="1.0.0"))


def structure() -> DataStructure:
    """The data structure of the rows."""
    dimensions = ("FREQ", "REF_AREA", "COUNTERPART_AREA", "SEX", "FLOW")
    return DataStructure(
        agency=AGENCY,
        id="DSD_FLOWS",
        version="1.0.0",
        dimensions=tuple(Dimension(id=id, concept=_concept(id), representation=_coded(id)) for id in dimensions),
        time_dimension=TimeDimension(id="TIME_PERIOD", concept=_concept("TIME_PERIOD")),
        measures=(
            Measure(
                id="OBS_VALUE",
                concept=_concept("OBS_VALUE"),
                representation=Representation(text_format=TextFormat(type="Decimal")),
            ),
        ),
        attributes=(Attribute(id="OBS_STATUS", concept=_concept("OBS_STATUS"), representation=_coded("OBS_STATUS")),),
    )


def codes() -> dict[str, tuple[str, ...]]:
    """Every code that can occur, per coded component and time."""
    return {
        "FREQ": ("A",),
        "REF_AREA": AREAS,
        "COUNTERPART_AREA": AREAS,
        "SEX": ("F", "M", "_T"),
        "FLOW": ("EMI", "IMM"),
        "TIME_PERIOD": YEARS,
        "OBS_STATUS": tuple(sorted(STATUSES)),
    }


def batches(observations: int, *, rows: int = 65_536, seed: int = 1, calm: bool = False) -> Iterator[pa.RecordBatch]:
    """The rows as typed.

    Args:
        observations: how many; at most ``MOST``. The last series may be cut.
        rows: of a batch, about.
        seed: another seed gives other values for the same keys (a revision of everything).
        calm: figures of a series follow each other.
    """
    if not 0 <= observations <= MOST:
        raise ValueError(f"{observations} is not between 0 and {MOST}.")
    schema = typed_schema(structure())
    series = -(-observations // len(YEARS))
    variants = max(1, -(-series // PAIRS))
    pace = max(1, rows // len(YEARS))
    for begin in range(0, series, pace):
        numbers = np.repeat(np.arange(begin, min(begin + pace, series)), len(YEARS))
        years = np.tile(np.arange(len(YEARS)), min(begin + pace, series) - begin)
        random = np.random.default_rng([seed, begin])
        values = _calm(len(years) // len(YEARS), random) if calm else random.lognormal(5, 3, len(years))
        batch = _batch(schema, numbers // variants, numbers % variants, years, values, random)
        yield batch.slice(0, min(batch.num_rows, observations - begin * len(YEARS)))


def _calm(series: int, random: np.random.Generator) -> np.ndarray:
    """Figures of whole series: a level, a trend of some per cent a year, and small waves."""
    level = random.lognormal(6, 1.5, series)[:, None]
    trend = random.normal(0, 0.02, series)[:, None] * np.arange(len(YEARS))
    return (20 + level * np.exp(trend + random.normal(0, 0.03, (series, len(YEARS))))).reshape(-1)


def _batch(
    schema: pa.Schema,
    pairs: np.ndarray,
    variants: np.ndarray,
    years: np.ndarray,
    figures: np.ndarray,
    random: np.random.Generator,
) -> pa.RecordBatch:
    count, known = len(pairs), codes()
    values = np.round(figures, 1)
    decimals = np.where(random.random(count) < 0.2, 1, 0).astype(np.int8)
    values = np.where(decimals == 1, values, np.round(values))
    is_missing = random.random(count) < 0.01
    sex = np.array([known["SEX"].index(one) for one, _ in VARIANTS])[variants]
    flow = np.array([known["FLOW"].index(one) for _, one in VARIANTS])[variants]
    status = random.integers(0, len(STATUSES), count)
    columns = {
        "FREQ": _coded_column(np.zeros(count), known["FREQ"]),
        "REF_AREA": _coded_column(pairs // len(AREAS), AREAS),
        "COUNTERPART_AREA": _coded_column(pairs % len(AREAS), AREAS),
        "SEX": _coded_column(sex, known["SEX"]),
        "FLOW": _coded_column(flow, known["FLOW"]),
        "TIME_PERIOD": _coded_column(years, YEARS),
        "OBS_VALUE": pa.array(values, mask=is_missing),
        "OBS_VALUE.decimals": pa.array(decimals, mask=is_missing),
        "OBS_VALUE.text": pa.nulls(count, pa.string()),
        "OBS_STATUS": _coded_column(status, known["OBS_STATUS"], random.random(count) >= 0.1),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _coded_column(indices: np.ndarray, known: tuple[str, ...], mask: np.ndarray | None = None) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int32), mask=mask), pa.array(known))
