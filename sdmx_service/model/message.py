"""What readers yield and writers take: header, data sets, structures; only batches are lazy."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import IO, Any, Final

import pyarrow as pa

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.artefact import NO_TEXTS, Item, Maintainable, Texts
from sdmx_service.model.constraint import AvailabilityConstraint
from sdmx_service.model.items import Contact
from sdmx_service.model.registration import Registration
from sdmx_service.model.schema import DataSchema, MetadataSchema
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref


class Action(Enum):
    """What a data set does to what is there (SDMX 3.1; ``Append`` and ``Information`` are read as Merge)."""

    MERGE = "Merge"
    REPLACE = "Replace"
    DELETE = "Delete"

    @classmethod
    def from_text(cls, text: str | None) -> Action:
        """The action of a word or its first letter (``Append`` and ``Information`` are Merge); Merge if none.

        Raises:
            SyntaxFault: another word.
        """
        key = (text or "M").strip().lower()
        found = {"m": cls.MERGE, "merge": cls.MERGE, "a": cls.MERGE, "append": cls.MERGE, "i": cls.MERGE,
                 "information": cls.MERGE, "r": cls.REPLACE, "replace": cls.REPLACE, "d": cls.DELETE,
                 "delete": cls.DELETE}.get(key)  # fmt: skip
        if found is None:
            raise SyntaxFault(f"The action {text!r} is not one of Merge, Replace, Delete.", code="E102")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Sender or receiver of a message."""

    id: str
    names: Texts = NO_TEXTS
    contacts: tuple[Contact, ...] = ()
    timezone: str | None = None
    """The sender's zone, which times without one are in (SDMX-ML ``Timezone``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header of a message; what a message does not say is None or empty.

    ``prepared`` keeps its zone when it was sent with one.
    """

    id: str = "IREF0"
    test: bool = False
    prepared: datetime | None = None
    sender: Party = field(default_factory=lambda: Party(id="unknown"))
    receivers: tuple[Party, ...] = ()
    names: Texts = NO_TEXTS
    sources: Texts = NO_TEXTS
    action: Action | None = None
    dataset_ids: tuple[str, ...] = ()
    extracted: datetime | None = None
    embargo: datetime | None = None
    reporting_begin: str | None = None
    reporting_end: str | None = None
    languages: tuple[str, ...] = ()
    provider: Ref | None = None
    """Data provider named in the header (a reference with ``item``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a reference in a message means: the structure that describes the data, and where the data belong."""

    structure: DataStructure
    dataflow: Ref | None = None
    provider: Ref | None = None
    """A data provider: a reference with ``item``."""


Resolve = Callable[[Ref], Target]
"""Resolves a DataStructure, Dataflow or ProvisionAgreement reference (late-bound versions too).

Raises ``UnresolvedReference``. Representations inside the structure are resolved."""
UNSAID: Final = Ref(type="DataStructure", agency="", id="", version="~")
"""What a message of SDMX-ML 2.0 refers to that names no structure; who knows what the sender said beside it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Names for codes and components that a writer may print.

    Attributes:
        components: component id -> names.
        codes: component id -> code -> item (only codes that occur).
        structure: names of the dataflow or structure.
        kept: what a writer made of names and may use again as long as these names hold, by a key of its own; whoever
            gives the names bounds it.
    """

    components: Mapping[str, Texts] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, Item]] = field(default_factory=dict)
    structure: Texts = NO_TEXTS
    kept: MutableMapping[Hashable, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Dataset:
    """Data of one structure with one action.

    From a **reader**, ``batches`` have the schema as read (``columns.read_schema``). A row with every dimension is an
    observation (and sets the attributes of higher levels it carries); a row without time, or without some dimensions,
    carries attributes of its series, group or data set, or, with Delete, says what to delete.

    For a **writer**, ``batches`` have the schema as typed, each series contiguous with ascending periods, attributes of
    higher levels repeated on each row; ``domains`` lists per dimension, time and coded component the values that occur
    (all batches index into those dictionaries); ``attachments`` holds the values of data set and group attributes
    (not of those attached to the whole series key) before the rows: columns = the level's dimensions + the attribute,
    keyed by attribute id.
    """

    structure: DataStructure
    ref: Ref
    """What the message names: a dataflow, structure or provision agreement."""
    batches: Iterator[pa.RecordBatch]
    action: Action = Action.MERGE
    dataflow: Ref | None = None
    provider: Ref | None = None
    dimension_at_observation: str | None = None
    """None: ``TIME_PERIOD`` if there is time, else ``AllDimensions``."""
    domains: Mapping[str, Sequence[str]] = field(default_factory=dict)
    attachments: Mapping[str, pa.Table] = field(default_factory=dict)
    labels: Labels = field(default_factory=Labels)
    id: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    components: tuple[str, ...] | None = None
    """Ids of measures and attributes to write, in order of the structure; None: all."""
    keys_only: bool = False
    """Only series (or key) level is written: no observations (``measures=none`` and no observation attributes)."""
    places: Mapping[str, int] | None = None
    """Component -> its column (0-based) in the sender's sheet, where the rows stand in one."""
    only_attributes: bool = False
    """There are no rows: ``attachments`` holds values of attributes, those of whole series keys too, and nothing else
    is told (for a Delete: what goes, with the value it had)."""
    is_sorted: bool = False
    """The rows come in an order of the client's; in the view asked for, series are contiguous in it."""


@dataclass(slots=True, kw_only=True)
class Message:
    """A message: header, structures, data sets (an iterable read once, in order, each to its end)."""

    header: Header = field(default_factory=Header)
    structures: tuple[Maintainable, ...] = ()
    availability: tuple[AvailabilityConstraint, ...] = ()
    datasets: Iterable[Dataset] = ()
    registrations: tuple[Registration, ...] = ()
    errors: tuple[tuple[str, str, Texts], ...] = ()
    """Errors and footer messages: (code, severity, texts)."""
    schema: DataSchema | MetadataSchema | None = None
    """What messages of one artefact must look like: the answer to a schema query."""
    lookup: Callable[[Ref], Maintainable | None] | None = None
    """Finds artefacts that the structures refer to, for formats that must say parts of them (SDMX 2.1)."""
    encoding: TextEncoding | None = None
    """Of a text that need not be in UTF-8."""
    names: Mapping[str, Texts] = field(default_factory=dict)
    """Names of what metadata sets refer to, for formats with labels: of artefacts by URN, of metadata attributes by the
    URN of the attribute, of its codes by that URN, ``=`` and the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetOrigin:
    """Where the rows of a sheet stand in the sender's file, where this is no sheet but a message.

    Attributes:
        rows: per row of the sheet the line or record; null where there is none.
        places: per row the place of its value, where the format has no lines (JSON pointers); else null.
    """

    rows: pa.Int64Array
    places: pa.StringArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A sheet of a workbook (or a whole CSV file) as text columns; row i of the columns is row i+1 of the sheet.

    Attributes:
        name: the sheet's name; None for CSV.
        columns: text as a person sees it; numbers without superfluous ``.0``; empty cells are null.
        merged: merged ranges as (first row, first column, last row, last column), 0-based.
        hidden_rows, hidden_columns: 0-based.
        is_hidden: the sheet as a whole is not shown.
        numbers: per column which cells hold a number, not a text; None where the file does not tell (CSV).
        lengths: per row how many cells its record has (CSV); None where each has as many as there are columns, or the
            file does not tell.
        origin: None where the sheet is the sender's own; else its columns are called by their header, not by a letter.
    """

    name: str | None
    columns: tuple[pa.StringArray, ...]
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    is_hidden: bool = False
    numbers: tuple[pa.BooleanArray, ...] | None = None
    lengths: pa.Int32Array | None = None
    origin: SheetOrigin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEncoding:
    """The encoding in which a text was read.

    Attributes:
        is_sure: the file or the sender says it, or its bytes leave no doubt; else it was found out.
        example: a word as it was read.
        others: encodings that fit as well and read differently, each with how it reads the first such word.
    """

    name: str
    is_sure: bool = False
    example: str = ""
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """A file that is not a message: sheets of cells, to be read through a mapping's layout.

    Attributes:
        encoding: of a text file.
    """

    sheets: tuple[Sheet, ...]
    encoding: TextEncoding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """What a client may wish of a representation.

    Attributes:
        languages: wishes in order; ``all_languages`` asks for every language where the format can carry it.
        labels: SDMX-CSV ``labels``; time_format, keys: SDMX-CSV parameters.
        columns: of tables by columns, ``used`` (without coded ones that say nothing) or ``all``.
        dimension_at_observation: as ``Dataset.dimension_at_observation``.
        indent: readable layout for structure messages.
        release: number of the release that the data are of; formats that describe themselves tell it.
        address: path and query that the message answers, for formats that people keep as files.
    """

    languages: tuple[str, ...] = ()
    all_languages: bool = False
    labels: str = "id"
    time_format: str = "original"
    keys: str = "none"
    columns: str = "used"
    dimension_at_observation: str | None = None
    indent: bool = False
    release: int | None = None
    address: str | None = None


SeekableFile = IO[bytes]
