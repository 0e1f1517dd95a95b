"""The calendar of expected submissions: who is to send what by when, what has come, who is late, whom to remind.

What is expected is data (``catalog.collection``). A submission counts for the round in which it arrived: from the day
on which the figures were asked for to the day before they are asked for the next time. Refused, withdrawn and
superseded ones do not count. What a partner has sent already need not be sent again (``covered``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, get_args

import orjson

from sdmx_service.auth import Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.collection import Collection
from sdmx_service.errors import SyntaxFault
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.selection import dataflow_name, provider_name
from sdmx_service.model.structure import Dataflow, ProvisionAgreement
from sdmx_service.model.urn import Ref, parse_ref
from sdmx_service.storage.port import Store
from sdmx_service.submission.reading import named_provider
from sdmx_service.submission.receipt import Receipt, receipts
from sdmx_service.workflow.covered import Partners

Status = Literal["not asked", "expected", "partial", "late", "covered", "complete"]
STATUSES: tuple[str, ...] = get_args(Status)
_COUNTS = ("accepted", "approved", "scheduled", "published")
_COLUMNS = ("collection", "provider", "name", "year", "asked", "due", "status", "days_late", "outstanding", "received",
            "covered")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one provider is to send in one round of a collection.

    Attributes:
        provider: ``AGENCY.ID``; ``name``: what it is called.
        year: that the figures are of.
        outstanding, received: dataflows (``AGENCY:ID(MAJOR)``); of those received by which submission.
        covered: those that the provider has not sent, and whose figures a partner has: by which partner.
    """

    collection: Collection
    provider: str
    name: str
    year: int
    outstanding: tuple[str, ...]
    received: Mapping[str, str]
    covered: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> date:
        """When it is asked for."""
        return self.collection.asked.of(self.year)

    @property
    def due(self) -> date:
        """When it is to be here."""
        return self.collection.due.of(self.year)

    def status(self, today: date) -> Status:
        """How it stands on a day: partial is what has come in part and is not late, covered what partners have sent."""
        if not self.outstanding:
            return "covered" if self.covered else "complete"
        if today > self.due:
            return "late"
        if today < self.asked:
            return "not asked"
        return "partial" if self.received else "expected"

    def reminders(self, today: date) -> Iterator[date]:
        """The days on which a reminder was or is due and nothing has come since: the last one up to that day."""
        days = sorted(self.due - timedelta(days=days) for days in self.collection.reminders)
        if self.outstanding and (past := [day for day in days if self.asked <= day <= today]):
            yield past[-1]

    def to_json(self, today: date) -> dict[str, Any]:
        """As the interface shows it."""
        status = self.status(today)
        return {
            "collection": self.collection.id,
            "provider": self.provider,
            "name": self.name,
            "year": self.year,
            "asked": self.asked.isoformat(),
            "due": self.due.isoformat(),
            "status": status,
            "days_late": (today - self.due).days if status == "late" else 0,
            "outstanding": list(self.outstanding),
            "received": dict(self.received),
            "covered": dict(self.covered),
            "reminder_due": next((day.isoformat() for day in self.reminders(today)), None),
        }


def expected(
    catalog: Catalog,
    store: Store,
    principal: Principal,
    now: datetime,
    *,
    provider: str | None = None,
    year: int | None = None,
    status: str | None = None,
) -> list[Expected]:
    """What is expected, by the day it is due; without a year that of the round that runs, and of the one before.

    A principal that may not review sees its own provider.

    Args:
        provider: only this one, by ``AGENCY.ID`` or id.
        status: only what stands so.

    Raises:
        NotFound: there is no such provider; a misspelt one would be late with nothing.
    """
    if provider is not None:
        named_provider(provider, catalog)
    today = now.astimezone(UTC).date()
    kept: dict[str, list[Receipt]] = {}
    for receipt in receipts(store):
        for sender in receipt.providers if receipt.status in _COUNTS else ():
            kept.setdefault(sender, []).append(receipt)
    partners = Partners(catalog, store)
    found: list[Expected] = []
    for collection in catalog.collections.values():
        for name, ref, flows in _agreements(collection, catalog):
            own = provider_name(ref)
            is_asked = provider is None or provider in (own, ref.item)
            if is_asked and (principal.may_review or principal.provider == own):
                years = (year,) if year is not None else _rounds(collection, today)
                found += (_expected(collection, own, name, one, flows, kept.get(own, ()), partners) for one in years)
    fitting = [one for one in found if status is None or one.status(today) == status]
    return sorted(fitting, key=lambda one: (one.due, one.collection.id, one.provider))


def _rounds(collection: Collection, today: date) -> Sequence[int]:
    """The years of the round that runs and of the one before, as far as there were such."""
    latest = next(year for year in range(today.year + 2, 0, -1) if collection.asked.of(year) <= today)
    return [year for year in (latest - 1, latest) if year >= collection.first_year]


def _agreements(collection: Collection, catalog: Catalog) -> Iterator[tuple[str, Ref, tuple[str, ...]]]:
    """Name and reference of each provider, and the dataflows expected that it has an agreement for."""
    flows: dict[Ref, dict[str, None]] = {}
    for agreement in catalog.of_type("ProvisionAgreement"):
        if isinstance(agreement, ProvisionAgreement):
            flow = catalog.lookup(agreement.dataflow)
            if isinstance(flow, Dataflow) and collection.expects(agreement.provider.item or "", flow.ref):
                flows.setdefault(agreement.provider, {})[dataflow_name(flow.ref)] = None
    for ref, names in sorted(flows.items()):
        scheme = catalog.lookup(ref)
        item = scheme.item(ref.item or "") if isinstance(scheme, DataProviderScheme) else None
        yield item.names.text(("en",), item.id) if item is not None else ref.text, ref, tuple(names)


def _expected(
    collection: Collection,
    provider: str,
    name: str,
    year: int,
    flows: Iterable[str],
    kept: Iterable[Receipt],
    partners: Partners,
) -> Expected:
    begin, end = collection.asked.of(year), collection.asked.of(year + 1)
    received: dict[str, str] = {}
    for receipt in kept:
        if begin <= datetime.fromisoformat(receipt.received_at).date() < end:
            for flow in receipt.dataflows:
                ref = parse_ref(flow.dataflow, "Dataflow").complete()
                if ref is not None and flow.observations:
                    received[dataflow_name(ref)] = receipt.id
    missing = [flow for flow in flows if flow not in received]
    covered = {flow: partner for flow in missing if (partner := partners.of(provider, flow, year)) is not None}
    return Expected(
        collection=collection,
        provider=provider,
        name=name,
        year=year,
        outstanding=tuple(flow for flow in missing if flow not in covered),
        received={flow: received[flow] for flow in flows if flow in received},
        covered=covered,
    )


def calendar_year(text: str) -> int:
    """A year that somebody asks for.

    Raises:
        SyntaxFault: it is none.
    """
    if not (text.isascii() and text.isdigit() and 1900 <= int(text[:5]) <= 2200):
        raise SyntaxFault(f"year={text[:20]!r} is no year.", hint="Write 2025.")
    return int(text)


# --- other forms ----------------------------------------------------------------------------------------------------
def calendar_json(found: Sequence[Expected], now: datetime) -> bytes:
    """All of it, how many stand how, and the reminders that are due."""
    today = now.astimezone(UTC).date()
    told = [one.to_json(today) for one in found]
    document = {
        "today": today.isoformat(),
        "counts": {status: sum(one["status"] == status for one in told) for status in STATUSES},
        "reminders": [{name: one[name] for name in ("collection", "provider", "name", "year", "due", "reminder_due")}
                      for one in told if one["reminder_due"] is not None],
        "expected": told,
    }  # fmt: skip
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def calendar_csv(found: Iterable[Expected], today: date) -> bytes:
    """A line for each provider and round."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for one in found:
        told = one.to_json(today)
        told |= {name: " ".join(told[name]) for name in ("outstanding", "received", "covered")}
        writer.writerow(told[name] for name in _COLUMNS)
    return out.getvalue().encode()


def calendar_ics(found: Iterable[Expected], now: datetime) -> bytes:
    """The due days of what is not complete as iCalendar (RFC 5545)."""
    today = now.astimezone(UTC).date()
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//sdmx-service//calendar//EN"]
    for one in found:
        status = one.status(today)
        if status in ("complete", "covered"):
            continue
        flows = ", ".join(one.outstanding)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one.collection.id}-{one.provider}-{one.year}",
            f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{one.due:%Y%m%d}",
            f"SUMMARY:{_escaped(f'{one.name}: figures of {one.year} are due ({status})')}",
            f"DESCRIPTION:{_escaped(f'Outstanding: {flows}')}",
            "END:VEVENT",
        ]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"]).encode()


def _escaped(text: str) -> str:
    """A text value (RFC 5545, 3.3.11)."""
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return text


def _folded(line: str) -> str:
    """A line in pieces of at most 75 bytes (RFC 5545, 3.1)."""
    pieces: list[str] = []
    piece = ""
    for character in line:
        if len((piece + character).encode()) > (75 if not pieces else 74):
            pieces.append(piece)
            piece = ""
        piece += character
    return "\r\n ".join([*pieces, piece])
