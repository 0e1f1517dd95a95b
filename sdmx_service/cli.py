"""The command line: the same functions without HTTP.

Exit status 0 done, 1 the file was read and refused, 2 it could not be read or the call is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

from sdmx_service import __version__
from sdmx_service.errors import NotBuilt, SdmxError, SyntaxFault
from sdmx_service.settings import Settings

Arguments = argparse.Namespace
REFUSED, UNREADABLE = 1, 2
_SHOWN = 20
"""Places of one cause that the text report prints; the count is always there, and JSON has every one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; errors are one readable line on stderr, never a traceback."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except SdmxError as error:
        print(f"sdmx-service: {error} [{error.code}]", file=sys.stderr)
        return UNREADABLE
    except FileNotFoundError as error:
        print(f"sdmx-service: there is no file {error.filename!r}.", file=sys.stderr)
        return UNREADABLE
    except (IsADirectoryError, PermissionError) as error:
        print(f"sdmx-service: {error.filename!r} cannot be read: {error.strerror}.", file=sys.stderr)
        return UNREADABLE
    except BrokenPipeError:
        return 0


# --- the parser -----------------------------------------------------------------------------------------------------
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sdmx-service", description="SDMX data exchange and dissemination.")
    parser.add_argument("--version", action="version", version=f"sdmx-service {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, add, run, help in _COMMANDS:  # noqa: A001
        command = commands.add_parser(name, help=help, description=help)
        command.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help=Settings.help()["data"])
        command.add_argument("--store", metavar="URL", help=Settings.help()["store"])
        add(command)
        command.set_defaults(run=run)
    return parser


def _no_arguments(command: argparse.ArgumentParser) -> None:
    """Nothing to add."""


def _init_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--demo", action="store_true", help="load the demonstration data too")
    command.add_argument("--content", type=Path, metavar="DIR", help=Settings.help()["content"])


def _serve_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", default="127.0.0.1", help=Settings.help()["host"])
    command.add_argument("--port", type=int, default=8080, help=Settings.help()["port"])
    command.add_argument("--workers", type=int, default=1, metavar="N", help="processes (PostgreSQL only)")
    command.add_argument("--content", type=Path, metavar="DIR", help=Settings.help()["content"])


def _wish_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the file to read")
    command.add_argument("--dataflow", metavar="REF", help="AGENCY:ID(VERSION), AGENCY:ID, a URN or an id")
    command.add_argument("--provider", metavar="REF", help="who the data come from")
    command.add_argument("--mapping", metavar="ID", help="the mapping that reads a table")
    command.add_argument("--input-format", metavar="NAME", help="the format, when the file does not show it")
    command.add_argument("--format", choices=("text", "json", "html"), default="text", help="form of the report")


def _submit_arguments(command: argparse.ArgumentParser) -> None:
    _wish_arguments(command)
    command.add_argument("--url", help="a running service to submit to")
    command.add_argument("--token", help="its token")
    command.add_argument("--publish", action="store_true", help="publish at once if nothing is wrong")


def _ids(command: argparse.ArgumentParser) -> None:
    command.add_argument("ids", nargs="+", metavar="ID", help="submissions, in the order to apply")


def _one_id(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", metavar="ID", help="the submission")


def _restore_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("release", type=int, metavar="RELEASE", help="the release whose state comes back")


def _releases_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("words", nargs="*", metavar="diff A B", help="the difference between two releases")


def _query_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("path", metavar="PATH", help="v2/data/dataflow/... or v1/data/..., with ?parameters")
    command.add_argument("--accept", metavar="TYPE", help="media type")
    command.add_argument("--language", metavar="TAGS", help="languages, best first")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there instead of to the terminal")


def _export_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataflow", metavar="DATAFLOW", help="the dataflow")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=".csv, .json or .xml")


def _token_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", choices=("create", "list", "revoke"))
    command.add_argument("id", nargs="?", metavar="ID", help="the token to revoke")
    command.add_argument("--provider", metavar="REF", help="bind the token to a provider")
    command.add_argument("--role", choices=("publisher", "administrator"), help="give the token a role")


# --- opening the store ----------------------------------------------------------------------------------------------
def _settings(arguments: Arguments) -> Settings:
    settings = Settings(data=arguments.data, store=arguments.store)
    if getattr(arguments, "content", None) is not None:
        settings = replace(settings, content=arguments.content)
    return settings


def _with_library(arguments: Arguments, work: Callable[[Any], int]) -> int:
    """Open the store, fill it if it is empty, run the work."""
    from sdmx_service.app import open_store
    from sdmx_service.catalog.library import Library

    settings = _settings(arguments)
    with closing(open_store(settings)) as store:
        library = Library(store)
        if store.pointer().generation == 0:
            library.fill(settings.content)
        return work(library)


# --- commands -------------------------------------------------------------------------------------------------------
def _init(arguments: Arguments) -> int:
    from sdmx_service.app import open_store
    from sdmx_service.catalog.library import Library
    from sdmx_service.submission.demo import load_demo

    settings = _settings(arguments)
    with closing(open_store(settings)) as store:
        library = Library(store)
        added = library.fill(settings.content)
        total = len(library.view().catalog.artefacts)
        print(f"{added} artefacts, mappings and rule sets added; {total} artefacts in all.")
        if arguments.demo:
            for line in load_demo(library, settings.content / "demo"):
                print(line)
    return 0


def _serve(arguments: Arguments) -> int:
    from sdmx_service.app import serve

    if arguments.workers != 1:
        raise NotBuilt(
            "Several worker processes are not built yet.", hint="Start several services on one PostgreSQL store."
        )
    settings = replace(_settings(arguments), host=arguments.host, port=arguments.port)
    address = f"Serving on http://{settings.host}:{settings.port} (Ctrl-C stops)"
    serve(settings, lambda *_: print(address, flush=True))
    return 0


def _wish(arguments: Arguments) -> Any:
    from sdmx_service.submission.reading import Wish

    return Wish(
        dataflow=arguments.dataflow,
        provider=arguments.provider,
        mapping=arguments.mapping,
        format=arguments.input_format,
    )


def _check(arguments: Arguments) -> int:
    from sdmx_service.catalog.loading import load_folder
    from sdmx_service.submission.submit import SentFile, check

    _refuse_html(arguments)
    settings = _settings(arguments)
    has_store = arguments.store is not None or (arguments.data / "store.duckdb").exists()

    def run(catalog: Any, store: Any, release: int | None) -> int:
        refused = 0
        for path in arguments.files:
            with path.open("rb") as file:
                sent = SentFile(file=file, name=path.name)
                outcome = check(sent, _wish(arguments), catalog, store=store, release=release)
            _report(outcome.receipt, outcome.groups, arguments.format)
            refused += outcome.receipt.status == "refused"
        return REFUSED if refused else 0

    if not has_store:
        return run(load_folder(settings.content).catalog(), None, None)

    def with_store(library: Any) -> int:
        view = library.view()
        return run(view.catalog, library.store, view.release)

    return _with_library(arguments, with_store)


def _submit(arguments: Arguments) -> int:
    _refuse_html(arguments)
    if arguments.url:
        return _submit_remotely(arguments)

    def run(library: Any) -> int:
        from sdmx_service.auth import OPERATOR
        from sdmx_service.submission.receipt import load_findings
        from sdmx_service.submission.submit import SentFile, submit

        refused = 0
        for path in arguments.files:
            with path.open("rb") as file:
                sent = SentFile(file=file, name=path.name)
                receipt = submit(sent, _wish(arguments), library, OPERATOR, publish_now=arguments.publish)
            _report(receipt, load_findings(library.store, receipt.id), arguments.format)
            refused += receipt.status == "refused"
        return REFUSED if refused else 0

    return _with_library(arguments, run)


def _submit_remotely(arguments: Arguments) -> int:
    from sdmx_service.submission.remote import Remote

    service = Remote(arguments.url, arguments.token)
    named = {"dataflow": arguments.dataflow, "provider": arguments.provider, "mapping": arguments.mapping,
             "format": arguments.input_format, "publish": "true" if arguments.publish else None}  # fmt: skip
    wishes = {name: value for name, value in named.items() if value}
    refused = 0
    for path in arguments.files:
        receipt = service.submit(path, wishes)
        findings = service.get(f"/api/submissions/{receipt['id']}/findings")["findings"]
        print(json.dumps({"receipt": receipt, "findings": findings}, ensure_ascii=False, indent=2))
        refused += receipt["status"] == "refused"
    return REFUSED if refused else 0


def _refuse_html(arguments: Arguments) -> None:
    if arguments.format == "html":
        raise NotBuilt("Reports as HTML are not built yet.", hint="Use --format text or json.")


def _report(receipt: Any, groups: Iterable[Any], form: str) -> None:
    """The receipt and its findings, as text for people or JSON for programs."""
    if form == "json":
        findings = [finding.to_json() for group in groups for finding in group.findings()]
        print(json.dumps({"receipt": receipt.to_json(), "findings": findings}, ensure_ascii=False, indent=2))
        return
    print(f"{receipt.file.name}: {receipt.status}" + (f" as {receipt.id}" if receipt.id else ""))
    print(
        f"  format {receipt.file.format}, mapping {receipt.mapping or 'none'}, provider {receipt.provider or 'unknown'}"
    )
    for flow in receipt.dataflows:
        print(f"  {flow.dataflow}: {flow.observations} observations" + _changes(receipt, flow))
    if receipt.release is not None:
        print(f"  published in release {receipt.release}")
    counts = ", ".join(f"{count} {severity}" for severity, count in receipt.findings.items())
    print(f"  findings: {counts}")
    for group in groups:
        _print_group(group)
    if receipt.rules_not_run:
        print(f"  rules not run (they need the store's history): {', '.join(receipt.rules_not_run)}")


def _changes(receipt: Any, flow: Any) -> str:
    if receipt.status not in ("accepted", "published"):
        return ""
    return f" ({flow.inserted} new, {flow.changed} changed, {flow.unchanged} unchanged, {flow.deleted} deleted)"


def _print_group(group: Any) -> None:
    for number, finding in enumerate(group.findings(_SHOWN)):
        if number == 0:
            print(f"  {group.severity.value} {group.code} ({group.count}): {finding.message}")
        place = [f"row {finding.row}"] if finding.row is not None else []
        place += [f"column {finding.column}"] if finding.column else []
        place += [f"sheet {finding.sheet}"] if finding.sheet else []
        place += ["key " + ".".join(finding.key.values())] if finding.key else []
        place += [f"value {finding.value!r}"] if finding.value is not None else []
        place += [f"did you mean {finding.suggestion!r}?"] if finding.suggestion else []
        print("    " + ", ".join(place) if place else "    the file")
        if number and finding.message and group.places.num_columns and group.rule:
            print(f"      {finding.message}")
    if group.count > _SHOWN:
        print(f"    ... and {group.count - _SHOWN} more (--format json lists all)")


def _publish(arguments: Arguments) -> int:
    def run(library: Any) -> int:
        from sdmx_service.auth import OPERATOR
        from sdmx_service.submission.submit import publish

        for receipt in publish(arguments.ids, library, OPERATOR):
            print(f"{receipt.id}: {receipt.status} in release {receipt.release}")
        return 0

    return _with_library(arguments, run)


def _withdraw(arguments: Arguments) -> int:
    def run(library: Any) -> int:
        from sdmx_service.auth import OPERATOR
        from sdmx_service.submission.submit import withdraw

        receipt = withdraw(arguments.id, library, OPERATOR)
        print(f"{receipt.id}: {receipt.status}")
        return 0

    return _with_library(arguments, run)


def _submissions(arguments: Arguments) -> int:
    def run(library: Any) -> int:
        from sdmx_service.submission.receipt import receipts

        for receipt in receipts(library.store):
            flows = ", ".join(f"{flow.dataflow} ({flow.observations})" for flow in receipt.dataflows)
            head = f"{receipt.id}  {receipt.received_at}  {receipt.status:9}  {receipt.provider or '-'}"
            print(f"{head}  {receipt.file.name}  {flows}")
        return 0

    return _with_library(arguments, run)


def _receipt(arguments: Arguments) -> int:
    def run(library: Any) -> int:
        from sdmx_service.submission.receipt import load_receipt

        print(json.dumps(load_receipt(library.store, arguments.id).to_json(), ensure_ascii=False, indent=2))
        return 0

    return _with_library(arguments, run)


def _releases(arguments: Arguments) -> int:
    if arguments.words:
        raise NotBuilt("The difference between two releases is not built yet.")

    def run(library: Any) -> int:
        for release in library.store.releases():
            what = ", ".join(release.submissions) or release.comment
            print(f"{release.number}  {release.published_at.isoformat(timespec='seconds')}  {what}")
        return 0

    return _with_library(arguments, run)


def _restore(arguments: Arguments) -> int:
    def run(library: Any) -> int:
        release = library.store.restore(arguments.release, comment=f"restores release {arguments.release}")
        print(f"Release {release.number} has the state of release {arguments.release}.")
        return 0

    return _with_library(arguments, run)


def _query(arguments: Arguments) -> int:
    api, _, rest = arguments.path.lstrip("/").removeprefix("sdmx/").partition("/")
    if api not in ("v1", "v2"):
        raise SyntaxFault(f"{arguments.path!r} does not begin with v2/ or v1/.")
    path, _, query_string = rest.partition("?")
    return _with_library(arguments, lambda library: _answer(library, api, path, query_string, arguments))


def _answer(library: Any, api: Any, path: str, query_string: str, arguments: Arguments) -> int:
    from sdmx_service.model.message import Party
    from sdmx_service.rest.answers import Request, answer

    request = Request(
        api=api,
        path=path,
        query_string=query_string,
        accept=arguments.accept,
        accept_language=getattr(arguments, "language", None),
    )
    found = answer(request, library, Party(id=Settings().sender))
    good = found.status == 200
    if found.status == 204:
        print("sdmx-service: No results.", file=sys.stderr)
    output = arguments.output if good else None
    _write(found.chunks, output, sys.stdout.buffer if good else sys.stderr.buffer)
    return 0 if found.status < 300 else UNREADABLE


def _write(chunks: Iterable[bytes], output: Path | None, terminal: IO[bytes]) -> None:
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


_EXPORTS = {
    ".csv": "application/vnd.sdmx.data+csv;version=2.1.0",
    ".json": "application/vnd.sdmx.data+json;version=2.1.0",
    ".xml": "application/vnd.sdmx.data+xml;version=3.1.0",
}


def _export(arguments: Arguments) -> int:
    suffix = arguments.output.suffix.lower()
    if suffix in (".parquet", ".xlsx"):
        raise NotBuilt(f"Export as {suffix[1:]} is not built yet.", hint=f"Use {', '.join(_EXPORTS)}.")
    if suffix not in _EXPORTS:
        raise SyntaxFault(f"{arguments.output.name!r} does not end in {', '.join(_EXPORTS)}.")
    arguments.accept = _EXPORTS[suffix]

    def run(library: Any) -> int:
        flow = library.view().catalog.named(arguments.dataflow, "Dataflow")
        path = f"data/dataflow/{flow.agency}/{flow.id}/{flow.version}"
        return _answer(library, "v2", path, "", arguments)

    return _with_library(arguments, run)


def _template(arguments: Arguments) -> int:
    raise NotBuilt("Questionnaire templates are not built yet.")


def _template_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("tables", nargs="+", metavar="TABLE")
    command.add_argument("--area", metavar="CODE")
    command.add_argument("--years", metavar="FROM-TO")
    command.add_argument("--language", metavar="TAG")
    command.add_argument("-o", "--output", type=Path, metavar="FILE")


def _token(arguments: Arguments) -> int:
    return _with_library(arguments, lambda library: _TOKENS[arguments.action](library, arguments))


def _create_token(library: Any, arguments: Arguments) -> int:
    from sdmx_service.auth import Role, create_token
    from sdmx_service.submission.reading import named_provider

    if (arguments.provider is None) == (arguments.role is None):
        raise SyntaxFault("Give either --provider REF or --role ROLE.")
    provider = None if arguments.provider is None else named_provider(arguments.provider, library.view().catalog)
    role = cast(Role, arguments.role or "provider")
    token, principal = create_token(library.store, role=role, provider=provider)
    print(token)
    bound = f"provider {principal.provider}" if principal.provider else f"role {principal.role}"
    print(f"{bound}; it is shown only now.", file=sys.stderr)
    return 0


def _list_tokens(library: Any, arguments: Arguments) -> int:
    from sdmx_service.auth import tokens

    for token in tokens(library.store):
        print(f"{token['id']}  {token['role']}  {token['provider'] or '-'}  {token['created_at']}")
    return 0


def _revoke_token(library: Any, arguments: Arguments) -> int:
    from sdmx_service.auth import revoke_token

    if arguments.id is None:
        raise SyntaxFault("Say which token: token revoke ID.")
    revoke_token(library.store, arguments.id)
    print(f"{arguments.id} revoked")
    return 0


_TOKENS = {"create": _create_token, "list": _list_tokens, "revoke": _revoke_token}
_COMMANDS: tuple[tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[Arguments], int], str], ...] = (
    ("init", _init_arguments, _init, "create the store and load structures, codelists and mappings"),
    ("serve", _serve_arguments, _serve, "run the service"),
    ("check", _wish_arguments, _check, "validate and map files, change nothing"),
    ("submit", _submit_arguments, _submit, "submit files to the store or to a running service"),
    ("publish", _ids, _publish, "publish accepted submissions as one release"),
    ("withdraw", _one_id, _withdraw, "take back an accepted submission"),
    ("submissions", _no_arguments, _submissions, "list the submissions"),
    ("receipt", _one_id, _receipt, "print a receipt"),
    ("releases", _releases_arguments, _releases, "list the releases"),
    ("restore", _restore_arguments, _restore, "make a release with the state of an earlier one"),
    ("query", _query_arguments, _query, "answer an SDMX-REST path without HTTP"),
    ("export", _export_arguments, _export, "write a whole dataflow to one file"),
    ("template", _template_arguments, _template, "write a questionnaire workbook"),
    ("token", _token_arguments, _token, "create, list or revoke tokens"),
)
