"""Tables become parts: cells through a layout, columns through structure maps, and what is left out, summed, replaced.

Which dataflow a table is of says its structure map; a sender who names another one is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import Allowed, allowed_codes
from sdmx_service.catalog.layout import Layout
from sdmx_service.errors import InvalidStructure, SemanticFault, UnresolvedReference
from sdmx_service.model.columns import read_schema
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.mapping import StructureMap
from sdmx_service.model.message import Action, Tables, Target
from sdmx_service.model.selection import provider_name
from sdmx_service.model.structure import Dataflow, ProvisionAgreement
from sdmx_service.model.urn import Ref
from sdmx_service.submission.mapping import Mapper
from sdmx_service.submission.parts import Part
from sdmx_service.submission.report import Report
from sdmx_service.submission.summing import summed
from sdmx_service.submission.tables import extract

_BATCH = 65_536
_SHOWN = 12
"""Values of rows left out that a finding names."""


class MappedParts:
    """The parts that a layout and its structure maps make of tables, one table after the other.

    What is summed waits for the last table: rows of one key may stand in several.

    Args:
        provider, action: those of every part.
        dataflow: the one that the sender named; None: the maps say it.
    """

    def __init__(
        self,
        layout: Layout,
        catalog: Catalog,
        report: Report,
        *,
        provider: Ref,
        action: Action,
        dataflow: str | None,
    ) -> None:
        self._layout, self._provider, self._dataflow = layout, provider, dataflow
        self._catalog, self._report, self._action = catalog, report, action
        self._mappers: dict[Ref, tuple[Mapper, Dataflow]] = {}
        self._replaced: dict[Ref, set[tuple[str, ...]]] = {}
        self._waiting: dict[tuple[Ref, tuple[str, ...]], list[pa.Table]] = {}

    def read(self, tables: Tables) -> Iterator[Part]:
        """The parts of the tables, but for those whose rows are summed."""
        for table, rows in extract(self._layout, tables, self._report, self._needed):
            mapper, dataflow = self._mapped(table.map)
            mapped = self._allowed(mapper.apply(rows, self._report), table.only_allowed, dataflow)
            if table.sums:
                self._waiting.setdefault((dataflow.ref, table.sums), []).append(mapped)
            else:
                yield from self._parts(dataflow, mapped, mapper.letters(rows))

    def _needed(self, ref: Ref) -> tuple[str, ...]:
        return self._mapped(ref)[0].needed

    def _mapped(self, ref: Ref) -> tuple[Mapper, Dataflow]:
        if ref not in self._mappers:
            self._mappers[ref] = self._mapper(ref)
        return self._mappers[ref]

    def _mapper(self, ref: Ref) -> tuple[Mapper, Dataflow]:
        structure_map, dataflow = _mapped_to(ref, self._layout, self._dataflow, self._catalog)
        structure = self._catalog.structure_of(dataflow)
        return Mapper(structure_map, self._catalog, structure, provider_name(self._provider)), dataflow

    def _allowed(self, rows: pa.Table, names: tuple[str, ...], dataflow: Dataflow) -> pa.Table:
        """The rows whose codes of some components the dataflow takes; the others are counted."""
        allowed = allowed_codes(self._target(dataflow), self._catalog) if names else Allowed()
        for name in names:
            if name not in allowed.codes:
                continue
            codes = pa.array(sorted(allowed.codes[name]), pa.string())
            outside = pc.and_(pc.is_valid(rows[name]), pc.invert(pc.is_in(rows[name], value_set=codes)))
            left = rows.filter(outside)
            if left.num_rows:
                values = left[name].unique().to_pylist()
                shown = ", ".join(values[:_SHOWN]) + (", ..." if len(values) > _SHOWN else "")
                reason = f"{name} {shown} is not among what {allowed.constraints[name]} allows"
                self._report.add(FindingGroup.of("F101", count=left.num_rows, reason=reason))
                rows = rows.filter(pc.invert(outside))
        return rows

    def _target(self, dataflow: Dataflow) -> Target:
        structure = self._catalog.structure_of(dataflow)
        return Target(structure=structure, dataflow=dataflow.ref, provider=self._provider)

    def sums(self) -> Iterator[Part]:
        """The parts whose rows are summed, once all tables are read."""
        for (ref, measures), waiting in self._waiting.items():
            dataflow = self._catalog.dataflow(ref)
            whole = summed(pa.concat_tables(waiting), self._catalog.structure_of(dataflow), measures)
            yield from self._parts(dataflow, whole, {})

    def _parts(self, dataflow: Dataflow, mapped: pa.Table, letters: Mapping[str, str]) -> Iterator[Part]:
        target = self._target(dataflow)
        if self._layout.replaces:
            done = self._replaced.setdefault(dataflow.ref, set())
            yield _replaced_slices(self._layout.replaces, done, target, dataflow, self._provider, mapped)
        yield Part(
            target=target,
            dataflow=dataflow,
            provider=self._provider,
            action=self._action,
            batches=iter(mapped.to_batches(max_chunksize=_BATCH)),
            letters=letters,
        )


def _mapped_to(ref: Ref, layout: Layout, named: str | None, catalog: Catalog) -> tuple[StructureMap, Dataflow]:
    structure_map = catalog.artefact(ref)
    if not isinstance(structure_map, StructureMap):
        raise UnresolvedReference(f"{ref.text} is a {structure_map.type}, not a structure map.")
    target = catalog.artefact(structure_map.target)
    if isinstance(target, ProvisionAgreement):
        target = catalog.artefact(target.dataflow)
    if not isinstance(target, Dataflow):
        raise UnresolvedReference(f"{ref.text} maps to {target.ref.text}, which is no dataflow.")
    if named is not None and catalog.named(named, "Dataflow").ref != target.ref:
        raise SemanticFault(
            f"The mapping {layout.id} gives data of {target.ref.text}, not of {named}.",
            hint="Leave the dataflow out, or say a mapping to that dataflow.",
        )
    return structure_map, target


def _replaced_slices(
    names: tuple[str, ...],
    done: set[tuple[str, ...]],
    target: Target,
    dataflow: Dataflow,
    provider: Ref,
    rows: pa.Table,
) -> Part:
    """A deletion of the slices that the file replaces: the combinations of some dimensions that it holds.

    Args:
        names: the dimensions.
        done: combinations that earlier tables of the file replace already; deleting these again would take away what
            those tables brought. Gets the new ones.
    """
    if unknown := [name for name in names if name not in target.structure.key_ids]:
        raise InvalidStructure(
            f"The mapping replaces slices by {', '.join(unknown)}, no dimension of {target.structure.ref.text}.",
            hint=f"Its dimensions are {', '.join(target.structure.key_ids)}.",
        )
    held = rows.select(list(names)).drop_null().group_by(list(names), use_threads=False).aggregate([])
    slices = [one for one in zip(*(held[name].to_pylist() for name in names), strict=True) if one not in done]
    done.update(slices)
    texts = {name: pa.array([one[place] for one in slices], pa.string()) for place, name in enumerate(names)}
    schema = read_schema(target.structure)
    fields = [texts[one.name] if one.name in texts else pa.nulls(len(slices), one.type) for one in schema]
    batch = pa.record_batch(fields, schema=schema)
    return Part(
        target=target, dataflow=dataflow, provider=provider, action=Action.DELETE, batches=iter([batch]), letters={}
    )
