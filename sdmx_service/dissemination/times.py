"""Time filters evaluated on the few distinct periods of a cube, so that storage only compares texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sdmx_service.errors import SemanticFault, SyntaxFault
from sdmx_service.model import period_comparison as periods
from sdmx_service.model.period import MonthDay, Period, parse_period
from sdmx_service.model.query import Comparison, ComponentFilter, DataSlice

_Test = Callable[[Period, Period], bool]
_TESTS: dict[str, _Test] = {
    "eq": periods.equals,
    "ne": periods.differs,
    "lt": periods.is_before,
    "le": periods.at_or_before,
    "gt": periods.is_after,
    "ge": periods.at_or_after,
}
"""SDMX-REST 2.2, data.md: periods are compared by the range they cover."""

_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "co": lambda text, value: value in text,
    "nc": lambda text, value: value not in text,
    "sw": str.startswith,
    "ew": str.endswith,
}


def chosen_periods(query: DataSlice, time_id: str | None, known: Callable[[], Iterable[str]]) -> frozenset[str] | None:
    """The period texts a query wants among those ``known``; None if it does not ask about time.

    Raises:
        SemanticFault: the query asks about time and the structure has none (``time_id`` None).
        SyntaxFault: an operand is no time period.
    """
    filters = [one for one in query.filters if one.component == time_id] if time_id else []
    bounds = [(_TESTS["ge"], query.start_period), (_TESTS["le"], query.end_period)]
    asked = [(test, text) for test, text in bounds if text is not None]
    if not filters and not asked:
        return None
    if time_id is None:
        raise SemanticFault("The query limits the time, and this structure has no time dimension.")
    start_day = None if query.reporting_year_start_day is None else MonthDay.parse(query.reporting_year_start_day)
    limits = [(test, parse_period(text, start_day)) for test, text in asked]
    conditions = [_condition(one, start_day) for one in filters]
    chosen = []
    for text in known():
        period = parse_period(text)
        if all(test(period, limit) for test, limit in limits) and all(holds(period) for holds in conditions):
            chosen.append(text)
    return frozenset(chosen)


def _condition(wanted: ComponentFilter, start_day: MonthDay | None) -> Callable[[Period], bool]:
    alternatives = [[_comparison(one, start_day) for one in every] for every in wanted.alternatives]
    return lambda period: any(all(holds(period) for holds in every) for every in alternatives)


def _comparison(one: Comparison, start_day: MonthDay | None) -> Callable[[Period], bool]:
    if one.operator in _TEXT_TESTS:
        text_test = _TEXT_TESTS[one.operator]
        return lambda period: text_test(period.text, one.value)
    try:
        operand = parse_period(one.value, start_day)
    except SyntaxFault as fault:
        raise SyntaxFault(f"The time filter {one.value!r}: {fault.detail}", hint=fault.hint) from None
    test = _TESTS[one.operator]
    return lambda period: test(period, operand)
