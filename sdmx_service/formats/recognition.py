"""Which format a file is of, by its looks; archives are taken apart first."""

from __future__ import annotations

from sdmx_service.errors import UnknownFormat
from sdmx_service.formats.archives import unpack
from sdmx_service.formats.registry import FORMATS, Format, Kind, named
from sdmx_service.formats.sniffing import Head
from sdmx_service.formats.sniffing import peek as head_of

__all__ = ["artefact_format", "head_of", "recognise", "recognise_data", "structure_format", "unpack"]


_INSTEAD = "Send the table itself: a workbook (XLSX, XLS, ODS), CSV or an SDMX message, as it is or in a zip or gzip."


def recognise(head: Head, *kinds: Kind) -> Format:
    """The format of a file that holds something of these kinds, by its looks.

    Raises:
        UnknownFormat: none recognises it, or several are equally sure; the candidates are listed.
    """
    readable = [one for one in FORMATS if one.read is not None and set(kinds) & set(one.kinds)]
    called = repr(head.name) if head.name else "The file"
    if head.foreign is not None:
        raise UnknownFormat(f"{called} is {head.foreign}, from which nothing is read.", hint=_INSTEAD)
    sure = {one.name: one.sniff(head) for one in readable}
    best = max(sure.values(), default=0)
    found = [one for one in readable if best and sure[one.name] == best]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in found or readable)
    if found:
        raise UnknownFormat(f"{called} may be any of {names}.", hint="Say which format it is.")
    other = max((one for one in FORMATS if one.read is not None), key=lambda one: one.sniff(head))
    if other.sniff(head):
        holds = ", ".join(other.kinds)
        raise UnknownFormat(f"{called} is {other.name}, which holds {holds}.", hint=f"What is read here: {names}.")
    raise UnknownFormat(f"{called} is of no format known here.", hint=f"Formats that are read: {names}.")


def recognise_data(head: Head, name: str | None = None) -> Format:
    """The format of a data file: the one named, else by its looks.

    Raises:
        NotFound: there is no such format.
        UnknownFormat: it is not read, none recognises the file, or several do.
    """
    if name is None:
        return recognise(head, "data")
    found = named(name)
    if found.read is None:  # a version: the reader of the family reads all of them
        family = (one for one in FORMATS if one.read is not None and "data" in one.kinds and name.startswith(one.name))
        found = next(family, found)
    if found.read is None:
        raise UnknownFormat(f"{name} is written, not read.")
    return found


def structure_format(body: bytes, name: str | None = None) -> Format:
    """The format of a structure message.

    Raises:
        UnknownFormat: it is none that is read.
    """
    return recognise(Head(start=body[: 64 * 1024], name=name), "structure")


def artefact_format(body: bytes, name: str | None = None) -> Format:
    """The format of a message of structures or of metadata sets.

    Raises:
        UnknownFormat: it is none that is read.
    """
    return recognise(Head(start=body[: 64 * 1024], name=name), "structure", "metadata")
