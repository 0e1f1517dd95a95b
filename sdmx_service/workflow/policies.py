"""Who signs off and what is collected, changed while the service runs; both are data, kept with their history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import orjson

from sdmx_service.auth import Principal
from sdmx_service.catalog.collection import read_collection
from sdmx_service.catalog.library import Library
from sdmx_service.catalog.loading import policy_name
from sdmx_service.catalog.sign_off import read_sign_off
from sdmx_service.errors import Busy, Conflict, InvalidStructure, NotFound, SemanticFault

Kind = Literal["sign_off", "collection"]
KINDS: tuple[Kind, ...] = ("sign_off", "collection")
_READERS: Mapping[Kind, Callable[[Any, str], Any]] = {"sign_off": read_sign_off, "collection": read_collection}
_ATTEMPTS = 20


def policies(kind: Kind, library: Library) -> list[dict[str, Any]]:
    """The documents of a kind that hold, by id."""
    catalog = library.view().catalog
    known = catalog.sign_offs if kind == "sign_off" else catalog.collections
    return [dict(known[id].document) for id in sorted(known)]


def keep(kind: Kind, document: Any, library: Library, principal: Principal) -> str:
    """Keep a document in the place of the one with its id; gives the id.

    Raises:
        NotAllowed: the principal is no administrator.
        SemanticFault: the document says something unknown, or lacks something; the place is named.
    """
    try:
        found = _READERS[kind](document, kind)
    except InvalidStructure as error:
        raise SemanticFault(error.detail, hint="See the description of the document.", code=error.code) from None
    _write(kind, str(found.id), orjson.dumps(document), library, principal)
    return str(found.id)


def remove(kind: Kind, id: str, library: Library, principal: Principal) -> None:
    """Let a document hold no more.

    Raises:
        NotAllowed: the principal is no administrator.
        NotFound: there is none of that id.
    """
    catalog = library.view().catalog
    if id not in (catalog.sign_offs if kind == "sign_off" else catalog.collections):
        raise NotFound(f"There is no {kind} {id!r}.")
    _write(kind, id, None, library, principal)


def _write(kind: Kind, id: str, body: bytes | None, library: Library, principal: Principal) -> None:
    principal.must("policies")
    name = policy_name(kind, id)
    told = principal.does("change policy", name, is_ended=body is None)
    for _ in range(_ATTEMPTS):
        try:
            library.store.save_artefacts({name: body}, library.view().generation, (told,))
            return
        except Conflict:  # another change came between
            continue
    raise Busy("Structures are being changed by others all the time.", hint="Try again soon.")
