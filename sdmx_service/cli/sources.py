"""The files that a command is told to read: on this machine, or at a partner's address."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator

from sdmx_service.errors import SyntaxFault
from sdmx_service.settings import Settings
from sdmx_service.submission.submit import SentFile


def sent_files(arguments: argparse.Namespace, settings: Settings) -> Iterator[SentFile]:
    """Each file, open until the next one is asked for.

    Raises:
        SyntaxFault: there is none.
        NotAllowed, Unreachable, TooLarge: an address cannot be fetched from.
    """
    check_sources(arguments)
    for path in arguments.files:
        with path.open("rb") as file:
            yield SentFile(file=file, name=path.name)
    for address in arguments.addresses:
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
