"""The command line: the same functions without HTTP.

Exit status 0 done, 1 the file was read and refused, 2 it could not be read or the call is wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sdmx_service import __version__
from sdmx_service.amounts import megabytes
from sdmx_service.cli import access, commands, confidentiality, history, life, mapping_commands, source_commands
from sdmx_service.cli.lines import NO_FILE, fault_line
from sdmx_service.errors import SdmxError
from sdmx_service.settings import Settings

Arguments = argparse.Namespace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; errors are one readable line on stderr, never a traceback."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except (SdmxError, *NO_FILE) as error:
        print(fault_line(error), file=sys.stderr)
        return commands.UNREADABLE
    except BrokenPipeError:
        return 0


# --- the parser -----------------------------------------------------------------------------------------------------
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sdmx-service", description="SDMX data exchange and dissemination.")
    parser.add_argument("--version", action="version", version=f"sdmx-service {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, add, run, help in (*_COMMANDS, *life.COMMANDS, *history.COMMANDS):  # noqa: A001
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
    command.add_argument("--address", default="", metavar="URL", help=Settings.help()["address"])
    command.add_argument("--models", type=Path, metavar="DIR", help=Settings.help()["models"])
    command.add_argument("--no-models", action="store_true", help="answer from the database alone")
    command.add_argument("--bulk", type=Path, metavar="DIR", help=Settings.help()["bulk"])
    command.add_argument(
        "--bulk-kinds", default=Settings().bulk_kinds, metavar="KINDS", help=Settings.help()["bulk_kinds"]
    )
    command.add_argument("--partners", default="", metavar="HOSTS", help=Settings.help()["partners"])
    command.add_argument("--openid", type=Path, metavar="FILE", help=Settings.help()["openid"])
    command.add_argument("--key-file", type=Path, metavar="FILE", help=Settings.help()["key_file"])
    command.add_argument("--no-accounts", action="store_true", help="no sign-in with accounts of the service's own")
    for name in commands.TUNED:
        option, default = f"--{name.replace('_', '-')}", getattr(Settings(), name)
        kind = _size if name in commands.SIZES else type(default)
        metavar = "TEXT" if isinstance(default, str) else "N"
        told = f"{Settings.help()[name]}; default: {default}"
        command.add_argument(option, type=kind, default=default, metavar=metavar, help=told)
    command.add_argument("--workers", type=int, default=1, metavar="N", help="processes (PostgreSQL only)")
    command.add_argument("--content", type=Path, metavar="DIR", help=Settings.help()["content"])


def _size(text: str) -> str:
    """An amount of memory, as the databases read it."""
    if megabytes(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 150MB or 1GB")
    return text


def _wish_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", nargs="*", type=Path, metavar="FILE", help="the file to read")
    command.add_argument(
        "--from", action="append", default=[], dest="addresses", metavar="URL", help="fetch the file from a partner"
    )
    command.add_argument("--partners", default="", metavar="HOSTS", help=Settings.help()["partners"])
    command.add_argument("--dataflow", metavar="REF", help="AGENCY:ID(VERSION), AGENCY:ID, a URN or an id")
    command.add_argument("--provider", metavar="REF", help="who the data come from")
    command.add_argument("--mapping", metavar="ID", help="the mapping that reads a table")
    command.add_argument("--xsd", action="store_true", help="judge an SDMX message by its schema too")
    command.add_argument("--input-format", metavar="NAME", help="the format, when the file does not show it")
    command.add_argument(
        "--encoding", metavar="NAME", help="the encoding of a text, such as cp1251, when it is not UTF-8"
    )
    command.add_argument(
        "--format", choices=("text", "json", "csv", "html", "xlsx"), default="text",
        help="form of the report; xlsx: the file itself with its cells marked",
    )  # fmt: skip
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the report there")
    command.add_argument("--content", type=Path, metavar="DIR", help=Settings.help()["content"])


def _submit_arguments(command: argparse.ArgumentParser) -> None:
    _wish_arguments(command)
    command.add_argument("--url", help="a running service to submit to")
    command.add_argument("--token", help="its token")
    command.add_argument("--corrects", metavar="ID", help="the submission of which this is the next version")
    command.add_argument("--publish", action="store_true", help="publish at once if nothing is wrong")


def _one_id(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", metavar="ID", help="the submission")


def _decide_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("map", metavar="MAP", help="the representation map, as `undecided` names it")
    command.add_argument("value", metavar="VALUE", help="the value of the file")
    command.add_argument("code", metavar="CODE", nargs="?", help="what it means")
    command.add_argument("--from", dest="start", metavar="DATE", help="the first day it holds for")
    command.add_argument("--to", dest="end", metavar="DATE", help="the last day it holds for")
    command.add_argument("--provider", metavar="REF", help="hold for the files of this provider only")
    command.add_argument("--comment", metavar="TEXT", help="why")
    command.add_argument("--forget", action="store_true", help="revoke the decision")


def _decisions_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--map", metavar="MAP", help="of this representation map only")
    command.add_argument("--provider", metavar="AGENCY.ID", help="for the files of this provider only")
    command.add_argument("--all", action="store_true", help="those that were replaced or revoked too")
    command.add_argument("--format", choices=("text", "json", "csv"), default="text", help="form of the list")


def _map_arguments(command: argparse.ArgumentParser) -> None:
    command.set_defaults(name=None, output=None)
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action, help in (  # noqa: A001
        ("list", "the mappings that read files"),
        ("export", "write a mapping or a map to a file"),
        ("import", "read a workbook back: what changed becomes a new version"),
    ):
        one = actions.add_parser(action, help=help, description=help)
        one.add_argument("--data", type=Path, default=argparse.SUPPRESS, metavar="DIR", help=Settings.help()["data"])
        one.add_argument("--store", default=argparse.SUPPRESS, metavar="URL", help=Settings.help()["store"])
        if action == "export":
            one.add_argument("name", metavar="ID", help="a mapping, a structure map or a representation map")
            one.add_argument(
                "-o", "--output", type=Path, required=True, metavar="FILE", help=".xlsx, .json or .xml to write"
            )
            one.add_argument("--language", default="en", metavar="TAG", help="of the names beside the codes (en)")
            one.add_argument("--no-decisions", action="store_true", help="leave out what people decided")
        elif action == "import":
            one.add_argument("name", metavar="FILE", help="the workbook")


def _sources_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataflow", metavar="DATAFLOW", help="the dataflow")
    command.add_argument("--first", nargs="+", metavar="PROVIDER", help="make a release in which these come first")
    command.add_argument(
        "--as-agreed", action="store_true", help="make one in which nobody decides: as the agreements say"
    )
    command.add_argument("--comment", metavar="TEXT", help="why")


def _coverage_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataflow", metavar="DATAFLOW", help="the dataflow")
    command.add_argument("--by", metavar="DIMENSION", help="the dimension that it is told by, where none is known")
    command.add_argument("--language", default="en", metavar="TAG", help="of the names of codes (en)")


def _query_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("path", metavar="PATH", help="v2/data/dataflow/... or v1/data/..., with ?parameters")
    command.add_argument("--accept", metavar="TYPE", help="media type")
    command.add_argument("--language", metavar="TAGS", help="languages, best first")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there instead of to the terminal")


def _export_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataflow", metavar="DATAFLOW", help="the dataflow")
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help=".csv, .json, .xml, .parquet, .arrows, .jsonstat or .xlsx",
    )


def _template_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("tables", nargs="+", metavar="TABLE", help="ids of tables, or of a questionnaire for all")
    command.add_argument("--area", required=True, metavar="CODE", help="the reporting area, by code or name")
    command.add_argument("--years", metavar="FROM-TO", help="the years asked for (the last six that are over)")
    command.add_argument("--language", default="en", metavar="TAG", help="the language of the workbook (en)")
    command.add_argument("--questionnaire", metavar="ID", help="ID or ID(REVISION); the latest that has the tables")
    command.add_argument("--content", type=Path, metavar="DIR", help=Settings.help()["content"])
    command.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the workbook to write")


def _purge_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataflow", metavar="DATAFLOW", help="AGENCY:ID(VERSION), AGENCY:ID, a URN or an id")
    command.add_argument(
        "--key", action="append", required=True, dest="keys", metavar="KEY", help="codes by dimension, as in a query"
    )
    command.add_argument("--period", action="append", default=[], dest="periods", metavar="PERIOD", help="all if none")
    command.add_argument("--provider", metavar="REF", help="whose values (everyone's)")
    command.add_argument("--reason", required=True, metavar="TEXT", help="why; it stands in the record")
    command.add_argument("--remove-files", action="store_true", help="kept files that contain a value go too")


def _confidentiality_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "action", choices=("audit", "put"), help="audit a dataflow, or put a confidentiality document in force"
    )
    command.add_argument("name", metavar="DATAFLOW|FILE", help="the dataflow, or the document")
    command.add_argument("--seconds", type=int, default=60, help="how long the audit may reckon (60)")
    command.add_argument("--format", choices=("text", "json", "csv"), default="text",
                         help="csv: the figures proposed to be hidden too, as a submission")  # fmt: skip
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the audit there")


_COMMANDS: tuple[tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[Arguments], int], str], ...] = (
    ("init", _init_arguments, commands.init, "create the store and load structures, codelists and mappings"),
    ("serve", _serve_arguments, commands.serve, "run the service"),
    ("check", _wish_arguments, commands.check, "validate and map files, change nothing"),
    ("submit", _submit_arguments, commands.submit, "submit files to the store or to a running service"),
    ("submissions", _no_arguments, commands.submissions, "list the submissions"),
    ("receipt", _one_id, commands.receipt, "print a receipt"),
    ("undecided", _no_arguments, commands.undecided, "list the values of files that no mapping decides"),
    ("decide", _decide_arguments, commands.decide, "say what such a value means from now on"),
    ("decisions", _decisions_arguments, mapping_commands.decisions, "list what was decided, by whom, when and why"),
    ("map", _map_arguments, mapping_commands.map_files, "list mappings, write one to a workbook, read one back"),
    (
        "sources",
        _sources_arguments,
        source_commands.sources,
        "show or set whose figure is shown where several give one",
    ),
    (
        "coverage",
        _coverage_arguments,
        source_commands.coverage,
        "list who submitted what, directly or through a partner",
    ),
    ("purge", _purge_arguments, confidentiality.purge, "remove stored values of keys for good"),
    (
        "confidentiality",
        _confidentiality_arguments,
        confidentiality.confidentiality,
        "what is hidden, and whether it can be found out",
    ),
    ("query", _query_arguments, commands.query, "answer an SDMX-REST path without HTTP"),
    ("export", _export_arguments, commands.export, "write a whole dataflow to one file"),
    ("template", _template_arguments, commands.template, "write a questionnaire workbook"),
    ("token", access.token_arguments, access.token, "create, list, rotate or revoke tokens"),
    ("account", access.account_arguments, access.account, "accounts of people: create, invite, disable, password"),
)
