"""The commands: each takes the parsed arguments and gives the exit status.

What a command needs is imported when it runs, so that ``--help`` and small commands start at once. While a service
holds an embedded store, a command that can be done over HTTP goes to it (``held``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from sdmx_service.cli.held import Held, decision_line, submission_line, undecided_lines
from sdmx_service.cli.opening import Arguments
from sdmx_service.cli.opening import settings_of as _settings
from sdmx_service.cli.opening import with_library as _with_library
from sdmx_service.cli.reports import check_output, report, report_remote, write
from sdmx_service.errors import NotBuilt, SyntaxFault
from sdmx_service.settings import Settings

REFUSED, UNREADABLE = 1, 2
TUNED: Final = (
    "session_idle", "session_whole", "proxies", "threads", "max_streams", "max_body", "max_address", "fetch_seconds",
    "bulk_kept", "memory_limit", "workspace_memory", "sender",
)  # fmt: skip
"""Settings of ``serve`` that are numbers or short texts."""
SIZES: Final = ("memory_limit", "workspace_memory")
"""Those of them that are amounts of memory."""


# --- commands -------------------------------------------------------------------------------------------------------
def init(arguments: Arguments) -> int:
    """Create the store; with ``--demo`` load the demonstration data."""
    from sdmx_service.app.stores import open_store
    from sdmx_service.catalog.library import Library
    from sdmx_service.workflow.demo import load_demo

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


def serve(arguments: Arguments) -> int:
    """Run the service until it is stopped."""
    from sdmx_service.app.application import serve

    if arguments.workers != 1:
        raise NotBuilt(
            "Several worker processes are not built yet.", hint="Start several services on one PostgreSQL store."
        )
    settings = replace(
        _settings(arguments),
        host=arguments.host,
        port=arguments.port,
        address=arguments.address,
        models=arguments.models,
        read_models=not arguments.no_models,
        bulk=arguments.bulk,
        bulk_kinds=arguments.bulk_kinds,
        partners=arguments.partners,
        openid=arguments.openid,
        key_file=arguments.key_file,
        accounts=not arguments.no_accounts,
        **{name: getattr(arguments, name) for name in TUNED},
    )
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
        encoding=arguments.encoding,
        xsd=arguments.xsd,
    )


def check(arguments: Arguments) -> int:
    """Validate and map files, each whatever the others are; 1 if any is refused, 2 if any cannot be read."""
    check_output(arguments)
    from sdmx_service.catalog.loading import load_folder
    from sdmx_service.cli.sources import for_each_file
    from sdmx_service.submission.submit import check

    settings = _settings(arguments)
    has_store = arguments.store is not None or (arguments.data / "store.duckdb").exists()

    def run(catalog: Any, store: Any, release: int | None) -> int:
        def check_one(sent: Any) -> int:
            outcome = check(sent, _wish(arguments), catalog, store=store, release=release)
            report(outcome.receipt, outcome.groups, arguments, sent.file)
            return REFUSED if outcome.receipt.status == "refused" else 0

        return for_each_file(arguments, settings, check_one)

    def without_store() -> int:
        return run(load_folder(settings.content).catalog(), None, None)

    if not has_store:
        return without_store()

    def with_store(library: Any) -> int:
        view = library.view()
        return run(view.catalog, library.store, view.release)

    # A service that holds the store does not lend its history: the rules that need it are listed as not run.
    return _with_library(arguments, with_store, lambda held: without_store())


def submit(arguments: Arguments) -> int:
    """Submit files to the store, the service that holds it, or ``--url``, each whatever becomes of the others.

    The exit status is 1 if any is refused, 2 if any cannot be read.
    """
    check_output(arguments)
    if arguments.url:
        from sdmx_service.submission.remote import Remote

        return _submit_to(Remote(arguments.url, arguments.token), arguments)

    def run(library: Any) -> int:
        from sdmx_service.auth import OPERATOR
        from sdmx_service.cli.sources import for_each_file
        from sdmx_service.submission.receipt import load_findings
        from sdmx_service.workflow.sending import send

        def send_one(sent: Any) -> int:
            receipt = send(
                sent, _wish(arguments), library, OPERATOR, corrects=arguments.corrects, publish_now=arguments.publish
            )
            report(receipt, load_findings(library.store, receipt.id), arguments, sent.file)
            return REFUSED if receipt.status == "refused" else 0

        return for_each_file(arguments, _settings(arguments), send_one)

    return _with_library(arguments, run, lambda held: _submit_to(held.service, arguments))


def _submit_to(service: Any, arguments: Arguments) -> int:
    from sdmx_service.cli.sources import check_sources, worst

    named = {"dataflow": arguments.dataflow, "provider": arguments.provider, "mapping": arguments.mapping,
             "format": arguments.input_format, "encoding": arguments.encoding, "corrects": arguments.corrects,
             "publish": "true" if arguments.publish else None,
             "xsd": "true" if arguments.xsd else None}  # fmt: skip
    wishes = {name: value for name, value in named.items() if value}
    check_sources(arguments)

    def send_one(send: Callable[..., dict[str, Any]], source: Path | str) -> int:
        receipt = send(source, wishes)
        report_remote(receipt, service, arguments)
        return REFUSED if receipt["status"] == "refused" else 0

    sends = [(path.name, partial(send_one, service.submit, path)) for path in arguments.files]
    sends += [(address, partial(send_one, service.submit_from, address)) for address in arguments.addresses]
    return worst(sends)


def submissions(arguments: Arguments) -> int:
    """List the submissions."""

    def run(library: Any) -> int:
        from sdmx_service.submission.receipt import receipts

        for receipt in receipts(library.store):
            print(submission_line(receipt.to_json()))
        return 0

    return _with_library(arguments, run, lambda held: held.submissions())


def receipt(arguments: Arguments) -> int:
    """Print a receipt as JSON."""

    def run(library: Any) -> int:
        from sdmx_service.submission.receipt import load_receipt

        print(json.dumps(load_receipt(library.store, arguments.id).to_json(), ensure_ascii=False, indent=2))
        return 0

    return _with_library(arguments, run, lambda held: held.receipt(arguments.id))


def undecided(arguments: Arguments) -> int:
    """List the values that no map decides."""

    def run(library: Any) -> int:
        from sdmx_service.submission.undecided import undecided

        for entry in undecided(library.store):
            print(undecided_lines(entry.to_json()))
        return 0

    return _with_library(arguments, run, lambda held: held.undecided())


def decide(arguments: Arguments) -> int:
    """Decide what a value means, or take the decision back."""
    if (arguments.code is None) != arguments.forget:
        raise SyntaxFault("Give either the code or --forget.")
    wish = {"map": arguments.map, "value": arguments.value}
    times = {"start": arguments.start, "end": arguments.end, "comment": arguments.comment,
             "provider": arguments.provider}  # fmt: skip
    more = {name: text for name, text in times.items() if text}

    def run(library: Any) -> int:
        from sdmx_service.auth import OPERATOR
        from sdmx_service.submission.decisions import decide, forget

        if arguments.forget:
            for gone in forget(library, OPERATOR, **wish, **_only(more, "provider", "comment")):
                print(decision_line(gone.to_json()) + " no more")
        else:
            print(decision_line(decide(library, OPERATOR, code=arguments.code, **wish, **more).to_json()))
        return 0

    return _with_library(arguments, run, lambda held: held.decide({**wish, "code": arguments.code, **more}))


def _only(words: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: text for name, text in words.items() if name in names}


def query(arguments: Arguments) -> int:
    """Answer an SDMX-REST path; 2 if the answer is an error."""
    api, _, rest = arguments.path.lstrip("/").removeprefix("sdmx/").partition("/")
    if api not in ("v1", "v2"):
        raise SyntaxFault(f"{arguments.path!r} does not begin with v2/ or v1/.")
    path, _, query_string = rest.partition("?")
    return _with_library(
        arguments,
        lambda library: _answer(library, api, path, query_string, arguments),
        lambda held: _answer_over_http(held, arguments),
    )


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
    write(found.chunks, output, sys.stdout.buffer if good else sys.stderr.buffer)
    return 0 if found.status < 300 else UNREADABLE


def _answer_over_http(held: Held, arguments: Arguments) -> int:
    headers = {"Accept": arguments.accept, "Accept-Language": getattr(arguments, "language", None)}
    with held.open("/sdmx/" + arguments.path.lstrip("/").removeprefix("sdmx/"), headers) as answer:
        good = answer.status == 200
        if answer.status == 204:
            print("sdmx-service: No results.", file=sys.stderr)
        chunks = iter(lambda: answer.read(1 << 20), b"")
        write(chunks, arguments.output if good else None, sys.stdout.buffer if good else sys.stderr.buffer)
        return 0 if answer.status < 300 else UNREADABLE


def export(arguments: Arguments) -> int:
    """Write a whole dataflow to one file, in the format that the file's suffix names."""
    from sdmx_service.formats.registry import formats_for, of_suffix

    format = of_suffix(arguments.output.name)
    if format is None:
        known = sorted({suffix for one in formats_for("data", "v2") for suffix in one.suffixes[:1]})
        raise SyntaxFault(f"{arguments.output.name!r} does not end in {', '.join(known)}.")
    arguments.accept = format.media_types[0]

    def run(library: Any) -> int:
        flow = library.view().catalog.named(arguments.dataflow, "Dataflow")
        path = f"data/dataflow/{flow.agency}/{flow.id}/{flow.version}"
        return _answer(library, "v2", path, "", arguments)

    def over_http(held: Held) -> int:
        arguments.path = held.dataflow_path(arguments.dataflow)
        return _answer_over_http(held, arguments)

    return _with_library(arguments, run, over_http)


def template(arguments: Arguments) -> int:
    """Write the workbook of a questionnaire for an area, with what the store holds; without a store an empty one."""
    from sdmx_service.dissemination.template import TemplateWish, years

    wish = TemplateWish(
        tables=tuple(arguments.tables),
        area=arguments.area,
        periods=years(arguments.years),
        language=arguments.language,
        questionnaire=arguments.questionnaire,
    )
    if arguments.store is None and not (arguments.data / "store.duckdb").exists():
        from sdmx_service.catalog.loading import load_folder

        return _write_template(wish, load_folder(_settings(arguments).content).catalog(), None, arguments.output)

    def run(library: Any) -> int:
        return _write_template(wish, library.view().catalog, library, arguments.output)

    return _with_library(arguments, run, lambda held: _template_over_http(held, arguments))


def _template_over_http(held: Held, arguments: Arguments) -> int:
    wishes = {"area": arguments.area, "years": arguments.years, "language": arguments.language,
              "questionnaire": arguments.questionnaire}  # fmt: skip
    with held.template(arguments.tables, {name: text for name, text in wishes.items() if text}) as answer:
        write(iter(lambda: answer.read(1 << 16), b""), arguments.output, sys.stdout.buffer)
    print(f"{arguments.output}: written by the service that holds the store")
    return 0


def _write_template(wish: Any, catalog: Any, library: Any, output: Path) -> int:
    from sdmx_service.dissemination.held import Holder
    from sdmx_service.dissemination.template import template
    from sdmx_service.formats.registry import write_form

    def holder(provider: Any) -> Holder | None:
        if library is None:
            return None
        return Holder(store=library.store, release=library.view().release, provider=provider)

    made = template(wish, catalog, holder)
    write(write_form(made.form), output, sys.stdout.buffer)
    print(f"{output}: {made.form.subject}, {made.filled} figures of {made.provider.item} filled in")
    if made.left_out:
        print(f"{made.left_out} more figures are held that no cell of these tables asks for, in these years and units")
    return 0
