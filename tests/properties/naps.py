"""Workers that stop between two steps: for good, or to wake much later and go on with an old claim."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from connector.domain.lines import Lane
from connector.salesforce.steps import Step
from tests import interference as stir
from tests.world import World

_PATIENCE = 60.0
Stop = Callable[[], None]
Part = Callable[[], object]


class Nap:
    """Work in a thread of its own that goes on only when it is told to; `doze` is what it stops by."""

    def __init__(self, work: Callable[[Stop], object]) -> None:
        self.over = False
        self._error: BaseException | None = None
        self._turn, self._told = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=[work], daemon=True)
        self._thread.start()
        self._wait()

    def go_on(self) -> None:
        """Let it work until it stops again or is done; what it raised is raised here."""
        if not self.over:
            self._turn.release()
            self._wait()

    def _doze(self) -> None:
        self._told.release()
        self._turn.acquire()

    def _wait(self) -> None:
        assert self._told.acquire(timeout=_PATIENCE), "a worker hangs"
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _run(self, work: Callable[[Stop], object]) -> None:
        try:
            work(self._doze)
        except stir.Died:
            pass
        except BaseException as error:
            self._error = error
        finally:
            self.over = True
            self._told.release()


@dataclass
class Once:
    """Stops the first that comes by; the others pass."""

    stop: Stop
    _free: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))

    def __call__(self) -> None:
        if self._free.acquire(blocking=False):
            self.stop()


def _delivery(*, writing: bool, after: bool) -> Callable[[World, Lane, Stop], Part]:
    """A delivery that stops before or after its first call of a kind."""

    def at(world: World, lane: Lane, stop: Stop) -> Part:
        def pass_by(steps: Sequence[Step]) -> None:
            if stir.writes(steps) is writing:
                stop()

        hook = {"after" if after else "before": pass_by}
        worker = stir.delivery(world, stir.Tapped(world.system.gateway, **hook))
        return lambda: worker.deliver(lane)

    return at


@dataclass
class _Profiles:
    real: Any
    stop: Stop

    def gather(self, rows: Any) -> Any:
        self.stop()
        return self.real.gather(rows)


def _reader(world: World, _: Lane, stop: Stop) -> Part:
    reader = world.system.reader
    return replace(reader, profiles=_Profiles(reader.profiles, stop)).read


@dataclass
class _Line:
    real: Any
    stop: Stop
    after: bool

    def reply(self, *letter: Any) -> Any:
        return self._send(self.real.reply, letter)

    def push(self, *letter: Any) -> Any:
        return self._send(self.real.push, letter)

    def _send(self, send: Callable[..., Any], letter: Any) -> Any:
        if not self.after:
            self.stop()
        sent = send(*letter)
        if self.after:
            self.stop()
        return sent


def _postman(*, after: bool) -> Callable[[World, Lane, Stop], Part]:
    def at(world: World, _: Lane, stop: Stop) -> Part:
        stir.read_all(world)
        postman = world.system.postman
        return replace(postman, client=_Line(postman.client, stop, after)).send

    return at


def _poller(world: World, _: Lane, stop: Stop) -> Part:
    """Another process, for which the streams must be free."""
    stir.expire_leases(world)
    tapped = stir.Tapped(world.system.gateway, after=lambda _: stop())
    return replace(world.system.streams, gateway=tapped, token=uuid4()).read


WORKERS: Mapping[str, Callable[[World, Lane, Stop], Part]] = {
    "delivering, before its first look": _delivery(writing=False, after=False),
    "delivering, after its first look": _delivery(writing=False, after=True),
    "delivering, before its first write": _delivery(writing=True, after=False),
    "delivering, after its first write": _delivery(writing=True, after=True),
    "reading the inbox": _reader,
    "sending, before LINE has it": _postman(after=False),
    "sending, after LINE has it": _postman(after=True),
    "polling": _poller,
}


def dies(world: World, at: str, lane: Lane) -> bool:
    """Let a worker come as far as `at` and be gone; False where it had nothing to do there."""

    def die() -> None:
        raise stir.Died

    try:
        WORKERS[at](world, lane, die)()
    except stir.Died:
        return True
    return False


def falls_asleep(world: World, at: str, lane: Lane) -> Nap | None:
    """Let a worker come as far as `at` and stop there; None where it had nothing to do there."""
    nap = Nap(lambda doze: WORKERS[at](world, lane, Once(doze))())
    return None if nap.over else nap


def at_once(*parts: Part) -> list[object]:
    """Let several do their part at the same moment; what each came to, or raised."""
    gate, told = threading.Barrier(len(parts)), [None] * len(parts)

    def run(place: int, part: Part) -> None:
        gate.wait(_PATIENCE)
        try:
            told[place] = part()
        except Exception as error:
            told[place] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(parts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE)
    return list(told)
