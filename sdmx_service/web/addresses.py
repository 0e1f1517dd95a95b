"""Addresses: of pages, and of the same things over SDMX-REST."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import quote, urlencode

from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.artefact_types import ARTEFACT_TYPES
from sdmx_service.model.query import DataQuery, MetadataQuery, Query, Representation, StructureQuery
from sdmx_service.urls import v2
from sdmx_service.web.language import Tongue

REST = "/sdmx/v2/"
DATA_FORMATS: tuple[tuple[str, str, str], ...] = (
    ("CSV", "csvdata", "2.1"),
    ("JSON", "jsondata", "2.1"),
    ("XML 3.1", "structurespecificdata", "3.1"),
    ("XML 2.1", "structurespecificdata", "2.1"),
    ("Excel", "xlsx", ""),
    ("Parquet", "parquet", ""),
)
"""Name, and the parameters ``format`` and ``formatVersion`` of SDMX-REST's extension page; browsers ask for HTML."""

_RESOURCES = {one.name: one.resource for one in ARTEFACT_TYPES}
_PAGES = {"Dataflow": "dataflows", "Codelist": "codelists", "ValueList": "codelists"}


def page(path: str, tongue: Tongue, parameters: Iterable[tuple[str, str]] = ()) -> str:
    """The address of a page; carries on the language that the reader's own address named."""
    pairs = [*parameters, *([("lang", tongue.asked)] if tongue.asked else [])]
    return path + (f"?{urlencode(pairs)}" if pairs else "")


def artefact_page(artefact: Maintainable, tongue: Tongue) -> str | None:
    """The page of an artefact, None where its class has none."""
    folder = _PAGES.get(artefact.type)
    if folder is None:
        return None
    parts = (folder, artefact.agency, artefact.id, artefact.version)
    return page("/" + "/".join(quote(part, safe="+") for part in parts), tongue)


def data_links(query: DataQuery) -> tuple[tuple[str, str], ...]:
    """The same figures over SDMX-REST: (name of the format, address)."""
    return tuple((name, _rest(replace(query, representation=_wish(*words)))) for name, *words in DATA_FORMATS)


def data_address(query: DataQuery) -> str:
    """The address of the figures without a wish for a format."""
    return _rest(query)


def class_address(artefact: Maintainable) -> str | None:
    """All artefacts of the class of one over SDMX-REST, None where version 2 has no resource for it."""
    if artefact.type == "MetadataSet":
        return _rest(MetadataQuery(by="metadataset", versions=("*",)))
    resource = _RESOURCES.get(artefact.type)
    return None if resource is None else _rest(StructureQuery(types=(resource,), versions=("*",)))


def structure_address(artefact: Maintainable, references: Sequence[str] = ("none",)) -> str | None:
    """An artefact over SDMX-REST, None where version 2 has no resource for its class."""
    if artefact.type == "MetadataSet":
        agencies, ids, versions = (artefact.agency,), (artefact.id,), (artefact.version,)
        return _rest(MetadataQuery(by="metadataset", agencies=agencies, ids=ids, versions=versions))
    resource = _RESOURCES.get(artefact.type)
    if resource is None:
        return None
    return _rest(
        StructureQuery(
            types=(resource,),
            agencies=(artefact.agency,),
            ids=(artefact.id,),
            versions=(artefact.version,),
            references=tuple(references),
        )
    )


def _wish(format: str, version: str) -> Representation:
    return Representation(format=format, format_version=version or None)


def _rest(query: Query) -> str:
    path, query_string = v2.format(query)
    return REST + path + (f"?{query_string}" if query_string else "")
