"""The queue of values that no map decides, and the decisions that people take about them.

A value without mapping refuses its file (F201) and comes into the queue, with its map, its column and what comes near.
A person decides it; the decision is kept as a document with its author and time, and from then on it stands beside the
rows of that version of the map, so that the same file goes in. The maps themselves are not touched: who keeps the
mappings can take a decision over into their next version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from sdmx_service.auth import Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library
from sdmx_service.errors import Conflict, NotFound, SemanticFault
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.items import Codelist
from sdmx_service.model.mapping import MappedValue, MappingRow, RepresentationMap
from sdmx_service.model.urn import Ref, parse_ref
from sdmx_service.storage.port import DocumentChange, Record, Store
from sdmx_service.submission.representation_mapping import RepresentationRules
from sdmx_service.submission.suggestions import Suggester

BETWEEN: Final = " | "
"""Between the values of a map that joins several columns."""
_UNDECIDED: Final = "undecided"
_DECISION: Final = "decision"
_KEPT: Final = 500
"""Distinct values of one submission that come into the queue; its findings name them all."""
_COMPARED: Final = 100
"""Of these, those for which near values are looked for."""
_CANDIDATES: Final = 3
_NEAR: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A value that a map knows and that comes near, and what it maps to."""

    value: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """A value that a map did not decide.

    Attributes:
        map: the representation map, ``AGENCY:ID(VERSION)``.
        value: as the sender wrote it; of several columns joined by ``BETWEEN``.
        source: the columns it stood in.
        component: what it should have become.
        count: rows that had it, over all submissions.
        submissions: whose, oldest first.
        candidates: what comes near.
    """

    map: str
    value: str
    source: str
    component: str
    count: int
    submissions: tuple[str, ...]
    candidates: tuple[Candidate, ...]

    def to_json(self) -> dict[str, Any]:
        """The entry as the interface shows it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person said that a value means; ``start`` and ``end`` bound the periods it holds for, None: always."""

    map: str
    value: str
    code: str
    by: str
    at: str
    start: str | None = None
    end: str | None = None
    comment: str = ""

    def to_json(self) -> dict[str, Any]:
        """The decision as the interface shows it and the store keeps it."""
        return asdict(self)


# --- the queue ------------------------------------------------------------------------------------------------------
def keep_undecided(store: Store, submission: str, groups: Iterable[FindingGroup], catalog: Catalog) -> None:
    """Put what a submission's maps did not decide into the queue."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for group in groups:
        if group.code != "F201":
            continue
        said = group.constants
        key = (str(said["map"]), str(said["value"]))
        if key not in found and len(found) >= _KEPT:
            continue
        entry = found.setdefault(key, {"source": said["source"], "component": said["component"], "count": 0})
        entry["count"] += group.count
    if not found:
        return
    near = {text: _Near(catalog, text) for text, _ in found}
    values = []
    for number, ((text, value), entry) in enumerate(found.items()):
        candidates = near[text].candidates(value) if number < _COMPARED else ()
        values.append({"map": text, "value": value, **entry, "candidates": [asdict(one) for one in candidates]})
    store.save_document(_UNDECIDED, submission, {"values": values})


class _Near:
    """The words of a map, to be compared."""

    def __init__(self, catalog: Catalog, text: str) -> None:
        found = _map(text, catalog)
        words: dict[str, str] = {}
        for row in found.rows if found is not None else ():
            if not any(one.is_regex for one in row.sources):
                words[BETWEEN.join(one.value or "" for one in row.sources)] = BETWEEN.join(row.targets)
        self._words = words
        self._folded = [default_process(word) for word in words]

    def candidates(self, value: str) -> Iterator[Candidate]:
        """The nearest known values with different meanings, the nearest first."""
        known = list(self._words.items())
        meanings: set[str] = set()
        ranked = process.extract(
            default_process(value), self._folded, scorer=fuzz.WRatio, score_cutoff=_NEAR, limit=4 * _CANDIDATES
        )
        for _, _, place in ranked:
            word, code = known[place]
            if code not in meanings and len(meanings) < _CANDIDATES:
                meanings.add(code)
                yield Candidate(value=word, code=code)


def undecided(store: Store, sees: Callable[[str], bool] = lambda submission: True) -> list[Undecided]:
    """What waits for a decision, what most rows have first.

    Args:
        sees: whether the asker may see a submission.
    """
    decided = {(one.map, one.value) for one in decisions(store)}
    found: dict[tuple[str, str], Undecided] = {}
    for submission, document in store.documents(_UNDECIDED):
        for entry in document["values"]:
            key = (entry["map"], entry["value"])
            if key not in decided and sees(submission):
                found[key] = _joined(found.get(key), submission, entry)
    return sorted(found.values(), key=lambda one: (-one.count, one.map, one.value))


def _joined(before: Undecided | None, submission: str, entry: Mapping[str, Any]) -> Undecided:
    return Undecided(
        map=entry["map"],
        value=entry["value"],
        source=entry["source"],
        component=entry["component"],
        count=entry["count"] + (before.count if before else 0),
        submissions=(*(before.submissions if before else ()), submission),
        candidates=tuple(Candidate(**one) for one in entry["candidates"]),
    )


# --- decisions ------------------------------------------------------------------------------------------------------
def decisions(store: Store) -> list[Decision]:
    """The decisions that hold, oldest first."""
    return [Decision(**document) for _, document in store.documents(_DECISION)]


def decide(
    library: Library,
    principal: Principal,
    *,
    map: str,  # noqa: A002 - the word of the interface
    value: str,
    code: str,
    start: str | None = None,
    end: str | None = None,
    comment: str = "",
) -> Decision:
    """Say what a value means; a decision about the same value and periods is replaced.

    Args:
        map: the representation map, as people write references.
        value, code: with several columns or components joined by ``BETWEEN``.
        start, end: the first and last period it holds for.

    Raises:
        NotAllowed: the principal may not publish.
        NotFound: there is no such map or code; the nearest is named.
        SemanticFault: no code is said, or not as many values or codes as the map has columns and components.
        Conflict: the map says something else for that value and time.
    """
    principal.must_publish()
    catalog = library.view().catalog
    found = catalog.named(map, "RepresentationMap")
    assert isinstance(found, RepresentationMap)
    decision = Decision(
        map=found.ref.text,
        value=value,
        code=code,
        by=principal.id,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        start=start,
        end=end,
        comment=comment,
    )
    row = _row(decision, found)
    _check_codes(row, found, catalog)
    others = [one for one in decisions(library.store) if one.map == decision.map and _id(one) != _id(decision)]
    known = replace(found, rows=(*found.rows, *(_row(one, found) for one in others)))
    rules = RepresentationRules(known, sources=len(found.sources), targets=len(found.targets))
    if clash := rules.clashing(row):
        raise Conflict(
            f"{found.ref.text} says already that {value!r} is {BETWEEN.join(clash)!r}.",
            hint="Say the periods the decision holds for, or change the map.",
        )
    told = principal.does("decide", decision.map, comment, value=value, code=code, start=start, end=end)
    change = DocumentChange(kind=_DECISION, id=_id(decision), document=decision.to_json())
    library.store.record(Record(acts=(told,), changes=(change,)))
    return decision


def forget(library: Library, principal: Principal, *, map: str, value: str) -> list[Decision]:  # noqa: A002
    """Take back every decision about a value; they are given back.

    Raises:
        NotAllowed: the principal may not publish.
        NotFound: nothing was decided about it.
    """
    principal.must_publish()
    text = library.view().catalog.named(map, "RepresentationMap").ref.text
    gone = [one for one in decisions(library.store) if (one.map, one.value) == (text, value)]
    if not gone:
        raise NotFound(f"Nothing is decided about {value!r} in {text}.")
    told = principal.does("forget", text, value=value)
    changes = tuple(DocumentChange(kind=_DECISION, id=_id(one), document=None) for one in gone)
    library.store.record(Record(acts=(told,), changes=changes))
    return gone


def with_decisions(catalog: Catalog, store: Store) -> Catalog:
    """The catalog with the decisions beside the rows of their maps."""
    rows: dict[Ref, list[MappingRow]] = {}
    maps: dict[Ref, RepresentationMap] = {}
    for decision in decisions(store):
        found = _map(decision.map, catalog)
        if found is not None:
            maps[found.ref] = found
            rows.setdefault(found.ref, []).append(_row(decision, found))
    if not maps:
        return catalog
    decided = {ref: replace(found, rows=(*found.rows, *rows[ref])) for ref, found in maps.items()}
    return replace(catalog, artefacts={**catalog.artefacts, **decided})


def _map(text: str, catalog: Catalog) -> RepresentationMap | None:
    ref = parse_ref(text, "RepresentationMap").complete()
    found = None if ref is None else catalog.artefacts.get(ref)
    return found if isinstance(found, RepresentationMap) else None


def _id(decision: Decision) -> str:
    said = (decision.map, decision.value, decision.start or "", decision.end or "")
    return hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:32]


def _row(decision: Decision, found: RepresentationMap) -> MappingRow:
    values = _parts(decision.value, len(found.sources), "columns")
    targets = _parts(decision.code, len(found.targets), "components")
    return MappingRow(
        sources=tuple(MappedValue(value=value) for value in values),
        targets=tuple(targets),
        valid_from=decision.start,
        valid_to=decision.end,
    )


def _parts(text: str, count: int, what: str) -> Sequence[str]:
    parts = text.split(BETWEEN) if count > 1 else [text]
    if len(parts) != count:
        raise SemanticFault(
            f"The map joins {count} {what}, and {text!r} has {len(parts)}.",
            hint=f"Write them with {BETWEEN!r} between.",
        )
    return parts


def _check_codes(row: MappingRow, found: RepresentationMap, catalog: Catalog) -> None:
    """Every code is one of the list that the map gives codes of, and there is one."""
    if not any(row.targets):
        raise SemanticFault("A decision needs a code.", hint="Where the source says that it is unknown, say that code.")
    for target, code in zip(found.targets, row.targets, strict=True):
        codelist = catalog.lookup(target) if isinstance(target, Ref) else None
        if isinstance(codelist, Codelist) and code and code not in (items := {one.id: one for one in codelist.items}):
            near = Suggester.of_items(items).nearest(code)
            raise NotFound(f"{code!r} is not a code of {codelist.ref.text}.", hint=f"Near: {near}." if near else "")
