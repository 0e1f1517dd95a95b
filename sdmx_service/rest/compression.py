"""Compressed streams, always one member (clients stop after the first)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import brotli
import zstandard
from isal import isal_zlib

_GZIP_LEVEL = 1
_ZSTD_LEVEL = 1
_BROTLI_QUALITY = 3
_HELD = 0.25
"""Seconds that a compressor may hold what it was given."""
_GZIP_WBITS = 31
"""A gzip header and trailer around raw deflate."""
_ZLIB_WBITS = 15
"""A zlib header and trailer: the content coding ``deflate`` (RFC 9110, 8.4.1.2)."""


def compress(chunks: Iterator[bytes], encoding: str | None) -> Iterator[bytes]:
    """The chunks in that content encoding; as they are for None.

    Small outputs are held until they make a chunk, but not for long: the client is to see progress, and only what is
    written tells that it has gone.
    """
    if encoding == "gzip":
        gzip = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_WBITS)
        return _compressed(chunks, gzip.compress, gzip.flush, isal_zlib.Z_SYNC_FLUSH)
    if encoding == "deflate":
        zlib = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _ZLIB_WBITS)
        return _compressed(chunks, zlib.compress, zlib.flush, isal_zlib.Z_SYNC_FLUSH)
    if encoding == "br":
        return _brotli(chunks)
    if encoding == "zstd":
        zstd = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
        return _compressed(chunks, zstd.compress, zstd.flush, zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    return chunks


def _compressed(
    chunks: Iterator[bytes], press: Callable[[bytes], bytes], flush: Callable[..., bytes], now: int
) -> Iterator[bytes]:
    until = time.monotonic() + _HELD
    for chunk in chunks:
        out = press(chunk)
        if not out and time.monotonic() > until:
            out = flush(now)
        if out:
            yield out
            until = time.monotonic() + _HELD
    yield flush()


def _brotli(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """One brotli stream; its compressor ends by another function than it is flushed by."""
    compressor = brotli.Compressor(quality=_BROTLI_QUALITY)

    def flush(*now: int) -> bytes:
        return bytes(compressor.flush() if now else compressor.finish())

    return _compressed(chunks, compressor.process, flush, 1)
