"""The log of who did what and why: only ever added to, each entry sealed with the hash of the one before.

An entry's hash covers all of it and the hash of the entry before, so that no entry can be changed, removed, put in or
moved without all later hashes changing. The newest hash (``Mark``) stands in the record of each release and in each
receipt, also those in other people's hands: who cuts off the end of the log is found out by any of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sdmx_service.storage.engine import Engine, Session
from sdmx_service.storage.port import Act, LogEntry, Mark
from sdmx_service.storage.quoting import both, literal, literals, member

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 2000
"""Entries read at once."""
_COLUMNS = (
    "_number", "_at", "_principal", "_role", "_act", "_object", "_reason", "_details", "_digest", "_previous", "_hash",
)  # fmt: skip
START = Mark(number=0, hash="")
"""The mark of an empty log."""


def append(session: Session, acts: Sequence[Act], clock: str) -> Mark:
    """Add entries within a transaction; the newest entry's mark, with none that of the newest before.

    Whoever comes second waits at the head until the first has committed, so that the chain cannot fork.

    Args:
        clock: the database's time as SQL (``Engine.clock``).
    """
    session.execute("UPDATE log_head SET _id = 1 WHERE _id = 1")  # the row's lock
    number, last, previous = session.rows("SELECT _number, _at, _hash FROM log_head")[0]
    if not acts:
        return Mark(number=int(number), hash=previous)
    at = max(int(session.rows(f"SELECT {clock}")[0][0]), int(last))
    for act in acts:
        number += 1
        details = json.dumps(act.details, ensure_ascii=False, sort_keys=True)
        digest = _digest(details)
        told = (int(number), at, act.principal, act.role, act.act, act.object, act.reason)
        sealed = _seal(*told, digest, previous)
        session.execute(f"INSERT INTO log VALUES ({literals([*told, details, digest, previous, sealed])})")
        previous = sealed
    session.execute(
        f"UPDATE log_head SET _number = {literal(number)}, _at = {literal(at)}, _hash = {literal(previous)}"
    )
    return Mark(number=int(number), hash=previous)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _seal(*told: str | int) -> str:
    """The hash of an entry: of number, moment, principal, role, act, object, reason, digest and hash before."""
    return _digest(json.dumps(told, ensure_ascii=False, separators=(",", ":")))


def read_mark(engine: Engine) -> Mark:
    """The newest entry's mark."""
    rows = engine.read("SELECT _number, _hash FROM log_head").to_pylist()
    return Mark(number=rows[0]["_number"], hash=rows[0]["_hash"])


def read_log(
    engine: Engine, after: int = 0, limit: int | None = None, objects: Iterable[str] | None = None
) -> Iterator[LogEntry]:
    """Entries after a number, oldest first, in pages; ``objects``: only those about one of them."""
    wanted = [] if objects is None else [member("_object", set(objects))]
    while limit is None or limit > 0:
        count = _PAGE if limit is None else min(limit, _PAGE)
        where = both([f"_number > {literal(after)}", *wanted])
        rows = engine.read(f"SELECT {', '.join(_COLUMNS)} FROM log WHERE {where} ORDER BY _number LIMIT {count}")
        for row in rows.to_pylist():
            yield _entry(row)
            after = row["_number"]
        if rows.num_rows < count:
            return
        limit = None if limit is None else limit - count


def _entry(row: Mapping[str, Any]) -> LogEntry:
    return LogEntry(
        number=row["_number"],
        at=_EPOCH + timedelta(microseconds=row["_at"]),
        principal=row["_principal"],
        role=row["_role"],
        act=row["_act"],
        object=row["_object"],
        reason=row["_reason"],
        details=row["_details"],
        digest=row["_digest"],
        previous=row["_previous"],
        hash=row["_hash"],
    )


# --- verification ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class LogFault:
    """Something that is wrong with the log: at which number, and what."""

    number: int
    problem: str


def check_chain(entries: Iterable[LogEntry], marks: Iterable[tuple[str, Mark]]) -> tuple[Mark, list[LogFault]]:
    """Look at every entry; the mark of the last one, and what is wrong.

    Args:
        entries: the whole log, as it is read.
        marks: who says it -> a mark that must be of an entry of this log (the head, releases, receipts).
    """
    claimed: dict[int, list[tuple[str, str]]] = {}
    for who, mark in marks:
        if mark.number:
            claimed.setdefault(mark.number, []).append((who, mark.hash))
    faults: list[LogFault] = []
    last = START
    for entry in entries:
        faults += _faults(entry, last)
        for who, said in claimed.pop(entry.number, ()):
            if said != entry.hash:
                faults.append(LogFault(number=entry.number, problem=f"{who} knows this entry with another hash."))
        last = Mark(number=entry.number, hash=entry.hash)
    for number, missing in sorted(claimed.items()):
        faults += [
            LogFault(number=number, problem=f"{who} knows this entry, and it is not here.") for who, _ in missing
        ]
    return last, faults


def _faults(entry: LogEntry, last: Mark) -> Iterator[LogFault]:
    if entry.number != last.number + 1:
        yield LogFault(number=entry.number, problem=f"It follows entry {last.number}.")
    elif entry.previous != last.hash:
        yield LogFault(number=entry.number, problem="It was not sealed after the entry before it.")
    if _digest(entry.details) != entry.digest:
        yield LogFault(number=entry.number, problem="Its details are not those that were sealed.")
    at = (entry.at - _EPOCH) // timedelta(microseconds=1)
    told = (entry.number, at, entry.principal, entry.role, entry.act, entry.object, entry.reason)
    if _seal(*told, entry.digest, entry.previous) != entry.hash:
        yield LogFault(number=entry.number, problem="It is not what was sealed.")
