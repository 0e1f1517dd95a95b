"""Collections as data: who is expected to send which dataflows by when, every year; docs/workflow.md.

A file below a folder ``collections`` describes one. Figures of a year T are asked for, and due, on a day of a later
year.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from sdmx_service.catalog.documents import Node
from sdmx_service.model.artefact import Texts
from sdmx_service.model.urn import PartialRef, Ref, parse_ref

_DAY = re.compile(r"--(\d\d)-(\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class YearDay:
    """A day of a year counted from the year that the figures are of: ``+1 --03-31``."""

    years_after: int
    month: int
    day: int

    def of(self, year: int) -> date:
        """The day, for the figures of a year."""
        return date(year + self.years_after, self.month, self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What is collected every year.

    Attributes:
        providers: patterns of provider ids (``OFFICE_*``).
        dataflows: those expected; of each provider only those that it has an agreement for.
        asked, due: when it is asked for, and when it is to be here.
        reminders: days before the due day (negative: after it) on which a reminder is due.
        first_year: the first year collected.
        status: how certain all this is, for people.
        document: as it was read.
    """

    id: str
    names: Texts
    providers: tuple[str, ...]
    dataflows: tuple[PartialRef, ...]
    asked: YearDay
    due: YearDay
    reminders: tuple[int, ...] = ()
    first_year: int = 0
    status: str = ""
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def expects(self, provider: str, dataflow: Ref) -> bool:
        """Whether a provider (by its id) is expected to send a dataflow, if it has an agreement for it."""
        return any(fnmatchcase(provider, pattern) for pattern in self.providers) and any(
            one.matches(dataflow) for one in self.dataflows
        )


def read_collection(document: Any, place: str) -> Collection:
    """The collection that a document says.

    Raises:
        InvalidStructure: something unknown or missing; the place is named.
    """
    node = Node(document, place)
    found = Collection(
        id=node.at("id").text(),
        names=Texts(node.at("names").words()),
        providers=node.at("providers").texts(),
        dataflows=tuple(parse_ref(text, "Dataflow") for text in node.at("dataflows").texts()),
        asked=_day(node.at("asked")),
        due=_day(node.at("due")),
        reminders=tuple(one.number() for one in node.at("reminders").items()),
        first_year=node.at("first_year").number(),
        status=node.at("status").text_or_none() or "",
        document=dict(document),
    )
    node.at("basis").text_or_none()
    node.done()
    if found.asked.of(2001) >= found.due.of(2001):
        raise node.fault("it is due before it is asked for.")
    return found


def _day(node: Node) -> YearDay:
    text, years = node.at("day").text(), node.at("years_after").number()
    match = _DAY.fullmatch(text)
    try:
        month, day = (int(match[1]), int(match[2])) if match else (0, 0)
        date(2001, month, day)
    except ValueError:
        raise node.fault(f"a day of the year as --MM-DD is needed here, not {text!r}.") from None
    node.done()
    return YearDay(years_after=years, month=month, day=day)
