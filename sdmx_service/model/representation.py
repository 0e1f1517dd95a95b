"""How the values of a component or concept look: an enumeration or a text format (SDMX 3.1 *Representation*)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sdmx_service.model.artefact import NO_TEXTS, Texts
from sdmx_service.model.urn import Ref

UNBOUNDED = "unbounded"

NUMERIC_TYPES = frozenset(
    {"BigInteger", "Integer", "Long", "Short", "Decimal", "Float", "Double", "Count", "InclusiveValueRange",
     "ExclusiveValueRange", "Incremental", "Numeric"}
)  # fmt: skip
"""Data types whose values are numbers (SDMX 3.1 *DataType*)."""

TIME_TYPES = frozenset(
    {"ObservationalTimePeriod", "StandardTimePeriod", "BasicTimePeriod", "GregorianTimePeriod", "GregorianYear",
     "GregorianYearMonth", "GregorianDay", "ReportingTimePeriod", "ReportingYear", "ReportingSemester",
     "ReportingTrimester", "ReportingQuarter", "ReportingMonth", "ReportingWeek", "ReportingDay", "DateTime",
     "TimeRange"}
)  # fmt: skip
"""Data types whose values are time periods."""

DATA_TYPES = NUMERIC_TYPES | TIME_TYPES | {
    "String", "Alpha", "AlphaNumeric", "Boolean", "URI", "Month", "MonthDay", "Day", "Time", "Duration",
    "GeospatialInformation", "XHTML", "KeyValues", "IdentifiableReference", "DataSetReference",
    "AttachmentConstraintReference",
}  # fmt: skip
"""Every data type of SDMX 2.1 to 3.1 (schemas *SDMXCommon*, ``DataType``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelValue:
    """A value with a meaning of its own, such as -1 for "not applicable" (SDMX 3.0 *SentinelValue*)."""

    value: str
    names: Texts = NO_TEXTS
    descriptions: Texts = NO_TEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFormat:
    """Type and facets of an uncoded value (SDMX 3.1 *Facet*).

    ``type`` is the standard's DataType name (``String`` when a message says nothing); limits are kept as text,
    exactly as sent.
    """

    type: str = "String"
    is_sequence: bool | None = None
    interval: str | None = None
    start_value: str | None = None
    end_value: str | None = None
    time_interval: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_value: str | None = None
    max_value: str | None = None
    decimals: int | None = None
    pattern: str | None = None
    is_multilingual: bool | None = None
    sentinels: tuple[SentinelValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """Either ``enumeration`` (a Codelist or ValueList reference, perhaps with a format) or ``text_format``.

    ``min_occurs``/``max_occurs`` say how many values an attribute or measure may have at once; more than one
    (or ``"unbounded"``) makes it multi-valued.
    """

    enumeration: Ref | None = None
    text_format: TextFormat | None = None
    """The text format; with an enumeration, the enumeration format."""
    min_occurs: int | None = None
    max_occurs: int | Literal["unbounded"] | None = None

    @property
    def is_coded(self) -> bool:
        """Values come from an enumeration."""
        return self.enumeration is not None

    @property
    def is_multi_valued(self) -> bool:
        """More than one value may occur at once."""
        return self.max_occurs == UNBOUNDED or (isinstance(self.max_occurs, int) and self.max_occurs > 1)

    @property
    def data_type(self) -> str:
        """The DataType name; ``String`` where nothing is said."""
        return "String" if self.text_format is None else self.text_format.type
