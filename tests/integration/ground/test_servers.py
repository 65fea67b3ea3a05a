"""The embedded PostgreSQL and Redis, as real programs."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from connector.errors import EnvironmentProblem
from connector.ground import accounts, child, ports
from connector.ground.postgres import Postgres
from connector.ground.redis import Redis, find_server

if TYPE_CHECKING:
    from pathlib import Path


def pid_of(server: Postgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split("\n")[0])


@pytest.fixture
def server(tmp_path: Path) -> Postgres:
    return Postgres(tmp_path / "home with blanks", ports.choose(), fast=True)


def test_a_password_is_asked_for(server: Postgres) -> None:
    with server.running(), pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url().replace("+psycopg", "").replace(server.password, "guess"))
    assert stat.S_IMODE((server.home / "password").stat().st_mode) == 0o600
    assert not (server.home / "password.initdb").exists()


def test_it_is_postgresql_18_in_utf8_and_utc(server: Postgres) -> None:
    with server.running(), server.connect() as connection:
        row = connection.execute(
            "SELECT current_setting('server_version_num')::int / 10000,"
            " current_setting('server_encoding'), current_setting('timezone')"
        ).fetchone()
    assert row == (18, "UTF8", "UTC")


def test_without_fast_nothing_is_lost(server: Postgres) -> None:
    safe = replace(server, fast=False)
    with safe.running(), safe.connect() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("on",)


def test_a_sealed_database_is_cloned_and_dropped(server: Postgres) -> None:
    with server.running():
        server.create("template_a")
        with server.connect("template_a") as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        server.seal("template_a")
        assert server.clone("template_a", "copy").endswith("/copy")
        with server.connect("copy") as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
            server.drop("copy")
        with pytest.raises(psycopg.OperationalError, match="not currently accepting"):
            server.connect("template_a")


def test_a_killed_server_starts_again_with_its_rows(server: Postgres) -> None:
    server = replace(server, fast=False)
    with server.running():
        with server.connect() as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        pid = pid_of(server)
        os.kill(pid, signal.SIGKILL)
    assert (server.data / "postmaster.pid").exists()
    with server.running(), server.connect() as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_a_server_that_still_runs_on_the_folder_is_ended_first(server: Postgres) -> None:
    with server.running():
        first = pid_of(server)
        other = Postgres(server.home, ports.choose(), fast=True)
        with other.running():
            assert not child.birth(first)
            assert pid_of(other) != first


def test_a_lock_file_that_names_a_stranger_is_dropped(server: Postgres) -> None:
    with server.running():
        pass
    with subprocess.Popen(["/bin/sleep", "600"]) as stranger:
        (server.data / "postmaster.pid").write_text(f"{stranger.pid}\n{server.data}\n")
        with server.running():
            assert stranger.poll() is None
        stranger.kill()


def test_a_half_made_folder_is_made_anew(server: Postgres) -> None:
    (server.home / "data.new" / "base").mkdir(parents=True)
    with server.running():
        assert not (server.home / "data.new").exists()


def test_a_folder_of_another_major_version_is_refused(server: Postgres) -> None:
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(EnvironmentProblem, match="holds a database of PostgreSQL 16"):
        server.argv()


@pytest.mark.skipif(os.getuid() != 0, reason="only the superuser changes accounts")
def test_as_superuser_it_runs_under_either_account(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in (accounts.nobody(), accounts.mapped(), accounts.nobody()):
        if not accounts.works(account):
            pytest.skip(f"{account.prefix[0]} is refused on this machine")
        monkeypatch.setattr(accounts, "for_server", lambda account=account: account)
        with server.running(), server.connect() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_redis_asks_for_its_password_and_keeps_nothing(tmp_path: Path) -> None:
    server = Redis(tmp_path / "redis home", ports.choose())
    with server.running():
        assert server.ready()
        (server.home / "password").write_text("guess")
        assert not server.ready()
    assert {place.suffix for place in server.home.iterdir()} == {"", ".conf", ".log"}


def test_a_redis_on_path_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="no Redis server was found"):
        find_server()
    program = tmp_path / "valkey-server"
    program.touch(mode=0o755)
    assert find_server() == str(program)
