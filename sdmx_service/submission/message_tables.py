"""Tables that are data messages: SDMX-CSV in a workbook, and columns of a dataflow's components alone.

Such a file needs no mapping. Where it nearly is one, its sender is told what lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.errors import UnresolvedReference
from sdmx_service.formats.registry import SheetMessage, message_in
from sdmx_service.model.artefact import Texts
from sdmx_service.model.message import UNSAID, Message, Resolve, Tables
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.submission.headers import rows_of
from sdmx_service.submission.ledger import Ledger
from sdmx_service.submission.recognising import HEADER_ROWS
from sdmx_service.submission.report import Report

_ACTION = "ACTION"
_NAMED = 3
"""Dataflows named at most."""
_SHOWN = 6
"""Headers named at most."""


def in_workbook(
    tables: Tables, resolve: Resolve, report: Report, names: Mapping[str, Texts] | None = None
) -> Message | None:
    """The SDMX-CSV message that a workbook holds, None if none.

    Args:
        names: of the components of the dataflow that the sender says, by id: its columns are these alone.

    Findings: F112 hidden rows, columns and sheets that are read.

    Raises:
        UnreadableFile: it nearly is one.
    """
    if any(sheet.origin is not None or sheet.numbers is None for sheet in tables.sheets):
        return None
    found = message_in(tables, resolve, names)
    if found is None:
        return None
    _report_hidden(found, report)
    return found.message


def _report_hidden(found: SheetMessage, report: Report) -> None:
    ledger = Ledger.of(found.sheet)
    ledger.rows[found.first :] = True
    ledger.columns.update(range(len(found.sheet.columns)))
    ledger.settle(report)


def nearly(tables: Tables, catalog: Catalog, resolve: Resolve, dataflow: str | None) -> str:
    """What lacks of a table whose headers are components of a dataflow; empty where they are not.

    Args:
        resolve: tells what ``UNSAID`` means where the sender says the dataflow.
        dataflow: the one that the sender says.
    """
    rows = [[text for text in row if text] for sheet in tables.sheets for row in rows_of(sheet, HEADER_ROWS)]
    if dataflow is not None:
        structure = resolve(UNSAID).structure
        said = (_lacks(row, structure, dataflow) for row in rows)
        return next(filter(None, said), "")
    fits = _fitting(catalog)
    flows = next(filter(None, map(fits, rows)), [])
    if not flows:
        return ""
    names = ", ".join(one.ref.text for one in flows[:_NAMED])
    return (
        f"Its columns are components of {names}: say the dataflow, and it is read as data of that; or add the columns "
        "STRUCTURE and STRUCTURE_ID of SDMX-CSV."
    )


def _lacks(row: list[str], structure: DataStructure, dataflow: str) -> str:
    """What keeps a heading from being one of the structure's components alone, if most of it are such."""
    known = {one.id for one in structure.components}
    others = [text for text in row if text not in known and text != _ACTION]
    missing = [id for id in structure.key_ids if id not in row]
    if 2 * len(missing) >= len(structure.key_ids):
        return ""
    parts = []
    if missing:
        parts.append(f"it has no column {_listed(missing)}")
    if others:
        parts.append(f"{_listed(others)} {'is no component' if len(others) == 1 else 'are no components'}")
    return f"It nearly is data of {dataflow}: {', and '.join(parts)}. Each column is called by a component's id."


def _listed(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def _fitting(catalog: Catalog) -> Callable[[list[str]], list[Dataflow]]:
    """Tells the dataflows of whose components alone a heading consists, with all of their dimensions."""
    known: list[tuple[Dataflow, frozenset[str], frozenset[str]]] = []
    for flow in catalog.of_type("Dataflow"):
        assert isinstance(flow, Dataflow)
        try:
            structure = catalog.structure_of(flow)
        except UnresolvedReference:
            continue
        ids = frozenset(one.id for one in structure.components) | {_ACTION}
        known.append((flow, frozenset(structure.key_ids), ids))

    def fits(row: list[str]) -> list[Dataflow]:
        said = set(row)
        return [flow for flow, keys, ids in known if keys <= said <= ids]

    return fits
