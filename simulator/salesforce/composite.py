"""`/composite`, `/composite/graph`, `/composite/batch`: calls in a call (facts section 9)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.errors import Refusal, bad_json
from simulator.salesforce.session import Session

MOST_SUBREQUESTS = 25
MOST_QUERIES = 5
MOST_GRAPHS, MOST_NODES = 75, 500
REFERENCE_ID = re.compile(r"[A-Za-z0-9]\w*", re.ASCII)
REFERENCE = re.compile(r"@\{([^}]+)\}")
STEP = re.compile(r"\.?([A-Za-z0-9_]+)|\[(\d+)\]")
HEAVY = re.compile(r"/(?:query|queryAll|composite/sobjects)(?:/|$)", re.IGNORECASE)
VERSIONED = re.compile(r"/services/data/(v\d+\.\d+)(/.*)", re.ASCII)
ROLLED_BACK = (
    "The transaction was rolled back since another operation in the same transaction failed."
)
Subrequest = dict[str, Any]
Result = dict[str, Any]


class Unresolved(Exception):
    """A reference that names nothing."""


def composite(session: Session, call: Call) -> Answer:
    """`POST /composite`."""
    body = call.object_body()
    subrequests = _subrequests(body)
    if len(subrequests) > MOST_SUBREQUESTS:
        raise _limit(f"The number of subrequests exceeds the limit of {MOST_SUBREQUESTS}.")
    heavy = [each for each in subrequests if HEAVY.search(urlsplit(each["url"]).path)]
    if len(heavy) > MOST_QUERIES:
        raise _limit(f"The number of query and collections subrequests exceeds {MOST_QUERIES}.")
    run = _Run(session, call, all_or_none=bool(body.get("allOrNone")))
    return Answer(200, {"compositeResponse": run.answer(subrequests)}, records=run.records)


def graph(session: Session, call: Call) -> Answer:
    """`POST /composite/graph`: every graph is a transaction of its own."""
    graphs = call.object_body().get("graphs")
    if not isinstance(graphs, list) or len(graphs) > MOST_GRAPHS:
        raise _limit(f"A payload holds a list of at most {MOST_GRAPHS} graphs.")
    parsed = [(each.get("graphId"), _subrequests(each)) for each in graphs]
    if sum(len(each) for _, each in parsed) > MOST_NODES:
        raise _limit(f"The number of nodes exceeds the limit of {MOST_NODES}.")
    answers, records = [], 0
    for graph_id, subrequests in parsed:
        run = _Run(session, call, all_or_none=True)
        results = run.answer(subrequests)
        records += run.records
        answers.append(
            {
                "graphId": graph_id,
                "graphResponse": {"compositeResponse": results},
                "isSuccessful": not run.failed,
            }
        )
    return Answer(200, {"graphs": answers}, records=records)


def batch(session: Session, call: Call) -> Answer:
    """`POST /composite/batch`: independent calls, each counted."""
    body = call.object_body()
    requests = body.get("batchRequests")
    if not isinstance(requests, list) or len(requests) > MOST_SUBREQUESTS:
        raise _limit(f"A batch holds a list of at most {MOST_SUBREQUESTS} requests.")
    results: list[Result] = []
    halted = False
    for each in requests:
        if halted:
            refusal = Refusal("BATCH_PROCESSING_HALTED", "Batch processing halted per request")
            results.append({"statusCode": 412, "result": refusal.body()})
            continue
        url = "/services/data/" + str(each["url"]).removeprefix("/services/data/").lstrip("/")
        answer = session.performer.perform(
            _carried(call, each["method"], url, each.get("richInput")), session.transaction
        )
        results.append({"statusCode": answer.status, "result": answer.body})
        halted = not answer.is_success and bool(body.get("haltOnError"))
    failed = any(each["statusCode"] >= 400 for each in results)
    return Answer(200, {"hasErrors": failed, "results": results}, cost=max(1, len(requests)))


class _Run:
    """The subrequests of one composite call or graph, in order."""

    def __init__(self, session: Session, call: Call, *, all_or_none: bool) -> None:
        self._session = session
        self._call = call
        self._all_or_none = all_or_none
        self._answered: dict[str, Answer] = {}
        self.failed = False
        self.records = 0

    def answer(self, subrequests: Sequence[Subrequest]) -> list[Result]:
        transaction = self._session.transaction
        start = transaction.savepoint()
        results = []
        culprit = None
        for each in subrequests:
            answer = self._perform(each)
            self._answered[each["referenceId"]] = answer
            self.records += answer.records or 0
            results.append(_result(each, answer))
            if self._all_or_none and not _succeeded(answer):
                culprit = len(results) - 1
                break
        if culprit is None:
            return results
        self.failed = True
        transaction.rollback(start)
        halted = Answer(400, Refusal("PROCESSING_HALTED", ROLLED_BACK).body())
        return [
            results[culprit] if at == culprit else _result(each, halted)
            for at, each in enumerate(subrequests)
        ]

    def _perform(self, subrequest: Subrequest) -> Answer:
        try:
            url = self._filled(subrequest["url"])
            body = self._filled(subrequest.get("body"))
        except Unresolved as problem:
            return Answer(400, Refusal("PROCESSING_HALTED", str(problem)).body())
        if self._all_or_none and isinstance(body, dict) and "records" in body:
            body = {**body, "allOrNone": True}
        headers = {
            name.lower(): str(v) for name, v in (subrequest.get("httpHeaders") or {}).items()
        }
        try:
            carried = _carried(self._call, subrequest["method"], url, body, headers)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body())
        return self._session.performer.perform(carried, self._session.transaction)

    def _filled(self, value: Any) -> Any:
        """A value with its references replaced."""
        if isinstance(value, dict):
            return {name: self._filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        if not isinstance(value, str) or "@{" not in value:
            return value
        whole = REFERENCE.fullmatch(value)
        if whole is not None:
            return self._referred(whole[1])
        return REFERENCE.sub(lambda found: str(self._referred(found[1])), value)

    def _referred(self, expression: str) -> Any:
        name = re.split(r"[.\[]", expression, maxsplit=1)[0]
        answer = self._answered.get(name)
        value = None if answer is None else answer.body
        for step in STEP.finditer(expression, len(name)):
            value = _stepped(value, step)
        if value is None:
            raise Unresolved(
                f"Invalid reference specified. No value for {expression} found in {name}. "
                f"Provided referenceId ('{expression}') must start with a letter or a number, and "
                "it can contain only letters, numbers and underscores ('_')."
            )
        return value


def _stepped(value: Any, step: re.Match[str]) -> Any:
    if step[2] is not None:
        at = int(step[2])
        return value[at] if isinstance(value, list) and at < len(value) else None
    return value.get(step[1]) if isinstance(value, dict) else None


def _carried(
    call: Call, method: str, url: str, body: Any, headers: Mapping[str, str] | None = None
) -> Call:
    parts = urlsplit(url)
    found = VERSIONED.fullmatch(unquote(parts.path))
    if found is None:
        raise Refusal("NOT_FOUND", "The requested resource does not exist", status=404)
    return call.inside(
        method=method.upper(),
        version=found[1],
        path=found[2],
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={**call.headers, **(headers or {})},
        body=body,
    )


def _subrequests(body: Mapping[str, Any]) -> list[Subrequest]:
    subrequests = body.get("compositeRequest")
    if not isinstance(subrequests, list) or not subrequests:
        raise bad_json("The request body must hold a list compositeRequest.")
    seen = set()
    for each in subrequests:
        if not isinstance(each, dict) or not {"method", "url", "referenceId"} <= each.keys():
            raise bad_json("A subrequest needs method, url and referenceId.")
        reference = each["referenceId"]
        if not isinstance(reference, str) or REFERENCE_ID.fullmatch(reference) is None:
            raise Refusal(
                "INVALID_INPUT",
                f"Provided referenceId ('{reference}') must start with a letter or a number, and "
                "it can contain only letters, numbers and underscores ('_').",
            )
        if reference in seen:
            raise Refusal("INVALID_INPUT", f"Duplicate referenceId ('{reference}') provided.")
        seen.add(reference)
    return subrequests


def _succeeded(answer: Answer) -> bool:
    rows = answer.body if isinstance(answer.body, list) else []
    return answer.is_success and all(
        each.get("success", True) for each in rows if isinstance(each, dict)
    )


def _result(subrequest: Subrequest, answer: Answer) -> Result:
    return {
        "body": answer.body,
        "httpHeaders": answer.headers,
        "httpStatusCode": answer.status,
        "referenceId": subrequest["referenceId"],
    }


def _limit(message: str) -> Refusal:
    return Refusal("LIMIT_EXCEEDED", message)
