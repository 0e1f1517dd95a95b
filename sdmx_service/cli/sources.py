"""The files that a command is told to read: on this machine, or at a partner's address."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from sdmx_service.cli.lines import NO_FILE, fault_line
from sdmx_service.errors import Busy, SdmxError, StorageFault, SyntaxFault
from sdmx_service.settings import Settings
from sdmx_service.submission.submit import SentFile

UNREADABLE: Final = 2
"""The exit status of a command for a file that cannot be read."""


def for_each_file(arguments: argparse.Namespace, settings: Settings, work: Callable[[SentFile], int]) -> int:
    """Do the work with each file, whatever becomes of the others; the worst of the exit statuses.

    Raises:
        SyntaxFault: there is no file.
        StorageFault, Busy: the store is no good, for any of them.
    """
    check_sources(arguments)
    opened = [(path.name, _opened(path)) for path in arguments.files]
    opened += [(address, _fetched(address, arguments, settings)) for address in arguments.addresses]

    def read(source: AbstractContextManager[SentFile]) -> int:
        with source as sent:
            return work(sent)

    return worst((name, partial(read, source)) for name, source in opened)


def worst(works: Iterable[tuple[str, Callable[[], int]]]) -> int:
    """Do all the works, each with the name of its file; the worst of their exit statuses.

    One that cannot be done is told on the error stream and counts as ``UNREADABLE``.

    Raises:
        StorageFault, Busy: the store or service is no good, for any of them.
    """
    status = 0
    for name, work in works:
        try:
            status = max(status, work())
        except (StorageFault, Busy):
            raise
        except (SdmxError, *NO_FILE) as fault:
            print(fault_line(fault, name), file=sys.stderr)
            status = UNREADABLE
    return status


@contextmanager
def _opened(path: Path) -> Iterator[SentFile]:
    with path.open("rb") as file:
        yield SentFile(file=file, name=path.name)


@contextmanager
def _fetched(address: str, arguments: argparse.Namespace, settings: Settings) -> Iterator[SentFile]:
    from sdmx_service.rest.partners import Partners, fetch_now

    partners = Partners.of(arguments.partners or settings.known_partners)
    with tempfile.TemporaryFile() as file:
        found = fetch_now(address, file, partners, limit=settings.max_body, seconds=settings.fetch_seconds)
        yield SentFile(file=file, name=found.name, media_type=found.media_type)


def check_sources(arguments: argparse.Namespace) -> None:
    """Make sure that there is something to read.

    Raises:
        SyntaxFault: there is not.
    """
    if not arguments.files and not arguments.addresses:
        raise SyntaxFault("No file is named.", hint="Name files, or an address with --from.")
