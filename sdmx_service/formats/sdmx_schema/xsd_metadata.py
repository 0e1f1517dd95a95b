"""XML Schema for the metadata sets of one metadata structure: SDMX-ML 3.0 and 3.1.

*Standard:* there are no structure-specific metadata any more; a metadata set is generic, and an ``Attribute`` tells by
its ``id`` which heading it reports. *Choice:* the schema redefines ``SDMXMetadataGeneric.xsd`` so that only ids of the
structure may occur. XML Schema 1.0 cannot make content depend on the value of an attribute; how headings nest, how
often they occur and which codes they may have is said in Schematron rules (ISO 19757-3) inside the schema, which tools
that do not know them pass over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from sdmx_service.formats.sdmx_schema.values import occurrence
from sdmx_service.formats.sdmx_schema.xsd_types import attribute_text
from sdmx_service.model.columns import NOT_AVAILABLE
from sdmx_service.model.representation import UNBOUNDED
from sdmx_service.model.schema import Enumeration, MetadataSchema
from sdmx_service.model.structure import MetadataAttribute

_ROOT = "http://www.sdmx.org/resources/sdmxml/schemas/v"
_FRAME = """<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:sch="http://purl.oclc.org/dsdl/schematron"
 xmlns="{root}metadata/generic" xmlns:common="{root}common" targetNamespace="{root}metadata/generic"
 elementFormDefault="qualified">
<xs:import namespace="{root}common" schemaLocation="SDMXCommon.xsd"/>
<xs:redefine schemaLocation="SDMXMetadataGeneric.xsd">
<xs:complexType name="AttributeType"><xs:complexContent><xs:restriction base="AttributeType"><xs:sequence>
<xs:element ref="common:Annotations" minOccurs="0"/>
<xs:choice minOccurs="0">
<xs:element name="Value" type="xs:anySimpleType"{several}/>
<xs:element ref="common:Text" maxOccurs="unbounded"/>
<xs:element ref="common:StructuredText" maxOccurs="unbounded"/>
</xs:choice>
<xs:element ref="Attribute" minOccurs="0" maxOccurs="unbounded"/>
</xs:sequence><xs:attribute name="id" use="required"><xs:simpleType><xs:restriction base="common:IDType">
{ids}
</xs:restriction></xs:simpleType></xs:attribute></xs:restriction></xs:complexContent></xs:complexType>
</xs:redefine>
<xs:import namespace="{root}message" schemaLocation="SDMXMessage.xsd"/>
<xs:annotation><xs:documentation>{words}</xs:documentation><xs:appinfo>
<sch:ns prefix="md" uri="{root}metadata/generic"/>
<sch:ns prefix="mes" uri="{root}message"/>
{rules}
</xs:appinfo></xs:annotation>
</xs:schema>
"""


def write_metadata_xsd(schema: MetadataSchema, version: str) -> Iterator[bytes]:
    """The schema as a file, for SDMX-ML 3.0 or 3.1."""
    ids = dict.fromkeys(one.id for one in _every(schema.attributes))
    words = f"Messages of SDMX-ML {version} with metadata sets of {schema.ref.type} {schema.ref.text}."
    text = _FRAME.format(
        root=f"{_ROOT}{version.replace('.', '_')}/",
        several=' maxOccurs="unbounded"' if version == "3.0" else "",
        ids="".join(f"<xs:enumeration value={attribute_text(one)}/>" for one in ids),
        words=escape(f"{words} The schemas imported are those of the standard; save this file beside them."),
        rules="\n".join(_rules(schema)),
    )
    return iter([text.encode()])


def _every(headings: Sequence[MetadataAttribute]) -> Iterator[MetadataAttribute]:
    for one in headings:
        yield one
        yield from _every(one.items)


# --- Schematron -----------------------------------------------------------------------------------------------------
def _rules(schema: MetadataSchema) -> Iterator[str]:
    yield from _level(schema.attributes, "mes:MetadataSet", "", schema)


def _level(headings: Sequence[MetadataAttribute], context: str, above: str, schema: MetadataSchema) -> Iterator[str]:
    """The rules for what stands right below ``context``."""
    allowed = " or ".join(f"@id='{one.id}'" for one in headings)
    if headings:
        yield _pattern(f"{context}/md:Attribute", [(allowed, "This heading does not stand here.")])
    yield _pattern(context, [test for one in headings for test in _occurrence(one, schema.deletion)])
    for one in headings:
        path = f"{above}{one.id}"
        own = f"{context}/md:Attribute[@id='{one.id}']"
        tests = []
        if not one.items:
            tests.append(("not(md:Attribute)", f"{path} holds no other headings."))
        if one.is_presentational:
            tests.append(("not(md:Value or *[local-name()='Text'])", f"{path} has no value of its own."))
        if (found := schema.enumerations.get(path)) is not None:
            tests += _codes(found, path)
        yield _pattern(own, tests)
        if one.items:
            yield from _level(one.items, own, f"{path}.", schema)


def _occurrence(heading: MetadataAttribute, deletes: bool) -> Iterator[tuple[str, str]]:
    least, most = occurrence(heading, deletes=deletes)
    count = f"count(md:Attribute[@id='{heading.id}'])"
    if least:
        yield f"{count} >= {least}", f"{heading.id} must be there at least {least} times."
    if most != UNBOUNDED:
        yield f"{count} <= {most}", f"{heading.id} may be there at most {most} times."


def _codes(enumeration: Enumeration, path: str) -> Iterator[tuple[str, str]]:
    """That a value is one of the list; nothing for lists with signs that XPath cannot quote."""
    values = [*enumeration.values, NOT_AVAILABLE]
    if any("'" in value or "|" in value for value in values):
        return
    listed = "|".join(["", *values, ""])
    wrong = f"md:Value[not(contains('{listed}', concat('|', ., '|')))]"
    yield f"not({wrong})", f"A value of {path} is no code of its list."


def _pattern(context: str, tests: Sequence[tuple[str, str]]) -> str:
    if not tests:
        return ""
    asserted = "".join(f"<sch:assert test={attribute_text(test)}>{escape(words)}</sch:assert>" for test, words in tests)
    return f"<sch:pattern><sch:rule context={attribute_text(context)}>{asserted}</sch:rule></sch:pattern>"
