"""Compare the whole org with what we hold: whole buckets by count and newest change, rows only where
those differ (design rule 16).

What differs is rechecked, quietly. What nobody here can explain, a key of ours that we do not know
or one that was taken off its row, is told: a database that was lost, or a person, wrote it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from connector.domain.lines import Cause, Lane
from connector.errors import ConnectorError
from connector.salesforce.composite import MAX_STEPS
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import KEY_FIELD
from connector.salesforce.steps import Query, Row, Rows, StepFailed
from connector.store.session import Store
from connector.sync import rechecking, runs
from connector.sync.catalog import Catalog, Catalogs
from connector.sync.incoming.arrivals import Arrivals, epoch_now
from connector.sync.live.guarding import OrgGuard
from connector.sync.live.polled_fields import polled_fields
from connector.sync.pairs import identity
from connector.sync.reading import buckets as ranges
from connector.sync.reading.buckets import Bucket, Tally
from connector.sync.reading.comparing import Comparison, Finding, What
from connector.sync.rechecking import Ask
from connector.sync.runs import Course

log = structlog.get_logger()

KIND = "reconcile"
MOST_TOLD = 1000


@dataclass
class Report:
    """What comparing one object came to; of the findings themselves the first thousand."""

    object: str
    buckets: int = 0
    read: int = 0  # buckets whose rows were read
    unread: int = 0  # buckets that the org would not tell of
    rows: int = 0
    pairs: int = 0
    counts: Counter[What] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def unexplained(self) -> int:
        """What remains for a person to look at."""
        return self.unread + sum(self.counts[what] for what in What if what.is_unexplained)

    @property
    def differences(self) -> int:
        """What is brought in step by reading it anew."""
        return sum(self.counts[what] for what in What if what.is_rechecked)

    def add(self, found: Sequence[Finding]) -> None:
        """Count findings in."""
        self.counts.update(finding.what for finding in found)
        self.findings += found[: MOST_TOLD - len(self.findings)]


@dataclass
class _Object:
    """One object while it is compared."""

    name: str
    fields: tuple[str, ...]
    by: str
    report: Report
    course: Course | None
    before: Mapping[str, Any]
    buckets: Sequence[Bucket] = ()
    ours: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Seen:
    """The epoch and the org's time noted before rows were read."""

    noted: int
    at: datetime


@dataclass(frozen=True)
class Reconciliation:
    """Compares one org; without `acts` nothing is written, here or there."""

    store: Store
    catalogs: Catalogs
    gateway: Gateway
    author: str
    acts: bool = True
    allowed: Callable[[], bool] = lambda: True

    def run(
        self, names: Sequence[str] = (), looked: Callable[[int, int], None] = lambda *_: None
    ) -> list[Report]:
        """Compare these objects, or all that are mapped; `looked` is told of the buckets done."""
        with self.store.reading() as session:
            catalog = self.catalogs.live(session)
        objects = [self._object(catalog, name) for name in names or sorted(catalog.by_object)]
        whole = [(each, bucket) for each in objects for bucket in each.buckets]
        for at in range(0, len(whole), MAX_STEPS):
            if not self.allowed():
                raise ConnectorError(
                    "budget_spent",
                    f"stopped after {at} of {len(whole)} buckets: the day's API calls are left to others",
                    "Call it again later; buckets that are in step are not read again.",
                )
            self._compare(catalog, whole[at : at + MAX_STEPS])
            looked(min(at + MAX_STEPS, len(whole)), len(whole))
        for each in objects:
            self._finish(each)
        return [each.report for each in objects]

    def _object(self, catalog: Catalog, name: str) -> _Object:
        mappings = catalog.by_object.get(name)
        if not mappings:
            known = ", ".join(sorted(catalog.by_object))
            raise ConnectorError(
                "unknown_object", f"no live mapping is for {name}", f"Mapped: {known}."
            )
        by = KEY_FIELD if all(mapping.create == "line" for mapping in mappings) else "Id"
        keyed = (KEY_FIELD,) if by == KEY_FIELD else ()
        fields = polled_fields(catalog).get(name, (*keyed, *identity.fields_of(name)))
        with self.store.reading() as session:
            before = runs.last_place(session, KIND, name)
        course = runs.begin(self.store, KIND, name, {}, self.author) if self.acts else None
        if course is not None:
            course.place = dict(before)
        made = _Object(name, fields, by, Report(name), course, before)
        lows = [low.removeprefix(f"{by}:") for low in before if low.startswith(f"{by}:")]
        with self.store.reading() as session:
            made.buckets = ranges.drawn(session, name, by, lows)
            made.ours = ranges.counted(session, name, by, made.buckets)
        made.report.buckets, made.report.pairs = len(made.buckets), sum(made.ours.values())
        return made

    def _compare(self, catalog: Catalog, group: Sequence[tuple[_Object, Bucket]]) -> None:
        """Count up to five buckets in one call, read those that differ in another."""
        asked = {f"b{at}": pair for at, pair in enumerate(group)}
        steps = [Query(ref, bucket.tallying()) for ref, (_, bucket) in asked.items()]
        results = self.gateway.run(steps).results
        differing: dict[str, tuple[_Object, Bucket, Tally]] = {}
        for ref, (each, bucket) in asked.items():
            told = results[ref]
            if not isinstance(told, Rows):
                self._unread(each, bucket, told)
                continue
            row: Row = told.found[0] if told.found else {}
            tally = Tally.told(row, each.ours.get(bucket.low, 0))
            each.report.rows += tally.rows
            is_empty = tally.rows == tally.pairs == 0
            if not is_empty and not tally.says_nothing_new(_before(each, bucket)):
                differing[ref] = (each, bucket, tally)
        if differing:
            self._read(catalog, differing)

    def _read(
        self, catalog: Catalog, differing: Mapping[str, tuple[_Object, Bucket, Tally]]
    ) -> None:
        with self.store.reading() as session:
            noted = epoch_now(session)
        steps = [
            Query(ref, bucket.reading(each.fields)) for ref, (each, bucket, _) in differing.items()
        ]
        answer = self.gateway.run(steps)
        seen = _Seen(noted, answer.asked_at)
        for ref, (each, bucket, tally) in differing.items():
            told = answer.results[ref]
            if isinstance(told, Rows):
                each.report.read += 1
                self._conclude(catalog, each, bucket, tally, told.found, seen)
            else:
                self._unread(each, bucket, told)

    def _conclude(
        self,
        catalog: Catalog,
        each: _Object,
        bucket: Bucket,
        tally: Tally,
        rows: Sequence[Row],
        seen: _Seen,
    ) -> None:
        """Recheck what differs, keep the tally, and write down what is left open."""
        with self.store.reading() as session:
            comparison = Comparison.of(session, catalog, bucket, rows)
        comparison.look_up_missing(self.gateway, keyed=each.by == KEY_FIELD)
        each.report.add(comparison.findings)
        if each.course is None:
            return
        wanted = [finding.pair for finding in comparison.findings if finding.what.is_rechecked]
        missed = [row for row in rows if str(row["Id"]) in comparison.missed]
        with self.store.transaction() as session:
            pairs = rechecking.locked(session, [pair for pair in wanted if pair is not None])
            rechecking.want(session, pairs, Ask(KIND, self.author, Lane.BULK, Cause.RECONCILE))
            arrivals = Arrivals.under(catalog, each.name, Cause.RECONCILE)
            arrivals.take_in(session, missed, seen.noted, seen.at)
            left = len(comparison.findings) + tally.may_hide_edits(seen.at)
            kept = Tally(tally.rows, tally.newest, tally.pairs, left).kept()
            each.course.place[f"{each.by}:{bucket.low}"] = kept
            each.course.done += len(rows)
            each.course.note(session)

    def _unread(self, each: _Object, bucket: Bucket, told: object) -> None:
        each.report.unread += 1
        if isinstance(told, StepFailed):
            log.warning("bucket not read", object=bucket.object, code=told.fault.code)

    def _finish(self, each: _Object) -> None:
        if each.course is not None:
            each.course.counts = Counter({what.value: n for what, n in each.report.counts.items()})
            with self.store.transaction() as session:
                each.course.note(session, finished=True)


def _before(each: _Object, bucket: Bucket) -> Tally | None:
    return Tally.read(each.before.get(f"{each.by}:{bucket.low}"))


def nightly(reconciliation: Reconciliation, guard: OrgGuard) -> None:
    """Compare everything; what was found is mended, and what nothing explains is logged."""
    if not guard.holds():
        return
    try:
        reports = reconciliation.run()
    except ConnectorError as error:
        log.warning("not reconciled", code=error.code, reason=error.message)
        return
    for report in reports:
        found = {what.value: count for what, count in report.counts.items()}
        tell = log.warning if report.unexplained else log.info
        tell("reconciled", object=report.object, rows=report.rows, unread=report.unread, **found)
