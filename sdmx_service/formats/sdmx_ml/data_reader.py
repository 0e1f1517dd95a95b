"""SDMX-ML data messages to ``Message``: 2.0, 2.1 structure-specific and generic with their time-series variants, 3.x.

One pass; what is in memory is one batch. Runs of plain ``Series`` and ``Obs`` are cut into columns without a parser
(``data_plain``); for the rest the hot loop is expat's (of the standard library), which was measured to be faster here
than lxml's event interfaces; header and references are read by lxml.

What becomes a row (*choices* where the standard leaves it open):

* ``Obs``: a row that repeats what its ``Series`` says. A ``Series`` without ``Obs``: a row without the dimension at the
  observation level.
* ``Group``, ``Atts``, attributes of the ``DataSet``: a row with the dimensions that they name, or none.
* An empty attribute is an omitted value. A ``DataSet`` without content has no rows, also with the action Delete: what
  is to be deleted must be said, if only by an empty ``Series``, ``Obs`` or ``Atts``.
* Reference metadata inside data (3.x) and annotations are read over; ``Message.errors`` says so. Messages of the footer
  are there too. Both are complete once the data sets are read to the end.
* ``_row`` is the line of the sender's file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby
from typing import IO, Final
from xml.parsers import expat

from sdmx_service.formats.sdmx_ml.data_events import IGNORED_METADATA, DataEvents, EventPiece
from sdmx_service.formats.sdmx_ml.data_events_2_0 import CompactEvents, CrossSectionalEvents, Generic20Events
from sdmx_service.formats.sdmx_ml.data_generic_events import GenericEvents
from sdmx_service.formats.sdmx_ml.data_opening import KINDS, LEGACY_ROOTS, Kind, Opening, explain, read_opening
from sdmx_service.formats.sdmx_ml.data_specific_events import SpecificEvents
from sdmx_service.formats.sniffing import Head
from sdmx_service.model.message import Dataset, Message, Resolve

__all__ = ["IGNORED_METADATA", "read_sdmx_ml_data", "sniff_sdmx_ml_data"]

_EVENTS: Final[dict[Kind, type[DataEvents]]] = {
    "specific": SpecificEvents,
    "generic": GenericEvents,
    "compact 2.0": CompactEvents,
    "generic 2.0": Generic20Events,
    "cross-sectional 2.0": CrossSectionalEvents,
}
PIECE: Final = 4 * 1024 * 1024
"""Bytes taken at once."""
_FIRST: Final = 64 * 1024
"""Bytes of the first piece, in which the data begin."""


def sniff_sdmx_ml_data(head: Head) -> int:
    """How sure it is that this is an SDMX-ML data message, whatever its version."""
    root = head.xml_root
    if root is None or (root[0] not in KINDS and root[0] not in LEGACY_ROOTS):
        return 0
    return 100 if "sdmx" in root[1].lower() else 50


def read_sdmx_ml_data(file: IO[bytes], resolve: Resolve) -> Message:
    """The message in a file; its header is read at once, the rest while the data sets are iterated.

    Raises:
        UnsafeFile: a DOCTYPE.
        UnreadableFile: here or while iterating: not well-formed, truncated, no data message, a component that the
            structure does not have; with the line.
        NotBuilt: SDMX-ML 1.0, utility data of 2.0, reference metadata.
        UnresolvedReference: while iterating, a structure that is not there.
    """
    opening = read_opening(file)
    message = Message(header=opening.header)
    message.datasets = _datasets(file, opening, resolve, message)
    return message


def _datasets(file: IO[bytes], opening: Opening, resolve: Resolve, message: Message) -> Iterator[Dataset]:
    for _, group in groupby(_pieces(file, opening, resolve, message), key=lambda piece: id(piece[0])):
        first = next(group)
        one = first[0]
        yield Dataset(
            structure=one.target.structure,
            ref=one.use.ref,
            batches=(batch for _, batch in chain([first], group)),
            action=one.action,
            dataflow=one.target.dataflow,
            provider=one.provider or one.target.provider or opening.header.provider,
            dimension_at_observation=one.use.dimension_at_observation,
            id=one.id,
            valid_from=one.valid_from,
            valid_to=one.valid_to,
        )


def _pieces(file: IO[bytes], opening: Opening, resolve: Resolve, message: Message) -> Iterator[EventPiece]:
    parser = _EVENTS[opening.kind](opening, resolve)
    file.seek(0)
    try:
        for piece in _cut(file):
            parser.feed(piece)
            yield from parser.ready()
        parser.xml.Parse(b"", True)
    except expat.ExpatError as fault:
        raise explain(parser.placed(fault)) from None
    yield from parser.ready()
    message.errors = (*message.errors, *parser.notes)


def _cut(file: IO[bytes]) -> Iterator[bytes]:
    """The file in pieces that end with ``>`` where it has any."""
    rest, size = b"", min(_FIRST, PIECE)
    while chunk := file.read(size):
        size = PIECE
        end = chunk.rfind(b">") + 1
        if end:
            yield rest + chunk[:end]
            rest = chunk[end:]
        else:
            rest += chunk
    yield rest
