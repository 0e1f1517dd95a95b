"""The body of a request, on disk and bounded."""

from __future__ import annotations

import io
from typing import IO, Any

from aiohttp import BodyPartReader, web

from sdmx_service.errors import SyntaxFault, TooLarge

_PIECE = 1 << 20


async def copy(source: Any, target: IO[bytes], limit: int) -> None:
    """Copy a body or a part of one; unpacked bytes count.

    Raises:
        TooLarge: it is larger than the limit.
    """
    size = 0
    read = source.read_chunk if isinstance(source, BodyPartReader) else source.read
    while chunk := await read(_PIECE):
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The file is larger than {limit} bytes.", hint="Send it in parts.")
        target.write(chunk)
    target.seek(0, io.SEEK_END)


async def spool(request: web.Request, target: IO[bytes], limit: int) -> None:
    """The whole body in a file, which stands at its beginning afterwards.

    Raises:
        SyntaxFault: there is none, or it is not packed as it says.
        TooLarge: it is larger than the limit.
    """
    try:
        await copy(request.content, target, limit)
    except web.HTTPException:
        raise
    except (ValueError, OSError) as error:  # what aiohttp raises for a body that is cut off or badly packed
        raise SyntaxFault(f"The body cannot be read: {error}") from None
    if target.tell() == 0:
        raise SyntaxFault("The request has no body.", hint="Send the message as the body.")
    target.seek(0)
