"""Small invented structures and rows for the tests of the store: ice cream, and where it is eaten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sdmx_service.model.columns import Column, columns, parse_numbers, render_numbers, typed_fields, typed_schema
from sdmx_service.model.message import Action
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.selection import Cube, Selection
from sdmx_service.model.structure import (
    Attribute,
    DataStructure,
    Dimension,
    Group,
    Measure,
    Relationship,
    TimeDimension,
)
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import StagedPart, Store

Row = Mapping[str, Any]

CODED = Representation(enumeration=Ref(type="Codelist", agency="ICE", id="CL_ANY", version="1.0.0"))
CODED_LIST = Representation(enumeration=CODED.enumeration, min_occurs=0, max_occurs="unbounded")
NUMBER = Representation(text_format=TextFormat(type="Decimal"))
TEXT = Representation(text_format=TextFormat(type="String"))
TEXTS = Representation(text_format=TextFormat(type="String", is_multilingual=True))

SALES, PARLOURS = "ICE:DF_SALES(1)", "ICE:DF_PARLOURS(1)"
NORTH, SOUTH = "ICE.NORTH", "ICE.SOUTH"


def concept(id: str) -> Ref:
    return Ref(type="Concept", agency="ICE", id="CS_ICE", version="1.0.0", item=id)


def attribute(id: str, form: Representation, kind: str, *dimensions: str, group: str | None = None) -> Attribute:
    relation = Relationship(kind=kind, dimensions=dimensions, group=group)  # type: ignore[arg-type]
    return Attribute(id=id, concept=concept(id), representation=form, relationship=relation)


def dimension(id: str) -> Dimension:
    return Dimension(id=id, concept=concept(id), representation=CODED)


def ice_cream(*, version: str = "1.0.0", with_time: bool = True, more: Sequence[Attribute] = ()) -> DataStructure:
    """Two measures (decimal, coded), attributes at each level, of each kind."""
    return DataStructure(
        agency="ICE",
        id="DSD_ICE" if with_time else "DSD_ICE_NOW",
        version=version,
        dimensions=(dimension("FREQ"), dimension("AREA"), dimension("FLAVOUR")),
        time_dimension=TimeDimension(id="TIME_PERIOD", concept=concept("TIME_PERIOD")) if with_time else None,
        groups=(Group(id="Place", dimensions=("AREA",)),),
        measures=(
            Measure(id="SCOOPS", concept=concept("SCOOPS"), representation=NUMBER),
            Measure(id="MOOD", concept=concept("MOOD"), representation=CODED),
        ),
        attributes=(
            attribute("STATUS", CODED, "observation"),
            attribute("ERROR", NUMBER, "observation"),
            attribute("REMARK", TEXTS, "observation"),
            attribute("TOPPINGS", CODED_LIST, "observation"),
            attribute("UNIT", CODED, "dimensions", "FREQ", "AREA", "FLAVOUR"),
            attribute("FACTOR", NUMBER, "dimensions", "FREQ", "AREA", "FLAVOUR"),
            attribute("SHOP", TEXT, "group", group="Place"),
            attribute("TASTERS", CODED_LIST, "dimensions", "AREA", "FLAVOUR"),
            attribute("SOURCE", TEXTS, "dataset"),
            *more,
        ),
    )


ICE = ice_cream()
ICE_NOW = ice_cream(with_time=False)


# --- rows ------------------------------------------------------------------------------------------------------------


def typed(structure: DataStructure, rows: Iterable[Row]) -> pa.RecordBatch:
    """Rows as typed; numbers are given as text."""
    listed = list(rows)
    arrays: list[Any] = []
    for column in columns(structure):
        values = [row.get(column.id) for row in listed]
        fields = typed_fields(column)
        if column.kind == "number":
            numbers = parse_numbers(pa.array(values, pa.string()))
            arrays += [numbers.values, numbers.decimals, numbers.texts]
        elif column.kind == "multilingual":
            arrays.append(pa.array([None if v is None else list(v.items()) for v in values], fields[0].type))
        elif column.kind == "code":
            arrays.append(pa.array(values, pa.string()).dictionary_encode().cast(fields[0].type))
        else:
            arrays.append(pa.array(values, fields[0].type))
    return pa.RecordBatch.from_arrays(arrays, schema=typed_schema(structure))


def untyped(structure: DataStructure, rows: pa.RecordBatch | pa.Table) -> list[dict[str, Any]]:
    """Rows as typed back into dictionaries without what is null; numbers become text."""
    known = {column.id: column for column in columns(structure)}
    names = [name for name in rows.schema.names if name.startswith("_") or name in known]
    found = [_values(rows, name, known.get(name)) for name in names]
    lines = zip(*found, strict=True) if found else ((),) * rows.num_rows
    return [{name: value for name, value in zip(names, line, strict=True) if value is not None} for line in lines]


def _values(rows: Any, name: str, column: Column | None) -> list[Any]:
    array = rows.column(name)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if column is not None and column.kind == "number":
        decimals, texts = (rows.column(part) for part in (column.decimals, column.text))
        if isinstance(decimals, pa.ChunkedArray):
            decimals, texts = decimals.combine_chunks(), texts.combine_chunks()
        return render_numbers(array, decimals, texts).to_pylist()
    if column is not None and column.kind == "multilingual":
        return [None if value is None else dict(value) for value in array.to_pylist()]
    return array.to_pylist()


def row(freq: str, area: str, flavour: str, period: str | None = None, scoops: str | None = None, **more: Any) -> Row:
    """A row of ICE."""
    found = {"FREQ": freq, "AREA": area, "FLAVOUR": flavour, "TIME_PERIOD": period, "SCOOPS": scoops} | more
    return {name: value for name, value in found.items() if value is not None}


FULL = row(
    "A", "X", "VAN", "2020", "1.50", MOOD="GOOD", STATUS="E", ERROR="0.1", REMARK={"en": "warm", "de": 'sehr "warm"\n'},
    TOPPINGS=["NUT", "a,b", "[\"x\"]"], UNIT="EUR", FACTOR="1.0", SHOP="Gino's\\", TASTERS=["K"], SOURCE={"en": "us"},
)  # fmt: skip
"""A row with every component of ICE."""


# --- the store -------------------------------------------------------------------------------------------------------


def stage(
    store: Store,
    submission: str,
    *parts: tuple[str, Iterable[Row]],
    dataflow: str = SALES,
    provider: str = NORTH,
    structure: DataStructure = ICE,
) -> str:
    """Keep a submission of parts (action, rows)."""
    load = store.stage(submission)
    for action, rows in parts:
        part = StagedPart(structure=structure, dataflow=dataflow, provider=provider, action=Action.from_text(action))
        load.append(part, typed(structure, rows))
    load.keep()
    return submission


def publish(store: Store, *parts: tuple[str, Iterable[Row]], submission: str = "S", **where: Any) -> int:
    """Keep and publish a submission; returns the release."""
    stage(store, submission, *parts, **where)
    return store.publish([submission])[0].number


def select(store: Store, context: str = "dataflow", *, structure: DataStructure = ICE, **more: Any) -> Selection:
    """A selection at the current release."""
    more.setdefault("release", store.pointer().release)
    if context == "dataflow":
        more.setdefault("dataflows", (SALES,))
    return Selection(structure=structure, cube=Cube.of(structure), context=context, **more)  # type: ignore[arg-type]


def read(store: Store, selection: Selection) -> list[dict[str, Any]]:
    """The rows of a selection."""
    domains = store.domains(selection)
    return [one for batch in store.scan(selection, domains) for one in untyped(selection.structure, batch)]


def observed(store: Store, *args: Any, **more: Any) -> list[str]:
    """The rows of a selection in short: ``AREA.FLAVOUR.PERIOD=SCOOPS``."""
    rows = read(store, select(store, *args, **more))
    return [f"{r['AREA']}.{r['FLAVOUR']}.{r.get('TIME_PERIOD', '')}={r.get('SCOOPS', '')}" for r in rows]
