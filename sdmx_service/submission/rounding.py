"""By how much figures are off that are rounded, as the confidentiality document of their structure declares it.

Two kinds: senders round before they send (``rounded``), and the public sees figures rounded (``rounding``). Each figure
is rounded by itself, so that a total and the sum of its parts differ by up to half the base per figure, and no more.
Whole numbers are never off by the whole half of an odd base: 3 to 7 are shown as 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil, floor

import numpy as np

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.rules import Rule
from sdmx_service.model.confidentiality import PublicView
from sdmx_service.submission.bounds import is_exposed
from sdmx_service.submission.figures import Flow
from sdmx_service.submission.relations import applied_rules
from sdmx_service.submission.workspace import conditions

_MOST_MULTIPLES = 10_000


def are_whole(rules: Iterable[Rule], component: str) -> bool:
    """Whether a rule of kind *value* keeps all figures of a component whole."""
    return any(one.kind == "value" and one.integer and one.component == component and not one.when for one in rules)


def half(base: float, *, is_whole: bool) -> float:
    """By how much a figure can be off that is rounded to the nearest multiple."""
    return float(floor(base / 2)) if is_whole and base == floor(base) else base / 2


def together(view: PublicView, *, is_whole: bool) -> float:
    """By how much a figure can be off as the public sees it: rounded before it was sent, and for the public."""
    if view.rounded == view.rounding:
        return half(view.rounding, is_whole=is_whole)
    public = half(view.rounding, is_whole=is_whole and view.rounded == floor(view.rounded))
    return public + half(view.rounded, is_whole=is_whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """By how much the figures of a dataflow can be off: those that are sent, and those that are stored.

    Rules read stored figures as the public sees them.

    Attributes:
        bases: of what the figures are multiples.
    """

    sent: float = 0.0
    stored: float = 0.0
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bases: tuple[float, ...] = ()

    @classmethod
    def of(cls, flow: Flow, component: str, catalog: Catalog) -> Halves:
        """Those of a dataflow; nothing where no rounding is declared."""
        document = catalog.confidentiality_of(flow.structure)
        view = None if document is None else document.dataflows.get(flow.name)
        if view is None or not (view.rounding or view.rounded):
            return cls()
        is_whole = are_whole(applied_rules(flow, catalog), component)
        return cls(
            sent=half(view.rounded, is_whole=is_whole),
            stored=together(view, is_whole=is_whole),
            when=view.when,
            bases=tuple(dict.fromkeys(filter(None, (view.rounded, view.rounding)))),
        )

    @property
    def is_any(self) -> bool:
        """Whether any figure is off."""
        return bool(self.sent or self.stored)

    def each(self, flow: Flow) -> str:
        """The expression over a query of figures (``Figures.select`` with ``more=when``) that says it of a row."""
        if not self.is_any:
            return "0.0"
        value = f"CASE WHEN _sent THEN {self.sent!r} ELSE {self.stored!r} END"
        if not self.when:
            return f"({value})"
        return f"(CASE WHEN {conditions(flow.structure, self.when)} THEN {value} ELSE 0.0 END)"


def are_comparable(every: Iterable[Halves]) -> bool:
    """Whether figures of these dataflows are rounded alike where they are off by as much; rounding keeps their order.

    (To multiples of 4 and of 5, whole numbers are off by 2: 7 is more than 6, and shown as less.)
    """
    return len({one.bases for one in every}) == 1


# --- what the public knows of a figure -------------------------------------------------------------------------------


def told_limits(view: PublicView, told: str, *, is_whole: bool) -> tuple[str, str]:
    """Between what a figure lies that is told, as expressions: what is told is none of those that are hidden."""
    off, up, least = together(view, is_whole=is_whole), _up(view, is_whole=is_whole), _least(view, is_whole=is_whole)
    none = 0.0 if least > up else up
    low = f"CASE WHEN {told} > 0 THEN greatest({told} - {off!r}, {least!r}) WHEN {told} < 0 THEN {told} - {up!r}"
    high = f"CASE WHEN {told} < 0 THEN least({told} + {off!r}, {-least!r}) WHEN {told} > 0 THEN {told} + {up!r}"
    return f"{low} WHEN {told} = 0 THEN {-none!r} END", f"{high} WHEN {told} = 0 THEN {none!r} END"


def hidden_limits(view: PublicView, *, is_whole: bool) -> tuple[float, float]:
    """Between what a count lies that the threshold hides."""
    return (1.0, float(ceil(view.threshold) - 1)) if is_whole else (0.0, view.threshold)


def _up(view: PublicView, *, is_whole: bool) -> float:
    """By how much a figure can be more than what is shown: halves are rounded away from zero, so less than half."""
    off = together(view, is_whole=is_whole)
    is_even = view.rounding == 2 * floor(view.rounding / 2)
    return off - 1 if is_whole and off and not view.rounded and is_even else off


def _least(view: PublicView, *, is_whole: bool) -> float:
    """The least figure above zero that is shown; what is rounded before it is sent may have been less."""
    if view.rounded or not view.threshold:
        return 0.0
    return float(ceil(view.threshold)) if is_whole else view.threshold


def given_away(view: PublicView, share: float, *, is_whole: bool) -> Iterator[str]:
    """What threshold and rounding tell of each other, in words; whatever the figures are.

    A threshold may leave one hidden whole number, and figures that it hides are missing among those that a multiple
    next to it can stand for.
    """
    if is_whole and view.threshold and not view.rounded and ceil(view.threshold) == 2:
        yield f"A figure that the threshold of {view.threshold:g} hides can only be 1."
    if not view.threshold or not view.rounding or view.rounded:
        return
    off, least = together(view, is_whole=is_whole), _least(view, is_whole=is_whole)
    for number in range(1, min(floor((view.threshold + off) / view.rounding), _MOST_MULTIPLES) + 1):
        shown = number * view.rounding
        low, high = max(shown - off, least), shown + _up(view, is_whole=is_whole)
        if low > high or least <= shown - off:
            continue
        before, after = (bool(is_exposed(np.array([one]), np.array([high]), share)[0]) for one in (shown - off, low))
        if after and not before:
            said = f"be {low:g}" if low == high else f"be {low:g} to {high:g}"
            hint = f"the threshold of {view.threshold:g} hides what else is rounded to it"
            yield f"A figure that is shown as {shown:g} can only {said}: {hint}."


def additivity(view: PublicView, *, is_whole: bool) -> str | None:
    """What to expect of sums; None where nothing is rounded."""
    off = together(view, is_whole=is_whole)
    if not off:
        return None
    return (
        f"Figures are rounded to multiples of {view.base:g}, each by itself: a total may differ from the sum of its"
        f" parts by up to {off:g} for itself and {off:g} for each part."
    )
