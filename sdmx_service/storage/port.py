"""The seam to storage: what every backend does, with the same meaning.

History from the first day (docs/decisions): each row version carries the release it came in with (``since``) and the
one that ended it (``until``). Publishing applies accepted rows to the state at the release pointer, commits, and moves
the pointer in a second transaction; readers read the pointer first and filter by it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from sdmx_service.model.message import Action
from sdmx_service.model.selection import Cube, Selection
from sdmx_service.model.structure import DataStructure


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the newest entry of the log was at some time: its number and hash; number 0 of an empty log."""

    number: int
    hash: str

    def to_json(self) -> dict[str, Any]:
        """As documents and answers tell it."""
        return {"number": self.number, "hash": self.hash}


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A published state; release 0 is the empty store. ``published_at``: the database's clock, strictly increasing.

    ``log`` is the mark of the entry about it; None if nobody said who made it.
    """

    number: int
    published_at: datetime
    submissions: tuple[str, ...] = ()
    comment: str = ""
    log: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """What readers see now: the release, and the generation of the catalog's artefacts.

    ``published_at`` is the release's time, ``changed_at`` that of the later of both.
    """

    release: int
    generation: int
    published_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Exact numbers of series and observations."""

    series: int
    observations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCounts:
    """What a publication did, or would do, in one dataflow."""

    dataflow: str
    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """The values that occur per dimension (time and coded components as asked), with exact counts."""

    values: Mapping[str, Sequence[str]]
    counts: Counts
    first_period: str | None = None
    last_period: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChanges:
    """Values of attributes of series, groups and data sets that no observation of an answer tells.

    Keyed by attribute id; columns = the dimensions that the attribute depends on (text) + the attribute as typed.

    Attributes:
        gone: values that keys had at ``changed_since`` and have no more.
        come: values that came or changed after it (without it: all) and belong to no observation of the answer.
    """

    gone: Mapping[str, pa.Table] = field(default_factory=dict)
    come: Mapping[str, pa.Table] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedPart:
    """A run of rows of one submission: one structure, dataflow, provider and action; parts apply in order.

    Names are those of ``selection.dataflow_name`` and ``provider_name``.
    """

    structure: DataStructure
    dataflow: str
    provider: str
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody did, for the log.

    Attributes:
        principal, role: who, and as what.
        act: a word: ``submit``, ``approve``, ``publish`` ...
        object: what it was done to: the id of a submission, ``release 7``, a URN ...
        reason: in the words of who did it.
        details: what else belongs to it; no figures.
    """

    principal: str
    role: str
    act: str
    object: str
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """An act as the log keeps it.

    Attributes:
        number: from 1, without gaps.
        at: the database's clock, never going back.
        details: JSON text.
        digest: SHA-256 of the details.
        previous: the hash of the entry before; empty for the first.
        hash: SHA-256 of all the others but the details, for which their digest stands.
    """

    number: int
    at: datetime
    principal: str
    role: str
    act: str
    object: str
    reason: str
    details: str
    digest: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentChange:
    """A document to keep, or with None to forget.

    Attributes:
        expected: fields with the values that the kept document must have now; None: whatever it is.
        is_marked: the document gets a field ``log`` with the mark of the newest entry of the log.
    """

    kind: str
    id: str
    document: Mapping[str, Any] | None
    expected: Mapping[str, Any] | None = None
    is_marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Entries of the log and changes of documents that happen together or not at all."""

    acts: tuple[Act, ...] = ()
    changes: tuple[DocumentChange, ...] = ()


Recorder = Callable[[int, Sequence[ChangeCounts]], Record]
"""What is recorded with a release, given its number and what it changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What a purge emptied: row versions, and rows kept of submissions; the submissions that have rows of the keys."""

    versions: int
    staged: int
    submissions: tuple[str, ...]


class Load(Protocol):
    """Rows of a submission on their way to durable keeping outside the cubes."""

    def append(self, part: StagedPart, batch: pa.RecordBatch) -> None:
        """Add rows as typed (``columns.typed_schema``; no origin columns needed). Another ``part``: a new part."""

    def keep(self) -> None:
        """Make the rows durable, all of them, under the submission's id."""

    def discard(self) -> None:
        """Forget the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Who is shown where several give the same key: providers per dataflow, dataflows per cube, best first.

    Who is not listed ranks after those listed, by name.

    Attributes:
        decided: per dataflow the providers that somebody put first, the head of its list; where it is not in here, the
            whole list is what structures say. None: every list was decided as it is.
    """

    providers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    dataflows: Mapping[str, Sequence[str]] = field(default_factory=dict)
    decided: Mapping[str, Sequence[str]] | None = None

    @property
    def heads(self) -> Mapping[str, Sequence[str]]:
        """Dataflow -> the providers that somebody put first."""
        return self.providers if self.decided is None else self.decided


class Store(Protocol):
    """A store; safe to call from several threads. Every read names its release."""

    def migrate(self) -> None:
        """Create or bring up to date the tables of the program itself."""

    def close(self) -> None:
        """Release files and connections; open iterators may fail."""

    def lease(self) -> str:
        """A word for who uses the store just now; it is good as long as this process lives and has the store open.

        Of a store that is not seen for a while (its connection broke) another word is given.
        """

    def is_alive(self, lease: str) -> bool:
        """Whether who was given that word, in this process or another one, still lives."""

    # --- cubes -------------------------------------------------------------------------------------------------
    def open_cube(self, structure: DataStructure) -> Cube:
        """The cube of the structure: created if new, widened by columns if a minor version brings components.

        One in which nothing was ever stored is made anew if the structure contradicts it.
        """

    def check_cube(self, structure: DataStructure) -> None:
        """Nothing, if ``open_cube`` would take the structure.

        Raises:
            StorageFault: it contradicts what is stored (other dimensions, another level or kind of a component).
        """

    def cubes(self) -> Sequence[Cube]:
        """The cubes there are."""

    def periods(self, cube: Cube) -> Sequence[str]:
        """Every period text ever stored in the cube (a superset of any selection's), in chronological order."""

    # --- the way in --------------------------------------------------------------------------------------------
    def stage(self, submission: str) -> Load:
        """Begin to keep rows for a submission (replacing what an earlier attempt of the same id left)."""

    def unstage(self, submission: str) -> None:
        """Forget the rows of a submission, those kept and those of loads that never came to that."""

    def staged(self, submission: str) -> Iterator[tuple[StagedPart, pa.RecordBatch]]:
        """The kept rows of a submission, in order, as typed."""

    def preview(self, submission: str) -> Sequence[ChangeCounts]:
        """What publishing it now would do."""

    def publish(
        self,
        submissions: Sequence[str],
        base: int | None = None,
        *,
        generation: int | None = None,
        ranking: Ranking | None = None,
        comment: str = "",
        record: Recorder | None = None,
    ) -> tuple[Release, Sequence[ChangeCounts]]:
        """Apply kept submissions in that order as one release; with ``ranking`` also change who is shown.

        What ``record`` gives is written in the transaction that makes the release current.

        Raises:
            Conflict: ``base`` or ``generation`` is given and is not the current one, a submission has no kept rows, or
                a document is not what the record expects; then there is no release.
        """

    def restore(self, release: int, *, comment: str = "", record: Recorder | None = None) -> Release:
        """A new release whose state equals that of an earlier one (rows and ranking); ``record`` as in ``publish``."""

    def purge(self, selection: Selection) -> Purged:
        """Remove the stored values of keys from every version and from the rows that submissions have kept.

        Rows stay, with their status. What counts of the selection are keys, periods, dataflows and providers. The
        generation grows, so that nobody takes an answer of before for one of now.
        """

    # --- the way out -------------------------------------------------------------------------------------------
    def pointer(self) -> Pointer:
        """What is current; one cheap read."""

    def releases(self) -> Sequence[Release]:
        """All releases, oldest first, release 0 left out."""

    def release_at(self, moment: datetime) -> int:
        """The release that was current at a moment (0 before the first)."""

    def touched(self, cube: Cube, release: int) -> Mapping[str, Sequence[int]]:
        """Per dataflow (by name) the releases up to that one in which something shown came, changed or went."""

    def mask_version(self, cube: Cube) -> str:
        """What is hidden of a cube now, as a short text that tells nothing else; empty where nothing is.

        Figures are hidden whatever way they are read (``model.confidentiality``). What is kept outside the store is
        good for one release *and* this text.
        """

    def told_before(self, selection: Selection) -> Iterator[pa.RecordBatch]:
        """The keys of figures that are hidden now and were open before, as text, with ``_since`` and ``_until``.

        Of each row version that was shown open: the release that it came in with, and the one that ended it or hid it.
        """

    def count(self, selection: Selection) -> Counts:
        """Exact counts; paging and first/lastN are respected."""

    def senders(self, selection: Selection) -> Collection[str]:
        """The providers that ever sent something for the selection's dataflows, by name; cheap, and a superset."""

    def ranking(self, release: int) -> Ranking:
        """Who was shown before whom at a release."""

    def given(self, selection: Selection, by: Sequence[str]) -> pa.Table:
        """How many observations each provider gives, shown or not, and how many of them are shown in their dataflow.

        The selection's context is ``provisionagreement``. One row per dataflow, provider, codes of the dimensions
        ``by`` and period, in no order. Columns: ``dataflow``, ``provider``, one per dimension, ``period`` (text, ""
        where the structure has no time), ``given``, ``shown`` (int64).
        """

    def compared(self, selection: Selection, by: Sequence[str]) -> pa.Table:
        """How many keys two providers give the same figures for, in every measure, and how many others.

        As ``given``, with ``other``, the later of the two providers by name, and ``equal`` and ``unequal`` (int64).
        """

    def domains(self, selection: Selection) -> Mapping[str, Sequence[str]]:
        """Per dimension, time and coded component the values that occur in the selection (paging ignored).

        Of a multilingual component the languages that occur.

        Codes in code point order, periods in chronological order.
        """

    def available(self, selection: Selection, components: Sequence[str] | None = None) -> Availability:
        """The values per dimension and time (or only of ``components``, attributes too), with counts."""

    def attachments(self, selection: Selection) -> Mapping[str, pa.Table]:
        """Values of data set and group attributes that belong to the selection: columns = level dimensions + attribute.

        Keyed by attribute id; attributes of the whole series key are not in it.
        """

    def scan(self, selection: Selection, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        """The rows: schema as typed (cut to ``selection.components``), dictionaries are ``domains``.

        Each series contiguous, periods ascending, order repeatable (with ``selection.sort``: in that order instead);
        memory does not grow with the answer. In the
        ``provisionagreement`` context, or when several dataflows are asked, extra columns ``_dataflow`` and
        ``_provider`` (dictionary) stand first.
        """

    def series(self, selection: Selection, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        """The series keys with attributes of series, group and data set, without observations."""

    def scan_deleted(self, selection: Selection) -> Iterator[pa.RecordBatch]:
        """With ``changed_since``: the full keys (dimensions and time, text) shown then and not shown any more."""

    def attribute_changes(self, selection: Selection) -> AttributeChanges:
        """What ``attachments``, ``scan`` and ``scan_deleted`` leave untold about attributes above the observation."""

    # --- who did what ------------------------------------------------------------------------------------------
    def record(self, record: Record) -> Mark:
        """Write entries into the log and change documents, in one transaction; the newest entry's mark.

        Raises:
            Conflict: a document is not what is expected.
        """

    def log(
        self, after: int = 0, limit: int | None = None, objects: Collection[str] | None = None
    ) -> Iterator[LogEntry]:
        """Entries after a number, oldest first, read in pages; ``objects``: only those about one of them."""

    def mark(self) -> Mark:
        """The newest entry's mark."""

    # --- everything else that is kept --------------------------------------------------------------------------
    def save_document(self, kind: str, id: str, document: Mapping[str, Any]) -> None:
        """Keep a small JSON document (receipts, findings, principals), replacing one of the same kind and id."""

    def document(self, kind: str, id: str) -> Mapping[str, Any] | None:
        """A kept document, or None."""

    def documents(self, kind: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """All documents of a kind as (id, document), in order of first keeping."""

    def remove_document(self, kind: str, id: str) -> None:
        """Forget a document."""

    def save_file(self, id: str, chunks: Iterable[bytes]) -> None:
        """Keep a file as it came, replacing one of the same id."""

    def file(self, id: str) -> Iterator[bytes]:
        """The pieces of a kept file, in order; none where it is not kept."""

    def save_artefacts(
        self, artefacts: Mapping[str, bytes | None], base: int | None = None, acts: Sequence[Act] = ()
    ) -> int:
        """Keep artefacts (urn -> serialised form; None ends one) as one new generation; returns its number.

        ``acts`` go into the log in the same transaction.
        ``urn`` may also be a name of a mapping, rule or registration (``mapping:ID``, ``rules:ID``).

        Raises:
            Conflict: ``base`` is given and is not the current generation.
        """

    def artefacts(self, generation: int | None = None) -> Mapping[str, bytes]:
        """The artefacts of a generation (the current one by default)."""

    def generation_at(self, moment: datetime) -> int:
        """The generation that was current at a moment: 0 before the first one.

        Of a store that an earlier version of the program filled, which kept no times, the generation that was current
        when times began counts from the first release on.
        """
