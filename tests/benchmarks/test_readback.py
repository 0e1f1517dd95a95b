"""What is read back is compared row for row: one other digit, one row too many or too few, and there is no figure."""

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks import flows, readback
from benchmarks.context import Context, WrongRowsError

MANY = 33 * 7
KINDS = {
    "sdmx-csv-2.1": "csv",
    "sdmx-json-2.1": "json",
    "sdmx-ml-3.1": "specific",
    "sdmx-ml-2.1-structurespecific": "specific",
    "sdmx-ml-2.1-generic": "generic",
    "parquet": "parquet",
}
VALUE = {
    "csv": rb"2001,([0-9.]+),",
    "json": rb'"11":\[([0-9.]+),',
    "specific": rb'OBS_VALUE="([0-9.]+)"[^>]*TIME_PERIOD="2001"',
    "generic": rb'<gen:ObsDimension value="2001"/><gen:ObsValue value="([0-9.]+)"',
}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(observations=MANY, folder=tmp_path)


def written(format: str, context: Context) -> Path:
    path = context.file("export.data")
    flows.write(flows.batches(MANY), format, path)
    return path


@pytest.mark.parametrize("format", KINDS)
@pytest.mark.parametrize("piece", [500, 1 << 24])
def test_the_rows_are_found(format: str, piece: int, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readback, "_PIECE", max(piece, 1 << 12) if format == "sdmx-csv-2.1" else piece)
    readback.require(context, written(format, context), KINDS[format])


@pytest.mark.parametrize("format", [format for format in KINDS if format != "parquet"])  # it has no text to change
def test_another_digit_is_noticed(format: str, context: Context) -> None:
    path = written(format, context)
    body = path.read_bytes()
    place = re.search(VALUE[KINDS[format]], body)
    assert place is not None
    digit = b"7" if body[place.start(1) : place.start(1) + 1] != b"7" else b"3"
    path.write_bytes(body[: place.start(1)] + digit + body[place.start(1) + 1 :])
    with pytest.raises(WrongRowsError):
        readback.require(context, path, KINDS[format])


def tables(*numbers: int) -> Iterator[pa.Table]:
    batches = [flows.text_table([batch]) for batch in flows.batches(MANY)]
    whole = pa.concat_tables(batches)
    yield whole.take(list(numbers))


def test_rows_count_and_their_order_does_not() -> None:
    known = readback.fingerprint(tables(1, 2, 40))
    assert readback.fingerprint(tables(40, 1, 2)) == known
    assert readback.fingerprint(tables(1, 2)) != known
    assert readback.fingerprint(tables(1, 2, 40, 40)) != known
    assert readback.fingerprint(tables(1, 2, 41)) != known
