"""Reading a workbook in a process of its own, within limits of memory and time.

A damaged or made-up XLS file can say that it has billions of cells, and the engine that reads it believes it: the process
would be out of memory, and end. So another one reads it, and what may end is that one. Sheets come back as Arrow.

``python -m sdmx_service.formats.spreadsheet.apart``: the workbook on the standard input, the sheets on the standard
output.
"""

from __future__ import annotations

import io
import resource
import subprocess
import sys
from contextlib import suppress
from typing import IO, Final

import orjson
import pyarrow as pa

from sdmx_service.errors import SdmxError, TooLarge, UnreadableFile
from sdmx_service.formats.spreadsheet.binary import DAMAGED, read_binary_sheets
from sdmx_service.model.message import Sheet

MEMORY: Final = 2 * 1024**3
"""Bytes that the reading process may take, beside what its program takes: more than ``MAX_CELLS`` need."""
SECONDS: Final = 120
"""After that the reading is given up."""
_FAULTS: Final = {one.__name__: one for one in (UnreadableFile, TooLarge)}
_LINE: Final = b"\n"


def read_apart(file: IO[bytes]) -> tuple[Sheet, ...]:
    """The worksheets of an XLS workbook in order.

    Raises:
        UnreadableFile: damaged, truncated, protected by a password, or no workbook.
        TooLarge: more bytes or cells than the limits.
    """
    file.seek(0)
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(command, input=file.read(), capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise UnreadableFile(f"The workbook could not be read in {SECONDS} seconds.", hint=DAMAGED) from None
    if done.returncode:
        raise UnreadableFile("The workbook is damaged: reading it takes more memory than there is.", hint=DAMAGED)
    return _received(done.stdout)


def _received(said: bytes) -> tuple[Sheet, ...]:
    head, _, body = said.partition(_LINE)
    told = orjson.loads(head)
    if "fault" in told:
        raise _FAULTS[told["fault"]](told["detail"], hint=told["hint"])
    return tuple(_sheet(one, part) for one, part in zip(told["sheets"], _parts(told["sheets"], body), strict=True))


def _parts(sheets: list[dict[str, int]], body: bytes) -> list[pa.Buffer]:
    whole, start, found = pa.py_buffer(body), 0, []
    for one in sheets:
        found.append(whole.slice(start, one["bytes"]))
        start += one["bytes"]
    return found


def _sheet(told: dict[str, object], part: pa.Buffer) -> Sheet:
    with pa.ipc.open_stream(part) as reader:
        (batch,) = reader
    columns = [pa.concat_arrays([column]) for column in batch.columns]
    width = len(columns) // 2
    return Sheet(
        name=str(told["name"]),
        columns=tuple(columns[:width]),
        merged=tuple(map(tuple, told["merged"])),  # type: ignore[arg-type]
        hidden_rows=tuple(told["hidden_rows"]),  # type: ignore[arg-type]
        hidden_columns=tuple(told["hidden_columns"]),  # type: ignore[arg-type]
        is_hidden=bool(told["is_hidden"]),
        numbers=tuple(columns[width:]),
    )


# --- in the other process -------------------------------------------------------------------------------------------
def main() -> None:
    """Read the workbook of the standard input, and write its sheets, or why there are none."""
    _limit()
    output = sys.stdout.buffer
    try:
        sheets = read_binary_sheets(io.BytesIO(sys.stdin.buffer.read()))
    except SdmxError as fault:
        output.write(orjson.dumps({"fault": _name(fault), "detail": fault.detail, "hint": fault.hint}) + _LINE)
        return
    bodies = [_written(sheet) for sheet in sheets]
    told = [
        {
            "name": sheet.name,
            "merged": sheet.merged,
            "hidden_rows": sheet.hidden_rows,
            "hidden_columns": sheet.hidden_columns,
            "is_hidden": sheet.is_hidden,
            "bytes": body.size,
        }
        for sheet, body in zip(sheets, bodies, strict=True)
    ]
    output.write(orjson.dumps({"sheets": told}) + _LINE)
    for body in bodies:
        output.write(body)


def _name(fault: SdmxError) -> str:
    return next(name for name, kind in _FAULTS.items() if type(fault) is kind)


def _written(sheet: Sheet) -> pa.Buffer:
    arrays = [*sheet.columns, *(sheet.numbers or ())]
    names = [str(number) for number in range(len(arrays))]
    rows = pa.record_batch(arrays, names=names) if arrays else pa.record_batch([pa.nulls(0)], names=["0"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_batch(rows)
    return sink.getvalue()


def _limit() -> None:
    """Let the program take so much more memory than it has, and processor time; no core is dumped."""
    pages = int(open("/proc/self/statm").read().split()[0])  # noqa: SIM115
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)


if __name__ == "__main__":
    main()
