"""``python -m tests.conformance http://host/sdmx``: measures a service."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.conformance.report import as_json, as_markdown, figures, run
from tests.conformance.site import Site
from tests.conformance.verdicts import NotMetError


def main(arguments: list[str] | None = None) -> int:
    """Runs the kit; the exit status is 1 if a line is not met, 2 if nobody answers."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("base", help="the address below which /v2 and /v1 are, such as http://localhost:8080/sdmx")
    parser.add_argument("--v2", help="the address of SDMX-REST 2, if it is not BASE/v2")
    parser.add_argument("--v1", help="the address of SDMX-REST 1, if it is not BASE/v1")
    parser.add_argument("--token", help="a token; without one nothing is written")
    parser.add_argument("--name", help="how the service is called in the report")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for one request (30)")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two requests (0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results for programs")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the results as a document")
    parser.add_argument(
        "--shown",
        type=Path,
        metavar="FILE",
        help="JSON: line -> tests of the service's own that show what no request can",
    )
    chosen = parser.parse_args(arguments)
    shown = json.loads(chosen.shown.read_text(encoding="utf-8")) if chosen.shown else None
    base = chosen.base.rstrip("/")
    site = Site(chosen.v2 or f"{base}/v2", chosen.v1 or f"{base}/v1", chosen.token, chosen.timeout, chosen.pause)
    try:
        site.v2.ask("/structure/dataflow?detail=allstubs")
    except NotMetError as error:
        print(f"{site.v2.base} does not answer: {error}", file=sys.stderr)
        return 2
    try:
        results = run(site, shown)
    finally:
        site.close()
    name = chosen.name or base
    for one in results:
        print(f"{one.id}  {one.verdict:12}  {one.line}" + (f"\n         {one.why[:300]}" if one.why else ""))
    print("; ".join(f"{word}: {count}" for word, count in figures(results).items()), f"({site.spent} requests)")
    if chosen.json:
        chosen.json.write_text(as_json(results, name, site), encoding="utf-8")
    if chosen.markdown:
        chosen.markdown.write_text(as_markdown(results, name, site), encoding="utf-8")
    return 1 if figures(results)["not met"] else 0


if __name__ == "__main__":
    sys.exit(main())
