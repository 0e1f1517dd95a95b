"""What the rules say that look at a figure beside its series and its table: *outlier*, *swapped*, *gaps*, *shift*."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sdmx_service.catalog.documents import Node
from sdmx_service.catalog.rule_fields import Conditions, above, conditions, needed, several


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlier:
    """A figure that fits neither its series nor the figures beside it.

    Attributes:
        limit: the factor between the figure and what its neighbours in time suggest, beyond which it is reported.
        ends: the same for the first and the last figure of a series, which have one neighbour.
        spread: it is also so many times as far off as the other figures of the series usually are.
        margin: and so many times as far off as any other of them is.
        beside: lists of dimensions; series that differ in those alone are beside each other, and what moves them all
            is no error.
        damping: what is added to every figure first, so that small figures may vary.
    """

    limit: float
    ends: float
    spread: float
    margin: float
    least: float
    periods: int
    beside: tuple[tuple[str, ...], ...]
    damping: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """The figures of two codes of a dimension that stand in each other's place in a period."""

    dimension: str
    codes: tuple[str, str]
    limit: float
    spread: float
    least: float
    damping: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """Figures that are not there although the series beside them have theirs.

    Attributes:
        test: ``hole`` (between two periods that are there), ``end`` (the last period of the others is not there),
            ``alone`` (a series of one period among long ones).
        by: what makes up a table of series.
        share: only in tables where at least this share of what could lack so is there.
        least: figures that a table must have.
        size: nothing is said of smaller figures: what is not there beside them may be nothing.
        longest: periods that a hole has at most.
        most: places that a table has at most; one with more is not of that kind.
    """

    test: str
    by: tuple[str, ...]
    share: float
    least: float
    size: float
    longest: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A table whose series all step to another level in one period, and stay there, although nothing marks it.

    Attributes:
        limit: the factor of the step, beyond which it is reported.
        spread: it is also more than so many times what the table usually changes.
        unless: conditions that mark it; a figure that meets one is left out.
    """

    by: tuple[str, ...]
    limit: float
    spread: float
    least: float
    series: float
    unless: Conditions
    damping: float


# --- readers --------------------------------------------------------------------------------------------------------
def _outlier(node: Node) -> Outlier:
    limit = above(node, "limit", 3, 1)
    return Outlier(
        limit=limit,
        ends=above(node, "ends", limit, 1),
        spread=above(node, "spread", 8, 0),
        margin=above(node, "margin", 1.5, 0),
        least=above(node, "least", 0, 0),
        periods=int(above(node, "periods", 5, 3)),
        beside=tuple(member.texts() for member in node.at("beside").items()),
        damping=above(node, "damping", 10, 1),
    )


def _swapped(node: Node) -> Swapped:
    codes = node.at("codes").texts()
    if len(codes) != 2:
        raise node.at("codes").fault("two codes are needed here.")
    return Swapped(
        dimension=needed(node, "dimension"),
        codes=(codes[0], codes[1]),
        limit=above(node, "limit", 1.5, 1),
        spread=above(node, "spread", 4, 0),
        least=above(node, "least", 0, 0),
        damping=above(node, "damping", 10, 1),
    )


def _gaps(node: Node) -> Gaps:
    return Gaps(
        test=node.at("test").choice("hole", "end", "alone"),
        by=node.at("by").texts(),
        share=above(node, "share", 0.95, 0),
        least=above(node, "least", 20, 2),
        size=above(node, "size", 0, 0),
        longest=int(above(node, "longest", 1_000_000, 1)),
        most=int(above(node, "most", 1_000_000, 1)),
    )


def _shift(node: Node) -> Shift:
    return Shift(
        by=several(node, "by"),
        limit=above(node, "limit", 1.5, 1),
        spread=above(node, "spread", 8, 0),
        least=above(node, "least", 0, 0),
        series=above(node, "series", 5, 1),
        unless=conditions(node.at("unless")),
        damping=above(node, "damping", 10, 1),
    )


READERS: Mapping[str, Callable[[Node], Outlier | Swapped | Gaps | Shift]] = {
    "outlier": _outlier,
    "swapped": _swapped,
    "gaps": _gaps,
    "shift": _shift,
}
"""Kind -> the reader of its fields."""
