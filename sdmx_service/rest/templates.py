"""``/api/templates``: the workbooks of questionnaires, filled with what is held of the one who reports."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sdmx_service.auth import Principal
from sdmx_service.dissemination.held import Holder
from sdmx_service.dissemination.template import Template, TemplateWish, template, years
from sdmx_service.errors import UnknownParameter
from sdmx_service.formats.registry import named, write_form
from sdmx_service.model.selection import provider_name
from sdmx_service.model.urn import Ref
from sdmx_service.rest.identity import principal_of
from sdmx_service.rest.service import SERVICE, Service

_PARAMETERS = ("area", "years", "language", "questionnaire")


def routes() -> list[web.RouteDef]:
    """The routes of templates."""
    return [web.get("/api/templates/{tables}", show_template)]


async def show_template(request: web.Request) -> web.StreamResponse:
    """``GET /api/templates/TABLE,TABLE?area=CODE``: the workbook, for who may send data of its provider."""
    service = request.app[SERVICE]
    if unknown := sorted(set(request.query) - set(_PARAMETERS)):
        raise UnknownParameter(
            f"{', '.join(unknown)} is not a parameter here.", hint=f"Known: {', '.join(_PARAMETERS)}."
        )
    wish = TemplateWish(
        tables=tuple(request.match_info["tables"].split(",")),
        area=request.query.get("area", ""),
        periods=years(request.query.get("years")),
        language=request.query.get("language", "en"),
        questionnaire=request.query.get("questionnaire"),
    )
    principal = await principal_of(request)

    def work() -> tuple[Template, bytes]:
        made = _made(wish, service, principal)
        return made, b"".join(write_form(made.form))

    made, body = await asyncio.get_running_loop().run_in_executor(service.executor, work)
    headers = {
        "Content-Type": named("xlsx").media_types[0],
        "Content-Disposition": f'attachment; filename="questionnaire_{made.provider.item}.xlsx"',
        "Cache-Control": "private, no-store",
    }
    return web.Response(body=body, headers=headers)


def _made(wish: TemplateWish, service: Service, principal: Principal) -> Template:
    """The template; refused before anything is read if the principal may not send for that provider."""
    view = service.library.view()

    def holder(provider: Ref) -> Holder:
        principal.must("fill", provider=provider_name(provider))
        return Holder(store=service.library.store, release=view.release, provider=provider)

    return template(wish, view.catalog, holder)
