"""`connector recover`: bring a restored database back in step with the org."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import author_option, data_option, json_option
from connector.cli.progress import progress
from connector.domain.values import moment
from connector.errors import ConnectorError
from connector.sync.live import guarding
from connector.sync.reading.recovering import EXPIRED, GIVEN_BACK, RECHECKED, WINDOWS, Recovery

if TYPE_CHECKING:
    from pathlib import Path

    from connector.sync.reading.recovering import Bounds
    from connector.sync.runs import Course

_WORDS = {
    RECHECKED: "rows are read anew on both sides, in the bulk lane and quietly",
    EXPIRED: "messages were dropped: they may have been sent after the backup",
    WINDOWS: "streams read the window again",
    GIVEN_BACK: "claims of workers that are no more were given back",
}
_NEXT = (
    "Start the service if it does not run. Once `connector status` is idle, `connector reconcile` lists rows "
    "that were made after the backup; the people behind them bind, register or ask again."
)


class _Moment(click.ParamType[datetime]):
    """A moment in ISO form; without an offset it is UTC."""

    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read it."""
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no moment; write 2026-11-21T18:30Z", param, ctx)
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


@click.command("recover")
@click.option("--since", type=_Moment(), metavar="MOMENT", help="When the backup was made.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@author_option
@data_option
@json_option
def command(since: datetime | None, author: str, data: Path, *, yes: bool, as_json: bool) -> None:
    """Bring a database that was restored from a backup back in step with the org.

    Run it after the restore and before the service is started. Every record is read anew, nobody gets an
    old message, and what happened in the org since the backup is read again. Without --since the window
    begins an hour before the newest thing that the database has received.

    Example: connector recover --since 2026-11-21T18:30Z
    """
    here = deployment(data)
    guarding.refuse_another_org(here.store, here.gateway)
    recovery = Recovery(here.store, here.catalogs, here.gateway, author)
    bounds = recovery.bounds(since)
    output.say(_told(bounds))
    if not yes and not as_json:
        click.confirm("Recover?", abort=True, err=True)
    course = recovery.begin(bounds.since)
    if course.resumed:
        output.say(
            f"going on after {course.done:,} rows, with the window of {course.wanted['since']}"
        )
    try:
        with progress(bounds.pairs, "rows", course.done) as shown:
            recovery.run(course, shown.show)
    except (KeyboardInterrupt, ConnectorError):
        output.say("stopped; the same command goes on from here")
        raise
    if as_json:
        output.put_json(_json(course))
    else:
        _show(course)


def _told(bounds: Bounds) -> str:
    newest = moment(bounds.newest) if bounds.newest is not None else "never"
    return (
        f"the newest thing this database received is of {newest}; the org is read again from "
        f"{moment(bounds.since)}, {bounds.pairs:,} rows are read anew, {bounds.messages:,} messages dropped"
    )


def _json(course: Course) -> dict[str, object]:
    counts = {word: course.counts[word] for word in _WORDS}
    at = course.place.get("recovered_at")
    return {"since": course.wanted["since"], "recovered_at": at, **counts}


def _show(course: Course) -> None:
    output.put(
        f"recovered; what happened in the org up to {course.place['recovered_at']} is told to nobody"
    )
    output.put(output.table([[course.counts[word], text] for word, text in _WORDS.items()]))
    output.put(_NEXT)
