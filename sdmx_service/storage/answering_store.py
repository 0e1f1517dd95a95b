"""The way out of a store: counts, values that occur, rows, from the database or from read models."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sdmx_service.model.selection import Cube, Selection
from sdmx_service.storage import gone
from sdmx_service.storage.attribute_changes import AttributeReading
from sdmx_service.storage.coverage import compared, empty, given
from sdmx_service.storage.cube_store import CubeStore
from sdmx_service.storage.engine import Engine
from sdmx_service.storage.port import (
    AttributeChanges,
    Availability,
    Counts,
)
from sdmx_service.storage.reading import Reading
from sdmx_service.storage.readmodel.answers import ModelReading
from sdmx_service.storage.readmodel.keeper import ReadModels

_KEPT_READINGS = 32
"""Readings kept for the next call with the same selection (domains, then scan)."""


class AnsweringStore(CubeStore):
    """The part of a store that answers."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._readings: OrderedDict[tuple[Any, ...], Reading] = OrderedDict()
        self._model_readings: OrderedDict[tuple[Any, ...], ModelReading] = OrderedDict()
        self._models: ReadModels | None = None

    def _forget_readings(self) -> None:
        with self._guard:
            self._readings.clear()
            self._model_readings.clear()

    # --- read models -------------------------------------------------------------------------------------------

    def use_models(self, folder: Path) -> ReadModels:
        """From now on answer from read models in that folder where there are such, and let them be made."""
        self._models = ReadModels(
            folder,
            source=self._database_reading,
            published=self._published,
            current=lambda: self.pointer().release,
            mask=self.mask_version,
        )
        return self._models

    def open_models(self, selections: Iterable[Selection]) -> None:
        """Open in the background the read models that are in place for these selections."""
        if self._models is not None:
            self._models.open(selections)

    def _forget_models(self, cubes: Iterable[Cube]) -> None:
        """Other figures are hidden from now on: read models of before are no more."""
        if self._models is not None:
            for cube in cubes:
                self._models.forget(cube)

    # --- readings ----------------------------------------------------------------------------------------------

    def _reading(self, selection: Selection) -> Reading | ModelReading | None:
        """The reading of a selection, from a read model where there is one; None if nothing of it was ever there."""
        found = self._models.reading(selection) if self._models is not None else None
        if found is None:
            return self._database_reading(selection)
        key = _selection_key(selection)
        with self._guard:
            known = self._model_readings.get(key)
            if known is not None and known.model is found.model:
                self._model_readings.move_to_end(key)
                return known
            self._model_readings[key] = found
            while len(self._model_readings) > _KEPT_READINGS:
                self._model_readings.popitem(last=False)
        return found

    def _database_reading(self, selection: Selection) -> Reading | None:
        """The reading of a selection from the database; None if nobody ever sent anything of it."""
        layout = self._layout(selection.cube)
        if layout is None:
            return None
        directory = self._directory(layout, selection.release)
        if not directory.has(selection.dataflows, selection.providers):
            return None
        layout = self._layout(selection.cube) or layout
        mask = self._masks.of(layout, directory.dataflow_numbers)
        key = (*_selection_key(selection), mask.version)
        with self._guard:
            known = self._readings.get(key)
            if known is not None and known.layout == layout:
                self._readings.move_to_end(key)
                return known
        reading = Reading(self._engine, layout, directory, selection, mask)
        with self._guard:
            self._readings[key] = reading
            while len(self._readings) > _KEPT_READINGS:
                self._readings.popitem(last=False)
        return reading

    # --- answers -----------------------------------------------------------------------------------------------

    def told_before(self, selection: Selection) -> Iterator[pa.RecordBatch]:
        """What is hidden now and was open before."""
        reading = self._database_reading(selection)
        return iter(()) if reading is None else gone.told_before(reading)

    def count(self, selection: Selection) -> Counts:
        """Exact counts."""
        reading = self._reading(selection)
        return Counts(series=0, observations=0) if reading is None else reading.counts()

    def senders(self, selection: Selection) -> Collection[str]:
        """The providers that ever sent something."""
        layout = self._layout(selection.cube)
        if layout is None:
            return frozenset()
        directory, flows = self._directory(layout, selection.release), selection.dataflows
        return frozenset(
            directory.providers[provider]
            for flow, provider in directory.agreements
            if flows is None or directory.dataflows[flow] in flows
        )

    def given(self, selection: Selection, by: Sequence[str]) -> pa.Table:
        """Observations by who gives them."""
        reading = self._database_reading(selection)
        return empty(by, ("dataflow", "provider"), ("given", "shown")) if reading is None else given(reading, by)

    def compared(self, selection: Selection, by: Sequence[str]) -> pa.Table:
        """Figures of several providers for the same keys."""
        reading = self._database_reading(selection)
        members = ("dataflow", "provider", "other")
        return empty(by, members, ("equal", "unequal")) if reading is None else compared(reading, by)

    def domains(self, selection: Selection) -> Mapping[str, Sequence[str]]:
        """The values that occur."""
        reading = self._reading(selection)
        return {} if reading is None else reading.domains()

    def available(self, selection: Selection, components: Sequence[str] | None = None) -> Availability:
        """The values that occur, with counts."""
        reading = self._reading(selection)
        if isinstance(reading, ModelReading) and not reading.knows(components):
            reading = self._database_reading(selection)
        if reading is None:
            return Availability(values={}, counts=Counts(series=0, observations=0))
        return reading.available(components)

    def attachments(self, selection: Selection) -> Mapping[str, pa.Table]:
        """Values of data set and group attributes."""
        reading = self._reading(selection)
        return {} if reading is None else reading.attachments()

    def scan(self, selection: Selection, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        """The rows."""
        reading = self._reading(selection)
        return iter(()) if reading is None else reading.batches(domains)

    def series(self, selection: Selection, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        """The series keys with their attributes."""
        reading = self._reading(selection)
        if isinstance(reading, ModelReading) and reading.model.bare:
            reading = self._database_reading(selection)
        return iter(()) if reading is None else reading.series(domains)

    def scan_deleted(self, selection: Selection) -> Iterator[pa.RecordBatch]:
        """The keys that are not shown any more."""
        reading = None if selection.changed_since is None else self._database_reading(selection)
        return iter(()) if reading is None else gone.deleted(reading)

    def attribute_changes(self, selection: Selection) -> AttributeChanges:
        """Attributes above the observation that no row tells."""
        reading = self._database_reading(selection)
        return AttributeChanges() if reading is None else AttributeReading(reading).changes()


def _selection_key(selection: Selection) -> tuple[Any, ...]:
    """What tells selections apart; the structure, of which many are equal, by its version and components only."""
    structure = selection.structure
    names = (structure.version, *(component.id for component in structure.components))
    return (*(getattr(selection, name) for name in selection.__slots__ if name != "structure"), names)
