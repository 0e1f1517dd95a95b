"""What the shapes of many artefacts share: identity, names, annotations, maintenance, representation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from sdmx_service.formats.structure_shapes import (
    AnnotationLinks,
    Field,
    Fixed,
    Kind,
    Links,
    LocalId,
    Localised,
    Nest,
    Part,
    Reference,
    Shape,
    Urn,
    Value,
)
from sdmx_service.model.artefact import Annotation
from sdmx_service.model.representation import DATA_TYPES, Representation, SentinelValue, TextFormat

# -------------------------------------------------------------------------------------------------------- what all have


def attribute(name: str, model: str, kind: Kind = "token", **more: Any) -> Value:
    """A value that SDMX-ML has as an attribute and SDMX-JSON as a property of the same name."""
    return Value(ml=name, json=more.pop("json", name), model=model, kind=kind, **more)


def element(name: str, model: str, kind: Kind = "token", **more: Any) -> Value:
    """A value that SDMX-ML has as an element and SDMX-JSON as a property of the same name in lower camel case."""
    json = more.pop("json", name[0].lower() + name[1:])
    return Value(ml=name, json=json, model=model, kind=kind, place="element", **more)


ANNOTATION: Final[Shape] = Shape(
    model=Annotation,
    fields=(
        attribute("id", "id", "text"),
        element("AnnotationTitle", "title", "text", json="title", space="common"),
        element("AnnotationType", "type", "text", json="type", space="common"),
        Localised(ml="AnnotationURL", model="urls", neutral=True),
        Localised(ml="AnnotationText", json="text", all="texts", model="texts"),
        element("AnnotationValue", "value", "text", json="value", space="common", since="3.0"),
        AnnotationLinks(json="links"),
    ),
)


def notes(model: str = "annotations") -> Nest:
    """The annotations of an object."""
    inner = Part(ml="Annotation", json="annotations", model=model, shape=lambda: ANNOTATION, many=True, space="common")
    return Nest(ml="Annotations", fields=(inner,), space="common")


LINKS: Final = Links(ml="Link", json="links", model="links", since="3.0")
NAMES: Final = Localised(ml="Name", json="name", all="names", model="names", required=True)
DESCRIPTIONS: Final = Localised(ml="Description", json="description", all="descriptions", model="descriptions")
URN_READ_OVER: Final = Fixed(ml="urn", json="urn")
URI: Final = Value(ml="uri", model="uri")

IDENTIFIED: Final[tuple[Field, ...]] = (attribute("id", "id"), URN_READ_OVER, URI, notes(), LINKS)
NAMED: Final[tuple[Field, ...]] = (*IDENTIFIED, NAMES, DESCRIPTIONS)
PARENT: Final = LocalId(ml="Parent", json="parent", model="parent")

_VERSION = attribute("version", "version", default="1.0", always=True)
BEFORE_VERSION: tuple[Field, ...] = (attribute("id", "id"), Urn(ml="urn", json="urn"), URI)
AFTER_VERSION: tuple[Field, ...] = (
    attribute("agencyID", "agency"),
    attribute("validFrom", "valid_from"),
    attribute("validTo", "valid_to"),
    attribute("isFinal", "is_final", "boolean", until="2.1"),
    Value(json="isFinal", model="is_final", kind="boolean", since="9"),  # read only: 1.0 had it, and 2.0 messages too
    attribute("isPartialLanguage", "is_partial_language", "boolean", since="3.1"),
    attribute("isExternalReference", "is_external_reference", "boolean", default=False),
    Value(ml="serviceURL", model="service_url"),
    Value(ml="structureURL", model="structure_url"),
    notes(),
    LINKS,
    NAMES,
    DESCRIPTIONS,
)
MAINTAINED: Final[tuple[Field, ...]] = (*BEFORE_VERSION, _VERSION, *AFTER_VERSION)
UNVERSIONED: Final[tuple[Field, ...]] = (
    *BEFORE_VERSION,
    attribute("version", "version", default="1.0", always=True, until="2.1"),
    Fixed(ml="version", json="version", since="3.0"),
    *AFTER_VERSION,
)
"""Organisation schemes: from 3.0 on the schema forbids to say their version, which is 1.0."""

SILENT: Final = ("is_final",)
"""From 3.0 on the version tells whether an artefact is final; the flag of 2.1 is not written (*standard*)."""


def maintained(model: type, *fields: Field, head: tuple[Field, ...] = MAINTAINED, **more: Any) -> Shape:
    """The shape of a maintained artefact."""
    return Shape(model=model, fields=(*head, *fields), silent=SILENT + more.pop("silent", ()), **more)


def scheme(model: type, tag: str, json: str, item: Callable[[], Shape], *after: Field, **more: Any) -> Shape:
    """The shape of an item scheme."""
    members = Part(ml=tag, json=json, model="items", shape=item, many=True)
    return maintained(model, attribute("isPartial", "is_partial", "boolean", default=False), members, *after, **more)


# ------------------------------------------------------------------------------------------------------- representation

SENTINEL: Final[Shape] = Shape(model=SentinelValue, fields=(attribute("value", "value", "scalar"), NAMES, DESCRIPTIONS))
FACETS: tuple[Field, ...] = (
    attribute("isSequence", "is_sequence", "boolean"),
    attribute("interval", "interval", "number"),
    attribute("startValue", "start_value", "number"),
    attribute("endValue", "end_value", "number"),
    attribute("timeInterval", "time_interval"),
    attribute("startTime", "start_time"),
    attribute("endTime", "end_time"),
    attribute("minLength", "min_length", "integer"),
    attribute("maxLength", "max_length", "integer"),
    attribute("minValue", "min_value", "number"),
    attribute("maxValue", "max_value", "number"),
    attribute("decimals", "decimals", "integer"),
    attribute("pattern", "pattern", "text"),
    attribute("isMultiLingual", "is_multilingual", "boolean"),
    Part(ml="SentinelValue", json="sentinelValues", model="sentinels", shape=lambda: SENTINEL, many=True, since="3.0"),
)


def _text_format(missing: str, *, always: bool = True) -> Shape:
    kind = attribute(
        "textType", "type", json="dataType", default=missing, always=always, missing=missing, among=DATA_TYPES
    )
    return Shape(model=TextFormat, fields=(kind, *FACETS))


TEXT_FORMAT: Final[Shape] = _text_format("String")
CODED_TEXT_FORMAT: Final[Shape] = _text_format("String", always=False)
"""Of codes, whose type need not be said, and where ``String`` is not always allowed."""
TIME_TEXT_FORMAT: Final[Shape] = _text_format("ObservationalTimePeriod")


def representation(text: Shape, enumeration: str = "Codelist", standard: str = "String") -> Shape:
    """The shape of a representation: ``standard`` is the type of one that says nothing."""
    return Shape(
        model=Representation,
        fields=(
            attribute("minOccurs", "min_occurs", "integer", since="3.0"),
            attribute("maxOccurs", "max_occurs", "occurs", since="3.0"),
            Part(ml="TextFormat", json="format", model="text_format", shape=lambda: text,
                 when=lambda form: form.enumeration is None, fill=partial(TextFormat, type=standard)),
            Reference(ml="Enumeration", json="enumeration", model="enumeration", to=enumeration),
            Part(ml="EnumerationFormat", json="enumerationFormat", model="text_format", shape=lambda: CODED_TEXT_FORMAT,
                 when=lambda form: form.enumeration is not None),
        ),
    )  # fmt: skip


REPRESENTATION: Final[Shape] = representation(TEXT_FORMAT)
TIME_REPRESENTATION: Final[Shape] = representation(TIME_TEXT_FORMAT, standard="ObservationalTimePeriod")


def local_representation(shape: Shape = REPRESENTATION, **more: Any) -> Part:
    """The representation of a component."""
    return Part(
        ml="LocalRepresentation", json="localRepresentation", model="representation", shape=lambda: shape, **more
    )
