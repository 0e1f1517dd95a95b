"""Embargoes: figures of a dataflow, or of a slice of it, do not come out before a minute in a time zone.

An embargo is a document. It holds back submissions, not what is published: the live data stay open. Several may stand
at once; the latest moment of those that a submission falls under counts.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.auth import Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library
from sdmx_service.errors import Conflict, NotFound, SemanticFault, SyntaxFault
from sdmx_service.model.columns import columns
from sdmx_service.model.period import parse_period
from sdmx_service.model.selection import dataflow_name
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.storage.port import Act, DocumentChange, Record, Store
from sdmx_service.submission.suggestions import Suggester
from sdmx_service.workflow.words import fitting
from sdmx_service.workflow.words import reason as needed

_KIND = "embargo"
_CHANGES = "changes"
"""Kind of the document that counts how often embargoes came or went."""
_ATTEMPTS = 10
_TIME_OF_DAY = re.compile(r"[Tt ]\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Embargo:
    """Figures that wait.

    Attributes:
        dataflow: as the store names it, ``AGENCY:ID(MAJOR)``.
        slice: component -> codes; a figure with one of them in each component waits. Empty: the whole dataflow.
        at: the moment, ISO 8601 in UTC.
        local: the moment as it was said, with its zone.
        by, made_at: who set it and when.
        lifted_by, lifted_at, lifted_because: who ended it early; None while it holds.
    """

    id: str
    dataflow: str
    slice: Mapping[str, Sequence[str]]
    at: str
    local: str
    reason: str
    by: str
    made_at: str
    lifted_by: str | None = None
    lifted_at: str | None = None
    lifted_because: str | None = None

    @property
    def moment(self) -> datetime:
        """The moment."""
        return datetime.fromisoformat(self.at)

    def holds(self, now: datetime) -> bool:
        """Whether it still holds figures back."""
        return self.lifted_at is None and self.moment > now

    def to_json(self) -> dict[str, Any]:
        """As the interface shows it and the store keeps it."""
        return asdict(self)


# --- moments --------------------------------------------------------------------------------------------------------
def moment(text: str, zone: str | None) -> datetime:
    """A minute that a person wrote: local time and the name of a zone, or a time with its offset.

    Raises:
        SyntaxFault: it is no minute, or there is no such zone.
        SemanticFault: the clocks of that zone never show it, or show it twice; or it is out of all time.
    """
    said = _written(text)
    try:
        if said.tzinfo is not None:
            if zone is not None:
                raise SyntaxFault(f"{text!r} has an offset already.", hint="Give an offset or a zone, not both.")
            return _whole(said.astimezone(UTC), text)
        if zone is None:
            raise SyntaxFault(f"{text!r} has no time zone.", hint='Add "zone": "Europe/Malta", or an offset: +01:00.')
        return _in_zone(said, zone, text)
    except OverflowError:
        raise SemanticFault(f"{text!r} is out of all time.", hint="Years go from 1 to 9999.") from None


def _written(text: str) -> datetime:
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise SyntaxFault(f"{text!r} is no moment.", hint="Write 2026-12-01T08:00.") from None
    if not _TIME_OF_DAY.search(text):
        raise SyntaxFault(f"{text!r} has no time of day.", hint=f"Write {said:%Y-%m-%d}T08:00; midnight is T00:00.")
    return _whole(said, text)


def _whole(said: datetime, text: str) -> datetime:
    if said.second or said.microsecond:
        raise SyntaxFault(f"{text!r} is finer than a minute.", hint="Embargoes and schedules are to the minute.")
    return said


def _in_zone(said: datetime, zone: str, text: str) -> datetime:
    try:
        known = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SyntaxFault(f"There is no time zone {zone!r}.", hint="Write one such as Europe/Malta.") from None
    first, second = (said.replace(tzinfo=known, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        both = [one.astimezone(UTC).astimezone(known) for one in (first, second)]
        is_gap = both[0].replace(tzinfo=None) != said
        what = "never show" if is_gap else "show twice"
        near = " or ".join(sorted(one.isoformat(timespec="minutes") for one in both))
        raise SemanticFault(f"The clocks of {zone} {what} {text}.", hint=f"Write, without a zone, {near}.")
    return first.astimezone(UTC)


# --- setting and lifting --------------------------------------------------------------------------------------------
def embargo(
    library: Library,
    principal: Principal,
    now: datetime,
    *,
    dataflow: str,
    at: str,
    zone: str | None = None,
    slice: Mapping[str, Sequence[str]] | None = None,  # noqa: A002 - the word of the interface
    reason: str = "",
) -> Embargo:
    """Hold back the figures of a dataflow, or of a slice of it.

    Args:
        dataflow: a reference as people write it.
        at, zone: see ``moment``.

    Raises:
        NotAllowed: the principal may not publish.
        NotFound: there is no such dataflow, component or code.
        SemanticFault: the moment is over.
    """
    principal.must("embargo")
    catalog = library.view().catalog
    flow = catalog.named(dataflow, "Dataflow")
    assert isinstance(flow, Dataflow)
    chosen = {id: list(codes) for id, codes in (slice or {}).items()}
    _check_slice(chosen, catalog.structure_of(flow), catalog)
    until = moment(at, zone)
    if until <= now:
        raise SemanticFault(f"{at} is over.", hint="An embargo ends in the future.")
    made = Embargo(
        id=f"E{secrets.token_hex(5)}",
        dataflow=dataflow_name(flow.ref),
        slice=chosen,
        at=until.isoformat(),
        local=at if zone is None else f"{at} {zone}",
        reason=fitting(reason),
        by=principal.id,
        made_at=now.isoformat(timespec="seconds"),
    )
    told = principal.does("embargo", made.dataflow, made.reason, id=made.id, until=made.at, slice=made.slice)
    _record(library.store, told, _change(made))
    return made


def _record(store: Store, told: Act, change: DocumentChange) -> None:
    """Keep an embargo; who is just publishing what did not fall under one has to look again."""
    for attempt in range(_ATTEMPTS):
        count = _count(store)
        try:
            store.record(Record(acts=(told,), changes=(change, _counted(count, 1))))
            return
        except Conflict:
            if attempt == _ATTEMPTS - 1 or _count(store) == count:
                raise


def unchanged(store: Store) -> DocumentChange:
    """What to record with a release, read before embargoes are: that none came or went since."""
    return _counted(_count(store), 0)


def _count(store: Store) -> int | None:
    kept = store.document(_CHANGES, "embargoes")
    return None if kept is None else int(kept["count"])


def _counted(count: int | None, more: int) -> DocumentChange:
    document = {"count": (count or 0) + more}
    return DocumentChange(kind=_CHANGES, id="embargoes", document=document, expected={"count": count})


def _change(one: Embargo) -> DocumentChange:
    return DocumentChange(kind=_KIND, id=one.id, document=one.to_json())


def _check_slice(chosen: Mapping[str, Sequence[str]], structure: DataStructure, catalog: Catalog) -> None:
    known = {one.id: one for one in columns(structure) if one.kind == "code"}
    for id, codes in chosen.items():
        if id not in known:
            near = Suggester.of_words(known).nearest(id)
            raise NotFound(
                f"{structure.ref.text} has no coded component {id!r}.", hint=f"Near: {near}." if near else ""
            )
        if not codes:
            raise SemanticFault(f"No code of {id} is named.", hint="Leave the component out for all of them.")
        if known[id].role == "time":
            for text in codes:
                parse_period(text)
            continue
        items = catalog.codes(known[id].component)
        for code in codes if items is not None else ():
            if items is not None and code not in items:
                near = Suggester.of_items(dict(items)).nearest(code)
                raise NotFound(f"{code!r} is not a code of {id}.", hint=f"Near: {near}." if near else "")


def lift(id: str, library: Library, principal: Principal, now: datetime, *, reason: str) -> Embargo:
    """End an embargo before its moment.

    Raises:
        NotAllowed: the principal may not publish.
        NotFound: there is none of that id.
        Conflict: it is over already.
        SyntaxFault: no reason is said.
    """
    principal.must("embargo")
    why = needed(reason, "lift an embargo")
    found = next((one for one in embargoes(library.store) if one.id == id), None)
    if found is None:
        raise NotFound(f"There is no embargo {id!r}.")
    if not found.holds(now):
        raise Conflict(f"The embargo {id} is over.")
    lifted = replace(found, lifted_by=principal.id, lifted_at=now.isoformat(timespec="seconds"), lifted_because=why)
    told = principal.does("lift embargo", lifted.dataflow, why, id=id, until=lifted.at)
    _record(library.store, told, replace(_change(lifted), expected={"lifted_at": None}))
    return lifted


def embargoes(store: Store) -> list[Embargo]:
    """Every embargo, oldest first."""
    return [Embargo(**document) for _, document in store.documents(_KIND)]


# --- what they hold back --------------------------------------------------------------------------------------------
def held_until(submission: str, store: Store, now: datetime) -> Embargo | None:
    """The embargo that holds a submission back longest; None if none does."""
    holding = [one for one in embargoes(store) if one.holds(now)]
    found = [one for one in holding if falls_under(submission, one, store)] if holding else []
    return max(found, key=lambda one: one.moment, default=None)


def falls_under(submission: str, one: Embargo, store: Store) -> bool:
    """Whether any of a submission's figures falls under an embargo.

    *Choice*: a message is one transaction, so one such figure holds all of it back. What leaves a component open (a
    deletion by part of the key, an attribute of a group) falls under every slice.
    """
    return any(_is_in(batch, one.slice, time) for time, batch in _batches(submission, one.dataflow, store))


def _batches(submission: str, dataflow: str, store: Store) -> Iterator[tuple[str | None, pa.RecordBatch]]:
    """The rows of a dataflow, each batch with the id of its time dimension."""
    for part, batch in store.staged(submission):
        if part.dataflow == dataflow:
            time = part.structure.time_dimension
            yield None if time is None else time.id, batch


def _is_in(batch: pa.RecordBatch, slice: Mapping[str, Sequence[str]], time: str | None) -> bool:  # noqa: A002
    """Whether a row has one of the codes in each component, or a period within one of those; null counts as any."""
    if not slice:
        return bool(batch.num_rows)
    fits: Any = pa.repeat(True, batch.num_rows)
    for id, codes in slice.items():
        column = batch.column(id)
        wanted = [_within(text, codes) if id == time else text in codes for text in column.dictionary.to_pylist()]
        found = pa.array(wanted, pa.bool_()).take(column.indices)
        fits = pc.and_(fits, pc.fill_null(found, True))
    return bool(pc.any(fits).as_py() is True)


def _within(text: str, periods: Sequence[str]) -> bool:
    """Whether a period lies within one of some: a month within its year. What is no period counts as any."""
    try:
        found = parse_period(text)
    except SyntaxFault:
        return True
    return any(one.start <= found.start and found.end <= one.end for one in map(parse_period, periods))
