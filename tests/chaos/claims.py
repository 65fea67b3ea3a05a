"""What is under way, seen in the database: it tells when to strike and when all is done, never the verdict."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime

import psycopg

LOOK_EVERY = 0.004
CLAIMED = " UNION ALL ".join(
    f"SELECT claim_token FROM {table} WHERE state = 'claimed' AND claimed_until > clock_timestamp()"
    for table in ("received", "outbox", "envelopes")
)
MOVING = "state IN ('ready', 'waiting', 'claimed')"
OLDER = f"""
    SELECT (SELECT count(*) FROM received WHERE {MOVING} AND received_at < %(at)s)
         + (SELECT count(*) FROM outbox WHERE {MOVING} AND since < %(at)s)
         + (SELECT count(*) FROM envelopes WHERE {MOVING} AND created_at < %(at)s)
"""


class Claims:
    """Looks at the queues of a running stack."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+psycopg", "")
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def tokens(self) -> set[str] | None:
        """The claims that hold now; None where the database does not answer."""
        rows = self._ask(CLAIMED)
        return None if rows is None else {str(row[0]) for row in rows}

    def wait(self, seconds: float) -> set[str]:
        """The claims of the first moment at which there are any; none after so many seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if held := self.tokens():
                return held
            time.sleep(LOOK_EVERY)
        return set()

    def older_than(self, at: datetime) -> int | None:
        """How many rows that came before a moment are still to be dealt with."""
        rows = self._ask(OLDER, {"at": at})
        return None if rows is None else int(rows[0][0])

    def _ask(
        self, sql: str, facts: dict[str, object] | None = None
    ) -> list[tuple[object, ...]] | None:
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._url, autocommit=True, connect_timeout=2, sslmode="disable"
                )
            return self._connection.execute(sql, facts).fetchall()
        except psycopg.OperationalError:
            with contextlib.suppress(psycopg.Error):
                self.close()
            self._connection = None
            return None
