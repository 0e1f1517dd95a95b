"""A program that is killed: ``python -m tests.workflow.dying FOLDER ROUNDS SEED`` submits and publishes until it is.

Each round forks a child, which looks whether what the ones before left is whole, says so, and then submits, approves,
schedules, corrects and publishes, until it is killed (SIGKILL) after a random time. What a child was told to be done it
notes in a file at once: that much must be there afterwards.
"""

from __future__ import annotations

import io
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sdmx_service.catalog.library import Library
from sdmx_service.model.selection import Cube, Selection
from sdmx_service.model.urn import Ref
from sdmx_service.storage.duckdb_store import DuckDBStore
from sdmx_service.storage.port import Store
from sdmx_service.submission.loads import forget_cut_off
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import Receipt, receipts
from sdmx_service.submission.submit import SentFile
from sdmx_service.workflow.history import verify
from sdmx_service.workflow.publishing import clock, publish, publish_due
from sdmx_service.workflow.sending import send
from sdmx_service.workflow.states import WAITING
from sdmx_service.workflow.steps import approve, schedule, withdraw
from tests.storage.cubes import untyped
from tests.workflow.office import COMPILER, CONTENT, OFFICE

MONTHS = [f"2024-{month:02}" for month in range(1, 13)]
CATCH, LICENCE = "SEA:DF_CATCH(1.0.0)", "SEA:DF_LICENCE(1.0.0)"
PORTS = ("NOR", "SOU", "007")
LONGEST = 1.0
"""Seconds of computing after which a child is killed at the latest, once it has looked around: a busy machine gives it
as much as an idle one. What it waits for the disk comes on top."""
_TICKS = os.sysconf("SC_CLK_TCK")
Figures = dict[tuple[str, ...], str]


def catch(number: int) -> Figures:
    """The figures that the file of a number brings: the same keys each time, and one of its own."""
    keys = [("M", port, fish, month) for port in PORTS for fish in ("COD", "EEL") for month in MONTHS]
    return {key: str(number) for key in (*keys, ("A", "NOR", "COD", str(1000 + number)))}


def licence(number: int) -> Figures:
    return {(port, fish): str(number) for port in PORTS for fish in ("COD", "EEL")}


def file_of(flow: str, number: int) -> SentFile:
    """The file with these figures; its name says which it is."""
    if flow == CATCH:
        head = "FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,STATUS,UNIT"
        rows = [",".join((*key, weight, "A", "kg")) for key, weight in catch(number).items()]
    else:
        head, rows = "PORT,FISH,LICENCES", [",".join((*key, count)) for key, count in licence(number).items()]
    lines = [f"STRUCTURE,STRUCTURE_ID,ACTION,{head}", *(f"dataflow,{flow},M,{row}" for row in rows), ""]
    name = f"{'catch' if flow == CATCH else 'licence'}-{number}.csv"
    return SentFile(file=io.BytesIO("\n".join(lines).encode()), name=name)


def number_of(receipt: Receipt) -> int:
    return int(receipt.file.name.partition("-")[2].partition(".")[0])


def brought(receipt: Receipt) -> Figures:
    return catch(number_of(receipt)) if receipt.file.name.startswith("catch") else licence(number_of(receipt))


# --- what must be so ------------------------------------------------------------------------------------------------
def judge(library: Library, noted: list[list[str]]) -> Iterator[str]:
    """What is wrong with the store; nothing, whenever it was that a child was killed."""
    store = library.store
    verdict = verify(store, COMPILER)
    if not verdict["is_whole"]:
        yield f"the log: {verdict['faults']}"
    known = {one.id: one for one in receipts(store)}
    releases = store.releases()
    if [one.number for one in releases] != list(range(1, store.pointer().release + 1)):
        yield f"releases {[one.number for one in releases]}, and the pointer says {store.pointer().release}"
    inside = {id: one.number for one in releases for id in one.submissions}
    for id, receipt in known.items():
        if (receipt.status in ("published", "superseded") and receipt.release is not None) != (id in inside):
            yield f"{id} is {receipt.status} in {receipt.release}, and releases have it in {inside.get(id)}"
        if id in inside and receipt.release != inside[id]:
            yield f"{id} says release {receipt.release}, and it is in {inside[id]}"
        if receipt.status in WAITING:
            staged = sum(batch.num_rows for _, batch in store.staged(id))
            if staged != len(brought(receipt)):
                yield f"{id} waits with {staged} rows, and {len(brought(receipt))} were sent"
    yield from _not_kept(known, inside, noted)
    yield from _without_receipt(store, set(known))
    for flow, dataflow in ((CATCH, "DF_CATCH"), (LICENCE, "DF_LICENCE")):
        expected: Figures = {}
        for release in releases:
            for id in release.submissions:
                if known[id].file.name.startswith("catch") == (flow == CATCH):
                    expected |= brought(known[id])
        if (shown := _shown(library, dataflow)) != expected:
            differ = {key for key in {*shown, *expected} if shown.get(key) != expected.get(key)}
            yield f"{dataflow}: {len(differ)} figures are other than those of its releases"


def _not_kept(known: dict[str, Receipt], inside: dict[str, int], noted: list[list[str]]) -> Iterator[str]:
    """What a child was told, and is not so any more."""
    withdrawn = {line[1] for line in noted if line[0] in ("withdrawing", "correcting")}
    for what, id, *rest in noted:
        if what == "accepted" and (id not in known or (known[id].status not in (*WAITING, "published") and id not in withdrawn
                                                       and known[id].status != "superseded")):  # fmt: skip
            yield f"{id} was accepted, and is {known[id].status if id in known else 'lost'}"
        if what == "published" and inside.get(id) != int(rest[0]):
            yield f"{id} was published in release {rest[0]}, and is in {inside.get(id)}"


def _without_receipt(store: Store, known: set[str]) -> Iterator[str]:
    """What is kept of submissions that never came to be."""
    engine = store._engine  # type: ignore[attr-defined]
    loads = set(engine.read("SELECT _submission FROM submissions").column(0).to_pylist())
    attempts = set(engine.read("SELECT _attempt FROM submissions").column(0).to_pylist())
    for table in ("parts", "staged"):
        if rows := set(engine.read(f"SELECT _attempt FROM {table}").column(0).to_pylist()) - attempts:
            yield f"{table} has rows of {rows}, which no submission has"
    files = set(engine.read("SELECT _id FROM files").column(0).to_pylist())
    findings = {id for id, _ in store.documents("findings")}
    if lost := {*loads, *files, *findings} - known:
        yield f"{lost} have no receipt"
    if marks := store.documents("load"):
        yield f"loads are marked as going on: {marks}"


def _shown(library: Library, dataflow: str) -> Figures:
    catalog = library.view().catalog
    flow = catalog.dataflow(Ref(type="Dataflow", agency="SEA", id=dataflow, version="1.0.0"))
    structure = catalog.structure_of(flow)
    selection = Selection(
        structure=structure,
        cube=Cube.of(structure),
        context="dataflow",
        release=library.view().release,
        dataflows=(f"SEA:{dataflow}(1)",),
    )
    measure = structure.measures[0].id
    store = library.store
    rows = [one for batch in store.scan(selection, store.domains(selection)) for one in untyped(structure, batch)]
    return {tuple(row[id] for id in structure.key_ids): row[measure] for row in rows}


# --- a child --------------------------------------------------------------------------------------------------------
@dataclass
class Child:
    """Works until it is killed."""

    library: Library
    chance: random.Random
    number: int
    note: Callable[..., None]

    def work(self) -> None:
        while True:
            self.number += 1
            self.chance.choices(
                [self._one, self._two, self._hour, self._next_version, self._taken_back], [4, 3, 3, 2, 1]
            )[0]()

    def _send(self, flow: str, **more: str) -> Receipt:
        receipt = send(file_of(flow, self.number), Wish(provider="SEA.HARBOUR"), self.library, OFFICE, **more)  # type: ignore[arg-type]
        assert receipt.status == "accepted", receipt
        self.note("accepted", receipt.id)
        return receipt

    def _publish(self, *waiting: Receipt) -> None:
        for done in publish([one.id for one in waiting], self.library, COMPILER):
            self.note("published", done.id, str(done.release))

    def _one(self) -> None:
        self._publish(self._send(CATCH))

    def _two(self) -> None:
        self._publish(self._send(CATCH), self._send(LICENCE))

    def _hour(self) -> None:
        for flow in (CATCH, LICENCE):
            receipt = self._send(flow)
            approve(receipt.id, self.library, COMPILER, clock())
            schedule(receipt.id, self.library, COMPILER, clock(), at="2099-01-01T00:00+00:00")
        for done in publish_due(self.library, clock() + timedelta(days=40_000)).published:
            self.note("published", done.id, str(done.release))

    def _next_version(self) -> None:
        first = self._send(CATCH)
        if self.chance.random() < 0.5:
            self._publish(first)
        self.note("correcting", first.id)
        self.number += 1
        self._publish(self._send(CATCH, corrects=first.id))

    def _taken_back(self) -> None:
        receipt = self._send(LICENCE)
        self.note("withdrawing", receipt.id)
        withdraw(receipt.id, self.library, OFFICE)


def live(folder: Path, seed: int, ready: int) -> int:
    """One life: look around, say so, work; the exit status if it is not killed."""
    notes = folder / "notes"
    noted = [line.split() for line in notes.read_text().splitlines()] if notes.exists() else []
    with closing(DuckDBStore(folder / "store.duckdb", memory_limit="256MB", threads=1)) as store:
        store.migrate()
        forget_cut_off(store)
        library = Library(store)
        if store.pointer().generation == 0:
            library.fill(CONTENT)
        wrong = list(judge(library, noted))
        if wrong:
            print("\n".join(wrong), file=sys.stderr, flush=True)
            return 1
        os.write(ready, b"1")
        with notes.open("a") as file:

            def note(*words: str) -> None:
                file.write(" ".join(words) + "\n")
                file.flush()

            last = max((number_of(one) for one in receipts(store)), default=0)
            Child(library, random.Random(seed), last, note).work()
    return 0


def wait(child: int, computing: float, more: float) -> None:
    """Until a child has computed so long, and some more; or has ended."""
    begun = computed(child)
    while (now := computed(child)) is not None and begun is not None and now - begun < computing:
        time.sleep(0.005)
    time.sleep(more)


def computed(child: int) -> float | None:
    """Seconds that a process has computed; None if it has ended."""
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return None if fields[0] == "Z" else (int(fields[11]) + int(fields[12])) / _TICKS


def main(folder: Path, rounds: int, seed: int) -> int:
    """Let children live and die; 0 if none found anything wrong."""
    chance = random.Random(seed)
    for number in range(rounds + 1):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            os._exit(live(folder, chance.randrange(1 << 30) + number, writing))
        os.close(writing)
        os.read(reading, 1)  # it has looked around, or it is gone
        os.close(reading)
        if number < rounds:  # the last one only looks
            wait(child, chance.random() * LONGEST, chance.random() / 50)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            print(f"round {number}, seed {seed}: the child ended with {os.WEXITSTATUS(status)}", file=sys.stderr)
            return 1
    lines = (folder / "notes").read_text().splitlines()
    print(dict(Counter(line.split()[0] for line in lines)))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
