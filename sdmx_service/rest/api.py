"""The service's own interface below ``/api``: releases, limits, health.

Submissions are in ``submissions``, rights in ``tokens`` and ``accounts``,
embargoes, the log and the calendar in ``workflow``, differences in ``differences``.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sdmx_service.errors import NotBuilt, NotFound, SdmxError, SemanticFault
from sdmx_service.model.structure import Dataflow
from sdmx_service.rest.asking import in_thread as _in_thread
from sdmx_service.rest.asking import json_answer as _json
from sdmx_service.rest.asking import problem, wishes
from sdmx_service.rest.identity import principal_of as _principal
from sdmx_service.rest.limits import limits_of
from sdmx_service.rest.service import SERVICE
from sdmx_service.workflow.publishing import restore


def routes() -> list[web.RouteDef]:
    """The routes below ``/api``, and those an operator asks."""
    return [
        web.get("/api/releases", list_releases),
        web.post(r"/api/releases/{number:\d+}/restore", restore_release),
        web.get("/api/dataflows/{name}", find_dataflow),
        web.get("/api/limits", limits),
        web.get("/health/live", live),
        web.get("/health/ready", ready),
        web.get("/metrics", unbuilt),
    ]


# --- releases and the operator's questions ---------------------------------------------------------------------------
async def list_releases(request: web.Request) -> web.StreamResponse:
    """``GET /api/releases``: every release, oldest first."""
    service = request.app[SERVICE]
    found = await _in_thread(service, service.library.store.releases)
    return _json(
        {
            "releases": [
                {
                    "release": one.number,
                    "published_at": one.published_at.isoformat(),
                    "submissions": list(one.submissions),
                    "comment": one.comment,
                    "log": None if one.log is None else one.log.to_json(),
                }
                for one in found
            ]
        }
    )


async def restore_release(request: web.Request) -> web.StreamResponse:
    """``POST /api/releases/N/restore`` with ``{"reason": ...}``: a new release with the state of release N."""
    service = request.app[SERVICE]
    principal = await _principal(request)
    principal.must("restore")
    number = int(request.match_info["number"])
    said = await wishes(request, {"reason": str})
    release = await _in_thread(service, lambda: restore(number, service.library, principal, **said))
    return _json({"release": release.number, "published_at": release.published_at.isoformat()}, 201)


async def find_dataflow(request: web.Request) -> web.StreamResponse:
    """``GET /api/dataflows/NAME``: the dataflow a person means; figures are multiples of ``rounding`` (0: are not)."""
    service = request.app[SERVICE]
    view = await _in_thread(service, service.library.view)
    flow = view.catalog.named(request.match_info["name"], "Dataflow")
    assert isinstance(flow, Dataflow)
    told = {"agency": flow.agency, "id": flow.id, "version": flow.version, "urn": flow.urn}
    return _json({**told, "rounding": view.catalog.public_view(flow).base})


async def limits(request: web.Request) -> web.StreamResponse:
    """``GET /api/limits``: every limit as data, with what to do about it, and what is offered."""
    return _json(limits_of(request.app[SERVICE]))


async def live(request: web.Request) -> web.StreamResponse:
    """``GET /health/live``: the process answers."""
    return _json({"status": "live"})


async def ready(request: web.Request) -> web.StreamResponse:
    """``GET /health/ready``: the store answers; says at which release."""
    service = request.app[SERVICE]
    view = await _in_thread(service, service.library.view)
    return _json({"status": "ready", "release": view.release, "generation": view.generation})


async def unbuilt(request: web.Request) -> web.StreamResponse:
    """An address that is promised and not there yet."""
    return problem(NotBuilt(f"{request.path} is not built yet."))


@web.middleware
async def api_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Errors below ``/api``, ``/bulk`` and ``/health`` as problem+json; others pass."""
    if not request.path.startswith(("/api", "/bulk", "/health")):
        return await handler(request)  # type: ignore[no-any-return]
    try:
        return await handler(request)  # type: ignore[no-any-return]
    except SdmxError as error:
        return problem(error)
    except web.HTTPNotFound:
        return problem(NotFound(f"There is nothing at {request.path}."))
    except web.HTTPMethodNotAllowed as error:
        return problem(
            SemanticFault(
                f"{request.method} is not possible here.", hint=f"Possible: {', '.join(sorted(error.allowed_methods))}."
            )
        )
