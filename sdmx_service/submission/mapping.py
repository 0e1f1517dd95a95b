"""Named columns to components, as a StructureMap says (SDMX 3.1 Technical Notes, *Structure Mapping*).

The rules are asked once per distinct combination of source values; the rows take the answers. What has no mapping is a
finding per value, with its places, and its rows are left out if a dimension lacks (*standard*: no matching rule, no
output); if an attribute lacks, the row stays without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.errors import InvalidStructure, SyntaxFault
from sdmx_service.model.columns import COLUMN, ROW, SHEET, columns, read_schema
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.mapping import ComponentMap, FixedValue, RepresentationMap, StructureMap, TimePatternMap
from sdmx_service.model.period import parse_period
from sdmx_service.model.structure import DataStructure
from sdmx_service.submission.report import Report
from sdmx_service.submission.representation_mapping import RepresentationRules, Span, Targets
from sdmx_service.submission.tables import LETTER
from sdmx_service.submission.time_patterns import TimeReader

LANGUAGE = "en"
"""The language of texts that a file gives without one (the default of ``xml:lang`` in SDMX-ML)."""

_TIME = "TIME_PERIOD"
_SUGGESTED = 500
"""Distinct unmapped values of one component map for which the nearest known one is looked up."""

_Codes = npt.NDArray[np.int64]
_Values = tuple[str | None, ...]


class Mapper:
    """Applies a structure map.

    Args:
        structure_map: the map; its sources are columns of the rows, its targets components of ``structure``.
        catalog: has the representation maps.
        structure: the target's structure, resolved.

    Raises:
        InvalidStructure: a target is no component of the structure, is mapped twice, or the map contradicts itself.
        UnresolvedReference: a representation map is not in the catalog.
    """

    def __init__(self, structure_map: StructureMap, catalog: Catalog, structure: DataStructure) -> None:
        self._map = structure_map
        self._structure = structure
        self._schema = read_schema(structure)
        self._check_targets()
        rules = [(one, self._rules(one, catalog)) for one in structure_map.components]
        self._plain = [_Step(one, rule) for one, rule in rules if rule is None or not rule.has_validity]
        self._timed = [_Step(one, rule) for one, rule in rules if rule is not None and rule.has_validity]
        self._times = [(one, self._reader(one)) for one in structure_map.times]
        self._check_order()

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that the map reads."""
        maps: tuple[ComponentMap | TimePatternMap, ...] = (*self._map.components, *self._map.times)
        fixed = {one.component for one in self._map.fixed if one.role == "source"}
        return tuple(dict.fromkeys(name for one in maps for name in one.sources if name not in fixed))

    def letters(self, rows: pa.Table) -> dict[str, str]:
        """Component -> letter of the sender's column that it comes from, as far as the rows say (``LETTER``).

        A component that comes from a header, a sheet's name or the map itself has none.
        """
        maps = [(one.sources, one.targets) for one in self._map.components]
        maps += [(one.sources, (one.target,)) for one in self._map.times]
        found = ((target, letter_of(rows, sources)) for sources, targets in maps for target in targets)
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
        multi = {column.id for column in columns(self._structure) if column.kind == "multi"}
        for one in self._map.fixed:
            if len(one.values) != 1 and (one.role == "source" or one.component not in multi):
                raise self._fault(f"the fixed value of {one.component} must be one value.")

    def _rules(self, component_map: ComponentMap, catalog: Catalog) -> RepresentationRules | None:
        sources, targets = len(component_map.sources), len(component_map.targets)
        if component_map.representation_map is None:
            if sources != targets:
                names = ", ".join(component_map.targets)
                raise self._fault(f"{names}: {sources} sources cannot be copied to {targets} targets.")
            return None
        found = catalog.artefact(component_map.representation_map)
        if not isinstance(found, RepresentationMap):
            raise self._fault(f"{found.ref.text} is a {found.type}, not a representation map.")
        keys = [place for place, name in enumerate(component_map.targets) if name in self._structure.key_ids]
        return RepresentationRules(found, sources=sources, targets=targets, keys=keys)

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

        Findings: F201 values without mapping, F403 times that do not fit their pattern.

        Raises:
            InvalidStructure: the rows have no column that the map reads.
        """
        work = _Work(self._with_fixed_sources(rows.combine_chunks()), report)
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

    def _with_fixed_sources(self, rows: pa.Table) -> pa.Table:
        for fixed in self._map.fixed:
            if fixed.role == "source":
                if fixed.component in rows.column_names:
                    rows = rows.drop_columns([fixed.component])
                rows = rows.append_column(fixed.component, _constant(fixed, rows.num_rows))
        return rows

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
        arrays = [self._texts(work.source(name), name) for name in step.map.sources]
        codes, combinations = distinct(arrays if time is None else [*arrays, time])
        answers = _Answers.of(step, combinations, timed=time is not None)
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

    def _report_lacking(
        self, step: _Step, work: _Work, answers: _Answers, codes: _Codes, lacking: npt.NDArray[np.bool_]
    ) -> None:
        assert step.rules is not None
        letter = work.letter(step.map.sources)
        for number, (code, places) in enumerate(work.places(codes, lacking, letter)):
            values, expected = answers.lacking[code]
            suggestion = step.rules.nearest(values) if number < _SUGGESTED else None
            work.report.add(
                FindingGroup.of(
                    "F201",
                    places=places,
                    component=", ".join(step.map.targets),
                    source=", ".join(step.map.sources),
                    value=" | ".join(value or "" for value in values),
                    map=step.rules.name,
                    suggestion=suggestion,
                    expected=expected,
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
    rules: RepresentationRules | None


@dataclass(frozen=True, slots=True)
class _Answers:
    """What each distinct combination maps to, by its code; ``lacking`` those without answer and what was expected."""

    rows: list[list[Targets]]
    lacking: Mapping[int, tuple[_Values, str | None]]

    @classmethod
    def of(cls, step: _Step, combinations: Sequence[_Values], *, timed: bool) -> _Answers:
        """The rules' answers; a missing source value without a row of its own is a missing target value."""
        assert step.rules is not None
        nothing: Targets = (None,) * len(step.map.targets)
        spans = _spans({values[-1] for values in combinations}) if timed else {}
        rows: list[list[Targets]] = []
        lacking: dict[int, tuple[_Values, str | None]] = {}
        for code, combination in enumerate(combinations):
            values = combination[:-1] if timed else combination
            found = step.rules.find(values, spans.get(combination[-1]) if timed else None)
            if found is None and any(values):
                elsewhere = timed and step.rules.find(values) is not None
                lacking[code] = (values, f"a value that is mapped for {combination[-1]}" if elsewhere else None)
            rows.append(found or [nothing])
        return cls(rows, lacking)


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

    def put(self, targets: Sequence[str], answers: Sequence[Sequence[Targets]], codes: _Codes) -> None:
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
            self.out[target] = pa.array([row[place] for row in flat], pa.string()).take(pa.array(codes))

    def _repeat(self, parents: _Codes) -> None:
        chosen = pa.array(parents)
        self.rows = self.rows.take(chosen).combine_chunks()
        self.out = {name: array.take(chosen) for name, array in self.out.items()}
        self.dropped = self.dropped[parents]

    def letter(self, sources: Sequence[str]) -> str | None:
        """The letter of the first source that was read from a column of the sender's sheet."""
        return letter_of(self.rows, sources)

    def places(self, codes: _Codes, chosen: npt.NDArray[np.bool_], letter: str | None) -> list[tuple[int, pa.Table]]:
        """The chosen rows by code, most frequent codes first, as the places of findings."""
        indices = np.flatnonzero(chosen)
        indices = indices[np.argsort(codes[indices], kind="stable")]
        found, starts, counts = np.unique(codes[indices], return_index=True, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        table = self._places(indices, letter)
        return [(int(found[n]), table.slice(int(starts[n]), int(counts[n]))) for n in order]

    def _places(self, indices: _Codes, letter: str | None) -> pa.Table:
        rows = pa.array(indices)
        names = {"row": ROW, "column": COLUMN, "sheet": SHEET}
        there = {
            name: self.source(source).take(rows) for name, source in names.items() if source in self.rows.column_names
        }
        if letter is not None:
            there["column"] = pa.repeat(pa.scalar(letter, pa.string()), len(rows))
        return pa.table(there)


# ------------------------------------------------------------------------------------------------------------- columns


def letter_of(rows: pa.Table, sources: Sequence[str]) -> str | None:
    """The letter of the first of some columns that was read from a column of the sender's sheet."""
    for name in sources:
        metadata = (rows.schema.field(name).metadata or {}) if name in rows.column_names else {}
        if LETTER in metadata:
            return str(metadata[LETTER].decode())
    return None


def distinct(arrays: Sequence[pa.Array]) -> tuple[_Codes, list[_Values]]:
    """The distinct combinations of some text columns, and per row the number of its combination."""
    encoded = [pc.dictionary_encode(array, null_encoding="encode") for array in arrays]
    indices = [one.indices.to_numpy(zero_copy_only=False).astype(np.int64) for one in encoded]
    if len(encoded) == 1:
        return indices[0], [(value,) for value in encoded[0].dictionary.to_pylist()]
    codes, count = indices[0], len(encoded[0].dictionary)
    for one, more in zip(encoded[1:], indices[1:], strict=True):
        codes, count = _compressed(codes * len(one.dictionary) + more, count * len(one.dictionary))
    first = np.empty(count, np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    rows = pa.array(first)
    return codes, list(zip(*(array.take(rows).to_pylist() for array in arrays), strict=True))


def _compressed(codes: _Codes, limit: int) -> tuple[_Codes, int]:
    """Codes below ``limit``, numbered anew without gaps, and how many there are."""
    if limit > 4 * len(codes) + 65_536:
        found, codes = np.unique(codes, return_inverse=True)
        return codes, len(found)
    there = np.zeros(limit, bool)
    there[codes] = True
    return (np.cumsum(there) - 1)[codes], int(there.sum())


def _spans(times: set[str | None]) -> dict[str | None, Span]:
    """The spans of texts that are periods; the others are for the check of times to find."""
    spans: dict[str | None, Span] = {}
    for text in times:
        if text is not None:
            try:
                period = parse_period(text)
            except SyntaxFault:
                continue
            spans[text] = (period.start, period.end)
    return spans


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
