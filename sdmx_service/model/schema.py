"""What a schema query is answered with: a structure, the values it allows, and how messages are laid out.

SDMX-REST 2.2, schema.md: *the definition of data validity for a certain context*. Writers make an XML schema or a JSON
schema of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sdmx_service.model.artefact import NO_TEXTS, Texts
from sdmx_service.model.representation import Representation
from sdmx_service.model.structure import DataStructure, MetadataAttribute, MetadataStructure
from sdmx_service.model.urn import Ref

ALL_DIMENSIONS = "AllDimensions"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFault:
    """What a schema says of one place of a message.

    Attributes:
        cause: the kind of fault, as the schema language names it; ``unknown``: a structure that is not here.
        component: the attribute, element or property that it is about.
        said: in words.
        line: 1-based; None where a format has no lines.
        path: an XPath or a JSON pointer.
    """

    cause: str
    component: str
    said: str
    line: int | None
    path: str | None
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enumeration:
    """The values that a coded component may have: those of its list that the constraints leave.

    Attributes:
        ref: the codelist, value list or (2.1 measure dimension) concept scheme.
        values: names by value, in the list's order.
    """

    ref: Ref
    values: Mapping[str, Texts]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSchema:
    """What data of one artefact look like.

    Attributes:
        ref: the structure, dataflow or provision agreement whose constraints hold.
        names: its names.
        structure: the data structure, representations resolved.
        enumerations: by id of each coded component.
        dimension_at_observation: a dimension's id, or ``AllDimensions``.
        deletion: for messages that delete: dimensions, values and mandatory attributes may be absent.
        measure_types: 2.1 explicit measures: representation of each measure concept, by id; empty without them.
    """

    ref: Ref
    names: Texts = NO_TEXTS
    structure: DataStructure
    enumerations: Mapping[str, Enumeration]
    dimension_at_observation: str
    deletion: bool = False
    measure_types: Mapping[str, Representation | None] = field(default_factory=dict)

    @property
    def is_flat(self) -> bool:
        """Observations stand alone: no dimension is left for a series."""
        return self.dimension_at_observation == ALL_DIMENSIONS or len(self.structure.key_ids) == 1

    @property
    def series_ids(self) -> tuple[str, ...]:
        """The dimensions of a series, in key order."""
        return () if self.is_flat else tuple(one for one in self.structure.key_ids if one != self.observed_id)

    @property
    def observed_id(self) -> str:
        """The dimension at observation."""
        return self.dimension_at_observation


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataSchema:
    """What metadata sets of one artefact look like.

    Attributes:
        ref: the metadata structure, metadataflow or metadata provision agreement.
        names: its names.
        structure: the metadata structure, representations resolved.
        enumerations: by path (ids joined by a dot) of each coded heading; for a report of SDMX 2.1 also by its id, a
            colon and the path.
        flow, agreement: the metadataflow and agreement the sets are about, where the artefact is (in) one.
        deletion: for messages that delete: nothing is mandatory.
    """

    ref: Ref
    names: Texts = NO_TEXTS
    structure: MetadataStructure
    enumerations: Mapping[str, Enumeration]
    flow: Ref | None = None
    agreement: Ref | None = None
    deletion: bool = False

    @property
    def attributes(self) -> tuple[MetadataAttribute, ...]:
        """The headings of the first level, of all reports where SDMX 2.1 has these."""
        reported = (one for report in self.structure.reports for one in report.attributes)
        return tuple({one.id: one for one in (*reported, *self.structure.attributes)}.values())
