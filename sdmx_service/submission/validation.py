"""Values and codes of rows as read, checked column by column on distinct values, and typed.

Every check is complete and counted; nothing stops at a cap. Codes of dimensions and coded components must be in their
list (and allowed by the constraints that hold), times must be periods of the component's type, numbers and texts must
have their type and facets, mandatory components must be there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import Allowed
from sdmx_service.errors import SyntaxFault
from sdmx_service.model.columns import COLUMN, MARKS, ROW, SHEET, Column, columns, parse_numbers, typed_schema
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import Action, Target
from sdmx_service.model.period import parse_period
from sdmx_service.model.structure import Attribute, Component, Measure
from sdmx_service.submission.facets import facet_problem
from sdmx_service.submission.report import Report
from sdmx_service.submission.suggestions import Suggester

Problem = Callable[[str], str | None]
"""What is wrong with a value, in words for ``expected``; None if nothing."""


class Validator:
    """Checks and types the rows of one data set.

    Args:
        target: structure, dataflow and provider the rows belong to.
        action: Delete needs no values, and dimensions may be missing.
        allowed: codes left by constraints.
    """

    def __init__(
        self, *, target: Target, action: Action, catalog: Catalog, report: Report, allowed: Allowed | None = None
    ) -> None:
        self.structure = target.structure
        self._columns = columns(self.structure)
        self._deletes = action is Action.DELETE
        self._catalog = catalog
        self._report = report
        self._allowed = allowed or Allowed()
        self._suggesters: dict[str, Suggester] = {}
        self._verdicts: dict[str, dict[str, tuple[str, str] | None]] = {}
        self._lacking: dict[str, list[pa.Table]] = {}
        self._given: dict[str, list[pa.Table]] = {}
        self.schema = pa.schema(
            [
                *typed_schema(self.structure),
                pa.field(ROW, pa.int64()),
                pa.field(COLUMN, pa.string()),
                pa.field(SHEET, pa.string()),
            ]
        )

    # --- batches -----------------------------------------------------------------------------------------------
    def check(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch as typed, with its origin columns; everything wrong with it is in the report."""
        arrays: dict[str, pa.Array] = {}
        for column in self._columns:
            values = batch.column(column.id) if column.id in batch.schema.names else pa.nulls(len(batch), pa.string())
            arrays |= self._typed(column, values, batch)
        if not self._deletes:
            self._check_presence(batch)
        for name in (ROW, COLUMN, SHEET):
            arrays[name] = _origin(batch, name)
        return pa.record_batch([arrays[field.name] for field in self.schema], schema=self.schema)

    def finish(self) -> None:
        """Checks that need all rows: mandatory attributes of higher levels given somewhere."""
        for column in self._columns:
            if column.id in self._lacking:
                self._check_attached(column)

    # --- values ------------------------------------------------------------------------------------------------
    def _typed(self, column: Column, values: pa.Array, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        if column.kind == "number":
            return self._numbers(column, values.cast(pa.string()), batch)
        if column.kind == "multi":
            return {column.id: self._multi(column, values, batch)}
        if column.kind == "multilingual":
            return {column.id: values.cast(pa.map_(pa.string(), pa.string()))}
        encoded = values.cast(pa.string()).dictionary_encode()
        self._check_distinct(column, encoded, batch)
        return {column.id: encoded if column.kind == "code" else encoded.cast(pa.string())}

    def _numbers(self, column: Column, texts: pa.StringArray, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        if self._deletes:
            texts = _blank_marks(texts)
        numbers = parse_numbers(texts)
        wrong = numbers.invalid
        if pc.any(wrong).as_py():
            code = column.component.form.data_type
            self._add_values("F304", column, texts, wrong, batch, expected=code)
        limits = facet_problem(column.component.form)
        if limits is not None:
            self._check_distinct(column, texts.dictionary_encode(), batch, problem=limits, skip=wrong)
        return {column.id: numbers.values, column.decimals: numbers.decimals, column.text: numbers.texts}

    def _multi(self, column: Column, values: pa.Array, batch: pa.RecordBatch) -> pa.Array:
        lists = values.cast(pa.list_(pa.string()))
        rows = batch.take(pc.list_parent_indices(lists).cast(pa.int64()))
        self._check_distinct(column, pc.list_flatten(lists).dictionary_encode(), rows)
        return lists

    def _check_distinct(
        self,
        column: Column,
        encoded: pa.DictionaryArray,
        batch: pa.RecordBatch,
        *,
        problem: Problem | None = None,
        skip: pa.BooleanArray | None = None,
    ) -> None:
        """Judge each distinct value once; report the rows of the wrong ones."""
        verdicts = self._verdicts.setdefault(column.id, {})
        wrong: dict[int, tuple[str, str]] = {}
        for index, value in enumerate(encoded.dictionary.to_pylist()):
            if value not in verdicts:
                verdicts[value] = self._judge(column, value, problem)
            if (verdict := verdicts[value]) is not None:
                wrong[index] = verdict
        if not wrong:
            return
        indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        skipped = None if skip is None else skip.to_numpy(zero_copy_only=False)
        for index, (code, expected) in wrong.items():
            chosen = indices == index if skipped is None else (indices == index) & ~skipped
            if chosen.any():
                self._add(code, column, encoded.dictionary[index].as_py(), expected, chosen, batch)

    def _judge(self, column: Column, value: str, problem: Problem | None) -> tuple[str, str] | None:
        """Finding code and what was expected, or None."""
        if value in MARKS and column.role != "time":
            return None
        if self._deletes and column.role in ("measure", "attribute"):
            return None
        if problem is not None:
            reason = problem(value)
            return None if reason is None else ("F304", reason)
        if column.role == "time":
            reason = _time_problem(column.component, value)
            return None if reason is None else ("F403", reason)
        items = self._catalog.codes(column.component)
        if items is not None:
            return self._judge_code(column, value, items)
        limits = facet_problem(column.component.form)
        reason = None if limits is None else limits(value)
        return None if reason is None else ("F304", reason)

    def _judge_code(self, column: Column, value: str, items: Mapping[str, object]) -> tuple[str, str] | None:
        if value not in items:
            enumeration = column.component.form.enumeration
            return ("F401", enumeration.text if enumeration is not None else "")
        allowed = self._allowed.codes.get(column.id)
        return None if allowed is None or value in allowed else ("F402", self._allowed.constraints.get(column.id, ""))

    def _add(
        self, code: str, column: Column, value: str, expected: str, chosen: np.ndarray, batch: pa.RecordBatch
    ) -> None:
        rows = batch.filter(pa.array(chosen))
        constants: dict[str, Any] = {"component": column.id, "value": value, "expected": expected}
        if code == "F401":
            constants |= {"codelist": expected, "suggestion": self._suggest(column, value)}
        elif code == "F402":
            constants |= {"constraint": expected}
        elif code == "F403":
            constants |= {"reason": expected}
        self._report.add(FindingGroup.of(code, places=self._places(rows), **constants))

    def _add_values(
        self, code: str, column: Column, texts: pa.Array, wrong: pa.Array, batch: pa.RecordBatch, *, expected: str
    ) -> None:
        places = self._places(batch.filter(wrong)).append_column("value", texts.filter(wrong))
        self._report.add(FindingGroup.of(code, places=places, component=column.id, expected=expected))

    def _suggest(self, column: Column, value: str) -> str | None:
        if column.id not in self._suggesters:
            self._suggesters[column.id] = Suggester.of_items(self._catalog.codes(column.component) or {})
        return self._suggesters[column.id].nearest(value)

    def _places(self, rows: pa.RecordBatch) -> pa.Table:
        names = {"row": ROW, "column": COLUMN, "sheet": SHEET}
        found = {name: _origin(rows, source) for name, source in names.items()}
        for id in self.structure.key_ids:
            if id in rows.schema.names:
                found[f"key.{id}"] = rows.column(id).cast(pa.string())
        return pa.table(found)

    # --- presence ----------------------------------------------------------------------------------------------
    def _check_presence(self, batch: pa.RecordBatch) -> None:
        present = {column.id: _is_present(batch, column.id) for column in self._columns}
        count = len(batch)
        whole = _all([present[id] for id in self.structure.key_ids], count)
        measured = _any([present[one.id] for one in self.structure.measures], count)
        for id in self.structure.key_ids:
            self._report_rows("F302", id, _carries(self, id, present, measured, count) & ~present[id], batch)
        for column in self._columns:
            component = column.component
            if isinstance(component, Measure) and component.usage == "mandatory":
                self._report_rows("F305", column.id, whole & ~present[column.id], batch)
            elif isinstance(component, Attribute) and component.usage == "mandatory" and column.level is None:
                self._report_rows("F303", column.id, whole & ~present[column.id], batch)
            elif isinstance(component, Attribute) and component.usage == "mandatory":
                self._note_attached(column, present[column.id], whole, batch)

    def _report_rows(self, code: str, component: str, wrong: np.ndarray, batch: pa.RecordBatch) -> None:
        if wrong.any():
            places = self._places(batch.filter(pa.array(wrong)))
            self._report.add(FindingGroup.of(code, places=places, component=component))

    def _note_attached(self, column: Column, present: np.ndarray, whole: np.ndarray, batch: pa.RecordBatch) -> None:
        """Remember level keys with and without the attribute; ``finish`` compares them."""
        level = list(column.level or ())
        given, lacking = batch.filter(pa.array(present)), batch.filter(pa.array(whole & ~present))
        if len(given):
            self._given.setdefault(column.id, []).append(_distinct(given, level))
        if len(lacking):
            self._lacking.setdefault(column.id, []).append(_distinct(lacking, level))

    def _check_attached(self, column: Column) -> None:
        level = list(column.level or ())
        lacking = pa.concat_tables(self._lacking[column.id])
        given = self._given.get(column.id)
        if given is not None:
            known = pa.concat_tables(given)
            if not level:
                return
            lacking = lacking.join(known.select(level), keys=level, join_type="left anti")
        if lacking.num_rows:
            places = {f"key.{id}": lacking[id] for id in level}
            table = pa.table({"row": lacking[ROW], **places})
            self._report.add(FindingGroup.of("F303", places=table, component=column.id))


def _carries(
    validator: Validator, dimension: str, present: Mapping[str, np.ndarray], measured: np.ndarray, count: int
) -> np.ndarray:
    """Rows that carry something which depends on the dimension."""
    needs = measured.copy()
    for column in validator._columns:
        if column.role == "attribute" and (column.level is None or dimension in column.level):
            needs |= present[column.id] if column.level is not None else np.zeros(count, bool)
    return needs


def _distinct(rows: pa.RecordBatch, level: list[str]) -> pa.Table:
    table = pa.Table.from_batches([rows])
    if not level:
        return table.select([ROW]).slice(0, 1)
    grouped = table.select([*level, ROW]).group_by(level).aggregate([(ROW, "min")])
    return grouped.rename_columns([ROW if name == f"{ROW}_min" else name for name in grouped.column_names])


def _is_present(batch: pa.RecordBatch, name: str) -> np.ndarray:
    if name not in batch.schema.names:
        return np.zeros(len(batch), bool)
    return cast(np.ndarray, batch.column(name).is_valid().to_numpy(zero_copy_only=False))


def _all(masks: list[np.ndarray], count: int) -> np.ndarray:
    return np.logical_and.reduce(masks) if masks else np.ones(count, bool)


def _any(masks: list[np.ndarray], count: int) -> np.ndarray:
    return np.logical_or.reduce(masks) if masks else np.zeros(count, bool)


def _origin(batch: pa.RecordBatch, name: str) -> pa.Array:
    kind = pa.int64() if name == ROW else pa.string()
    return batch.column(name).cast(kind) if name in batch.schema.names else pa.nulls(len(batch), kind)


def _blank_marks(texts: pa.StringArray) -> pa.StringArray:
    """In deletions any text marks the cell to delete; a mark that is no number becomes ``NaN``."""
    return pc.if_else(parse_numbers(texts).invalid, "NaN", texts)


def _time_problem(component: Component, value: str) -> str | None:
    try:
        period = parse_period(value)
    except SyntaxFault as fault:
        return fault.detail
    kind = component.form.data_type
    if component.form.text_format is None or kind in ("String", "ObservationalTimePeriod") or period.kind.fits(kind):
        return None
    return f"{kind} is needed"
