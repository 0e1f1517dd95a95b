"""What deletions in a workspace take away of rows before them, component by component (``storage.publication``).

SDMX 3.1 technical notes, *Action*: a deletion that names nothing but a key deletes everything at it; one that names
measures or attributes deletes their values, of an attribute wherever its level has the values of the key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.model.columns import columns
from sdmx_service.model.message import Action
from sdmx_service.model.selection import Cube
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.quoting import both, either, identifier, literal
from sdmx_service.submission.workspace import SentRows, Workspace, column_names


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBefore:
    """The rows in a workspace so far of a provider for a dataflow, in whatever minor version of the structure.

    Attributes:
        components: what is asked for beside the dimensions.
    """

    workspace: Workspace
    structure: DataStructure
    dataflow: str
    provider: str
    components: Collection[str]

    def said(self) -> Iterator[pa.RecordBatch]:
        """The dimensions and components that these rows say, and no deletion after them takes away; else null."""
        for sent in self._sent():
            names = column_names(sent.structure)
            given = [f"s.{names[id]} IS NOT NULL" for id in self.components if id in names]
            if given:
                own = self._own("s")
                listed = self._listed(sent, after="s._part")
                query = f"SELECT {listed} FROM {sent.table} AS s WHERE {own} AND s._action <> 'Delete'"
                yield from self.workspace.read(f"{query} AND ({either(given)})").to_batches()

    def left(self, rows: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The dimensions of stored rows, and whether components are there that no deletion so far takes away.

        Columns of components are true or null.
        """
        deleting = [one for one in self._sent() if Action.DELETE in one.actions]
        dimensions = self.structure.key_ids
        ids = (*dimensions, *self.components)
        for batch in rows:
            found = pa.table({id: _told(batch, id, is_key=id in dimensions) for id in ids})
            for sent in deleting:
                names = column_names(sent.structure)
                known = found.rename_columns([names.get(id, f"other_{place}") for place, id in enumerate(ids)])
                found = self.workspace.read_of(f"SELECT {self._listed(sent)} FROM incoming AS s", known)
            yield from found.to_batches()

    def _sent(self) -> list[SentRows]:
        cube = Cube.of(self.structure)
        every = self.workspace.sent
        return [one for one in every if one.dataflow == self.dataflow and Cube.of(one.structure) == cube]

    def _own(self, alias: str) -> str:
        return f"{alias}._dataflow = {literal(self.dataflow)} AND {alias}._provider = {literal(self.provider)}"

    def _listed(self, sent: SentRows, after: str = "") -> str:
        """The select list of dimensions and components of rows ``s``, null where a deletion takes one away.

        Args:
            after: the number of a part; only deletions of later parts count. Empty: all do.
        """
        names = column_names(sent.structure)
        listed = [f"s.{names[id]} AS {identifier(id)}" for id in self.structure.key_ids]
        for id in self.components:
            value = f"s.{names[id]}" if id in names else "NULL"
            taken = self._taken(sent, id, after) if id in names and Action.DELETE in sent.actions else []
            if taken:
                value = f"CASE WHEN {either(taken)} THEN NULL ELSE {value} END"
            listed.append(f"{value} AS {identifier(id)}")
        return ", ".join(listed)

    def _taken(self, sent: SentRows, component: str, after: str) -> list[str]:
        """The conditions under which deletions take a component of rows ``s`` away, one per form that they have.

        Deletions of one form name the same dimensions, so that they are found by equal values.
        """
        structure = sent.structure
        names = column_names(structure)
        column = next(one for one in columns(structure) if one.id == component)
        level = structure.key_ids if column.level is None else column.level
        own = f"{self._own('d')} AND d._action = 'Delete'"
        nothing = both(f"d.{name} IS NULL" for id, name in names.items() if id not in structure.key_ids)
        named = f"d.{names[component]} IS NOT NULL"
        forms = [named, *(f"d.{names[id]} IS NOT NULL" for id in structure.key_ids)]
        chosen = ", ".join(f"{form} AS f{place}" for place, form in enumerate(forms))
        query = f"SELECT DISTINCT {chosen} FROM {sent.table} AS d WHERE {own} AND (({nothing}) OR {named})"
        found = []
        for is_named, *given in (tuple(row.values()) for row in self.workspace.read(query).to_pylist()):
            told = [id for id, is_given in zip(structure.key_ids, given, strict=True) if is_given]
            if column.is_attached and not is_named and not set(told) <= set(level):
                continue  # the observations go, and the attribute of their series, group or data set stays
            same = [own, named if is_named else nothing, *([f"d._part > {after}"] if after else [])]
            same += [f"d.{names[id]} IS NULL" for id in structure.key_ids if id not in told]
            same += [f"d.{names[id]} = s.{names[id]}" for id in told if not is_named or id in level]
            found.append(f"EXISTS (SELECT 1 FROM {sent.table} AS d WHERE {both(same)})")
        return found


def _told(batch: pa.RecordBatch, id: str, *, is_key: bool) -> pa.Array:
    """The codes of a dimension as texts; of another component whether it is there, true or null."""
    if is_key:
        return batch.column(id).cast(pa.string())
    if id not in batch.schema.names:
        return pa.nulls(len(batch), pa.bool_())
    return pc.if_else(batch.column(id).is_valid(), True, pa.scalar(None, pa.bool_()))
