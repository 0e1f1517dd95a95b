"""The demonstration data: files of a folder submitted and published in the order of its ``manifest.json``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from sdmx_service.auth import OPERATOR
from sdmx_service.catalog.library import Library
from sdmx_service.errors import InvalidStructure
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import Receipt, load_findings, receipts
from sdmx_service.submission.submit import SentFile
from sdmx_service.workflow.sending import send


def load_demo(library: Library, folder: Path) -> Iterator[str]:
    """Submit and publish every file that is not published yet; yields a line for each.

    Raises:
        InvalidStructure: a file was refused, which is a fault of the delivery; its first finding is told.
    """
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    known = {one.file.sha256: one for one in receipts(library.store) if one.status == "published"}
    for entry in manifest["files"]:
        path = folder / entry["file"]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest in known:
            yield f"{path.name}: already there (release {known[digest].release})"
            continue
        receipt = _load(library, path, entry)
        count = sum(flow.observations for flow in receipt.dataflows)
        yield f"{path.name}: {count} observations, release {receipt.release} ({entry['source']}; {entry['licence']})"


def _load(library: Library, path: Path, entry: dict[str, Any]) -> Receipt:
    wish = Wish(dataflow=entry.get("dataflow"), provider=entry.get("provider"), mapping=entry.get("mapping"))
    with path.open("rb") as file:
        receipt = send(SentFile(file=file, name=path.name), wish, library, OPERATOR, publish_now=True)
    if receipt.status != "published":
        groups = load_findings(library.store, receipt.id)
        first = next((finding.message for group in groups for finding in group.findings(1)), "")
        raise InvalidStructure(f"The demonstration file {path.name} was {receipt.status}: {first}")
    return receipt
