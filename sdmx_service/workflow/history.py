"""The log as people may see it, and whether it is still the one that was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sdmx_service.auth import Principal
from sdmx_service.errors import NotAllowed, SyntaxFault
from sdmx_service.storage.log import check_chain
from sdmx_service.storage.port import LogEntry, Mark, Store
from sdmx_service.submission.receipt import receipts
from sdmx_service.workflow.publishing import seen

LIMIT = 500
"""Entries of one answer, where nobody asks for another number."""


def entry_json(entry: LogEntry) -> dict[str, Any]:
    """An entry as the interface shows it."""
    return {
        "number": entry.number, "at": entry.at.isoformat(), "principal": entry.principal, "role": entry.role,
        "act": entry.act, "object": entry.object, "reason": entry.reason, "details": json.loads(entry.details),
        "digest": entry.digest, "previous": entry.previous, "hash": entry.hash,
    }  # fmt: skip


def history(
    store: Store,
    principal: Principal,
    *,
    object: str | None = None,  # noqa: A002 - the word of the interface
    after: int = 0,
    limit: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Entries of the log, oldest first: those about an object, or all.

    Raises:
        NotAllowed: the principal may not see all of it.
        NotFound: the object is a submission that the principal may not see.
    """
    if not principal.may("see_log"):
        if object is None:
            raise NotAllowed(
                f"{principal.id} may not read the whole log.",
                hint="Ask for the history of a submission: /api/submissions/ID/history.",
            )
        seen(object, store, principal)
    return map(entry_json, store.log(after, limit, None if object is None else (object,)))


def verify(store: Store, principal: Principal, known: str | None = None) -> dict[str, Any]:
    """Whether every entry is as it was sealed, and every mark in releases and receipts is of an entry.

    Args:
        known: a mark kept elsewhere, ``NUMBER:HASH``, as a receipt tells it.

    Raises:
        NotAllowed: the principal may not review.
        SyntaxFault: ``known`` is no mark.
    """
    principal.must("see_log")
    marks = list(_marks(store))
    if known is not None:
        marks.append(("the mark given", _mark(known)))
    last, faults = check_chain(store.log(), marks)
    return {
        "entries": last.number,
        "head": last.to_json(),
        "is_whole": not faults,
        "faults": [{"number": one.number, "problem": one.problem} for one in faults],
    }


def _marks(store: Store) -> Iterator[tuple[str, Mark]]:
    yield "the head", store.mark()
    for release in store.releases():
        if release.log is not None:
            yield f"release {release.number}", release.log
    for receipt in receipts(store):
        if receipt.log is not None:
            yield f"the receipt {receipt.id}", receipt.log


def _mark(text: str) -> Mark:
    number, _, hash = text.partition(":")  # noqa: A001
    if not (number.isascii() and number.isdigit() and len(number) < 16) or not hash:
        raise SyntaxFault(f"{text[:80]!r} is no mark of the log.", hint="Write NUMBER:HASH, as a receipt tells it.")
    return Mark(number=int(number), hash=hash)
