"""Sign-off as data: who looks at a submission before it is published, and how many people it takes; docs/workflow.md.

A file below a folder ``sign_off`` says it for some dataflows. Where none says anything, nobody needs to approve.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sdmx_service.catalog.documents import Node
from sdmx_service.model.urn import PartialRef, Ref, parse_ref

REVIEWERS = ("reviewer", "publisher", "administrator")
"""The roles that may approve at all."""
EVERY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """What has to happen before a submission is published.

    Attributes:
        id: of the document; empty for the default.
        applies_to: dataflows; empty: all.
        needs_approval: only what was approved may be published or scheduled.
        approvers: the roles of which one approves.
        approved_by_another: who sent it may not approve it.
        published_by_another: who approved it may not publish or schedule it.
        document: as it was read.
    """

    id: str = ""
    applies_to: tuple[PartialRef, ...] = ()
    needs_approval: bool = False
    approvers: tuple[str, ...] = REVIEWERS
    approved_by_another: bool = False
    published_by_another: bool = False
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def is_for(self, dataflow: Ref) -> bool:
        """Whether it says something about a dataflow."""
        return not self.applies_to or any(one.matches(dataflow) for one in self.applies_to)


def read_sign_off(document: Any, place: str) -> SignOff:
    """The sign-off that a document says.

    Raises:
        InvalidStructure: something unknown or missing; the place is named.
    """
    node = Node(document, place)
    eyes = node.at("four_eyes").texts()
    if unknown := sorted(set(eyes) - {"approval", "publication"}):
        raise node.at("four_eyes").fault(f"one of approval, publication is needed here, not {unknown[0]!r}.")
    approvers = node.at("approvers").texts() or REVIEWERS
    if unknown := sorted(set(approvers) - set(REVIEWERS)):
        raise node.at("approvers").fault(f"one of {', '.join(REVIEWERS)} is needed here, not {unknown[0]!r}.")
    applies_to = node.at("applies_to").texts()
    found = SignOff(
        id=node.at("id").text(),
        applies_to=() if EVERY in applies_to else tuple(parse_ref(text, "Dataflow") for text in applies_to),
        needs_approval=node.at("approval").choice("none", "needed") == "needed",
        approvers=approvers,
        approved_by_another="approval" in eyes,
        published_by_another="publication" in eyes,
        document=dict(document),
    )
    node.at("names").words()
    node.done()
    return found


def sign_off_for(dataflows: Iterable[Ref], known: Iterable[SignOff]) -> SignOff:
    """What holds for a submission with these dataflows: of all that say something, the strictest of each."""
    documents = list(known)
    found = [one for ref in dataflows for one in documents if one.is_for(ref)]
    if not found:
        return SignOff()
    return SignOff(
        id=", ".join(dict.fromkeys(one.id for one in found)),
        needs_approval=any(one.needs_approval for one in found),
        approvers=tuple(role for role in REVIEWERS if all(role in one.approvers for one in found)),
        approved_by_another=any(one.approved_by_another for one in found),
        published_by_another=any(one.published_by_another for one in found),
    )
