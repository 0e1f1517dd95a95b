"""The audit of a published dataflow: which of its hidden figures can be found out from what the public sees.

Everything is read as the public reads it (figures that are hidden are hidden from the audit too), so that its result is
what anybody could work out: from the sums of the dataflow and the balances that it takes part in, from another dataflow
or another sender, from what earlier releases still show, from the other side of the same thing. For figures that can be
found out further ones are proposed to be hidden, with the document's secondary status.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library
from sdmx_service.errors import NotFound
from sdmx_service.model.confidentiality import PublicView
from sdmx_service.model.selection import Cube
from sdmx_service.model.structure import Dataflow
from sdmx_service.submission.disclosed import Disclosed, in_words
from sdmx_service.submission.disclosure import Told, find_out
from sdmx_service.submission.hiding import more_to_hide
from sdmx_service.submission.mirrors import mirrored
from sdmx_service.submission.published import Hall, Key, Published, renamed
from sdmx_service.submission.published_balances import PublishedBalances
from sdmx_service.submission.rounding import additivity, given_away
from sdmx_service.submission.workspace import Workspace

_ROUNDS = 25
_MOST_RELEASES = 12
"""Earlier releases whose sums are looked at, the latest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What an audit found.

    Attributes:
        hidden: hidden figures of the dataflow.
        in_sums: how many of them are part of any sum.
        contradictory: of how many the sums contradict each other, so that only single sums were looked at.
        is_cut: time ran out; what was not looked at is not said to be safe.
        releases: of how many earlier releases the sums were looked at; ``earlier`` there are.
        hints: figures that the other side of the same thing says something about, though not nearly enough.
        proposals: keys of open figures that would protect what sums give away.
        unprotected: how many figures no proposal protects.
        view: what threshold and rounding tell of each other, whatever the figures are, in words.
        additivity: what rounding does to sums, in words; None where nothing is rounded.
    """

    dataflow: str
    release: int
    hidden: int
    in_sums: int = 0
    contradictory: int = 0
    is_cut: bool = False
    seconds: float = 0.0
    releases: int = 0
    earlier: int = 0
    disclosed: tuple[Disclosed, ...] = ()
    hints: tuple[Disclosed, ...] = ()
    proposals: tuple[Key, ...] = ()
    unprotected: int = 0
    view: tuple[str, ...] = ()
    additivity: str | None = None
    status: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON knows it; ``status`` is what the proposals would be given."""
        return {
            "dataflow": self.dataflow, "release": self.release, "hidden": self.hidden, "in_sums": self.in_sums,
            "contradictory": self.contradictory, "is_cut": self.is_cut, "seconds": round(self.seconds, 1),
            "releases": self.releases, "earlier": self.earlier,
            "disclosed": [one.to_json() for one in self.disclosed], "hints": [one.to_json() for one in self.hints],
            "proposals": [dict(one) for one in self.proposals], "unprotected": self.unprotected,
            "view": list(self.view), "additivity": self.additivity, "status": dict(self.status),
        }  # fmt: skip


def audit(dataflow: str, library: Library, *, seconds: float = 60.0, memory: str = "1GB") -> Audit:
    """The audit of a dataflow at the current release.

    Args:
        seconds: for the linear programs, those of the proposals included.
        memory: of the workspace.

    Raises:
        NotFound: there is no such dataflow, or its structure has no confidentiality document.
    """
    begun = time.monotonic()
    view = library.view()
    flow = view.catalog.named(dataflow, "Dataflow")
    assert isinstance(flow, Dataflow)
    structure = view.catalog.structure_of(flow)
    document = view.catalog.confidentiality_of(structure)
    if document is None:
        raise NotFound(
            f"{structure.ref.text} has no confidentiality document, so nothing of {flow.ref.text} is hidden.",
            hint="Put one into dsd/confidentiality, or send it to /api/confidentiality/ID.",
        )
    with closing(Workspace(memory)) as workspace:
        hall = Hall.of(workspace, library.store, view.catalog)
        published = Published(hall, flow, view.release)
        looking = _Looking(published, flow, begun + seconds)
        looking.look()
        public = published.view or PublicView()
        return Audit(
            dataflow=flow.ref.text,
            release=view.release,
            hidden=looking.hidden,
            in_sums=looking.in_sums,
            contradictory=looking.contradictory,
            is_cut=looking.is_cut,
            seconds=time.monotonic() - begun,
            releases=looking.releases,
            earlier=looking.earlier,
            disclosed=tuple(looking.disclosed),
            hints=tuple(looking.hints),
            proposals=tuple(looking.proposals),
            unprotected=looking.unprotected,
            view=tuple(given_away(public, published.share, is_whole=published.is_whole)),
            additivity=additivity(public, is_whole=published.is_whole),
            status={document.status: document.secondary} if document.secondary else {},
        )


class _Looking:
    """An audit at work: from the nearest source to the farthest; what one gives away is not told of the next.

    Attributes:
        in_sums, contradictory: of the current release.
    """

    def __init__(self, now: Published, flow: Dataflow, deadline: float) -> None:
        self._now, self._flow, self._deadline = now, flow, deadline
        self.hidden = now.count("_withheld")
        self.in_sums = self.contradictory = self.releases = self.earlier = self.unprotected = 0
        self.is_cut = False
        self.disclosed: list[Disclosed] = []
        self.hints: list[Disclosed] = []
        self.proposals: list[Key] = []
        self._found: set[tuple[str, ...]] = set()

    def look(self) -> None:
        """All sources; nothing where no figure of the structure was ever hidden."""
        if not self.hidden and not self._now.hall.store.mask_version(Cube.of(self._now.structure)):
            return
        if self.hidden:
            self._sums()
            self._elsewhere()
        self._before()
        if self.hidden:
            for one, is_near in mirrored(self._now):
                if is_near:
                    self.disclosed.append(one)
                elif tuple(one.key.values()) not in self._found:
                    self.hints.append(one)

    def _tell(self, found: Iterable[Disclosed]) -> bool:
        """Take up what sums give away and no nearer source did; whether there is any."""
        new = [one for one in found if tuple(one.key.values()) not in self._found]
        self._found |= {tuple(one.key.values()) for one in new}
        self.disclosed += new
        return bool(new)

    def _find_out(self, view: Published, balances: PublishedBalances | None = None) -> Told | None:
        """What the sums of a view give away."""
        told = self._reckon(view, balances)
        if told is not None and told.contradictory and view.doubt(told.doubtful.tolist()):
            told = self._reckon(view, balances)
        self.is_cut = self.is_cut or (told is not None and told.is_cut)
        return told

    def _reckon(self, view: Published, balances: PublishedBalances | None) -> Told | None:
        return find_out(
            view.cells(),
            view.relations(),
            view.counts(),
            share=view.share,
            seconds=self._deadline - time.monotonic(),
            further=() if balances is None else balances.further(),
        )

    def _protect(self, view: Published, told: Told | None, balances: PublishedBalances | None = None) -> None:
        """Hide open figures of a view until nothing is given away, as far as that is possible; they are proposed.

        Only figures that are open today: who states them confidential hides them in earlier releases too.
        """
        if told is None or not len(told.cells):
            return
        chosen: list[int] = []
        open_ = self._now.open_in(view)
        for _ in range(_ROUNDS):
            more = more_to_hide(told, open_, set(chosen))
            if not more or time.monotonic() > self._deadline:
                break
            chosen += more
            view.hide(more)
            again = self._find_out(view, balances)
            if again is None:
                break
            told = again
        self.proposals += view.keys_of(np.array(chosen, np.int64))
        self.unprotected += len(told.cells)

    # --- the sources -----------------------------------------------------------------------------------------------

    def _sums(self) -> None:
        """Sums of the dataflow, and balances that it takes part in."""
        balances = PublishedBalances(self._now)
        told = self._find_out(self._now, balances)
        if told is None:
            return
        self.in_sums, self.contradictory = told.looked_at, told.contradictory
        self._tell(in_words(self._now, told))
        self._protect(self._now, told, balances)

    def _elsewhere(self) -> None:
        """Another dataflow of the structure or another sender shows the key, or the rest of a sum."""
        now, workspace = self._now, self._now.hall.workspace
        wanted = now.selection("provisionagreement", now.codes_of_sums())
        names = {id: now.names[id] for id in (*now.structure.key_ids, now.measure.id)}
        names |= {"_dataflow": "_dataflow", "_provider": "_provider"}
        rows = renamed(now.hall.store.scan(wanted, now.hall.store.domains(wanted)), names)
        value = now.names[now.measure.id]
        table = workspace.keep(rows, dict.fromkeys(names.values(), "VARCHAR") | {value: "DOUBLE"})
        keys = ", ".join(f"h.{now.names[id]}" for id in now.structure.key_ids)
        found = workspace.read(
            f"SELECT {keys}, o._dataflow, o._provider FROM {now.table} h JOIN {table} o ON {now.same('h', 'o')}"
            f" WHERE h._withheld AND isfinite(o.{value}) ORDER BY h._id, 1, 2"
        )
        who = zip(found["_dataflow"].to_pylist(), found["_provider"].to_pylist(), strict=True)
        for key, (dataflow, provider) in zip(now.as_keys(found), who, strict=True):
            here = dataflow == now.flow.name
            how = (provider,) if here else (f"{dataflow} of {provider}",)
            self.disclosed.append(Disclosed(key=key, by="sender" if here else "dataflow", how=how))
            self._found.add(tuple(key.values()))
        rest = now.copy()
        others = sorted(
            set(workspace.read(f"SELECT DISTINCT _dataflow FROM {table}")["_dataflow"].to_pylist()) - {now.flow.name}
        )
        own = f"_dataflow <> '{now.flow.name}' AND isfinite({value})"
        limits = f"{value} AS _value, {value} AS _low, {value} AS _high"
        first = f"row_number() OVER (PARTITION BY {now.keys} ORDER BY _dataflow, _provider) = 1"
        if rest.complete(f"SELECT {now.keys}, {limits} FROM {table} WHERE {own} QUALIFY {first}"):
            told = self._find_out(rest)
            if self._tell(in_words(rest, told, "dataflow", (f"with figures of {', '.join(others)}",))):
                self._protect(rest, told)
        rest.close()
        workspace.drop(table)

    def _before(self) -> None:
        """What was open in an earlier release, and what earlier releases show of sums, withdrawn figures included."""
        self.disclosed += self._open_before()
        now, past = self._now, self._now.copy()
        touched = now.hall.store.touched(Cube.of(now.structure), now.release).get(now.flow.name, ())
        self.earlier = max(len(touched) - 1, 0)
        gone = 0
        for release in [*reversed(touched[:-1])][:_MOST_RELEASES]:
            if time.monotonic() > self._deadline:
                self.is_cut = True
                break
            view = Published(now.hall, self._flow, release)
            self.releases += 1
            gone += past.complete(f"SELECT {now.keys}, _value, _low, _high FROM {view.table}")
            view.hide_keys(self.proposals)
            if view.count("_withheld"):
                told = self._find_out(view)
                if self._tell(in_words(view, told, "release", (f"release {release}",))):
                    self._protect(view, told)
            view.close()
        if gone:
            past.hide_keys(self.proposals)
            told = self._find_out(past)
            if self._tell(in_words(past, told, "release", ("with figures withdrawn since",))):
                self._protect(past, told)
        past.close()

    def _open_before(self) -> Iterator[Disclosed]:
        """Figures that are hidden now, or went hidden, and were open in an earlier release."""
        now, workspace = self._now, self._now.hall.workspace
        for batch in now.hall.store.told_before(now.selection("dataflow", {})):
            names = {id: now.names[id] for id in now.structure.key_ids} | {"_since": "_since", "_until": "_until"}
            table = workspace.keep(renamed([batch], names), dict.fromkeys(names.values(), "VARCHAR"))
            keys = ", ".join(f"o.{now.names[id]}" for id in now.structure.key_ids)
            found = workspace.read(
                f"SELECT {keys}, o._since, o._until FROM {table} o LEFT JOIN {now.table} h ON {now.same('h', 'o')}"
                f" WHERE h._withheld OR h._id IS NULL ORDER BY h._id, {keys}, CAST(o._since AS BIGINT)"
            )
            workspace.drop(table)
            releases = zip(found["_since"].to_pylist(), found["_until"].to_pylist(), strict=True)
            for key, (since, until) in zip(now.as_keys(found), releases, strict=True):
                yield Disclosed(key=key, by="release", how=(f"releases {since} to {int(until) - 1}",))


def as_submission(found: Audit, catalog: Catalog) -> Iterator[bytes]:
    """The proposals as SDMX-CSV 2.1: what a publisher may submit for the senders, nothing but the status."""
    flow = catalog.named(found.dataflow, "Dataflow")
    assert isinstance(flow, Dataflow)
    structure = catalog.structure_of(flow)
    names = [*structure.key_ids, *found.status]
    yield ",".join(["STRUCTURE", "STRUCTURE_ID", "ACTION", *names]).encode() + b"\n"
    for key in found.proposals:
        codes = [*(key[id] for id in structure.key_ids), *found.status.values()]
        yield ",".join(["dataflow", found.dataflow, "M", *map(_cell, codes)]).encode() + b"\n"


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(one in text for one in ',"\n') else text


def lines(found: Audit) -> Sequence[str]:
    """The audit for people."""
    head = (
        f"{found.dataflow} at release {found.release}: {found.hidden} hidden figures, {found.in_sums} of them in sums."
    )
    rest = [f"{len(found.disclosed)} can be found out.", *found.view]
    if found.additivity is not None:
        rest.append(found.additivity)
    if found.hints:
        rest.append(f"Of {len(found.hints)} the other side of the same thing says something, though not nearly enough.")
    if found.releases < found.earlier:
        rest.append(f"Of {found.earlier} earlier releases the sums of the latest {found.releases} were looked at.")
    if found.contradictory:
        rest.append(f"{found.contradictory} stand in sums that contradict each other; only single sums were looked at.")
    if found.is_cut:
        rest.append("Time ran out: what is not named here is not said to be safe.")
    if found.proposals:
        rest.append(f"{len(found.proposals)} more figures, hidden too, would protect them:")
        rest += [".".join(key.values()) for key in found.proposals]
    if found.unprotected:
        rest.append(f"{found.unprotected} would still be found out.")
    return [head, *(one.line for one in found.disclosed), *rest]
