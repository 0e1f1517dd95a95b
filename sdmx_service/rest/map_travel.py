"""Mappings as files: ``/api/mappings``, and what the command line does about them without HTTP."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from sdmx_service.auth import Principal
from sdmx_service.catalog.library import Library
from sdmx_service.errors import SemanticFault, SyntaxFault
from sdmx_service.formats.registry import named, write_text_sheets
from sdmx_service.maintenance.mappings import Adopted, adopt_mapping
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import Message, SeekableFile, Tables, WriteOptions
from sdmx_service.rest.asking import PRIVATE, answered, json_answer, parameters
from sdmx_service.rest.bodies import spool
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.submission.decisions import with_decisions
from sdmx_service.submission.map_reading import read_mapping
from sdmx_service.submission.map_sheets import sheets_of, travelling
from sdmx_service.submission.report import Report

FORMS: Final = {"xlsx": "xlsx", "json": "structure-json-2.1", "xml": "structure-xml-3.1"}
"""Suffixes of files, and the formats that they are written in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a workbook: findings, or what became of each part."""

    groups: tuple[FindingGroup, ...]
    adopted: tuple[Adopted, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Nothing of it was taken."""
        return not self.adopted

    def to_json(self) -> dict[str, Any]:
        """The outcome as the interface shows it."""
        findings = [one.to_json() for group in self.groups for one in group.findings()]
        return {"findings": findings, "results": [one.to_json() for one in self.adopted]}


def export_mapping(
    library: Library, name: str, form: str, *, language: str = "en", decisions: bool = True
) -> Iterator[bytes]:
    """A mapping, structure map or representation map as a workbook or as an SDMX structure message.

    Args:
        name: the id of a mapping, or a map as people write references.
        form: a suffix of ``FORMS``.
        language: of the names beside the codes.
        decisions: with what people decided about the maps as rows of them.

    Raises:
        NotFound: there is no such mapping or map.
    """
    catalog = library.view().catalog
    found = travelling(name, with_decisions(catalog, library.store) if decisions else catalog)
    if form == "xlsx":
        return write_text_sheets(sheets_of(found, catalog, language))
    write = named(FORMS[form]).write
    assert write is not None
    return write(Message(structures=found.artefacts), WriteOptions(all_languages=True))


def import_mapping(
    file: SeekableFile, name: str, library: Library, principal: Principal, *, wanted: str | None = None
) -> Imported:
    """Take a workbook in; nothing of it where there are findings.

    Args:
        wanted: what the workbook has to be of: the id of the mapping, or a map of it; None: of anything.

    Raises:
        NotAllowed: the principal may not maintain structures.
        UnreadableFile: it is no workbook.
        SemanticFault: it is of another mapping than ``wanted``.
        Conflict: an artefact of it cannot be taken.
    """
    principal.must_maintain()
    read = named("xlsx").read
    assert read is not None
    tables = read(file, _no_data)
    assert isinstance(tables, Tables)
    report = Report()
    report.file = name
    found = read_mapping(tables, library.view().catalog, report)
    if found is None:
        return Imported(groups=report.groups)
    names = {found.layout.id} if found.layout is not None else {
        name for one in found.artefacts for name in (one.id, f"{one.agency}:{one.id}", one.ref.text)
    }  # fmt: skip
    if wanted is not None and wanted not in names:
        raise SemanticFault(f"The workbook is of {', '.join(sorted(names))}, not of {wanted}.")
    adopted = adopt_mapping(found.layout, found.artefacts, library, principal)
    return Imported(groups=report.groups, adopted=adopted)


def _no_data(ref: object) -> Any:
    raise SyntaxFault("A workbook of a mapping holds no data.")


# --- HTTP ------------------------------------------------------------------------------------------------------------
def routes() -> list[web.RouteDef]:
    """The routes of mappings."""
    return [
        web.get("/api/mappings", list_mappings),
        web.get("/api/mappings/{id}.{form:xlsx|json|xml}", show_mapping),
        web.put("/api/mappings/{id}.xlsx", put_mapping),
        web.post("/api/mappings", put_mapping),
    ]


async def list_mappings(request: web.Request) -> web.StreamResponse:
    """``GET /api/mappings``: the mappings that read files, and their structure maps."""

    def find(service: Service, principal: Principal) -> list[dict[str, Any]]:
        principal.must("see_mappings")
        return mappings_of(service.library)

    return json_answer({"mappings": await answered(request, find)})


def mappings_of(library: Library) -> list[dict[str, Any]]:
    """The mappings there are, in the order of their ids."""
    layouts = library.view().catalog.layouts
    return [
        {
            "id": one.id,
            "version": str(one.document.get("version", "")),
            "names": dict(one.document.get("names", {})),
            "provider": one.document.get("provider"),
            "maps": list(dict.fromkeys(table.map.text for table in one.tables)),
        }
        for _, one in sorted(layouts.items())
    ]


async def show_mapping(request: web.Request) -> web.StreamResponse:
    """``GET /api/mappings/ID.xlsx|json|xml?language=&decisions=``: a mapping or map as a file."""
    said = parameters(request, "language", "decisions")
    wanted = said.get("decisions", "true")
    if wanted not in ("true", "false"):
        raise SyntaxFault(f"decisions={wanted!r} is neither true nor false.")
    id, form = request.match_info["id"], request.match_info["form"]
    language = said.get("language", "en")

    def write(service: Service, principal: Principal) -> bytes:
        principal.must("see_mappings")
        return b"".join(export_mapping(service.library, id, form, language=language, decisions=wanted == "true"))

    body = await answered(request, write)
    name = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in id)
    headers = {
        "Content-Type": named(FORMS[form]).media_types[0],
        "Content-Disposition": f'attachment; filename="{name}.{form}"',
    }
    return web.Response(body=body, headers=headers | dict(PRIVATE))


async def put_mapping(request: web.Request) -> web.StreamResponse:
    """``PUT /api/mappings/ID.xlsx``: take a workbook in; 200 with what became of it, 422 with findings.

    ``POST /api/mappings`` does the same with a workbook of whatever mapping.
    """
    service, id = request.app[SERVICE], request.match_info.get("id")
    await answered(request, lambda _, principal: principal.must_maintain())  # before the body is read
    with tempfile.TemporaryFile() as spooled:
        await spool(request, spooled, service.max_body)
        found = await answered(
            request,
            lambda service, principal: import_mapping(
                spooled, f"{id or 'mapping'}.xlsx", service.library, principal, wanted=id
            ),
        )
    return json_answer(found.to_json(), 422 if found.is_refused else 200)
