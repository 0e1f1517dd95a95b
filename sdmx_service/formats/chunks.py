"""Batches become chunks of bytes: rendered in slices of bounded size, and neither tiny nor huge when they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

ROWS = 65_536
"""Rows rendered at once at most: more of them cost no less each."""
CHUNK = 1 << 22
"""Bytes rendered at once, about."""
PIECE = 1 << 20
"""Bytes handed on at once at most."""
PACK = 1 << 16
"""Smaller chunks are sent together."""
_BYTES = 1 << 25
"""Bytes of free text rendered at once at most."""
_FEW_ROWS = 64
"""Batches of so many rows are rendered at once, whatever their texts."""


def rendered(
    batches: Iterable[pa.RecordBatch], render: Callable[[pa.RecordBatch], bytes | memoryview]
) -> Iterator[bytes]:
    """The batches rendered in slices whose output is about ``CHUNK`` bytes, handed on in pieces."""
    size = ROWS
    for batch in batches:
        position, limit = 0, _most_rows(batch)
        while position < batch.num_rows:
            part = batch.slice(position, min(size, limit))
            position += part.num_rows
            chunk = render(part)
            for begin in range(0, len(chunk), PIECE):
                yield bytes(chunk[begin : begin + PIECE])
            size = max(1024, min(ROWS, CHUNK * part.num_rows // max(len(chunk), 1)))


def _most_rows(batch: pa.RecordBatch) -> int:
    """Rows of the batch whose free texts stay below a limit."""
    if batch.num_rows <= _FEW_ROWS:
        return ROWS
    free = sum(column.nbytes for column in batch.columns if not isinstance(column, pa.DictionaryArray))
    return max(1, min(ROWS, int(_BYTES * max(batch.num_rows, 1) // max(free, 1))))


def packed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes without tiny chunks."""
    waiting: list[bytes] = []
    size = 0
    for chunk in chunks:
        waiting.append(chunk)
        size += len(chunk)
        if size >= PACK:
            yield b"".join(waiting) if len(waiting) > 1 else chunk
            waiting, size = [], 0
    if size:
        yield b"".join(waiting)
