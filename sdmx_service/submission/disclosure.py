"""Which figures that are withheld can be found out, from figures that are told and sums that hold.

The figures stand as rows of a query (``Cells``), the sums are made of them by SQL, one statement per kind of sum, and
``bounds`` finds the limits. Whoever asks says which figures are withheld, and what is safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.quoting import both, either, literal, member
from sdmx_service.submission.bounds import Bounds, Sums, bounds, is_exposed
from sdmx_service.submission.relations import Conditions, Relation
from sdmx_service.submission.workspace import Workspace, column_names, conditions

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Figures as a query.

    Attributes:
        source: conditions -> the query of the figures under them: the columns of the key (``column_names``),
            ``_provider``, ``_id`` (which figure), ``_value`` (null where it is not told), ``_withheld`` (it is one of
            those that must not be found out).
        limits: expressions over its columns: between what a figure lies (rounded ones are not exact); null: unknown.
    """

    workspace: Workspace
    structure: DataStructure
    source: Callable[[Conditions], str | None]
    limits: tuple[str, str] = ("_value", "_value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """Sums of one kind that are not made from ``Cells`` alone.

    Attributes:
        name: in words.
        terms: ``_sum`` (numbered from 0), ``_id``, ``_factor``, ``_value``, ``_low``, ``_high``, ``_withheld``.
        tolerance: per sum, by how much it may miss.
        counts: ids of figures that cannot be below 0.
    """

    name: str
    terms: pa.Table
    tolerance: Numbers
    counts: Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What can be found out.

    Attributes:
        cells: ids of the withheld figures that can.
        lower, upper: their limits.
        is_exact: the limits are one.
        is_plain: one sum of a rule of kind *recoverable* tells it by itself.
        sums: per figure the sums that it takes part in, in words.
        looked_at: how many withheld figures are part of any sum.
        contradictory: how many of them stand in sums that contradict each other.
        doubtful: ids of all figures of such sums, other than exact ones.
        is_cut: time ran out before all were looked at.
        system: all sums and their figures, for who wants to hide more.
    """

    cells: Places
    lower: Numbers
    upper: Numbers
    is_exact: Flags
    is_plain: Flags
    sums: tuple[tuple[str, ...], ...]
    looked_at: int
    contradictory: int
    doubtful: Places
    is_cut: bool
    system: System


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Sums with at least one figure that is not told, as terms; ``ids`` are the figures by number."""

    sums: Sums
    ids: Places
    withheld: Flags
    relation: npt.NDArray[np.int64]
    relations: Sequence[Relation]


def find_out(
    cells: Cells,
    relations: Iterable[Relation],
    counts: Iterable[Conditions],
    *,
    share: float,
    seconds: float,
    further: Iterable[Further] = (),
) -> Told | None:
    """What can be found out about withheld figures; None where no sum has one.

    Args:
        counts: conditions under which figures cannot be below 0.
        share: figures that can be told to within this share are found out.
        seconds: for the linear programs.
        further: more sums.
    """
    system = _system(cells, relations, counts, [*further])
    if system is None:
        return None
    found = bounds(system.sums, share, seconds, system.withheld)
    return _told(system, found, share)


def _told(system: System, found: Bounds, share: float) -> Told:
    exposed = np.flatnonzero(system.withheld & is_exposed(found.lower, found.upper, share))
    lower, upper = found.lower[exposed], found.upper[exposed]
    return Told(
        cells=system.ids[exposed],
        lower=lower,
        upper=upper,
        is_exact=upper - lower <= 1e-6 * np.maximum(1, np.abs(upper)),
        is_plain=_is_plain(system)[exposed],
        sums=tuple(_words(system, place) for place in exposed.tolist()),
        looked_at=int(system.withheld.sum()),
        contradictory=int((system.withheld & found.is_contradictory).sum()),
        doubtful=system.ids[found.is_contradictory],
        is_cut=found.is_cut,
        system=system,
    )


def _is_plain(system: System) -> Flags:
    """The figures that are the only untold one of a sum whose rule reports it."""
    sums = system.sums
    untold = np.isnan(sums.value)[sums.cell]
    count = np.bincount(sums.sum[untold], minlength=len(sums.tolerance))
    plain = np.array([one.is_plain for one in system.relations], np.bool_)[system.relation]
    found = np.zeros(len(system.ids), np.bool_)
    found[sums.cell[untold & (count[sums.sum] == 1) & plain[sums.sum]]] = True
    return found


def _words(system: System, cell: int) -> tuple[str, ...]:
    """The sums of a figure, those with the fewest untold figures first."""
    sums = system.sums
    untold = np.isnan(sums.value)[sums.cell]
    own = np.unique(sums.sum[sums.cell == cell])
    count = np.bincount(sums.sum[untold], minlength=len(sums.tolerance))[own]
    return tuple(
        dict.fromkeys(
            system.relations[system.relation[number]].name for number in own[np.argsort(count, kind="stable")]
        )
    )


# --- sums as terms ---------------------------------------------------------------------------------------------------


def _borne_out(cells: Cells, one: Relation) -> Relation | None:
    """The relation as it counts: one that is supposed, as far as all figures that are told bear it out."""
    source = _figures(cells, one)
    if source is None or not one.is_supposed:
        return one
    total = _is_total(cells, one)
    difference = f"sum(CASE WHEN {total} THEN -_value ELSE _value END)"
    slack = f"{one.tolerance!r} + 1e-9 * abs(max(_value) FILTER ({total}))"
    whole = f"count(*) FILTER (_value IS NULL) = 0 AND {_is_whole(one)}"
    query = f"SELECT {difference} AS d, {slack} AS s FROM ({source}) GROUP BY {_group(cells, one)} HAVING {whole}"
    counted = cells.workspace.read(
        "SELECT count(*) AS whole, count(*) FILTER (abs(d) <= s) AS equal, count(*) FILTER (d <= s) AS less"
        f" FROM ({query})"
    )
    count, equal, less = (int(column[0].as_py()) for column in counted.columns)
    if count and equal == count:
        return one
    return replace(one, is_equal=False, name=one.name.replace(" = ", " ≥ ")) if count and less == count else None


def _is_total(cells: Cells, one: Relation) -> str:
    return f"{column_names(cells.structure)[one.dimension]} = {literal(one.total)}"


def _figures(cells: Cells, one: Relation) -> str | None:
    """The query of the figures of a sum, with ``_term`` (which one it is) and ``_factor``."""
    source = cells.source(one.when)
    if source is None:
        return None
    if one.terms:
        tests = [conditions(cells.structure, where) for where, _ in one.terms]
        number = "CASE " + " ".join(f"WHEN {test} THEN '{place}'" for place, test in enumerate(tests)) + " END"
        factor = "CASE " + " ".join(
            f"WHEN {test} THEN {factor!r}" for test, (_, factor) in zip(tests, one.terms, strict=True)
        )
        chosen = f"*, {number} AS _term, CAST({factor} END AS DOUBLE) AS _factor"
        return f"SELECT {chosen} FROM ({source}) WHERE {either(tests)}"
    name = column_names(cells.structure)[one.dimension]
    every = member(name, {one.total, *one.required, *one.optional})
    factor = f"CAST(CASE WHEN {name} = {literal(one.total)} THEN -1 ELSE 1 END AS DOUBLE)"
    return f"SELECT *, {name} AS _term, {factor} AS _factor FROM ({source}) WHERE {every}"


def _group(cells: Cells, one: Relation) -> str:
    """What the figures of one sum share."""
    free = {one.dimension, *(id for where, _ in one.terms for id in where)}
    names = column_names(cells.structure)
    return ", ".join([*(names[id] for id in cells.structure.key_ids if id not in free), "_provider"])


def _is_whole(one: Relation) -> str:
    """The condition that a sum has what it needs, each figure once."""
    needed = [str(place) for place in range(len(one.terms))] or [one.total, *one.required]
    return both(
        [f"count(*) FILTER ({member('_term', needed)}) = {len(set(needed))}", "count(*) = count(DISTINCT _term)",
         "count(*) > 1"]
    )  # fmt: skip


def _terms(cells: Cells, one: Relation) -> pa.Table | None:
    """The terms of the sums of a relation that have an untold figure: ``_sum``, ``_id``, ``_factor`` and the figure."""
    source, group = _figures(cells, one), _group(cells, one)
    if source is None:
        return None
    whole, (low, high) = f"bool_or(_value IS NULL) AND {_is_whole(one)}", cells.limits
    untold = (
        f"SELECT DISTINCT {group} FROM ({source}) WHERE _value IS NULL"  # the neighbourhood of a few, quickly found
    )
    found = cells.workspace.read(
        f"WITH f AS (SELECT * FROM ({source}) SEMI JOIN ({untold}) USING ({group})),"
        f" g AS (SELECT {group}, row_number() OVER () - 1 AS _sum FROM f GROUP BY {group}"
        f" HAVING {whole}) SELECT _sum, _id, _factor, _value, {low} AS _low, {high} AS _high, _withheld"
        f" FROM f JOIN g USING ({group})"
    )
    return found if found.num_rows else None


_TERMS = ["_sum", "_id", "_factor", "_value", "_low", "_high", "_withheld"]


def _system(
    cells: Cells, relations: Iterable[Relation], counts: Iterable[Conditions], further: Sequence[Further]
) -> System | None:
    kinds: list[tuple[Relation, pa.Table, Numbers | None]] = []
    for one in relations:  # at their word, whatever slack their rules give
        found = _terms(cells, one)
        if found is not None and (borne_out := _borne_out(cells, one)) is not None:
            kinds.append((borne_out, found, None))
    kinds += [(Relation(name=one.name), one.terms.select(_TERMS), one.tolerance) for one in further]
    if not kinds:
        return None
    sizes = [1 + int(found["_sum"].to_numpy().max()) for _, found, _ in kinds]
    starts = np.cumsum([0, *sizes])
    terms = pa.concat_tables([found.select(_TERMS) for _, found, _ in kinds], promote_options="permissive")
    numbers = [found["_sum"].to_numpy() + start for (_, found, _), start in zip(kinds, starts, strict=False)]
    ids, first, cell = np.unique(terms["_id"].to_numpy(), return_index=True, return_inverse=True)
    withheld = terms["_withheld"].to_numpy()[first].astype(np.bool_)
    if not withheld.any():
        return None
    relation = np.repeat(np.arange(len(kinds)), sizes)
    tolerances = [np.zeros(size) if given is None else given for size, (_, _, given) in zip(sizes, kinds, strict=True)]
    value, low, high = (terms[name].to_numpy().astype(np.float64)[first] for name in ("_value", "_low", "_high"))
    known = np.concatenate([one.counts for one in further]) if further else np.zeros(0, np.int64)
    least = np.where(_are_counts(cells, ids, counts) | np.isin(ids, known), 0.0, -np.inf)
    sums = Sums(
        sum=np.concatenate(numbers).astype(np.int64),
        cell=cell.astype(np.int64),
        factor=terms["_factor"].to_numpy().astype(np.float64),
        tolerance=np.concatenate(tolerances).astype(np.float64),
        is_equal=np.array([one.is_equal for one, _, _ in kinds], np.bool_)[relation],
        value=value,
        least=least,
        limits=(np.minimum(np.maximum(low, least), high), high),  # NaN stays
    )
    return System(
        sums=sums,
        ids=ids,
        withheld=withheld,
        relation=relation,
        relations=[one for one, _, _ in kinds],
    )


def _are_counts(cells: Cells, ids: Places, counts: Iterable[Conditions]) -> Flags:
    """Which of some figures cannot be below 0."""
    found = np.zeros(len(ids), np.bool_)
    table = cells.workspace.keep([pa.record_batch([pa.array(ids)], names=["_id"])], {"_id": "BIGINT"})
    try:
        for when in counts:
            if (source := cells.source(when)) is not None:
                known = cells.workspace.read(f"SELECT _id FROM ({source}) WHERE _id IN (SELECT _id FROM {table})")
                found |= np.isin(ids, known["_id"].to_numpy())
    finally:
        cells.workspace.drop(table)
    return found
