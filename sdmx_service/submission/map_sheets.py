"""A mapping as sheets of a workbook: its layout, its structure maps, a sheet for each representation map.

The sheets are ``Mapping`` (what it is), ``Layout`` and ``Artefacts`` (trees of values, a path in each row),
``Components`` (what becomes what), ``Maps`` (which sheet is which representation map) and the rows of the maps. Names
stand beside codes to be read, not to be edited. ``map_reading`` reads them back; what nobody touched comes back as it
was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.layout import Layout
from sdmx_service.catalog.loading import Content, serialise
from sdmx_service.errors import NotFound
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.items import Codelist, ValueList
from sdmx_service.model.mapping import MappedValue, MappingRow, RepresentationMap, StructureMap
from sdmx_service.model.text_sheet import TextSheet
from sdmx_service.model.urn import Ref
from sdmx_service.submission.candidates import OFFERED
from sdmx_service.submission.decisions import DECISION
from sdmx_service.submission.map_cells import written, written_list, written_value

FORMAT: Final = "sdmx-service map 1"
MAPPING, LAYOUT, ARTEFACTS, COMPONENTS, MAPS = "Mapping", "Layout", "Artefacts", "Components", "Maps"
KINDS: Final = {"StructureMap": "structureMaps", "RepresentationMap": "representationMaps"}
"""Classes of artefacts that travel, and the lists of SDMX-JSON that hold them."""
ROWS, COMPONENT_MAPS, FIXED = "representationMappings", "componentMaps", "fixedValueMaps"
TREE_HEADER: Final = ("path", "value", "kind")
COMPONENTS_HEADER: Final = ("structure map", "kind", "source", "target", "map or value", "more")
MAPS_HEADER: Final = ("sheet", "map", "name", "source", "target")
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_LONGEST_NAME: Final = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Travelling:
    """What goes into one workbook: a layout, or None, and maps."""

    layout: Layout | None
    structure_maps: tuple[StructureMap, ...] = ()
    representation_maps: tuple[RepresentationMap, ...] = ()

    @property
    def artefacts(self) -> tuple[Maintainable, ...]:
        """The maps, those that others refer to first."""
        return (*self.representation_maps, *self.structure_maps)


def travelling(name: str, catalog: Catalog) -> Travelling:
    """The mapping of that id with all its maps, or the one map that a reference means.

    Raises:
        NotFound: there is none.
        UnresolvedReference: a map that it uses is not in the catalog.
    """
    if name in catalog.layouts:
        layout = catalog.layouts[name]
        refs = dict.fromkeys(table.map for table in layout.tables)
        return _with_maps(layout, [_of(StructureMap, catalog.artefact(ref)) for ref in refs], catalog)
    for type in KINDS:  # noqa: A001
        try:
            found = catalog.named(name, type)
        except NotFound:
            continue
        if isinstance(found, StructureMap):
            return _with_maps(None, [found], catalog)
        return Travelling(layout=None, representation_maps=(_bare(_of(RepresentationMap, found)),))
    raise NotFound(f"There is no mapping, structure map or representation map {name!r}.", hint=_listed(catalog))


def _listed(catalog: Catalog) -> str:
    return f"Mappings: {', '.join(sorted(catalog.layouts)) or 'none'}."


def _of(kind: type[Any], found: Maintainable) -> Any:
    if not isinstance(found, kind):
        raise NotFound(f"{found.ref.text} is a {found.type}, not a {kind.__name__}.")
    return found


def _with_maps(layout: Layout | None, structure_maps: Sequence[StructureMap], catalog: Catalog) -> Travelling:
    refs = dict.fromkeys(
        one.representation_map
        for structure_map in structure_maps
        for one in structure_map.components
        if one.representation_map is not None
    )
    maps = {found.ref: found for found in (_of(RepresentationMap, catalog.artefact(ref)) for ref in refs)}
    return Travelling(
        layout=layout,
        structure_maps=tuple(structure_maps),
        representation_maps=tuple(_bare(one) for one in maps.values()),
    )


def _bare(one: RepresentationMap) -> RepresentationMap:
    """Without the decisions that are only offered."""
    kept = tuple(note for note in one.annotations if note.type != OFFERED)
    return one if len(kept) == len(one.annotations) else replace(one, annotations=kept)


def document_of(artefact: Maintainable) -> dict[str, Any]:
    """The artefact as SDMX-JSON has it, inside its message."""
    (body,) = serialise(Content(artefacts=[artefact])).values()
    found: dict[str, Any] = orjson.loads(body)["data"][KINDS[artefact.type]][0]
    return found


# --- writing --------------------------------------------------------------------------------------------------------
def sheets_of(found: Travelling, catalog: Catalog, language: str = "en") -> list[TextSheet]:
    """The sheets of a workbook.

    Args:
        language: of the names beside the codes.
    """
    names = _sheet_names(found.representation_maps)
    documents = {one.ref: document_of(one) for one in found.artefacts}
    sheets = [_about(found, language)]
    if found.layout is not None:
        rows = tuple(_tree(found.layout.document))
        sheets.append(TextSheet(name=LAYOUT, header=TREE_HEADER, rows=rows, widths={0: 50, 1: 60, 2: 10}))
    sheets.append(_heads(found, documents))
    if found.structure_maps:
        sheets.append(_components(found, documents))
    sheets.append(_index(found, names, language))
    sheets += [
        _rows_sheet(one, documents[one.ref].get(ROWS, []), names[one.ref], catalog, language)
        for one in found.representation_maps
    ]
    return sheets


_ADVICE = (
    "Edit the sheets of the maps: a row maps source values to target values. Columns in italics only tell something.",
    "kind: value (compared as it is), regex (an expression; \\1 in a target is its first group), any (with from, to).",
    "from, to: the characters of the source value that are compared, the first is 1. valid from, valid to: periods.",
    "A text in quotes is a JSON string: empty, with spaces at an end, or with signs that a spreadsheet would change.",
    "A map that is changed becomes a new version when this workbook is imported; versions are never overwritten.",
)


def _about(found: Travelling, language: str) -> TextSheet:
    said = [("format", FORMAT), ("mapping", written(found.layout.id) if found.layout else None), ("language", language)]
    rows = [*said, *((None, text) for text in _ADVICE)]
    return TextSheet(name=MAPPING, header=("what", "value"), rows=tuple(rows), widths={0: 14, 1: 120})


def _tree(value: Any, path: str = "") -> Iterator[tuple[str | None, ...]]:
    """A JSON value as rows of path (JSON pointer), value and kind; lists and empty objects have rows of their own."""
    if isinstance(value, Mapping):
        if not value:
            yield written(path), None, "object"
        for name, member in value.items():
            yield from _tree(member, f"{path}/{str(name).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list | tuple):
        yield written(path), None, "list"
        for number, member in enumerate(value):
            yield from _tree(member, f"{path}/{number}")
    elif isinstance(value, str):
        yield written(path), written(value) if value else None, "text"
    else:
        kind = "nothing" if value is None else "flag" if isinstance(value, bool) else "number"
        yield written(path), None if value is None else written_value(value), kind


def _heads(found: Travelling, documents: Mapping[Ref, Mapping[str, Any]]) -> TextSheet:
    """What the artefacts say beside rows and component maps: names, annotations, time maps."""
    left = {ROWS, COMPONENT_MAPS, FIXED, "links"}
    rows = [
        (f"{one.type} {one.ref.text}", *row)
        for one in found.artefacts
        for row in _tree({name: value for name, value in documents[one.ref].items() if name not in left})
    ]
    header = ("artefact", *TREE_HEADER)
    return TextSheet(name=ARTEFACTS, header=header, rows=tuple(rows), widths={0: 50, 1: 40, 2: 60, 3: 10})


def _components(found: Travelling, documents: Mapping[Ref, Mapping[str, Any]]) -> TextSheet:
    rows: list[tuple[str | None, ...]] = []
    for one in found.structure_maps:
        document = documents[one.ref]
        for component in document.get(COMPONENT_MAPS, []):
            rest = {name: value for name, value in component.items() if name not in ("source", "target")}
            said = rest.pop("representationMap", None)
            rows.append(
                (
                    one.ref.text,
                    "copy" if said is None else "map",
                    written_list(component.get("source", [])),
                    written_list(component.get("target", [])),
                    None if said is None else Ref.parse(said).text,
                    written_value(rest) if rest else None,
                )
            )
        for fixed in document.get(FIXED, []):
            rest = {name: value for name, value in fixed.items() if name not in ("source", "target", "values")}
            rows.append(
                (
                    one.ref.text,
                    "fixed",
                    written(fixed["source"]) if "source" in fixed else None,
                    written(fixed["target"]) if "target" in fixed else None,
                    written_list(fixed.get("values", [])),
                    written_value(rest) if rest else None,
                )
            )
    comments = {1: "copy, map (through the representation map named), or fixed (the values named)",
                2: "component ids; several as a JSON list", 5: "annotations, as JSON"}  # fmt: skip
    return TextSheet(
        name=COMPONENTS,
        header=COMPONENTS_HEADER,
        rows=tuple(rows),
        comments=comments,
        widths={0: 36, 1: 8, 2: 24, 3: 24, 4: 50, 5: 30},
    )


def _index(found: Travelling, names: Mapping[Ref, str], language: str) -> TextSheet:
    rows = tuple(
        (
            names[one.ref],
            one.ref.text,
            one.name((language,)),
            ", ".join(map(_text_of, one.sources)),
            ", ".join(map(_text_of, one.targets)),
        )
        for one in found.representation_maps
    )
    return TextSheet(
        name=MAPS,
        header=MAPS_HEADER,
        rows=rows,
        told=frozenset({2, 3, 4}),
        widths={0: 34, 1: 44, 2: 50, 3: 30, 4: 30},
    )


def _text_of(one: Ref | str) -> str:
    return one.text if isinstance(one, Ref) else one


def _sheet_names(maps: Iterable[RepresentationMap]) -> dict[Ref, str]:
    taken = {name.casefold() for name in (MAPPING, LAYOUT, ARTEFACTS, COMPONENTS, MAPS)}
    names: dict[Ref, str] = {}
    for one in maps:
        plain = _FORBIDDEN.sub("_", one.id)[:_LONGEST_NAME]
        name, number = plain, 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain[: _LONGEST_NAME - len(str(number)) - 1]}~{number}"
        taken.add(name.casefold())
        names[one.ref] = name
    return names


# --- the rows of a representation map --------------------------------------------------------------------------------
_Get = Callable[[MappingRow, Mapping[str, Any]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column of the sheet of a map: its header, and what it shows of a row (and of the row's SDMX-JSON)."""

    title: str
    get: _Get
    width: float = 16
    comment: str = ""
    is_told: bool = False


def _rows_sheet(
    one: RepresentationMap, documents: Sequence[Mapping[str, Any]], name: str, catalog: Catalog, language: str
) -> TextSheet:
    columns = list(_columns(one, catalog, language))
    pairs = zip(one.rows, documents, strict=True)
    return TextSheet(
        name=name,
        header=tuple(column.title for column in columns),
        rows=tuple(tuple(column.get(row, document) for column in columns) for row, document in pairs),
        told=frozenset(number for number, column in enumerate(columns) if column.is_told),
        comments={number: column.comment for number, column in enumerate(columns) if column.comment},
        widths={number: column.width for number, column in enumerate(columns)},
    )


def _columns(one: RepresentationMap, catalog: Catalog, language: str) -> Iterator[_Column]:
    sources = max([len(row.sources) for row in one.rows] + [len(one.sources)])
    targets = max([len(row.targets) for row in one.rows] + [len(one.targets)])
    has_parts = any(
        value.start_index is not None or value.end_index is not None for row in one.rows for value in row.sources
    )
    for number in range(sources):
        yield from _source_columns(number, _at(one.sources, number), catalog, language, has_parts=has_parts)
    for number in range(targets):
        yield from _target_columns(number, _at(one.targets, number), catalog, language)
    yield _Column(title="valid from", get=lambda row, _: row.valid_from, comment="The first period that it holds for")
    yield _Column(title="valid to", get=lambda row, _: row.valid_to, comment="The last period that it holds for")
    yield _Column(title="decided", get=lambda row, _: _decided(row), is_told=True)
    yield _Column(
        title="annotations",
        get=lambda _, document: written_value(notes) if (notes := document.get("annotations")) else None,
        width=30,
        comment="Annotations of the row, as SDMX-JSON",
    )


def _source_columns(
    number: int, declared: Ref | str | None, catalog: Catalog, language: str, *, has_parts: bool
) -> Iterator[_Column]:
    def of(get: Callable[[MappedValue], str | None]) -> _Get:
        return lambda row, _: get(row.sources[number]) if number < len(row.sources) else None

    place = number + 1
    yield _Column(
        title=f"source {place}",
        get=of(lambda value: written(value.value) if value.value else None),
        width=34,
        comment=f"Values of {_text_of(declared)}" if declared is not None else "",
    )
    if labels := _labels(declared, catalog, language):
        told = of(lambda value: labels.get(value.value or ""))
        yield _Column(title=f"source {place} name ({language})", get=told, width=30, is_told=True)
    yield _Column(title=f"kind {place}", get=of(_kind), width=8, comment="value, regex or any; value if empty")
    if has_parts:
        yield _Column(title=f"from {place}", get=of(lambda value: _number(value.start_index)), width=6)
        yield _Column(title=f"to {place}", get=of(lambda value: _number(value.end_index)), width=6)


def _target_columns(number: int, declared: Ref | str | None, catalog: Catalog, language: str) -> Iterator[_Column]:
    def of(get: Callable[[str], str | None]) -> _Get:
        return lambda row, _: get(row.targets[number]) if number < len(row.targets) else None

    yield _Column(
        title=f"target {number + 1}",
        get=of(lambda text: written(text) if text else None),
        comment=f"Values of {_text_of(declared)}; empty: none" if declared is not None else "",
    )
    if labels := _labels(declared, catalog, language):
        yield _Column(title=f"target {number + 1} name ({language})", get=of(labels.get), width=30, is_told=True)


def _at(declared: Sequence[Ref | str], number: int) -> Ref | str | None:
    return declared[number] if number < len(declared) else None


def _is_part(value: MappedValue) -> bool:
    return value.start_index is not None or value.end_index is not None


def _kind(value: MappedValue) -> str:
    return "regex" if value.is_regex else "any" if _is_part(value) and not value.value else "value"


def _number(index: int | None) -> str | None:
    return None if index is None else str(index)


def _decided(row: MappingRow) -> str | None:
    said = [f"{one.title}, {one.value}" for one in row.annotations if one.type == DECISION]
    return "; ".join(said) or None


def _labels(declared: Ref | str | None, catalog: Catalog, language: str) -> Mapping[str, str]:
    """The names of the codes of a source or target."""
    items = catalog.lookup(declared) if isinstance(declared, Ref) else None
    if not isinstance(items, Codelist | ValueList):
        return {}
    return {item.id: item.name((language,)) for item in items.items}
