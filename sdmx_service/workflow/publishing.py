"""Publishing: at once, at its hour, or back to an earlier release; receipts and log move with the release pointer."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sdmx_service.auth import Principal, service_does
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library, View
from sdmx_service.catalog.sign_off import SignOff
from sdmx_service.catalog.sources import Flow, as_structures_say
from sdmx_service.errors import Busy, Conflict, NotAllowed, NotFound
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import Ref, parse_ref
from sdmx_service.storage.port import Act, ChangeCounts, DocumentChange, Record, Release, Store
from sdmx_service.submission.receipt import Receipt, load_receipt, receipt_change, receipts, with_changes
from sdmx_service.submission.rechecking import check_structures_again
from sdmx_service.submission.submit import check_again
from sdmx_service.workflow.embargoes import held_until, unchanged
from sdmx_service.workflow.states import require
from sdmx_service.workflow.words import fitting

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
"""The time of day; tests bring their own."""
Doer = Callable[..., Act]
"""Makes the entries of the log: ``Principal.does``, or ``service_does`` for what the clock does."""
_ATTEMPTS = 10


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def sees(principal: Principal, receipt: Receipt) -> bool:
    """Whether a principal may see a submission."""
    return receipt.is_seen_by(principal)


def seen(submission: str, store: Store, principal: Principal) -> Receipt:
    """The receipt of a submission, for somebody who may see it.

    Raises:
        NotFound: there is none of that id that the principal may see.
    """
    receipt = load_receipt(store, submission)
    if not sees(principal, receipt):
        raise NotFound(f"There is no submission {submission!r}.")
    return receipt


def sign_off_of(receipt: Receipt, catalog: Catalog) -> SignOff:
    """What has to happen before a submission is published."""
    refs = (parse_ref(flow.dataflow, "Dataflow").complete() for flow in receipt.dataflows)
    return catalog.sign_off([ref for ref in refs if isinstance(ref, Ref)])


def must_be_signed_off(receipt: Receipt, principal: Principal, catalog: Catalog) -> None:
    """Nothing, if this principal may let the submission out.

    Raises:
        NotAllowed: the principal may not publish, or approved it and another one has to publish it.
        Conflict: it is not approved yet.
    """
    principal.must_publish()
    if not principal.covers(one.dataflow for one in receipt.dataflows):
        raise NotAllowed(f"{principal.id} may not publish {receipt.id}.", hint=principal.limits)
    policy = sign_off_of(receipt, catalog)
    if policy.needs_approval and receipt.approved_by is None:
        raise Conflict(
            f"The submission {receipt.id} is not approved yet.", hint=f"One of {', '.join(policy.approvers)} approves."
        )
    if policy.published_by_another and principal.id == receipt.approved_by:
        raise NotAllowed(f"{principal.id} approved {receipt.id}.", hint="Somebody else has to publish it.")


# --- now ------------------------------------------------------------------------------------------------------------
def publish(
    submissions: Sequence[str],
    library: Library,
    principal: Principal,
    *,
    now: datetime | None = None,
    memory: str = "1GB",
    comment: str = "",
) -> list[Receipt]:
    """Publish submissions, in that order, as one release; their receipts afterwards.

    If something was published since a submission was checked, its set rules run again first, and what its merges leave
    out must still be there; if structures or agreements changed, its rows are judged by those of now. If others publish
    at the same moment, all of it is looked at again on top of theirs.

    Raises:
        NotAllowed: the principal may not publish, or approved one that another has to publish.
        Conflict: a submission is not in a status for it, not approved, under an embargo, or its rules do not hold any
            more.
    """
    principal.must_publish()
    if twice := [id for id, count in Counter(submissions).items() if count > 1]:
        raise Conflict(f"The submission {twice[0]} is named twice.", hint="Name each once, in the order to apply.")
    for attempt in range(_ATTEMPTS):
        view, free = library.view(), unchanged(library.store)
        kept = [seen(submission, library.store, principal) for submission in submissions]
        _must_be_ready(kept, library, principal, now or clock())
        check_structures_again(kept, library)
        if len(kept) > 1 or any(receipt.checked_at != view.release for receipt in kept):
            check_again(kept, library, memory)
        try:
            return _release(kept, library.store, view, principal.does, fitting(comment), free)
        except Conflict:  # somebody published, changed structures, embargoes or one of these in between: look again
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def _must_be_ready(kept: Sequence[Receipt], library: Library, principal: Principal, now: datetime) -> None:
    catalog = library.view().catalog
    for receipt in kept:
        require("publish", receipt)
        must_be_signed_off(receipt, principal, catalog)
        refuse_embargoed(receipt, library.store, now)


def refuse_embargoed(receipt: Receipt, store: Store, now: datetime) -> None:
    """Nothing, if no embargo holds a submission back.

    Raises:
        Conflict: one does; its moment is named.
    """
    held = held_until(receipt.id, store, now)
    if held is not None:
        raise Conflict(
            f"Figures of {receipt.id} are under the embargo {held.id} until {held.local} ({held.at}).",
            hint="Schedule it, and it is published at that moment.",
        )


def _release(
    kept: Sequence[Receipt], store: Store, view: View, does: Doer, comment: str, free: DocumentChange
) -> list[Receipt]:
    """Publish on top of what the submissions were judged by, whoever it was that decided it.

    Nothing, if an embargo came since ``free`` was read. The dataflows are ranked as the provision agreements say now,
    behind what somebody decided (``catalog.sources``).
    """
    done: list[Receipt] = []
    before = store.ranking(view.release)
    flows = _flows(kept, view.catalog)
    ranking = as_structures_say(before, flows)
    ranked = [
        flow.dataflow.ref.text
        for flow in flows
        if list(ranking.providers[flow.name]) != list(before.providers.get(flow.name, ()))
    ]

    def record(number: int, changes: Sequence[ChangeCounts]) -> Record:
        done[:] = [replace(receipt, status="published", release=number, scheduled_for=None) for receipt in kept]
        if len(done) == 1:
            done[:] = [with_changes(done[0], changes)]
        acts = [does("publish", one.id, comment, release=number) for one in kept]
        acts += [service_does("rank", ref, "as the provision agreements say", release=number) for ref in ranked]
        edits = [free, *(receipt_change(after, before.status) for before, after in zip(kept, done, strict=True))]
        for one in kept:
            for earlier in _superseded(one, store):
                acts.append(service_does("supersede", earlier.id, by=one.id))
                edits.append(receipt_change(replace(earlier, status="superseded"), earlier.status))
        return Record(acts=tuple(acts), changes=tuple(edits))

    submissions = [receipt.id for receipt in kept]
    release, _ = store.publish(
        submissions,
        view.release,
        generation=view.generation,
        ranking=ranking if ranked else None,
        comment=comment,
        record=record,
    )
    return [replace(one, log=release.log) for one in done]


def _flows(kept: Sequence[Receipt], catalog: Catalog) -> list[Flow]:
    """The dataflows that submissions bring figures of, each once."""
    names = dict.fromkeys(one.dataflow for receipt in kept for one in receipt.dataflows)
    refs = (parse_ref(name, "Dataflow").complete() for name in names)
    found = (catalog.lookup(ref) for ref in refs if isinstance(ref, Ref))
    return [Flow.of(one, catalog) for one in found if isinstance(one, Dataflow)]


def _superseded(correction: Receipt, store: Store) -> Iterable[Receipt]:
    """The published submissions that a correction takes the place of, over refused ones between."""
    id = correction.corrects
    while id is not None:
        earlier = load_receipt(store, id)
        if earlier.status == "published":
            yield earlier
        id = earlier.corrects if earlier.status in ("refused", "superseded") else None


# --- at their hour --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What came of the submissions whose hour has come: those published, as one release, and those held back."""

    published: tuple[Receipt, ...] = ()
    held: tuple[Receipt, ...] = ()


def next_moment(store: Store) -> datetime | None:
    """The next moment for which something is scheduled."""
    moments = (one.moment for one in receipts(store) if one.status == "scheduled")
    return min((moment for moment in moments if moment is not None), default=None)


def publish_due(library: Library, now: datetime, *, memory: str = "1GB") -> Due:
    """Publish everything whose hour has come, as one release; several processes may try, and it happens once.

    A submission that contradicts what is published by now, or lacks what the sign-off wants by now, is held back with
    the reason in the log, and does not stop the others.

    Raises:
        Busy: others publish all the time.
    """
    held: list[Receipt] = []
    for _ in range(_ATTEMPTS):
        free = unchanged(library.store)
        due = [one for one in _due(library.store, now) if held_until(one.id, library.store, now) is None]
        view = library.view()
        try:
            fitting = _fitting(due, library, memory, held)
            published = _release(fitting, library.store, view, service_does, "at its hour", free) if fitting else []
            return Due(published=tuple(published), held=tuple(held))
        except Conflict:  # another process was faster, or somebody published in between
            log.info("publishing of what is due at release %s goes on at another one", view.release)
    raise Busy("Others publish all the time.", hint="What is due is published with the next attempt.")


def _due(store: Store, now: datetime) -> list[Receipt]:
    scheduled = [one for one in receipts(store) if one.status == "scheduled"]
    found = [(one.moment, one) for one in scheduled if one.moment is not None and one.moment <= now]
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def _fitting(due: Sequence[Receipt], library: Library, memory: str, held: list[Receipt]) -> list[Receipt]:
    """Those that may come out together; the others go back to where they were scheduled from, and to ``held``."""

    def back(one: Receipt, why: str) -> None:
        held.append(put_back(one, library.store, service_does("hold", one.id, why)))

    catalog, signed = library.view().catalog, list[Receipt]()
    for one in due:
        if lacking := _lacks(one, sign_off_of(one, catalog)):
            back(one, lacking)
        else:
            signed.append(one)
    if not signed:
        return []
    try:
        check_structures_again(signed, library)
        check_again(signed, library, memory)
        return signed
    except Conflict:
        fitting: list[Receipt] = []
        for one in signed:
            try:
                check_structures_again([one], library, fitting)
                check_again([*fitting, one], library, memory)
                fitting.append(one)
            except Conflict as error:
                back(one, str(error.detail))
        return fitting


def _lacks(receipt: Receipt, policy: SignOff) -> str:
    """What a scheduled submission lacks by the sign-off of now, which may have changed since; empty if nothing."""
    if policy.needs_approval and receipt.approved_by is None:
        return "It is not approved, and by now it has to be."
    approver = receipt.approved_by
    if policy.published_by_another and approver is not None and receipt.scheduled_by in (None, approver):
        return "Nobody else than its approver let it out, and by now somebody else has to."
    return ""


def put_back(receipt: Receipt, store: Store, told: Act) -> Receipt:
    """A scheduled submission waits again where it was scheduled from."""
    status = "accepted" if receipt.approved_by is None else "approved"
    back = replace(receipt, status=status, scheduled_for=None, scheduled_by=None)  # type: ignore[arg-type]
    mark = store.record(Record(acts=(told,), changes=(receipt_change(back, "scheduled"),)))
    return replace(back, log=mark)


# --- back to an earlier release -------------------------------------------------------------------------------------
def restore(number: int, library: Library, principal: Principal, *, reason: str = "") -> Release:
    """A new release with the state of an earlier one; the reason stands in its comment and in the log.

    Raises:
        NotAllowed: the principal may not publish.
        NotFound: there is no such release.
    """
    principal.must("restore")
    why = fitting(reason)
    comment = f"restores release {number}" + (f": {why}" if why else "")

    def record(made: int, changes: Sequence[ChangeCounts]) -> Record:
        counts = {one.dataflow: one.inserted + one.changed + one.deleted for one in changes}
        told = principal.does("restore", f"release {number}", why, release=made, changes=counts)
        return Record(acts=(told,))

    return library.store.restore(number, comment=comment, record=record)
