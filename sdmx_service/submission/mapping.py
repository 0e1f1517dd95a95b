"""Named columns to components, as a StructureMap says (SDMX 3.1 Technical Notes, *Structure Mapping*).

The rules are asked once per distinct combination of source values; the rows take the answers. What has no mapping is a
finding per value, with its places, and its rows are left out if a dimension lacks (*standard*: no matching rule, no
output); if an attribute lacks, the row stays without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.errors import InvalidStructure, SyntaxFault
from sdmx_service.model.columns import COLUMN, ROW, SHEET, columns, read_schema
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.mapping import ComponentMap, FixedValue, RepresentationMap, StructureMap, TimePatternMap
from sdmx_service.model.structure import DataStructure
from sdmx_service.submission.array_mapping import SEPARATOR, ArrayRules, joined, of_arrays
from sdmx_service.submission.candidates import MapCandidates, shown
from sdmx_service.submission.combinations import Codes, Values, distinct, spans
from sdmx_service.submission.places import first_of_each
from sdmx_service.submission.report import Report
from sdmx_service.submission.representation_mapping import RepresentationRules, Targets
from sdmx_service.submission.tables import LETTER
from sdmx_service.submission.time_patterns import TimeReader

LANGUAGE = "en"
"""The language of texts that a file gives without one (the default of ``xml:lang`` in SDMX-ML)."""

_TIME = "TIME_PERIOD"
_SUGGESTED = 500
"""Distinct unmapped values of one component map for which the nearest known one is looked up."""
_THOROUGH = 50
"""Of these, those for which parts of names are looked at too."""
_TESTED = 1_000_000
"""Tests of expressions to find values that several of them fit; a map that needs more is taken by its order alone."""

Rules = RepresentationRules | ArrayRules


class Mapper:
    """Applies a structure map.

    Args:
        structure_map: the map; its sources are columns of the rows, its targets components of ``structure``.
        catalog: has the representation maps.
        structure: the target's structure, resolved.
        provider: whose rows they are (``AGENCY.ID``), for rows of maps that hold for some providers only.

    Raises:
        InvalidStructure: a target is no component of the structure, is mapped twice, or the map contradicts itself.
        UnresolvedReference: a representation map is not in the catalog.
    """

    def __init__(
        self, structure_map: StructureMap, catalog: Catalog, structure: DataStructure, provider: str | None = None
    ) -> None:
        self._map = structure_map
        self._structure = structure
        self._provider = provider
        self._multi = {column.id for column in columns(structure) if column.kind == "multi"}
        self._schema = read_schema(structure)
        self._check_targets()
        steps = [self._step(one, catalog) for one in structure_map.components]
        self._plain = [one for one in steps if one.rules is None or not one.rules.has_validity]
        self._timed = [one for one in steps if one.rules is not None and one.rules.has_validity]
        self._times = [(one, self._reader(one)) for one in structure_map.times]
        self._check_order()

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that the map reads."""
        fixed = {one.component for one in self._map.fixed if one.role == "source"}
        return tuple(dict.fromkeys(name for names, _ in self._map.pairs for name in names if name not in fixed))

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that dimensions or measures come from."""
        wanted = {*self._structure.key_ids, *(one.id for one in self._structure.measures)}
        return tuple(name for names, targets in self._map.pairs if wanted.intersection(targets) for name in names)

    def letters(self, rows: pa.Table) -> dict[str, str]:
        """Component -> letter of the sender's column that it comes from, as far as the rows say (``LETTER``).

        A component that comes from a header, a sheet's name or the map itself has none.
        """
        found = ((target, letter_of(rows, sources)) for sources, targets in self._map.pairs for target in targets)
        return {target: letter for target, letter in found if letter is not None}

    # --- compiling ---------------------------------------------------------------------------------------------
    def _fault(self, problem: str) -> InvalidStructure:
        return InvalidStructure(f"StructureMap {self._map.ref.text}: {problem}")

    def _check_targets(self) -> None:
        targets = [name for one in self._map.components for name in one.targets]
        targets += [one.target for one in self._map.times]
        targets += [one.component for one in self._map.fixed if one.role == "target"]
        for name in targets:
            if self._structure.component(name) is None:
                raise self._fault(f"{name!r} is no component of {self._structure.ref.text}.")
        if twice := sorted({name for name in targets if targets.count(name) > 1}):
            raise self._fault(f"{', '.join(twice)} is mapped more than once.")
        for one in self._map.fixed:
            if len(one.values) != 1 and (one.role == "source" or one.component not in self._multi):
                raise self._fault(f"the fixed value of {one.component} must be one value.")

    def _step(self, component_map: ComponentMap, catalog: Catalog) -> _Step:
        sources, targets = len(component_map.sources), len(component_map.targets)
        if component_map.representation_map is None:
            if sources != targets:
                names = ", ".join(component_map.targets)
                raise self._fault(f"{names}: {sources} sources cannot be copied to {targets} targets.")
            return _Step(component_map)
        found = catalog.artefact(component_map.representation_map)
        if not isinstance(found, RepresentationMap):
            raise self._fault(f"{found.ref.text} is a {found.type}, not a representation map.")
        keys = [place for place, name in enumerate(component_map.targets) if name in self._structure.key_ids]
        to_array = targets == 1 and component_map.targets[0] in self._multi
        first = found.rows[0] if found.rows else None
        if first is not None and sources == 1:
            sources = len(first.sources)
        if first is not None and to_array:
            targets = len(first.targets)
        rules = RepresentationRules(found, sources=sources, targets=targets, keys=keys, provider=self._provider)
        is_of_arrays = sources > len(component_map.sources) or targets > len(component_map.targets)
        near = MapCandidates(found, catalog)
        if is_of_arrays or to_array:
            return _Step(component_map, ArrayRules(rules, sources=sources, to_array=to_array), near)
        return _Step(component_map, rules, near)

    def _reader(self, time_map: TimePatternMap) -> TimeReader:
        try:
            return TimeReader(time_map, self._map.frequency_formats)
        except InvalidStructure as fault:
            raise self._fault(fault.detail) from None

    def _check_order(self) -> None:
        """Rows with validity need the time, so that they cannot give it nor its frequency."""
        needed = {one.frequency_dimension for one in self._map.times} | {one.target for one in self._map.times}
        time = self._structure.time_dimension
        for step in self._timed:
            for name in step.map.targets:
                if name in needed or (time is not None and name == time.id):
                    raise self._fault(f"{name} depends on the time, which depends on it.")

    # --- applying ----------------------------------------------------------------------------------------------
    def apply(self, rows: pa.Table, report: Report) -> pa.Table:
        """The components as text (``columns.read_schema``) and the origin of each row.

        Findings: F201 values without mapping, F202 those that several rows of a map fit, F403 times that do not fit
        their pattern, F101 rows that a fixed source value leaves out.

        Raises:
            InvalidStructure: the rows have no column that the map reads.
        """
        work = _Work(self._with_fixed_sources(rows.combine_chunks(), report), report)
        missing = [name for name in self.sources if name not in work.rows.column_names]
        if missing:
            raise self._fault(f"it reads {', '.join(missing)}, which the layout or source structure does not have.")
        for fixed in self._map.fixed:
            if fixed.role == "target":
                work.out[fixed.component] = _constant(fixed, work.count)
        for step in self._plain:
            self._run(step, work, None)
        for time_map, reader in self._times:
            self._read_times(time_map, reader, work)
        for step in self._timed:
            self._run(step, work, self._time_of(work))
        return self._finished(work)

    def _with_fixed_sources(self, rows: pa.Table, report: Report) -> pa.Table:
        """The rows whose components have the values that the map fixes at its source; the others are counted (F101).

        *Choice*: the standard fixes the value of a source component; rows that say another are not of this map.
        """
        for fixed in self._map.fixed:
            if fixed.role != "source":
                continue
            if fixed.component in rows.column_names:
                given = self._texts(_whole(rows[fixed.component]).cast(pa.string()), fixed.component)
                differs = pc.fill_null(pc.not_equal(given, fixed.values[0]), False)
                if left := pc.sum(differs).as_py():
                    reason = f"the map is about {fixed.component} {fixed.values[0]!r} alone"
                    report.add(FindingGroup.of("F101", count=left, reason=reason))
                    rows = rows.filter(pc.invert(differs))
                rows = rows.drop_columns([fixed.component])
            rows = rows.append_column(fixed.component, _constant(fixed, rows.num_rows))
        return rows.combine_chunks()

    def _time_of(self, work: _Work) -> pa.Array:
        """The times that the validity of rows is about: the mapped ones, or those of the source."""
        time = self._structure.time_dimension
        if time is not None and time.id in work.out:
            return work.out[time.id]
        if _TIME in work.rows.column_names:
            return work.source(_TIME)
        raise self._fault("rows of its representation maps have a validity, and no time is mapped.")

    def _run(self, step: _Step, work: _Work, time: pa.Array | None) -> None:
        if step.rules is None:
            for source, target in zip(step.map.sources, step.map.targets, strict=True):
                work.out[target] = self._copied(work.source(source), target)
            return
        arrays = [work.source(name) for name in step.map.sources]
        if len(arrays) == 1 and pa.types.is_list(arrays[0].type):
            arrays = [joined(arrays[0])]
            step = replace(step, rules=of_arrays(step.rules))
        arrays = [self._texts(array, name) for array, name in zip(arrays, step.map.sources, strict=True)]
        codes, combinations = distinct(arrays if time is None else [*arrays, _where_it_matters(time, arrays, step)])
        answers = _Answers.of(step, combinations, timed=time is not None)
        self._report_rivals(step, work, answers, codes)
        if answers.lacking:
            lacking = np.isin(codes, np.array(sorted(answers.lacking), np.int64))
            self._report_lacking(step, work, answers, codes, lacking)
            if any(name in self._structure.key_ids for name in step.map.targets):
                work.dropped |= lacking
        work.put(step.map.targets, answers.rows, codes)

    def _copied(self, values: pa.Array, target: str) -> pa.Array:
        """Values of the target's own type as they are, else texts."""
        return values if values.type == self._schema.field(target).type else self._texts(values, target)

    def _texts(self, values: pa.Array, name: str) -> pa.Array:
        if pa.types.is_nested(values.type):
            raise self._fault(f"{name} has several values or languages at once, which cannot be mapped to one value.")
        return values.cast(pa.string())

    def _report_rivals(self, step: _Step, work: _Work, answers: _Answers, codes: Codes) -> None:
        """Values that several rows fit, the most frequent ones one by one and the rest together."""
        if not answers.rivals:
            return
        chosen = np.isin(codes, np.array(sorted(answers.rivals), np.int64))
        found = work.places(codes, chosen, work.letter(step.map.sources))
        for code, places in found[:_SUGGESTED]:
            values, taken, others = answers.rivals[code]
            self._add_rival(step, work, _shown(values), taken, others, places)
        if rest := found[_SUGGESTED:]:
            places = pa.concat_tables([one for _, one in rest])
            self._add_rival(step, work, f"{len(rest)} more values", "the first row", "something else", places)

    @staticmethod
    def _add_rival(step: _Step, work: _Work, value: str, taken: str, others: str, places: pa.Table) -> None:
        assert step.rules is not None
        words: dict[str, Any] = {"component": ", ".join(step.map.targets), "source": ", ".join(step.map.sources)}
        group = FindingGroup.of("F202", places=places, value=value, map=step.rules.name, taken=taken,
                               others=others, **words)  # fmt: skip
        work.report.add(group)

    def _report_lacking(
        self, step: _Step, work: _Work, answers: _Answers, codes: Codes, lacking: npt.NDArray[np.bool_]
    ) -> None:
        assert step.rules is not None
        letter = work.letter(step.map.sources)
        for number, (code, places) in enumerate(work.places(codes, lacking, letter)):
            values, expected = answers.lacking[code]
            text = step.rules.lacking(values) if isinstance(step.rules, ArrayRules) else _shown(values)
            assert step.candidates is not None
            reason = step.candidates.reason(text)
            is_asked = (
                number < _SUGGESTED and reason is None
            )  # what is left undecided on purpose is not suggested either
            near = step.candidates.near(text, 1, parts=number < _THOROUGH) if is_asked else []
            work.report.add(
                FindingGroup.of(
                    "F201",
                    places=places,
                    component=", ".join(step.map.targets),
                    source=", ".join(step.map.sources),
                    value=_shown(values),
                    map=step.rules.name,
                    suggestion=near[0].shown if near else None,
                    expected=reason or expected,
                )
            )

    # --- time --------------------------------------------------------------------------------------------------
    def _read_times(self, time_map: TimePatternMap, reader: TimeReader, work: _Work) -> None:
        arrays = [work.source(name) for name in time_map.sources]
        codes, combinations = distinct([*arrays, self._frequency(time_map, work)])
        answers: list[list[Targets]] = []
        wrong: dict[int, tuple[str, str]] = {}
        for code, (*parts, frequency) in enumerate(combinations):
            text = " ".join(part for part in parts if part)
            found = None
            if text:
                try:
                    found = reader.read(text, frequency)
                except SyntaxFault as fault:
                    wrong[code] = (text, fault.detail)
            answers.append([(found,)])
        if wrong:
            chosen = np.isin(codes, np.array(sorted(wrong), np.int64))
            for code, places in work.places(codes, chosen, work.letter(time_map.sources)):
                text, reason = wrong[code]
                finding = FindingGroup.of(
                    "F403",
                    places=places,
                    component=time_map.target,
                    value=text,
                    reason=reason,
                    expected=time_map.pattern,
                )
                work.report.add(finding)
            work.dropped |= chosen
        work.put((time_map.target,), answers, codes)

    def _frequency(self, time_map: TimePatternMap, work: _Work) -> pa.Array:
        if time_map.frequency_id is not None:
            return pa.repeat(pa.scalar(time_map.frequency_id, pa.string()), work.count)
        name = time_map.frequency_dimension
        if name in work.out:
            return work.out[name]
        raise self._fault(f"the frequency of {time_map.target} is said by {name!r}, which nothing maps.")

    # --- result ------------------------------------------------------------------------------------------------
    def _finished(self, work: _Work) -> pa.Table:
        arrays = []
        for field in self._schema:
            if field.name in (ROW, COLUMN, SHEET):
                source = work.rows[field.name] if field.name in work.rows.column_names else None
                arrays.append(pa.nulls(work.count, field.type) if source is None else _whole(source).cast(field.type))
            else:
                arrays.append(_shaped(work.out.get(field.name), field.type, work.count))
        table = pa.table(arrays, schema=self._schema)
        return table.filter(pa.array(~work.dropped)) if work.dropped.any() else table


@dataclass(frozen=True, slots=True)
class _Step:
    """A component map and its rules; without rules it copies."""

    map: ComponentMap
    rules: Rules | None = None
    candidates: MapCandidates | None = None


@dataclass(frozen=True, slots=True)
class _Answers:
    """What each distinct combination maps to, by its code.

    ``lacking``: those without answer, and what was expected; ``rivals``: those that several rows of the map fit, what
    is taken and what the others give.
    """

    rows: list[list[Targets]]
    lacking: Mapping[int, tuple[Values, str | None]]
    rivals: Mapping[int, tuple[Values, str, str]]

    @classmethod
    def of(cls, step: _Step, combinations: Sequence[Values], *, timed: bool) -> _Answers:
        """The rules' answers; a missing source value without a row of its own is a missing target value."""
        assert step.rules is not None
        nothing: Targets = (None,) * len(step.map.targets)
        known = spans({values[-1] for values in combinations}) if timed else {}
        rows: list[list[Targets]] = []
        lacking: dict[int, tuple[Values, str | None]] = {}
        rivals: dict[int, tuple[Values, str, str]] = {}
        is_tested = len(combinations) * step.rules.expressions <= _TESTED
        for code, combination in enumerate(combinations):
            values = combination[:-1] if timed else combination
            span = known.get(combination[-1]) if timed else None
            found = step.rules.find(values, span)
            if found is None and any(values):
                elsewhere = timed and step.rules.find(values) is not None
                lacking[code] = (values, f"a value that is mapped for {combination[-1]}" if elsewhere else None)
            elif found is not None and is_tested and (others := step.rules.rivals(values, span)):
                rivals[code] = (values, _named(found), _named(others))
            rows.append(found or [nothing])
        return cls(rows, lacking, rivals)


class _Work:
    """Rows on their way: source columns, components so far, rows to be left out."""

    def __init__(self, rows: pa.Table, report: Report) -> None:
        self.rows = rows
        self.report = report
        self.out: dict[str, pa.Array] = {}
        self.dropped = np.zeros(rows.num_rows, bool)

    @property
    def count(self) -> int:
        """How many rows there are now."""
        return int(self.rows.num_rows)

    def source(self, name: str) -> pa.Array:
        """A source column; codes as text."""
        column = _whole(self.rows[name])
        return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column

    def put(self, targets: Sequence[str], answers: Sequence[Sequence[Targets]], codes: Codes) -> None:
        """Give the targets their values; rows with several answers are repeated, once for each."""
        counts = np.fromiter(map(len, answers), np.int64, len(answers))
        if len(counts) and counts.max() > 1:
            starts = np.cumsum(counts) - counts
            repeats = counts[codes]
            parents = np.repeat(np.arange(len(codes)), repeats)
            offsets = np.arange(len(parents)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
            codes = starts[codes[parents]] + offsets
            self._repeat(parents)
        flat = [row for answer in answers for row in answer]
        for place, target in enumerate(targets):
            values = [row[place] for row in flat]
            is_array = any(isinstance(one, tuple) for one in values)
            kind = pa.list_(pa.string()) if is_array else pa.string()
            self.out[target] = pa.array(values, kind).take(pa.array(codes))

    def _repeat(self, parents: Codes) -> None:
        chosen = pa.array(parents)
        self.rows = self.rows.take(chosen).combine_chunks()
        self.out = {name: array.take(chosen) for name, array in self.out.items()}
        self.dropped = self.dropped[parents]

    def letter(self, sources: Sequence[str]) -> str | None:
        """The letter of the first source that was read from a column of the sender's sheet."""
        return letter_of(self.rows, sources)

    def places(self, codes: Codes, chosen: npt.NDArray[np.bool_], letter: str | None) -> list[tuple[int, pa.Table]]:
        """The cells of the chosen rows by code, each once, as places of findings; most frequent codes first."""
        indices = np.flatnonzero(chosen)
        indices = indices[first_of_each(self._places(indices, letter), codes[indices])]
        indices = indices[np.argsort(codes[indices], kind="stable")]
        found, starts, counts = np.unique(codes[indices], return_index=True, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        table = self._places(indices, letter)
        return [(int(found[n]), table.slice(int(starts[n]), int(counts[n]))) for n in order]

    def _places(self, indices: Codes, letter: str | None) -> pa.Table:
        rows = pa.array(indices)
        names = {"row": ROW, "column": COLUMN, "sheet": SHEET}
        there = {
            name: self.source(source).take(rows) for name, source in names.items() if source in self.rows.column_names
        }
        if letter is not None:
            there["column"] = pa.repeat(pa.scalar(letter, pa.string()), len(rows))
        return pa.table(there)


# ------------------------------------------------------------------------------------------------------------- columns


def _shown(values: Sequence[str | None]) -> str:
    """Source values as people read them: of several columns with a bar between, of an array with commas."""
    return shown([None if value is None else value.replace(SEPARATOR, ", ") for value in values])


def _where_it_matters(time: pa.Array, arrays: Sequence[pa.Array], step: _Step) -> pa.Array:
    """The times of the rows whose values have rows of the map with a validity; of the others it is not asked."""
    assert step.rules is not None
    codes, combinations = distinct(arrays)
    dated = np.fromiter(map(step.rules.is_dated, combinations), bool, len(combinations))
    return pc.if_else(pa.array(dated[codes]), time, pa.scalar(None, time.type))


def _named(rows: Sequence[Targets]) -> str:
    """Targets as people read them."""
    return ", ".join(
        " | ".join(", ".join(one) if isinstance(one, tuple) else one or "nothing" for one in row) for row in rows
    )


def letter_of(rows: pa.Table, sources: Sequence[str]) -> str | None:
    """The letter of the first of some columns that was read from a column of the sender's sheet."""
    for name in sources:
        metadata = (rows.schema.field(name).metadata or {}) if name in rows.column_names else {}
        if LETTER in metadata:
            return str(metadata[LETTER].decode())
    return None


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _constant(fixed: FixedValue, count: int) -> pa.Array:
    if len(fixed.values) == 1:
        return pa.repeat(pa.scalar(fixed.values[0], pa.string()), count)
    return pa.repeat(pa.scalar(list(fixed.values), pa.list_(pa.string())), count)


def _shaped(array: pa.Array | None, type: pa.DataType, count: int) -> pa.Array:  # noqa: A002
    """A column of texts in the type of its component as read: a list of one, or a text in ``LANGUAGE``."""
    if array is None:
        return pa.nulls(count, type)
    if array.type == type:
        return array
    if type == pa.string():
        return array.cast(type)
    encoded = array.cast(pa.string()).dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    whole = [[(LANGUAGE, text)] for text in texts] if pa.types.is_map(type) else [[text] for text in texts]
    return pa.array(whole, type).take(encoded.indices)
