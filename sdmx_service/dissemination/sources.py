"""Several sources for one figure: whose figure is shown, who covers what, and whether the figures are the same.

Which provider is shown is decided when figures are published (decision 3), by the ranking of the dataflow that is part
of the release (``catalog.sources`` says how it may be derived).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.library import View
from sdmx_service.catalog.sources import Flow
from sdmx_service.model.columns import Column, columns, render_numbers
from sdmx_service.model.selection import Selection
from sdmx_service.storage.port import Store

How = Literal["directly", "partner", "both, same figures", "both, other figures", "both, nothing to compare"]


# --- precedence -----------------------------------------------------------------------------------------------------
def precedence(flow: Flow, store: Store, release: int) -> list[str]:
    """The providers that have given figures or have a place, the one that is shown first.

    Who is not ranked comes after those that are, by name (``storage.port.Ranking``).
    """
    ranked = list(store.ranking(release).providers.get(flow.name, ()))
    return [*ranked, *sorted(set(store.senders(flow.selection(release))) - set(ranked))]


# --- coverage -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Keys that another provider gives a figure for too."""

    provider: str
    equal: int
    unequal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What one provider gives of a code and year.

    Attributes:
        directly: the provider reports for itself; None: nobody is bound to that code.
        given, shown: observations, and how many of them are shown.
        others: how it compares with the other providers.
    """

    provider: str
    directly: bool | None
    given: int
    shown: int
    others: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A code of the dimension in a year ("" without time), and who submitted it.

    Attributes:
        how: directly, through a partner, or both, with the same or with other figures.
    """

    code: str
    year: str
    how: How
    given: tuple[Given, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The entry as the interface shows it."""
        return asdict(self)


def coverage(flow: Flow, dimension: str, store: Store, view: View) -> list[Covered]:
    """Per code and year who submitted, directly or through a partner, and whether the figures are the same.

    Only counts leave the database; they are added up from periods to years.
    """
    selection = flow.selection(view.release)
    given = _by_year(store.given(selection, (dimension,)), dimension, ("provider",), ("given", "shown"))
    compared = _by_year(store.compared(selection, (dimension,)), dimension, ("provider", "other"), ("equal", "unequal"))
    homes = {provider: code for provider, (of, code) in flow.homes().items() if of == dimension}
    bound = set(homes.values())
    others: dict[tuple[str, str, str], list[Comparison]] = {}
    for one in compared.to_pylist():
        for own, other in ((one["provider"], one["other"]), (one["other"], one["provider"])):
            said = Comparison(provider=other, equal=one["equal"], unequal=one["unequal"])
            others.setdefault((one[dimension], one["year"], own), []).append(said)
    found: dict[tuple[str, str], list[Given]] = {}
    for one in given.to_pylist():
        code, year, provider = one[dimension], one["year"], one["provider"]
        found.setdefault((code, year), []).append(
            Given(
                provider=provider,
                directly=homes.get(provider) == code if code in bound else None,
                given=one["given"],
                shown=one["shown"],
                others=tuple(sorted(others.get((code, year, provider), ()), key=lambda said: said.provider)),
            )
        )
    return [
        Covered(code=code, year=year, how=_how(entries), given=tuple(sorted(entries, key=lambda entry: entry.provider)))
        for (code, year), entries in sorted(found.items())
    ]


def givers(flow: Flow, dimension: str, store: Store, release: int) -> Mapping[tuple[str, str], frozenset[str]]:
    """Code and year -> the providers that have given figures."""
    rows = _by_year(store.given(flow.selection(release), (dimension,)), dimension, ("provider",), ("given",))
    found: dict[tuple[str, str], set[str]] = {}
    for one in rows.to_pylist():
        found.setdefault((one[dimension], one["year"]), set()).add(one["provider"])
    return {key: frozenset(providers) for key, providers in found.items()}


def _by_year(rows: pa.Table, dimension: str, members: Sequence[str], counts: Sequence[str]) -> pa.Table:
    """The counts added up over the periods of a year; a period begins with its year."""
    year = pc.utf8_slice_codeunits(rows["period"], 0, 4)
    keys = [dimension, "year", *members]
    grouped = rows.append_column("year", year).group_by(keys, use_threads=False)
    return grouped.aggregate([(name, "sum") for name in counts]).rename_columns([*keys, *counts])


def _how(entries: Sequence[Given]) -> How:
    direct = [one for one in entries if one.directly]
    partners = [one for one in entries if not one.directly]
    if not direct:
        return "partner"
    if not partners:
        return "directly"
    said = [other for one in direct for other in one.others]
    if any(one.unequal for one in said):
        return "both, other figures"
    return "both, same figures" if any(one.equal for one in said) else "both, nothing to compare"


COLUMNS: Final = ("code", "name", "year", "how", "provider", "directly", "given", "shown", "other", "equal", "unequal")
"""The columns of coverage as a table: a line per provider, and per other one that it is compared with."""


def rows_of(found: Sequence[Covered], names: Mapping[str, str]) -> Iterator[list[str | int]]:
    """Coverage as lines of ``COLUMNS``.

    Args:
        names: of the codes.
    """
    for covered in found:
        for one in covered.given:
            head = [covered.code, names.get(covered.code, ""), covered.year, covered.how, one.provider]
            directly = "" if one.directly is None else "yes" if one.directly else "no"
            for said in one.others or (None,):
                compared: list[str | int] = ["", "", ""] if said is None else [said.provider, said.equal, said.unequal]
                yield [*head, directly, one.given, one.shown, *compared]


# --- figures --------------------------------------------------------------------------------------------------------
MOST_FIGURES: Final = 20_000
"""Figures of one answer about sources."""


def figures(flow: Flow, selection: Selection, store: Store) -> tuple[pa.Table, bool]:
    """The figures of all providers for a selection, and whether there are more than ``MOST_FIGURES``.

    Columns: the dimensions and time as text, ``provider``, ``shown`` (whether it is the one that is shown in the
    dataflow), the measures as text; the figures of one key together, the one shown first.

    Args:
        selection: in the context of provision agreements.
    """
    keys, measures = list(flow.structure.key_ids), _measures(flow)
    batches, count = [], 0
    for batch in store.scan(selection, store.domains(selection)):
        batches.append(batch)
        count += len(batch)
        if count > MOST_FIGURES:
            break
    if not batches:
        nothing: dict[str, pa.Array] = {name: pa.array([], pa.string()) for name in (*keys, "provider")}
        nothing["shown"] = pa.array([], pa.bool_())
        return pa.table(nothing | {one.id: pa.array([], pa.string()) for one in measures}), False
    rows = pa.Table.from_batches(batches).combine_chunks()
    texts = {name: rows[name].cast(pa.string()) for name in keys} | {"provider": rows["_provider"].cast(pa.string())}
    table = pa.table(texts | {one.id: _shown(rows, one) for one in measures})
    order = precedence(flow, store, selection.release)
    table = table.append_column("_place", pc.index_in(table["provider"], pa.array(order, pa.string())))
    table = table.append_column("_row", pa.array(range(table.num_rows), pa.int64()))
    best = table.group_by(keys, use_threads=False).aggregate([("_place", "min"), ("_row", "min")])
    joined = table.join(best, keys, join_type="inner")
    joined = joined.sort_by([("_row_min", "ascending"), ("_place", "ascending")]).slice(0, MOST_FIGURES)
    found = joined.select([*keys, "provider"])
    found = found.append_column("shown", pc.equal(joined["_place"], joined["_place_min"]))
    for one in measures:
        found = found.append_column(one.id, joined[one.id])
    return found, count > MOST_FIGURES


def _measures(flow: Flow) -> list[Column]:
    """The measures that have one plain value."""
    kinds = ("code", "text", "number")
    return [one for one in columns(flow.structure) if one.role == "measure" and one.kind in kinds]


def _shown(rows: pa.Table, column: Column) -> pa.Array:
    if column.kind != "number":
        return rows[column.id].cast(pa.string())
    parts = [rows[name].combine_chunks() for name in (column.id, column.decimals, column.text)]
    return render_numbers(*parts)
