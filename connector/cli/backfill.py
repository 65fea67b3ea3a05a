"""`connector backfill`: bring in what stands in the org already."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from connector.cli import output
from connector.cli.deployment import Deployment, deployment
from connector.cli.options import author_option, data_option, json_option
from connector.cli.progress import progress
from connector.domain.lines import Lane
from connector.errors import ConnectorError
from connector.sync import runs
from connector.sync.live import guarding
from connector.sync.outgoing.governing import Governor
from connector.sync.reading.backfilling import BROUGHT_IN, KIND, Backfill, Order, Via
from connector.sync.reading.sieve import FOREIGN, IN_STEP, STUCK, UNKNOWN_KEY
from connector.sync.runs import Begin

if TYPE_CHECKING:
    from pathlib import Path

    from connector.sync.reading.backfilling import Bounds
    from connector.sync.runs import Course

_WORDS = {
    BROUGHT_IN: "brought in",
    "known_already": "brought in before",
    IN_STEP: "in step already",
    STUCK: "waiting for a person's decision",
    FOREIGN: "of no concern",
    UNKNOWN_KEY: "with a key that nobody here has; see connector reconcile",
}


@click.command("backfill")
@click.argument("name", metavar="OBJECT")
@click.option("--fields", metavar="A,B", help="Fill only these mapped fields of existing pairs.")
@click.option("--via", type=click.Choice([each.value for each in Via]), help="Default: by size.")
@click.option("--where", metavar="SOQL", help="Only rows that meet this condition.")
@click.option("--limit", type=click.IntRange(1), help="At most so many rows.")
@click.option("--resume", is_flag=True, help="Go on with the unfinished run, as it was asked for.")
@click.option("--anew", is_flag=True, help="Give the unfinished run up and begin again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@author_option
@data_option
@json_option
def command(
    name: str,
    fields: str | None,
    via: str | None,
    where: str | None,
    limit: int | None,
    author: str,
    data: Path,
    *,
    resume: bool,
    anew: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Read every row of OBJECT and bring in what the service does not know yet.

    Rows of pairs take what differs; rows of objects that Salesforce may create become records; all
    others are only counted. Nobody gets a message. Stopped at any point, the same command goes on
    where it was.

    Example: connector backfill Contact --fields Email
    """
    if resume and anew:
        raise click.UsageError("--resume or --anew, not both")
    here = deployment(data)
    guarding.refuse_another_org(here.store, here.gateway)
    order = _left(here, name) if resume else None
    only = tuple(part.strip() for part in (fields or "").split(",") if part.strip())
    order = order or Order(name, only, where, limit)
    backfill = _backfill(here, order)
    bounds = backfill.bounds(Via(via) if via else None)
    output.say(_told(order, bounds))
    if not yes and not as_json:
        click.confirm("Begin?", abort=True, err=True)
    how = Begin.RESUME if resume else Begin.ANEW if anew else Begin.FITTING
    course = runs.begin(here.store, KIND, name, order.told(), author, how)
    if course.resumed:
        output.say(f"going on after {course.done:,} rows")
    seconds = _carry_out(backfill, course, bounds)
    if as_json:
        output.put_json(_json(order, course, seconds))
    else:
        _show(course, seconds)


def _left(here: Deployment, name: str) -> Order | None:
    with here.store.reading() as session:
        run = runs.unfinished(session, KIND, name)
    return None if run is None else Order.read(name, run.wanted)


def _backfill(here: Deployment, order: Order) -> Backfill:
    governor = Governor(here.gateway, here.settings.salesforce_reserve)
    return Backfill(
        here.store, here.catalogs, here.gateway, order, lambda: governor.allows(Lane.BULK)
    )


def _told(order: Order, bounds: Bounds) -> str:
    way = "a Bulk query job" if bounds.via is Via.BULK else "queries by Id"
    what = f"{bounds.rows:,} rows of {order.object} by {way}, about {bounds.calls} API calls"
    only = f"; of existing pairs only {', '.join(order.fields)}" if order.fields else ""
    return what + only


def _carry_out(backfill: Backfill, course: Course, bounds: Bounds) -> float:
    """Run it, and where it is broken off say that nothing is lost; the seconds it took."""
    started = time.monotonic()
    try:
        with progress(bounds.rows, "rows", course.done) as shown:
            backfill.run(course, bounds, lambda now: shown.show(now.done), output.say)
    except (KeyboardInterrupt, ConnectorError):
        output.say(f"stopped after {course.done:,} rows; the same command goes on from here")
        raise
    return time.monotonic() - started


def _json(order: Order, course: Course, seconds: float) -> dict[str, object]:
    counts = {word: course.counts[word] for word in _WORDS}
    via = course.place.get("via")
    summary = {"object": order.object, "via": via, "rows": course.done, "counts": counts}
    return {**summary, "resumed": course.resumed, "seconds": round(seconds, 1)}


def _show(course: Course, seconds: float) -> None:
    output.put(f"{course.done:,} rows of {course.subject} read in {seconds:.1f} s")
    rows = [[course.counts[word], text] for word, text in _WORDS.items() if course.counts[word]]
    if rows:
        output.put(output.table(rows))
    if course.counts[BROUGHT_IN]:
        output.put("the workers take in what was brought in; follow them with: connector status")
