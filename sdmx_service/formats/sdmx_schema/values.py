"""What the values of a component may look like beside its codes and facets, the same for both kinds of schema.

*Standard* (SDMX 3.1 technical notes, *missing values*): ``NaN`` for floating point numbers, ``#N/A`` for everything
else, ``~`` for a dimension that does not apply. *Choice:* as the service keeps these marks and writes them in every
version, the schemas of every version accept them; a number may be marked with either.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal
from xml.sax.saxutils import quoteattr

from lxml import etree

from sdmx_service.model.columns import NOT_A_NUMBER, NOT_APPLICABLE, NOT_AVAILABLE, Column
from sdmx_service.model.representation import TIME_TYPES, UNBOUNDED, TextFormat
from sdmx_service.model.structure import MetadataAttribute

INTEGERS = {
    "Short": (-(2**15), 2**15 - 1),
    "Integer": (-(2**31), 2**31 - 1),
    "Long": (-(2**63), 2**63 - 1),
    "BigInteger": (None, None),
    "Count": (0, None),
}
"""Whole numbers and what fits into them."""
DECIMALS = frozenset({"Decimal", "InclusiveValueRange", "ExclusiveValueRange", "Incremental"})
FLOATS = frozenset({"Float", "Double"})
TEXTS = frozenset({"String", "Alpha", "AlphaNumeric", "Numeric", "URI", "XHTML", "GeospatialInformation", "KeyValues",
                   "IdentifiableReference", "DataSetReference"})  # fmt: skip
"""Data types that lengths may limit."""
OBSERVATIONAL = "ObservationalTimePeriod"


def marks(column: Column) -> tuple[str, ...]:
    """The marks and sentinels that stand for a value."""
    text_format = column.component.form.text_format
    sentinels = () if text_format is None else tuple(one.value for one in text_format.sentinels)
    return (*sentinels, *_standard_marks(column))


def _standard_marks(column: Column) -> tuple[str, ...]:
    if column.role == "time":
        return ()
    if column.role == "dimension":
        return (NOT_APPLICABLE,)
    return (NOT_AVAILABLE,) if column.component.form.is_coded else (NOT_AVAILABLE, NOT_A_NUMBER)


def time_type(column: Column) -> str:
    """The data type of a time dimension; whatever is no time is ``ObservationalTimePeriod``."""
    found = column.component.form.data_type
    return found if found in TIME_TYPES else OBSERVATIONAL


def occurrence(heading: MetadataAttribute, *, deletes: bool = False) -> tuple[int, int | Literal["unbounded"]]:
    """How often a heading is reported; once where nothing is said (*standard*).

    Args:
        deletes: in messages that delete nothing is mandatory.
    """
    least = 1 if heading.min_occurs is None else heading.min_occurs
    least = 0 if deletes else least
    if heading.max_occurs == UNBOUNDED:
        return least, "unbounded"
    return least, max(int(heading.max_occurs or 1), least)


def has_texts(heading: MetadataAttribute) -> bool:
    """Whether texts by language may be reported: as XHTML, and as text that is not said to have one language."""
    form = heading.form
    if form.is_coded or heading.is_presentational:
        return False
    if form.text_format is None or form.data_type == "XHTML":
        return True
    return form.data_type == "String" and form.text_format.is_multilingual is not False


def lengths(text_format: TextFormat) -> tuple[int | None, int | None]:
    """Least and greatest length; none where they contradict each other."""
    low, high = text_format.min_length, text_format.max_length
    return (None, None) if low is not None and high is not None and low > high else (low, high)


def bounds(text_format: TextFormat) -> tuple[Decimal | None, Decimal | None]:
    """Least and greatest value; none where they are no numbers, contradict each other or do not fit the type."""
    least, most = INTEGERS.get(text_format.type, (None, None))
    low, high = (_limit(text, least, most, text_format) for text in (text_format.min_value, text_format.max_value))
    return (None, None) if low is not None and high is not None and low > high else (low, high)


def _limit(text: str | None, least: int | None, most: int | None, text_format: TextFormat) -> Decimal | None:
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return None
    if not number.is_finite() or (text_format.type in INTEGERS and number != number.to_integral_value()):
        return None
    if (least is not None and number < least) or (most is not None and number > most):
        return None
    return number


@lru_cache(maxsize=256)
def is_xsd_pattern(pattern: str) -> bool:
    """Whether a pattern is a regular expression of XML Schema."""
    facet = f"<xs:pattern value={quoteattr(pattern)}/>"
    body = f'<xs:simpleType name="a"><xs:restriction base="xs:string">{facet}</xs:restriction></xs:simpleType>'
    try:
        etree.XMLSchema(etree.fromstring(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{body}</xs:schema>'))
    except (etree.LxmlError, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def is_json_pattern(pattern: str) -> bool:
    """Whether a pattern is one that readers of JSON Schema will most likely understand."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return not re.search(r"\\[icIC]|\\p|&&|-\[", pattern)
