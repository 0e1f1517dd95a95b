"""Compressed streams, always one member (clients stop after the first)."""

from __future__ import annotations

from collections.abc import Iterator

import zstandard
from isal import isal_zlib

_GZIP_LEVEL = 1
_ZSTD_LEVEL = 1
_GZIP_WBITS = 31
"""A gzip header and trailer around raw deflate."""


def compress(chunks: Iterator[bytes], encoding: str | None) -> Iterator[bytes]:
    """The chunks in that content encoding; as they are for None. Small outputs are held until they make a chunk."""
    if encoding == "gzip":
        return _gzip(chunks)
    return _zstd(chunks) if encoding == "zstd" else chunks


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    compressor = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_WBITS)
    for chunk in chunks:
        if out := compressor.compress(chunk):
            yield out
    yield compressor.flush()


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
    for chunk in chunks:
        if out := compressor.compress(chunk):
            yield out
    yield compressor.flush()
