"""XML Schema for the metadata sets of one metadata structure: SDMX-ML 2.1, structure-specific.

*Standard* (SDMX-ML 2.1, *metadata structure definition-specific schema*): types restrict those of
``SDMXMetadataStructureSpecific.xsd`` under the namespace that the header of a message names. ``MetadataSetType`` holds
the reports, ``REPORT`` is one of them, ``REPORT.TARGET`` what it is about, ``TARGET.OBJECT`` a value of that; messages
name them by ``xsi:type``. A metadata attribute is an element of its name.

*Choices:*

* Official schemas are imported by their file names, as for data; ``SDMXMessage.xsd`` too.
* A structure that has but a list of attributes (from 3.0 on) has the report that structure messages of 2.1 show.
* Attributes of one level may come in any order where each occurs at most once; else in that of the structure, as an
  XML Schema that counts knows no other way.
* An attribute may be there without a value, as the service takes it; what texts by language say is not judged, as the
  standard fixes the type of ``Text``.
* A target with several values has as many; that each of them is there once an XML Schema cannot say at this place.
* A reference by URN must be of the class, and of the item scheme, that the target names; so must one by its parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.metadata_reports import CONSTRAINT, DATA_SET, KEY, OBJECT, PERIOD
from sdmx_service.formats.sdmx_schema.values import has_texts, occurrence
from sdmx_service.formats.sdmx_schema.xsd_types import BASES, SimpleTypes, attribute_text, check_name
from sdmx_service.formats.structure_metadata import older_structure
from sdmx_service.model.columns import NOT_A_NUMBER, NOT_AVAILABLE
from sdmx_service.model.message import WriteOptions
from sdmx_service.model.metadata import XHTML
from sdmx_service.model.representation import TIME_TYPES, Representation, TextFormat
from sdmx_service.model.schema import MetadataSchema
from sdmx_service.model.structure import MetadataAttribute, MetadataTarget, ReportStructure, TargetObject
from sdmx_service.model.urn import Ref

_ROOT = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
_FRAME = """<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns={own} targetNamespace={own}
 xmlns:common="{root}common" xmlns:metadata="{root}metadata/structurespecific" elementFormDefault="unqualified">
<xs:import namespace="{root}common" schemaLocation="SDMXCommon.xsd"/>
<xs:import namespace="{root}metadata/structurespecific" schemaLocation="SDMXMetadataStructureSpecific.xsd"/>
<xs:import namespace="{root}message" schemaLocation="SDMXMessage.xsd"/>
<xs:annotation><xs:documentation>{words}</xs:documentation></xs:annotation>
{types}</xs:schema>
"""
_ANNOTATIONS = '<xs:element ref="common:Annotations" minOccurs="0"/>'
_MANY = ' maxOccurs="unbounded"'
_KINDS = {
    "IdentifiableObjectTarget": (OBJECT, "ReferenceType"),
    "KeyDescriptorValuesTarget": (KEY, "DataKeyType"),
    "DataSetTarget": (DATA_SET, "SetReferenceType"),
    "ConstraintContentTarget": (CONSTRAINT, "AttachmentConstraintReferenceType"),
    "ReportPeriodTarget": (PERIOD, "ObservationalTimePeriodType"),
}
"""Class of a target object -> the element that holds its value, and its type; in the order of the standard's choice."""
_REFERRED = frozenset(
    {"Agency", "AgencyScheme", "AttachmentConstraint", "Attribute", "AttributeDescriptor", "Categorisation",
    "Category", "CategoryScheme", "CategorySchemeMap", "Code", "Codelist", "CodelistMap", "Concept",
    "ConceptScheme", "ConceptSchemeMap", "Constraint", "ConstraintTarget", "ContentConstraint", "CustomType",
    "CustomTypeScheme", "DataConsumer", "DataConsumerScheme", "DataProvider", "DataProviderScheme",
    "DataSetTarget", "DataStructure", "Dataflow", "Dimension", "HierarchicalCode", "HierarchicalCodelist",
    "Hierarchy", "IdentifiableObjectTarget", "Level", "MeasureDescriptor", "MeasureDimension", "MetadataAttribute",
    "MetadataStructure", "MetadataTarget", "Metadataflow", "NamePersonalisation", "NamePersonalisationScheme",
    "OrganisationScheme", "OrganisationSchemeMap", "OrganisationUnit", "OrganisationUnitScheme", "PrimaryMeasure",
    "Process", "ProcessStep", "ProvisionAgreement", "ReportPeriodTarget", "ReportStructure", "ReportingTaxonomy",
    "Ruleset", "RulesetScheme", "StructureMap", "StructureSet", "TimeDimension", "Transformation",
    "TransformationScheme", "Transition", "UserDefinedOperator", "UserDefinedOperatorScheme", "VtlMapping",
    "VtlMappingScheme"}
)  # fmt: skip
"""Classes that ``SDMXCommonReferences.xsd`` has a type of reference for."""


def write_reports_xsd(schema: MetadataSchema, options: WriteOptions) -> Iterator[bytes]:
    """The schema as a file.

    Raises:
        CannotWrite: an id cannot be a name in XML, or the structure has no reports or targets.
    """
    words = (
        f"Structure-specific metadata messages of SDMX-ML 2.1 of {schema.ref.type} {schema.ref.text}. The schemas "
        "imported are those of the standard; save this file beside them. Structured text needs a schema of XHTML."
    )
    text = _FRAME.format(
        own=attribute_text(namespace_of(schema)),
        root=_ROOT,
        words=escape(words),
        types="".join(_ReportTypes(schema, options).definitions()),
    )
    return iter([text.encode()])


def namespace_of(schema: MetadataSchema) -> str:
    """The namespace of the sets, as headers of messages say it: 2.1 has no agreements about metadata."""
    return schema.ref.urn if schema.agreement is None else schema.structure.ref.urn


class _ReportTypes:
    """Writes the types of one structure."""

    def __init__(self, schema: MetadataSchema, options: WriteOptions) -> None:
        self._schema = schema
        structure = older_structure(schema.structure)
        self._reports = structure.reports
        if not self._reports:
            raise CannotWrite(f"{structure.ref.text} has no metadata attributes, which SDMX-ML 2.1 cannot say.")
        self._targets = {one.id: one for one in structure.targets}
        self._used = {one.id: one for report in self._reports for one in self._of(report)}
        self._names = self._public_names()
        self._types = SimpleTypes({}, options.languages, self._names)

    def _of(self, report: ReportStructure) -> list[MetadataTarget]:
        """The targets of a report.

        Raises:
            CannotWrite: it has none.
        """
        found = [self._targets[id] for id in report.targets if id in self._targets and self._targets[id].objects]
        if not found:
            raise CannotWrite(f"The report {report.id} is about no target of its metadata structure.")
        return found

    def _public_names(self) -> set[str]:
        """The names of types that messages say.

        Raises:
            CannotWrite: one is no name in XML, or means two things.
        """
        names = [*(one.id for one in self._reports), "MetadataSetType"]
        names += [f"{report.id}.{one.id}" for report in self._reports for one in self._of(report)]
        names += [f"{target.id}.{one.id}" for target in self._used.values() for one in target.objects]
        for name in names:
            check_name(name, "report or target")
            if names.count(name) > 1:
                raise CannotWrite(f"{name} would be the name of two types: of reports or targets with the same ids.")
        return set(names)

    def _private(self, wished: str) -> str:
        """A name of a type that no message says; with a dot, as names of simple types have none."""
        while wished in self._names:
            wished += "_"
        self._names.add(wished)
        return wished

    def definitions(self) -> Iterator[str]:
        types = list(self._complex_types())
        yield from self._types.definitions()
        yield from types

    def _complex_types(self) -> Iterator[str]:
        several = len(self._reports) > 1
        report = self._private("Report.Type") if several else self._reports[0].id
        inner = (
            '<xs:element ref="common:Name" minOccurs="0" maxOccurs="unbounded"/>'
            '<xs:element name="DataProvider" type="common:DataProviderReferenceType" minOccurs="0"/>'
            f'<xs:element name="Report" type="{report}"{_MANY}/>'
        )
        yield _defined("MetadataSetType", "metadata:MetadataSetType", _ANNOTATIONS + inner)
        if several:
            inner = '<xs:element name="Target" type="metadata:TargetType"/><xs:element name="AttributeSet"/>'
            yield _defined(report, "metadata:ReportType", _ANNOTATIONS + inner, is_abstract=True)
        for one in self._reports:
            yield from self._report(one, report if several else "metadata:ReportType")
        for target in self._used.values():
            yield from self._values(target)

    # --- reports and what they are about ----------------------------------------------------------------------------
    def _report(self, report: ReportStructure, base: str) -> Iterator[str]:
        targets = self._of(report)
        shown, above = f"{report.id}.{targets[0].id}", "metadata:TargetType"
        if len(targets) > 1:
            shown = above = self._private(f"{report.id}.Target.Type")
            inner = f'<xs:element name="ReferenceValue" type="metadata:ReferenceValueType"{_MANY}/>'
            yield _defined(shown, "metadata:TargetType", inner, is_abstract=True)
        inner = f'<xs:element name="Target" type="{shown}"/>'
        inner += self._set(report.attributes, f"{report.id}:", least=1)
        yield _defined(report.id, base, _ANNOTATIONS + inner, _fixed(report.id))
        for target in targets:
            count = len(target.objects)
            kind = f"{target.id}.{target.objects[0].id}" if count == 1 else self._shared(target)
            inner = f'<xs:element name="ReferenceValue" type="{kind}" minOccurs="{count}" maxOccurs="{count}"/>'
            yield _defined(f"{report.id}.{target.id}", above, inner, _fixed(target.id))

    @staticmethod
    def _shared(target: MetadataTarget) -> str:
        """The name of the type that the values of a target have in common; ``_values`` defines it.

        No object can have it: ids hold no dots.
        """
        return f"{target.id}.ReferenceValue.Type"

    def _values(self, target: MetadataTarget) -> Iterator[str]:
        base = "metadata:ReferenceValueType"
        if len(target.objects) > 1:
            kinds = {one.kind for one in target.objects}
            elements = "".join(_value_element(kind) for kind in _KINDS if kind in kinds)
            yield _defined(self._shared(target), base, f"<xs:choice>{elements}</xs:choice>", is_abstract=True)
            base = self._shared(target)
        for one in target.objects:
            yield from self._value(target, one, base)

    def _value(self, target: MetadataTarget, value: TargetObject, base: str) -> Iterator[str]:
        name = f"{target.id}.{value.id}"
        narrower = _period(value) if value.kind == "ReportPeriodTarget" else None
        if value.kind == "IdentifiableObjectTarget":
            narrower = "common:ObjectReferenceType"
            if value.object_type in _REFERRED:
                narrower = self._private(f"{name}.Reference")
                yield from self._reference(narrower, value.object_type, value)
        element = _value_element(value.kind, narrower)
        yield _defined(name, base, f"<xs:choice>{element}</xs:choice>", _fixed(value.id))

    def _reference(self, name: str, cls: str, value: TargetObject) -> Iterator[str]:
        """A reference to an object of a class, and of an item scheme where the target names one."""
        scheme = None if value.representation is None else value.representation.enumeration
        pattern = rf"urn:sdmx:org\.sdmx\.infomodel\.[a-z]+\.{cls}="
        pattern += ".+" if scheme is None else _literal(f"{scheme.agency}:{scheme.id}") + r"\([^)]+\)\..+"
        urn = self._types.named(f"{name}.URN", TextFormat(type="URI", pattern=pattern))
        referred = f"common:{cls}RefType"
        if scheme is not None:
            referred = self._private(f"{name}.Ref")
            yield _scheme_reference(referred, cls, scheme)
        inner = (
            f'<xs:choice><xs:sequence><xs:element name="Ref" type="{referred}"/>'
            f'<xs:element name="URN" type="{urn}" minOccurs="0"/></xs:sequence>'
            f'<xs:element name="URN" type="{urn}"/></xs:choice>'
        )
        yield _defined(name, f"common:{cls}ReferenceType", inner)

    # --- metadata attributes ----------------------------------------------------------------------------------------
    def _set(self, headings: Sequence[MetadataAttribute], above: str, *, least: int) -> str:
        """The element that holds reported attributes of one level."""
        counted = [(one, *occurrence(one, deletes=self._schema.deletion)) for one in headings]
        in_any_order = all(most == 1 for _, _, most in counted)
        elements = "".join(
            f'<xs:element name="{check_name(one.id, "metadata attribute")}" minOccurs="{few}" maxOccurs="{most}">'
            f"{self._heading(one, above)}</xs:element>"
            for one, few, most in counted
        )
        model = f"<xs:all>{elements}</xs:all>" if in_any_order else f"<xs:sequence>{elements}</xs:sequence>"
        return (
            f'<xs:element name="AttributeSet" minOccurs="{least}"><xs:complexType>{model}</xs:complexType></xs:element>'
        )

    def _heading(self, heading: MetadataAttribute, above: str) -> str:
        path = f"{above}{heading.id}"
        inner = _ANNOTATIONS
        if has_texts(heading):
            inner += _texts(heading.form.data_type == XHTML)
        if heading.items:
            needs = any(occurrence(one, deletes=self._schema.deletion)[0] for one in heading.items)
            inner += self._set(heading.items, f"{path}.", least=int(needs))
        value = '<xs:attribute name="value" use="prohibited"/>'
        if not heading.is_presentational:
            value = f'<xs:attribute name="value" type="{self._type(heading, path)}" use="optional"/>'
        content = _restricted("metadata:ReportedAttributeType", inner, value + _fixed(heading.id))
        return f"<xs:complexType>{content}</xs:complexType>"

    def _type(self, heading: MetadataAttribute, path: str) -> str:
        form = heading.form
        if not form.is_coded:
            found = form.text_format
            sentinels = () if found is None else tuple(one.value for one in found.sentinels)
            return self._types.named(heading.id, found, (*sentinels, NOT_AVAILABLE, NOT_A_NUMBER))
        listed = self._schema.enumerations.get(path) or self._schema.enumerations.get(path.partition(":")[2])
        return "xs:string" if listed is None else self._types.enumerated(heading.id, listed, (NOT_AVAILABLE,))


def _value_element(kind: str, narrower: str | None = None) -> str:
    """The element that holds a value of a target, perhaps of a narrower type."""
    name, type_name = _KINDS[kind]
    return f'<xs:element name="{name}" type="{narrower or f"common:{type_name}"}"/>'


def _period(value: TargetObject) -> str:
    kind = (value.representation or Representation()).data_type
    return BASES[kind if kind in TIME_TYPES else "ObservationalTimePeriod"]


def _scheme_reference(name: str, cls: str, scheme: Ref) -> str:
    """A reference to an item of one scheme, in whatever version."""
    attributes = (
        f'<xs:attribute name="agencyID" type="common:NestedNCNameIDType" use="required" fixed="{scheme.agency}"/>'
        f'<xs:attribute name="maintainableParentID" type="common:IDType" use="required" fixed="{scheme.id}"/>'
    )
    return _defined(name, f"common:{cls}RefType", "", attributes)


def _literal(text: str) -> str:
    return re.sub(r"[.()+*?]", r"\\\g<0>", text)


def _texts(is_structured: bool) -> str:
    """Texts by language; XHTML that is no markup is written as text."""
    names = ("Text", "StructuredText") if is_structured else ("Text",)
    elements = "".join(f'<xs:element ref="common:{name}"{_MANY}/>' for name in names)
    return f'<xs:choice minOccurs="0">{elements}</xs:choice>'


def _fixed(id: str) -> str:
    return f'<xs:attribute name="id" type="common:IDType" use="optional" fixed={attribute_text(id)}/>'


def _restricted(base: str, inner: str, attributes: str = "") -> str:
    content = inner if inner.startswith("<xs:choice>") or not inner else f"<xs:sequence>{inner}</xs:sequence>"
    return (
        f'<xs:complexContent><xs:restriction base="{base}">{content}{attributes}</xs:restriction></xs:complexContent>'
    )


def _defined(name: str, base: str, inner: str, attributes: str = "", *, is_abstract: bool = False) -> str:
    abstract = ' abstract="true"' if is_abstract else ""
    return f'<xs:complexType name="{name}"{abstract}>{_restricted(base, inner, attributes)}</xs:complexType>\n'
