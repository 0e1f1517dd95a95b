"""Types and facets of uncoded values (SDMX 3.1 *Facet*), as a test of one text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from urllib.parse import urlparse

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.period import parse_period
from sdmx_service.model.representation import NUMERIC_TYPES, TIME_TYPES, Representation, TextFormat

Problem = Callable[[str], str | None]
_INTEGERS = {
    "Short": (-(2**15), 2**15 - 1),
    "Integer": (-(2**31), 2**31 - 1),
    "Long": (-(2**63), 2**63 - 1),
    "BigInteger": (None, None),
    "Count": (0, None),
    "Incremental": (None, None),
}
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?INF")
_PATTERNS = {
    "Boolean": (r"true|false|1|0", "true or false"),
    "Alpha": (r"[A-Za-z]*", "letters only"),
    "AlphaNumeric": (r"[A-Za-z0-9]*", "letters and digits only"),
    "Month": (r"--(0[1-9]|1[0-2])", "a month, --MM"),
    "MonthDay": (r"--(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", "a day of the year, --MM-DD"),
    "Day": (r"---(0[1-9]|[12][0-9]|3[01])", "a day, ---DD"),
    "Time": (r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?", "a time, hh:mm:ss"),
    "Duration": (
        r"-?P(?=.)([0-9]+Y)?([0-9]+M)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?",
        "a duration",
    ),
}


def facet_problem(form: Representation, *, is_number: bool = False) -> Problem | None:
    """A test of one value, or None if every text is right. It answers what is expected where the value is wrong.

    Args:
        form: type and facets.
        is_number: it is known that the values are numbers.
    """
    text_format = form.text_format
    if text_format is None:
        return None
    tests = [*_type_tests(text_format.type, is_number), *_limit_tests(text_format)]
    if not tests:
        return None
    sentinels = {sentinel.value for sentinel in text_format.sentinels}

    def problem(value: str) -> str | None:
        if value in sentinels:
            return None
        return next((reason for test in tests if (reason := test(value)) is not None), None)

    return problem


def _type_tests(data_type: str, is_number: bool) -> Iterator[Problem]:
    if data_type in _INTEGERS:
        yield _integer(data_type)
    elif data_type in _PATTERNS:
        pattern, expected = _PATTERNS[data_type]
        yield _pattern(pattern, expected)
    elif data_type in TIME_TYPES:
        yield _period(data_type)
    elif data_type == "URI":
        yield _uri
    elif data_type in NUMERIC_TYPES and not is_number:
        yield lambda value: None if _NUMBER.fullmatch(value) else "a number"


def _integer(data_type: str) -> Problem:
    low, high = _INTEGERS[data_type]

    def problem(value: str) -> str | None:
        number = _number(value)
        if number is None:
            return f"a whole number of type {data_type}"
        whole = number == number.to_integral_value()
        inside = (low is None or number >= low) and (high is None or number <= high)
        return None if whole and inside else f"a whole number of type {data_type}"

    return problem


def _number(value: str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _pattern(pattern: str, expected: str) -> Problem:
    compiled = re.compile(pattern)
    return lambda value: None if compiled.fullmatch(value) else expected


def _period(data_type: str) -> Problem:
    def problem(value: str) -> str | None:
        try:
            period = parse_period(value)
        except SyntaxFault:
            return f"a time of type {data_type}"
        return None if period.kind.fits(data_type) else f"a time of type {data_type}"

    return problem


def _uri(value: str) -> str | None:
    try:
        urlparse(value)
    except ValueError:
        return "a URI"
    return None if " " not in value else "a URI"


def _limit_tests(text_format: TextFormat) -> Iterator[Problem]:
    if text_format.min_length is not None:
        low = text_format.min_length
        yield lambda value: None if len(value) >= low else f"at least {_counted(low, 'character')}"
    if text_format.max_length is not None:
        high = text_format.max_length
        yield lambda value: None if len(value) <= high else f"at most {_counted(high, 'character')}"
    if text_format.pattern is not None:
        yield _pattern(text_format.pattern, f"the pattern {text_format.pattern}")
    if text_format.min_value is not None and (lowest := _number(text_format.min_value)) is not None:
        yield lambda value: None if (number := _number(value)) is None or number >= lowest else f"at least {lowest}"
    if text_format.max_value is not None and (largest := _number(text_format.max_value)) is not None:
        yield lambda value: None if (number := _number(value)) is None or number <= largest else f"at most {largest}"
    if text_format.decimals is not None:
        places = text_format.decimals
        yield lambda value: None if _decimals(value) <= places else f"at most {_counted(places, 'decimal')}"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _decimals(value: str) -> int:
    """The decimals that a number needs; 0 for what is no number."""
    number = _number(value)
    exponent = 0 if number is None else number.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0
