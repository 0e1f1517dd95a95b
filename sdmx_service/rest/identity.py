"""Who asks: the principal of a request, by its token."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sdmx_service.auth.client_address import client_address
from sdmx_service.auth.principal import Principal
from sdmx_service.auth.tokens import bearer
from sdmx_service.errors import NotAuthenticated
from sdmx_service.rest.service import SERVICE, Service


async def principal_of(request: web.Request) -> Principal:
    """The principal of the header ``Authorization``: a token of the service, or one that a sign-in provider signed.

    Raises:
        NotAuthenticated: there is none, or it is not valid.
        TooManyAttempts: it is not valid, and there were too many such from the same address.
    """
    service: Service = request.app[SERVICE]
    header, address = (
        request.headers.get("Authorization"),
        client_address(request.headers.getall("X-Forwarded-For", ()), request.remote, service.proxies),
    )
    if service.recognise is not None and header is not None and is_signed(token := bearer(header)):
        try:
            return await service.recognise(token)
        except NotAuthenticated as fault:
            service.gate.refused(address, token, fault)
            raise
    return await asyncio.get_running_loop().run_in_executor(service.executor, service.gate.admit, header, address)


def is_signed(token: str) -> bool:
    """Whether a token looks like a signed one (JWS compact serialisation, RFC 7515): three parts, JSON first."""
    return token.count(".") == 2 and token.startswith("eyJ")
