"""SDMX messages in a structure of the sender's, read as tables through a mapping.

A structure that this service does not keep has no codes to check and no dataflow to go to; a layout that names it says
which components its messages have, all of them plain text. Each batch of a message then is a sheet, called as its
structure, whose header are the ids of the components, and goes the way of a sender's table.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.layout import Layout, MessageLayout
from sdmx_service.errors import UnknownFormat, UnresolvedReference
from sdmx_service.model.artefact import NO_TEXTS
from sdmx_service.model.columns import COLUMN, ROW, plain_text
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import UNSAID, Dataset, Sheet, SheetOrigin, Target
from sdmx_service.model.structure import Attribute, DataStructure, Dimension, Measure, TimeDimension
from sdmx_service.model.urn import Ref
from sdmx_service.submission.report import Report

_TIME = "TIME_PERIOD"
_SCHEME = "CONCEPTS"


class MessageLayouts:
    """What the reference in a message means: one of our structures, or a sender's that a layout reads.

    Args:
        named: the layout that the sender asks for; None takes our own structure where there are dataflows of it, else
            the layout that names the structure.
        dataflow: the one that the sender says, as people write it; describes a message that names no structure.
    """

    def __init__(self, catalog: Catalog, named: Layout | None, dataflow: str | None = None) -> None:
        self._catalog = catalog
        self._dataflow = dataflow
        self._named = named
        self._found: dict[Ref, tuple[Layout, Target]] = {}

    def target(self, ref: Ref) -> Target:
        """The structure that describes the message's data (``message.Resolve``).

        Raises:
            UnresolvedReference: neither the catalog nor a layout has it.
            UnknownFormat: several layouts have it.
        """
        if ref == UNSAID and self._dataflow is not None:
            return self._catalog.target(self._catalog.named(self._dataflow, "Dataflow").ref)
        if self._named is None and self._is_ours(ref):
            return self._catalog.target(ref)
        layouts = [self._named] if self._named is not None else list(self._catalog.layouts.values())
        fitting = [(one, form) for one in layouts for form in one.messages if form.describes(ref)]
        if len({one.id for one, _ in fitting}) > 1:
            names = ", ".join(sorted(one.id for one, _ in fitting))
            raise UnknownFormat(f"Several mappings read messages of {ref.text}.", hint=f"Say which: {names}.")
        if fitting:
            layout, form = fitting[0]
            self._found[ref] = (layout, Target(structure=_structure(ref, form)))
            return self._found[ref][1]
        if self._named is not None:
            known = ", ".join(one.text for form in self._named.messages for one in form.structures)
            raise UnresolvedReference(
                f"The mapping {self._named.id} does not read messages of {ref.text}.", hint=f"It reads {known}."
            )
        return self._catalog.target(ref)

    def layout(self, ref: Ref) -> Layout | None:
        """The layout that reads data sets with that reference; None for our own structures."""
        return self._found[ref][0] if ref in self._found else None

    def _is_ours(self, ref: Ref) -> bool:
        artefact = self._catalog.lookup(ref)
        if isinstance(artefact, DataStructure):
            return bool(self._catalog.dataflows_of(artefact.ref))
        return artefact is not None


def _structure(ref: Ref, form: MessageLayout) -> DataStructure:
    """A structure of plain texts with the components that a layout lists."""

    def concept(id: str) -> Ref:
        return Ref(type="Concept", agency=ref.agency, id=_SCHEME, version="1.0", item=id)

    has_time = _TIME in form.dimensions
    return DataStructure(
        agency=ref.agency,
        id=ref.id,
        version=ref.version,
        names=NO_TEXTS,
        dimensions=tuple(Dimension(id=id, concept=concept(id)) for id in form.dimensions if id != _TIME),
        time_dimension=TimeDimension(id=_TIME, concept=concept(_TIME)) if has_time else None,
        measures=tuple(Measure(id=id, concept=concept(id)) for id in form.measures),
        attributes=tuple(Attribute(id=id, concept=concept(id)) for id in form.attributes),
    )


def sheets(dataset: Dataset, report: Report) -> Iterator[Sheet]:
    """The observations of a data set as sheets, one per batch.

    Findings: F120 values of rows that lack a dimension.
    """
    keys = dataset.structure.key_ids
    for batch in map(plain_text, dataset.batches):
        whole = _all_valid(batch, keys)
        if not pc.all(whole, min_count=0).as_py():
            _report_partial(batch.filter(pc.invert(whole)), dataset.structure, report)
            batch = batch.filter(whole)
        if len(batch):
            yield _sheet(batch, dataset)


def _all_valid(batch: pa.RecordBatch, names: tuple[str, ...]) -> pa.BooleanArray:
    found = np.ones(len(batch), bool)
    for name in names:
        if batch.column(name).null_count:
            found &= batch.column(name).is_valid().to_numpy(zero_copy_only=False)
    return pa.array(found)


def _report_partial(rows: pa.RecordBatch, structure: DataStructure, report: Report) -> None:
    for component in (*structure.measures, *structure.attributes):
        said = rows.filter(rows.column(component.id).is_valid())
        if len(said):
            column = pc.fill_null(said.column(COLUMN), component.id)
            places = pa.table({"row": said.column(ROW), "column": column, "value": said.column(component.id)})
            report.add(FindingGroup.of("F120", places=places, component=component.id))


def _sheet(batch: pa.RecordBatch, dataset: Dataset) -> Sheet:
    ids = [one.id for one in dataset.structure.components]
    return Sheet(
        name=f"{dataset.ref.agency}:{dataset.ref.id}({dataset.ref.version})",
        columns=tuple(pa.concat_arrays([pa.array([id], pa.string()), batch.column(id)]) for id in ids),
        origin=SheetOrigin(
            rows=pa.concat_arrays([pa.nulls(1, pa.int64()), batch.column(ROW)]),
            places=pa.concat_arrays([pa.nulls(1, pa.string()), batch.column(COLUMN)]),
        ),
    )
