"""Every data specimen of SDMX 2.1 and later: read, written in every format, valid there, read again and equal.

Equal means: the same keys, with the same measures, and with the same attributes of their series, groups and data set.
SDMX 2.1 and SDMX-CSV 1.0 have one text for each component (a documented choice of their writers), so that of several
values and languages nothing is compared there; and the first measure is called ``OBS_VALUE`` in SDMX 2.1.
"""

from __future__ import annotations

from typing import Any

import pytest

from sdmx_service.errors import SdmxError
from sdmx_service.formats.registry import named
from sdmx_service.model.message import Action, Message, WriteOptions
from tests.formats.data.invented import resolving
from tests.formats.data.specimen_data import (
    Read,
    in_2_1,
    read,
    read_specimen,
    single_valued,
    sorted_rows,
    without_odd_codes,
)
from tests.formats.data.writing import dataset
from tests.reference import Specimen
from tests.rest.reading_back import faults

KINDS = ("data", "genericdata", "generictsdata", "ssdata", "sstsdata")
VERSIONS = {"format": ("sdmx-ml", "sdmx-json", "sdmx-csv"), "version": ("1.0", "2.0", "2.1", "2.x", "3.0", "3.1")}
FORMATS = (
    "sdmx-ml-3.1", "sdmx-ml-3.0", "sdmx-ml-2.1-generic", "sdmx-ml-2.1-structurespecific", "sdmx-ml-2.1-generictimeseries",
    "sdmx-ml-2.1-structurespecifictimeseries", "sdmx-json-2.1", "sdmx-json-2.0", "sdmx-json-1.0", "sdmx-csv-2.1", "sdmx-csv-2.0", "sdmx-csv-1.0",
)  # fmt: skip

POINTS_NOWHERE = (
    "the data point to value",
    "no link has the URN",
    "declares no separator",
    "which the header does not have",
)
"""Valid by the schema, or printed by a field guide, and yet without meaning: positions beyond the list, data of nothing,
a cell of several values without a separator, data of a structure that is not in the header."""


def _is_of_time(name: str) -> bool:
    return "timeseries" in name


def _written(found: Read, name: str) -> bytes:
    write = named(name).write
    assert write is not None
    made = dataset(found.structure, sorted_rows(found), size=500, ref=found.ref, action=Action(found.action))
    return b"".join(write(Message(datasets=[made]), WriteOptions()))


def _by_key(found: Read, is_single: bool) -> dict[tuple[str, ...], Any]:
    return {key: single_valued(row, found.structure) if is_single else row for key, row in found.by_key.items()}


def _check(found: Read, name: str) -> None:
    if name == "sdmx-json-1.0":
        found = without_odd_codes(found)
    body = _written(found, name)
    assert faults(named(name).media_types[0], body, (found.structure,)) == [], name
    is_older = "2.1-" in name or name == "sdmx-json-1.0"
    told = in_2_1(found) if is_older else found
    is_single = is_older or name == "sdmx-csv-1.0"
    (back,) = read(body, resolving(told.structure))
    assert _by_key(back, is_single) == _by_key(told, is_single), name


@pytest.mark.specimens(kind=KINDS, **VERSIONS)
def test_specimens_come_back_equal_from_every_format(specimen: Specimen) -> None:
    if (specimen.format, specimen.version) == ("sdmx-ml", "2.0"):
        return  # SDMX-ML 2.0 is another matter
    try:
        found, _ = read_specimen(specimen)
    except SdmxError as error:
        assert error.detail
        if specimen.expectation.startswith("valid"):
            assert any(words in error.detail for words in POINTS_NOWHERE), error.detail
        return
    for one in found:
        if not one.rows or not one.structure.key_ids:  # nothing that is released: orders to delete, attributes alone
            continue
        for name in FORMATS:
            if _is_of_time(name) and one.structure.time_dimension is None:
                continue
            if name == "sdmx-csv-1.0" and one.action == "Delete":  # it has no word for it: nothing is there
                continue
            _check(one, name)
