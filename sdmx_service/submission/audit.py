"""The audit of a published dataflow: which of its hidden figures can be found out from what the public sees.

Everything is read as the public reads it (figures that are hidden are hidden from the audit too), so that its result is
what anybody could work out: from the sums of the dataflow, from the same key in another dataflow or from another
sender, from an earlier release in which the figure was open. For figures that can be found out further ones are
proposed to be hidden, with the document's secondary status.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library
from sdmx_service.errors import NotFound
from sdmx_service.model.columns import Column, columns
from sdmx_service.model.confidentiality import Confidentiality
from sdmx_service.model.selection import Cube, Selection, dataflow_name
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.storage.port import Store
from sdmx_service.storage.quoting import both
from sdmx_service.submission.disclosure import Cells, Told, find_out
from sdmx_service.submission.figures import Flow
from sdmx_service.submission.hiding import more_to_hide
from sdmx_service.submission.relations import Conditions, Relation, applied_rules, counts, relations
from sdmx_service.submission.rule_recovery import plain_number
from sdmx_service.submission.workspace import Workspace, column_names, conditions

_MOST_SUMS = 4
_ROUNDS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """A hidden figure that can be found out.

    Attributes:
        key: dimension (time too) -> code.
        lower, upper: the limits of the figure, as text; None where it is told elsewhere, which is not repeated here.
        exact: it can be told exactly.
        by: ``sums``, ``dataflow`` (another one shows the key), ``sender`` (another one's figure for the key) or
            ``release`` (it was open before).
        how: the sums, the dataflow, the sender or the releases, in words.
    """

    key: Mapping[str, str]
    lower: str | None = None
    upper: str | None = None
    exact: bool = True
    by: str = "sums"
    how: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {"key": dict(self.key), "by": self.by, "exact": self.exact, "lower": self.lower, "upper": self.upper,
                "how": list(self.how)}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What an audit found.

    Attributes:
        hidden: hidden figures of the dataflow.
        in_sums: how many of them are part of any sum.
        contradictory: of how many the sums contradict each other, so that only single sums were looked at.
        is_cut: time ran out; what was not looked at is not said to be safe.
        proposals: keys of open figures that would protect what sums give away.
        unprotected: how many figures no proposal protects.
    """

    dataflow: str
    release: int
    hidden: int
    in_sums: int = 0
    contradictory: int = 0
    is_cut: bool = False
    seconds: float = 0.0
    disclosed: tuple[Disclosed, ...] = ()
    proposals: tuple[Mapping[str, str], ...] = ()
    unprotected: int = 0
    status: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON knows it; ``status`` is what the proposals would be given."""
        return {
            "dataflow": self.dataflow, "release": self.release, "hidden": self.hidden, "in_sums": self.in_sums,
            "contradictory": self.contradictory, "is_cut": self.is_cut, "seconds": round(self.seconds, 1),
            "disclosed": [one.to_json() for one in self.disclosed],
            "proposals": [dict(one) for one in self.proposals], "unprotected": self.unprotected,
            "status": dict(self.status),
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
    view, store = library.view(), library.store
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
        published = _Published(workspace, store, view.catalog, flow, structure, document, view.release)
        hidden = published.load()
        if not hidden:
            return Audit(dataflow=flow.ref.text, release=view.release, hidden=0, seconds=time.monotonic() - begun)
        told = published.find_out(begun + seconds - time.monotonic())
        elsewhere = [*published.told_elsewhere(), *published.told_before()]
        proposals, unprotected = published.proposals(told, begun + seconds)
        return Audit(
            dataflow=flow.ref.text,
            release=view.release,
            hidden=hidden,
            in_sums=0 if told is None else told.looked_at,
            contradictory=0 if told is None else told.contradictory,
            is_cut=told is not None and told.is_cut,
            seconds=time.monotonic() - begun,
            disclosed=(*published.disclosed(told), *elsewhere),
            proposals=tuple(proposals),
            unprotected=unprotected,
            status={document.status: document.secondary} if document.secondary else {},
        )


class _Published:
    """The figures of a dataflow as the public sees them, in a workspace."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        catalog: Catalog,
        flow: Dataflow,
        structure: DataStructure,
        document: Confidentiality,
        release: int,
    ) -> None:
        self._workspace, self._store, self._catalog = workspace, store, catalog
        self._structure, self._document, self._release = structure, document, release
        self._flow = Flow(name=dataflow_name(flow.ref), ref=flow.ref, structure=structure)
        self._names = column_names(structure)
        self._keys = ", ".join(self._names[id] for id in structure.key_ids)
        self._measure = next(one for one in columns(structure) if one.role == "measure" and one.kind == "number")
        self._table = ""
        self._occurring: Mapping[str, frozenset[str]] = {}

    # --- loading ---------------------------------------------------------------------------------------------------

    def load(self) -> int:
        """Read the figures; returns how many are hidden."""
        wanted = self._selection()
        domains = self._store.domains(wanted)
        self._occurring = {id: frozenset(domains.get(id, ())) for id in self._structure.dimension_ids}
        kept = self._kept_columns()
        rows = _renamed(self._store.scan(wanted, domains), {one.id: self._names[one.id] for one in kept})
        loaded = self._workspace.keep(rows, {self._names[one.id]: _type(one) for one in kept})
        value = self._names[self._measure.id]
        told = f"CASE WHEN isfinite({value}) THEN {value} END"
        self._table = self._workspace.make(
            f"SELECT *, row_number() OVER () AS _id, {told} AS _value, '' AS _provider,"
            f" ({told} IS NULL AND {self._hidden()}) IS TRUE AS _withheld FROM {loaded}"
        )
        self._workspace.drop(loaded)
        return self._count("_withheld")

    def _selection(self) -> Selection:
        return Selection(
            structure=self._structure,
            cube=Cube.of(self._structure),
            context="dataflow",
            release=self._release,
            dataflows=(self._flow.name,),
        )

    def _kept_columns(self) -> list[Column]:
        """Keys, the figure, and what conditions of sums may look at."""
        wanted = {*self._structure.key_ids, self._measure.id, self._document.status, *self._document.withheld}
        wanted |= {id for rule in applied_rules(self._flow, self._catalog) for id in rule.when}
        return [
            one for one in columns(self._structure) if one.id in wanted and one.kind not in ("multi", "multilingual")
        ]

    def _hidden(self) -> str:
        """The condition that a row without a figure is one whose figure is withheld."""
        tests = [{self._document.status: self._document.confidential}]
        tests += [{id: codes} for id, codes in self._document.withheld.items()]
        return "(" + " OR ".join(conditions(self._structure, test) for test in tests) + ")"

    def _count(self, condition: str) -> int:
        found = self._workspace.read(f"SELECT count(*) AS number FROM {self._table} WHERE {condition}")
        return int(found["number"][0].as_py())

    # --- sums ------------------------------------------------------------------------------------------------------

    def _cells(self) -> Cells:
        view = self._document.dataflows.get(self._flow.name)
        chosen = f"{self._keys}, _provider, _id, _value, _withheld"

        def source(when: Conditions) -> str:
            known = {id: codes for id, codes in when.items() if id in self._names}
            return f"SELECT {chosen} FROM {self._table} WHERE {conditions(self._structure, known)}"

        return Cells(
            workspace=self._workspace,
            structure=self._structure,
            source=source,
            rounding=0.0 if view is None else view.rounding,
        )

    def _relations(self) -> list[Relation]:
        rules = applied_rules(self._flow, self._catalog)
        return relations(self._flow, rules, self._catalog, self._occurring)

    def find_out(self, seconds: float) -> Told | None:
        """What sums give away."""
        rules = applied_rules(self._flow, self._catalog)
        return find_out(
            self._cells(),
            self._relations(),
            counts(rules, self._measure.id),
            share=self._document.range,
            seconds=seconds,
        )

    def disclosed(self, told: Told | None) -> Iterator[Disclosed]:
        """What sums give away, by key."""
        if told is None:
            return
        keys = self._keys_of(told.cells)
        for place, key in enumerate(keys):
            yield Disclosed(
                key=key,
                lower=plain_number(float(told.lower[place])),
                upper=plain_number(float(told.upper[place])),
                exact=bool(told.is_exact[place]),
                how=told.sums[place][:_MOST_SUMS],
            )

    def _keys_of(self, ids: Any) -> list[Mapping[str, str]]:
        """The keys of figures, in the order of the ids."""
        rows = pa.record_batch([pa.array(ids), pa.array(np.arange(len(ids)))], names=["_id", "_place"])
        table = self._workspace.keep([rows], {"_id": "BIGINT", "_place": "BIGINT"})
        found = self._workspace.read(
            f"SELECT {self._keys} FROM {table} p JOIN {self._table} f ON f._id = p._id ORDER BY p._place"
        )
        self._workspace.drop(table)
        columns_ = [column.to_pylist() for column in found.columns]
        return [dict(zip(self._structure.key_ids, line, strict=True)) for line in zip(*columns_, strict=True)]

    def proposals(self, told: Told | None, deadline: float) -> tuple[list[Mapping[str, str]], int]:
        """Open figures that, hidden too, protect what sums give away; and how many figures stay found out."""
        if told is None or not len(told.cells):
            return [], 0
        chosen: list[int] = []
        for _ in range(_ROUNDS):
            more = more_to_hide(told, set(chosen))
            if not more or time.monotonic() > deadline:
                break
            chosen += more
            listed = ", ".join(map(str, more))
            self._workspace.run(f"UPDATE {self._table} SET _value = NULL WHERE _id IN ({listed})")
            again = self.find_out(deadline - time.monotonic())
            if again is None:
                break
            told = again
        return self._keys_of(np.array(chosen, np.int64)), len(told.cells)

    # --- elsewhere -------------------------------------------------------------------------------------------------

    def told_elsewhere(self) -> Iterator[Disclosed]:
        """Hidden figures whose key another dataflow of the structure shows, or another sender's figure."""
        wanted = self._near("provisionagreement")
        names = {id: self._names[id] for id in (*self._structure.key_ids, self._measure.id)}
        names |= {"_dataflow": "_dataflow", "_provider": "_provider"}
        rows = _renamed(self._store.scan(wanted, self._store.domains(wanted)), names)
        types = dict.fromkeys(names.values(), "VARCHAR") | {self._names[self._measure.id]: "DOUBLE"}
        table = self._workspace.keep(rows, types)
        same = both(f"h.{self._names[id]} = o.{self._names[id]}" for id in self._structure.key_ids)
        keys = ", ".join(f"h.{self._names[id]}" for id in self._structure.key_ids)
        found = self._workspace.read(
            f"SELECT {keys}, o._dataflow, o._provider FROM {self._table} h JOIN {table} o ON {same}"
            f" WHERE h._withheld AND isfinite(o.{self._names[self._measure.id]}) ORDER BY h._id, 1, 2"
        )
        self._workspace.drop(table)
        for *codes, dataflow, provider in zip(*(column.to_pylist() for column in found.columns), strict=True):
            here = dataflow == self._flow.name
            yield Disclosed(
                key=dict(zip(self._structure.key_ids, codes, strict=True)),
                by="sender" if here else "dataflow",
                how=(provider,) if here else (f"{dataflow} of {provider}",),
            )

    def told_before(self) -> Iterator[Disclosed]:
        """Hidden figures that were open in an earlier release."""
        for batch in self._store.told_before(self._near("dataflow")):
            table = self._workspace.keep([batch], dict.fromkeys(batch.schema.names, "VARCHAR"))
            same = both(f"h.{self._names[id]} = o.{id_}" for id, id_ in self._quoted())
            keys = ", ".join(f"h.{self._names[id]}" for id in self._structure.key_ids)
            found = self._workspace.read(
                f"SELECT {keys}, o._since, o._until FROM {self._table} h JOIN {table} o ON {same}"
                f" WHERE h._withheld ORDER BY h._id, o._since"
            )
            self._workspace.drop(table)
            for *codes, since, until in zip(*(column.to_pylist() for column in found.columns), strict=True):
                yield Disclosed(
                    key=dict(zip(self._structure.key_ids, codes, strict=True)),
                    by="release",
                    how=(f"releases {since} to {int(until) - 1}",),
                )

    def _quoted(self) -> Iterable[tuple[str, str]]:
        return ((id, '"' + id.replace('"', '""') + '"') for id in self._structure.key_ids)

    def _near(self, context: Any) -> Selection:
        """What stands near the hidden figures: every code that one of them has."""
        parts = []
        for dimension in self._structure.dimensions:
            name = self._names[dimension.id]
            found = self._workspace.read(f"SELECT DISTINCT {name} AS code FROM {self._table} WHERE _withheld")
            parts.append(frozenset(found["code"].to_pylist()))
        return Selection(
            structure=self._structure,
            cube=Cube.of(self._structure),
            context=context,
            release=self._release,
            dataflows=None if context == "provisionagreement" else (self._flow.name,),
            keys=(tuple(parts),),
        )


def _type(column: Column) -> str:
    return "DOUBLE" if column.kind == "number" else "VARCHAR"


def _renamed(batches: Iterable[pa.RecordBatch], names: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        present = [id for id in names if id in batch.schema.names]
        yield pa.record_batch([batch.column(id) for id in present], names=[names[id] for id in present])


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
    told = [
        f"{'.'.join(one.key.values())}: "
        + (f"{one.lower}" if one.exact and one.lower else f"{one.lower} to {one.upper}" if one.lower else "told")
        + f" by {one.by} ({'; '.join(one.how)})"
        for one in found.disclosed
    ]
    rest = [f"{len(found.disclosed)} can be found out."]
    if found.contradictory:
        rest.append(f"{found.contradictory} stand in sums that contradict each other; only single sums were looked at.")
    if found.is_cut:
        rest.append("Time ran out: what is not named here is not said to be safe.")
    if found.proposals:
        rest.append(f"{len(found.proposals)} more figures, hidden too, would protect them:")
        rest += [".".join(key.values()) for key in found.proposals]
    if found.unprotected:
        rest.append(f"{found.unprotected} would still be found out.")
    return [head, *told, *rest]
