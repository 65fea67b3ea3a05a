"""What a claim and its settling cost when much waits, and while an old snapshot is open.

    python -m tests.bench.claim_settle [rows waiting ...] [--churn ROWS] [--hold SECONDS]

One lane of intents, claimed by 200 and settled, each in a transaction with fsync; as many are wanted anew
after every cycle, so the number that waits stays the same. The queue is filled after the first claims and never
analysed by hand; ids rise, as real ones do. The snapshot is a repeatable-read transaction that is opened before the churn and kept.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from connector.domain.lines import Lane
from connector.domain.states import EffectState
from connector.ground import ports
from connector.ground.postgres import Postgres
from connector.store import migrate
from connector.store.session import Store
from connector.store.tables import Outbox
from connector.sync import outbox
from connector.sync.heads import Heads

BATCH = 200
CYCLES = 150
LEASE = timedelta(seconds=60)
FILL = """
    INSERT INTO records (id, kind, "values", version)
        SELECT ('1' || lpad(to_hex(n), 31, '0'))::uuid, 'member', '{}', 1 FROM generate_series(1, CAST(:pairs AS integer)) n;
    INSERT INTO pairs (id, record_id, mapping, org_id, object, key, salesforce_id, adopted, "match", base,
                       version, unseen_write, state)
        SELECT ('2' || lpad(to_hex(n), 31, '0'))::uuid, ('1' || lpad(to_hex(n), 31, '0'))::uuid, 'member-contact', '00D', 'Contact', n::text,
               'row' || n, false, 'found', '{}', 1, false, 'open' FROM generate_series(1, CAST(:pairs AS integer)) n;
"""
WAIT = """
    INSERT INTO outbox (pair_id, lane, cause, recheck, again, state, attempts, due)
        SELECT ('2' || lpad(to_hex(n), 31, '0'))::uuid, 'urgent', 'live', false, false, 'ready', 0,
               clock_timestamp() - interval '1 hour' * (:hours - (n - :first)::float / (:last - :first + 1))
        FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) n;
"""


@dataclass
class Queue:
    """An outbox of which so many rows wait."""

    store: Store
    pairs: int
    waiting: int
    heads: Heads = field(default_factory=Heads)
    fresh: Iterator[int] = field(default_factory=lambda: iter(()))

    def fill(self, already: int = BATCH * 2) -> None:
        """A little first, so that the server has seen a short queue; then the rest."""
        self._run(FILL, pairs=self.pairs)
        self._run(WAIT, first=1, last=already, hours=2)
        for _ in range(2):
            self._claim_and_settle()
        self._run(WAIT, first=already + 1, last=already + self.waiting, hours=1)
        numbers = itertools.chain(
            range(self.waiting + already + 1, self.pairs), range(1, self.pairs)
        )
        self.fresh = itertools.cycle(numbers)

    def cycles(self, number: int) -> list[float]:
        """Milliseconds of so many claims with their settling."""
        found = []
        for _ in range(number):
            begun = time.perf_counter()
            settled = self._claim_and_settle()
            found.append((time.perf_counter() - begun) * 1000)
            assert settled == BATCH, (
                f"only {settled} were found to claim"
            )  # an empty claim is cheap
            self._want(settled)
        return found

    def _claim_and_settle(self) -> int:
        with self.store.transaction() as session:

            def take(since: datetime | None) -> Sequence[Outbox]:
                return outbox.claim(session, Lane.URGENT, BATCH, LEASE, since)

            claimed = self.heads.claim("urgent", take, lambda row: row.due)
        with self.store.transaction() as session:
            for row in outbox.still_mine(session, claimed).values():
                outbox.settle(session, row, EffectState.WRITTEN, 1)
        return len(claimed)

    def _want(self, number: int) -> None:
        numbers = [next(self.fresh) for _ in range(number)]
        again = """
            INSERT INTO outbox (pair_id, lane, cause, recheck, again, state, attempts)
                SELECT ('2' || lpad(to_hex(n), 31, '0'))::uuid, 'urgent', 'live', false, false, 'ready', 0
                FROM unnest(CAST(:numbers AS integer[])) n ON CONFLICT DO NOTHING
        """
        self._run(again, numbers=numbers)

    def _run(self, text: str, **values: object) -> None:
        with self.store.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            for statement in filter(str.strip, text.split(";")):
                used = {name: value for name, value in values.items() if f":{name}" in statement}
                connection.execute(sa.text(statement), used)

    @contextmanager
    def old_snapshot(self) -> Iterator[None]:
        """A transaction that has looked and does not end."""
        with self.store.engine.connect() as connection:
            connection.exec_driver_sql("SET idle_in_transaction_session_timeout = 0")
            connection.commit()
            held = connection.execution_options(isolation_level="REPEATABLE READ")
            held.execute(sa.text("SELECT count(*) FROM orgs"))
            yield


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one cycle."""

    median: float
    worst: float

    @classmethod
    def of(cls, found: Sequence[float]) -> Cost:
        """From single measurements; the worst is the 99th percentile."""
        return cls(statistics.median(found), statistics.quantiles(found, n=100)[98])


def measure(queue: Queue, churn: int, hold: float) -> tuple[Cost, Cost, int]:
    """As it is, and behind an old snapshot: so many rows churned, and for so long."""
    plain = Cost.of(queue.cycles(CYCLES))
    with queue.old_snapshot():
        until, done = time.monotonic() + hold, 0
        while done < churn or time.monotonic() < until:
            queue.cycles(10)
            done += 10 * BATCH
        behind = Cost.of(queue.cycles(CYCLES))
    return plain, behind, done


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("waiting", nargs="*", type=int, default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--churn", type=int, default=100_000)
    parser.add_argument("--hold", type=float, default=0)
    given = parser.parse_args()
    print(f"batches of {BATCH}, {CYCLES} cycles, fsync on; load {os.getloadavg()[0]:.1f}")
    print(f"{'waiting':>10}{'median':>10}{'p99':>9}{'ratio':>8}    {'behind a snapshot, after':26}"
          f"{'median':>10}{'p99':>9}{'ratio':>8}")  # fmt: skip
    first: Cost | None = None
    with tempfile.TemporaryDirectory() as home:
        server = Postgres(Path(home) / "postgres", ports.choose())
        with server.running():
            migrate.upgrade(server.create("template"))
            server.seal("template")
            for waiting in given.waiting:
                name = f"bench_{waiting}"
                store = Store.open(server.clone("template", name), lambda _: None)
                queue = Queue(store, max(300_000, waiting * 2), waiting)
                queue.fill()
                plain, behind, churned = measure(queue, given.churn, given.hold)
                first = first or plain
                after = f"{churned:,} rows churned"
                print(
                    f"{waiting:>10,}{plain.median:>8.1f}ms{plain.worst:>7.1f}ms"
                    f"{plain.median / first.median:>8.2f}    {after:26}{behind.median:>8.1f}ms"
                    f"{behind.worst:>7.1f}ms{behind.median / first.median:>8.2f}",
                    flush=True,
                )
                store.engine.dispose()
                server.drop(name)


if __name__ == "__main__":
    main()
