"""The call log: what was asked of a simulator, by whom, and what it answered."""

import threading
from collections import deque
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from simulator.control.clock import now, stamp

SECRET_PARAMETERS = frozenset(
    {
        "access_token",
        "id_token",
        "assertion",
        "client_secret",
        "client_assertion",
        "password",
        "token",
    }
)


@dataclass(slots=True)
class Call:
    """One call, with the keys of `GET /_simulator/calls`; `status` None: no answer was sent yet."""

    seq: int
    time: str
    method: str
    path: str
    query: str
    status: int | None
    ms: int
    client: str | None
    user_agent: str | None
    records: int | None
    fault: str | None


class CallLog:
    """The last `size` calls; `seq` starts at 1 and never goes back, not even on `clear`."""

    def __init__(self, size: int = 200_000) -> None:
        self._calls: deque[Call] = deque(maxlen=size)
        self._seq = 0
        self._lock = threading.Lock()

    def record(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        status: int | None = 200,
        ms: int = 0,
        client: str | None = None,
        user_agent: str | None = None,
        records: int | None = None,
        fault: str | None = None,
    ) -> Call:
        """Note one call (gRPC as method `GRPC`), which `amend` may still complete."""
        with self._lock:
            self._seq += 1
            call = Call(
                seq=self._seq,
                time=stamp(now()),
                method=method,
                path=path,
                query=without_secrets(query),
                status=status,
                ms=ms,
                client=client,
                user_agent=user_agent,
                records=records,
                fault=fault,
            )
            self._calls.append(call)
        return call

    def amend(
        self, call: Call, *, ms: int, records: int | None, fault: str | None, status: int | None
    ) -> None:
        """Tell more of a call that went on after it was noted."""
        with self._lock:
            call.ms, call.records, call.fault, call.status = ms, records, fault, status

    def since(self, seq: int = 0) -> list[dict[str, Any]]:
        """The calls after `seq`, oldest first, as JSON objects."""
        with self._lock:
            newest_first = []
            for call in reversed(self._calls):
                if call.seq <= seq:
                    break
                newest_first.append(replace(call))
        return [asdict(call) for call in reversed(newest_first)]

    def clear(self) -> None:
        """Forget the calls and keep counting, so that a remembered `seq` stays meaningful."""
        with self._lock:
            self._calls.clear()


def without_secrets(query: str) -> str:
    """The query string with the values of secret parameters masked."""
    if not any(name in query for name in SECRET_PARAMETERS):
        return query
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode(
        [(name, "***" if name in SECRET_PARAMETERS else value) for name, value in pairs], safe="*"
    )
