"""Data specimens as plain rows: read with the structures of their origin where those are at hand, else with made ones."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from lxml import etree

from sdmx_service.errors import SdmxError
from sdmx_service.formats.recognition import head_of, recognise_data
from sdmx_service.model.columns import columns, parse_numbers
from sdmx_service.model.message import Dataset, Message, Resolve
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import Attribute, DataStructure
from sdmx_service.model.urn import Ref
from tests.formats.data import test_csv_reader, test_json_reader, test_ml_reader
from tests.formats.data.invented import resolving
from tests.formats.data.known_structures import resolving_specimens
from tests.reference import Specimen

Row = dict[str, Any]
ID = re.compile(r"[A-Za-z0-9_@$-]+", re.ASCII)
"""What the standard allows as the id of a code."""


@dataclass(frozen=True)
class Read:
    """What a reader found in a data set: observations by key, with the attributes of their series, groups and data set.

    Attributes:
        others: rows that are no observations, and that no observation of the data set belongs to.
        twice: keys that occur again.
    """

    structure: DataStructure
    ref: Ref
    action: str
    rows: tuple[Row, ...]
    others: tuple[Row, ...]
    twice: int

    @property
    def by_key(self) -> dict[tuple[str, ...], Row]:
        """The observations by their key."""
        return {key_of(row, self.structure): row for row in self.rows}


def key_of(row: Mapping[str, Any], structure: DataStructure) -> tuple[str, ...]:
    """The values of the dimensions."""
    return tuple(row[name] for name in structure.key_ids)


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, list) and value and isinstance(value[0], tuple) else value


def _rows_of(dataset: Dataset) -> list[Row]:
    ids = [one.id for one in columns(dataset.structure)]
    return [
        {name: _plain(row[name]) for name in ids if row.get(name) not in (None, "", [""], [])}
        for batch in dataset.batches
        for row in batch.to_pylist()
    ]


def _observations(structure: DataStructure, dataset: Dataset, rows: list[Row]) -> Read:
    """Rows as observations, each with what the rows of its series, groups and data set say."""
    keys = set(structure.key_ids)
    whole = [row for row in rows if keys <= row.keys()]
    by_level: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if not keys <= row.keys():
            by_level.setdefault(tuple(name for name in structure.key_ids if name in row), []).append(row)
    others: list[Row] = []
    for level, members in by_level.items():
        index: dict[tuple[str, ...], list[Row]] = {}
        for row in whole:
            index.setdefault(tuple(row[name] for name in level), []).append(row)
        for other in members:
            found = index.get(tuple(other[name] for name in level), [])
            others += [] if found else [other]
            for row in found:
                row.update({name: value for name, value in other.items() if name not in row})
    ref = dataset.ref if dataset.ref.is_exact else dataset.ref.with_version("1.0.0")
    twice = len(whole) - len({key_of(row, structure) for row in whole})
    return Read(
        structure=structure, ref=ref, action=dataset.action.value, rows=tuple(whole), others=tuple(others), twice=twice
    )


def _fitted(structure: DataStructure, rows: Sequence[Row]) -> DataStructure:
    """A made structure whose dimensions are those that every observation has; the others are attributes.

    What looks like a number and is none is a text.
    """
    observed = [row for row in rows if any(one.id in row for one in structure.measures)]
    everywhere = set.intersection(*(set(row) for row in observed)) if observed else set(structure.key_ids)
    kept = tuple(one for one in structure.dimensions if one.id in everywhere)
    loose = tuple(
        Attribute(id=one.id, concept=one.concept, representation=one.representation)
        for one in structure.dimensions
        if one.id not in everywhere
    )
    time = structure.time_dimension if structure.time_dimension and "TIME_PERIOD" in everywhere else None
    return replace(structure, dimensions=kept, time_dimension=time, attributes=(*structure.attributes, *loose))


def as_typed(structure: DataStructure, rows: Sequence[Row]) -> DataStructure:
    """The structure with texts in place of numbers where the message has other things: validation would refuse them."""
    wrong = {
        column.id
        for column in columns(structure)
        if column.kind == "number"
        and any(parse_numbers(pa.array([row.get(column.id) for row in rows], pa.string())).invalid.to_pylist())
    }
    text = Representation(text_format=TextFormat(type="String"))
    return replace(
        structure,
        measures=tuple(replace(one, representation=text) if one.id in wrong else one for one in structure.measures),
        attributes=tuple(replace(one, representation=text) if one.id in wrong else one for one in structure.attributes),
    )


def without_odd_codes(found: Read) -> Read:
    """The data set with components without codes where values have signs that no code has: SDMX-JSON 1.0 refuses them.

    Structures made for a message call everything coded.
    """
    odd = {
        name for row in found.rows for name, value in row.items() if isinstance(value, str) and not ID.fullmatch(value)
    }
    text = Representation(text_format=TextFormat(type="String"))

    def of(each: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(replace(one, representation=text) if one.id in odd and one.form.is_coded else one for one in each)

    plain = replace(
        found.structure, dimensions=of(found.structure.dimensions), attributes=of(found.structure.attributes)
    )
    return replace(found, structure=plain)


def read(content: bytes, resolve: Resolve, *, is_made: bool = False) -> list[Read]:
    """Every data set of a message; with ``is_made`` the structure was made for it, and is fitted to what it has.

    Raises:
        SdmxError: it cannot be read.
    """
    file = io.BytesIO(content)
    reader = recognise_data(head_of(file)).read
    assert reader is not None
    message = reader(file, resolve)
    assert isinstance(message, Message)
    found = []
    for one in message.datasets:
        rows = _rows_of(one)
        made = _fitted(one.structure, rows) if is_made else one.structure
        found.append(_observations(as_typed(made, rows), one, rows))
    return found


def made_structure(specimen: Specimen, content: bytes) -> DataStructure:
    """A structure with the components that a message names, for those whose own is nowhere at hand."""
    if specimen.format == "sdmx-csv":
        made = test_csv_reader.structure_of(content)
        named = tuple(one for one in made.dimensions if re.fullmatch(r"[A-Za-z][\w-]*", one.id, re.ASCII))
        return replace(made, dimensions=named)  # the columns of labels=name are called by names
    if specimen.format == "sdmx-json":
        return test_json_reader.components(json.loads(content))
    tree = etree.fromstring(content)
    at = next((one.get("dimensionAtObservation") for one in tree.iter("{*}Structure") if one.get("structureID")), None)
    at = at or "TIME_PERIOD"
    found = [test_ml_reader.rows_of_tree(one, at) for one in tree.findall("{*}DataSet")]
    return test_ml_reader.structure_of(found, at)


def read_specimen(specimen: Specimen) -> tuple[list[Read], bool]:
    """The data sets of a specimen, and whether its own structure was at hand.

    Raises:
        SdmxError: it cannot be read with either.
    """
    content = specimen.path.read_bytes()
    try:
        return read(content, resolving_specimens()), True
    except SdmxError:
        return read(content, resolving(made_structure(specimen, content)), is_made=True), False


def sorted_rows(found: Read) -> Sequence[Row]:
    """The observations as a writer gets them: each series together, periods ascending."""
    by_key = found.by_key
    return [by_key[key] for key in sorted(by_key)]


def single_valued(row: Row, structure: DataStructure) -> Row:
    """The row without what SDMX 2.1 and SDMX-CSV 1.0 write as one text."""
    kept = {one.id for one in columns(structure) if one.kind not in ("multi", "multilingual")}
    return {name: value for name, value in row.items() if name in kept}


def in_2_1(found: Read) -> Read:
    """The data set as the writers of SDMX 2.1 tell it: the first measure is ``OBS_VALUE``, others are attributes."""
    structure = found.structure
    primary = next((one for one in structure.measures if one.id == "OBS_VALUE"), next(iter(structure.measures), None))
    if primary is None:
        return found
    others = tuple(
        Attribute(id=one.id, concept=one.concept, representation=one.representation)
        for one in structure.measures
        if one is not primary
    )
    older = replace(
        structure, measures=(replace(primary, id="OBS_VALUE"),), attributes=(*structure.attributes, *others)
    )
    renamed = tuple(
        {"OBS_VALUE" if name == primary.id else name: value for name, value in row.items()} for row in found.rows
    )
    return replace(found, structure=older, rows=renamed)
