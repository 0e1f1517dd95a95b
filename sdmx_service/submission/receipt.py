"""The receipt of a submission (docs: *Receipt*), kept in the store with its findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from sdmx_service.auth.principal import Principal
from sdmx_service.errors import NotFound
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.selection import dataflow_name
from sdmx_service.model.urn import parse_ref
from sdmx_service.storage.port import ChangeCounts, DocumentChange, Mark, Store

Status = Literal["received", "refused", "accepted", "approved", "scheduled", "published", "superseded", "withdrawn"]
_RECEIPT, _FINDINGS = "receipt", "findings"
_MOST_LISTED = 1_000
"""Places of a group that are kept in the document itself."""
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """The file as it came: ``format`` is the format's name."""

    name: str
    sha256: str
    bytes: int
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataflowCounts:
    """What a submission brings to one dataflow; the counts of changes are against the release it was checked at.

    ``actions`` are those of its data sets, in order, each once.
    """

    dataflow: str
    actions: tuple[str, ...] = ()
    observations: int = 0
    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0

    def to_json(self) -> dict[str, Any]:
        """As the receipt shows it."""
        counts = asdict(self)
        del counts["actions"]
        return {"dataflow": counts.pop("dataflow"), "counts": counts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a submission.

    Attributes:
        provider: ``AGENCY.ID``.
        mapping: id of the mapping used, None for an SDMX message.
        findings: counts per severity.
        rules_not_run: ids of rules that need what this check did not have.
        release: the release it was published in.
        checked_at: the release its rules were last checked against, None without a store.
        generation: the generation of the structures it was checked against.
        leaves_out: whether merges leave out something mandatory that was stored, or said before; None: not known.
        principal: id of who sent it.
        corrects: the submission that this one is the next version of.
        corrected_by: the newest submission that is the next version of this one.
        approved_by, scheduled_by: ids of who approved and who scheduled it.
        scheduled_for: the moment it waits for, ISO 8601 in UTC.
        log: the mark of the log when this was written; it shows later whether the log is still the same.
    """

    id: str
    status: Status
    received_at: str
    provider: str | None
    mapping: str | None
    file: FileFacts
    dataflows: tuple[DataflowCounts, ...] = ()
    findings: Mapping[str, int] = field(default_factory=dict)
    rules_not_run: tuple[str, ...] = ()
    release: int | None = None
    checked_at: int | None = None
    generation: int | None = None
    leaves_out: bool | None = None
    principal: str | None = None
    corrects: str | None = None
    corrected_by: str | None = None
    approved_by: str | None = None
    scheduled_by: str | None = None
    scheduled_for: str | None = None
    log: Mark | None = None

    @property
    def moment(self) -> datetime | None:
        """The moment it waits for."""
        return None if self.scheduled_for is None else datetime.fromisoformat(self.scheduled_for)

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers whose figures it brings."""
        return tuple((self.provider or "").split(", ")) if self.provider else ()

    def is_seen_by(self, principal: Principal) -> bool:
        """Whether somebody may see it and its findings."""
        may_see = principal.may("see", provider=self.provider or "", sender=self.principal)
        return may_see and principal.covers(one.dataflow for one in self.dataflows)

    def to_json(self) -> dict[str, Any]:
        """The receipt as users and partners read it."""
        base = f"/api/submissions/{self.id}"
        return {
            "id": self.id, "status": self.status, "received_at": self.received_at, "provider": self.provider,
            "mapping": self.mapping, "file": asdict(self.file),
            "dataflows": [one.to_json() for one in self.dataflows], "findings": dict(self.findings),
            "rules_not_run": list(self.rules_not_run), "release": self.release,
            "corrects": self.corrects, "corrected_by": self.corrected_by, "approved_by": self.approved_by,
            "scheduled_for": self.scheduled_for, "log": None if self.log is None else self.log.to_json(),
            "links": self._links(base) if self.id else {},
        }  # fmt: skip

    def _links(self, base: str) -> dict[str, str]:
        links = {name: f"{base}/{name}" for name in ("findings", "comments", "history", "data")}
        if self.corrects is not None:
            links |= {"corrects": f"/api/submissions/{self.corrects}", "difference": f"{base}/difference"}
        if self.corrected_by is not None:
            links["corrected_by"] = f"/api/submissions/{self.corrected_by}"
        return {"self": base, **links}


def with_changes(receipt: Receipt, changes: Sequence[ChangeCounts]) -> Receipt:
    """The receipt with counts of changes per dataflow."""
    by_name = {one.dataflow: one for one in changes}
    counted = []
    for flow in receipt.dataflows:
        change = by_name.get(_stored_name(flow.dataflow))
        if change is not None:
            flow = replace(
                flow,
                inserted=change.inserted,
                changed=change.changed,
                unchanged=change.unchanged,
                deleted=change.deleted,
            )
        counted.append(flow)
    return replace(receipt, dataflows=tuple(counted))


def _stored_name(dataflow: str) -> str:
    """How the store names a dataflow that the receipt names ``AGENCY:ID(VERSION)``."""
    ref = parse_ref(dataflow, "Dataflow").complete()
    assert ref is not None
    return dataflow_name(ref)


def receipt_change(receipt: Receipt, expected: Status | None = None) -> DocumentChange:
    """The receipt to be kept; ``expected``: the status that the kept one must have."""
    document = {
        **receipt.to_json(),
        "actions": {one.dataflow: list(one.actions) for one in receipt.dataflows},
        **{name: getattr(receipt, name) for name in _KEPT},
    }
    expects = None if expected is None else {"status": expected}
    return DocumentChange(kind=_RECEIPT, id=receipt.id, document=document, expected=expects, is_marked=True)


_KEPT = ("checked_at", "generation", "leaves_out", "principal", "scheduled_by")
"""Fields that are kept and not shown."""


def save_findings(store: Store, submission: str, groups: Sequence[FindingGroup]) -> None:
    """Keep the findings of a submission: a document, and beside it the places of large groups as columns.

    They count from its receipt on.
    """
    large = [group for group in groups if group.places.num_rows > _MOST_LISTED]
    sizes: list[int] = []

    def pieces() -> Iterator[bytes]:
        """One group's columns after the other, so that no two are there twice at a time."""
        for group in large:
            body = _columns(group.places)
            sizes.append(body.size)
            yield from _cut(body)

    if large:
        store.save_file(_places_file(submission), pieces())
    size = iter(sizes)
    listed = [
        {**replace(group, places=pa.table({})).to_json(), "bytes": next(size)}
        if group.places.num_rows > _MOST_LISTED
        else group.to_json()
        for group in groups
    ]
    store.save_document(_FINDINGS, submission, {"groups": listed})


def _places_file(submission: str) -> str:
    return f"{_FINDINGS}:{submission}"


def _columns(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _cut(body: pa.Buffer) -> Iterator[bytes]:
    for start in range(0, body.size, _PIECE):
        yield body.slice(start, min(_PIECE, body.size - start)).to_pybytes()


def load_receipt(store: Store, submission: str) -> Receipt:
    """The receipt of a submission.

    Raises:
        NotFound: there is none of that id.
    """
    document = store.document(_RECEIPT, submission)
    if document is None:
        raise NotFound(f"There is no submission {submission!r}.")
    return _from_json(document)


def receipts(store: Store) -> Iterator[Receipt]:
    """All receipts, in order of arrival."""
    for _, document in store.documents(_RECEIPT):
        yield _from_json(document)


def load_findings(store: Store, submission: str) -> tuple[FindingGroup, ...]:
    """The findings of a submission."""
    load_receipt(store, submission)
    document = store.document(_FINDINGS, submission)
    if document is None:
        return ()
    listed = document["groups"]
    body = b"".join(store.file(_places_file(submission))) if any("bytes" in one for one in listed) else b""
    found, start = [], 0
    for one in listed:
        group = FindingGroup.from_json(one)
        if "bytes" in one:
            with pa.ipc.open_stream(pa.py_buffer(body).slice(start, one["bytes"])) as reader:
                group = replace(group, places=reader.read_all())
            start += one["bytes"]
        found.append(group)
    return tuple(found)


def remove_findings(store: Store, submission: str) -> None:
    """Forget the findings of a submission, which quote its values."""
    store.remove_document(_FINDINGS, submission)
    store.save_file(_places_file(submission), ())


def last_published(store: Store) -> dict[tuple[str, str], datetime]:
    """When data were last published, per dataflow and provider as the store names them.

    *Choice*: a release without submissions (a restore, another ranking) counts for all that there was before it.
    """
    kept = {id: _from_json(document) for id, document in store.documents(_RECEIPT)}
    found: dict[tuple[str, str], datetime] = {}
    for release in store.releases():
        if not release.submissions:
            found = dict.fromkeys(found, release.published_at)
        for receipt in (kept[id] for id in release.submissions if id in kept):
            for flow in receipt.dataflows:
                for provider in receipt.providers or ("",):
                    found[_stored_name(flow.dataflow), provider] = release.published_at
    return found


def _from_json(document: Mapping[str, Any]) -> Receipt:
    actions = document.get("actions", {})
    return Receipt(
        id=document["id"],
        status=document["status"],
        received_at=document["received_at"],
        provider=document["provider"],
        mapping=document["mapping"],
        file=FileFacts(**document["file"]),
        dataflows=tuple(
            DataflowCounts(dataflow=one["dataflow"], actions=tuple(actions.get(one["dataflow"], ())), **one["counts"])
            for one in document["dataflows"]
        ),
        findings=document["findings"],
        rules_not_run=tuple(document["rules_not_run"]),
        release=document["release"],
        log=None if document.get("log") is None else Mark(**document["log"]),
        **{name: document.get(name) for name in (*_KEPT, *_LATER)},
    )


_LATER = ("corrects", "corrected_by", "approved_by", "scheduled_for")
"""Fields that receipts of earlier versions of the program do not have."""
