"""Loads: what a submission leaves in the store before its receipt is there, and what becomes of it when it is cut off.

While a file is read, its rows, the file itself, its findings and undecided values are written; they count from the
receipt on, which comes last. A mark says whose load it is; it goes in the transaction that brings the receipt. The mark
of a process that is no more (killed, or its machine lost) is found by any other process, which forgets all of it. A
load of a process that lives is never touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sdmx_service.auth import service_does
from sdmx_service.errors import Conflict
from sdmx_service.storage.port import DocumentChange, Record, Store
from sdmx_service.submission.decisions import WAITING
from sdmx_service.submission.receipt import remove_findings

_LOAD: Final = "load"
_TAKEN: Final = ""
"""The lease of a load that is being forgotten; if that is cut off too, the next one goes on."""


@contextmanager
def loading(store: Store, submission: str) -> Iterator[DocumentChange]:
    """A load of this process; gives the change to record together with the receipt. With an error nothing stays.

    Recording it fails (Conflict) where the store lost this process from sight and another one forgot the load.
    """
    lease = store.lease()
    store.save_document(_LOAD, submission, {"lease": lease})
    try:
        yield DocumentChange(kind=_LOAD, id=submission, document=None, expected={"lease": lease})
    except BaseException:
        _forget(store, submission)
        raise


def forget_cut_off(store: Store) -> list[str]:
    """Forget every load that was cut off, of whatever process; the submissions that never came to be."""
    found = []
    for submission, document in store.documents(_LOAD):
        lease = document["lease"]
        if lease != _TAKEN:
            if store.is_alive(lease):
                continue
            told = service_does("forget", submission, "its sender's process ended before there was a receipt")
            taken = DocumentChange(kind=_LOAD, id=submission, document={"lease": _TAKEN}, expected={"lease": lease})
            try:
                store.record(Record(acts=(told,), changes=(taken,)))
            except Conflict:  # another process was faster, or the receipt came
                continue
        _forget(store, submission)
        found.append(submission)
    return found


def _forget(store: Store, submission: str) -> None:
    """Remove everything, the mark last, so that who is cut off here can be followed by another."""
    store.unstage(submission)
    store.save_file(submission, ())
    remove_findings(store, submission)
    store.remove_document(WAITING, submission)
    store.remove_document(_LOAD, submission)
