"""A process is killed while it takes a file in: nothing of the file stays, and nothing of who lives is touched."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.app.stores import open_store
from sdmx_service.catalog.library import Library
from sdmx_service.errors import Conflict
from sdmx_service.settings import Settings
from sdmx_service.storage.port import DocumentChange, Record
from sdmx_service.storage.sql_store import SqlStore
from sdmx_service.submission.loads import forget_cut_off, loading
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import receipts
from sdmx_service.submission.submit import SentFile, submit
from sdmx_service.workflow.publishing import publish
from tests.harness import ROOT
from tests.workflow.cut_off import ROWS
from tests.workflow.office import COMPILER, CONTENT, OFFICE, figures

SECONDS = 60


@contextmanager
def sender(url: str, where: str) -> Iterator[subprocess.Popen[str]]:
    """A process that takes a file in, and stands there."""
    command = [sys.executable, "-m", "tests.workflow.cut_off", url, where]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
            yield process
        finally:
            process.kill()


@contextmanager
def opened(url: str) -> Iterator[SqlStore]:
    with closing(open_store(Settings(store=url, content=CONTENT))) as store:
        yield store


def left(store: SqlStore) -> dict[str, int]:
    """Rows of what belongs to submissions, without those of receipts and the log."""
    engine = store._engine
    counts = {
        name: engine.read(f"SELECT 1 FROM {name}").num_rows for name in ("submissions", "parts", "staged", "files")
    }
    kinds = "('load', 'findings', 'undecided')"
    return {**counts, "documents": engine.read(f"SELECT 1 FROM documents WHERE _kind IN {kinds}").num_rows}


NOTHING = {"submissions": 0, "parts": 0, "staged": 0, "files": 0, "documents": 0}


def forget_all(store: SqlStore) -> list[str]:
    """What was cut off; a server may need a moment to see that a client is no more."""
    until = time.monotonic() + SECONDS
    while not (found := forget_cut_off(store)) and time.monotonic() < until:
        time.sleep(0.05)
    return found


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "duckdb":
        return f"duckdb:///{tmp_path / 'store.duckdb'}"
    found: str = request.getfixturevalue("postgres_database")
    return found


@pytest.mark.timeout(240)
@pytest.mark.parametrize("where", ["reading", "kept"])
def test_of_a_process_that_is_killed_nothing_stays(url: str, where: str) -> None:
    with sender(url, where) as process:
        process.kill()
        process.wait()
    is_embedded = url.startswith("duckdb")
    with opened(url) as store:
        if left(store) != NOTHING and not is_embedded:  # else it was forgotten when the store was opened
            forget_all(store)
        assert left(store) == NOTHING
        assert list(receipts(store)) == []
        (told,) = [one for one in store.log() if one.act == "forget"]
        assert told.object.startswith("S2")
        body = figures(COD_2024_01="5")
        file = SentFile(file=io.BytesIO(body), name="catch.csv")
        library = Library(store)
        receipt = submit(file, Wish(provider="SEA.HARBOUR"), library, OFFICE)
        assert publish([receipt.id], library, COMPILER)[0].status == "published"
        assert forget_cut_off(store) == []
        assert [one.id for one in receipts(store)] == [receipt.id]


@pytest.mark.postgres
@pytest.mark.timeout(240)
@pytest.mark.parametrize("where", ["reading", "kept"])
def test_the_load_of_a_process_that_lives_is_not_touched(postgres_database: str, where: str) -> None:
    url = postgres_database
    with ExitStack() as stack:
        living = stack.enter_context(sender(url, where))
        dying = stack.enter_context(sender(url, where))
        store = stack.enter_context(opened(url))
        before = left(store)
        assert before["staged"] in (2 * ROWS, 2 * (ROWS - 2))
        assert before["documents"] >= 2
        assert forget_cut_off(store) == []
        dying.kill()
        dying.wait()
        (gone,) = forget_all(store)
        assert left(store)["staged"] * 2 == before["staged"]
        assert living.stdin is not None
        living.stdin.write("go on\n")
        living.stdin.flush()
        assert living.stdout is not None
        id, status = living.stdout.readline().split()
        assert status == "accepted"
        assert id != gone
        assert forget_cut_off(store) == []
        assert sum(batch.num_rows for _, batch in store.staged(id)) == ROWS
        assert store.documents("load") == []


class Broken(Exception):
    pass


def test_an_error_leaves_nothing_either(url: str) -> None:
    def beside(receipt: Any) -> Record:
        raise Broken

    with opened(url) as store:
        library = Library(store)
        library.fill(CONTENT)
        file = SentFile(file=io.BytesIO(figures(COD_2024_01="5")), name="catch.csv")
        with pytest.raises(Broken):
            submit(file, Wish(provider="SEA.HARBOUR"), library, OFFICE, beside=beside)
        assert left(store) == NOTHING


def test_who_was_given_up_gets_no_receipt(url: str) -> None:
    """A load of a process that was lost from sight is gone as a whole: its receipt is refused."""
    with opened(url) as store:
        with pytest.raises(Conflict, match="load 'S1' was changed"), loading(store, "S1") as done:  # noqa: PT012
            given_up = {"lease": "0"}
            store.save_document("load", "S1", given_up)
            assert forget_cut_off(store) == ["S1"]
            receipt = DocumentChange(kind="receipt", id="S1", document={"status": "accepted"})
            store.record(Record(changes=(receipt, done)))
        assert store.document("receipt", "S1") is None
        assert left(store) == NOTHING


def test_one_that_was_cut_off_while_it_forgot_is_followed_by_another(url: str) -> None:
    with opened(url) as store:
        store.save_document("load", "S1", {"lease": ""})
        store.save_file("S1", [b"a file"])
        assert forget_cut_off(store) == ["S1"]
        assert left(store) == NOTHING


def test_a_word_is_good_as_long_as_the_store_is_open(url: str) -> None:
    with opened(url) as store:
        word = store.lease()
        assert store.lease() == word
        assert store.is_alive(word)
    with opened(url) as store:
        assert not store.is_alive(word)
        assert store.lease() != word
