"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

import redis
import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connector.store import migrate
from webhooks.web import Web

OK, DOWN, BEHIND, STARTING = "ok", "down", "behind", "starting"
_REDIS_PATIENCE = 0.5  # seconds


class Health:
    """Answers `/livez` and `/readyz`.

    Redis only carries wakes, so its loss never makes the service unready. Under `connector
    up` the whole stack must have been up once; after that PostgreSQL and migrations decide.
    """

    def __init__(self, web: Web) -> None:
        self._web = web
        self._was_up = web.settings.stack_file is None

    async def live(self, _request: Request) -> Response:
        """200 while the event loop turns."""
        return JSONResponse({"status": OK})

    async def ready(self, _request: Request) -> Response:
        """200 when work can be accepted, with what each part says."""
        checks = await run_in_threadpool(self.checks)
        needed = ("postgres", "migrations", "stack")
        is_ready = all(checks.get(name, OK) == OK for name in needed)
        body = {"status": "ready" if is_ready else "not_ready", "checks": checks}
        return JSONResponse(body, 200 if is_ready else 503, {"Cache-Control": "no-store"})

    def checks(self) -> dict[str, str]:
        """How each part is."""
        found = {**self._database(), "redis": self._redis()}
        return found if self._stack_was_up() else {**found, "stack": STARTING}

    def _database(self) -> dict[str, str]:
        try:
            with self._web.store.engine.connect() as connection:
                revision = migrate.current(connection)
        except sa.exc.SQLAlchemyError:
            return {"postgres": DOWN, "migrations": DOWN}
        return {"postgres": OK, "migrations": OK if revision == self._head else BEHIND}

    @cached_property
    def _head(self) -> str | None:
        return migrate.head()

    @cached_property
    def _redis_client(self) -> redis.Redis:
        return redis.Redis.from_url(
            self._web.settings.redis_url.get_secret_value(),
            socket_connect_timeout=_REDIS_PATIENCE,
            socket_timeout=_REDIS_PATIENCE,
        )

    def _redis(self) -> str:
        try:
            self._redis_client.ping()
        except (redis.RedisError, OSError, ValueError):
            return DOWN
        return OK

    def _stack_was_up(self) -> bool:
        self._was_up = self._was_up or _is_up(self._web.settings.stack_file)
        return self._was_up


def _is_up(stack_file: Path | None) -> bool:
    if stack_file is None:
        return True
    try:
        stack = json.loads(stack_file.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(stack, dict) and stack.get("state") == "up"
