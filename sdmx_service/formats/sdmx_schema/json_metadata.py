"""JSON Schema for the metadata sets of one metadata structure: SDMX-JSON 2.0 and 2.1.

Which headings there are, how they nest, how often each may occur, and what their values are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sdmx_service.formats.sdmx_schema.json_types import (
    ID,
    Schema,
    array_of,
    closed,
    code_schema,
    either,
    message,
    ref,
    simple_value,
    strings,
    texts_by_language,
)
from sdmx_service.formats.sdmx_schema.values import has_texts, occurrence
from sdmx_service.model.columns import NOT_A_NUMBER, NOT_AVAILABLE
from sdmx_service.model.message import WriteOptions
from sdmx_service.model.representation import UNBOUNDED
from sdmx_service.model.schema import MetadataSchema
from sdmx_service.model.structure import MetadataAttribute
from sdmx_service.model.urn import Ref

_ACTIONS = ("Append", "Replace", "Delete", "Information", "Merge")


def metadata_schema_json(schema: MetadataSchema, options: WriteOptions, version: str) -> Schema:
    """The schema as a JSON document."""
    definitions: Schema = {}
    attributes = _list(schema.attributes, "", schema, definitions)
    definitions["metadataSet"] = _metadata_set(schema, attributes)
    data = closed({"metadataSets": {"type": "array", "items": ref("metadataSet")}}, ["metadataSets"])
    return message(
        version,
        schema.ref.urn,
        schema.names.text(options.languages, schema.ref.id),
        f"Messages of SDMX-JSON {version} with metadata sets of {schema.ref.type} {schema.ref.text}.",
        data,
        definitions,
    )


def _metadata_set(schema: MetadataSchema, attributes: Schema) -> Schema:
    texts = {name: {"type": "string"} for name in ("name", "description", "validFrom", "validTo", "publicationPeriod",
                                                   "publicationYear", "reportingBegin", "reportingEnd")}  # fmt: skip
    fields: Schema = {
        "id": {"type": "string", "pattern": ID},
        "agencyID": {"type": "string"},
        "version": {"type": "string"},
        "isExternalReference": {"type": "boolean"},
        "isPartialLanguage": {"type": "boolean"},
        "action": strings(_ACTIONS),
        **texts,
        "names": ref("texts"),
        "descriptions": ref("texts"),
        "annotations": {"type": "array"},
        "links": ref("links"),
        "metadataflow": _reference("Metadataflow", schema.flow),
        "metadataProvisionAgreement": _reference("MetadataProvisionAgreement", schema.agreement),
        "targets": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^urn:sdmx:"}},
        "attributes": attributes,
    }
    found = closed(fields, ["id", "agencyID", "name", "targets"])
    if not schema.deletion:
        found["required"].append("attributes")
    about = [{"required": [name]} for name in ("metadataflow", "metadataProvisionAgreement")]
    return {**found, "anyOf": about}


def _reference(kind: str, wanted: Ref | None) -> Schema:
    """A URN of a class; of the artefact in question where it is known, in any version."""
    package = {"Metadataflow": "metadatastructure", "MetadataProvisionAgreement": "registry"}[kind]
    prefix = f"urn:sdmx:org.sdmx.infomodel.{package}.{kind}="
    if wanted is not None:
        prefix = wanted.urn.partition("(")[0] + "("
    escaped = "".join(f"\\{sign}" if sign in ".()$" else sign for sign in prefix)
    return {"type": "string", "pattern": f"^{escaped}"}


def _list(headings: Sequence[MetadataAttribute], above: str, schema: MetadataSchema, definitions: Schema) -> Schema:
    """A list of reported headings: which there may be, and how many of each."""
    if not headings:
        return {"type": "array", "maxItems": 0}
    choices = []
    limits = []
    for one in headings:
        path = f"{above}{one.id}"
        definitions[f"attribute.{path}"] = _heading(one, path, schema, definitions)
        called = {"properties": {"id": {"const": one.id}}, "required": ["id"]}
        choices.append({"if": called, "then": ref(f"attribute.{path}")})
        limits.append({"contains": called, **_occurs(one, schema.deletion)})
    entry = {"type": "object", "required": ["id"], "properties": {"id": strings([one.id for one in headings])}}
    return {"type": "array", "minItems": 1, "items": {**entry, "allOf": choices}, "allOf": limits}


def _occurs(heading: MetadataAttribute, deletes: bool) -> Mapping[str, int]:
    least, most = occurrence(heading, deletes=deletes)
    return {"minContains": least} | ({"maxContains": int(most)} if most != UNBOUNDED else {})


def _heading(heading: MetadataAttribute, path: str, schema: MetadataSchema, definitions: Schema) -> Schema:
    fields: Schema = {
        "id": {"const": heading.id},
        "annotations": {"type": "array"},
        "format": {"type": "object"},
        "value": {"type": "null"} if heading.is_presentational else _value(heading, path, schema),
    }
    if heading.items:
        fields["attributes"] = _list(heading.items, f"{path}.", schema, definitions)
    required = ["id"]
    if not schema.deletion and any(occurrence(one)[0] for one in heading.items):
        required.append("attributes")
    return closed(fields, required)


def _value(heading: MetadataAttribute, path: str, schema: MetadataSchema) -> Schema:
    form = heading.form
    if form.is_coded:
        value = either(code_schema(schema.enumerations.get(path)), strings([NOT_AVAILABLE]))
    else:
        value = simple_value(form, [NOT_AVAILABLE, NOT_A_NUMBER])
        if has_texts(heading):
            value = either(value, texts_by_language(value))
    several = array_of(value, 1, None) if form.is_multi_valued else {}
    return either(value, several, {"type": "null"})
