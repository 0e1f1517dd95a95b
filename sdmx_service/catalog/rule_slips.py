"""What the rules say that look for slips of whoever fills in a table: *periods*, *zeros*, *late*, *misplaced*."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sdmx_service.catalog.documents import Node
from sdmx_service.catalog.rule_fields import Conditions, above, conditions, several


@dataclass(frozen=True, slots=True, kw_only=True)
class OddPeriods:
    """Figures of a period that has not begun, that hardly any other figure is of, or that is not of their frequency.

    Attributes:
        test: ``future``, ``rare`` or ``frequency``.
        unless: conditions under which a period to come is right (a forecast).
        least: figures that the periods of the dataflow have, half of them at least, before one counts as rare.
        most: figures that a rare period has at most.
        dimension: that of the frequency.
        months: how many months a period lasts, by the code of the frequency.
    """

    test: str
    unless: Conditions
    least: float
    most: float
    dimension: str
    months: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zeros:
    """The only zero of a series, between figures that are far from it.

    Attributes:
        by: what makes up a table of series.
        least: the figures before and after are this great at least.
        ends: the two figures before the last one are this great at least; 0 = the last figure is not looked at.
        most: places of a table and period that are told one by one; of more, the first one is told with their number.
    """

    by: tuple[str, ...]
    least: float
    ends: float
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A series that begins twice with the same figure, and then does what those beside it did one period before.

    Attributes:
        limit: how far it is from them then, as a share of how far it is from what they do at its own periods.
        least: its first figure is this great at least.
        periods: figures that the series has at least.
        beside: lists of dimensions, as for an outlier.
    """

    limit: float
    least: float
    periods: int
    beside: tuple[tuple[str, ...], ...]
    damping: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Misplaced:
    """Figures of a period that stand in the row beside their own.

    Attributes:
        by: what makes up a table of series.
        rows: how many rows in a row must show it.
        limit: how far the figures are from what the row beside suggests, as a share of how far they are from what
            their own row suggests.
        factor: figures are that many times off what their own row suggests, on the average.
        least: of the rows, one figure is this great at least.
    """

    by: tuple[str, ...]
    rows: int
    limit: float
    factor: float
    least: float
    damping: float


# --- readers --------------------------------------------------------------------------------------------------------
def _periods(node: Node) -> OddPeriods:
    test = node.at("test").choice("future", "rare", "frequency")
    months = {code: one.number() for code, one in node.at("months").fields()}
    dimension = node.at("dimension").text_or_none() or ""
    if test == "frequency" and not (months and dimension):
        raise node.fault("a dimension, and months by its codes, are needed here.")
    return OddPeriods(
        test=test,
        unless=conditions(node.at("unless")),
        least=above(node, "least", 50, 1),
        most=above(node, "most", 3, 1),
        dimension=dimension,
        months=months,
    )


def _zeros(node: Node) -> Zeros:
    return Zeros(
        by=several(node, "by"),
        least=above(node, "least", 50, 1),
        ends=above(node, "ends", 0, 0),
        most=int(above(node, "most", 3, 1)),
    )


def _late(node: Node) -> Late:
    beside = tuple(member.texts() for member in node.at("beside").items())
    if not beside:
        raise node.at("beside").fault("beside is needed here: lists of dimensions along which other series lie.")
    return Late(
        limit=above(node, "limit", 0.6, 0),
        least=above(node, "least", 20, 0),
        periods=int(above(node, "periods", 6, 4)),
        beside=beside,
        damping=above(node, "damping", 10, 1),
    )


def _misplaced(node: Node) -> Misplaced:
    return Misplaced(
        by=several(node, "by"),
        rows=int(above(node, "rows", 4, 2)),
        limit=above(node, "limit", 0.25, 0),
        factor=above(node, "factor", 2, 1),
        least=above(node, "least", 20, 0),
        damping=above(node, "damping", 10, 1),
    )


READERS: Mapping[str, Callable[[Node], OddPeriods | Zeros | Late | Misplaced]] = {
    "periods": _periods,
    "zeros": _zeros,
    "late": _late,
    "misplaced": _misplaced,
}
"""Kind -> the reader of its fields."""
