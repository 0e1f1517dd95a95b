"""Which figures of a structure are confidential, and what the public sees in their place; see docs/confidentiality.md.

The words are data: a *confidentiality document* names the attribute that holds the status and the codes that hide a
figure. The store hides by it (``storage.masking``), whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sdmx_service.model.selection import Cube

CONFIDENTIALITY = "confidentiality:"
"""How the names begin under which a store keeps the documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicView:
    """What the public sees of a dataflow beyond what its senders mark.

    Attributes:
        threshold: figures above 0 and below it are hidden, with the primary status (by absolute value); 0: none.
        rounding: figures are shown as multiples of it, halves away from zero; 0: as they were sent.
        rounded: figures come rounded to multiples of it, each by itself; rules of sums allow for that; 0: as they are.
        when: attributes of the observation and the codes with which a figure falls under threshold and rounding.
    """

    threshold: float = 0.0
    rounding: float = 0.0
    rounded: float = 0.0
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def base(self) -> float:
        """What figures are multiples of as the public sees them; 0: they are as they are."""
        return self.rounding or self.rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidentiality:
    """One document.

    Attributes:
        structures: the cubes it is for.
        status: the attribute of the observation that holds the status.
        confidential: the codes of it that hide a figure.
        primary, secondary: the codes that this service gives: to a figure below a threshold, and proposes for figures
            that would give another away.
        hides: attributes of the observation that may tell the figure (free texts); hidden with it.
        withheld: attributes and the codes that say of a row without a value that it was withheld (for the audit).
        range: a figure that follows from others to within this share of itself counts as told (0.1: ten percent).
        dataflows: dataflow name (``AGENCY:ID(MAJOR)``) -> what the public sees of it.
    """

    id: str
    structures: tuple[Cube, ...]
    status: str
    confidential: tuple[str, ...]
    primary: str = ""
    secondary: str = ""
    hides: tuple[str, ...] = ()
    withheld: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    range: float = 0.1
    dataflows: Mapping[str, PublicView] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The document as a store keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Confidentiality:
        """What ``to_json`` gave, after JSON."""
        views = {
            name: PublicView(
                threshold=one["threshold"],
                rounding=one["rounding"],
                rounded=one.get("rounded", 0.0),  # documents kept before there was this
                when=_codes(one["when"]),
            )
            for name, one in document["dataflows"].items()
        }
        texts = {name: tuple(document[name]) for name in ("confidential", "hides")}
        return cls(
            id=document["id"],
            structures=tuple(Cube(**one) for one in document["structures"]),
            status=document["status"],
            primary=document["primary"],
            secondary=document["secondary"],
            withheld=_codes(document["withheld"]),
            range=document["range"],
            dataflows=views,
            **texts,
        )


def _codes(listed: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(codes) for name, codes in listed.items()}
