"""Servers on loopback, each a process of its own, asked by one client over one connection: ours and datasette."""

from __future__ import annotations

import csv
import gzip
import http.client
import io
import json
import math
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import flows, generator, readback
from benchmarks.context import Context
from benchmarks.measuring import Figure, anonymous_memory, peak_memory, percentile, processor_seconds
from benchmarks.stores import keys, make_model, models_folder

CSV = "application/vnd.sdmx.data+csv;version=2.1.0"
JSON = "application/vnd.sdmx.data+json;version=2.1.0"
EXPORTS = {
    "SDMX-CSV": (CSV, "csv"),
    "SDMX-JSON 2.1": (JSON, "json"),
    "SDMX-ML 3.1": ("application/vnd.sdmx.data+xml;version=3.1.0", "specific"),
    "SDMX-ML 2.1 structure-specific": ("application/vnd.sdmx.structurespecificdata+xml;version=2.1", "specific"),
    "SDMX-ML 2.1 generic": ("application/vnd.sdmx.genericdata+xml;version=2.1", "generic"),
    "Parquet": ("application/vnd.apache.parquet", "parquet"),
}
"""Name of a format -> its media type, and the reader that reads it back."""
AVAILABILITY = "application/vnd.sdmx.structure+json;version=2.1.0"
_PIECE = 1 << 20
_WARM = 20
_SETTLED = 2.0


def address() -> str:
    """Where the rows are; told by the structures, which a process that asks nobody need not load."""
    flow = flows.dataflow()
    return f"/sdmx/v2/data/dataflow/{flow.agency}/{flow.id}/{flow.version}"


@dataclass(slots=True, kw_only=True)
class Server:
    """A running server and one connection to it."""

    process: subprocess.Popen[bytes]
    connection: http.client.HTTPConnection

    def ask(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """The answer, its body not read yet."""
        self.connection.request("GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()})
        return self.connection.getresponse()


@contextmanager
def running(arguments: Sequence[str], ready: str) -> Iterator[Server]:
    """A Python module as a server on a free port of loopback, until the end of the block.

    Args:
        arguments: module and words, with ``{port}`` where the port stands.
        ready: a path that answers 200 when the server is ready.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [one.replace("{port}", str(port)) for one in arguments]
    process = subprocess.Popen(
        [sys.executable, "-m", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # fmt: skip
    try:
        _wait(process, port, ready)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=900)) as connection:
            yield Server(process=process, connection=connection)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise AssertionError(f"The server ended with {process.returncode}.")
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("The server does not answer.")


@contextmanager
def ours(context: Context) -> Iterator[Server]:
    """Our service over the store of the run."""
    folder = models_folder(context)
    if not any(folder.glob("*/model.json")):
        make_model(context)
    words = ["sdmx_service", "serve", "--store", context.store_url, "--data", str(context.data)]
    words += ["--models", str(folder), "--bulk-kinds", "", "--port", "{port}"]
    with running(words, "/health/ready") as server:
        maps = Path(f"/proc/{server.process.pid}/maps")
        for _ in range(600):
            if str(folder) in maps.read_text():
                time.sleep(_SETTLED)  # it is looked through before it is used
                break
            time.sleep(0.1)
        else:
            raise AssertionError("The server does not open its read model.")
        yield server


@contextmanager
def datasette(context: Context) -> Iterator[Server]:
    """Datasette over SQLite with the same rows and an index on the key."""
    settings = {"max_csv_mb": "0", "sql_time_limit_ms": "600000", "max_returned_rows": "10000"}
    words = [word for name, value in settings.items() for word in ("--setting", name, value)]
    path = _database(context)
    with running(
        ["datasette", "serve", str(path), "--host", "127.0.0.1", "--port", "{port}", *words], "/-/versions.json"
    ) as server:
        yield server


def _database(context: Context) -> Path:
    """The rows as a SQLite database: numbers as numbers, an index on the key in order of the structure."""
    path = context.folder / f"datasette-{context.observations}" / "flows.db"
    if path.exists():
        return path
    path.parent.mkdir(exist_ok=True)
    names = None
    with closing(sqlite3.connect(path)) as database:
        for batch in flows.batches(context.observations):
            table = flows.text_table([batch])
            if names is None:
                names = table.column_names
                listed = ", ".join(f"{name} {'REAL' if name == 'OBS_VALUE' else 'TEXT'}" for name in names)
                database.execute(f"CREATE TABLE flows ({listed})")
            marks = ", ".join("?" * len(names))
            columns = [column.to_pylist() for column in table.columns]
            database.executemany(f"INSERT INTO flows VALUES ({marks})", zip(*columns, strict=True))
        database.execute(f"CREATE INDEX by_key ON flows ({', '.join(flows.key_ids())}, TIME_PERIOD)")
        database.commit()
    return path


# --- one series -----------------------------------------------------------------------------------------------------
def _address(key: Sequence[str]) -> str:
    return f"{address()}/{'.'.join(key)}"


def _page(key: Sequence[str]) -> str:
    asked = dict(zip(flows.key_ids(), key, strict=True))
    return "/flows/flows.json?" + urllib.parse.urlencode(
        {**asked, "_size": "100", "_shape": "objects", "_nosuggest": "1"}
    )


def _latency(
    server: Server, wanted: Sequence[tuple[str, ...]], ask: Callable[[tuple[str, ...]], bytes], rows: int
) -> Figure:
    """Ask for one key after the other; milliseconds from request to the end of the body."""
    for key in wanted[:_WARM]:
        ask(key)
    cpu, begin = processor_seconds(server.process.pid), time.perf_counter()
    waits, size = [], 0
    for key in wanted:
        start = time.perf_counter()
        body = ask(key)
        waits.append((time.perf_counter() - start) * 1000)
        size += len(body)
    wall = time.perf_counter() - begin
    cpu = processor_seconds(server.process.pid) - cpu
    return Figure(
        observations=rows,
        cpu=cpu,
        wall=wall,
        peak=peak_memory(server.process.pid),
        size=size,
        p50=percentile(waits, 0.5),
        p99=percentile(waits, 0.99),
        note=f"{len(wanted)} requests, {cpu * 1000 / len(wanted):.1f} ms of CPU each",
    )


def _expect(values: Sequence[float], rows: int, context: Context, wanted: Sequence[tuple[str, ...]]) -> None:
    """The values answered are those generated for the keys."""
    if rows != len(wanted) * len(generator.YEARS):
        raise AssertionError(f"{rows} observations answered for {len(wanted)} series.")
    kept = context.file("series.json")
    if not kept.exists():
        kept.write_text(json.dumps(_sums(context, wanted)))
    right = math.fsum(json.loads(kept.read_text())[".".join(key)] for key in wanted)
    if abs(math.fsum(values) - right) > 1e-6 * max(1.0, abs(right)):
        raise AssertionError(f"The values answered sum to {math.fsum(values)}, not to {right}.")


def _sums(context: Context, wanted: Sequence[tuple[str, ...]]) -> dict[str, float]:
    """Per wanted key the sum of the generated values."""
    names, asked = flows.key_ids(), {".".join(key) for key in wanted}
    found: dict[str, float] = {}
    years = len(generator.YEARS)
    for batch in flows.batches(context.observations):
        values = batch["OBS_VALUE"].fill_null(0.0).to_numpy(zero_copy_only=False)
        every = batch.take(list(range(0, batch.num_rows, years)))
        codes = zip(*(every[name].cast("string").to_pylist() for name in names), strict=True)
        for number, key in enumerate(codes):
            if (text := ".".join(key)) in asked:
                found[text] = float(values[number * years : (number + 1) * years].sum())
    return found


def _csv_values(body: bytes) -> list[str]:
    return [row["OBS_VALUE"] for row in csv.DictReader(io.StringIO(body.decode()))]


def _json_values(body: bytes) -> list[str]:
    series = json.loads(body)["data"]["dataSets"][0]["series"].values()
    return ["" if row[0] is None else str(row[0]) for one in series for row in one["observations"].values()]


def _numbers(texts: Sequence[str]) -> list[float]:
    return [float(text) for text in texts if text not in ("", "NaN", "None")]


def one_series(accept: str, context: Context) -> Figure:
    """One series per request, random keys."""
    wanted = keys(context)
    read = _csv_values if accept == CSV else _json_values
    texts: list[str] = []
    with ours(context) as server:

        def ask(key: tuple[str, ...]) -> bytes:
            with server.ask(_address(key), Accept=accept) as answer:
                return answer.read()

        found = _latency(server, wanted, ask, len(wanted) * len(generator.YEARS))
        for key in wanted:
            texts.extend(read(ask(key)))
    _expect(_numbers(texts), len(texts), context, wanted)
    return found


def not_modified(context: Context) -> Figure:
    """The same questions with the tag of the answer: 304."""
    wanted = keys(context)
    tags: dict[tuple[str, ...], str] = {}
    with ours(context) as server:
        for key in wanted:
            with server.ask(_address(key), Accept=CSV) as answer:
                answer.read()
                tags[key] = answer.headers["ETag"]

        def ask(key: tuple[str, ...]) -> bytes:
            with server.ask(_address(key), Accept=CSV, If_None_Match=tags[key]) as answer:
                if answer.status != 304:
                    raise AssertionError(f"{answer.status} instead of 304")
                return answer.read()

        return _latency(server, wanted, ask, len(wanted) * len(generator.YEARS))


def one_page(context: Context) -> Figure:
    """The same series as filtered pages of datasette, in JSON, without the facets that it would suggest."""
    wanted = keys(context)
    values: list[float] = []
    rows = 0
    with datasette(context) as server:

        def ask(key: tuple[str, ...]) -> bytes:
            with server.ask(_page(key)) as answer:
                return answer.read()

        found = _latency(server, wanted, ask, len(wanted) * len(generator.YEARS))
        for key in wanted:
            answered = json.loads(ask(key))["rows"]
            rows += len(answered)
            values.extend(row["OBS_VALUE"] for row in answered if row["OBS_VALUE"] is not None)
    _expect(values, rows, context, wanted)
    return found


def availability(context: Context) -> Figure:
    """Which values occur in everything, with exact counts, again and again."""
    path = address().replace("/data/", "/availability/")
    with ours(context) as server:

        def ask(_: tuple[str, ...]) -> bytes:
            with server.ask(path, Accept=AVAILABILITY) as answer:
                return answer.read()

        body = ask(())
        for count in (context.observations, math.ceil(context.observations / len(generator.YEARS))):
            if f'"{count}"'.encode() not in body and f":{count}".encode() not in body:
                raise AssertionError(f"The count {count} is not told.")
        return _latency(server, [()] * context.requests, ask, context.observations)


# --- everything -----------------------------------------------------------------------------------------------------
def _stream(
    server: Server, path: str, context: Context, kept: Path, *, with_lines: bool = True, **headers: str
) -> Figure:
    """Take the whole answer, count its lines, keep it in a file."""
    pid = server.process.pid
    cpu, begin = processor_seconds(pid), time.perf_counter()
    size, lines, private = 0, 0, 0.0
    with server.ask(path, **headers) as answer, kept.open("wb") as file:
        if answer.status != 200:
            raise AssertionError(f"{answer.status}: {answer.read(500)!r}")
        unpack = zlib.decompressobj(31) if answer.headers.get("Content-Encoding") == "gzip" else None
        if ("gzip" in headers.get("Accept_Encoding", "")) != (unpack is not None):
            raise AssertionError("The answer is not in the encoding asked for.")
        while piece := answer.read1(_PIECE):
            if size // _PIECE != (size := size + len(piece)) // _PIECE:
                private = max(private, anonymous_memory(pid))
            if with_lines:
                lines += (unpack.decompress(piece) if unpack else piece).count(b"\n")
            file.write(piece)
    wall = time.perf_counter() - begin
    if with_lines and lines - 1 != context.observations:
        raise AssertionError(f"{lines - 1} rows came instead of {context.observations}.")
    cpu = processor_seconds(pid) - cpu
    return Figure(
        observations=context.observations,
        cpu=cpu,
        wall=wall,
        peak=peak_memory(pid),
        anonymous=max(private, anonymous_memory(pid)),
        size=size,
        note=f"{context.observations / max(cpu, 0.01) / 1e6:.1f} M obs/CPU s, {size / wall / 1e6:.0f} MB/s",
    )


def export(name: str, encoding: str, context: Context) -> Figure:
    """The whole dataflow in one request; what came is read back and equals the source row for row."""
    accept, reader = EXPORTS[name]
    kept = context.file("export.data")
    with ours(context) as server:
        found = _stream(
            server, address(), context, kept, with_lines=reader == "csv", Accept=accept, Accept_Encoding=encoding
        )
    if encoding == "gzip":
        packed = kept.rename(kept.with_suffix(".gz"))
        with gzip.open(packed) as file, kept.open("wb") as plain:
            while piece := file.read(_PIECE):
                plain.write(piece)
        packed.unlink()
    readback.require(context, kept, reader)
    kept.unlink()
    return found


def bulk_csv(context: Context) -> Figure:
    """The whole table as datasette streams it."""
    kept = context.file("datasette.csv")
    with datasette(context) as server:
        found = _stream(server, "/flows/flows.csv?_stream=1&_size=max", context, kept)
    context.require(flows.digest_file(kept), "datasette")
    kept.unlink()
    return found
