"""Reports of the commands: what was found, as text for people, JSON for programs, a page, or a marked workbook."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from sdmx_service.cli.lines import line
from sdmx_service.errors import SyntaxFault

_LONGEST = 200
"""Characters of a value that the text report prints."""
_SHOWN = 20
"""Places of one cause that the text report prints; the count is always there, and JSON has every one."""


def check_output(arguments: argparse.Namespace) -> None:
    """Refuse a report that has no place to go.

    Raises:
        SyntaxFault: a workbook for the terminal, or one file for the reports of several.
    """
    if arguments.format == "xlsx" and arguments.output is None:
        raise SyntaxFault("A workbook cannot be printed.", hint="Say where it is to be written: -o FILE.xlsx.")
    if arguments.output is not None and len(arguments.files) > 1:
        raise SyntaxFault("One output file cannot hold the reports of several files.", hint="Check them one by one.")


def report(receipt: Any, groups: Sequence[Any], arguments: argparse.Namespace, file: IO[bytes]) -> None:
    """The receipt and its findings in the form asked for; ``file`` is the file that was checked."""
    form = arguments.format
    if form in ("text", "json") and arguments.output is None:
        _text_report(receipt, groups) if form == "text" else print(_json(receipt.to_json(), _findings(groups)))
        return
    write(_report_bytes(receipt, groups, form, file), arguments.output, sys.stdout.buffer)
    if arguments.output is not None:
        print(f"{line(receipt.file.name)}: {receipt.status}; the findings are in {arguments.output}")


def _report_bytes(receipt: Any, groups: Sequence[Any], form: str, file: IO[bytes]) -> Iterable[bytes]:
    from sdmx_service.submission.exports import findings_csv, findings_html, findings_workbook

    if form == "html":
        return (findings_html(receipt, groups),)
    if form == "xlsx":
        return findings_workbook(groups, receipt.file, file)
    if form == "json":
        return (_json(receipt.to_json(), _findings(groups)).encode(),)
    return (findings_csv(groups),)


def report_remote(receipt: dict[str, Any], service: Any, arguments: argparse.Namespace) -> None:
    """The same of a submission that a running service has checked."""
    base = f"/api/submissions/{receipt['id']}/findings"
    if arguments.format in ("csv", "html", "xlsx"):
        with service.open(f"{base}.{arguments.format}", {}) as answer:
            if answer.status != 200:
                raise service.refusal(answer)
            write(iter(lambda: answer.read(1 << 20), b""), arguments.output, sys.stdout.buffer)
        return
    text = _json(receipt, service.get(base)["findings"])
    if arguments.output is None:
        print(text)
    else:
        write((text.encode(),), arguments.output, sys.stdout.buffer)


def _findings(groups: Iterable[Any]) -> list[Any]:
    return [finding.to_json() for group in groups for finding in group.findings()]


def _json(receipt: Any, findings: Any) -> str:
    return json.dumps({"receipt": receipt, "findings": findings}, ensure_ascii=False, indent=2)


def write(chunks: Iterable[bytes], output: Path | None, terminal: IO[bytes]) -> None:
    """Write the pieces to a file, whole or not at all, or to the terminal."""
    if output is None:
        for chunk in chunks:
            terminal.write(chunk)
        terminal.flush()
        return
    partial = output.with_name(output.name + ".part")
    with partial.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
    partial.replace(output)


def _text_report(receipt: Any, groups: Iterable[Any]) -> None:
    """The receipt and its findings, for people."""
    print(line(f"{receipt.file.name}: {receipt.status}") + (f" as {receipt.id}" if receipt.id else ""))
    print(
        f"  format {receipt.file.format}, mapping {receipt.mapping or 'none'}, provider {receipt.provider or 'unknown'}"
    )
    for flow in receipt.dataflows:
        print(f"  {flow.dataflow}: {flow.observations} observations" + _changes(receipt, flow))
    if receipt.release is not None:
        print(f"  published in release {receipt.release}")
    counts = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in receipt.findings.items())
    print(f"  findings: {counts}")
    for group in groups:
        _print_group(group, receipt.file.name)
    if receipt.rules_not_run:
        print(f"  rules not run (what they compare with is in a store): {', '.join(receipt.rules_not_run)}")


def _changes(receipt: Any, flow: Any) -> str:
    if receipt.status not in ("accepted", "published"):
        return ""
    return f" ({flow.inserted} new, {flow.changed} changed, {flow.unchanged} unchanged, {flow.deleted} deleted)"


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."


def _print_group(group: Any, sent: str) -> None:
    """A cause with its places; ``sent`` is the name of the file that was sent, which need not be said again."""
    for number, finding in enumerate(group.findings(_SHOWN)):
        if number == 0:
            print(line(f"  {group.severity.value} {group.code} ({group.count}): {finding.message}"))
        place = [finding.file] if finding.file not in (None, sent) else []
        place += [f"row {finding.row}"] if finding.row is not None else []
        place += [f"column {finding.column}"] if finding.column else []
        place += [f"sheet {finding.sheet}"] if finding.sheet else []
        place += ["key " + ".".join(finding.key.values())] if finding.key else []
        place += [f"value {_short(finding.value)!r}"] if finding.value is not None else []
        place += (
            [f"expected {finding.expected}"] if finding.expected and finding.expected not in finding.message else []
        )
        place += [f"did you mean {finding.suggestion!r}?"] if finding.suggestion else []
        print(line("    " + ", ".join(place)) if place else "    the file")
        if number and finding.message and group.places.num_columns and group.rule:
            print(line(f"      {finding.message}"))
    if group.count > _SHOWN:
        print(f"    ... and {group.count - _SHOWN} more (--format json lists all)")
