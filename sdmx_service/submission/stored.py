"""What is stored of a dataflow, for checks that look beyond the file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.model.selection import Cube, Selection, dataflow_name, provider_name
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is stored at a release, for checks that look beyond the file."""

    store: Store
    catalog: Catalog
    release: int

    @classmethod
    def of(cls, store: Store | None, catalog: Catalog, release: int | None) -> Stored | None:
        """What is there; None without store or release."""
        if store is None or release is None:
            return None
        return cls(store=store, catalog=catalog, release=release)

    def shown(self, dataflow: Ref, where: Mapping[str, Collection[str]]) -> Iterator[pa.RecordBatch]:
        """The currently shown rows of a dataflow, for rules of scope *result*."""
        yield from self._rows(self.catalog.dataflow(dataflow), None, where)

    def own(self, dataflow: Dataflow, provider: Ref, where: Mapping[str, Collection[str]]) -> Iterator[pa.RecordBatch]:
        """A provider's own rows, whoever's are shown."""
        yield from self._rows(dataflow, provider_name(provider), where)

    def count(self, dataflow: Dataflow, provider: Ref) -> int:
        """How many observations of a provider are stored."""
        return self.store.count(self._selection(dataflow, provider_name(provider), {})).observations

    def sent_before(
        self, dataflow: Ref, provider: str, where: Mapping[str, Collection[str]]
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a provider, by its name, for rules that compare with what it sent before."""
        yield from self._rows(self.catalog.dataflow(dataflow), provider, where)

    def _rows(
        self, dataflow: Dataflow, provider: str | None, where: Mapping[str, Collection[str]]
    ) -> Iterator[pa.RecordBatch]:
        selection = self._selection(dataflow, provider, where)
        yield from self.store.scan(selection, self.store.domains(selection))

    def _selection(self, dataflow: Dataflow, provider: str | None, where: Mapping[str, Collection[str]]) -> Selection:
        structure = self.catalog.structure_of(dataflow)
        return Selection(
            structure=structure,
            cube=Cube.of(structure),
            context="dataflow" if provider is None else "provisionagreement",
            release=self.release,
            dataflows=(dataflow_name(dataflow.ref),),
            providers=None if provider is None else (provider,),
            keys=(tuple(frozenset(where[id]) if id in where else None for id in structure.dimension_ids),),
        )
