"""What a query means once resolved against the catalog: exact, in the words of storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sdmx_service.model.query import Comparison, ComponentFilter, SortKey
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref

__all__ = ["Comparison", "Context", "Cube", "Filter", "Key", "Selection", "dataflow_name", "provider_name"]

Context = Literal["datastructure", "dataflow", "provisionagreement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cube:
    """The physical home of all data of a structure and major version: agency, id, major."""

    agency: str
    id: str
    major: int

    @classmethod
    def of(cls, structure: DataStructure | Ref) -> Cube:
        """The cube of a structure (or of a reference to one with an exact version)."""
        return cls(
            agency=structure.agency, id=structure.id, major=int(structure.version.split(".")[0].rstrip("+~*") or 1)
        )

    @property
    def name(self) -> str:
        """``AGENCY:ID(MAJOR)``."""
        return f"{self.agency}:{self.id}({self.major})"


def dataflow_name(ref: Ref) -> str:
    """How storage names a dataflow: ``AGENCY:ID(MAJOR)``; minor versions share their rows."""
    return f"{ref.agency}:{ref.id}({ref.version.split('.')[0].rstrip('+~*') or 1})"


def provider_name(ref: Ref) -> str:
    """How storage names a data provider: ``AGENCY.ID`` (SDMX-REST's providerRef)."""
    return f"{ref.agency}.{ref.item or ref.id}"


Filter = ComponentFilter
"""A test of one component (SDMX-REST 2.2, *c*). Numbers are compared as numbers, everything else as text in code point
order; ``ne`` and ``nc`` hold for values that are there and differ; a missing value satisfies nothing."""

Key = tuple[frozenset[str] | None, ...]
"""Per dimension (time left out) the codes wanted, None for any; as long as the structure has dimensions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rows of one cube, at which release.

    Attributes:
        context: whose figures are shown. ``provisionagreement``: each provider's own rows; ``dataflow``: one figure per
            dataflow and key (the highest-ranking provider's); ``datastructure``: one figure per key.
        dataflows: names (``dataflow_name``); None: all of the cube.
        providers: names (``provider_name``); None: all.
        only_shown: in the context ``provisionagreement`` only the observations that their dataflow shows, with the
            attributes that their own provider gave.
        release: rows valid at that release (``since <= release < until``).
        changed_since: only what was inserted or updated after that release (see ``Store.scan_deleted`` for deletes);
            of a release later than ``release``: only what was updated or deleted up to it.
        keys: OR of keys; empty: everything.
        filters: AND of filters on dimensions, attributes, measures.
        periods: the period texts wanted, already resolved from time filters; None: all.
        first_n, last_n: per series, of the rows that pass everything above; both may be given (union).
        components: measures and attributes to return, in the structure's order; None: all.
        offset, limit: of observations, after everything else.
        sort: the order of the rows by components of the structure, codes and texts by code point, periods in time,
            numbers by value, what is missing last; empty: the store's own order. Rows that are equal in it come in a
            repeatable order.
        together: with ``sort``: dimensions (time may be one) whose equal values must stay next to each other: groups
            come in the order of their first row. Empty: no such wish.
    """

    structure: DataStructure
    cube: Cube
    context: Context
    release: int
    dataflows: tuple[str, ...] | None = None
    providers: tuple[str, ...] | None = None
    only_shown: bool = False
    changed_since: int | None = None
    keys: tuple[Key, ...] = ()
    filters: tuple[Filter, ...] = ()
    periods: frozenset[str] | None = None
    first_n: int | None = None
    last_n: int | None = None
    components: tuple[str, ...] | None = None
    offset: int = 0
    limit: int | None = None
    sort: tuple[SortKey, ...] = ()
    together: tuple[str, ...] = ()
