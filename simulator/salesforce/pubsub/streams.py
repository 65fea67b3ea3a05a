"""Open streams: what their clients say while they are served, and what cuts them off."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from simulator.control.faults import ActiveFault
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.pubsub.refusals import (
    not_authenticated,
    too_many_streams,
    unavailable,
)
from simulator.salesforce.pubsub.rpc import EXPIRE_SESSION, METHOD, Gone, Rpc

# How long a fault or the end of a session may go unnoticed.
LOOK_SECONDS = 0.25
# Rows are often committed in bursts, which one ring serves.
BURST_SECONDS = 0.002
DROP_STREAM = "drop_stream"

Request = TypeVar("Request")


class OpenStream(Generic[Request]):
    """One streaming call; a thread of its own hears the client while the handler serves it."""

    def __init__(self, rpc: Rpc, requests: Iterator[Request]) -> None:
        self.rpc = rpc
        self.rung = 0
        self.is_half_closed = False
        self._heard: deque[Request] = deque()
        self._end: Exception | None = None
        self._changed = threading.Condition()
        self._faults_met: set[str] = set()
        # A handler that waits would hold the process open for ever if nothing woke it.
        if not rpc.context.add_callback(self._leave):
            self._leave()
        threading.Thread(target=self._hear, args=(requests,), daemon=True).start()

    def take(self) -> Request | None:
        """What the client said next, if it did; raises what ends the stream."""
        with self._changed:
            if self._end is not None:
                raise self._end
            return self._heard.popleft() if self._heard else None

    def next(self, seconds: float) -> Request | None:
        """What the client says next; None when it has no more to say, or is silent so long."""
        until = time.monotonic() + seconds
        while True:
            known, is_last = self.rung, self.is_half_closed
            request, left = self.take(), until - time.monotonic()
            if request is not None or is_last or left <= 0:
                return request
            self.wait(known, left)

    def wait(self, known: int, seconds: float) -> None:
        """Sleep until something happened after `known` rings, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self.rung > known, seconds)

    def ring(self) -> None:
        """Something may have happened on the bus."""
        with self._changed:
            self.rung += 1
            self._changed.notify_all()

    def end(self, reason: Exception) -> None:
        """End the stream for a reason; the first one counts."""
        with self._changed:
            self._end = self._end or reason
        self.ring()

    def look(self) -> None:
        """End the stream where a fault, or the end of its session, asks for it."""
        # Without a method the fault waits for a call, and a stream is none that comes anew.
        if self.rpc.take({EXPIRE_SESSION}, lambda f: f.method == METHOD and self._is_new(f)):
            self.rpc.expire_session()
        if not self.rpc.org.accounts.is_open(self.rpc.caller.token):
            self.end(not_authenticated())
        elif self.rpc.take({DROP_STREAM}, self._is_new):
            self.end(unavailable())

    def _is_new(self, fault: ActiveFault) -> bool:
        """Whether a fault comes upon the stream for the first time: its chance is drawn once."""
        if fault.id in self._faults_met:
            return False
        self._faults_met.add(fault.id)
        return True

    def _hear(self, requests: Iterator[Request]) -> None:
        try:
            for request in requests:
                with self._changed:
                    self._heard.append(request)
                self.ring()
        except Exception:
            # gRPC raises here when the call is over, which `_leave` learns by itself.
            self.end(Gone())
        with self._changed:
            self.is_half_closed = True
        self.ring()

    def _leave(self) -> None:
        self.end(Gone())


class Watch:
    """Wakes the open streams when the bus has news, and looks after them in between."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org
        self._streams: set[OpenStream[Any]] = set()
        self._lock = threading.Lock()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End every stream and cease to watch."""
        self._is_over = True
        for stream in self._open():
            stream.end(unavailable())
        self._thread.join()

    @contextmanager
    def stream(self, rpc: Rpc, requests: Iterator[Request]) -> Iterator[OpenStream[Request]]:
        """A stream that is watched while the block runs."""
        most = self._org.switches.concurrent_streams
        with self._lock:
            if len(self._streams) >= most:
                raise too_many_streams(most)
            opened = OpenStream(rpc, requests)
            self._streams.add(opened)
        try:
            opened.look()
            yield opened
        finally:
            with self._lock:
                self._streams.discard(opened)

    def _run(self) -> None:
        known, looked = self._org.events.changes, 0.0
        while not self._is_over:
            now = self._org.events.wait(known, LOOK_SECONDS)
            streams = self._open()
            if now != known:
                known = now
                for stream in streams:
                    stream.ring()
                time.sleep(BURST_SECONDS)
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                for stream in streams:
                    stream.look()

    def _open(self) -> list[OpenStream[Any]]:
        with self._lock:
            return list(self._streams)
