"""What a merge may leave out: what is stored and what was said before it; at publication it is looked for again.

A merge may leave out mandatory values that are stored (``presence``). While it waits, another release may take them
away, or something that is published together with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import pyarrow as pa

from sdmx_service.model.columns import coded
from sdmx_service.model.message import Action
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import StagedPart
from sdmx_service.submission.origin import Places
from sdmx_service.submission.presence import Presence, StoredRows, mandatory_ids
from sdmx_service.submission.report import Report
from sdmx_service.submission.stored import Stored
from sdmx_service.submission.taken_away import SentBefore
from sdmx_service.submission.workspace import Workspace


def before(
    structure: DataStructure, dataflow: Ref, part: StagedPart, stored: Stored | None, workspace: Workspace
) -> StoredRows:
    """What there is before a part: what is stored, as earlier parts in the workspace leave it, and what these say.

    Args:
        structure: of the part, or a later version of it.
    """
    sent = SentBefore(
        workspace=workspace,
        structure=structure,
        dataflow=part.dataflow,
        provider=part.provider,
        components=mandatory_ids(structure),
    )

    def rows(where: Mapping[str, Collection[str]]) -> Iterator[pa.RecordBatch]:
        kept: Iterable[pa.RecordBatch] = () if stored is None else stored.sent_before(dataflow, part.provider, where)
        yield from sent.left(kept)
        yield from sent.said()

    return rows


class StillThere:
    """Looks again part by part, while the rows of submissions go into a workspace in the order of publication."""

    def __init__(self, stored: Stored, workspace: Workspace, report: Report) -> None:
        self._stored = stored
        self._workspace = workspace
        self._report = report
        self._part: StagedPart | None = None
        self._presence: Presence | None = None

    def look(self, part: StagedPart, dataflow: Dataflow, batch: pa.RecordBatch) -> None:
        """Rows of a part as kept, before they go into the workspace; the structure is that of now."""
        if part is not self._part:
            self.finish()
            self._part = part
            self._presence = self._begun(part, dataflow)
        if self._presence is not None:
            self._presence.check(batch, {id: coded(batch.column(id)) for id in part.structure.key_ids})

    def _begun(self, part: StagedPart, dataflow: Dataflow) -> Presence | None:
        if part.action is Action.DELETE:
            return None
        structure = self._stored.catalog.structure_of(dataflow)
        rows = before(structure, dataflow.ref, part, self._stored, self._workspace)
        return Presence(structure, part.action, self._report, Places(structure, None), rows)

    def finish(self) -> None:
        """No more rows of the part come; what it leaves out and is not there is in the report."""
        if self._presence is not None:
            self._presence.finish()
        self._part = self._presence = None
