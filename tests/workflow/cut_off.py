"""A sender that stops in the middle: ``python -m tests.workflow.cut_off STORE WHERE`` says where it is, and waits.

``reading``: most of the file is read, its first rows are in the store. ``kept``: all is in the store but the receipt.
With a line on its standard input it goes on to its end and tells the submission and its status.
"""

from __future__ import annotations

import io
import sys
from contextlib import closing

import pyarrow as pa

from sdmx_service.app.stores import open_store
from sdmx_service.catalog.library import Library
from sdmx_service.settings import Settings
from sdmx_service.storage.port import Load, Record, StagedPart
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import Receipt
from sdmx_service.submission.submit import SentFile, submit
from tests.workflow.office import CONTENT, HEADER, OFFICE

ROWS = 6
"""Rows of the file: Merge and Replace in turns, so that each is a part, which writes the one before."""


def message() -> bytes:
    rows = [
        f"dataflow,SEA:DF_CATCH(1.0.0),{'MR'[month % 2]},M,SOU,COD,2024-{month:02},1,A,kg"
        for month in range(1, ROWS + 1)
    ]
    return "\n".join([HEADER, *rows, ""]).encode()


class Slow:
    """A load that waits before its last part."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.parts = 0

    def append(self, part: StagedPart, batch: pa.RecordBatch) -> None:
        self.parts += 1
        if self.parts == ROWS:
            wait()
        self.load.append(part, batch)

    def keep(self) -> None:
        self.load.keep()

    def discard(self) -> None:
        self.load.discard()


def wait() -> None:
    print("here", flush=True)
    sys.stdin.readline()


def main(url: str, where: str) -> None:
    def beside(receipt: Receipt) -> Record:
        if where == "kept":
            wait()
        return Record()

    with closing(open_store(Settings(store=url, content=CONTENT))) as store:
        library = Library(store)
        if store.pointer().generation == 0:
            library.fill(CONTENT)
        if where == "reading":
            stage = store.stage
            store.stage = lambda submission: Slow(stage(submission))  # type: ignore[method-assign]
        sent = SentFile(file=io.BytesIO(message()), name="catch.csv")
        receipt = submit(sent, Wish(provider="SEA.HARBOUR"), library, OFFICE, beside=beside, preview=False)
        print(receipt.id, receipt.status, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
