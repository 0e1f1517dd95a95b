"""VTL definitions: transformations, rulesets, operators, and how VTL names SDMX things.

SDMX 3.1 package *transformation*. They are kept and passed on; nothing here runs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sdmx_service.model.artefact import Item, ItemScheme
from sdmx_service.model.urn import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformation(Item):
    """One assignment: ``result := expression``, kept for good if persistent."""

    expression: str
    result: str
    is_persistent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformationScheme(ItemScheme[Transformation]):
    """A VTL program and the definitions it uses."""

    type: ClassVar[str] = "TransformationScheme"
    vtl_version: str | None = None
    mapping_scheme: Ref | None = None
    personalisation_scheme: Ref | None = None
    custom_type_scheme: Ref | None = None
    ruleset_schemes: tuple[Ref, ...] = ()
    operator_schemes: tuple[Ref, ...] = ()

    def _references(self) -> Iterator[Ref]:
        lone = (self.mapping_scheme, self.personalisation_scheme, self.custom_type_scheme)
        yield from (ref for ref in lone if ref is not None)
        yield from (*self.ruleset_schemes, *self.operator_schemes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset(Item):
    """A VTL ruleset: ``kind`` datapoint or hierarchical, on ``scope`` valuedomain or variable."""

    definition: str
    kind: str
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetScheme(ItemScheme[Ruleset]):
    """A list of rulesets."""

    type: ClassVar[str] = "RulesetScheme"
    vtl_version: str | None = None
    mapping_scheme: Ref | None = None

    def _references(self) -> Iterator[Ref]:
        if self.mapping_scheme is not None:
            yield self.mapping_scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDefinedOperator(Item):
    """A VTL operator defined by its users."""

    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDefinedOperatorScheme(ItemScheme[UserDefinedOperator]):
    """A list of operators."""

    type: ClassVar[str] = "UserDefinedOperatorScheme"
    vtl_version: str | None = None
    mapping_scheme: Ref | None = None
    ruleset_schemes: tuple[Ref, ...] = ()

    def _references(self) -> Iterator[Ref]:
        if self.mapping_scheme is not None:
            yield self.mapping_scheme
        yield from self.ruleset_schemes


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomType(Item):
    """How a scalar type of VTL is represented in SDMX."""

    vtl_scalar_type: str
    data_type: str
    vtl_literal_format: str | None = None
    output_format: str | None = None
    null_value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomTypeScheme(ItemScheme[CustomType]):
    """A list of custom types."""

    type: ClassVar[str] = "CustomTypeScheme"
    vtl_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamePersonalisation(Item):
    """Another name for a standard name of VTL."""

    vtl_artefact: str
    default_name: str
    personalised_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamePersonalisationScheme(ItemScheme[NamePersonalisation]):
    """A list of personalised names."""

    type: ClassVar[str] = "NamePersonalisationScheme"
    vtl_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VtlConversion:
    """How data pass between SDMX and VTL: the method, and the dimensions of the sub- or superspace."""

    method: str | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VtlMapping(Item):
    """The VTL ``alias`` of an SDMX thing: a dataflow, codelist or concept, or of any dataflow (``is_generic``)."""

    alias: str
    mapped: Ref | None = None
    is_generic: bool = False
    to_vtl: VtlConversion | None = None
    from_vtl: VtlConversion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VtlMappingScheme(ItemScheme[VtlMapping]):
    """A list of aliases."""

    type: ClassVar[str] = "VtlMappingScheme"

    def _references(self) -> Iterator[Ref]:
        return (one.mapped.maintainable for one in self.items if one.mapped is not None)
