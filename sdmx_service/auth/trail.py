"""What gives and takes rights, in the log: documents change together with their entry, or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from sdmx_service.auth.principal import Principal
from sdmx_service.errors import SdmxError
from sdmx_service.storage.port import Act, DocumentChange, Record, Store

log = logging.getLogger(__name__)
Work = Callable[[], None]
Aside = Callable[[Work], object]
"""Has work done that an answer does not wait for, such as ``Executor.submit``."""


def keep(
    store: Store,
    by: Principal | None,
    act: str,
    subject: str,
    *changes: DocumentChange,
    **details: Any,
) -> None:
    """Change documents, and write down who did what to whom; never a secret among the details.

    Args:
        store: where both are.
        by: who did it; None: somebody who was not recognised.
        act: a few words, as ``create token``.
        subject: what it was done to, as ``token 12ab34cd``.
        changes: the documents.
        details: what else belongs to it.

    Raises:
        Conflict: a document is not any more what a change expects; nothing was done.
    """
    told = {name: value for name, value in details.items() if value is not None}
    unknown = Act(principal="unknown", role="none", act=act, object=subject, details=told)
    made = unknown if by is None else by.does(act, subject, **told)
    store.record(Record(acts=(made,), changes=changes))


def change(
    kind: str, id: str, document: Mapping[str, Any] | None, expected: Mapping[str, Any] | None = None
) -> DocumentChange:
    """A document to be kept, or with None to be forgotten, if it still has the fields that are expected."""
    return DocumentChange(kind=kind, id=id, document=document, expected=expected)


def at_once(work: Work) -> None:
    """Does the work now: the ``Aside`` of who has nobody to give it to."""
    work()


def keep_refusal(store: Store, act: str, subject: str, **details: Any) -> None:
    """Write down that somebody was refused; a store that does not take it is told in the log of the process.

    Nobody waits for it who could be answered.
    """
    try:
        keep(store, None, act, subject, **details)
    except SdmxError:
        log.exception("%s of %s is not in the log", act, subject)
