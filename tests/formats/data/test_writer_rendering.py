"""Rows rendered from pieces: the same as joining texts row by row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.formats.chunks import PACK, packed, rendered
from sdmx_service.formats.fragments import (
    Coded,
    Piece,
    Renderer,
    Texts,
    joined_bytes,
    strings,
)

FRAGMENTS = st.text(st.characters(codec="utf-8"), max_size=4)


@given(st.data(), st.integers(0, 9))
def test_rows_are_the_pieces_joined(data: st.DataObject, count: int) -> None:
    renderer = Renderer()
    tables = [strings(*data.draw(st.lists(FRAGMENTS, min_size=1, max_size=20))) for _ in range(3)]
    for _ in range(2):  # the second time with folded tables kept
        pieces: list[Piece] = []
        expected = [""] * count
        for kind in data.draw(st.lists(st.integers(0, 4), max_size=6)):
            if kind == 0:
                text = data.draw(FRAGMENTS)
                pieces.append(text)
                own = [text] * count
            elif kind == 1:
                own = data.draw(st.lists(FRAGMENTS, min_size=count, max_size=count))
                pieces.append(Texts(pa.array(own, pa.string())))
            else:
                table = tables[kind - 2]
                codes = data.draw(st.lists(st.integers(0, len(table) - 1), min_size=count, max_size=count))
                pieces.append(Coded(np.array(codes, np.int32), table))
                own = [table[code].as_py() for code in codes]
            expected = [before + after for before, after in zip(expected, own, strict=True)]
        rows = renderer.rows(pieces, count)
        assert expected == rows.to_pylist()
        assert "".join(expected).encode() == joined_bytes(rows)


@given(st.lists(st.binary(max_size=10).map(lambda text: text * 9000), max_size=8))
def test_packed_chunks_are_the_same_bytes(chunks: list[bytes]) -> None:
    found = list(packed(chunks))
    assert b"".join(chunks) == b"".join(found)
    assert all(len(chunk) >= PACK for chunk in found[:-1])


def test_chunks_of_long_texts_stay_small() -> None:
    batch = pa.RecordBatch.from_pydict({"text": ["x" * 10_000] * 20_000})
    chunks = list(rendered([batch], lambda part: "".join(part.column(0).to_pylist()).encode()))
    assert sum(map(len, chunks)) == 200_000_000
    assert max(map(len, chunks)) <= 40_000_000
