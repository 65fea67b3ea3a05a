"""The layer around every call: call log, faults, authentication, and how a refusal is told."""

import random
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, NoReturn, Self
from uuid import uuid4

import grpc
from grpc import StatusCode

from simulator.control.app import calling_client
from simulator.control.faults import COMMON_FAULTS, ActiveFault
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.pubsub.callers import Caller, caller_of
from simulator.salesforce.pubsub.refusals import (
    HTTP_STATUS,
    Refused,
    by_fault,
    connection_reset,
)

METHOD = "GRPC"
SERVICE = "/eventbus.v1.PubSub"
EXPIRE_SESSION = "expire_session"


class Gone(Exception):
    """The client has left; nobody waits for an answer."""


class Rpc:
    """One call in progress: who makes it, what befalls it, and its entry in the call log."""

    caller: Caller

    def __init__(self, org: SalesforceOrg, context: grpc.ServicerContext, name: str) -> None:
        self.org = org
        self.context = context
        self.id = str(uuid4())
        self.path = f"{SERVICE}/{name}"
        self.metadata = {key: str(value) for key, value in context.invocation_metadata()}
        self.client = calling_client(self.metadata.get("sforce-call-options", ""))
        self._loses_answers = False
        self._hits: list[str] = []
        self._records: int | None = None
        self._status: int | None = None
        self._started = time.perf_counter()
        agent = self.metadata.get("user-agent")
        self._entry = org.calls.record(
            METHOD, self.path, status=None, client=self.client, user_agent=agent
        )

    def __enter__(self) -> Self:
        try:
            self._admit()
        except Refused as refusal:
            self._refuse(refusal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(problem, Refused):
            self._refuse(problem)
        if problem is None:
            self._status = HTTP_STATUS[StatusCode.OK]
        elif not isinstance(problem, Gone | GeneratorExit):
            self._status = HTTP_STATUS[StatusCode.INTERNAL]
        self._log()

    def expire_session(self) -> None:
        """End the session of the caller."""
        self.org.accounts.end_session(self.metadata.get("accesstoken", ""))

    def take(
        self, names: Iterable[str], where: Callable[[ActiveFault], bool] | None = None
    ) -> list[ActiveFault]:
        """The faults of these names that hit this call, each counted down once."""
        taken = self.org.board.take(METHOD, self.path, self.client, names, where=where)
        self._hits += [fault.name for fault in taken]
        return taken

    def answer(self, records: int | None = None) -> None:
        """Note an answer that goes out with so many events; a fault may lose it on the way."""
        if records is not None:
            self._records = (self._records or 0) + records
        if self._loses_answers:
            raise connection_reset()
        self._status = HTTP_STATUS[StatusCode.OK]
        self._log()

    def _admit(self) -> None:
        faults = {fault.name: fault.params for fault in self.take(COMMON_FAULTS)}
        if "latency" in faults:
            time.sleep(_seconds(faults["latency"]))
        if "reset_before" in faults:
            raise connection_reset()
        if "status" in faults:
            raise by_fault(faults["status"])
        self._loses_answers = "reset_after_commit" in faults
        if self.take({EXPIRE_SESSION}):
            self.expire_session()
        self.caller = caller_of(self.org, self.metadata)

    def _refuse(self, refusal: Refused) -> NoReturn:
        """Tell the client, as gRPC tells it: a status, and trailers that say more."""
        self._status = HTTP_STATUS[refusal.status]
        self._log()
        if refusal.code is not None:
            self.context.set_trailing_metadata((("error-code", refusal.code), ("rpc-id", self.id)))
        self.context.abort(refusal.status, f"{refusal.text} rpcId: {self.id}")

    def _log(self) -> None:
        self.org.calls.amend(
            self._entry,
            ms=round((time.perf_counter() - self._started) * 1000),
            records=self._records,
            fault=",".join(dict.fromkeys(self._hits)) or None,
            status=self._status,
        )


def _seconds(params: dict[str, Any]) -> float:
    jitter = float(params.get("jitter_ms") or 0)
    return (float(params["ms"]) + random.uniform(0, jitter)) / 1000
