"""Structures created, replaced and deleted (SDMX-REST 2.2, maintenance.md).

Each artefact succeeds or fails by itself; all that succeed become visible together, as one generation. What was checked
against one generation is written only if that is still the current one; else everything is checked again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sdmx_service.auth import Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library, View
from sdmx_service.catalog.loading import Content, as_stored, serialise
from sdmx_service.errors import (
    Busy,
    CannotWrite,
    Conflict,
    InvalidStructure,
    NotBuilt,
    NotFound,
    SdmxError,
    SemanticFault,
)
from sdmx_service.maintenance.admission import Change, admit, refuse_frozen, without_mark
from sdmx_service.maintenance.faults import check_identity, is_too_deep
from sdmx_service.maintenance.integrity import Breach, breaches, home_of
from sdmx_service.maintenance.merging import without_item
from sdmx_service.model.artefact import ItemScheme, Maintainable
from sdmx_service.model.message import Message
from sdmx_service.model.registration import Result, SubmissionAction
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.model.urn import ArtefactType, Ref

_ATTEMPTS = 20
_SHOWN = 3
"""Reasons that a refusal names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What the path of a maintenance request names.

    Attributes:
        kind: the type of artefacts; None: any.
        ref: the one artefact, with PUT and DELETE.
        item: an item of it, with DELETE.
        may_create: PUT may also create it.
    """

    kind: ArtefactType | None = None
    ref: Ref | None = None
    item: str | None = None
    may_create: bool = False


@dataclass(frozen=True, slots=True)
class _Refused:
    """An artefact that is not taken."""

    subject: Ref
    action: SubmissionAction
    error: SdmxError


_Judged = Change | _Refused


def submit_structures(
    message: Message,
    address: Address,
    library: Library,
    principal: Principal,
    *,
    method: Literal["POST", "PUT"] = "POST",
) -> tuple[Result, ...]:
    """Create or replace the artefacts of a message; the result of each, in the order of the message.

    Raises:
        NotAllowed: the principal may not maintain structures.
        SemanticFault: the message holds no artefact, so that nothing can be said about one.
        InvalidStructure: an artefact cannot even be named.
    """
    principal.must_maintain()
    artefacts = message.structures
    if not artefacts:
        raise SemanticFault("The message holds no structure.", hint="Send one or more artefacts.")
    for one in artefacts:
        check_identity(one)
    mismatches = _mismatches(artefacts, address)
    if any(mismatches):
        return tuple(_mismatch(one, fault) for one, fault in zip(artefacts, mismatches, strict=True))

    def judge(catalog: Catalog) -> list[_Judged]:
        if method == "PUT" and not address.may_create and address.ref not in catalog.artefacts:
            ref = artefacts[0].ref
            return [_Refused(ref, "Replace", NotFound(f"There is no {ref.type} {ref.text}.", hint="POST creates it."))]
        return _judge_all(artefacts, catalog)

    return _carry_out(judge, library, principal)


def delete_structure(address: Address, library: Library, principal: Principal) -> tuple[Result, ...]:
    """Delete one artefact, or one item of a scheme.

    Raises:
        NotAllowed: the principal may not maintain structures.
    """
    principal.must_maintain()
    ref = address.ref
    assert ref is not None

    def judge(catalog: Catalog) -> list[_Judged]:
        try:
            return [_deletion(catalog.artefacts.get(ref), ref, address.item, catalog)]
        except SdmxError as error:
            return [_Refused(ref, "Delete", error)]

    return _carry_out(judge, library, principal)


def _deletion(stored: Maintainable | None, ref: Ref, item: str | None, catalog: Catalog) -> Change:
    if stored is None:
        raise NotFound(f"There is no {ref.type} {ref.text}.")
    if item is None:
        refuse_frozen(stored, "be deleted")
        parents = catalog.parents(stored)
        if parents:
            named = ", ".join(f"{one.type} {one.ref.text}" for one in parents[:_SHOWN])
            raise Conflict(f"{stored.type} {stored.ref.text} is referred to by {named}.", hint="Change these first.")
        return Change(old=stored, new=None, action="Delete")
    if not isinstance(stored, ItemScheme):
        raise NotFound(f"{stored.type} {stored.ref.text} has no items.")
    left = without_item(stored, item)
    if left is None:
        raise NotFound(f"{stored.type} {stored.ref.text} has no item {item!r}.")
    refuse_frozen(stored, "lose an item")
    return Change(old=stored, new=left, action="Delete")


# --- the body and the path ------------------------------------------------------------------------------------------
def _mismatches(artefacts: Sequence[Maintainable], address: Address) -> list[str]:
    """Per artefact what does not fit the path; empty where it does."""
    if address.ref is not None and len(artefacts) > 1:
        return [f"PUT takes one artefact, and the message holds {len(artefacts)}." for _ in artefacts]
    return [_not_at(one, address) for one in artefacts]


def _not_at(artefact: Maintainable, address: Address) -> str:
    if address.kind is not None and artefact.type != address.kind.name:
        return f"It is a {artefact.type}, and the path says {address.kind.resource or address.kind.name}."
    if address.ref is not None and artefact.ref != address.ref:
        return f"It is {artefact.ref.text}, and the path says {address.ref.text}."
    return ""


def status_of(results: Sequence[Result]) -> int:
    """The HTTP status of a message of results.

    *Standard*: 201 created, 200 replaced, deleted, 207 if not all came out alike. *Choice*: a message that created some
    artefacts and replaced others is 201.
    """
    codes = {one.code for one in results}
    if codes <= {200, 201}:
        return max(codes)
    return codes.pop() if len(codes) == 1 else 207


def _mismatch(artefact: Maintainable, fault: str) -> Result:
    text = fault or "Nothing of the message was done, since another artefact in it does not fit the path."
    return Result(subject=artefact.ref, action="Append", code=422, text=text)


# --- judging --------------------------------------------------------------------------------------------------------
def _judge_all(artefacts: Sequence[Maintainable], catalog: Catalog) -> list[_Judged]:
    """Each artefact by itself; what comes twice is refused the second time."""
    judged: list[_Judged] = []
    seen: set[Ref] = set()
    for sent in artefacts:
        stored = catalog.artefacts.get(sent.ref)
        try:
            if sent.ref in seen:
                raise SemanticFault(f"The message holds {sent.type} {sent.ref.text} twice.")
            seen.add(sent.ref)
            judged.append(admit(_as_kept(sent), None if stored is None else without_mark(stored)))
        except SdmxError as error:
            judged.append(_Refused(sent.ref, "Append" if stored is None else "Replace", error))
    return judged


def _as_kept(sent: Maintainable) -> Maintainable:
    """The artefact as it will come back, so that the same one sent again is seen to be the same.

    Raises:
        SemanticFault: the format in which artefacts are kept cannot carry it.
        InvalidStructure: its items are nested too deeply.
    """
    if is_too_deep(sent):
        raise InvalidStructure(f"{sent.type} {sent.ref.text} is nested too deeply.", hint="Send it flatter.")
    try:
        return as_stored(sent)
    except CannotWrite as error:
        raise SemanticFault(error.detail, hint=error.hint) from None


def _carry_out(judge: Callable[[Catalog], list[_Judged]], library: Library, principal: Principal) -> tuple[Result, ...]:
    """Judge against the current generation and write what is right, again if another was faster."""
    for _ in range(_ATTEMPTS):
        view = library.view()
        judged = _together(judge(view.catalog), view, library)
        changes = [one for one in judged if isinstance(one, Change) and not one.is_idle]
        if not changes or _written(changes, view, library, principal):
            return tuple(_result(one) for one in judged)
    raise Busy("Structures are being changed by others all the time.", hint="Try again soon.")


def _together(judged: list[_Judged], view: View, library: Library) -> list[_Judged]:
    """Refuse, until nothing more has to be, what does not fit with all the rest as it would be then."""
    while changes := [one for one in judged if isinstance(one, Change) and not one.is_idle]:
        after = changed(view.catalog, changes)
        found = breaches(view.catalog, after, changes, library.store, view.release)
        if not found:
            break
        refused = [_breached(one, found) for one in judged]
        if refused == judged:  # none of them can be blamed alone
            everyone = [Breach(homes=frozenset(home_of(one.subject.ref) for one in changes), text=found[0].text)]
            refused = [_breached(one, everyone) for one in judged]
        judged = refused
    return judged


def _breached(judged: _Judged, found: Sequence[Breach]) -> _Judged:
    if isinstance(judged, _Refused) or judged.is_idle:
        return judged
    home = home_of(judged.subject.ref)
    own = list(dict.fromkeys(breach.text for breach in found if home in breach.homes))
    if not own:
        return judged
    more = f" And {len(own) - _SHOWN} more." if len(own) > _SHOWN else ""
    is_semantic = all(breach.is_semantic for breach in found if home in breach.homes)
    kind = SemanticFault if is_semantic else Conflict
    return _Refused(judged.subject.ref, judged.action, kind(" ".join(own[:_SHOWN]) + more))


def changed(catalog: Catalog, changes: Collection[Change]) -> Catalog:
    """The catalog as it would be after the changes."""
    artefacts = dict(catalog.artefacts)
    for change in changes:
        if change.new is None:
            del artefacts[change.subject.ref]
        else:
            artefacts[change.new.ref] = change.new
    return replace(catalog, artefacts=artefacts)


# --- writing --------------------------------------------------------------------------------------------------------
def _written(changes: Sequence[Change], view: View, library: Library, principal: Principal) -> bool:
    """Whether the changes are now a generation; not if another one came between."""
    kept = serialise(Content(artefacts=[one.new for one in changes if one.new is not None]))
    gone: Mapping[str, None] = {one.subject.urn: None for one in changes if one.new is None}
    acts = [principal.does("change structure", one.subject.urn, action=one.action) for one in changes]
    try:
        library.store.save_artefacts({**kept, **gone}, view.generation, acts)
    except Conflict:
        return False
    if any(isinstance(one.new, DataStructure | Dataflow) for one in changes) or _widens(changes):
        library.open_cubes()
    return True


def _widens(changes: Sequence[Change]) -> bool:
    """Whether a concept scheme, whose representations data structures inherit, is among them."""
    return any(one.subject.type == "ConceptScheme" for one in changes)


_DONE: Mapping[SubmissionAction, tuple[int, str]] = {
    "Append": (201, "created"),
    "Replace": (200, "replaced"),
    "Merge": (200, "completed"),
    "Delete": (200, "deleted"),
}
_CODES: tuple[tuple[type[SdmxError], int], ...] = ((NotFound, 404), (Conflict, 409), (NotBuilt, 501))


def _result(judged: _Judged) -> Result:
    if isinstance(judged, _Refused):
        code = next((code for kind, code in _CODES if isinstance(judged.error, kind)), 422)
        error = judged.error
        return Result(
            subject=judged.subject, action=judged.action, code=code, text=f"{error.detail} {error.hint}".strip()
        )
    subject = judged.subject
    if judged.is_idle:
        return Result(subject=subject.ref, action=judged.action, code=200, text=f"{subject.ref.text} is so already.")
    code, done = _DONE[judged.action]
    what = "item deleted from it" if judged.action == "Delete" and judged.new is not None else done
    return Result(
        subject=subject.ref, action=judged.action, code=code, text=f"{subject.type} {subject.ref.text}: {what}."
    )
