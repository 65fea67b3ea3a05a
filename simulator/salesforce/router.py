"""Which resource answers a call under `/services/data/vXX.X`."""

import re
from collections.abc import Callable

from simulator.control.faults import FaultBoard
from simulator.salesforce import collection, composite, queries, resources
from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.errors import Refusal, method_not_allowed, not_found
from simulator.salesforce.faults import RowFaults
from simulator.salesforce.session import Org, Session
from simulator.salesforce.store import Transaction
from simulator.salesforce.writes import ManyMatches, Writer

Resource = Callable[..., Answer]
OLDEST, NEWEST = 31, 66
NAMES = ("composite", "limits", "query", "queryAll", "sobjects")


def _resource_map(_: Session, call: Call) -> Answer:
    return Answer(200, {name: f"/services/data/{call.version}/{name}" for name in NAMES})


def _limits(session: Session, _: Call) -> Answer:
    return Answer(200, session.org.usage.limits())


def _composite_names(_: Session, call: Call) -> Answer:
    names = ("batch", "graph", "sobjects")
    return Answer(200, {name: f"/services/data/{call.version}/composite/{name}" for name in names})


# (methods, path, resource), the first match answers.
ROUTES: tuple[tuple[str, re.Pattern[str], Resource], ...] = tuple(
    (methods, re.compile(pattern, re.IGNORECASE), resource)
    for methods, pattern, resource in (
        ("GET", r"/?", _resource_map),
        ("GET", r"/limits", _limits),
        ("GET", r"/(query|queryAll)", queries.query),
        ("GET", r"/query(?:All)?/([^/]+)", queries.query_more),
        ("GET", r"/composite", _composite_names),
        ("POST", r"/composite", composite.composite),
        ("POST", r"/composite/graph", composite.graph),
        ("POST", r"/composite/batch", composite.batch),
        ("POST,PATCH,DELETE", r"/composite/sobjects", collection.write_rows),
        ("GET,POST", r"/composite/sobjects/(\w+)", collection.read_rows),
        ("PATCH", r"/composite/sobjects/(\w+)/(\w+)", collection.upsert_rows),
        ("GET", r"/sobjects", resources.list_objects),
        ("GET,POST", r"/sobjects/(\w+)", resources.one_object),
        ("GET", r"/sobjects/(\w+)/describe", resources.describe_object),
        ("GET,PATCH,DELETE,POST", r"/sobjects/(\w+)/(\w+)", resources.one_row),
        ("GET,PATCH,DELETE", r"/sobjects/(\w+)/(\w+)/(.+)", resources.row_by_key),
    )
)


class Router:
    """Answers calls, whole ones and those that a composite call carries."""

    def __init__(self, org: Org, board: FaultBoard) -> None:
        self._org = org
        self._board = board

    def answer(self, call: Call) -> tuple[Answer, list[str]]:
        """Answer a call in a transaction of its own; also the names of faults that hit rows."""
        hits: list[str] = []
        with self._org.store.transaction(call.user_id) as transaction:
            answer = self.perform(call, transaction, hits)
        return answer, hits

    def perform(self, call: Call, transaction: Transaction, hits: list[str]) -> Answer:
        """Answer a call inside a transaction; a refusal undoes only its own writes."""
        savepoint = transaction.savepoint()
        try:
            resource, parts = _find(call)
            return resource(self._session(call, transaction, hits), call, *parts)
        except Refusal as refusal:
            transaction.rollback(savepoint)
            return Answer(refusal.status, refusal.body())
        except ManyMatches as problem:
            transaction.rollback(savepoint)
            base = f"/services/data/{call.version}/sobjects/{problem.kind}"
            return Answer(300, [f"{base}/{row_id}" for row_id in problem.ids])

    def _session(self, call: Call, transaction: Transaction, hits: list[str]) -> Session:
        places = [(call.method, call.full_path)]
        if call.carrier is not None:
            places.append(call.carrier)
        faults = RowFaults(self._board, places, call.client, hits)
        assigns = call.headers.get("sforce-auto-assign", "TRUE").upper() != "FALSE"
        writer = Writer(transaction, faults, assigns=assigns)
        return Session(self._org, transaction, writer, _Carrier(self, hits))


class _Carrier:
    """Answers carried calls and notes their faults with the call that carries them."""

    def __init__(self, router: Router, hits: list[str]) -> None:
        self._router = router
        self._hits = hits

    def perform(self, call: Call, transaction: Transaction) -> Answer:
        return self._router.perform(call, transaction, self._hits)


def check_version(version: str) -> None:
    """Refuse retired and unknown API versions."""
    number = float(version[1:])
    if number < OLDEST:
        raise Refusal("UNSUPPORTED_API_VERSION", "This API version is retired.", status=410)
    if number > NEWEST or not number.is_integer():
        raise not_found()


def _find(call: Call) -> tuple[Resource, tuple[str, ...]]:
    check_version(call.version)
    path = call.path.removesuffix(".json")
    if len(path) > 1:
        path = path.rstrip("/")
    allowed = []
    for methods, pattern, resource in ROUTES:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        if call.method in methods.split(","):
            return resource, found.groups()
        allowed.append(methods)
    if allowed:
        raise method_not_allowed(call.method, f"HEAD,{allowed[0]}")
    raise not_found()
