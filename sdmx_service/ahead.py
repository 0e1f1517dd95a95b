"""Two things at a time: what comes next is made while what came is used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item], depth: int = 1) -> Generator[Item]:
    """The items, in order; a thread makes the next ones beforehand, ``depth`` of them and one.

    It pays where making and using release Python's lock, as Arrow and DuckDB do. An exception of the items is raised
    where its item would have come. Who stops early ends the thread too.
    """
    made: Queue[tuple[Item] | BaseException | None] = Queue(maxsize=depth)
    is_over = Event()

    def make() -> None:
        try:
            for item in items:
                made.put((item,))
                if is_over.is_set():
                    return
            made.put(None)
        except BaseException as error:  # noqa: BLE001 - raised by who waits for the item
            made.put(error)

    thread = Thread(target=make, name="ahead", daemon=True)
    thread.start()
    try:
        while (found := made.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found[0]
    finally:
        is_over.set()
        _drain(made)  # a thread that waits for room goes on, and sees that it is over
        thread.join()
        _drain(made)


def _drain(queue: Queue[tuple[Item] | BaseException | None]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        pass
