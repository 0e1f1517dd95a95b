"""Purge: stored values of named keys go for good, and a record says that they did.

What a purge removes: the values in every version that was ever published, in rows of submissions that wait, in read
models and files of whole dataflows. Rows stay, with their status. The files that offices sent are listed, and removed
with their findings on request; those of submissions that were refused or withdrawn are listed as well, since nobody
knows what is in them without reading them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sdmx_service.auth import Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library
from sdmx_service.errors import NotFound, SemanticFault, SyntaxFault
from sdmx_service.model.period import parse_period
from sdmx_service.model.selection import Cube, Key, Selection, dataflow_name, provider_name
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.storage.port import DocumentChange, Record
from sdmx_service.submission.reading import named_provider
from sdmx_service.submission.receipt import receipts, remove_findings

_KIND = "purge"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeWish:
    """What is to be purged, and why.

    Attributes:
        dataflow: a reference to the dataflow.
        keys: as in a data query: codes by dimension joined by dots, ``+`` between alternatives, ``*`` for any.
        periods: the periods; none: all.
        provider: whose values; None: everyone's.
        reason: for the record.
        remove_files: the kept files that contain a value go too, with their findings.
    """

    dataflow: str
    keys: tuple[str, ...]
    reason: str
    periods: tuple[str, ...] = ()
    provider: str | None = None
    remove_files: bool = False

    @classmethod
    def from_json(cls, document: Any) -> PurgeWish:
        """The wish of a JSON object.

        Raises:
            SyntaxFault: something is missing, unknown or of the wrong type.
        """
        kinds: Mapping[str, Callable[[Any], bool]] = {
            "dataflow": lambda one: isinstance(one, str),
            "reason": lambda one: isinstance(one, str),
            "keys": _is_texts,
            "periods": _is_texts,
            "provider": lambda one: one is None or isinstance(one, str),
            "remove_files": lambda one: isinstance(one, bool),
        }
        hint = 'Send {"dataflow": REF, "keys": ["A.470..."], "periods": ["2020"], "reason": "..."}.'
        if not isinstance(document, Mapping):
            raise SyntaxFault("The body is not a JSON object.", hint=hint)
        if unknown := sorted(set(document) - set(kinds)):
            raise SyntaxFault(f"{', '.join(unknown)} is unknown here.", hint=f"Known: {', '.join(kinds)}.")
        for name in ("dataflow", "keys", "reason"):
            if not document.get(name):
                raise SyntaxFault(f"{name} is needed.", hint=hint)
        for name, value in document.items():
            if not kinds[name](value):
                raise SyntaxFault(f"{name} cannot be {value!r}.", hint=hint)
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
        }
        return cls(**given)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


Forget = Callable[[Dataflow], int]
"""Removes the files of a whole dataflow; returns how many."""


def purge(wish: PurgeWish, library: Library, principal: Principal, forget: Forget) -> dict[str, Any]:
    """Remove the values; returns the record that is kept.

    Raises:
        NotAllowed: only administrators purge.
        NotFound: nothing of these keys is stored.
        SemanticFault: a key has the wrong length, names an unknown code, or names nothing at all.
    """
    principal.must("purge")
    catalog, store = library.view().catalog, library.store
    flow = catalog.named(wish.dataflow, "Dataflow")
    assert isinstance(flow, Dataflow)
    structure = catalog.structure_of(flow)
    provider = None if wish.provider is None else provider_name(named_provider(wish.provider, catalog))
    selection = Selection(
        structure=structure,
        cube=Cube.of(structure),
        context="provisionagreement",
        release=store.pointer().release,
        dataflows=(dataflow_name(flow.ref),),
        providers=None if provider is None else (provider,),
        keys=tuple(_key(text, structure, catalog) for text in wish.keys),
        periods=_periods(wish.periods),
    )
    meant: dict[str, Any] = {"keys": list(wish.keys), "periods": list(wish.periods), "provider": provider}
    store.record(Record(acts=(principal.does("purge", flow.ref.text, wish.reason, **meant),)))  # before it is done
    found = store.purge(selection)
    if not (found.versions or found.staged or found.submissions):
        raise NotFound(
            f"{flow.ref.text} has no stored value of these keys.",
            hint="Look at the dataflow's version and the provider.",
        )
    others = _may_contain(library, flow, provider, found.submissions)
    if wish.remove_files:
        for submission in found.submissions:
            store.save_file(submission, ())
            remove_findings(store, submission)
    moment = datetime.now(UTC)
    record = {
        "id": f"P{moment:%Y%m%d%H%M%S}{secrets.token_hex(3)}",
        "at": moment.isoformat(timespec="seconds"),
        "by": principal.id,
        "reason": wish.reason,
        "dataflow": flow.ref.text,
        "provider": provider,
        "keys": list(wish.keys),
        "periods": list(wish.periods),
        "versions": found.versions,
        "kept_rows": found.staged,
        "files": {"contain": list(found.submissions), "removed": wish.remove_files, "may_contain": others},
        "bulk_files_removed": forget(flow),
    }
    change = DocumentChange(kind=_KIND, id=str(record["id"]), document=record)
    done = principal.does("purged", flow.ref.text, versions=found.versions, submissions=list(found.submissions))
    store.record(Record(acts=(done,), changes=(change,)))
    return record


def purges(library: Library) -> list[Mapping[str, Any]]:
    """The records of all purges, oldest first."""
    return [document for _, document in library.store.documents(_KIND)]


def _key(text: str, structure: DataStructure, catalog: Catalog) -> Key:
    ids = structure.dimension_ids
    parts = text.split(".")
    if len(parts) != len(ids):
        raise SemanticFault(
            f"The key {text!r} has {len(parts)} positions, and {structure.ref.text} has {len(ids)} dimensions.",
            hint=f"Give them in this order: {'.'.join(ids)}.",
        )
    if all(part in ("", "*") for part in parts):
        raise SemanticFault(
            f"The key {text!r} names nothing.", hint="Name at least one code; nobody purges everything."
        )
    key = tuple(None if part in ("", "*") else frozenset(part.split("+")) for part in parts)
    for component, codes in zip(structure.dimensions, key, strict=True):
        known = catalog.codes(component)
        if codes is not None and known is not None and (unknown := sorted(codes - set(known))):
            raise SemanticFault(f"{component.id} has no code {', '.join(unknown)}.")
    return key


def _periods(texts: Sequence[str]) -> frozenset[str] | None:
    for text in texts:
        parse_period(text)
    return frozenset(texts) or None


def _may_contain(library: Library, flow: Dataflow, provider: str | None, known: Sequence[str]) -> list[str]:
    """Other submissions of the dataflow and provider, whose files were kept and whose rows were not."""
    return [
        one.id
        for one in receipts(library.store)
        if one.id not in known
        and one.status in ("refused", "withdrawn")
        and (provider is None or provider in (one.provider or "").split(", "))
        and (not one.dataflows or any(each.dataflow == flow.ref.text for each in one.dataflows))
        and next(iter(library.store.file(one.id)), None) is not None
    ]
