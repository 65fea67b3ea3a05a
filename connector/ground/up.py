"""`connector up`: the whole stack in the foreground until somebody asks it to end."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.errors import ConnectorError
from connector.ground import child, folder, ports, probe
from connector.ground.environment import Addresses, choice, given
from connector.ground.postgres import Postgres
from connector.ground.redis import Redis
from connector.ground.stack import Stack, end_leftovers, load_stack, write_stack
from connector.ground.stages import Ground, stages
from connector.ground.supervisor import Standing, Stop, StopAsked, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from connector.ground.part import Part

READY_SECONDS = 30.0

TRY = (
    "Try: on the phone make a user, follow the account and tap the consent button;"
    " then look for the new Lead in the org."
)


def run_up(
    data: Path,
    *,
    fresh: bool = False,
    port_base: int = 8400,
    as_json: bool = False,
    arrange: Callable[[Ground], Sequence[Sequence[Part]]] = stages,
) -> int:
    """Run the stack; 0 when it was asked to end, `ConnectorError` when it cannot run."""
    began = time.monotonic()
    with Stop().on_signals() as stop, folder.held(data, fresh=fresh) as ours:
        end_leftovers(load_stack(ours.stack_file))
        if fresh:
            ours.erase()
        running = Running(lay(ours, port_base), stop)
        try:
            running.start(arrange)
            announce(running.stack, time.monotonic() - began, as_json=as_json)
            running.supervisor.watch()
        except StopAsked:
            say("asked to stop")
        finally:
            running.stop()
    return 0


def lay(ours: folder.Folder, port_base: int) -> Ground:
    """Find the ports of this start and refuse if a fixed one is taken."""
    user = dict(os.environ)
    have = choice(given(user))
    offsets = (0, *((2,) if have.line else ()), *((3, 5) if have.salesforce else ()))
    ports.require_free(port_base, offsets)
    avoid = range(port_base, port_base + 10)
    return Ground(
        folder=ours,
        addresses=Addresses(port_base),
        user=user,
        postgres=Postgres(ours.postgres, ours.port("postgres", avoid)),
        redis=Redis(ours.redis, ours.port("redis", avoid)),
    )


class Running:
    """A stack from its start to its end, told to others by the stack file."""

    def __init__(self, ground: Ground, stop: Stop) -> None:
        self.ground = ground
        self.stack = first_stack(ground)
        self.supervisor = Supervisor(ground.folder.logs, stop, self._changed, say)
        self._write()

    def start(self, arrange: Callable[[Ground], Sequence[Sequence[Part]]]) -> None:
        """Start every stage, then wait until the web process says that all is ready."""
        for stage in arrange(self.ground):
            self.supervisor.start(stage)
        self.stack = replace(self.stack, state="up", environment=self.ground.settings)
        self._write()
        readyz = f"{self.ground.addresses.connector}/readyz"
        if not self.supervisor.wait_for(lambda: probe.answers(readyz), READY_SECONDS):
            raise ConnectorError(
                "not_ready",
                f"every part runs, yet {readyz} does not say ready: {reason(readyz)}",
                f"see the logs in {self.ground.folder.logs}",
            )

    def stop(self) -> None:
        """End every part and mark the stack file."""
        say("stopping")
        self.stack = replace(self.stack, state="stopping")
        self._write()
        self.supervisor.stop()
        self.stack = self.stack.ended()
        self._write()
        say("stopped")

    def _changed(self, standings: Sequence[Standing]) -> None:
        self.stack = self.stack.with_parts(standings)
        self._write()

    def _write(self) -> None:
        try:
            write_stack(self.stack, self.ground.folder.stack_file)
        except OSError as problem:  # what runs goes on, and must still be ended
            say(f"the stack file could not be written ({problem.strerror})")


def first_stack(ground: Ground) -> Stack:
    """The stack before its first part."""
    have, at = ground.choice, ground.addresses
    return Stack(
        state="starting",
        pid=os.getpid(),
        birth=child.birth(os.getpid()) or "",
        data=str(ground.folder.path),
        connector_url=at.connector,
        line_simulator_url=at.line if have.line else None,
        salesforce_simulator_url=at.salesforce if have.salesforce else None,
        line_credentials_url=ground.line_credentials,
        salesforce_credentials_url=ground.salesforce_credentials,
        # an address that the user gave is the user's secret: it stays out of the file
        database_url=ground.postgres.url() if have.postgres else "",
        redis_url=ground.redis.url if have.redis else "",
    )


def announce(stack: Stack, seconds: float, *, as_json: bool) -> None:
    """Print the addresses and what to try: words, or one line of JSON."""
    addresses: Mapping[str, str | None] = {
        "connector": stack.connector_url,
        "line_simulator": stack.line_simulator_url,
        "salesforce_simulator": stack.salesforce_simulator_url,
    }
    if as_json:
        facts = {**addresses, "data": stack.data, "ready_after_s": round(seconds, 1)}
        _put(json.dumps(facts))
        return
    names = {
        "line_simulator": "Phone (LINE simulator)",
        "salesforce_simulator": "Org (Salesforce simulator)",
        "connector": "Connector",
    }
    rows = [f"  {names[key]:<28}{addresses[key]}/" for key in names if addresses[key]]
    story = stack.line_simulator_url and stack.salesforce_simulator_url
    last = [TRY] if story else []
    ready = f"Ready after {seconds:.1f} s; Ctrl-C stops everything."
    _put("\n".join(["", ready, "", *rows, "", *last]))


def reason(url: str) -> str:
    """What an address says now, in a few words."""
    try:
        status, body = probe.fetch(url)
    except OSError as problem:
        return str(problem)
    return f"{status} {body[:300].decode(errors='replace')}"


def say(sentence: str) -> None:
    """Tell the person at the terminal what happens."""
    with suppress(OSError):  # the terminal may be gone, the stack goes on
        sys.stderr.write(f"connector: {sentence}\n")
        sys.stderr.flush()


def _put(text: str) -> None:
    with suppress(OSError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
