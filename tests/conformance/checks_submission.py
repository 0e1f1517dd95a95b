"""What is taken in: figures by ``POST /data``, as the proposal for the next version has it; only with a token.

The kit sends an agreement's own figures back, deletes one observation, sees it told as deleted, and restores it.
"""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime, timedelta

from tests.conformance.client import Reply
from tests.conformance.reading import datasets, rows
from tests.conformance.site import SDMX, Site
from tests.conformance.verdicts import NotBuiltError, NotTestableError, check, expect, need

CSV = f"{SDMX}data+csv;version=2.1.0"
Lines = list[list[str]]
MOST = 500
"""Lines of an agreement with which the kit is content."""


def send(site: Site, body: bytes) -> Reply:
    """The answer to figures sent."""
    need(site.token, "a token is needed")
    reply = site.v2.ask("/data", "POST", body, True, Content_Type=CSV)
    if reply.status in (405, 501):
        raise NotBuiltError(reply.told())
    return reply


def take(site: Site, lines: Lines) -> None:
    """Figures that must be taken."""
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    reply = send(site, out.getvalue().encode())
    expect(reply.status in (200, 201, 202, 207), reply.told())
    if reply.status == 202:
        raise NotTestableError("what is sent waits for somebody to publish it")


def own_figures(site: Site) -> tuple[str, Lines]:
    """The address of an agreement's data, and its lines as CSV, each to be merged."""
    for one in site.structures("provisionagreement", 200, 204, 404):
        path = f"/data/provisionagreement/{one.agency}/{one.id}/{one.version}"
        reply = site.v2.get(path, 200, 204, 404, Accept=CSV)
        if reply.status == 200:
            header, *lines = csv.reader(io.StringIO(reply.plain().decode(), newline=""), strict=True)
            if header[2] == "ACTION" and 1 < len(lines) <= MOST:
                return path, [header, *([*line[:2], "M", *line[3:]] for line in lines)]
    raise NotTestableError("no provision agreement has a few figures")


def key_of(site: Site, path: str) -> set[str]:
    """The dimensions of an agreement's data, time included; whatever else is empty, the whole observation is meant."""
    parts = path.replace("/data/", "", 1)
    for one in site.structures(f"{parts}?references=descendants"):
        if one.kind == "DataStructure":
            listed = one.raw["dataStructureComponents"]["dimensionList"]
            time = listed.get("timeDimension") or (listed.get("timeDimensions") or [{}])[0]
            return {each["id"] for each in listed["dimensions"]} | ({time.get("id", "TIME_PERIOD")} if time else set())
    raise NotTestableError("the agreement has no data structure")


@check("2.7-08")
def figures(site: Site) -> None:
    reply = send(site, b"nonsense")
    expect(reply.status in (400, 415, 422), f"nonsense is answered {reply.status}")
    path, lines = own_figures(site)
    before = sorted(map(str, rows(site.v2.get(path, Accept=CSV))))
    take(site, lines)
    site.v2.forget()
    expect(sorted(map(str, rows(site.v2.get(path, Accept=CSV)))) == before, "what was sent back changed something")
    unknown = [lines[0], [lines[1][0], "NO:SUCH_AGREEMENT(1.0.0)", *lines[1][2:]]]
    out = io.StringIO()
    csv.writer(out).writerows(unknown)
    reply = send(site, out.getvalue().encode())
    expect(reply.status in (404, 422), f"figures of an unknown agreement are answered {reply.status}")


@check("4.3-07", "4.3-08")
def deletion(site: Site) -> None:
    path, lines = own_figures(site)
    header, victim = lines[0], lines[-1]
    before = len(rows(site.v2.get(path, Accept=CSV)))
    moment = datetime.now(UTC) - timedelta(seconds=1)
    names = key_of(site, path)
    gone = [
        *victim[:2],
        "D",
        *(cell if name in names else "" for name, cell in zip(header[3:], victim[3:], strict=True)),
    ]
    try:
        take(site, [header, gone])
        site.v2.forget()
        expect(len(rows(site.v2.get(path, 200, 204, 404, Accept=CSV))) == before - 1, "what was deleted is there")
        take(site, [header, gone])  # what does not exist may be deleted
        changed = site.v2.get(f"{path}?updatedAfter={moment:%Y-%m-%dT%H:%M:%SZ}", 200, 204, 404, Accept=CSV)
        told = [row for one in datasets(changed) if one.action[:1].upper() == "D" for row in one.rows]
        cells = {name: cell for name, cell in zip(header, victim, strict=True) if name in names}
        expect(
            any(cells.items() <= row.items() for row in told), f"updatedAfter does not tell the deletion: {told[:2]}"
        )
    finally:
        take(site, lines)
        site.v2.forget()
    time.sleep(0.01)
    expect(len(rows(site.v2.get(path, Accept=CSV))) == before, "what was restored is not there")
