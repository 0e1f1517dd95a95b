"""Whether an artefact may be taken, looked at by itself: is it whole, and may this version still change."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sdmx_service.errors import Conflict, InvalidStructure, NotFound, SemanticFault
from sdmx_service.maintenance.faults import faults
from sdmx_service.maintenance.merging import merged, with_languages
from sdmx_service.model.artefact import ItemScheme, Maintainable
from sdmx_service.model.constraint import DataConstraint
from sdmx_service.model.registration import SubmissionAction
from sdmx_service.model.urn import Version, artefact_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be done to one artefact: ``new`` takes the place of ``old``; None: there is none."""

    old: Maintainable | None
    new: Maintainable | None
    action: SubmissionAction

    @property
    def subject(self) -> Maintainable:
        """The artefact that it is about."""
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def is_idle(self) -> bool:
        """Nothing changes."""
        return self.old == self.new


def admit(sent: Maintainable, stored: Maintainable | None) -> Change:
    """The change that a submitted artefact comes to.

    Raises:
        NotFound: it is a part of a scheme that is not here.
        Conflict: this version may not change any more.
        InvalidStructure, SemanticFault: it is not whole.
    """
    _refuse_foreign(sent)
    if sent.is_partial_language or (isinstance(sent, ItemScheme) and sent.is_partial):
        change = _merge(sent, stored)
    else:
        new = _with_role(sent, stored)
        change = Change(old=stored, new=new, action="Append" if stored is None else "Replace")
    assert change.new is not None
    for fault in faults(change.new):
        raise fault
    if stored is not None and not change.is_idle:
        refuse_frozen(stored, "be changed")
    return change


def _with_role(sent: Maintainable, stored: Maintainable | None) -> Maintainable:
    """A constraint with the role of the stored one, which SDMX 3.1 has no word for: one that was read comes back."""
    if isinstance(sent, DataConstraint) and isinstance(stored, DataConstraint) and sent.role is None:
        return replace(sent, role=stored.role)
    return sent


def _merge(sent: Maintainable, stored: Maintainable | None) -> Change:
    word = "isPartialLanguage" if sent.is_partial_language else "isPartial"
    if stored is None:
        raise NotFound(
            f"{sent.ref.text} says {word}, and there is no such {sent.type} to be completed.",
            hint=f"Send the whole first, without {word}.",
        )
    if type(stored) is not type(sent):
        raise SemanticFault(f"{sent.ref.text} is stored as {type(stored).__name__}, not {type(sent).__name__}.")
    if sent.is_partial_language:
        new = replace(with_languages(stored, sent), is_partial_language=stored.is_partial_language)
        return Change(old=stored, new=new, action="Merge")
    assert isinstance(stored, ItemScheme)
    assert isinstance(sent, ItemScheme)
    return Change(old=stored, new=merged(stored, sent), action="Merge")


def _refuse_foreign(sent: Maintainable) -> None:
    if sent.is_external_reference:
        raise SemanticFault(
            f"{sent.ref.text} is a stub: it says isExternalReference.", hint="Send the artefact itself, whole."
        )
    kind = artefact_type(sent.type)
    if kind is None or kind.resource is None:
        raise SemanticFault(f"{sent.ref.text}: a {sent.type} is no structure of SDMX 3.1.")
    if kind.fixed_id is not None and (sent.id != kind.fixed_id or sent.version != "1.0"):
        raise InvalidStructure(
            f"{sent.type}: the id and version are always {kind.fixed_id}(1.0), not {sent.id}({sent.version})."
        )


def refuse_frozen(artefact: Maintainable, what: str) -> None:
    """Refuse to touch a version that is published for good.

    *Standard*: stable semantic versions (SDMX 3.1 Technical Notes 4.3). *Choice*: versions of the older form may
    change, as nothing that is kept says whether they are final.

    Raises:
        Conflict: it is stable.
    """
    if Version.parse(artefact.version).is_stable:
        raise Conflict(
            f"{artefact.type} {artefact.ref.text} is stable and cannot {what}.",
            hint="Send a new version; one with a suffix, such as 1.1.0-draft, may change until it is stable.",
        )


def without_mark(artefact: Maintainable) -> Maintainable:
    """A whole scheme, without the mark of a part."""
    return replace(artefact, is_partial=False) if isinstance(artefact, ItemScheme) else artefact
