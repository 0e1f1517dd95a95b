"""Commands about confidential figures."""

from __future__ import annotations

import argparse
import json
from typing import Any

from sdmx_service.cli.commands import _settings, _with_library


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
