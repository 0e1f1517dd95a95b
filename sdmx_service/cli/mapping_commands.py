"""The commands about mappings: decisions that people took, and mappings as files."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from sdmx_service.cli.held import Held, decision_line
from sdmx_service.cli.lines import line
from sdmx_service.cli.opening import Arguments, with_library
from sdmx_service.cli.reports import write
from sdmx_service.errors import SyntaxFault


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
            print(line(f"{one['at']}  {decision_line(one)}{why}{gone}"))
    return 0


# --- mappings as files ------------------------------------------------------------------------------------------------
def map_files(arguments: Arguments) -> int:
    """``map list``, ``map export ID -o FILE`` and ``map import FILE``."""
    if arguments.action == "list":
        return _list_mappings(arguments)
    return _export(arguments) if arguments.action == "export" else _import(arguments)


def _list_mappings(arguments: Arguments) -> int:
    def show(found: Sequence[Mapping[str, Any]]) -> int:
        for one in found:
            print(f"{one['id']}  {one['version']}  {', '.join(one['maps'])}")
        return 0

    def run(library: Any) -> int:
        from sdmx_service.rest.map_travel import mappings_of

        return show(mappings_of(library))

    return with_library(arguments, run, lambda held: show(held.service.get("/api/mappings")["mappings"]))


def _export(arguments: Arguments) -> int:
    from sdmx_service.rest.map_travel import FORMS, export_mapping

    form = arguments.output.suffix.lstrip(".").lower()
    if form not in FORMS:
        raise SyntaxFault(f"{arguments.output.name!r} does not end in {', '.join(f'.{one}' for one in FORMS)}.")

    def run(library: Any) -> int:
        wishes = {"language": arguments.language, "decisions": not arguments.no_decisions}
        write(export_mapping(library, arguments.name, form, **wishes), arguments.output, sys.stdout.buffer)
        print(f"{arguments.output}: {arguments.name}")
        return 0

    def over_http(held: Held) -> int:
        wishes = {"language": arguments.language, "decisions": "false" if arguments.no_decisions else "true"}
        with held.open(f"/api/mappings/{quote(arguments.name)}.{form}?{urlencode(wishes)}", {}) as answer:
            if answer.status != 200:
                raise held.service.refusal(answer)
            write(iter(lambda: answer.read(1 << 16), b""), arguments.output, sys.stdout.buffer)
        print(f"{arguments.output}: written by the service that holds the store")
        return 0

    return with_library(arguments, run, over_http)


def _import(arguments: Arguments) -> int:
    path = Path(arguments.name)

    def run(library: Any) -> int:
        from sdmx_service.auth import OPERATOR
        from sdmx_service.rest.map_travel import import_mapping

        with path.open("rb") as file:
            return _print_outcome(import_mapping(file, path.name, library, OPERATOR).to_json())

    def over_http(held: Held) -> int:
        return _print_outcome(held.service.hand_in("POST", "/api/mappings", path.read_bytes()))

    return with_library(arguments, run, over_http)


def _print_outcome(found: Mapping[str, Any]) -> int:
    for one in found["findings"]:
        where = " ".join(f"{name} {one[name]}" for name in ("sheet", "row", "column") if one[name] is not None)
        near = f" Nearest: {one['suggestion']}." if one["suggestion"] else ""
        print(line(f"{one['severity']} {one['code']} {where}: {one['message']}{near}"))
    for one in found["results"]:
        renamed = f" (was {one['before']})" if one["before"] != one["subject"] else ""
        print(f"{one['subject']}: {one['done']}{renamed}")
    return 0 if found["results"] else 1
