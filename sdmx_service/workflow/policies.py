"""Who signs off and what is collected, changed while the service runs; both are data, kept with their history."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import orjson

from sdmx_service.auth import Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.collection import read_collection
from sdmx_service.catalog.library import Library
from sdmx_service.catalog.loading import policy_name
from sdmx_service.catalog.sign_off import read_sign_off
from sdmx_service.errors import Busy, Conflict, InvalidStructure, NotFound, SemanticFault
from sdmx_service.model.urn import PartialRef
from sdmx_service.submission.suggestions import Suggester

Kind = Literal["sign_off", "collection"]
KINDS: tuple[Kind, ...] = ("sign_off", "collection")
_READERS: Mapping[Kind, Callable[[Any, str], Any]] = {"sign_off": read_sign_off, "collection": read_collection}
_ATTEMPTS = 20
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


def policies(kind: Kind, library: Library) -> list[dict[str, Any]]:
    """The documents of a kind that hold, by id."""
    catalog = library.view().catalog
    known = catalog.sign_offs if kind == "sign_off" else catalog.collections
    return [dict(known[id].document) for id in sorted(known)]


def keep(kind: Kind, document: Any, library: Library, principal: Principal) -> str:
    """Keep a document in the place of the one with its id; gives the id.

    Raises:
        NotAllowed: the principal is no administrator.
        SemanticFault: the document says something unknown, names a dataflow that there is not, or lacks something; the
            place is named.
    """
    try:
        found = _READERS[kind](document, kind)
    except InvalidStructure as error:
        raise SemanticFault(error.detail, hint="See the description of the document.", code=error.code) from None
    if not _ID.fullmatch(found.id):
        raise SemanticFault(f"{kind}.id: {found.id!r} is no id.", hint="Letters, digits, _ and - make one.")
    place = f"{kind}.{'applies_to' if kind == 'sign_off' else 'dataflows'}"
    _must_be_known(found.applies_to if kind == "sign_off" else found.dataflows, place, library.view().catalog)
    _write(kind, str(found.id), orjson.dumps(document), library, principal)
    return str(found.id)


def _must_be_known(dataflows: Iterable[PartialRef], place: str, catalog: Catalog) -> None:
    """A misspelt dataflow would leave the one that is meant without its policy."""
    known = [one.ref for one in catalog.of_type("Dataflow")]
    for one in dataflows:
        if not any(one.matches(ref) for ref in known):
            near = Suggester.of_words([f"{ref.agency}:{ref.id}" for ref in known]).nearest(one.text)
            raise SemanticFault(f"{place}: there is no dataflow {one.text}.", hint=f"Near: {near}." if near else "")


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
