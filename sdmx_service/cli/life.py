"""Commands of a submission's later life: its steps, comments, embargoes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from sdmx_service.cli.commands import REFUSED
from sdmx_service.cli.held import Held
from sdmx_service.cli.lines import line, lines
from sdmx_service.cli.opening import with_library
from sdmx_service.errors import SyntaxFault

Arguments = argparse.Namespace
Parser = argparse.ArgumentParser


def _told(receipt: Mapping[str, Any]) -> str:
    """What became of a submission, in a line."""
    place = f" in release {receipt['release']}" if receipt["status"] == "published" else ""
    until = f" for {receipt['scheduled_for']}" if receipt["scheduled_for"] else ""
    return f"{receipt['id']}: {receipt['status']}{place}{until}"


# --- steps ----------------------------------------------------------------------------------------------------------
def _step(
    name: str, fields: tuple[str, ...], does: Callable[[Any, str, dict[str, Any]], Any]
) -> Callable[[Arguments], int]:
    """A command that does one step with one submission."""

    def run(arguments: Arguments) -> int:
        said = {field: value for field in fields if (value := getattr(arguments, field)) is not None}

        def with_store(library: Any) -> int:
            print(_told(does(library, arguments.id, said).to_json()))
            return 0

        def over_http(held: Held) -> int:
            body = json.dumps(said).encode()
            print(_told(held.service.post(f"/api/submissions/{quote(arguments.id, safe='')}/{name}", body)))
            return 0

        return with_library(arguments, with_store, over_http)

    return run


def _steps() -> Any:
    from sdmx_service.workflow import steps

    return steps


def operator() -> Any:
    """Who sits at the store itself."""
    from sdmx_service.auth import OPERATOR

    return OPERATOR


def now() -> Any:
    """The time of day."""
    from sdmx_service.workflow.publishing import clock

    return clock()


approve = _step(
    "approve", ("comment",), lambda library, id, said: _steps().approve(id, library, operator(), now(), **said)
)
refuse = _step("refuse", ("reason",), lambda library, id, said: _steps().refuse(id, library, operator(), **said))
schedule = _step(
    "schedule",
    ("at", "zone", "comment"),
    lambda library, id, said: _steps().schedule(id, library, operator(), now(), **said),
)
hold = _step("hold", ("reason",), lambda library, id, said: _steps().hold(id, library, operator(), **said))
withdraw = _step("withdraw", ("reason",), lambda library, id, said: _steps().withdraw(id, library, operator(), **said))


def publish(arguments: Arguments) -> int:
    """Publish submissions as one release; a service that holds the store makes one release of each."""

    def run(library: Any) -> int:
        from sdmx_service.workflow.publishing import publish

        for receipt in publish(arguments.ids, library, operator(), comment=arguments.comment or ""):
            print(_told(receipt.to_json()))
        return 0

    def over_http(held: Held) -> int:
        body = json.dumps({"comment": arguments.comment} if arguments.comment else {}).encode()
        for id in arguments.ids:
            print(_told(held.service.post(f"/api/submissions/{quote(id, safe='')}/publish", body)))
        return 0

    return with_library(arguments, run, over_http)


def publish_due(arguments: Arguments) -> int:
    """Publish everything whose hour has come, as one release; a running service does it by itself."""

    def run(library: Any) -> int:
        from sdmx_service.workflow.publishing import publish_due

        due = publish_due(library, now())
        for receipt in (*due.published, *due.held):
            print(_told(receipt.to_json()))
        return REFUSED if due.held else 0

    def over_http(held: Held) -> int:
        print("The service that holds the store does it by itself.")
        return 0

    return with_library(arguments, run, over_http)


def comment(arguments: Arguments) -> int:
    """Say something about a submission; without a text show what was said."""
    path = f"/api/submissions/{quote(arguments.id, safe='')}"

    def show(said: Iterable[Mapping[str, Any]]) -> int:
        for one in said:
            print(f"{one['at']}  {one['by']} ({one['role']}, {one['status']}): {lines(one['text'], '    ')}")
        return 0

    def run(library: Any) -> int:
        from sdmx_service.workflow.publishing import seen

        steps = _steps()
        if arguments.text is not None:
            steps.comment(arguments.id, library, operator(), now(), text=arguments.text)
        return show(steps.comments(seen(arguments.id, library.store, operator()).id, library.store))

    def over_http(held: Held) -> int:
        if arguments.text is not None:
            held.service.post(f"{path}/comment", json.dumps({"text": arguments.text}).encode())
        return show(held.service.get(f"{path}/comments")["comments"])

    return with_library(arguments, run, over_http)


# --- embargoes ------------------------------------------------------------------------------------------------------
def embargo(arguments: Arguments) -> int:
    """Hold figures back, list what is held back, or lift an embargo."""
    return _EMBARGOES[arguments.action](arguments)


def _embargo_line(one: Mapping[str, Any]) -> str:
    parts = ", ".join(f"{id} {'+'.join(codes)}" for id, codes in one["slice"].items()) or "all of it"
    lifted = f"  lifted by {one['lifted_by']}: {one['lifted_because']}" if one["lifted_at"] else ""
    until = f"until {one['local']} ({one['at']})"
    return line(f"{one['id']}  {one['dataflow']}  {parts}  {until}  {one['reason']}{lifted}")


def _list_embargoes(arguments: Arguments) -> int:
    def show(found: Iterable[Mapping[str, Any]]) -> int:
        for one in found:
            print(_embargo_line(one))
        return 0

    def run(library: Any) -> int:
        from sdmx_service.workflow.embargoes import embargoes

        return show(one.to_json() for one in embargoes(library.store))

    return with_library(arguments, run, lambda held: show(held.service.get("/api/embargoes")["embargoes"]))


def _slice(words: Iterable[str]) -> dict[str, list[str]]:
    """``COMPONENT=CODE,CODE`` of the command line."""
    found: dict[str, list[str]] = {}
    for word in words:
        id, _, codes = word.partition("=")
        if not id or not codes:
            raise SyntaxFault(f"{word!r} names no slice.", hint="Write --slice REF_AREA=470,620.")
        found.setdefault(id, []).extend(codes.split(","))
    return found


def _make_embargo(arguments: Arguments) -> int:
    if arguments.what is None or arguments.at is None:
        raise SyntaxFault("Say what and until when: embargo create DATAFLOW --at 2026-12-01T08:00 --zone Europe/Malta.")
    said = {"dataflow": arguments.what, "at": arguments.at, "zone": arguments.zone, "reason": arguments.reason,
            "slice": _slice(arguments.slice)}  # fmt: skip
    said = {name: value for name, value in said.items() if value}

    def run(library: Any) -> int:
        from sdmx_service.workflow.embargoes import embargo

        made = embargo(library, operator(), now(), **said)
        print(_embargo_line(made.to_json()))
        for receipt in _steps().follow_embargo(made, library):
            print(_told(receipt.to_json()))
        return 0

    def over_http(held: Held) -> int:
        print(_embargo_line(held.service.post("/api/embargoes", json.dumps(said).encode())))
        return 0

    return with_library(arguments, run, over_http)


def _lift_embargo(arguments: Arguments) -> int:
    if arguments.what is None:
        raise SyntaxFault("Say which: embargo lift ID --reason TEXT.")

    def run(library: Any) -> int:
        from sdmx_service.workflow.embargoes import lift
        from sdmx_service.workflow.publishing import publish_due

        moment = now()
        lifted = lift(arguments.what, library, operator(), moment, reason=arguments.reason or "")
        print(_embargo_line(lifted.to_json()))
        _steps().follow_lifting(lifted, library.store, moment)
        for receipt in publish_due(library, moment).published:
            print(_told(receipt.to_json()))
        return 0

    def over_http(held: Held) -> int:
        body = json.dumps({"reason": arguments.reason or ""}).encode()
        print(_embargo_line(held.service.post(f"/api/embargoes/{quote(arguments.what, safe='')}/lift", body)))
        return 0

    return with_library(arguments, run, over_http)


_EMBARGOES = {"create": _make_embargo, "list": _list_embargoes, "lift": _lift_embargo}


# --- their arguments ------------------------------------------------------------------------------------------------
def _id(command: Parser) -> None:
    command.add_argument("id", metavar="ID", help="the submission")


def _with(*fields: tuple[str, str]) -> Callable[[Parser], None]:
    def add(command: Parser) -> None:
        _id(command)
        for name, help in fields:  # noqa: A001 - the parser's word
            command.add_argument(f"--{name}", metavar="TEXT", help=help)

    return add


def _publish_arguments(command: Parser) -> None:
    command.add_argument("ids", nargs="+", metavar="ID", help="submissions, in the order to apply")
    command.add_argument("--comment", metavar="TEXT", help="what stands with the release")


def _nothing(command: Parser) -> None:
    """Nothing to add."""


def _comment_arguments(command: Parser) -> None:
    _id(command)
    command.add_argument("text", nargs="?", metavar="TEXT", help="what to say; without it, what was said is shown")


def _embargo_arguments(command: Parser) -> None:
    command.add_argument("action", choices=("create", "list", "lift"))
    command.add_argument("what", nargs="?", metavar="DATAFLOW|ID", help="the dataflow, or the embargo to lift")
    command.add_argument("--at", metavar="MINUTE", help="until when: 2026-12-01T08:00, or with an offset")
    command.add_argument("--zone", metavar="ZONE", help="the time zone: Europe/Malta")
    command.add_argument(
        "--slice", action="append", default=[], metavar="COMPONENT=CODES", help="only these figures; several narrow it"
    )
    command.add_argument("--reason", metavar="TEXT", help="why")


COMMANDS: tuple[tuple[str, Callable[[Parser], None], Callable[[Arguments], int], str], ...] = (
    ("approve", _with(("comment", "what stands in the log")), approve, "sign a submission off"),
    ("refuse", _with(("reason", "what the office reads")), refuse, "send an accepted submission back"),
    (
        "schedule",
        _with(("at", "the minute: 2026-12-01T08:00"), ("zone", "its time zone"), ("comment", "what stands in the log")),
        schedule,
        "have a submission published at a moment",
    ),
    ("hold", _with(("reason", "why")), hold, "take a scheduled submission off its moment"),
    ("publish", _publish_arguments, publish, "publish accepted submissions as one release"),
    ("publish-due", _nothing, publish_due, "publish everything whose hour has come"),
    ("withdraw", _with(("reason", "why")), withdraw, "take back an accepted submission"),
    ("comment", _comment_arguments, comment, "say something about a submission, or show what was said"),
    ("embargo", _embargo_arguments, embargo, "hold figures back until a moment"),
)
"""Name, arguments, function, help."""
