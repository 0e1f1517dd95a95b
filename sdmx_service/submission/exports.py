"""Findings in the forms in which people take them along: CSV, a page of HTML, the sender's own table with marks.

The page is whole in itself, so that it can be sent on; its one style sheet is allowed by its digest alone.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import IO, Any

from sdmx_service.formats.registry import write_findings, write_marked
from sdmx_service.model.cell_mark import CellMark
from sdmx_service.model.finding import CATALOGUE, FindingGroup
from sdmx_service.submission.receipt import FileFacts, Receipt

FINDING_COLUMNS = (
    "code", "severity", "rule", "file", "sheet", "row", "column", "key", "value", "expected", "suggestion", "message",
)  # fmt: skip
_LONGEST = 500
"""Characters of a value that the page shows."""
_SHOWN = 200
"""Places of a group that the page shows; the count is always whole, and CSV has every one."""


def finding_rows(groups: Iterable[FindingGroup]) -> Iterator[list[Any]]:
    """Every finding as a row of ``FINDING_COLUMNS``, the key in one cell."""
    for group in groups:
        for finding in group.findings():
            row = finding.to_json()
            row["key"] = ".".join(row["key"].values())
            yield [row[name] for name in FINDING_COLUMNS]


def findings_csv(groups: Iterable[FindingGroup]) -> bytes:
    """Findings as CSV, one row each."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(FINDING_COLUMNS)
    writer.writerows([_inert(value) for value in row] for row in finding_rows(groups))
    return out.getvalue().encode()


def _inert(value: object) -> object:
    """A text that a spreadsheet would take for a formula is quoted with an apostrophe."""
    return "'" + value if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def findings_workbook(groups: Sequence[FindingGroup], facts: FileFacts, file: IO[bytes] | None) -> Iterator[bytes]:
    """The sender's table with its cells marked and the list as a last sheet; the list alone where it is no table.

    Args:
        file: the file as it was sent; None: it is not kept.
    """
    if file is not None:
        marked = write_marked(file, facts.format, _marks(groups), FINDING_COLUMNS, finding_rows(groups))
        if marked is not None:
            return marked
    return write_findings(FINDING_COLUMNS, finding_rows(groups))


def _marks(groups: Iterable[FindingGroup]) -> Iterator[CellMark]:
    for group in groups:
        for one in group.findings():
            text = one.message + (f" Nearest: {one.suggestion}." if one.suggestion else "")
            yield CellMark(severity=one.severity.value, text=f"{text} [{one.code}]", sheet=one.sheet, row=one.row,
                       column=one.column)  # fmt: skip


# --- the page ---------------------------------------------------------------------------------------------------------
_STYLE = """
body{font:1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}
th,td{border:1px solid #b8c0cc;padding:.25rem .5rem;text-align:start;vertical-align:top;overflow-wrap:break-word}
p,h1,h2,li{overflow-wrap:anywhere}section div{overflow-x:auto}td{max-width:24rem}
td:last-child{min-width:12rem;overflow-wrap:anywhere}
th{background:#edeff2;white-space:nowrap}
h1{overflow-wrap:anywhere}
section{overflow-x:auto;border-inline-start:.4rem solid;padding-inline-start:1rem;margin:1.5rem 0}
.error{border-color:#b3261e}.warning{border-color:#b26a00}.info{border-color:#2d5b9a}h2{font-size:1.1rem;margin:0}
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
REPORT_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"
"""The ``Content-Security-Policy`` of the page."""
_PLACES = ("file", "sheet", "row", "column", "value", "expected", "suggestion")


def findings_html(receipt: Receipt, groups: Sequence[FindingGroup]) -> bytes:
    """The findings as one page of HTML, grouped by cause: what is wrong, why it matters, what to do, and where."""
    counts = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in receipt.findings.items())
    sections = (_section(group, receipt.file.name, number) for number, group in enumerate(groups, 1))
    body = _causes(groups) + ("".join(sections) or "<p>Nothing was found.</p>")
    verdict = "refused" if receipt.findings.get("error") else "no errors"  # the same before and after it is kept
    head, foot = page(f"{receipt.file.name}: {verdict}")
    facts = f"<p>{escape(_facts(receipt))}</p><p>Findings: {escape(counts)}.</p>"
    return f"{head}{facts}{body}{_not_run(receipt)}{foot}".encode()


def page(title: str) -> tuple[str, str]:
    """The beginning and the end of a page that is whole in itself, to be served with ``REPORT_POLICY``."""
    told = escape(title)
    head = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{told}</title>'
        '<meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(REPORT_POLICY)}">'
        f"<style>{_STYLE}</style></head><body><main><h1>{told}</h1>"
    )
    return head, "</main></body></html>\n"


def _facts(receipt: Receipt) -> str:
    parts = [
        f"Format {receipt.file.format}",
        f"mapping {receipt.mapping or 'none'}",
        f"provider {receipt.provider or 'unknown'}",
        f"{receipt.file.bytes} bytes",
        f"SHA-256 {receipt.file.sha256}",
        *(f"{one.dataflow}: {one.observations} observations" for one in receipt.dataflows),
    ]
    return ", ".join(parts) + "."


def _not_run(receipt: Receipt) -> str:
    if not receipt.rules_not_run:
        return ""
    named = escape(", ".join(receipt.rules_not_run))
    return f"<p>Rules not run, since what they compare with is not in the file: {named}.</p>"


def _causes(groups: Sequence[FindingGroup]) -> str:
    """The causes in order, each with its count and the way to its places."""
    if len(groups) < 2:
        return ""
    listed = (
        f'<li class="{group.severity.value}"><a href="#c{number}">{group.severity.value.capitalize()}:'
        f" {_text(title_of(group))} ({escape(group.code)})</a>, {group.count}</li>"
        for number, group in enumerate(groups, 1)
    )
    return f"<ol>{''.join(listed)}</ol>"


def title_of(group: FindingGroup) -> str:
    """What the cause is called: the catalogue's words, or the name of the rule that does not hold."""
    kind = CATALOGUE.get(group.code)
    if kind is not None:
        return kind.title
    return str(group.constants.get("title") or f"Rule {group.rule or group.code}")


def _section(group: FindingGroup, sent: str, number: int) -> str:
    kind = CATALOGUE.get(group.code)
    severity = group.severity.value
    found = list(group.findings(_SHOWN))
    shown = [name for name in _PLACES if any(getattr(one, name) not in (None, sent) for one in found)]
    has_key = any(one.key for one in found)
    head = "".join(f'<th scope="col">{name}</th>' for name in (*(["key"] if has_key else []), *shown, "message"))
    rows = "".join(
        "<tr>"
        + (f"<td>{_text('.'.join(one.key.values()))}</td>" if has_key else "")
        + "".join(f"<td>{_text(_short(getattr(one, name)))}</td>" for name in shown)
        + f"<td>{_text(one.message)}</td></tr>"
        for one in found
    )
    more = f"<p>{group.count - len(found)} more; the list as CSV has them.</p>" if group.count > len(found) else ""
    why = f"<p>{escape(kind.explanation)} <strong>{escape(kind.remedy)}</strong></p>" if kind is not None else ""
    heading = f"{severity.capitalize()}: {_text(title_of(group))} ({escape(group.code)}), {group.count}"
    return (
        f'<section class="{severity}" id="c{number}"><h2>{heading}</h2>'
        f'{why}<div tabindex="0" role="region" aria-label="Places"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{more}</section>"
    )


def _short(value: object) -> object:
    """A value as the page shows it: of a very long text the beginning; CSV and JSON have the whole."""
    return f"{value[:_LONGEST]}..." if isinstance(value, str) and len(value) > _LONGEST else value


def _text(value: object) -> str:
    return "" if value is None else escape(str(value))
