"""What people do with a submission that is not published: approve, refuse, schedule, hold, withdraw, comment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sdmx_service.auth import Principal, service_does
from sdmx_service.catalog.library import Library
from sdmx_service.errors import Conflict, NotAllowed, SemanticFault, SyntaxFault
from sdmx_service.storage.port import Act, DocumentChange, Record, Store
from sdmx_service.submission.receipt import Receipt, Status, receipt_change, receipts
from sdmx_service.workflow.embargoes import Embargo, embargoes, falls_under, held_until, moment
from sdmx_service.workflow.publishing import must_be_signed_off, put_back, seen, sign_off_of
from sdmx_service.workflow.states import require
from sdmx_service.workflow.words import fitting
from sdmx_service.workflow.words import reason as needed

_COMMENTS = "comments"
_ATTEMPTS = 10


def _keep(before: Receipt, after: Receipt, store: Store, *acts: Act) -> Receipt:
    """The new state of a submission, if nobody changed it meanwhile."""
    mark = store.record(Record(acts=acts, changes=(receipt_change(after, before.status),)))
    return replace(after, log=mark)


# --- steps ----------------------------------------------------------------------------------------------------------
def approve(submission: str, library: Library, principal: Principal, now: datetime, *, comment: str = "") -> Receipt:
    """Sign a submission off; where an embargo holds it back, it is scheduled for that moment.

    Raises:
        NotAllowed: the sign-off names other roles, or wants somebody else than its sender.
        Conflict: it is not accepted.
    """
    store = library.store
    receipt = seen(submission, store, principal)
    policy = sign_off_of(receipt, library.view().catalog)
    if principal.role not in policy.approvers or not principal.may_review:
        nobody = f"{policy.id} leave no role that approves; an administrator changes them."
        hint = f"Approving: {', '.join(policy.approvers)}." if policy.approvers else nobody
        raise NotAllowed(f"The token {principal.id} may not approve.", hint=hint)
    require("approve", receipt)
    if policy.approved_by_another and principal.id == receipt.principal:
        raise NotAllowed(f"{principal.id} sent {submission}.", hint="Somebody else has to approve it.")
    approved = replace(receipt, status="approved", approved_by=principal.id)
    approved = _keep(receipt, approved, store, principal.does("approve", submission, fitting(comment)))
    held = None if policy.published_by_another else held_until(submission, store, now)
    return approved if held is None else wait(approved, held, store)


def wait(receipt: Receipt, held: Embargo, store: Store) -> Receipt:
    """A submission that is ready waits for the end of an embargo."""
    after = replace(receipt, status="scheduled", scheduled_for=held.at)
    told = service_does("schedule", receipt.id, f"embargo {held.id}", until=held.at)
    return _keep(receipt, after, store, told)


def refuse(submission: str, library: Library, principal: Principal, *, reason: str) -> Receipt:
    """Send a submission back that passed the check; its office corrects it.

    Raises:
        NotAllowed: the principal may not review.
        Conflict: it does not wait.
    """
    receipt = seen(submission, library.store, principal)
    if not principal.may_review:
        raise NotAllowed(f"The token {principal.id} may not refuse.", hint="A reviewer or a publisher may.")
    require("refuse", receipt)
    after = replace(receipt, status="refused", approved_by=None, scheduled_for=None, scheduled_by=None)
    return _keep(receipt, after, library.store, principal.does("refuse", submission, needed(reason, "refuse")))


def schedule(
    submission: str,
    library: Library,
    principal: Principal,
    now: datetime,
    *,
    at: str | None = None,
    zone: str | None = None,
    comment: str = "",
) -> Receipt:
    """Have a submission published at a moment; without one, at the end of the embargo that it is under.

    Raises:
        NotAllowed: the principal may not publish it.
        Conflict: it does not wait, is not approved, or an embargo holds longer.
        SemanticFault: the moment is over, or none is said and no embargo says one.
    """
    store = library.store
    receipt = seen(submission, store, principal)
    require("schedule", receipt)
    must_be_signed_off(receipt, principal, library.view().catalog)
    held = held_until(submission, store, now)
    if at is None and held is None:
        raise SemanticFault("No moment is said, and no embargo holds the submission.", hint='Say one: {"at": ...}.')
    until = moment(at, zone) if at is not None else datetime.fromisoformat(held.at) if held is not None else now
    if until <= now:
        raise SemanticFault(f"{at} is over.", hint="Publish it.")
    if held is not None and until < held.moment:
        raise Conflict(
            f"Figures of {submission} are under the embargo {held.id} until {held.local} ({held.at}).",
            hint="Schedule it for then or later, or leave the moment out.",
        )
    after = replace(receipt, status="scheduled", scheduled_for=until.isoformat(), scheduled_by=principal.id)
    told = principal.does("schedule", submission, fitting(comment), until=until.isoformat())
    return _keep(receipt, after, store, told)


def hold(submission: str, library: Library, principal: Principal, *, reason: str = "") -> Receipt:
    """Take a scheduled submission off its moment.

    Raises:
        NotAllowed: the principal may not publish.
        Conflict: it is not scheduled.
    """
    principal.must_publish()
    receipt = seen(submission, library.store, principal)
    require("hold", receipt)
    return put_back(receipt, library.store, principal.does("hold", submission, fitting(reason)))


def withdraw(submission: str, library: Library, principal: Principal, *, reason: str = "") -> Receipt:
    """Take back a submission that is not published; its figures are forgotten.

    Raises:
        NotFound: the principal may not see it.
        NotAllowed: the principal neither sent it nor may publish.
        Conflict: it is published (then a correction or a restore is the way) or was refused.
    """
    receipt = seen(submission, library.store, principal)
    is_allowed = principal.may("withdraw", provider=receipt.provider or "", sender=receipt.principal)
    if not is_allowed or not principal.covers(one.dataflow for one in receipt.dataflows):
        raise NotAllowed(f"{principal.id} may not withdraw {submission}.", hint="Its sender or a publisher may.")
    require("withdraw", receipt)
    after = replace(receipt, status="withdrawn", scheduled_for=None, scheduled_by=None)
    after = _keep(receipt, after, library.store, principal.does("withdraw", submission, fitting(reason)))
    library.store.unstage(submission)
    return after


# --- embargoes come and go ------------------------------------------------------------------------------------------
def follow_embargo(one: Embargo, library: Library) -> list[Receipt]:
    """What is ready and falls under a new embargo waits for its end.

    What somebody else than its approver has to publish is not ready until such a one schedules it.
    """
    store, catalog = library.store, library.view().catalog
    found = []
    for receipt in receipts(store):
        is_ready = receipt.status == "scheduled" or (
            receipt.status == "approved" and not sign_off_of(receipt, catalog).published_by_another
        )
        is_longer = receipt.moment is None or receipt.moment < one.moment
        if is_ready and is_longer and falls_under(receipt.id, one, store):
            found.append(wait(receipt, one, store))
    return found


def follow_lifting(one: Embargo, store: Store, now: datetime) -> list[Receipt]:
    """What waited for the end of an embargo that was lifted waits for the next one that holds it, or is due now."""
    found = []
    for receipt in receipts(store):
        if receipt.status == "scheduled" and receipt.moment == one.moment and falls_under(receipt.id, one, store):
            held = held_until(receipt.id, store, now)
            until = (now.astimezone(UTC) if held is None else held.moment).isoformat()
            told = service_does("schedule", receipt.id, f"embargo {one.id} was lifted", until=until)
            found.append(_keep(receipt, replace(receipt, scheduled_for=until), store, told))
    return found


def held_back(receipt: Receipt, store: Store, now: datetime) -> tuple[Embargo, ...]:
    """The embargoes that hold a submission back."""
    return tuple(one for one in embargoes(store) if one.holds(now) and falls_under(receipt.id, one, store))


# --- comments -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody said about a submission to the other side."""

    by: str
    role: str
    at: str
    text: str
    status: Status

    def to_json(self) -> dict[str, Any]:
        """As the interface shows it and the store keeps it."""
        return {"by": self.by, "role": self.role, "at": self.at, "text": self.text, "status": self.status}


def comment(submission: str, library: Library, principal: Principal, now: datetime, *, text: str) -> Comment:
    """Say something about a submission; office and compiler both see it.

    Raises:
        NotFound: the principal may not see it.
        SyntaxFault: there is no text, or too long a one.
    """
    store = library.store
    receipt = seen(submission, store, principal)
    if not text.strip():
        raise SyntaxFault("The comment has no text.", hint="Say something.")
    made = Comment(
        by=principal.id,
        role=principal.role,
        at=now.isoformat(timespec="seconds"),
        text=fitting(text),
        status=receipt.status,
    )
    told = principal.does("comment", submission, made.text)
    for attempt in range(_ATTEMPTS):
        kept = store.document(_COMMENTS, submission) or {}
        said = [*kept.get("comments", ()), made.to_json()]
        change = DocumentChange(
            kind=_COMMENTS,
            id=submission,
            document={"count": len(said), "comments": said},
            expected={"count": kept.get("count")},
        )
        try:
            store.record(Record(acts=(told,), changes=(change,)))
            break
        except Conflict:  # somebody else said something at the same time
            if attempt == _ATTEMPTS - 1:
                raise
    return made


def comments(submission: str, store: Store) -> Sequence[Mapping[str, Any]]:
    """What was said about a submission, oldest first."""
    kept = store.document(_COMMENTS, submission) or {}
    return list(kept.get("comments", ()))
