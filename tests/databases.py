"""Real databases for tests: an SQLite file, or a database of a PostgreSQL server that the tests start and end."""

import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy import URL, make_url

from openstile.office.store.database import Database
from openstile.office.store.migrations import migrate

_OPTIONS = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200"
"""Fast, and not durable; tests that pull the plug start a server of their own (`durable=True`)."""


def postgresql_programs() -> Path | None:
    """The folder of initdb and pg_ctl of the newest PostgreSQL of this machine, or None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return Path(program).resolve().parent if program else None


class PostgresServer:
    """A server on a socket in a folder of its own."""

    def __init__(self, folder: Path, programs: Path, *, durable: bool) -> None:
        self.folder = folder
        self._programs = programs
        self._options = "-c listen_addresses= -c max_connections=200" if durable else _OPTIONS
        if os.geteuid() == 0:  # PostgreSQL refuses root
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-D", str(folder / "data"), "-U", "openstile", "-A", "trust", "-E", "UTF8", "--locale=C")
        self.start()

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        options = f"{self._options} -k {self.folder}"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-o", options, "-w", "start"
        )

    def stop(self, mode: str = "fast") -> None:
        """Ends the server: `fast`, or `immediate` as a loss of power would."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(host=str(self.folder), user="openstile", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # the name is ours
        return f"postgresql://openstile@/{name}?host={self.folder}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              cwd="/", env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, check=False)  # fmt: skip
        if done.returncode:
            print(done.stderr.decode(errors="replace"), file=sys.stderr)
            raise RuntimeError(f"{program} ended with {done.returncode}")


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[PostgresServer]:
    """A running server, ended and removed afterwards. Raises LookupError where PostgreSQL is not installed."""
    programs = postgresql_programs()
    if programs is None:
        raise LookupError("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="ospg-"))  # short: a socket's path has at most 107 characters
    try:
        server = PostgresServer(folder, programs, durable=durable)
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sqlite_url(folder: Path) -> str:
    """The URL of an SQLite file in `folder`."""
    return f"sqlite:///{folder / 'office.db'}"


def opened_office(url: str) -> Database:
    """The database at `url`, empty until now, with the office's tables: a copy of one that was migrated before."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        Path(str(address.database)).write_bytes(_sqlite_template())
    else:
        _copy_postgresql(address)
    return Database.open(url)


@cache
def _sqlite_template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        _migrated(sqlite_url(Path(folder)))
        return (Path(folder) / "office.db").read_bytes()


def _copy_postgresql(address: URL) -> None:
    host, user = str(address.query["host"]), address.username
    with psycopg.connect(host=host, user=user, dbname="postgres", autocommit=True) as connection:
        template = _postgresql_template(host, str(user))
        connection.execute(f"DROP DATABASE {address.database}")  # the names are ours
        connection.execute(f"CREATE DATABASE {address.database} TEMPLATE {template}")


@cache
def _postgresql_template(host: str, user: str) -> str:
    name = f"template_{secrets.token_hex(6)}"
    with psycopg.connect(host=host, user=user, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    _migrated(f"postgresql://{user}@/{name}?host={host}")
    return name


def _migrated(url: str) -> None:
    database = Database.open(url)
    migrate(database)
    database.close()


NewDatabase = Callable[[], str]
"""Gives the URL of another empty database at each call."""
