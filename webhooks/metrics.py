"""`GET /metrics`: how long requests take, what came in, and how long the queues are."""

from __future__ import annotations

import time
from collections import Counter as Counts
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connector.domain.states import EnvelopeState, InboxState, OutboxState
from connector.store.alerts import open_alerts
from connector.store.session import Store
from connector.store.tables import Envelope, Outbox, Received

_COUNTED = 10_000  # counting further would cost more than the figure is worth
_QUEUES: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
    ("inbox", Received, (InboxState.READY, InboxState.CLAIMED)),
    ("outbox", Outbox, (OutboxState.READY, OutboxState.CLAIMED)),
    ("envelopes", Envelope, (EnvelopeState.READY, EnvelopeState.CLAIMED)),
)


class Metrics:
    """The figures of this process, and at each scrape those of the database."""

    def __init__(self, store: Store) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "connector_http_seconds",
            "Seconds from a request to its answer",
            ("route", "method", "status"),
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10),
        )
        self.events = Counter(
            "connector_intake_events",
            "Webhook events taken in, by whether they were new",
            ("outcome",),
            registry=self.registry,
        )
        self.registry.register(_Queues(store))

    async def show(self, _request: Request) -> Response:
        """The Prometheus text."""
        text = await run_in_threadpool(generate_latest, self.registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    def took_in(self, given: int, new: int) -> None:
        """Count events that were stored."""
        self.events.labels("new").inc(new)
        self.events.labels("known").inc(given - new)


class _Queues(Collector):
    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> list[Metric]:
        return []  # so that registering does not read the database

    def collect(self) -> Iterator[Metric]:
        rows = GaugeMetricFamily(
            "connector_queue_rows",
            f"Rows of a queue, at most {_COUNTED}",
            labels=("queue", "state"),
        )
        oldest = GaugeMetricFamily(
            "connector_queue_oldest_seconds", "Age of the oldest ready row", labels=("queue",)
        )
        wrong = GaugeMetricFamily("connector_alerts", "Open alerts", labels=("kind",))
        up = GaugeMetricFamily("connector_postgres_up", "Whether PostgreSQL answers")
        try:
            with self._store.reading() as session:
                for name, table, states in _QUEUES:
                    for state in states:
                        rows.add_metric((name, state.value), _count(session, table, state))
                    oldest.add_metric((name,), _age(session, table, states[0]))
                for kind, number in Counts(each.kind for each in open_alerts(session)).items():
                    wrong.add_metric((kind,), number)
        except sa.exc.SQLAlchemyError:
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield from (rows, oldest, wrong, up)


def _count(session: Any, table: Any, state: Any) -> int:
    some = sa.select(sa.literal(1)).select_from(table).where(_in(table, state)).limit(_COUNTED)
    counted: int = session.scalar(sa.select(sa.func.count()).select_from(some.subquery()))
    return counted


def _age(session: Any, table: Any, state: Any) -> float:
    first = session.scalar(sa.select(sa.func.min(table.due)).where(_in(table, state)))
    return max(0.0, (datetime.now(UTC) - first).total_seconds()) if first else 0.0


def _in(table: Any, state: Any) -> sa.ColumnElement[bool]:
    # A literal, so that the planner sees the partial index.
    return sa.cast(table.state, sa.Text) == sa.literal(state.value, literal_execute=True)


class Timed:
    """Times every request by its route, so that ids in paths do not make a series each."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note how long it took."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            labels = self._metrics.requests.labels(route, scope["method"], str(status))
            labels.observe(time.perf_counter() - began)
