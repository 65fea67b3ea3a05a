"""Which resource answers a call under `/services/data/vXX.X`."""

import re
from collections.abc import Callable, Mapping, Sequence

from simulator.control.faults import FaultBoard
from simulator.salesforce import (
    collection,
    composite,
    queries,
    record_types,
    resources,
    retrieval,
    tree,
)
from simulator.salesforce.bulk import ingest, reading
from simulator.salesforce.calls import Answer, Call, Headers
from simulator.salesforce.errors import Refusal, method_not_allowed, not_found
from simulator.salesforce.events import resources as event_schemas
from simulator.salesforce.faults import (
    CallState,
    Place,
    RowFaults,
    change_origin,
    event_faults,
)
from simulator.salesforce.metadata import tooling
from simulator.salesforce.session import Org, Session
from simulator.salesforce.store import Transaction
from simulator.salesforce.writes import ManyMatches, Writer

Resource = Callable[..., Answer]
ALLOW_SAVE = re.compile(r"allowSave\s*=\s*true", re.IGNORECASE)
NO_HEADERS: Mapping[str, str] = {}
OLDEST, NEWEST = 31, 66
NAMES = ("composite", "jobs", "limits", "metadata", "query", "queryAll", "sobjects", "tooling")


def _resource_map(_: Session, call: Call) -> Answer:
    return Answer(200, {name: f"/services/data/{call.version}/{name}" for name in NAMES})


def _limits(session: Session, _: Call) -> Answer:
    limits = session.org.usage.limits(sum(len(t.rows) for t in session.store.tables.values()))
    limits["DailyDeliveredPlatformEvents"] = session.org.events.allowance()
    return Answer(200, limits)


def _composite_names(_: Session, call: Call) -> Answer:
    names = ("batch", "graph", "sobjects", "tree")
    return Answer(200, {name: f"/services/data/{call.version}/composite/{name}" for name in names})


# (methods, path, resource), the first match answers.
RESOURCES: tuple[tuple[str, str, Resource], ...] = (
    ("GET", r"/?", _resource_map),
    ("GET", r"/limits", _limits),
    ("GET", r"/recent", retrieval.recent),
    ("GET", r"/ui-api/object-info/(\w+)/picklist-values/(\w+)", record_types.picklist_values),
    ("GET", r"/(query|queryAll)", queries.query),
    ("GET", r"/query(?:All)?/([^/]+)", queries.query_more),
    ("GET", r"/composite", _composite_names),
    ("POST", r"/composite", composite.composite),
    ("POST", r"/composite/graph", composite.graph),
    ("POST", r"/composite/tree/(\w+)", tree.create_tree),
    ("POST", r"/composite/batch", composite.batch),
    ("POST,PATCH,DELETE", r"/composite/sobjects", collection.write_rows),
    ("GET,POST", r"/composite/sobjects/(\w+)", collection.read_rows),
    ("PATCH", r"/composite/sobjects/(\w+)/(\w+)", collection.upsert_rows),
    ("GET", r"/event/eventSchema/([\w-]+)", event_schemas.schema_by_id),
    ("GET", r"/sobjects/(\w+)/eventSchema", event_schemas.schema_of_event),
    ("GET", r"/sobjects", resources.list_objects),
    ("GET,POST", r"/sobjects/(\w+)", resources.one_object),
    ("GET", r"/sobjects/(\w+)/describe", resources.describe_object),
    ("GET", r"/sobjects/(\w+)/describe/layouts(?:/\w+)?", record_types.layouts),
    ("GET", r"/sobjects/(\w+)/updated", retrieval.updated),
    ("GET", r"/sobjects/(\w+)/deleted", retrieval.deleted),
    ("GET,PATCH,DELETE,POST", r"/sobjects/(\w+)/(\w+)", resources.one_row),
    ("GET,PATCH,DELETE", r"/sobjects/(\w+)/(\w+)/(.+)", resources.row_by_key),
    ("GET,POST", r"/jobs/ingest", ingest.all_jobs),
    ("GET,PATCH,DELETE", r"/jobs/ingest/(\w+)", ingest.one_job),
    ("PUT", r"/jobs/ingest/(\w+)/batches", ingest.content),
    (
        "GET",
        r"/jobs/ingest/(\w+)/(successfulResults|failedResults|unprocessedrecords)",
        ingest.results,
    ),
    ("GET,POST", r"/jobs/query", reading.all_jobs),
    ("GET,PATCH,DELETE", r"/jobs/query/(\w+)", reading.one_job),
    ("GET", r"/jobs/query/(\w+)/results", reading.results),
    ("GET", r"/jobs/query/(\w+)/resultPages", reading.result_pages),
    *tooling.ROUTES,
)
ROUTES = tuple(
    (methods, re.compile(pattern, re.IGNORECASE), resource)
    for methods, pattern, resource in RESOURCES
)


class Router:
    """Answers calls, whole ones and those that a composite call carries."""

    def __init__(self, org: Org, board: FaultBoard) -> None:
        self._org = org
        self._board = board

    def answer(self, call: Call) -> tuple[Answer, CallState]:
        """Answer a call in a transaction of its own; also what befell it meanwhile."""
        state = CallState(locks=self._org.locks.begin())
        origin = self.origin(
            "rest", call.version[1:], call.client, call.method, call.full_path, state
        )
        with self._org.store.transaction(call.user_id, origin) as transaction:
            transaction.event_fault = event_faults(self._board, call.client, state)
            answer = self.perform(call, transaction, state)
        if state.locks is not None:
            state.lasts = state.locks.settle()
        return answer, state

    def origin(
        self, api: str, version: str, client: str | None, method: str, path: str, state: CallState
    ) -> str:
        """What change events call the origin of a call's changes."""
        return change_origin(self._board, f"{api}/{version}", client, (method, path), state)

    def perform(self, call: Call, transaction: Transaction, state: CallState) -> Answer:
        """Answer a call inside a transaction; a refusal undoes only its own writes."""
        savepoint = transaction.savepoint()
        try:
            resource, parts = _find(call)
            return resource(self._session(call, transaction, state), call, *parts)
        except Refusal as refusal:
            transaction.rollback(savepoint)
            return Answer(refusal.status, refusal.body())
        except ManyMatches as problem:
            transaction.rollback(savepoint)
            base = f"/services/data/{call.version}/sobjects/{problem.kind}"
            return Answer(300, [f"{base}/{row_id}" for row_id in problem.ids])

    def session(
        self,
        transaction: Transaction,
        places: Sequence[Place],
        client: str | None,
        state: CallState,
        headers: Headers = NO_HEADERS,
    ) -> Session:
        """What a call at some places, (method, path), works with."""
        faults = RowFaults(self._board, places, client, state)
        state.places += (each for each in places if each not in state.places)
        assigns = headers.get("sforce-auto-assign", "TRUE").upper() != "FALSE"
        allow_save = ALLOW_SAVE.search(headers.get("sforce-duplicate-rule-header", "")) is not None
        writer = Writer(
            transaction, faults, self._org.rulebook, assigns=assigns, allow_save=allow_save
        )
        return Session(self._org, transaction, writer, _Carrier(self, state))

    def _session(self, call: Call, transaction: Transaction, state: CallState) -> Session:
        places = [(call.method, call.full_path)]
        if call.carrier is not None:
            places.append(call.carrier)
        return self.session(transaction, places, call.client, state, call.headers)


class _Carrier:
    """Answers carried calls and notes their faults with the call that carries them."""

    def __init__(self, router: Router, state: CallState) -> None:
        self._router = router
        self._state = state

    def perform(self, call: Call, transaction: Transaction) -> Answer:
        return self._router.perform(call, transaction, self._state)


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
