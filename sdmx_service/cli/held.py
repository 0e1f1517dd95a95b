"""The service that holds an embedded store, and the commands that go to it over HTTP.

A running service writes ``service.json`` (address and a token of its own, readable by its user only) into its data
folder and removes it when it stops.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from sdmx_service.cli.lines import line
from sdmx_service.submission.remote import Remote

FILE = "service.json"


def submission_line(receipt: Mapping[str, Any]) -> str:
    """A receipt (as JSON) in the list of submissions."""
    flows = ", ".join(f"{flow['dataflow']} ({flow['counts']['observations']})" for flow in receipt["dataflows"])
    head = f"{receipt['id']}  {receipt['received_at']}  {receipt['status']:9}  {receipt['provider'] or '-'}"
    return line(f"{head}  {receipt['file']['name']}  {flows}")


def undecided_lines(entry: Mapping[str, Any]) -> str:
    """A value that waits for a decision, what was decided about it elsewhere, and what comes near it."""
    rows = f"{entry['count']} row{'' if entry['count'] == 1 else 's'}"
    head = f"{entry['map']}  {entry['value']!r}  ({entry['source']} to {entry['component']}, {rows})"
    near = ", ".join(
        f"{one['code']} ({one['value']}{', ' + one['decided'] if one['decided'] else ''})"
        for one in entry["candidates"]
    )
    from_whom = f" of {', '.join(entry['providers'])}" if entry["providers"] else ""
    where = f"\n    in {', '.join(entry['submissions'])}{from_whom}"
    why = f"\n    {entry['reason']}" if entry["reason"] else ""
    return head + where + why + (f"\n    near: {line(near)}" if near else "")


def decision_line(decision: Mapping[str, Any]) -> str:
    """A decision that was taken, and whether it was revoked."""
    times = f" from {decision['start']}" if decision["start"] else ""
    times += f" to {decision['end']}" if decision["end"] else ""
    whose = f" for {decision['provider']}" if decision["provider"] else ""
    means = f"{decision['value']!r} is {decision['code']!r}"
    return line(f"{decision['map']}: {means}{times}{whose} (by {decision['by']})")


def find_holder(data: Path) -> Held | None:
    """The service that holds the store in that folder, or None if none says so."""
    try:
        found = json.loads((data / FILE).read_text())
    except (OSError, ValueError):
        return None
    return Held(Remote(found["url"], found["token"]))


class Held:
    """Commands over HTTP; each prints what its twin on the store prints."""

    def __init__(self, service: Remote) -> None:
        self.service = service

    def open(self, path: str, headers: Mapping[str, str | None]) -> HTTPResponse:
        """A GET whose body is read by the caller."""
        return self.service.open(path, {name: value for name, value in headers.items() if value})

    def template(self, tables: Sequence[str], wishes: Mapping[str, str]) -> HTTPResponse:
        """The workbook of a questionnaire, whose bytes are read by the caller.

        Raises:
            SdmxError: the service refuses.
        """
        path = f"/api/templates/{quote(','.join(tables))}?{urlencode(wishes)}"
        answer = self.open(path, {})
        if answer.status != 200:
            with answer:
                raise self.service.refusal(answer)
        return answer

    def submissions(self) -> int:
        """List the submissions."""
        for receipt in self.service.get("/api/submissions")["submissions"]:
            print(submission_line(receipt))
        return 0

    def receipt(self, submission: str) -> int:
        """Print a receipt."""
        print(json.dumps(self.service.get(f"/api/submissions/{submission}"), ensure_ascii=False, indent=2))
        return 0

    def undecided(self) -> int:
        """List what waits for a decision."""
        for entry in self.service.get("/api/undecided")["undecided"]:
            print(undecided_lines(entry))
        return 0

    def decide(self, wish: Mapping[str, Any]) -> int:
        """Decide, or take a decision back."""
        found = self.service.post("/api/decisions", json.dumps(wish).encode())
        for decision in found.get("forgotten", [found]):
            print(decision_line(decision) + (" no more" if "forgotten" in found else ""))
        return 0

    def audit(self, dataflow: str, seconds: int, suffix: str) -> HTTPResponse:
        """An audit of confidentiality, whose bytes are read by the caller.

        Raises:
            SdmxError: the service refuses.
        """
        answer = self.open(
            f"/api/confidentiality/audit/{quote(dataflow)}{suffix}?{urlencode({'seconds': seconds})}", {}
        )
        if answer.status != 200:
            with answer:
                raise self.service.refusal(answer)
        return answer

    def put_confidentiality(self, document: Mapping[str, Any]) -> int:
        """Put a confidentiality document in force."""
        path = f"/api/confidentiality/{quote(str(document.get('id')))}"
        found = self.service.post(path, json.dumps(document).encode(), method="PUT")
        print(f"{found['id']} is in force (generation {found['generation']})")
        return 0

    def purge(self, wish: Mapping[str, Any]) -> int:
        """Remove stored values for good."""
        print(json.dumps(self.service.post("/api/purges", json.dumps(wish).encode()), ensure_ascii=False, indent=2))
        return 0

    def dataflow_path(self, dataflow: str) -> str:
        """The data path of a dataflow named by a person."""
        found = self.service.get(f"/api/dataflows/{dataflow}")
        return f"v2/data/dataflow/{found['agency']}/{found['id']}/{found['version']}"
