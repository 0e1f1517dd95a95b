"""The commands about mappings: decisions that people took."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from sdmx_service.cli.held import Held, decision_line
from sdmx_service.cli.opening import Arguments, with_library


def decisions(arguments: Arguments) -> int:
    """List the decisions that hold, or with ``--all`` every one there ever was."""

    def run(library: Any) -> int:
        from sdmx_service.submission.decisions import decisions, history

        named = arguments.map
        text = None if named is None else library.view().catalog.named(named, "RepresentationMap").ref.text
        listed = history if arguments.all else decisions
        found = listed(library.store, map=text, provider=arguments.provider)
        return _print_decisions([one.to_json() for one in found], arguments.format)

    def over_http(held: Held) -> int:
        wishes = {"map": arguments.map, "provider": arguments.provider, "all": "true" if arguments.all else None}
        query = urlencode({name: text for name, text in wishes.items() if text})
        return _print_decisions(held.service.get(f"/api/decisions?{query}")["decisions"], arguments.format)

    return with_library(arguments, run, over_http)


def _print_decisions(found: Sequence[dict[str, Any]], form: str) -> int:
    from sdmx_service.submission.decisions import COLUMNS

    if form == "json":
        print(json.dumps(found, ensure_ascii=False, indent=2))
    elif form == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(COLUMNS)
        writer.writerows([one[name] for name in COLUMNS] for one in found)
    else:
        for one in found:
            why = f": {one['comment']}" if one["comment"] else ""
            gone = f"; revoked by {one['revoked_by']} {one['revoked_at']}" if one["revoked_at"] else ""
            print(f"{one['at']}  {decision_line(one)}{why}{gone}")
    return 0
