"""The shapes of SDMX-JSON 1.0, made of those of SDMX-ML 2.1, of which it is another spelling.

SDMX-JSON 1.0 ``sdmx-json-structure-schema.json``: an element is a property in lower camel case, several are an array
whose name is the plural, an attribute keeps its name, a reference is a URN. So a shape of 1.0 is that of 2.1 with names
by rule; what follows no rule stands in the tables below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from functools import cache, partial
from types import MappingProxyType
from typing import Any, Final

from sdmx_service.errors import CannotWrite, SyntaxFault
from sdmx_service.formats.structure_sets import CONTAINERS, STRUCTURE_SET_SHAPE
from sdmx_service.formats.structure_shapes import (
    Addresses,
    AnnotationLinks,
    ComponentPlace,
    Field,
    Fixed,
    Flag,
    Links,
    LocalId,
    Localised,
    Mixture,
    Nest,
    Part,
    PlacedComponent,
    Position,
    Reference,
    Shape,
    Spelled,
    Urn,
    Value,
    Values,
    parts_of,
)
from sdmx_service.formats.structure_tables import ARTEFACTS
from sdmx_service.formats.structure_tables_2_1 import (
    CONTENT_CONSTRAINT,
    DATA_STRUCTURE,
    HIERARCHICAL_CODELIST,
    METADATA_STRUCTURE,
    HierarchicalCodelist,
    IncludedCodelist,
)
from sdmx_service.model import constraint as constraints
from sdmx_service.model.artefact import Annotation
from sdmx_service.model.items import Concept, IsoConcept
from sdmx_service.model.urn import Ref, artefact_type_of_item

SDMX_2_1: Final = "2.1"
"""The version of SDMX that SDMX-JSON 1.0 belongs to."""

# --------------------------------------------------------------------------------------------------------------- names

_PLURALS = {"category": "categories", "agency": "agencies", "hierarchy": "hierarchies",
            "reportingCategory": "reportingCategories", "structuralMetadata": "structuralMetadata",
            "provisioningMetadata": "provisioningMetadata"}  # fmt: skip
_FLAT = frozenset({"Annotations"})
"""Elements around others that SDMX-JSON does not have."""


def _camel(name: str) -> str:
    return "isoConceptReference" if name == "ISOConceptReference" else name[:1].lower() + name[1:]


def _plural(name: str) -> str:
    single = _camel(name)
    return _PLURALS.get(single, f"{single}s")


# ------------------------------------------------------------------------------------------- what follows no rule


def _iso_urn(concept: IsoConcept) -> str:
    try:
        made = Ref(type="Concept", agency=concept.agency, id=concept.scheme, version="1.0", item=concept.id)
        if Ref.parse(made.urn) == made:
            return made.urn
    except SyntaxFault:
        pass
    raise CannotWrite(f"SDMX-JSON 1.0 has a URN for an ISO concept, and {concept} cannot be one.")


def _iso_concept(value: Any) -> IsoConcept:
    ref = Ref.parse(value)
    return IsoConcept(agency=ref.agency, scheme=ref.id, id=ref.item or "")


def _aliases(included: tuple[IncludedCodelist, ...]) -> dict[str, str] | None:
    made: dict[str, str] = {}
    for one in included:
        alias = one.alias or one.codelist.id
        if alias in made:
            alias = f"{alias}_{one.codelist.version}".replace(".", "_")
        made[alias] = one.codelist.urn
    return made or None


def _included(value: Any) -> tuple[IncludedCodelist, ...]:
    return tuple(IncludedCodelist(alias=alias, codelist=Ref.parse(urn)) for alias, urn in dict(value).items())


def _lone(values: tuple[str, ...]) -> str | None:
    if len(values) > 1:
        raise CannotWrite(f"SDMX-JSON 1.0 can name one simple data source, not {len(values)}.")
    return values[0] if values else None


def _one(value: Any) -> tuple[str, ...]:
    if not isinstance(value, str):
        raise ValueError("it is not a text.")
    return (value,)


def _place_urn(place: ComponentPlace) -> str:
    if place.structure is None:
        raise CannotWrite(f"SDMX-JSON 1.0 wants a URN, and the structure of the component {place.id} is not at hand.")
    kind = "DataAttribute" if place.kind == "Attribute" else place.kind
    item = place.id if place.kind in CONTAINERS else f"{place.container}.{place.id}"
    return place.structure.to_item(item, kind).urn


def _place(value: Any) -> ComponentPlace:
    ref = Ref.parse(value)
    kind = "Attribute" if ref.type == "DataAttribute" else ref.type
    holder = artefact_type_of_item(ref.type)
    if holder is None or ref.item is None:
        raise ValueError(value)
    before, _, item = ref.item.rpartition(".")
    owner = Ref(type=holder.name, agency=ref.agency, id=ref.id, version=ref.version)
    container = CONTAINERS.get(kind, before)
    return ComponentPlace(id=item, package=holder.package, container=container, kind=kind, structure=owner)


_VALUES = Shape(
    model=constraints.MemberValue, fields=(Value(json="value", model="value", kind="text"),), bare="value",
    bare_written=True, silent=("cascade",)
)  # fmt: skip
_KEY_OF_SET = Shape(
    model=constraints.KeyValue,
    given={"kind": "key"},
    fields=(
        Value(json="id", model="component"),
        Part(json="value", model="values", shape=lambda: _VALUES, many=True, lone=True),
    ),
)


def make_key_value(*, cascaded: tuple[str, ...] = (), values: tuple[Any, ...] = (), **said: Any) -> Any:
    """A key value; those of its values that are named once more take their children with them."""
    marked = tuple(replace(one, cascade="true") if one.value in cascaded else one for one in values)
    return constraints.KeyValue(values=marked, **said)


def _cascaded(values: tuple[constraints.MemberValue, ...]) -> list[str] | None:
    return [one.value for one in values if one.cascade == "true"] or None


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(value)
    return tuple(value)


_CASCADES = Spelled(json="cascadeValues", model="values", found="cascaded", spell=_cascaded, take=_names)

_MADE: Mapping[tuple[type, str], Field] = MappingProxyType(
    {
        (Concept, "ISOConceptReference"): Spelled(
            json="isoConceptReference", model="iso_concept", spell=_iso_urn, take=_iso_concept
        ),
        (HierarchicalCodelist, "IncludedCodelist"): Spelled(
            json="includedCodelists", model="included", spell=_aliases, take=_included
        ),
        (constraints.DataConstraint, "SimpleDataSource"): Spelled(
            json="simpleDataSource", model="simple_sources", spell=_lone, take=_one
        ),
    }
)
_NAMED: Mapping[tuple[type, str], str] = MappingProxyType(
    {(constraints.CubeRegion, "include"): "isIncluded", (constraints.TimeBound, "#text"): "period",
     (Annotation, "AnnotationTitle"): "title", (Annotation, "AnnotationType"): "type"}
)  # fmt: skip
_LINKED = frozenset({"uri", "service_url", "structure_url"})
"""What SDMX-JSON spells as links."""
_LEFT_OUT = frozenset({(constraints.KeyValue, "include"), (constraints.DataKey, "include")})
_SINGLE = frozenset({"PrimaryMeasure"})
"""Several in the model, one object here."""
_BOXED = frozenset({"TimeDimension"})
"""One in the model, an array here."""
_LONE_REFERENCES = frozenset({"DataProvider"})


# --------------------------------------------------------------------------------------------------------------- rules


def _renamed(owner: Shape, field: Field) -> Iterator[Field]:
    """The field as SDMX-JSON 1.0 has it; nothing where it has none."""
    key = (owner.model, field.ml)
    if key in _LEFT_OUT or field.model in _LINKED:
        return
    if key in _MADE:
        yield _MADE[key]
    elif isinstance(field, Mixture):
        for part in field.parts:
            yield from _renamed(owner, part)
    else:
        yield _RULES[type(field)](owner, field)


def _value(owner: Shape, field: Value) -> Field:
    name = _NAMED.get((owner.model, field.ml)) or (_camel(field.ml) if field.place == "element" else field.ml)
    return replace(field, json=name, since=SDMX_2_1, until="9")


def _part(owner: Shape, field: Part) -> Field:
    is_array = (field.many and field.ml not in _SINGLE) or field.ml in _BOXED
    return replace(
        field,
        json=_plural(field.ml) if is_array else _camel(field.ml),
        shape=partial(_inner, owner, field),
        lone=field.ml in _SINGLE,
        boxed=field.ml in _BOXED,
        since=SDMX_2_1,
        until="9",
    )


def _inner(owner: Shape, field: Part) -> Shape:
    if owner.model is constraints.DataKey and field.ml == "KeyValue":
        return _KEY_OF_SET
    return _VALUES if owner.model is constraints.KeyValue and field.ml == "Value" else shape_of(field.shape())


def _nest(owner: Shape, field: Nest) -> Field:
    made = tuple(one for each in parts_of(field.fields, SDMX_2_1, "ml") for one in _renamed(owner, each))
    read_over = (one for one in field.fields if isinstance(one, Fixed) and one.json and not one.ml)
    name = "" if field.ml in _FLAT else _camel(field.ml)
    return replace(field, json=name, fields=(*made, *read_over), since=SDMX_2_1, until="9")


def _reference(owner: Shape, field: Reference) -> Field:
    many = field.many and field.ml not in _LONE_REFERENCES
    return replace(field, json=_plural(field.ml) if many else _camel(field.ml), since=SDMX_2_1, until="9")


def _local_id(owner: Shape, field: LocalId) -> Field:
    return replace(field, json=_plural(field.ml) if field.many else _camel(field.ml), since=SDMX_2_1, until="9")


def _values_of(owner: Shape, field: Values) -> Field:
    return replace(field, json=_plural(field.ml), since=SDMX_2_1, until="9")


def _same(owner: Shape, field: Field) -> Field:
    return replace(field, json=field.json or _camel(field.ml), since=SDMX_2_1, until="9")


def _place_of(owner: Shape, field: PlacedComponent) -> Field:
    return Spelled(json=_camel(field.ml), model=field.model, spell=_place_urn, take=_place)


_RULES: Mapping[type, Callable[[Any, Any], Field]] = MappingProxyType(
    {
        Value: _value, Values: _values_of, Localised: _same, Reference: _reference, LocalId: _local_id, Part: _part,
        Nest: _nest, Flag: _same, Fixed: _same, Position: _same, Urn: _same, Links: _same, Addresses: _same,
        AnnotationLinks: _same, PlacedComponent: _place_of,
    }
)  # fmt: skip


@cache
def shape_of(shape: Shape) -> Shape:
    """The shape of SDMX-JSON 1.0 of a shape of SDMX-ML 2.1."""
    made = tuple(one for each in parts_of(shape.fields, SDMX_2_1, "ml") for one in _renamed(shape, each))
    more: list[Field] = [one for one in parts_of(shape.fields, SDMX_2_1, "json") if isinstance(one, AnnotationLinks)]
    if "links" in {one.name for one in fields(shape.model)} and not more:
        more.append(Links(json="links", model="links"))
    make = shape.make
    if shape.model is constraints.KeyValue:
        more.append(_CASCADES)
        make = make_key_value
    return replace(shape, fields=(*made, *more), make=make)


_SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "dataStructures": DATA_STRUCTURE, "metadataStructures": METADATA_STRUCTURE,
        "hierarchicalCodelists": HIERARCHICAL_CODELIST, "structureSets": STRUCTURE_SET_SHAPE,
        "contentConstraints": CONTENT_CONSTRAINT,
    }
)  # fmt: skip
_KINDS = (
    "dataStructures", "metadataStructures", "categorySchemes", "conceptSchemes", "codelists", "hierarchicalCodelists",
    "agencySchemes", "dataProviderSchemes", "dataConsumerSchemes", "organisationUnitSchemes", "dataflows",
    "metadataflows", "reportingTaxonomies", "provisionAgreements", "structureSets", "processes", "categorisations",
    "contentConstraints",
)  # fmt: skip
"""The kinds of artefacts, in the order of the schema; attachment constraints are not read."""


@cache
def shapes_1_0() -> Mapping[str, Shape]:
    """The shapes of the artefacts that SDMX-JSON 1.0 has, by the name of their array."""
    shared = {kind.json: kind.shape for kind in ARTEFACTS}
    return MappingProxyType({name: shape_of(_SHAPES.get(name) or shared[name]) for name in _KINDS})
