"""The body of a request, on disk and bounded."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import IO, Any

from aiohttp import BodyPartReader, web

from sdmx_service.errors import SyntaxFault, TooLarge

MAX_MESSAGE = 64 * 1024 * 1024
"""Bytes of a structure or registry message at most."""
MAX_QUESTION = 1024 * 1024
"""Bytes of a message from somebody without a token."""
_PIECE = 1 << 20


async def copy(source: Any, target: IO[bytes], limit: int) -> None:
    """Copy a body or a part of one; unpacked bytes count.

    Raises:
        TooLarge: it is larger than the limit.
        SyntaxFault: it is cut off, or not packed as it says.
    """
    size = 0
    read = source.read_chunk if isinstance(source, BodyPartReader) else source.read
    while chunk := await _piece(read):
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The file is larger than {limit} bytes.", hint="Send it in parts.")
        target.write(chunk)
    target.seek(0, io.SEEK_END)


async def _piece(read: Callable[[int], Awaitable[bytes]]) -> bytes:
    try:
        return await read(_PIECE)
    except web.RequestPayloadError as error:
        raise SyntaxFault("The body is cut off, or not packed as Content-Encoding says.") from error


async def spool(request: web.Request, target: IO[bytes], limit: int) -> None:
    """The whole body in a file, which stands at its beginning afterwards.

    Raises:
        SyntaxFault: there is none, or it cannot be read.
        TooLarge: it is larger than the limit.
    """
    await copy(request.content, target, limit)
    if target.tell() == 0:
        raise SyntaxFault("The request has no body.", hint="Send the message as the body.")
    target.seek(0)
