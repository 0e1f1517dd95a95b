"""Reading a workbook in a process of its own, within limits of memory and time.

A damaged or made-up XLS file can say that it has billions of cells, and the engine that reads it believes it: the
process would be out of memory, and end. So another one reads it, and what may end is that one. Sheets come back as
Arrow.

``python -m sdmx_service.formats.spreadsheet.apart``: the workbook on the standard input, the sheets on the standard
output: a line of JSON that says what they are, or why there are none, and a stream of Arrow for each.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, Final

import orjson
import pyarrow as pa

from sdmx_service.errors import TooLarge, UnreadableFile
from sdmx_service.formats.spreadsheet.binary import DAMAGED, read_binary_sheets
from sdmx_service.model.message import Sheet

MEMORY: Final = 4 * 1024**3
"""Bytes of addresses that the other process may use: more than the largest sheets need."""
SECONDS: Final = 120
"""After that the reading is given up."""
_FAULTS: Final = {one.__name__: one for one in (UnreadableFile, TooLarge)}


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
        raise UnreadableFile("The workbook is damaged: its reader does not come to an end of it.", hint=DAMAGED)
    head, _, body = done.stdout.partition(b"\n")
    told = orjson.loads(head)
    if "fault" in told:
        raise _FAULTS[told["fault"]](told["detail"], hint=told["hint"])
    return tuple(_received(told["sheets"], pa.py_buffer(body)))


def _received(sheets: Sequence[Mapping[str, Any]], body: pa.Buffer) -> list[Sheet]:
    found, start = [], 0
    for told in sheets:
        with pa.ipc.open_stream(body.slice(start, told["bytes"])) as reader:
            columns = [column.combine_chunks() for column in reader.read_all().columns]
        start += told["bytes"]
        found.append(
            Sheet(
                name=told["name"],
                columns=tuple(columns[: told["width"]]),
                merged=tuple((first, left, last, right) for first, left, last, right in told["merged"]),
                hidden_rows=tuple(told["hidden_rows"]),
                hidden_columns=tuple(told["hidden_columns"]),
                is_hidden=told["is_hidden"],
                numbers=tuple(columns[told["width"] :]),
            )
        )
    return found


# --- in the other process -------------------------------------------------------------------------------------------
def main() -> None:
    """Read the workbook of the standard input, and write its sheets, or why there are none."""
    _limit()
    try:
        sheets = read_binary_sheets(io.BytesIO(sys.stdin.buffer.read()))
    except (UnreadableFile, TooLarge) as fault:
        _write({"fault": type(fault).__name__, "detail": fault.detail, "hint": fault.hint})
        return
    bodies = [_body(sheet) for sheet in sheets]
    told = [_told(sheet, body.size) for sheet, body in zip(sheets, bodies, strict=True)]
    _write({"sheets": told}, *bodies)


def _write(told: Mapping[str, Any], *bodies: pa.Buffer) -> None:
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    for body in bodies:
        sys.stdout.buffer.write(body)


def _told(sheet: Sheet, size: int) -> dict[str, Any]:
    names = ("name", "merged", "hidden_rows", "hidden_columns", "is_hidden")
    return {name: getattr(sheet, name) for name in names} | {"width": len(sheet.columns), "bytes": size}


def _body(sheet: Sheet) -> pa.Buffer:
    columns = [*sheet.columns, *(sheet.numbers or ())]
    table = pa.table(dict(zip(map(str, range(len(columns))), columns, strict=True)))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _limit() -> None:
    """No more memory than ``MEMORY``, and no picture of it on the disk when the process ends; not every system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    main()
