"""What people decided that values mean, where no map says so: kept, bounded, revoked, offered to others.

A decision is about one text of one representation map. It holds for every provider or for one, for all periods or for
some, until somebody decides again or revokes it; what held before stays readable with who, when and why. For other
maps that give codes of the same list the decision is offered with the same text, never applied.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Final

from sdmx_service.auth import Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library
from sdmx_service.errors import Conflict, NotFound, SemanticFault
from sdmx_service.model.artefact import Annotation, Texts
from sdmx_service.model.items import Codelist
from sdmx_service.model.mapping import MappedValue, MappingRow, RepresentationMap
from sdmx_service.model.selection import provider_name
from sdmx_service.model.urn import Ref, parse_ref
from sdmx_service.storage.port import DocumentChange, Record, Store
from sdmx_service.submission.candidates import BETWEEN, offer
from sdmx_service.submission.reading import named_provider
from sdmx_service.submission.representation_mapping import PROVIDER, RepresentationRules, fold
from sdmx_service.submission.suggestions import Suggester

DECISION: Final = "DECISION"
"""Type of the annotation of a row that a person decided: title who, value when, text why."""
WAITING: Final = "undecided"
"""Kind of the documents about values that wait for a decision, one per submission."""
_KIND: Final = "decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person said that a value means.

    Attributes:
        map: the representation map, ``AGENCY:ID(VERSION)``.
        value, code: of several columns or components joined by ``BETWEEN``.
        by, at, comment: who, when (ISO 8601) and why.
        start, end: the periods it holds for; None: always.
        provider: whose files it holds for, ``AGENCY.ID``; None: everybody's.
        target: what the map gives codes of, for whom it is offered to.
        source, component: the column and the component, where the value waited in the queue.
        revoked_by, revoked_at, revoked_why: where it was taken back.
        past: what was decided about the same before, oldest first.
    """

    map: str
    value: str
    code: str
    by: str
    at: str
    start: str | None = None
    end: str | None = None
    comment: str = ""
    provider: str | None = None
    target: str = ""
    source: str = ""
    component: str = ""
    revoked_by: str | None = None
    revoked_at: str | None = None
    revoked_why: str = ""
    past: tuple[Mapping[str, Any], ...] = ()

    @property
    def holds(self) -> bool:
        """Nobody took it back."""
        return self.revoked_at is None

    @property
    def said(self) -> str:
        """Who said so and where, for people."""
        whose = f" for {self.provider}" if self.provider else ""
        return f"decided in {self.map}{whose} by {self.by}, {self.at[:10]}"

    def is_for(self, providers: Sequence[str]) -> bool:
        """Whether it holds for one of these."""
        return self.provider is None or self.provider in providers

    def to_json(self) -> dict[str, Any]:
        """The decision as the interface shows it and the store keeps it."""
        return asdict(self) | {"past": list(self.past)}


COLUMNS: Final = tuple(one.name for one in fields(Decision) if one.name != "past")
"""The columns of the list of decisions."""


# --- reading --------------------------------------------------------------------------------------------------------
def decisions(store: Store, *, map: str | None = None, provider: str | None = None) -> list[Decision]:  # noqa: A002
    """The decisions that hold, oldest first; of one map (``AGENCY:ID(VERSION)``) or for one provider only."""
    return [one for one in _kept(store) if one.holds and _is_wanted(one, map, provider)]


def history(store: Store, *, map: str | None = None, provider: str | None = None) -> list[Decision]:  # noqa: A002
    """Every decision there ever was, those that were replaced or revoked too, in order of time."""
    found = [_read(one) for kept in _kept(store) for one in kept.past] + [replace(one, past=()) for one in _kept(store)]
    return sorted((one for one in found if _is_wanted(one, map, provider)), key=lambda one: one.at)


def _kept(store: Store) -> list[Decision]:
    return [_read(document) for _, document in store.documents(_KIND)]


def _read(document: Mapping[str, Any]) -> Decision:
    return Decision(**{**document, "past": tuple(document.get("past", ()))})


def _is_wanted(one: Decision, map: str | None, provider: str | None) -> bool:  # noqa: A002
    return map in (None, one.map) and (provider is None or one.provider == provider)


# --- deciding -------------------------------------------------------------------------------------------------------
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
    provider: str | None = None,
) -> Decision:
    """Say what a value means; a decision about the same value, periods and provider is replaced, and stays readable.

    Args:
        map: the representation map, as people write references.
        value, code: with several columns or components joined by ``BETWEEN``.
        start, end: the first and last period it holds for.
        provider: whose files it holds for, as people write references; None: everybody's.

    Raises:
        NotAllowed: the principal may not publish.
        NotFound: there is no such map, provider or code; the nearest is named.
        SemanticFault: no code is said, or not as many values or codes as the map has columns and components.
        Conflict: the map says something else for that value and time.
    """
    principal.must("decide")
    catalog = library.view().catalog
    found = catalog.named(map, "RepresentationMap")
    assert isinstance(found, RepresentationMap)
    decision = Decision(
        map=found.ref.text,
        value=value,
        code=code,
        by=principal.id,
        at=_now(),
        start=start,
        end=end,
        comment=comment,
        provider=None if provider is None else provider_name(named_provider(provider, catalog)),
        target=target_of(found),
    )
    decision = replace(decision, **_waiting(library.store, found.ref.text, value))
    row = row_of(decision, found)
    _check_codes(row, found, catalog)
    _check_clash(decision, row, found, library.store)
    before = library.store.document(_KIND, _id(decision))
    if before is not None:
        old = _read(before)
        decision = replace(decision, past=(*old.past, replace(old, past=()).to_json()))
    facts: dict[str, Any] = {"value": value, "code": code, "start": start, "end": end, "provider": decision.provider}
    told = principal.does("decide", decision.map, comment, **facts)
    change = DocumentChange(kind=_KIND, id=_id(decision), document=decision.to_json())
    library.store.record(Record(acts=(told,), changes=(change,)))
    return decision


def _waiting(store: Store, map: str, value: str) -> dict[str, Any]:  # noqa: A002
    """The source and component of a value that waits; empty if it does not."""
    for _, document in store.documents(WAITING):
        for entry in document["values"]:
            if (entry["map"], entry["value"]) == (map, value):
                return {"source": entry["source"], "component": entry["component"]}
    return {}


def _check_clash(decision: Decision, row: MappingRow, found: RepresentationMap, store: Store) -> None:
    others = [
        replace(row_of(one, found), annotations=())
        for one in decisions(store, map=decision.map)
        if _id(one) != _id(decision) and one.provider in (None, decision.provider)
    ]
    known = replace(found, rows=(*found.rows, *others))
    rules = RepresentationRules(known, sources=len(row.sources), targets=len(row.targets), provider=decision.provider)
    if clash := rules.clashing(row):
        raise Conflict(
            f"{found.ref.text} says already that {decision.value!r} is {BETWEEN.join(clash)!r}.",
            hint="Say the periods the decision holds for, or change the map.",
        )


def forget(
    library: Library,
    principal: Principal,
    *,
    map: str,  # noqa: A002
    value: str,
    provider: str | None = None,
    comment: str = "",
) -> list[Decision]:
    """Revoke every decision about a value (or those for one provider); they are given back, and stay readable.

    Raises:
        NotAllowed: the principal may not publish.
        NotFound: nothing was decided about it.
    """
    principal.must("decide")
    catalog, store = library.view().catalog, library.store
    text = catalog.named(map, "RepresentationMap").ref.text
    whose = None if provider is None else provider_name(named_provider(provider, catalog))
    gone = [one for one in decisions(store, map=text, provider=whose) if one.value == value]
    if not gone:
        raise NotFound(f"Nothing is decided about {value!r} in {text}.")
    revoked = [replace(one, revoked_by=principal.id, revoked_at=_now(), revoked_why=comment) for one in gone]
    told = principal.does("revoke decision", text, comment, value=value, provider=whose)
    changes = tuple(DocumentChange(kind=_KIND, id=_id(one), document=one.to_json()) for one in revoked)
    store.record(Record(acts=(told,), changes=changes))
    return revoked


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


# --- beside the maps ------------------------------------------------------------------------------------------------
def with_decisions(catalog: Catalog, store: Store) -> Catalog:
    """The catalog with the decisions beside the rows of their maps, and offered to the others of the same codes."""
    kept = decisions(store)
    if not kept:
        return catalog
    changed: dict[Ref, RepresentationMap] = {}
    for artefact in catalog.of_type("RepresentationMap"):
        assert isinstance(artefact, RepresentationMap)
        text, target = artefact.ref.text, target_of(artefact)
        rows = [row for one in kept if one.map == text and (row := _fitting(one, artefact)) is not None]
        offers = [
            offer(one.value, one.code, one.said)
            for one in kept
            if one.target == target and (one.map != text or one.provider is not None)
        ]
        if rows or offers:
            changed[artefact.ref] = replace(
                artefact, rows=(*artefact.rows, *rows), annotations=(*artefact.annotations, *offers)
            )
    return replace(catalog, artefacts={**catalog.artefacts, **changed})


def _fitting(decision: Decision, found: RepresentationMap) -> MappingRow | None:
    """The decision as a row; None where the map, a draft that was replaced, has other columns now."""
    try:
        return row_of(decision, found)
    except SemanticFault:
        return None


def offers(store: Store) -> Mapping[tuple[str, str], Sequence[Decision]]:
    """The decisions that hold, by what the map gives codes of and the text without case and accents."""
    found: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for one in decisions(store):
        found[one.target, fold(one.value)].append(one)
    return found


def target_of(map: RepresentationMap) -> str:  # noqa: A002
    """What a map gives: the codelists (without version) or data types, as text."""
    names = (f"{one.agency}:{one.id}" if isinstance(one, Ref) else one for one in map.targets)
    return BETWEEN.join(names)


def map_named(text: str, catalog: Catalog) -> RepresentationMap | None:
    """The representation map of that exact reference, if there is one."""
    ref = parse_ref(text, "RepresentationMap").complete()
    found = None if ref is None else catalog.artefacts.get(ref)
    return found if isinstance(found, RepresentationMap) else None


def row_of(decision: Decision, found: RepresentationMap) -> MappingRow:
    """The decision as a row of its map, with who, when, why and for whom as annotations."""
    width = len(found.rows[0].sources) if found.rows else len(found.sources)
    values = _parts(decision.value, width, "columns")
    targets = _parts(decision.code, len(found.rows[0].targets) if found.rows else len(found.targets), "components")
    why = Texts({"en": decision.comment} if decision.comment else {})
    notes = [Annotation(type=DECISION, title=decision.by, value=decision.at, texts=why)]
    if decision.provider is not None:
        notes.append(Annotation(type=PROVIDER, title=decision.provider))
    return MappingRow(
        sources=tuple(MappedValue(value=value) for value in values),
        targets=tuple(targets),
        valid_from=decision.start,
        valid_to=decision.end,
        annotations=tuple(notes),
    )


def _id(decision: Decision) -> str:
    said = [decision.map, decision.value, decision.start or "", decision.end or ""]
    said += [decision.provider] if decision.provider is not None else []
    return hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:32]


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
    for target, code in zip(found.targets, row.targets, strict=False):
        codelist = catalog.lookup(target) if isinstance(target, Ref) else None
        if isinstance(codelist, Codelist) and code and code not in (items := {one.id: one for one in codelist.items}):
            near = Suggester.of_items(items).nearest(code)
            raise NotFound(f"{code!r} is not a code of {codelist.ref.text}.", hint=f"Near: {near}." if near else "")


def rows_of_list(found: Sequence[Decision]) -> Iterator[list[str]]:
    """Decisions as rows of ``COLUMNS``, for a table."""
    for one in found:
        yield ["" if (value := getattr(one, name)) is None else str(value) for name in COLUMNS]
