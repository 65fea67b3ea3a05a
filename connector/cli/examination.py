"""Everything the service needs, looked at one by one; what cannot be looked at is a finding, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import redis
import sqlalchemy as sa

from connector import bootstrap
from connector.cli.deployment import Deployment, deployment
from connector.cli.failures import problem_of
from connector.errors import ConnectorError
from connector.line.doctor import examine as examine_line
from connector.salesforce.doctor import ObjectNeed
from connector.salesforce.doctor import examine as examine_org
from connector.salesforce.probe import probe as probe_org
from connector.store import migrate
from connector.store.tables import Hole, Org, Published, Stream
from connector.sync.reading import carriage
from connector.sync.upkeep import ledger
from connector.sync.upkeep.status import snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from connector.mapping.parts.compiled import CompiledMapping
    from connector.sync.catalog import Catalog

_LEAST_LAG = timedelta(minutes=1)
_WELL = frozenset({"running", "done"})
_BEFORE_PROBE = frozenset({"settings", "postgres", "migrations", "mappings", "org"})
_SELDOM = timedelta(hours=2)  # an object that only Salesforce fills is read hourly by a slow poll


@dataclass(frozen=True)
class Finding:
    """One thing looked at: fine, or what is wrong and how to mend it."""

    check: str
    ok: bool
    message: str
    fix: str = ""


def examine(data: Path, *, probe: bool = False) -> list[Finding]:
    """Look at everything; what builds on a failed part is left out. `probe` tries rows in the org."""
    try:
        here = deployment(data)
    except ConnectorError as problem:
        return [_failed("settings", problem)]
    findings = [Finding("settings", ok=True, message="every setting is there")]
    findings += _looked("postgres", here, _postgres)
    stored = all(finding.ok for finding in findings)
    findings += _looked("redis", here, _redis)
    if stored:
        findings += _looked("mappings", here, _mappings)
    findings += _looked("salesforce", here, _salesforce if stored else _salesforce_alone)
    if probe and all(finding.ok for finding in findings if finding.check in _BEFORE_PROBE):
        findings += _looked("probe", here, _probe)
    findings += _looked("line", here, _line)
    findings += _looked("processes", here, _processes)
    if stored:
        findings += _looked("streams", here, _streams)
        findings += _looked("ledger", here, _ledger)
    return findings


def _looked(
    check: str, here: Deployment, look: Callable[[Deployment], Iterator[Finding]]
) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(look(here))
    except Exception as error:  # noqa: BLE001 - whatever fails, the rest is looked at
        found.append(_failed(check, problem_of(error)))
    return found


def _failed(check: str, problem: ConnectorError) -> Finding:
    return Finding(check, ok=False, message=problem.message, fix=problem.fix)


def _postgres(here: Deployment) -> Iterator[Finding]:
    with here.store.engine.connect() as connection:
        version = connection.scalar(sa.text("SHOW server_version"))
        yield Finding("postgres", ok=True, message=f"PostgreSQL {version} answers")
        found, newest = migrate.current(connection), migrate.head()
    message = f"revision {found or 'none'}"
    fix = f"Migrate to {newest}: connector prepare"
    yield Finding("migrations", ok=found == newest, message=message, fix=fix)


def _redis(here: Deployment) -> Iterator[Finding]:
    url = here.settings.redis_url.get_secret_value()
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        fix = "See that it runs and that CONNECTOR_REDIS_URL names it; nothing is lost meanwhile."
        yield Finding("redis", ok=False, message=f"no answer ({type(error).__name__})", fix=fix)
        return
    yield Finding("redis", ok=True, message="answers")


def _mappings(here: Deployment) -> Iterator[Finding]:
    with here.store.reading() as session:
        live = sa.select(sa.func.count()).where(Published.live)
        number = session.scalar(live) or 0
        catalog = here.catalogs.live(session)
    enabled = sum(mapping.enabled for mapping in catalog.mappings.values())
    message = f"{number} documents are live, {enabled} mappings enabled"
    fix = "Publish the starter set: connector mappings publish --reason …"
    yield Finding("mappings", ok=enabled > 0, message=message, fix=fix)


def _salesforce(here: Deployment) -> Iterator[Finding]:
    with here.store.reading() as session:
        catalog = here.catalogs.live(session)
        bound = session.scalar(sa.select(Org.organization_id).limit(1))
    findings = list(_org(here, needs(catalog)))
    yield from findings
    if findings[0].ok:
        yield _bound(bound, here.gateway.organization_id())


def _salesforce_alone(here: Deployment) -> Iterator[Finding]:
    yield from _org(here, [])


def _org(here: Deployment, wanted: list[ObjectNeed]) -> Iterator[Finding]:
    for found in examine_org(here.gateway, wanted):
        yield Finding("salesforce", found.ok, found.what, found.fix)


def _probe(here: Deployment) -> Iterator[Finding]:
    with here.store.reading() as session:
        mappings = here.catalogs.live(session).mappings.values()
    enabled = [mapping for mapping in mappings if mapping.enabled]
    for found in probe_org(here.gateway, enabled, datetime.now(UTC)):
        yield Finding("probe", found.ok, found.what, found.fix)


def _bound(bound: str | None, found: str) -> Finding:
    if bound is None:
        fix = "Bind it: connector prepare"
        return Finding("org", ok=False, message="the database is not bound to an org", fix=fix)
    fix = "Check CONNECTOR_SALESFORCE_LOGIN_URL; nothing may be written to another org."
    message = f"the database is bound to {bound}"
    told = message if bound == found else f"{message}, the settings lead to {found}"
    return Finding("org", ok=bound == found, message=told, fix=fix)


def needs(catalog: Catalog) -> list[ObjectNeed]:
    """What the live mappings read and write, by object."""
    found: list[ObjectNeed] = []
    for name, mappings in sorted(catalog.by_object.items()):
        written = _distinct(field for mapping in mappings for field in _written(mapping))
        read = _distinct(field for mapping in mappings for field in mapping.fields)
        creates = any(mapping.create != "salesforce" for mapping in mappings)
        found.append(ObjectNeed(name, read, written, creates))
    return found


def _written(mapping: CompiledMapping) -> Iterator[str]:
    for line in mapping.outbound:
        yield from line.fields
    yield from (parent.field for parent in mapping.parents)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _line(here: Deployment) -> Iterator[Finding]:
    accounts = bootstrap.accounts(here.settings)
    if not accounts:
        fix = "Name the official accounts in CONNECTOR_LINE_ACCOUNTS."
        yield Finding("line", ok=False, message="no official account is set up", fix=fix)
        return
    webhook = f"{here.settings.public_url.rstrip('/')}/webhooks/line"
    for found in examine_line(bootstrap.line_client(here.settings), accounts, webhook):
        message = f"{found.account}: {found.message}"
        yield Finding(found.check, found.ok, message, found.fix)


def _processes(here: Deployment) -> Iterator[Finding]:
    """Processes that others supervise cannot be seen from here."""
    if here.stack is None:
        return
    for part in here.stack.parts:
        well = part.state in _WELL
        message = f"{part.name} is {part.state}"
        fix = f"See its log: {part.log}"
        yield Finding("process", ok=well, message=message, fix=fix)


def _streams(here: Deployment) -> Iterator[Finding]:
    now, every = datetime.now(UTC), timedelta(seconds=here.settings.poll_seconds)
    with here.store.reading() as session:
        rows = session.scalars(sa.select(Stream).order_by(Stream.name)).all()
        told, topics = carriage.carried(session, now), carriage.topic_of(session)
        holes = session.scalars(sa.select(Hole).where(Hole.closed_at.is_(None))).all()
    if not rows:
        fix = "See that `connector subscribe` runs, and its log."
        yield Finding("streams", ok=False, message="nothing of the org was read yet", fix=fix)
    for row in rows:
        if row.via == "pubsub":
            yield _topic(row, now)
        elif row.name in told:
            yield _object(row, max(row.read_through, topics[row.name].read_through), now, every)
        else:
            yield _object(row, row.read_through, now, every)
    yield from map(_hole, holes)


def _object(row: Stream, through: datetime, now: datetime, every: timedelta) -> Finding:
    late = max(_LEAST_LAG, every * 3) if every < _LEAST_LAG else _SELDOM
    message = f"{row.name} is read through {through:%Y-%m-%d %H:%M:%S} UTC"
    fix = "See that `connector subscribe` runs, and its log."
    return Finding("streams", ok=now - through < late, message=message, fix=fix)


def _topic(row: Stream, now: datetime) -> Finding:
    heard = row.heard_at is not None and row.heard_at > now - carriage.SILENCE
    if row.live_since is not None and heard:
        message = f"{row.name} is heard since {row.live_since:%Y-%m-%d %H:%M:%S} UTC"
        return Finding("streams", ok=True, message=message)
    why = row.reason or "nothing was heard of it lately"
    message = f"{row.name} is not heard, so its objects are polled: {why}"
    fix = "See that `connector subscribe` runs, its log, and what is said of events above."
    return Finding("streams", ok=False, message=message, fix=fix)


def _hole(hole: Hole) -> Finding:
    span = f"{hole.since:%Y-%m-%d %H:%M:%S} to {hole.until:%Y-%m-%d %H:%M:%S} UTC"
    message = f"{', '.join(hole.objects)} may have changed unheard from {span}: {hole.reason}"
    fix = "It is being read again; if this stays, see the log of `connector subscribe`."
    return Finding("streams", ok=False, message=message, fix=fix)


def _ledger(here: Deployment) -> Iterator[Finding]:
    with snapshot(here.store) as session:
        well = ledger.balanced(session)
    message = "every received row is accounted for" if well else "some rows are not accounted for"
    yield Finding("ledger", ok=well, message=message, fix="Name them: connector ledger")
