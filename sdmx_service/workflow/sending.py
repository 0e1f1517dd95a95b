"""A file is sent, perhaps as the next version of an earlier one, and goes on as far as sender and sign-off let it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sdmx_service.auth import Principal, service_does
from sdmx_service.catalog.library import Library
from sdmx_service.errors import Conflict
from sdmx_service.storage.port import Act, DocumentChange, Record, Store
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import Receipt, load_receipt, receipt_change, with_changes
from sdmx_service.submission.submit import SentFile, submit
from sdmx_service.workflow.embargoes import held_until
from sdmx_service.workflow.publishing import clock, publish, seen, sign_off_of
from sdmx_service.workflow.states import WAITING, require
from sdmx_service.workflow.steps import wait


def send(
    sent: SentFile,
    wish: Wish,
    library: Library,
    principal: Principal,
    *,
    corrects: str | None = None,
    publish_now: bool = False,
    preview: bool = True,
    now: datetime | None = None,
    memory: str = "1GB",
) -> Receipt:
    """Submit a file; publish it at once if asked and nothing stands in the way.

    What the sign-off wants approved stays accepted; what an embargo holds back is scheduled for the embargo's end, if
    its sender may publish.

    Args:
        corrects: the submission of which this is the next version.
        preview: let the receipt of what is not published at once count what publishing would change; what an embargo
            or the sign-off makes wait is counted in any case.

    Raises:
        NotAllowed: the principal may not send data of that provider, or may not publish.
        NotFound: the principal may not see the submission to be corrected.
        Conflict: that one cannot be corrected, or is another provider's.
        SdmxError: the file cannot be read at all, or the call is wrong.
    """
    if publish_now:
        principal.must_publish()
    store = library.store
    earlier = None if corrects is None else _correctable(seen(corrects, store, principal))
    receipt = submit(
        sent,
        wish,
        library,
        principal,
        corrects=corrects,
        beside=lambda receipt: Record() if earlier is None else _linked(receipt, earlier, store),
        preview=preview and not publish_now,
        memory=memory,
    )
    if receipt.status != "accepted" or not principal.may_publish:
        return receipt
    is_counted = preview and not publish_now
    if sign_off_of(receipt, library.view().catalog).needs_approval:
        return receipt if is_counted else _counted(receipt, store)
    if (held := held_until(receipt.id, store, now or clock())) is not None:
        return wait(receipt if is_counted else _counted(receipt, store), held, store)
    return publish([receipt.id], library, principal, now=now, memory=memory)[0] if publish_now else receipt


def _counted(receipt: Receipt, store: Store) -> Receipt:
    """The receipt of what waits after all, with what publishing would change now."""
    counted = with_changes(receipt, store.preview(receipt.id))
    mark = store.record(Record(changes=(receipt_change(counted, receipt.status),)))
    return replace(counted, log=mark)


def _correctable(receipt: Receipt) -> Receipt:
    if receipt.status == "superseded" and receipt.corrected_by is not None:
        raise Conflict(
            f"The submission {receipt.id} is superseded.", hint=f"Correct the newer one: {receipt.corrected_by}."
        )
    require("correct", receipt)
    return receipt


def _linked(receipt: Receipt, earlier: Receipt, store: Store) -> Record:
    """The earlier version knows the new one; what was not published yet gives way to it.

    Raises:
        Conflict: it is of another provider.
    """
    if earlier.provider is not None and receipt.provider is not None and earlier.provider != receipt.provider:
        raise Conflict(
            f"{earlier.id} is of {earlier.provider}, and the file of {receipt.provider}.",
            hint="A correction comes from the same provider.",
        )
    steps = list(_given_way(receipt, earlier, store))
    return Record(acts=tuple(act for act, _ in steps if act is not None), changes=tuple(change for _, change in steps))


def _given_way(receipt: Receipt, earlier: Receipt, store: Store) -> Iterator[tuple[Act | None, DocumentChange]]:
    is_first = True
    while True:
        after = replace(earlier, corrected_by=receipt.id) if is_first else earlier
        gives_way = receipt.status == "accepted" and earlier.status in WAITING
        if gives_way:
            after = replace(after, status="superseded", scheduled_for=None, corrected_by=receipt.id)
            yield service_does("supersede", earlier.id, by=receipt.id), receipt_change(after, earlier.status)
        elif is_first:
            yield None, receipt_change(after, earlier.status)
        if gives_way or earlier.status != "refused" or earlier.corrects is None:
            return
        earlier, is_first = load_receipt(store, earlier.corrects), False
