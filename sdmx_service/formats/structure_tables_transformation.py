"""The shapes of processes and VTL definitions (``SDMXStructureProcess.xsd``, ``SDMXStructureTransformation.xsd``)."""

from __future__ import annotations

from typing import Any, Final

from sdmx_service.formats.structure_parts import (
    DESCRIPTIONS,
    IDENTIFIED,
    NAMED,
    attribute,
    element,
    maintained,
    notes,
    scheme,
)
from sdmx_service.formats.structure_shapes import (
    Field,
    Flag,
    LocalId,
    Localised,
    Nest,
    Part,
    Reference,
    Shape,
    Values,
)
from sdmx_service.model import process, transformation

# ------------------------------------------------------------------------------------------------------------ processes

PROCESS_OBJECT: Final[Shape] = Shape(
    model=process.ProcessObject,
    fields=(
        attribute("localID", "local_id"),
        notes(),
        Reference(ml="ObjectReference", json="objectReference", model="reference"),
    ),
)
COMPUTATION: Final[Shape] = Shape(
    model=process.Computation,
    fields=(
        attribute("localID", "local_id"),
        attribute("softwarePackage", "software_package", "text"),
        attribute("softwareLanguage", "software_language", "text"),
        attribute("softwareVersion", "software_version", "text"),
        notes(),
        DESCRIPTIONS,
    ),
)


def make_transition(*, id: str | None = None, **said: Any) -> process.Transition:
    """A transition; one without id takes its local id, or else the step it leads to."""
    return process.Transition(id=id or said.get("local_id") or said.get("target_step") or "", **said)


TRANSITION: Final[Shape] = Shape(
    model=process.Transition,
    make=make_transition,
    fields=(
        *IDENTIFIED,
        attribute("localID", "local_id"),
        LocalId(ml="TargetStep", json="targetStep", model="target_step"),
        Localised(ml="Condition", json="condition", all="conditions", model="conditions", space="structure"),
    ),
)
PROCESS_STEP: Final[Shape] = Shape(
    model=process.ProcessStep,
    fields=(
        *NAMED,
        Part(ml="Input", json="inputs", model="inputs", shape=lambda: PROCESS_OBJECT, many=True),
        Part(ml="Output", json="outputs", model="outputs", shape=lambda: PROCESS_OBJECT, many=True),
        Part(ml="Computation", json="computation", model="computation", shape=lambda: COMPUTATION),
        Part(ml="Transition", json="transitions", model="transitions", shape=lambda: TRANSITION, many=True),
        Part(ml="ProcessStep", json="processSteps", model="steps", shape=lambda: PROCESS_STEP, many=True),
    ),
)
PROCESS: Final[Shape] = maintained(
    process.Process, Part(ml="ProcessStep", json="processSteps", model="steps", shape=lambda: PROCESS_STEP, many=True)
)

# ------------------------------------------------------------------------------------------------------------------ VTL


def _vtl(model: type, tag: str, json: str, item: Shape, *references: Field) -> Shape:
    version = attribute("vtlVersion", "vtl_version", "text", blank=True)
    return scheme(model, tag, json, lambda: item, *references, version)


def _item(model: type, *fields: Field) -> Shape:
    return Shape(model=model, fields=(*NAMED, *fields))


_MAPPING_SCHEME = Reference(
    ml="VtlMappingScheme", json="vtlMappingScheme", model="mapping_scheme", to="VtlMappingScheme"
)
_RULESET_SCHEMES = Reference(
    ml="RulesetScheme", json="rulesetSchemes", model="ruleset_schemes", to="RulesetScheme", many=True
)
TRANSFORMATION_SCHEME: Final[Shape] = _vtl(
    transformation.TransformationScheme,
    "Transformation",
    "transformations",
    _item(
        transformation.Transformation,
        attribute("isPersistent", "is_persistent", "boolean", always=True),
        element("Expression", "expression", "text"),
        element("Result", "result", "text"),
    ),
    _MAPPING_SCHEME,
    Reference(ml="NamePersonalisationScheme", json="namePersonalisationScheme", model="personalisation_scheme",
              to="NamePersonalisationScheme"),
    Reference(ml="CustomTypeScheme", json="customTypeScheme", model="custom_type_scheme", to="CustomTypeScheme"),
    _RULESET_SCHEMES,
    Reference(ml="UserDefinedOperatorScheme", json="userDefinedOperatorSchemes", model="operator_schemes",
              to="UserDefinedOperatorScheme", many=True),
)  # fmt: skip
RULESET_SCHEME: Final[Shape] = _vtl(
    transformation.RulesetScheme,
    "Ruleset",
    "rulesets",
    _item(
        transformation.Ruleset,
        attribute("rulesetType", "kind", "text"),
        attribute("rulesetScope", "scope", "text"),
        element("RulesetDefinition", "definition", "text"),
    ),
    _MAPPING_SCHEME,
)
USER_DEFINED_OPERATOR_SCHEME: Final[Shape] = _vtl(
    transformation.UserDefinedOperatorScheme,
    "UserDefinedOperator",
    "userDefinedOperators",
    _item(transformation.UserDefinedOperator, element("OperatorDefinition", "definition", "text")),
    _MAPPING_SCHEME,
    _RULESET_SCHEMES,
)
CUSTOM_TYPE_SCHEME: Final[Shape] = _vtl(
    transformation.CustomTypeScheme,
    "CustomType",
    "customTypes",
    _item(
        transformation.CustomType,
        element("VtlScalarType", "vtl_scalar_type", "text"),
        element("DataType", "data_type", "text"),
        element("VtlLiteralFormat", "vtl_literal_format", "text"),
        element("OutputFormat", "output_format", "text"),
        element("NullValue", "null_value", "text"),
    ),
)
NAME_PERSONALISATION_SCHEME: Final[Shape] = _vtl(
    transformation.NamePersonalisationScheme,
    "NamePersonalisation",
    "namePersonalisations",
    _item(
        transformation.NamePersonalisation,
        attribute("vtlArtefact", "vtl_artefact", "text"),
        element("VtlDefaultName", "default_name", "text"),
        element("PersonalisedName", "personalised_name", "text"),
    ),
)


def _mapped(tag: str, **more: Any) -> Reference:
    return Reference(ml=tag, json=tag.lower(), model="mapped", to=tag, only=True, **more)


def _conversion(direction: str, space: str) -> Shape:
    keys = Nest(
        ml=f"{direction}Vtl{space}",
        json=f"{direction.lower()}Vtl{space}",
        fields=(Values(ml="Key", json="keys", model="keys"),),
    )
    return Shape(model=transformation.VtlConversion, fields=(attribute("method", "method", "text"), keys))


_TO_VTL, _FROM_VTL = _conversion("To", "SubSpace"), _conversion("From", "SuperSpace")
VTL_MAPPING_SCHEME: Final[Shape] = scheme(
    transformation.VtlMappingScheme,
    "VtlMapping",
    "vtlMappings",
    lambda: VTL_MAPPING,
)
VTL_MAPPING: Final[Shape] = _item(
    transformation.VtlMapping,
    attribute("alias", "alias", "text"),
    _mapped("Dataflow"),
    Flag(ml="GenericDataflow", json="genericDataflow", model="is_generic", value=True),
    Part(ml="ToVtlMapping", json="toVtlMapping", model="to_vtl", shape=lambda: _TO_VTL),
    Part(ml="FromVtlMapping", json="fromVtlMapping", model="from_vtl", shape=lambda: _FROM_VTL),
    _mapped("Codelist"),
    _mapped("ConceptScheme", until="2.1"),
    _mapped("Concept"),
)
