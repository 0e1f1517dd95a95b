"""Commands about confidential figures."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from sdmx_service.cli.held import Held
from sdmx_service.cli.opening import settings_of as _settings
from sdmx_service.cli.opening import with_library as _with_library
from sdmx_service.cli.reports import write
from sdmx_service.errors import SyntaxFault


def purge(arguments: argparse.Namespace) -> int:
    """Remove stored values of keys for good; prints the record."""
    from sdmx_service.submission.purge import PurgeWish, purge

    wish = {
        "dataflow": arguments.dataflow,
        "keys": arguments.keys,
        "periods": arguments.periods,
        "provider": arguments.provider,
        "reason": arguments.reason,
        "remove_files": arguments.remove_files,
    }

    def run(library: Any) -> int:
        from sdmx_service.auth import OPERATOR
        from sdmx_service.dissemination.bulk import Shelf
        from sdmx_service.model.message import Party

        settings = _settings(arguments)
        shelf = Shelf(settings.bulk_folder, library, Party(id=settings.sender))
        record = purge(PurgeWish.from_json(wish), library, OPERATOR, shelf.remove)
        print(json.dumps(record, ensure_ascii=False, indent=2))
        return 0

    return _with_library(arguments, run, lambda held: held.purge(wish), with_models=True)


def confidentiality(arguments: argparse.Namespace) -> int:
    """Audit a dataflow, or put a confidentiality document in force."""
    return _put(arguments) if arguments.action == "put" else _audit(arguments)


def _put(arguments: argparse.Namespace) -> int:
    try:
        document = json.loads(Path(arguments.name).read_bytes())
    except ValueError as error:
        raise SyntaxFault(f"{arguments.name} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise SyntaxFault(f"{arguments.name} is no confidentiality document.")

    def run(library: Any) -> int:
        from sdmx_service.auth import OPERATOR
        from sdmx_service.catalog.confidentiality import read_confidentiality

        found = read_confidentiality(document, arguments.name)
        told = OPERATOR.does("change confidentiality", f"confidentiality:{found.id}")
        print(f"{found.id} is in force (generation {library.put_confidentiality(found, (told,))})")
        return 0

    return _with_library(arguments, run, lambda held: held.put_confidentiality(document), with_models=True)


def _audit(arguments: argparse.Namespace) -> int:
    def run(library: Any) -> int:
        from sdmx_service.submission.audit import as_submission, audit, lines

        found = audit(arguments.name, library, seconds=arguments.seconds)
        if arguments.format == "csv":
            chunks = as_submission(found, library.view().catalog)
        else:
            body = json.dumps(found.to_json(), ensure_ascii=False, indent=2)
            chunks = iter(["".join(f"{line}\n" for line in lines(found)).encode()])
            chunks = iter([f"{body}\n".encode()]) if arguments.format == "json" else chunks
        write(chunks, arguments.output, sys.stdout.buffer)
        return 0

    def over_http(held: Held) -> int:
        if arguments.format == "text":
            arguments.format = "json"  # the service answers programs
        with held.audit(arguments.name, arguments.seconds, ".csv" if arguments.format == "csv" else "") as answer:
            write(iter(lambda: answer.read(1 << 16), b""), arguments.output, sys.stdout.buffer)
        return 0

    return _with_library(arguments, run, over_http)
