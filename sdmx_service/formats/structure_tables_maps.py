"""The shapes of maps of SDMX 3.x (``SDMXStructureStructureMappings.xsd``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sdmx_service.formats.structure_parts import (
    IDENTIFIED,
    attribute,
    element,
    maintained,
    notes,
)
from sdmx_service.formats.structure_shapes import (
    Field,
    MapColumns,
    MappedComponents,
    Nest,
    Part,
    Reference,
    Shape,
    Value,
    Values,
)
from sdmx_service.model import mapping

# ----------------------------------------------------------------------------------------------------------------- maps

MAPPED_VALUE: Final[Shape] = Shape(
    model=mapping.MappedValue,
    fields=(
        Value(ml="#text", json="value", model="value", place="content", kind="text", always=True),
        attribute("isRegEx", "is_regex", "boolean", default=False),
        attribute("startIndex", "start_index", "integer"),
        attribute("endIndex", "end_index", "integer"),
    ),
)
_VALID_DAYS: tuple[Field, ...] = (
    attribute("validFrom", "valid_from", "day"),
    attribute("validTo", "valid_to", "last day"),
)
MAPPING_ROW: Final[Shape] = Shape(
    model=mapping.MappingRow,
    fields=(
        *_VALID_DAYS,
        notes(),
        Part(ml="SourceValue", json="sourceValues", model="sources", shape=lambda: MAPPED_VALUE, many=True),
        Values(ml="TargetValue", json="targetValues", model="targets", kind="text"),
    ),
)
REPRESENTATION_MAP: Final[Shape] = maintained(
    mapping.RepresentationMap,
    MapColumns(ml="Source", json="source", model="sources"),
    MapColumns(ml="Target", json="target", model="targets"),
    Part(ml="RepresentationMapping", json="representationMappings", model="rows", shape=lambda: MAPPING_ROW, many=True),
)
COMPONENT_MAP: Final[Shape] = Shape(
    model=mapping.ComponentMap,
    fields=(
        notes(),
        Values(ml="Source", json="source", model="sources"),
        Values(ml="Target", json="target", model="targets"),
        Reference(ml="RepresentationMap", json="representationMap", model="representation_map", to="RepresentationMap"),
    ),
)
FIXED_VALUE: Final[Shape] = Shape(
    model=mapping.FixedValue,
    fields=(
        notes(),
        element("Source", "component", when=lambda fixed: fixed.role == "source", also={"role": "source"}),
        element("Target", "component", when=lambda fixed: fixed.role == "target", also={"role": "target"}),
        Values(ml="Value", json="values", model="values", kind="text"),
    ),
    silent=("role",),
)


def _time_map(kind: str, *attributes: Field) -> Shape:
    return Shape(
        model=mapping.TimePatternMap,
        given={"kind": kind},
        fields=(
            *IDENTIFIED,
            *attributes,
            attribute("resolvePeriod", "resolve"),
            MappedComponents(ml="Source", json="mappedComponents"),
            element("FrequencyDimension", "frequency_dimension"),
            Values(ml="MappedFrequencies", json="mappedFrequencies", model="mapped_frequencies"),
            element("TargetFrequencyID", "frequency_id"),
        ),
        silent=("frequency_formats", "locale"),
    )


EPOCH_MAP: Final[Shape] = _time_map(
    "epoch", attribute("basePeriod", "base_period"), attribute("epochPeriod", "pattern")
)
DATE_PATTERN_MAP: Final[Shape] = _time_map(
    "date", attribute("sourcePattern", "pattern", "text"), attribute("locale", "locale", always=True)
)
FREQUENCY_FORMAT: Final[Shape] = Shape(
    model=mapping.FrequencyFormat,
    fields=(*IDENTIFIED, element("FrequencyId", "frequency_id"), element("DatePattern", "date_pattern", "text")),
)


def make_structure_map(*, times: tuple[mapping.TimePatternMap, ...] = (), **said: Any) -> mapping.StructureMap:
    """A structure map whose time maps know the date patterns of their frequencies."""
    patterns = {one.id: (one.frequency_id, one.date_pattern) for one in said.get("frequency_formats", ())}
    return mapping.StructureMap(times=tuple(_with_formats(one, patterns) for one in times), **said)


def _with_formats(
    one: mapping.TimePatternMap, patterns: Mapping[str | None, tuple[str, str]]
) -> mapping.TimePatternMap:
    found = tuple(patterns[name] for name in one.mapped_frequencies if name in patterns)
    return replace(one, frequency_formats=found) if found else one


STRUCTURE_MAP: Final[Shape] = maintained(
    mapping.StructureMap,
    Reference(ml="Source", json="source", model="source"),
    Reference(ml="Target", json="target", model="target"),
    Part(ml="EpochMap", json="epochMaps", model="times", shape=lambda: EPOCH_MAP, many=True,
         only=lambda one: one.kind == "epoch"),
    Part(ml="DatePatternMap", json="datePatternMaps", model="times", shape=lambda: DATE_PATTERN_MAP, many=True,
         only=lambda one: one.kind == "date"),
    Part(ml="FrequencyFormatMapping", json="frequencyFormatMappings", model="frequency_formats",
         shape=lambda: FREQUENCY_FORMAT, many=True),
    Part(ml="ComponentMap", json="componentMaps", model="components", shape=lambda: COMPONENT_MAP, many=True),
    Part(ml="FixedValueMap", json="fixedValueMaps", model="fixed", shape=lambda: FIXED_VALUE, many=True),
    make=make_structure_map,
)  # fmt: skip


def make_item_map(*, source: str = "", target: str = "", **said: Any) -> mapping.ItemMap:
    """An item map; the standard gives it no id, so it is made of both sides."""
    return mapping.ItemMap(id=f"{source}:{target}", source=source, target=target, **said)


ITEM_MAP: Final[Shape] = Shape(
    model=mapping.ItemMap,
    make=make_item_map,
    silent=("id",),
    fields=(
        *_VALID_DAYS,
        notes(),
        Nest(
            ml="SourceValue",
            json="sourceValue",
            fields=(
                Value(ml="#text", json="value", model="source", place="content", kind="text"),
                attribute("isRegEx", "is_regex", "boolean", default=False),
                attribute("startIndex", "start_index", "integer"),
                attribute("endIndex", "end_index", "integer"),
            ),
        ),
        element("TargetValue", "target", "text", default=""),
    ),
)


def _scheme_map(model: type, to: str) -> Shape:
    return maintained(
        model,
        Reference(ml="Source", json="source", model="source", to=to),
        Reference(ml="Target", json="target", model="target", to=to),
        Part(ml="ItemMap", json="itemMaps", model="items", shape=lambda: ITEM_MAP, many=True),
    )


CONCEPT_SCHEME_MAP: Final[Shape] = _scheme_map(mapping.ConceptSchemeMap, "ConceptScheme")
CATEGORY_SCHEME_MAP: Final[Shape] = _scheme_map(mapping.CategorySchemeMap, "CategoryScheme")
ORGANISATION_SCHEME_MAP: Final[Shape] = _scheme_map(mapping.OrganisationSchemeMap, "")
REPORTING_TAXONOMY_MAP: Final[Shape] = _scheme_map(mapping.ReportingTaxonomyMap, "ReportingTaxonomy")
