"""The walk of a submission: receive -> map -> validate -> stage -> decide -> receipt; its later life is ``workflow``'s.

``check`` ends after the findings and changes nothing. A file is one transaction: with any error nothing of it is kept.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from io import SEEK_END
from itertools import chain
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.ahead import ahead
from sdmx_service.auth import Principal, service_does
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import allowed_codes
from sdmx_service.catalog.library import Library
from sdmx_service.errors import Conflict
from sdmx_service.formats.recognition import head_of, unpack
from sdmx_service.model.columns import COLUMN, ROW, SHEET
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import Action, SeekableFile, Target
from sdmx_service.model.selection import dataflow_name, provider_name
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Act, Load, Record, StagedPart, Store
from sdmx_service.submission.decisions import with_decisions
from sdmx_service.submission.duplicates import report_duplicates
from sdmx_service.submission.keeping import check_kept
from sdmx_service.submission.loads import loading
from sdmx_service.submission.parts import Part
from sdmx_service.submission.presence import StoredRows
from sdmx_service.submission.reading import Received, Wish, named_provider, receive
from sdmx_service.submission.receipt import (
    DataflowCounts,
    FileFacts,
    Receipt,
    receipt_change,
    save_findings,
    with_changes,
)
from sdmx_service.submission.rechecking import dataflow_called
from sdmx_service.submission.report import Report
from sdmx_service.submission.rules import run_rules
from sdmx_service.submission.schema_check import check_schema
from sdmx_service.submission.still_there import StillThere, before
from sdmx_service.submission.stored import Stored
from sdmx_service.submission.undecided import keep_undecided
from sdmx_service.submission.validation import Validator
from sdmx_service.submission.whole_deletion import report_whole_deletion
from sdmx_service.submission.workspace import Workspace

_PIECE = 1 << 20
_MISSING = ("F303", "F305")
"""Findings whose messages do not say at which key."""
KEPT = 128 * 1024**2
"""Bytes of a file that is kept as it was sent, at most; of a larger one the digest is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file with its name; ``file`` is seekable and stays open as long as it is checked."""

    file: SeekableFile
    name: str
    media_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a check found: the receipt (not kept) and the findings."""

    receipt: Receipt
    groups: tuple[FindingGroup, ...]


@dataclass(slots=True, kw_only=True)
class _Check:
    """What a check gathers while the rows pass by."""

    report: Report = field(default_factory=Report)
    parts: dict[tuple[str, str], Part] = field(default_factory=dict)
    observations: Counter[str] = field(default_factory=Counter)
    actions: dict[str, dict[str, None]] = field(default_factory=dict)
    rows: int = 0
    rules_not_run: tuple[str, ...] = ()
    complete: set[str] = field(default_factory=set)
    is_of_moment: bool = False
    """The last part was a state of a history."""
    passed: int = 0
    leaves_out: bool = False
    received: Received | None = None


# --- check and submit -----------------------------------------------------------------------------------------------
def check(
    sent: SentFile,
    wish: Wish,
    catalog: Catalog,
    *,
    store: Store | None = None,
    release: int | None = None,
    memory: str = "1GB",
    principal: Principal | None = None,
) -> Outcome:
    """The findings of a file, nothing kept; with a store its history serves the rules of scope *result*.

    Raises:
        NotAllowed: ``principal`` may not send such data.
        SdmxError: the file cannot be read at all, or the call is wrong.
    """
    catalog = catalog if store is None else with_decisions(catalog, store)
    found = _run(sent, wish, catalog, None, Stored.of(store, catalog, release), principal, memory)
    status = "refused" if found.report.has_errors else "received"
    receipt = _receipt(_facts(sent, found), found, "", None, release, catalog.generation, status)
    return Outcome(receipt=receipt, groups=found.report.groups)


def submit(
    sent: SentFile,
    wish: Wish,
    library: Library,
    principal: Principal,
    *,
    corrects: str | None = None,
    beside: Callable[[Receipt], Record] = lambda receipt: Record(),
    preview: bool = True,
    memory: str = "1GB",
) -> Receipt:
    """Check a file, keep its rows if nothing is wrong, and give the receipt.

    Args:
        corrects: the submission of which this is the next version.
        beside: what is recorded together with the receipt, given the receipt.
        preview: let the receipt count what publishing would change.

    Raises:
        NotAllowed: the principal may not send data of that provider.
        Conflict: a document is not what ``beside`` expects; nothing is kept.
        SdmxError: the file cannot be read at all, or the call is wrong.
    """
    principal.must("submit")
    view, store = library.view(), library.store
    catalog = with_decisions(view.catalog, store)
    identity = f"S{datetime.now(UTC):%Y%m%d%H%M%S}{secrets.token_hex(3)}"
    with loading(store, identity) as done:
        load, kept = store.stage(identity), list[Future[FileFacts]]()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="file") as aside:  # keeps the file while rules run

            def keep(found: _Check) -> None:
                kept.append(aside.submit(_facts, sent, found, store, identity))

            stored = Stored.of(store, catalog, view.release)
            found = _run(sent, wish, catalog, load, stored, principal, memory, keep)
        status = "refused" if found.report.has_errors else "accepted"
        receipt = _receipt(kept[0].result(), found, identity, principal, view.release, view.generation, status)
        receipt = replace(receipt, corrects=corrects)
        save_findings(store, identity, found.report.groups)
        keep_undecided(store, identity, found.report.groups, catalog, receipt.provider)
        if status == "refused":
            load.discard()
        else:
            load.keep()
            if preview:
                receipt = with_changes(receipt, store.preview(identity))
        more = beside(receipt)
        acts = (*_acts(receipt, principal), *more.acts)
        changes = (receipt_change(receipt), done, *more.changes)
        return replace(receipt, log=store.record(Record(acts=acts, changes=changes)))


def _acts(receipt: Receipt, principal: Principal) -> tuple[Act, Act]:
    """Somebody sent it, and the check accepted or refused it.

    With salt: the newest hash of the log is public, and must tell nothing of a file of which the rest is known.
    """
    facts: dict[str, Any] = {
        "file": receipt.file.name,
        "sha256": receipt.file.sha256,
        "salt": secrets.token_hex(16),
        "provider": receipt.provider,
        "dataflows": {one.dataflow: one.observations for one in receipt.dataflows},
        "corrects": receipt.corrects,
    }
    verdict = "accept" if receipt.status == "accepted" else "refuse"
    return (
        principal.does("submit", receipt.id, **facts),
        service_does(verdict, receipt.id, findings=dict(receipt.findings)),
    )


def _run(
    sent: SentFile,
    wish: Wish,
    catalog: Catalog,
    load: Load | None,
    stored: Stored | None,
    principal: Principal | None,
    memory: str,
    on_read: Callable[[_Check], None] = lambda _: None,
) -> _Check:
    """Everything that a check finds; ``on_read`` is called when the file is read to its end."""
    found, is_kept = _Check(), False
    found.report.file = sent.name
    sender = _bound_provider(principal, catalog)
    with closing(Workspace(memory)) as workspace:
        for name, file in _members(sent):
            found.report.file = workspace.file = name
            found.received = receive(file, name, sent.media_type, wish, catalog, found.report, sender)
            if wish.xsd:
                check_schema(file, found.received.format, catalog, found.report)
            for part in found.received.parts:
                _pass(part, catalog, principal, found, workspace, load, stored)
            found.complete |= set(found.received.complete)
            own = None if stored is None else stored.own
            is_kept = check_kept(found.received.questionnaire, found.report, own) or is_kept
        on_read(found)
        found.report.file = sent.name
        if not found.rows and not is_kept and not found.report.has_errors:
            found.report.add(FindingGroup.of("F109"))
        report_duplicates(workspace, found.report)
        not_run = ["F260"] if is_kept and stored is None else []
        found.rules_not_run = (
            *not_run,
            *run_rules(
                workspace,
                catalog.rule_sets.values(),
                catalog,
                [part.dataflow for part in found.parts.values()],
                None if stored is None else stored.shown,
                found.complete,
                found.report,
                None if stored is None else stored.sent_before,
            ),
        )
    return found


def _members(sent: SentFile) -> Iterator[tuple[str, SeekableFile]]:
    """The files of an archive, one after the other, or the file itself."""
    for name, file in unpack(sent.file, head_of(sent.file, name=sent.name, media_type=sent.media_type)):
        yield name or sent.name, file


def _bound_provider(principal: Principal | None, catalog: Catalog) -> Ref | None:
    if principal is None or principal.provider is None:
        return None
    return named_provider(principal.provider, catalog)


def _pass(
    part: Part,
    catalog: Catalog,
    principal: Principal | None,
    found: _Check,
    workspace: Workspace,
    load: Load | None,
    stored: Stored | None,
) -> None:
    """One part: every batch validated, put into the workspace, staged."""
    if principal is not None:
        principal.must_send(part.provider, part.dataflow.ref)
    target = Target(structure=part.target.structure, dataflow=part.dataflow.ref, provider=part.provider)
    staged = StagedPart(
        structure=target.structure,
        dataflow=dataflow_name(part.dataflow.ref),
        provider=provider_name(part.provider),
        action=part.action,
    )
    validator = Validator(
        target=target,
        action=part.action,
        catalog=catalog,
        report=found.report,
        allowed=allowed_codes(target, catalog),
        letters=part.letters,
        stored=_before(part, staged, stored, workspace if found.passed else None),
    )
    found.passed += 1
    if (staged.dataflow, staged.provider) not in found.parts:
        found.parts[staged.dataflow, staged.provider] = part
        _check_agreement(part, catalog, found.report)
    workspace.letters = (
        {one.id: one.id for one in target.structure.components} if part.letters is None else part.letters
    )
    found.actions.setdefault(part.dataflow.ref.text, {})[part.action.value] = None
    if part.is_of_moment or found.is_of_moment:  # what follows a history without validity is its last state
        workspace.begin()
    found.is_of_moment = part.is_of_moment
    may_empty = part.action is Action.DELETE
    for typed in _checked(part, validator):
        found.rows += len(typed)
        found.observations[part.dataflow.ref.text] += _observations(typed, target, part.action)
        workspace.add(staged, typed)
        if may_empty and report_whole_deletion(typed, part, stored, found.report):
            may_empty = False
        if load is not None and not found.report.has_errors:
            load.append(staged, typed.drop_columns([ROW, COLUMN, SHEET]))
    validator.finish()
    found.leaves_out = found.leaves_out or validator.leaves_out


def _before(part: Part, staged: StagedPart, stored: Stored | None, workspace: Workspace | None) -> StoredRows | None:
    """What a merge may leave out: what is stored, and what the parts of the message before it say."""
    if workspace is None:
        return None if stored is None else partial(stored.own, part.dataflow, part.provider)
    return before(staged.structure, part.dataflow.ref, staged, stored, workspace)


def _checked(part: Part, validator: Validator) -> Iterator[pa.RecordBatch]:
    """The rows of a part as typed. Those of a message are read, checked and kept side by side.

    Tables report what they find while they are read; so that findings keep their order, they are read in step.
    """
    if part.letters is not None:
        yield from map(validator.check, part.batches)
        return
    with closing(ahead(part.batches)) as read, closing(ahead(map(validator.check, read))) as checked:
        yield from checked


def _check_agreement(part: Part, catalog: Catalog, report: Report) -> None:
    if not catalog.may_provide(part.provider, part.dataflow.ref):
        agreed = ", ".join(catalog.agreements.dataflows(part.provider))
        told = catalog.agreements.shortfall(part.provider, part.dataflow.ref)
        report.add(
            FindingGroup.of(
                "F503",
                value=provider_name(part.provider),
                expected=part.dataflow.ref.text,
                agreed=told or (f"agreements for {agreed}" if agreed else "none at all"),
            )
        )


def _observations(batch: pa.RecordBatch, target: Target, action: Action) -> int:
    """Rows with every dimension that are not deletions."""
    if action is Action.DELETE:
        return 0
    whole = None
    for id in target.structure.key_ids:
        valid = batch.column(id).is_valid()
        whole = valid if whole is None else pc.and_(whole, valid)
    return len(batch) if whole is None else int(pc.sum(whole).as_py() or 0)


def _receipt(
    facts: FileFacts,
    found: _Check,
    identity: str,
    principal: Principal | None,
    release: int | None,
    generation: int,
    status: str,
) -> Receipt:
    received = found.received
    assert received is not None
    providers = sorted({provider_name(part.provider) for part in found.parts.values()})
    return Receipt(
        id=identity,
        status=status,  # type: ignore[arg-type]
        received_at=datetime.now(UTC).isoformat(timespec="seconds"),
        provider=", ".join(providers) or None,
        mapping=received.mapping,
        file=facts,
        dataflows=tuple(
            DataflowCounts(dataflow=name, observations=count, actions=tuple(found.actions.get(name, ())))
            for name, count in found.observations.items()
        ),
        findings=found.report.counts,
        rules_not_run=found.rules_not_run,
        checked_at=release,
        generation=generation,
        leaves_out=found.leaves_out,
        principal=None if principal is None else principal.id,
    )


def _pieces(file: SeekableFile) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


@contextmanager
def kept_file(store: Store, submission: str) -> Iterator[IO[bytes] | None]:
    """The file of a submission as it was sent, seekable; None where it is not kept."""
    pieces = store.file(submission)
    first = next(pieces, None)
    if first is None:
        yield None
        return
    with tempfile.TemporaryFile() as file:
        file.writelines(chain((first,), pieces))
        file.seek(0)
        yield file


def _facts(sent: SentFile, found: _Check, store: Store | None = None, identity: str = "") -> FileFacts:
    """What the file is; in the same pass it is kept as it was sent, where there is a store and it is not too large."""
    assert found.received is not None
    digest, size = hashlib.sha256(), sent.file.seek(0, SEEK_END)

    def pieces() -> Iterator[bytes]:
        for piece in _pieces(sent.file):
            digest.update(piece)
            yield piece

    if store is not None and size <= KEPT:
        store.save_file(identity, pieces())
    else:
        deque(pieces(), maxlen=0)
    return FileFacts(name=sent.name, sha256=digest.hexdigest(), bytes=size, format=found.received.format.name)


# --- later life -----------------------------------------------------------------------------------------------------
def check_again(kept: Sequence[Receipt], library: Library, memory: str = "1GB") -> None:
    """The rules, over what is stored now and all that is to be published, the later submission last.

    What merges leave out must still be there too (``still_there``).

    Raises:
        Conflict: they do not hold any more.
    """
    view, store = library.view(), library.store
    catalog = view.catalog
    report = Report()
    layouts = [catalog.layouts[one.mapping] for one in kept if one.mapping and one.mapping in catalog.layouts]
    complete = {dimension for layout in layouts for dimension in layout.complete} if len(layouts) == len(kept) else ()
    stored = Stored(store=store, catalog=catalog, release=view.release)
    with closing(Workspace(memory)) as workspace:
        flows = {}
        there = StillThere(stored, workspace, report)
        for receipt in kept:
            workspace.file = receipt.file.name
            rows = 0
            for part, batch in store.staged(receipt.id):
                flows[part.dataflow] = dataflow_called(part.dataflow, catalog)
                if receipt.leaves_out is not False or receipt.generation != view.generation:
                    there.look(part, flows[part.dataflow], batch)
                workspace.add(part, _with_origin(batch, rows))
                rows += len(batch)
            there.finish()
            workspace.begin()
        run_rules(
            workspace,
            catalog.rule_sets.values(),
            catalog,
            list(flows.values()),
            stored.shown,
            complete,
            report,
            stored.sent_before,
        )
    if report.has_errors:
        first = next(report.findings())
        names = ", ".join(receipt.id for receipt in kept)
        where = f" (at {'.'.join(first.key.values())})" if first.code in _MISSING and first.key else ""
        raise Conflict(
            f"With what is published now, {names} {'does' if len(kept) == 1 else 'do'} not hold any more:"
            f" {first.message}{where}",
            hint="Send the figures again, in agreement with those.",
        )


def _with_origin(batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
    """Kept rows, numbered: of several states of a history the later one counts."""
    count = len(batch)
    batch = batch.append_column(pa.field(ROW, pa.int64()), pa.array(range(first, first + count), pa.int64()))
    for name in (COLUMN, SHEET):
        batch = batch.append_column(pa.field(name, pa.string()), pa.nulls(count, pa.string()))
    return batch
