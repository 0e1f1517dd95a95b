"""The page of a dataflow: its structure, what is in it, a filter, a table of figures, and the same over SDMX-REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import View
from sdmx_service.catalog.metadata import sets_about
from sdmx_service.errors import SdmxError, SemanticFault, SyntaxFault, UnknownParameter
from sdmx_service.model.artefact import Item, Maintainable
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.query import Comparison, ComponentFilter, DataQuery
from sdmx_service.model.structure import Attribute, Component, Dataflow, DataStructure, Measure
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Availability
from sdmx_service.web import addresses
from sdmx_service.web.figures import Figures, pages, read_figures
from sdmx_service.web.holdings import Holdings, query_of
from sdmx_service.web.home import agency_of
from sdmx_service.web.language import Tongue

PAGE_SIZE = 100
LARGEST_PAGE = 1000
FEW = 12
"""Up to so many codes are shown as boxes to tick, more as a list."""
_PREFIX = "c."
"""Parameters of the filter are named after components; no id of a component has a dot, so none meets ``lang``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the reader's address asks for.

    Attributes:
        codes: dimension -> codes wanted; a dimension without a wish is not in it.
        start, end: periods, inclusive; empty where not asked.
    """

    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    start: str = ""
    end: str = ""
    offset: int = 0
    limit: int = PAGE_SIZE

    @property
    def is_filtered(self) -> bool:
        """Something was asked for."""
        return bool(self.codes or self.start or self.end)

    def parameters(self, *, offset: int = 0) -> list[tuple[str, str]]:
        """The wish as parameters of an address."""
        pairs = [(_PREFIX + id, code) for id, codes in self.codes.items() for code in codes]
        pairs += [(name, text) for name, text in (("start", self.start), ("end", self.end)) if text]
        if offset:
            pairs.append(("offset", str(offset)))
        if self.limit != PAGE_SIZE:
            pairs.append(("limit", str(self.limit)))
        return pairs


def read_wish(parameters: Sequence[tuple[str, str]], structure: DataStructure) -> Wish:
    """The wish in an address; empty values say nothing, parameters without a dot that are not ours are left alone.

    Raises:
        UnknownParameter: a filter on something that is no dimension.
        SyntaxFault: offset or limit is no number, or one out of range.
    """
    codes: dict[str, dict[str, None]] = {}
    plain: dict[str, str] = {}
    for name, value in parameters:
        if not name.startswith(_PREFIX):
            plain[name] = value.strip()
        elif name.removeprefix(_PREFIX) not in structure.dimension_ids:
            raise _unknown(name.removeprefix(_PREFIX), structure)
        elif value:
            codes.setdefault(name.removeprefix(_PREFIX), {})[value] = None
    return Wish(
        codes={id: tuple(codes[id]) for id in structure.dimension_ids if id in codes},
        start=plain.get("start", ""),
        end=plain.get("end", ""),
        offset=_number(plain, "offset", 0, 0, 10**12),
        limit=_number(plain, "limit", PAGE_SIZE, 1, LARGEST_PAGE),
    )


def _unknown(id: str, structure: DataStructure) -> UnknownParameter:
    near = get_close_matches(id, structure.dimension_ids, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"It has {', '.join(structure.dimension_ids)}."
    return UnknownParameter(f"{structure.id} has no dimension {id!r}.", hint=hint)


def _number(parameters: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = parameters.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise SyntaxFault(f"{name}={text[:40]!r} is no number from {least} to {most}.")
    return int(text)


def query_for(flow: Dataflow, structure: DataStructure, wish: Wish) -> DataQuery:
    """The data query that says the wish, without paging."""
    filters = [
        ComponentFilter(component=id, alternatives=tuple((Comparison(value=code),) for code in codes))
        for id, codes in wish.codes.items()
    ]
    bounds = [
        comparison
        for text, comparison in (
            (wish.start, Comparison(operator="ge", value=wish.start)),
            (wish.end, Comparison(operator="le", value=wish.end)),
        )
        if text
    ]
    if bounds and structure.time_dimension is not None:
        filters.append(ComponentFilter(component=structure.time_dimension.id, alternatives=(tuple(bounds),)))
    return query_of(flow, tuple(filters))


# --- the structure --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRow:
    """A component in the table of the structure.

    Attributes:
        role: ``dimension``, ``time``, ``measure`` or ``attribute``.
        enumeration: its codelist, None where uncoded; ``data_type`` then says what it holds.
        used, total: codes that occur in the data (None where not counted), codes of the list.
        level: for attributes ids of the dimensions it belongs to; None is the observation, ``()`` the data set.
    """

    component: Component
    role: str
    enumeration: Maintainable | None = None
    data_type: str = ""
    used: int | None = None
    total: int | None = None
    level: tuple[str, ...] | None = None
    is_mandatory: bool = False


def component_rows(catalog: Catalog, structure: DataStructure, available: Availability) -> tuple[ComponentRow, ...]:
    """The components of a structure in the standard's order."""
    return tuple(_component_row(catalog, structure, one, available) for one in structure.components)


def _component_row(
    catalog: Catalog, structure: DataStructure, component: Component, available: Availability
) -> ComponentRow:
    form, values = component.form, available.values.get(component.id)
    total = None if form.enumeration is None else len(catalog.items(form.enumeration))
    is_attribute = isinstance(component, Attribute)
    return ComponentRow(
        component=component,
        role=_role(structure, component),
        enumeration=None if form.enumeration is None else catalog.artefact(form.enumeration),
        data_type=form.data_type,
        used=None if values is None else len(values),
        total=total,
        level=structure.level(component) if isinstance(component, Attribute) else None,
        is_mandatory=not (is_attribute or isinstance(component, Measure))
        or getattr(component, "usage", "optional") == "mandatory",
    )


def _role(structure: DataStructure, component: Component) -> str:
    if isinstance(component, Attribute):
        return "attribute"
    if isinstance(component, Measure):
        return "measure"
    return "time" if component is structure.time_dimension else "dimension"


# --- the filter -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A code to choose."""

    item: Item
    depth: int
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionFilter:
    """The choices of one dimension: only codes that occur, in the order of their list."""

    id: str
    name: str
    choices: tuple[Choice, ...]
    chosen: int

    @property
    def is_short(self) -> bool:
        """Shown as boxes to tick."""
        return len(self.choices) <= FEW


def dimension_filters(
    catalog: Catalog, structure: DataStructure, available: Availability, wish: Wish, names: Mapping[str, str]
) -> tuple[DimensionFilter, ...]:
    """One filter per dimension with more than one code (or with a wish that the data cannot meet)."""
    found = []
    for dimension in structure.dimensions:
        values = dict.fromkeys((*available.values.get(dimension.id, ()), *wish.codes.get(dimension.id, ())))
        if len(values) < 2 and dimension.id not in wish.codes:
            continue
        chosen = frozenset(wish.codes.get(dimension.id, ()))
        choices = _choices(catalog.codes(dimension) or {}, values, chosen)
        found.append(DimensionFilter(id=dimension.id, name=names[dimension.id], choices=choices, chosen=len(chosen)))
    return tuple(found)


def _choices(items: Mapping[str, Item], values: Mapping[str, None], chosen: frozenset[str]) -> tuple[Choice, ...]:
    listed = [item for id, item in items.items() if id in values]
    listed += [Item(id=value) for value in values if value not in items]
    return tuple(Choice(item=item, depth=_depth(item, values, items), is_chosen=item.id in chosen) for item in listed)


def _depth(item: Item, values: Mapping[str, None], items: Mapping[str, Item]) -> int:
    """How many ancestors of a code are among the values shown."""
    depth, seen, parent = 0, {item.id}, item.parent
    while parent is not None and parent in items and parent not in seen:
        seen.add(parent)
        depth += parent in values
        parent = items[parent].parent
    return depth


# --- the page -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The figures of a wish: how many match, and the page of them; or why there are none."""

    total: int = 0
    series: int = 0
    figures: Figures | None = None
    fault: SdmxError | None = None


def flow_page(
    holdings: Holdings, view: View, flow: Dataflow, parameters: Sequence[tuple[str, str]], tongue: Tongue
) -> Mapping[str, Any]:
    """What the template of a dataflow's page shows."""
    catalog, structure = view.catalog, view.catalog.structure_of(flow)
    wish = read_wish(parameters, structure)
    query = query_for(flow, structure, wish)
    available = holdings.contents(view, flow)
    names = {id: tongue.plain(texts, id) for id, texts in catalog.labels(structure, {}, flow).components.items()}
    answer = _answer(holdings, view, query, wish, tongue)
    path = addresses.artefact_page(flow, replace(tongue, asked=None)) or ""
    return {
        "flow": flow,
        "structure": structure,
        "agency": agency_of(catalog, flow.agency),
        "available": available,
        "components": component_rows(catalog, structure, available),
        "names": names,
        "providers": _providers(catalog, holdings.providers(view, flow)),
        "rounding": catalog.public_view(flow).base,
        "last": holdings.last_release(view, flow),
        "filters": dimension_filters(catalog, structure, available, wish, names),
        "periods": available.values.get(structure.time_dimension.id, ()) if structure.time_dimension else (),
        "wish": wish,
        "answer": answer,
        "path": path,
        "sources_link": addresses.page(f"{path}/sources", tongue),
        "pages": [
            (relation, addresses.page(path, tongue, wish.parameters(offset=offset)) + "#figures")
            for relation, offset in pages(answer.total, wish.offset, wish.limit)
        ],
        "data_links": addresses.data_links(query),
        "data_address": addresses.data_address(query),
        "metadata": [(one, addresses.structure_address(one)) for one in sets_about(flow, catalog)],
        "structure_link": addresses.structure_address(flow, ("descendants",)),
        "share": addresses.page(path, replace(tongue, asked=None), wish.parameters(offset=wish.offset)),
    }


def _answer(holdings: Holdings, view: View, query: DataQuery, wish: Wish, tongue: Tongue) -> Answer:
    try:
        planned = holdings.plan(view, query)
    except (SyntaxFault, SemanticFault) as fault:
        return Answer(fault=fault)
    if not holdings.is_open(planned.selection):
        return Answer()
    counts = holdings.store.count(planned.selection)
    if not counts.observations:
        return Answer()
    domains = holdings.store.domains(planned.selection)
    selection = replace(planned.selection, offset=wish.offset, limit=wish.limit)
    labels = view.catalog.labels(planned.structure, domains, planned.artefact)
    figures = read_figures(holdings.store, selection, domains, labels, tongue)
    return Answer(total=counts.observations, series=counts.series, figures=figures)


def _providers(catalog: Catalog, counts: Mapping[Ref, int]) -> tuple[tuple[Item, int], ...]:
    found = []
    for ref, count in counts.items():
        scheme = catalog.lookup(ref.maintainable)
        item = scheme.item(ref.item or "") if isinstance(scheme, DataProviderScheme) else None
        found.append((item or Item(id=ref.item or ref.id), count))
    return tuple(found)
