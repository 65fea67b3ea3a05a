"""The one seam to one org: every call to Salesforce's REST API goes through a `Gateway`.

Answers are values (`steps`); a call that failed as a whole raises `CallFailed` with its
fault. Only calls that write nothing are repeated here, and for seconds only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit

import orjson
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from connector.domain.faults import Fault, FaultKind
from connector.mapping.canonical import long_id
from connector.mapping.schema import ObjectSchema, from_describe
from connector.salesforce import composite, graph_wire
from connector.salesforce.access import OrgAccess
from connector.salesforce.faults import CallFailed, fault_of, faults_of, unknown_outcome
from connector.salesforce.rows import flat
from connector.salesforce.session import OrgSession
from connector.salesforce.signin import Grant
from connector.salesforce.silence import fault_behind
from connector.salesforce.soql import selected
from connector.salesforce.steps import (
    Answer,
    Graphs,
    Lone,
    Part,
    Query,
    Read,
    Rehearsal,
    Result,
    Row,
    RowFailed,
    RowOk,
    Rows,
    Step,
    StepFailed,
    Upsert,
)

T = TypeVar("T")

_MAX_PAGES = 100
_MISSING = {"httpStatusCode": 500, "body": "the answer lacks this step"}
_CERTAIN = frozenset({"SERVER_UNAVAILABLE"})  # 5xx codes that say the call was not taken


@dataclass(frozen=True)
class Probe:
    """What an org says of itself; `versions` are the API versions it answers."""

    instance_url: str
    api_version: str
    versions: tuple[str, ...]
    organization_id: str


class Gateway:
    """One org. Threads may share it."""

    def __init__(self, access: OrgAccess) -> None:
        self._access = access
        self._session = OrgSession(access)
        self._client: Salesforce | None = None
        self._instance_url = ""

    @property
    def usage(self) -> tuple[int, int] | None:
        """(used, limit) API calls in the rolling 24 hours; None before the first answer."""
        return self._session.usage

    @property
    def api_version(self) -> str:
        """The version of the API that is spoken."""
        return self._access.api_version

    @property
    def org_time(self) -> datetime:
        """The org's clock, as this thread's last answer told it."""
        return self._session.last.date

    def run(self, steps: Sequence[Step], *, assign: bool = False) -> Answer:
        """Carry out one to five steps in order as one call; `assign`: upserts run its rules.

        Graphs are a call of their own.
        """
        graphs = graph_wire.alone(steps)
        if graphs is not None:
            return self._run_graphs(graphs, assign=assign)
        parts = [step for step in steps if not isinstance(step, Graphs)]
        composite.refuse_oversize(parts)
        if _reads(parts):
            return self._soon(lambda: self._run(parts, assign=False))
        return self._run(parts, assign=assign)

    def change(self, step: Lone) -> list[RowOk | RowFailed]:
        """Insert or delete rows, each with an answer of its own; raises `CallFailed` for the whole."""
        method, path, content = composite.lone_resource(step)
        body = None if content is None else orjson.dumps(content)
        headers = {"Sforce-Auto-Assign": "FALSE"}
        answered = self._send(method, path, body, headers, writes=True)
        told = composite.lone_result(step, answered or [])
        if isinstance(told, StepFailed):
            raise CallFailed(told.fault)
        return told

    def rehearse(self, upserts: Sequence[Upsert]) -> Rehearsal:
        """Carry out upserts of one row each all or none, and undo them by a last step that fails."""
        body = orjson.dumps(composite.rehearsal(upserts, self._access.api_version))
        if composite.REFERENCE in body:
            raise ValueError("a rehearsed value holds @{, a reference to composite")
        headers = {"Sforce-Auto-Assign": "FALSE"}

        def ask() -> Any:
            return self._send("POST", "composite", body, headers, writes=False)

        return composite.rehearsed(upserts, self._soon(ask) or {})

    def query(self, soql: str, *, deleted: bool = False) -> list[Row]:
        """All rows of one query, however long; `deleted` sees the recycle bin and archive too."""
        return self._only(Query("query", soql, deleted)).found

    def tooling_query(self, soql: str) -> list[Row]:
        """All rows of a query about what the org is made of (Tooling API)."""
        names, rows = selected(soql), list[Row]()
        page = self._read(f"tooling/query?q={quote(soql, safe='')}")
        while True:
            rows += [flat(row, names) for row in page["records"]]
            if not page.get("nextRecordsUrl"):
                return rows
            page = self._page(page["nextRecordsUrl"])

    def count(self, soql: str) -> int:
        """The answer of a `SELECT COUNT() …`."""
        return self._only(Query("count", soql)).total

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> list[Row | None]:
        """Up to 2,000 rows by Id, in order, None where one is missing."""
        return self._only(Read("read", object_name, ids, fields)).rows

    def describe(self, object_name: str) -> ObjectSchema:
        """The fields of an object as the integration user sees them."""
        return from_describe(self.describe_json(object_name))

    def describe_json(self, object_name: str) -> dict[str, Any]:
        """The raw describe of an object."""
        try:
            return cast("dict[str, Any]", self._read(f"sobjects/{object_name}/describe"))
        except CallFailed as failed:
            if failed.fault.code != "HTTP_404":
                raise
            raise CallFailed(
                fault_of(
                    "INVALID_TYPE",
                    f"The org shows no object {object_name}.",
                    object_name=object_name,
                )
            ) from None

    def exchange(
        self,
        method: str,
        path: str,
        read: Callable[[requests.Response], T],
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        writes: bool = False,
    ) -> T:
        """One call of its own below the version, its answer streamed to `read`.

        One that writes nothing may be asked, and read, again.
        """

        def once() -> T:
            host = urlsplit(self._signed_in().instance_url).netloc
            url = f"https://{host}/services/data/v{self._access.api_version}/{path}"
            with self._session.request(
                method, url, data=body, headers=headers, stream=True
            ) as answer:
                if answer.status_code == 404:  # of one thing, which says nothing of the address
                    raise CallFailed(faults_of(_content(answer), 404)[0])
                if not answer.ok:
                    raise SalesforceError(url, answer.status_code, path, _content(answer))
                return read(answer)

        def call() -> T:
            return self._guarded(once, writes=writes)

        return call() if writes else self._soon(call)

    def limits(self) -> dict[str, Any]:
        """The org's limits and what remains of them (REST API, "Limits")."""
        return cast("dict[str, Any]", self._read("limits"))

    def organization_id(self) -> str:
        """The org's id, 18 characters."""
        told = self._soon(lambda: self._signed_in().organization_id)
        return told or long_id(str(self.query("SELECT Id FROM Organization")[0]["Id"]))

    def probe(self) -> Probe:
        """Sign in and ask which API versions the org answers."""
        grant = self._soon(self._signed_in)
        url = f"https://{urlsplit(grant.instance_url).netloc}/services/data/"
        answer = self._soon(lambda: self._guarded(lambda: self._session.get(url), writes=False))
        versions = tuple(str(known["version"]) for known in answer.json()) if answer.ok else ()
        return Probe(grant.instance_url, self._access.api_version, versions, self.organization_id())

    def close(self) -> None:
        """Let go of the pooled connections."""
        self._session.close()

    # -- one call

    def _run_graphs(self, step: Graphs, *, assign: bool) -> Answer:
        body = graph_wire.body(step, self._access.api_version)
        headers = {"Sforce-Auto-Assign": "TRUE" if assign else "FALSE"}
        answered = self._send("POST", "composite/graph", body, headers, writes=True)
        seen = self._session.last
        return Answer(
            seen.date, {step.ref: graph_wire.results(step, answered or {})}, 1, seen.elapsed
        )

    def _run(self, steps: Sequence[Part], *, assign: bool) -> Answer:
        version = self._access.api_version
        wanted = [
            composite.subrequest(step, version, f"s{at}", assign=assign)
            for at, step in enumerate(steps)
        ]
        body = orjson.dumps(
            {"allOrNone": False, "collateSubrequests": False, "compositeRequest": wanted}
        )
        if composite.REFERENCE in body:
            return self._one_by_one(steps, assign=assign)
        headers = {"Sforce-Auto-Assign": composite.auto_assign(steps, assign=assign)}
        answered = self._send("POST", "composite", body, headers, writes=not _reads(steps))
        seen = self._session.last
        parts = {
            part["referenceId"]: part for part in (answered or {}).get("compositeResponse", ())
        }
        results: dict[str, Result] = {}
        calls = 1
        for at, step in enumerate(steps):
            part = parts.get(f"s{at}", _MISSING)
            found = composite.result(step, part["httpStatusCode"], part["body"])
            results[step.ref], pages = self._complete(step, found, part["body"])
            calls += pages
        return Answer(seen.date, results, calls, seen.elapsed)

    def _one_by_one(self, steps: Sequence[Part], *, assign: bool) -> Answer:
        """Each step as a call of its own, for a value holds `@{`, a reference to composite."""
        results: dict[str, Result] = {}
        failures: list[CallFailed] = []
        for step in steps:
            try:
                results[step.ref] = self._single(step, assign=assign)
            except CallFailed as failure:
                failures.append(failure)
                results[step.ref] = StepFailed(failure.fault)
        if len(failures) == len(steps):
            raise failures[0]
        seen = self._session.last
        return Answer(seen.date, results, len(steps), seen.elapsed)

    def _single(self, step: Part, *, assign: bool) -> Result:
        if isinstance(step, Query | Read):
            return self._run((step,), assign=False).results[step.ref]
        method, path, content = composite.resource(step)
        headers = {"Sforce-Auto-Assign": composite.auto_assign((step,), assign=assign)}
        answered = self._send(method, path, orjson.dumps(content), headers, writes=True)
        return composite.result(step, 200, answered)

    def _complete(self, step: Part, found: Result, body: Any) -> tuple[Result, int]:
        """Follow the further pages of a query; the calls made for them beside."""
        if not isinstance(step, Query) or not isinstance(found, Rows):
            return found, 0
        names = selected(step.soql)
        rows, pages, following = list(found.rows), 0, body.get("nextRecordsUrl")
        while following:
            if pages == _MAX_PAGES:
                return StepFailed(
                    fault_of("QUERY_TOO_COMPLICATED", f"more than {_MAX_PAGES} pages")
                ), pages
            try:
                page = self._page(following)
            except CallFailed as failed:
                return StepFailed(failed.fault), pages + 1
            rows += [flat(row, names) for row in page["records"]]
            following = page.get("nextRecordsUrl")
            pages += 1
        return Rows(rows, found.total), pages

    def _page(self, path: str) -> dict[str, Any]:
        client = self._connected()

        def fetch() -> Any:
            return client.query_more(path, identifier_is_url=True)

        return cast("dict[str, Any]", self._soon(lambda: self._guarded(fetch, writes=False)))

    def _only(self, step: Query | Read) -> Rows:
        found = self.run((step,)).results[step.ref]
        if isinstance(found, StepFailed):
            raise CallFailed(found.fault)
        return cast("Rows", found)

    def _read(self, path: str) -> Any:
        return self._soon(lambda: self._send("GET", path, None, {}, writes=False))

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], *, writes: bool
    ) -> Any:
        client = self._guarded(self._connected, writes=False)
        return self._guarded(
            lambda: client.restful(path, method=method, data=body, headers=headers),
            writes=writes,
        )

    def _guarded(self, call: Callable[[], T], *, writes: bool) -> T:
        try:
            return call()
        except SalesforceError as error:
            raise CallFailed(self._refusal(error, writes=writes)) from None
        except requests.exceptions.RequestException as error:
            raise CallFailed(fault_behind(error, writes=writes)) from None

    def _refusal(self, error: SalesforceError, *, writes: bool) -> Fault:
        fault = faults_of(error.content, error.status)[0]
        if error.status == 404:
            fault = fault_of("HTTP_404", fault.message)
        fault = replace(fault, retry_after=self._session.last.retry_after)
        taken = error.status >= 500 and fault.kind is FaultKind.RETRY and fault.code not in _CERTAIN
        return unknown_outcome(fault) if writes and taken else fault

    def _connected(self) -> Salesforce:
        url = self._signed_in().instance_url
        if self._client is None or url != self._instance_url:
            # "-" stops the library's own sign-in; our session puts the token on every call.
            self._client = Salesforce(
                session_id="-",
                instance_url=url,
                session=self._session,
                version=self._access.api_version,
                object_pairs_hook=dict,
            )
            self._instance_url = url
        return self._client

    def grant(self, stale: Grant | None = None) -> Grant:
        """The token in use, for the org's other APIs; a new one where this is `stale`."""
        return self._session.grant(stale)

    def _signed_in(self) -> Grant:
        return self._session.grant()

    def _soon(self, call: Callable[[], T]) -> T:
        """Repeat a call that writes nothing, for seconds."""
        tries = Retrying(
            stop=stop_after_attempt(3) | stop_after_delay(10),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            retry=retry_if_exception(_worth_repeating),
            reraise=True,
        )
        return tries(call)


def _content(answer: requests.Response) -> Any:
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return answer.content


def _reads(steps: Sequence[Part]) -> bool:
    return all(isinstance(step, Query | Read) for step in steps)


def _worth_repeating(error: BaseException) -> bool:
    return (
        isinstance(error, CallFailed)
        and error.fault.kind is FaultKind.RETRY
        and (error.fault.retry_after or 0) <= 2
    )
