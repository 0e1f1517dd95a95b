"""Values and codes of rows as read, checked column by column on distinct values, and typed.

Every check is complete and counted; nothing stops at a cap. Codes of dimensions and coded components must be in their
list (and allowed by the constraints that hold, alone and together: ``allowed_rows``), times must be periods of the
component's type, numbers and texts must have their type and facets, mandatory components must be there (``presence``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import Allowed
from sdmx_service.errors import SyntaxFault
from sdmx_service.model.artefact import Item
from sdmx_service.model.columns import (
    COLUMN,
    INFINITIES,
    NOT_A_NUMBER,
    NOT_APPLICABLE,
    NOT_AVAILABLE,
    ORIGIN_FIELDS,
    ROW,
    SHEET,
    Column,
    coded,
    columns,
    parse_numbers,
    typed_fields,
    typed_schema,
)
from sdmx_service.model.facets import facet_problem
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import Action, Target
from sdmx_service.model.period import parse_period
from sdmx_service.model.representation import NUMERIC_TYPES
from sdmx_service.model.structure import Component
from sdmx_service.submission.allowed_rows import AllowedRows, Breach
from sdmx_service.submission.origin import Places, origin
from sdmx_service.submission.presence import Presence, StoredRows
from sdmx_service.submission.report import Report
from sdmx_service.submission.suggestions import Suggester
from sdmx_service.submission.whole_numbers import INTEGERS, as_integers

_Verdict = tuple[str, str]
"""Finding code, and what was expected (or which constraint forbids)."""
_Judge = Callable[[str], _Verdict | None]
_FINITE = NUMERIC_TYPES - INTEGERS - {"Float", "Double"}
"""Data types of numbers with decimals that have no infinity (SDMX 3.1 *DataType*: those of xs:decimal)."""
_SINGLED_OUT = 500
"""Distinct wrong values of a component that get a group of their own with a suggestion; the others share one."""
_REMEMBERED = 100_000
"""Verdicts kept per component from batch to batch."""


class Validator:
    """Checks and types the rows of one data set.

    Args:
        target: structure, dataflow and provider the rows belong to.
        action: Delete needs no values, and dimensions may be missing.
        allowed: codes left by constraints.
        letters: component id -> letter of the sender's column; None: the rows are a message, whose columns are
            called by the components' ids.
        stored: where a merge may find what it leaves out; None: nowhere.
    """

    def __init__(
        self,
        *,
        target: Target,
        action: Action,
        catalog: Catalog,
        report: Report,
        allowed: Allowed | None = None,
        letters: Mapping[str, str] | None = None,
        stored: StoredRows | None = None,
    ) -> None:
        self.structure = target.structure
        self._columns = columns(self.structure)
        self._deletes = action is Action.DELETE
        self._catalog = catalog
        self._report = report
        self._allowed = allowed or Allowed()
        self._places = Places(self.structure, letters)
        self._judges = {column.id: self._judge(column) for column in self._columns}
        self._verdicts: dict[str, dict[str, _Verdict | None]] = {}
        self._suggesters: dict[str, Suggester] = {}
        self._suggestions: dict[str, dict[str, str | None]] = {}
        self._presence = Presence(self.structure, action, report, self._places, stored)
        self._allowed_rows = AllowedRows(self.structure, self._allowed)
        self._faulty: npt.NDArray[np.bool_] | None = None
        self.schema = pa.schema([*typed_schema(self.structure), *ORIGIN_FIELDS])

    # --- batches -----------------------------------------------------------------------------------------------
    def check(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch as typed, with its origin columns; everything wrong with it is in the report."""
        self._faulty = np.zeros(len(batch), bool) if self._allowed_rows.is_any else None
        arrays: dict[str, pa.Array] = {}
        keys: dict[str, pa.DictionaryArray] = {}
        for column in self._columns:
            values = batch.column(column.id) if column.id in batch.schema.names else pa.nulls(len(batch), pa.string())
            arrays |= self._typed(column, values, batch)
            if column.role in ("dimension", "time"):
                keys[column.id] = arrays[column.id]
        for breach in self._allowed_rows.breaches(arrays, len(batch), self._faulty):
            self._report_breach(breach, batch)
        if self._deletes:
            self._presence.check_deletion(batch)
        else:
            self._presence.check(batch, keys)
        arrays |= {ROW: origin(batch, ROW), COLUMN: self._places.of_rows(batch), SHEET: origin(batch, SHEET)}
        return pa.record_batch([arrays[field.name] for field in self.schema], schema=self.schema)

    def _report_breach(self, breach: Breach, batch: pa.RecordBatch) -> None:
        places = self._places.of(batch.take(pa.array(breach.rows)), breach.component)
        self._report.add(breach.group(places.append_column("value", breach.values)))

    def finish(self) -> None:
        """Checks that need all rows: mandatory components that are given somewhere else."""
        self._presence.finish()

    @property
    def leaves_out(self) -> bool:
        """Whether rows leave out something mandatory that may be stored; known when it is finished."""
        return self._presence.leaves_out

    # --- values ------------------------------------------------------------------------------------------------
    def _typed(self, column: Column, values: pa.Array, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        if values.null_count == len(values):
            return {field.name: pa.nulls(len(values), field.type) for field in typed_fields(column)}
        if column.kind == "number":
            return self._numbers(column, values.cast(pa.string()), batch)
        if column.kind == "multi":
            return {column.id: self._multi(column, values, batch)}
        if column.kind == "multilingual":
            return {column.id: self._multilingual(column, values, batch)}
        if column.kind == "text" and self._judges[column.id] is None:
            return {column.id: values.cast(pa.string())}
        encoded = coded(values)
        self._check_distinct(column, encoded, batch)
        return {column.id: encoded if column.kind == "code" else encoded.cast(pa.string())}

    def _numbers(self, column: Column, texts: pa.StringArray, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        if self._deletes:
            texts = _blank_marks(texts)
        numbers = parse_numbers(texts)
        wrong = pc.or_(numbers.invalid, pc.fill_null(pc.equal(texts, NOT_APPLICABLE), False))
        if pc.any(wrong, min_count=0).as_py():
            self._report_texts(column, texts, wrong, batch)
        infinite = pc.fill_null(pc.is_inf(numbers.values), False)
        if pc.any(infinite, min_count=0).as_py() and not self._deletes:
            wrong = pc.or_(wrong, self._report_infinite(column, texts, infinite, batch))
        if self._judges[column.id] is not None and not self._deletes:
            right = pc.if_else(wrong, pa.scalar(None, pa.string()), texts)
            self._check_distinct(column, right.dictionary_encode(), batch)
        if column.component.form.data_type in INTEGERS and not self._deletes:
            numbers, otherwise = as_integers(texts, numbers)
            if otherwise is not None:
                places = self._places.of(batch.filter(otherwise), column.id)
                places = places.append_column("value", texts.filter(otherwise))
                self._report.add(FindingGroup.of("F307", places=places, component=column.id))
        return {column.id: numbers.values, column.decimals: numbers.decimals, column.text: numbers.texts}

    def _report_infinite(
        self, column: Column, texts: pa.Array, infinite: pa.BooleanArray, batch: pa.RecordBatch
    ) -> pa.BooleanArray:
        """Report numbers too great to be held, and infinity where the type has none; which these are."""
        if column.component.form.data_type not in _FINITE:
            infinite = pc.and_not(infinite, pc.is_in(texts, value_set=pa.array(INFINITIES)))
        if pc.any(infinite).as_py():
            self._report_texts(column, texts, infinite, batch, "a finite number, below 1.8e308 in size")
        return infinite

    def _report_texts(
        self, column: Column, texts: pa.Array, wrong: pa.Array, batch: pa.RecordBatch, said: str | None = None
    ) -> None:
        places = self._places.of(batch.filter(wrong), column.id).append_column("value", texts.filter(wrong))
        expected = said or ("a number" if column.component.form.text_format is not None else "a number or nothing")
        self._report.add(FindingGroup.of("F304", places=places, component=column.id, expected=expected))

    def _multi(self, column: Column, values: pa.Array, batch: pa.RecordBatch) -> pa.Array:
        lists = values.cast(pa.list_(pa.string()))
        self._check_inner(column, pc.list_flatten(lists), lists, batch)
        return lists

    def _multilingual(self, column: Column, values: pa.Array, batch: pa.RecordBatch) -> pa.Array:
        kind = pa.map_(pa.string(), pa.string())
        texts = pa.nulls(len(values), kind) if pa.types.is_null(values.type) else values.cast(kind)
        lists = texts.cast(pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())])))
        self._check_inner(column, pc.struct_field(pc.list_flatten(lists), "value"), lists, batch)
        return texts

    def _check_inner(self, column: Column, inner: pa.Array, lists: pa.Array, batch: pa.RecordBatch) -> None:
        """Check the values inside lists, each at the place of its row."""
        if len(inner) and self._judges[column.id] is not None:
            rows = batch.take(pc.list_parent_indices(lists).cast(pa.int64()))
            self._check_distinct(column, inner.dictionary_encode(), rows)

    # --- distinct values ---------------------------------------------------------------------------------------
    def _check_distinct(self, column: Column, encoded: pa.DictionaryArray, batch: pa.RecordBatch) -> None:
        """Judge each distinct value once; report the rows of the wrong ones."""
        judge = self._judges[column.id]
        if judge is None:
            return
        verdicts = self._verdicts.setdefault(column.id, {})
        if len(verdicts) > _REMEMBERED:
            verdicts.clear()
        wrong: dict[_Verdict, list[int]] = {}
        texts = encoded.dictionary.to_pylist()
        for index, value in enumerate(texts):
            if value not in verdicts:
                verdicts[value] = judge(value)
            if (verdict := verdicts[value]) is not None:
                wrong.setdefault(verdict, []).append(index)
        if wrong:
            indices = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
            self._note_faulty(wrong, indices, len(texts))
            for verdict, found in wrong.items():
                self._report_values(column, verdict, found, texts, indices, batch)

    def _note_faulty(self, wrong: Mapping[_Verdict, list[int]], indices: npt.NDArray[np.int32], count: int) -> None:
        """Remember the rows with a wrong value: that it does not fit with others needs no telling."""
        if self._faulty is not None and len(indices) == len(self._faulty):
            flags = np.zeros(count + 1, bool)
            flags[[index for found in wrong.values() for index in found]] = True
            self._faulty |= flags[indices]

    def _report_values(
        self,
        column: Column,
        verdict: _Verdict,
        wrong: list[int],
        texts: list[str],
        indices: npt.NDArray[np.int32],
        batch: pa.RecordBatch,
    ) -> None:
        """Each of the first wrong values is a cause of its own; beyond, all together are one."""
        known = self._suggestions.setdefault(column.id, {})
        single = [index for index in wrong if texts[index] in known]
        for index in wrong:
            if texts[index] not in known and len(known) < _SINGLED_OUT:
                known[texts[index]] = self._suggest(column, verdict, texts[index])
                single.append(index)
        for index, rows in _rows_of(indices, single, len(texts)):
            value = texts[index]
            places = self._places.of(batch.take(rows), column.id)
            group = _group(verdict, column, places, value=value, suggestion=known[value])
            self._report.add(group)
        others = np.zeros(len(texts) + 1, bool)
        others[list(set(wrong) - set(single))] = True
        rows = pa.array(np.flatnonzero(others[indices]))
        if len(rows):
            values = pa.array(texts, pa.string()).take(pa.array(indices).take(rows))
            places = self._places.of(batch.take(rows), column.id).append_column("value", values)
            self._report.add(_group(verdict, column, places))

    def _suggest(self, column: Column, verdict: _Verdict, value: str) -> str | None:
        """The nearest code that may be sent."""
        if verdict[0] not in ("F401", "F402", "F502"):
            return None
        if column.id not in self._suggesters:
            items = self._catalog.codes(column.component) or {}
            allowed = self._allowed.codes.get(column.id)
            chosen = items if allowed is None else {id: item for id, item in items.items() if id in allowed}
            self._suggesters[column.id] = Suggester.of_items(chosen)
        return self._suggesters[column.id].nearest(value)

    # --- judges ------------------------------------------------------------------------------------------------
    def _judge(self, column: Column) -> _Judge | None:
        """What is wrong with a value of a column; None: nothing can be.

        Marks (SDMX 3.1): ``~`` where a dimension does not apply, ``NaN`` and ``#N/A`` where a value is intentionally
        missing, the former for numbers.
        """
        if self._deletes and column.role in ("measure", "attribute"):
            return None
        if column.role == "time":
            return lambda value: _judge_time(column.component, value)
        items = self._catalog.codes(column.component)
        if items is not None:
            mark = NOT_APPLICABLE if column.role == "dimension" else NOT_AVAILABLE
            return self._code_judge(column, items, mark)
        limits = facet_problem(column.component.form, is_number=column.kind == "number")
        if limits is None:
            return None
        marks = (NOT_APPLICABLE,) if column.role == "dimension" else (NOT_AVAILABLE, NOT_A_NUMBER)

        def judge(value: str) -> _Verdict | None:
            reason = None if value in marks else limits(value)
            return None if reason is None else ("F304", reason)

        return judge

    def _code_judge(self, column: Column, items: Mapping[str, Item], mark: str) -> _Judge:
        enumeration = column.component.form.enumeration
        name = "" if enumeration is None else enumeration.text
        allowed = self._allowed.codes.get(column.id)
        forbidding = self._allowed.constraints.get(column.id, "")
        code = "F502" if column.id in self._allowed.of_provider else "F402"

        def judge(value: str) -> _Verdict | None:
            if value in items:
                return None if allowed is None or value in allowed else (code, forbidding)
            return None if value == mark else ("F401", name)

        return judge


def _group(verdict: _Verdict, column: Column, places: pa.Table, **constants: Any) -> FindingGroup:
    code, said = verdict
    constants |= {"component": column.id}
    if code == "F401":
        constants |= {"codelist": said, "expected": said}
    elif code in ("F402", "F502"):
        constants |= {"constraint": said, "expected": f"a code that {said} allows"}
    elif code == "F403":
        constants |= {"reason": said, "expected": "a time period"}
    else:
        constants |= {"expected": said}
    return FindingGroup.of(code, places=places, **constants)


def _rows_of(indices: npt.NDArray[np.int32], wanted: list[int], count: int) -> list[tuple[int, pa.Array]]:
    """The rows of each wanted value, by one sort of the rows that have any of them."""
    if not wanted:
        return []
    chosen = np.zeros(count + 1, bool)
    chosen[wanted] = True
    rows = np.flatnonzero(chosen[indices])
    rows = rows[np.argsort(indices[rows], kind="stable")]
    found, starts = np.unique(indices[rows], return_index=True)
    pieces = np.split(rows, starts[1:])
    by_value = {int(index): pa.array(piece) for index, piece in zip(found, pieces, strict=True)}
    return [(index, by_value[index]) for index in wanted if index in by_value]


def _blank_marks(texts: pa.StringArray) -> pa.StringArray:
    """In deletions any text marks the cell to delete; a mark that is no number becomes ``NaN``."""
    return pc.if_else(parse_numbers(texts).invalid, NOT_A_NUMBER, texts)


def _judge_time(component: Component, value: str) -> _Verdict | None:
    try:
        period = parse_period(value)
    except SyntaxFault as fault:
        _, _, reason = fault.detail.partition(" is not a time period")
        hint = fault.hint[:1].lower() + fault.hint[1:]
        return "F403", (reason.strip(" :.") or hint.strip(" .") or "it is written in no form that SDMX knows")
    kind = component.form.data_type
    if component.form.text_format is None or kind in ("String", "ObservationalTimePeriod") or period.kind.fits(kind):
        return None
    return "F403", f"a time of type {kind} is needed here"
