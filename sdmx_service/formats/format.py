"""What a format is: its names, how files of it are recognised, what reads and writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from sdmx_service.formats.sniffing import Head
from sdmx_service.model.message import Message, Resolve, SeekableFile, Tables, WriteOptions

Kind = Literal["data", "structure", "availability", "schema", "metadata", "registration"]
Sniff = Callable[[Head], int]
Read = Callable[[SeekableFile, Resolve], Message | Tables]
Write = Callable[[Message, WriteOptions], Iterator[bytes]]
NO_PARAMETERS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def never(head: Head) -> int:
    """A format that is only written recognises nothing."""
    return 0


class Format(NamedTuple):
    """A format, or one version of it.

    Attributes:
        name: how people and receipts call it.
        media_types: the first is the one that answers declare; all are understood.
        suffixes: of file names, with their dot.
        sniff: how sure it is that a file is of this format, 0 to 100.
        read: the message (or tables) in a file; None if it is not read.
        write: the message as bytes; None if it is not written.
        kinds: what it holds.
        apis: the versions of the API that offer it, the one it belongs to first.
        parameters: parameters of the media type and their values, the default first.
        is_compressed: a content coding would make nothing smaller.
    """

    name: str
    media_types: tuple[str, ...]
    suffixes: tuple[str, ...]
    sniff: Sniff = never
    read: Read | None = None
    write: Write | None = None
    kinds: tuple[Kind, ...] = ("data",)
    apis: tuple[str, ...] = ()
    parameters: Mapping[str, tuple[str, ...]] = NO_PARAMETERS
    is_compressed: bool = False
