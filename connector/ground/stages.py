"""Which processes make up the stack, and in which order they start."""

from __future__ import annotations

import functools
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.ground import probe
from connector.ground.environment import (
    Addresses,
    Choice,
    around_proxies,
    choice,
    given,
    stack_environment,
    without_settings,
)
from connector.ground.part import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector.ground.folder import Folder
    from connector.ground.postgres import Postgres
    from connector.ground.redis import Redis

CREDENTIALS = "/_simulator/credentials"
# a LINE user waits for what is urgent, so a long bulk task must never hold its thread
WORKERS = {"worker-urgent": ("urgent", 4), "worker": ("normal,bulk", 4)}


@dataclass(frozen=True)
class Ground:
    """Where the stack stands: its folder, its addresses and what the user has set."""

    folder: Folder
    addresses: Addresses
    user: Mapping[str, str]
    postgres: Postgres
    redis: Redis

    @property
    def choice(self) -> Choice:
        """What this stack brings itself."""
        return choice(given(self.user))

    @property
    def line_credentials(self) -> str | None:
        """Where the LINE simulator tells its credentials."""
        return self.addresses.line + CREDENTIALS if self.choice.line else None

    @property
    def salesforce_credentials(self) -> str | None:
        """Where the Salesforce simulator tells its credentials."""
        return self.addresses.salesforce + CREDENTIALS if self.choice.salesforce else None

    @functools.cached_property
    def settings(self) -> dict[str, str]:
        """What `connector up` sets; ask only once the simulators answer."""
        kept = {
            "CONNECTOR_SECRET_KEY": self.folder.secret_key,
            "CONNECTOR_STACK_FILE": str(self.folder.stack_file),
        }
        if self.choice.postgres:
            kept["CONNECTOR_DATABASE_URL"] = self.postgres.url()
        if self.choice.redis:
            kept["CONNECTOR_REDIS_URL"] = self.redis.url
        line = probe.document(self.line_credentials) if self.line_credentials else None
        org = probe.document(self.salesforce_credentials) if self.salesforce_credentials else None
        return stack_environment(given(self.user), self.addresses, kept, line, org)

    def environment(self) -> dict[str, str]:
        """The environment of our own processes."""
        plain = {"PYTHONUNBUFFERED": "1", **around_proxies(self.user)}
        return {**self.user, **plain, **self.settings}


def stages(ground: Ground) -> Sequence[Sequence[Part]]:
    """Parts in the order of their start; those of one stage start side by side."""
    return [servers(ground), [prepare(ground)], services(ground)]


def servers(ground: Ground) -> list[Part]:
    """What stands beneath: PostgreSQL and Redis, and beside: the simulated world."""
    have = ground.choice
    parts = [
        *([line_simulator(ground)] if have.line else []),
        *([salesforce_simulator(ground)] if have.salesforce else []),
        *([ground.redis.part()] if have.redis else []),
    ]
    # last, because making its folder takes a second in which the others already load
    return [*parts, *([ground.postgres.part()] if have.postgres else [])]


def line_simulator(ground: Ground) -> Part:
    """The LINE platform, imitated."""
    at = ground.addresses
    hook = ["--webhook-url", f"{at.connector}/webhooks/line"]
    pages = ["--liff-endpoint", f"{at.connector}/liff"]
    return _simulator(ground, "line", at.base + 2, [*hook, *pages])


def salesforce_simulator(ground: Ground) -> Part:
    """A Salesforce org, imitated."""
    at = ground.addresses
    ports = ["--tls-port", str(at.tls_port), "--pubsub-port", str(at.pubsub_port)]
    return _simulator(ground, "salesforce", at.base + 3, ports)


def _simulator(ground: Ground, name: str, port: int, more: Sequence[str]) -> Part:
    home = ground.folder.simulator(name)
    common = ["--host", "127.0.0.1", "--port", str(port), "--data", str(home)]
    return Part(
        name=f"{name}-simulator",
        argv=[sys.executable, "-m", "simulator", name, *common, *more],
        env={
            **without_settings(ground.user),
            "PYTHONUNBUFFERED": "1",
            **around_proxies(ground.user),
        },
        ready=functools.partial(probe.answers, f"http://127.0.0.1:{port}{CREDENTIALS}"),
        # its journal is written in batches: let it write the last one
        death_signal=signal.SIGTERM,
        grace=5,
    )


def prepare(ground: Ground) -> Part:
    """Migrations and starter mappings; everything else waits for them."""
    argv = [sys.executable, "-m", "connector", "prepare"]
    return Part(name="prepare", argv=argv, env=ground.environment, once=True)


def services(ground: Ground) -> list[Part]:
    """Our own processes."""
    port = str(ground.addresses.base)
    return [
        Part(
            name="web",
            argv=[sys.executable, "-m", "webhooks", "--port", port],
            env=ground.environment,
            ready=functools.partial(probe.answers, f"{ground.addresses.connector}/livez"),
        ),
        *(worker(ground, name, *lanes) for name, lanes in WORKERS.items()),
        Part(
            name="beat",
            argv=_celery("beat", "--scheduler", "celery.beat:Scheduler", "--pidfile="),
            env=ground.environment,
        ),
        Part(
            name="subscribe",
            argv=[sys.executable, "-m", "connector", "subscribe"],
            env=ground.environment,
        ),
    ]


def worker(ground: Ground, name: str, lanes: str, threads: int) -> Part:
    """A Celery worker for some lanes; it tells by `readiness.tell_ready` when it takes work."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    pool = ["-P", "threads", "-c", str(threads), "-Q", lanes, "-n", f"{name}@%h"]
    return Part(
        name=name,
        argv=_celery("worker", *pool, *quiet, "--loglevel", "INFO"),
        env=ground.environment,
        grace=15,
    )


def _celery(command: str, *more: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "jobs.app", command, *more]
