"""Comparisons of time periods, as queries and constraints make them.

Source: SDMX 3.1 Technical Notes, *Time in Query Messages*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sdmx_service.model.period import Period, parse_period


def _bounds(period: Period, operand: Period) -> tuple[int, int]:
    """The operand's span as it is to be compared with ``period``.

    Technical Notes, *Time in Query Messages*: a reporting period as operand is read with the reporting year start day
    of the data it is compared with, and with 1 January for data of the calendar, unless the query states the day
    (SDMX-REST 2.2, ``reportingYearStartDay``).
    """
    theirs = period.reporting_year_start
    if operand.reporting_year_start is None and theirs is not None and operand.kind.is_reporting:
        operand = parse_period(operand.text, theirs)
    return operand.start, operand.end


def is_after(period: Period, operand: Period) -> bool:
    """``gt``: the period starts after the operand's last moment (*standard*)."""
    return period.start >= _bounds(period, operand)[1]


def is_before(period: Period, operand: Period) -> bool:
    """``lt``: the period ends before the operand's first moment (*standard*: "before the first moment")."""
    return period.end <= _bounds(period, operand)[0]


def at_or_after(period: Period, operand: Period) -> bool:
    """``ge``: the period starts on or after the operand's first moment (*standard*)."""
    return period.start >= _bounds(period, operand)[0]


def at_or_before(period: Period, operand: Period) -> bool:
    """``le``: the period ends on or before the operand's last moment (*standard*)."""
    return period.end <= _bounds(period, operand)[1]


def equals(period: Period, operand: Period) -> bool:
    """``eq``: the period lies within the operand, from its first to its last moment (*standard*): 2010-03 eq 2010."""
    start, end = _bounds(period, operand)
    return start <= period.start and period.end <= end


def differs(period: Period, operand: Period) -> bool:
    """``ne``: the period does not lie within the operand."""
    return not equals(period, operand)


TIME_OPERATORS: Mapping[str, Callable[[Period, Period], bool]] = MappingProxyType(
    {
        "eq": equals,
        "ne": differs,
        "lt": is_before,
        "le": at_or_before,
        "gt": is_after,
        "ge": at_or_after,
    }
)
"""The operators of SDMX-REST 2.2 that have a meaning for time; each takes (period of the data, operand)."""
