"""Structure maps and representation maps (SDMX 3.1 package *structuremapping*, technical notes 12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from sdmx_service.model.artefact import Annotation, Item, ItemScheme, Link, Maintainable
from sdmx_service.model.urn import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedValue:
    """A source or target value; ``is_regex`` and the substring bounds are for sources only (start is 1-based)."""

    value: str | None
    is_regex: bool = False
    start_index: int | None = None
    end_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingRow:
    """One row: source values -> target values, valid for the periods between (inclusive)."""

    sources: tuple[MappedValue, ...]
    targets: tuple[str, ...]
    valid_from: str | None = None
    valid_to: str | None = None
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RepresentationMap(Maintainable):
    """Codes or texts of one or several columns to codes or texts of one or several columns.

    ``sources``/``targets`` say per column what it is: a reference to a codelist or value list, or a DataType name.
    """

    type: ClassVar[str] = "RepresentationMap"
    sources: tuple[Ref | str, ...] = ()
    targets: tuple[Ref | str, ...] = ()
    rows: tuple[MappingRow, ...] = ()

    def _references(self) -> Iterator[Ref]:
        return (one for one in (*self.sources, *self.targets) if isinstance(one, Ref))


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentMap:
    """Source components -> target components, through a representation map or copied as they are."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    representation_map: Ref | None = None
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedValue:
    """A component (of the target, or of the source) that always has these values."""

    component: str
    values: tuple[str, ...]
    role: Literal["source", "target"] = "target"
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePatternMap:
    """Time text of a pattern -> SDMX time. ``kind`` date (Java SimpleDateFormat pattern) or epoch.

    Attributes:
        frequency_dimension: target dimension whose code says the output frequency; or
        frequency_id: the output frequency itself.
        pattern: the date pattern, or the epoch unit.
        resolve: start or end of period (or mid) when going to a higher frequency.
        mapped_frequencies: ids of those of the structure map's ``frequency_formats`` that hold here.
        frequency_formats: the same as pairs of frequency and date pattern.
    """

    sources: tuple[str, ...]
    target: str
    kind: Literal["date", "epoch"] = "date"
    pattern: str = ""
    locale: str = "en"
    base_period: str | None = None
    frequency_dimension: str | None = None
    frequency_id: str | None = None
    year_start: str | None = None
    resolve: str | None = None
    frequency_formats: tuple[tuple[str, str], ...] = ()
    annotations: tuple[Annotation, ...] = ()
    id: str | None = None
    mapped_frequencies: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyFormat:
    """The date pattern that one frequency is written in (SDMX 3.0 *FrequencyFormatMapping*)."""

    frequency_id: str
    date_pattern: str
    id: str | None = None
    annotations: tuple[Annotation, ...] = ()
    links: tuple[Link, ...] = ()
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureMap(Maintainable):
    """Data of one structure (or dataflow) into another."""

    type: ClassVar[str] = "StructureMap"
    source: Ref
    target: Ref
    components: tuple[ComponentMap, ...] = ()
    fixed: tuple[FixedValue, ...] = ()
    times: tuple[TimePatternMap, ...] = ()
    frequency_formats: tuple[FrequencyFormat, ...] = ()

    @property
    def pairs(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """The sources and targets of each map of components or times."""
        pairs = [(one.sources, one.targets) for one in self.components]
        return [*pairs, *((one.sources, (one.target,)) for one in self.times)]

    def _references(self) -> Iterator[Ref]:
        yield from (self.source, self.target)
        for one in self.components:
            if one.representation_map is not None:
                yield one.representation_map


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemMap(Item):
    """An item of one scheme to an item of another; ``id`` is made up of both."""

    source: str
    target: str
    valid_from: str | None = None
    valid_to: str | None = None
    is_regex: bool = False
    start_index: int | None = None
    end_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSchemeMap(ItemScheme[ItemMap]):
    """Concept scheme, category scheme, organisation scheme and reporting taxonomy maps."""

    source: Ref
    target: Ref

    def _references(self) -> Iterator[Ref]:
        yield from (self.source, self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptSchemeMap(ItemSchemeMap):
    """Concepts to concepts."""

    type: ClassVar[str] = "ConceptSchemeMap"


@dataclass(frozen=True, slots=True, kw_only=True)
class CategorySchemeMap(ItemSchemeMap):
    """Categories to categories."""

    type: ClassVar[str] = "CategorySchemeMap"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationSchemeMap(ItemSchemeMap):
    """Organisations to organisations."""

    type: ClassVar[str] = "OrganisationSchemeMap"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingTaxonomyMap(ItemSchemeMap):
    """Reporting categories to reporting categories."""

    type: ClassVar[str] = "ReportingTaxonomyMap"
