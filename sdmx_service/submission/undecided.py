"""The queue of values that no map decides.

A value without mapping refuses its file (F201) and comes into the queue, with its map, its column and what comes near.
A person decides it (``decisions``); from then on the decision stands beside the rows of that version of the map, so
that the same file goes in. The maps themselves are not touched: who keeps the mappings can take a decision over into
their next version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.model.finding import FindingGroup
from sdmx_service.storage.port import Store
from sdmx_service.submission.candidates import CANDIDATES, Candidate, MapCandidates
from sdmx_service.submission.decisions import WAITING, Decision, decisions, map_named, offers, target_of
from sdmx_service.submission.representation_mapping import fold

_KEPT: Final = 500
"""Distinct values of one submission that come into the queue; its findings name them all."""
_COMPARED: Final = 100
"""Of these, those for which near values are looked for."""
_THOROUGH: Final = 50
"""Of these, those for which parts of names are looked at too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """A value that a map did not decide.

    Attributes:
        map: the representation map, ``AGENCY:ID(VERSION)``.
        value: as the sender wrote it; of several columns joined by ``candidates.BETWEEN``.
        source: the columns it stood in.
        component: what it should have become.
        count: rows of the files that have it, over all submissions.
        submissions: whose, oldest first.
        providers: who sent it.
        reason: why the map leaves it undecided on purpose, or when it knows the value; empty: it does not know it.
        candidates: what comes near; first what was decided about the same text for other providers or maps.
    """

    map: str
    value: str
    source: str
    component: str
    count: int
    submissions: tuple[str, ...]
    providers: tuple[str, ...] = ()
    reason: str = ""
    candidates: tuple[Candidate, ...]

    @property
    def discreet(self) -> Undecided:
        """The entry for a sender: without others' names."""
        return replace(self, candidates=tuple(one.discreet for one in self.candidates))

    def to_json(self) -> dict[str, Any]:
        """The entry as the interface shows it."""
        return asdict(self)


def keep_undecided(
    store: Store, submission: str, groups: Iterable[FindingGroup], catalog: Catalog, provider: str | None = None
) -> None:
    """Put what a submission's maps did not decide into the queue.

    Args:
        provider: whose files it holds, several with a comma and a space (``Receipt.provider``).
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for group in groups:
        if group.code != "F201":
            continue
        said = group.constants
        key = (str(said["map"]), str(said["value"]))
        if key not in found and len(found) >= _KEPT:
            continue
        entry = found.setdefault(
            key,
            {
                "source": said["source"],
                "component": said["component"],
                "reason": said.get("expected") or "",
                "count": 0,
            },
        )
        entry["count"] += group.count
    if not found:
        return
    maps = {text: map_named(text, catalog) for text, _ in found}
    near = {text: MapCandidates(one, catalog) for text, one in maps.items() if one is not None}
    values = []
    for number, ((text, value), entry) in enumerate(found.items()):
        is_compared = number < _COMPARED and text in near
        candidates = (
            [one for one in near[text].near(value, parts=number < _THOROUGH) if one.decided is None]
            if is_compared
            else []
        )
        one = maps[text]
        target = "" if one is None else target_of(one)
        values.append(
            {"map": text, "value": value, "target": target, **entry, "candidates": [asdict(one) for one in candidates]}
        )
    store.save_document(WAITING, submission, {"provider": provider or "", "values": values})


def undecided(store: Store, sees: Callable[[str], bool] = lambda submission: True) -> list[Undecided]:
    """What waits for a decision, what most rows have first.

    Args:
        sees: whether the asker may see a submission.
    """
    decided: dict[tuple[str, str], list[Decision]] = {}
    for one in decisions(store):
        decided.setdefault((one.map, one.value), []).append(one)
    offered = offers(store)
    found: dict[tuple[str, str], Undecided] = {}
    for submission, document in store.documents(WAITING):
        providers = tuple(filter(None, document.get("provider", "").split(", ")))
        for entry in document["values"]:
            key = (entry["map"], entry["value"])
            if sees(submission) and not any(one.is_for(providers) for one in decided.get(key, ())):
                said = offered.get((entry.get("target", ""), fold(entry["value"])), ())
                found[key] = _joined(found.get(key), submission, providers, entry, said)
    return sorted(found.values(), key=lambda one: (-one.count, one.map, one.value))


def _joined(
    before: Undecided | None,
    submission: str,
    providers: Sequence[str],
    entry: Mapping[str, Any],
    offered: Sequence[Decision],
) -> Undecided:
    candidates = {one.code: Candidate(value=one.value, code=one.code, decided=one.said) for one in offered}
    for one in entry["candidates"]:
        candidates.setdefault(one["code"], Candidate(**one))
    return Undecided(
        map=entry["map"],
        value=entry["value"],
        source=entry["source"],
        component=entry["component"],
        count=entry["count"] + (before.count if before else 0),
        submissions=(*(before.submissions if before else ()), submission),
        reason=entry.get("reason", ""),
        providers=tuple(dict.fromkeys((*(before.providers if before else ()), *providers))),
        candidates=tuple(candidates.values())[:CANDIDATES],
    )
