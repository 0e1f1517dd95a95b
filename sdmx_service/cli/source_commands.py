"""The commands about several sources for one figure: who has precedence, who covers what."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sdmx_service.cli.held import Held
from sdmx_service.cli.opening import Arguments, with_library

_HOW = {"decision": "decided", "agreements": "as agreed", "name": "by name"}


def sources(arguments: Arguments) -> int:
    """Show the providers of a dataflow in the order of precedence, or set it (``--first``, ``--as-agreed``)."""
    if arguments.first or arguments.as_agreed:
        return _set(arguments)

    def run(library: Any) -> int:
        from sdmx_service.catalog.sources import Flow
        from sdmx_service.rest.sources import sources_of

        view = library.view()
        flow = Flow.of(view.catalog.named(arguments.dataflow, "Dataflow"), view.catalog)
        return _print_sources(sources_of(flow, library, view))

    query = urlencode({"dataflow": arguments.dataflow})
    return with_library(arguments, run, lambda held: _print_sources(held.service.get(f"/api/sources?{query}")))


def _print_sources(found: Mapping[str, Any]) -> int:
    for place, one in enumerate((one for one in found["sources"] if one["given"]), start=1):
        print(f"{place}  {one['provider']}  {_HOW[one['ranked_by']]}  {one['given']} given, {one['shown']} shown")
    return 0


def _set(arguments: Arguments) -> int:
    providers = list(arguments.first) if arguments.first else None

    def run(library: Any) -> int:
        from sdmx_service.auth import OPERATOR
        from sdmx_service.maintenance.precedence import set_precedence

        release, order = set_precedence(
            library, OPERATOR, dataflow=arguments.dataflow, providers=providers, comment=arguments.comment or ""
        )
        print(f"Release {release.number}: {', '.join(order)}")
        return 0

    def over_http(held: Held) -> int:
        body = json.dumps({"providers": providers, "comment": arguments.comment or ""}).encode()
        found = held.service.hand_in("PUT", f"/api/sources?{urlencode({'dataflow': arguments.dataflow})}", body)
        print(f"Release {found['release']}: {', '.join(found['precedence'])}")
        return 0

    return with_library(arguments, run, over_http)


def coverage(arguments: Arguments) -> int:
    """Print who submitted what of a dataflow, directly or through a partner, as CSV."""

    def run(library: Any) -> int:
        from sdmx_service.catalog.sources import Flow, names_of, reporting_dimension
        from sdmx_service.dissemination.sources import COLUMNS, coverage, rows_of

        view = library.view()
        flow = Flow.of(view.catalog.named(arguments.dataflow, "Dataflow"), view.catalog)
        dimension = reporting_dimension(flow, arguments.by)
        found = coverage(flow, dimension, library.store, view)
        writer = csv.writer(sys.stdout)
        writer.writerow(COLUMNS)
        writer.writerows(rows_of(found, names_of(flow, dimension, (arguments.language,))))
        return 0

    def over_http(held: Held) -> int:
        wishes = {"dataflow": arguments.dataflow, "by": arguments.by}
        query = urlencode({name: text for name, text in wishes.items() if text})
        with held.open(f"/api/coverage.csv?{query}", {}) as answer:
            if answer.status != 200:
                raise held.service.refusal(answer)
            sys.stdout.write(answer.read().decode())
        return 0

    return with_library(arguments, run, over_http)
