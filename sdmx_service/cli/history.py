"""Commands that look back and ahead: releases and their differences, the log, the calendar."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

from sdmx_service.cli.commands import REFUSED
from sdmx_service.cli.held import Held
from sdmx_service.cli.life import now, operator
from sdmx_service.cli.lines import line
from sdmx_service.cli.opening import with_library
from sdmx_service.cli.reports import write
from sdmx_service.errors import NoResults, SyntaxFault

Arguments = argparse.Namespace
Parser = argparse.ArgumentParser
_TABLES = {"json": "application/json", "csv": "text/csv", "html": "text/html"}


# --- releases -------------------------------------------------------------------------------------------------------
def releases(arguments: Arguments) -> int:
    """List the releases, or tell what two of them differ in."""
    if arguments.words:
        return _diff(arguments)

    def run(library: Any) -> int:
        for release in library.store.releases():
            what = ", ".join(release.submissions) or release.comment
            print(line(f"{release.number}  {release.published_at.isoformat(timespec='seconds')}  {what}"))
        return 0

    def over_http(held: Held) -> int:
        for release in held.service.get("/api/releases")["releases"]:
            what = ", ".join(release["submissions"]) or release["comment"]
            print(line(f"{release['release']}  {release['published_at']}  {what}"))
        return 0

    return with_library(arguments, run, over_http)


def _diff(arguments: Arguments) -> int:
    words = arguments.words
    if len(words) != 3 or words[0] != "diff" or not (words[1].isdigit() and words[2].isdigit()):
        raise SyntaxFault("Write releases diff A B, with the numbers of two releases.")
    before, after = int(words[1]), int(words[2])

    def pair(library: Any, stack: ExitStack) -> Any:
        from sdmx_service.workflow.difference import of_releases

        return of_releases(before, after, library.view().catalog, library.store, arguments.dataflow)

    wish = "?" + urlencode({"dataflow": arguments.dataflow}) if arguments.dataflow else ""
    title = f"From release {before} to release {after}"
    return _compared(arguments, pair, title, f"/api/releases/{before}/diff/{after}{wish}")


def difference(arguments: Arguments) -> int:
    """What a correction changes in the figures of the submission that it corrects."""

    def pair(library: Any, stack: ExitStack) -> Any:
        from sdmx_service.app.stores import scratch_store
        from sdmx_service.submission.receipt import load_receipt
        from sdmx_service.workflow.difference import earlier_version, of_submissions

        later = load_receipt(library.store, arguments.id)
        earlier = earlier_version(later, library.store)
        scratch = stack.enter_context(scratch_store())
        return of_submissions(earlier, later, library.view().catalog, library.store, scratch)

    path = f"/api/submissions/{quote(arguments.id, safe='')}/difference"
    return _compared(arguments, pair, f"What {arguments.id} corrects", path)


def _compared(arguments: Arguments, pair: Callable[[Any, ExitStack], Any], title: str, path: str) -> int:
    """A difference in the form that the name of the output says, else as CSV."""
    output: Path | None = arguments.output
    suffix = "csv" if output is None else output.suffix.lstrip(".")
    is_table = arguments.accept is None and suffix in _TABLES

    def run(library: Any) -> int:
        from sdmx_service.model.message import Party, WriteOptions
        from sdmx_service.settings import Settings
        from sdmx_service.workflow.difference import difference_message, table, written

        with ExitStack() as stack:
            found = pair(library, stack)
            if is_table:
                write(table(found, cast(Any, suffix), title), output, sys.stdout.buffer)
                return 0
            message = difference_message(found, Party(id=Settings().sender))
            write(written(message, _format(arguments), WriteOptions()), output, sys.stdout.buffer)
        return 0

    def over_http(held: Held) -> int:
        accept = _TABLES[suffix] if is_table else _format(arguments).media_types[0]
        with held.open(path, {"Accept": accept}) as answer:
            if answer.status not in (200, 204):
                raise held.service.refusal(answer)
            write(iter(lambda: answer.read(1 << 20), b""), output, sys.stdout.buffer)
        return 0

    try:
        return with_library(arguments, run, over_http)
    except NoResults as nothing:
        print(f"sdmx-service: {nothing}", file=sys.stderr)
        return 0


def _format(arguments: Arguments) -> Any:
    """The format of SDMX that Accept names, else that of the output's name."""
    from sdmx_service.formats.registry import formats_for, of_suffix
    from sdmx_service.model.query import Representation
    from sdmx_service.rest.negotiation import choose

    if arguments.accept is not None:
        return choose(arguments.accept, Representation(), formats_for("data", "v2")).format
    found = of_suffix(arguments.output.name)
    if found is None:
        raise SyntaxFault(f"{arguments.output.name!r} has no suffix of a format.", hint="Or say it: --accept TYPE.")
    return found


def restore(arguments: Arguments) -> int:
    """Make a release with the state of an earlier one."""
    reason = arguments.reason or ""

    def run(library: Any) -> int:
        from sdmx_service.workflow.publishing import restore

        release = restore(arguments.release, library, operator(), reason=reason)
        print(f"Release {release.number} has the state of release {arguments.release}.")
        return 0

    def over_http(held: Held) -> int:
        body = json.dumps({"reason": reason}).encode()
        found = held.service.post(f"/api/releases/{arguments.release}/restore", body)
        print(f"Release {found['release']} has the state of release {arguments.release}.")
        return 0

    return with_library(arguments, run, over_http)


# --- log and calendar -----------------------------------------------------------------------------------------------
def log(arguments: Arguments) -> int:
    """Show the log, or verify that it is still the one that was written; 1 if it is not."""
    return _verify(arguments) if arguments.verify else _show_log(arguments)


def _verify(arguments: Arguments) -> int:
    def judge(found: Mapping[str, Any]) -> int:
        head = found["head"]
        print(f"{found['entries']} entries, the newest {head['number']}:{head['hash']}")
        for fault in found["faults"]:
            print(f"entry {fault['number']}: {fault['problem']}")
        print("The log is whole." if found["is_whole"] else "The log was changed.")
        return 0 if found["is_whole"] else REFUSED

    def run(library: Any) -> int:
        from sdmx_service.workflow.history import verify

        return judge(verify(library.store, operator(), arguments.mark))

    mark = "?" + urlencode({"mark": arguments.mark}) if arguments.mark else ""
    return with_library(arguments, run, lambda held: judge(held.service.get(f"/api/log/verify{mark}")))


def _show_log(arguments: Arguments) -> int:
    def show(entries: Iterable[Mapping[str, Any]]) -> int:
        for one in entries:
            why = f"  {one['reason']}" if one["reason"] else ""
            who = f"{one['principal']} ({one['role']})"
            print(line(f"{one['number']}  {one['at']}  {who}  {one['act']}  {one['object']}{why}"))
        return 0

    def run(library: Any) -> int:
        from sdmx_service.workflow.history import history

        return show(history(library.store, operator(), object=arguments.object, after=arguments.after))

    def over_http(held: Held) -> int:
        after = arguments.after
        wish = {"object": arguments.object} if arguments.object else {}
        while entries := held.service.get(f"/api/log?{urlencode({'after': after, **wish})}")["entries"]:
            show(entries)
            after = entries[-1]["number"]
        return 0

    return with_library(arguments, run, over_http)


def _expected_lines(one: Mapping[str, Any]) -> Iterator[str]:
    """What is expected of a provider, and how it stands."""
    late = f" by {one['days_late']} days" if one["days_late"] else ""
    remind = f"; remind since {one['reminder_due']}" if one["reminder_due"] else ""
    yield f"{one['due']}  {one['provider']}  {one['collection']} {one['year']}: {one['status']}{late}{remind}"
    if one["outstanding"] and one["received"]:
        yield f"    outstanding: {', '.join(one['outstanding'])}"
    for flow, partner in one["covered"].items():
        yield f"    {flow}: sent by {partner}"


def calendar(arguments: Arguments) -> int:
    """Show what is expected from whom by when, and who is late."""
    wishes = {name: value for name in ("provider", "year", "status") if (value := getattr(arguments, name)) is not None}
    form = arguments.format

    def show(document: Mapping[str, Any]) -> int:
        for one in document["expected"]:
            print("\n".join(_expected_lines(one)))
        return 0

    def run(library: Any) -> int:
        from sdmx_service.workflow.expected import calendar_csv, calendar_ics, calendar_json, expected

        moment = now()
        found = expected(library.view().catalog, library.store, operator(), moment, **wishes)
        if form == "text":
            return show(json.loads(calendar_json(found, moment)))
        if form == "csv":
            made = calendar_csv(found, moment.date())
        else:
            made = calendar_json(found, moment) if form == "json" else calendar_ics(found, moment)
        write((made,), arguments.output, sys.stdout.buffer)
        return 0

    def over_http(held: Held) -> int:
        suffix = f".{form}" if form in ("csv", "ics") else ""
        path = f"/api/calendar{suffix}?{urlencode(wishes)}"
        if form == "text":
            return show(held.service.get(path))
        with held.open(path, {}) as answer:
            if answer.status != 200:
                raise held.service.refusal(answer)
            write(iter(lambda: answer.read(1 << 20), b""), arguments.output, sys.stdout.buffer)
        return 0

    return with_library(arguments, run, over_http)


# --- their arguments ----------------------------------------------------------------------------------------------
def _id(command: Parser) -> None:
    command.add_argument("id", metavar="ID", help="the submission")


def _output_arguments(command: Parser) -> None:
    command.add_argument("--accept", metavar="TYPE", help="media type of an SDMX message")
    command.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write there: .csv, .json, .html a table, .xml a message"
    )


def _releases_arguments(command: Parser) -> None:
    command.add_argument("words", nargs="*", metavar="diff A B", help="the difference between two releases")
    command.add_argument("--dataflow", metavar="REF", help="of one dataflow only")
    _output_arguments(command)


def _difference_arguments(command: Parser) -> None:
    _id(command)
    _output_arguments(command)


def _restore_arguments(command: Parser) -> None:
    command.add_argument("release", type=int, metavar="RELEASE", help="the release whose state comes back")
    command.add_argument("--reason", metavar="TEXT", help="why")


def _log_arguments(command: Parser) -> None:
    command.add_argument("--verify", action="store_true", help="see whether it is still the one that was written")
    command.add_argument("--mark", metavar="NUMBER:HASH", help="with --verify: a mark that a receipt tells")
    command.add_argument("--object", metavar="OBJECT", help="only what was done to it: a submission, release 7 ...")
    command.add_argument("--after", type=int, default=0, metavar="NUMBER", help="only later entries")


def _calendar_arguments(command: Parser) -> None:
    command.add_argument("--provider", metavar="ID", help="only this provider")
    command.add_argument("--year", type=int, metavar="YEAR", help="the year that the figures are of")
    command.add_argument("--status", metavar="WORD", help="late, expected, partial, covered, complete or not asked")
    command.add_argument("--format", choices=("text", "json", "csv", "ics"), default="text")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there")


COMMANDS: tuple[tuple[str, Callable[[Parser], None], Callable[[Arguments], int], str], ...] = (
    ("difference", _difference_arguments, difference, "what a correction changes"),
    ("releases", _releases_arguments, releases, "list the releases, or tell two apart"),
    ("restore", _restore_arguments, restore, "make a release with the state of an earlier one"),
    ("log", _log_arguments, log, "who did what and why; verify that nothing of it was changed"),
    ("calendar", _calendar_arguments, calendar, "what is expected from whom, and who is late"),
)
"""Name, arguments, function, help."""
