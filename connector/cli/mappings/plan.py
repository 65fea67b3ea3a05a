"""`connector mappings plan | plans | planned | undo`: what publishing would do, row by row, and taking it back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.cli.mappings.folders import default_folder, refused, texts
from connector.cli.options import author_option, data_option, json_option, reveal_option
from connector.cli.output import BAD, DIM, GOOD, heading, paint, short
from connector.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from connector.domain.values import Value
    from connector.sync.runs import Course

_VERDICTS = ("create", "match", "update", "conflict", "reject", "wait")
_WORDS = {
    "create": "new rows",
    "match": "existing rows taken over",
    "update": "rows changed",
    "unchanged": "unchanged",
    "conflict": "for a person to decide",
    "reject": "would be refused",
    "wait": "wait for another row",
    "left_out": "of no concern",
}

_PARTS = {"fields": "fields", "values": "LINE values", "lines": "stopped by"}


@click.command("plan")
@click.argument(
    "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False
)
@click.option("--mapping", "only", multiple=True, metavar="NAME", help="Look at this one only.")
@click.option("--live", is_flag=True, help="Look at the live documents instead of a folder's.")
@click.option(
    "--try",
    "tries",
    type=click.IntRange(0, 200),
    default=0,
    metavar="N",
    help="Ask the org itself about the first N rows of each mapping; it rolls them back.",
)
@click.option("--resume", is_flag=True, help="Go on with the unfinished plan.")
@click.option("--anew", is_flag=True, help="Give the unfinished plan up and begin again.")
@author_option
@data_option
@json_option
def plan(
    folder: Path | None,
    only: Sequence[str],
    tries: int,
    author: str,
    data: Path,
    *,
    live: bool,
    resume: bool,
    anew: bool,
    as_json: bool,
) -> int:
    """Say what publishing a folder (./mappings) would do to every record there is. Changes nothing.

    Records are matched and weighed as delivery would: which rows are made, taken over, changed, left
    as they are, for a person to decide, or refused by Salesforce. Broken off at any point, the same
    command goes on where it was. The number it gives is what `publish --plan` takes. What only the
    org knows (validation rules, duplicate rules, triggers) shows with --try.

    Example: connector mappings plan mappings
    """
    from connector.cli.deployment import deployment
    from connector.mapping.documents.reading import MappingProblems
    from connector.planning import applying, drafts, plans
    from connector.planning.survey import Survey
    from connector.sync.live import guarding
    from connector.sync.runs import Begin

    if (resume and anew) or (live and folder):
        raise click.UsageError("--resume or --anew, a folder or --live: one of the two")
    here, place = deployment(data), folder or default_folder()
    guarding.refuse_another_org(here.store, here.gateway)
    try:
        wanted = None if live or (only and not folder) else texts(place)
        drafted = drafts.draft(here.store, here.gateway, wanted, only)
    except MappingProblems as wrong:
        return refused(wrong, place, "cannot be planned", as_json=as_json)
    survey = Survey(here.store, here.catalogs, here.gateway, drafted, tries)
    how = Begin.RESUME if resume else Begin.ANEW if anew else Begin.FITTING
    course = survey.begin(author, how)
    number = _carried(course, "records", lambda heard: survey.run(course, heard))
    with here.store.reading() as session:
        told = plans.summary(applying.found(session, number))
    output.put_json(told) if as_json else _show(told)
    return 0


@click.command("plans")
@data_option
@json_option
def listing(data: Path, *, as_json: bool) -> None:
    """List the plans, newest first.

    Example: connector mappings plans
    """
    from connector.cli.deployment import deployment
    from connector.planning import plans

    with deployment(data).store.reading() as session:
        found = plans.newest(session)
        told = [plans.summary(each) for each in found]
    if as_json:
        output.put_json({"plans": told})
    elif not told:
        output.put("nothing was planned yet: connector mappings plan")
    else:
        rows = [
            [
                each.id,
                each.state.value,
                f"{each.at:%Y-%m-%d %H:%M}",
                each.author,
                _named(each.documents),
            ]
            for each in found
        ]
        output.put(output.table([["plan", "state", "when", "who", "documents"], *rows]))


@click.command("planned")
@click.argument("number", metavar="PLAN", type=int)
@click.option("--mapping", metavar="NAME", help="Rows of this mapping.")
@click.option("--verdict", type=click.Choice(_VERDICTS), help="Rows that this would become of.")
@click.option("--field", metavar="FIELD", help="Rows in which this field, or value, changes.")
@click.option("--search", "text", metavar="TEXT", help="Rows that hold this text anywhere.")
@click.option("--after", default=0, metavar="ID", help="Go on after this row.")
@click.option("--limit", default=20, type=click.IntRange(1, 1000), show_default=True)
@reveal_option
@data_option
@json_option
def planned(
    number: int,
    mapping: str | None,
    verdict: str | None,
    field: str | None,
    text: str | None,
    after: int,
    limit: int,
    data: Path,
    *,
    reveal: bool,
    as_json: bool,
) -> None:
    """Show a plan's rows, before and after, and of a published one what became of them.

    Example: connector mappings planned 7 --verdict reject --field Subject
    """
    from connector.cli.deployment import deployment
    from connector.planning import applying, plans
    from connector.store.tables import Verdict
    from connector.sync.veil import Veil

    here = deployment(data)
    search = plans.Search(mapping, Verdict(verdict) if verdict else None, field, text, after, limit)
    with here.store.reading() as session:
        told = plans.summary(applying.found(session, number))
        mappings = here.catalogs.live(session).mappings
        number_of = plans.count(session, number, search)
        found = list(plans.rows(session, number, search, mappings, Veil(reveal)))
        became: Mapping[str, int] = plans.outcome(session, number)
    if as_json:
        output.put_json({**told, "outcome": became, "count": number_of, "rows": found})
        return
    _show(told)
    if became:
        output.put(heading("\nwhat became of it") + f"  {_counted(became)}")
    output.put()
    for row in found:
        output.put("\n".join(_row(row)))
    if found and number_of > len(found):
        output.put(paint(f"{number_of:,} rows in all; go on with --after {found[-1]['id']}", DIM))


@click.command("undo")
@click.argument("number", metavar="PLAN", type=int)
@click.option("--reason", required=True, help="Why, for the history.")
@author_option
@data_option
@json_option
def undo(number: int, reason: str, author: str, data: Path, *, as_json: bool) -> int:
    """Take a published plan back: its documents as they were, and the values it wrote.

    The documents become live again as new versions. Of the rows that the plan changed, every field
    that still holds what was written gets its old value; what somebody changed since stays. Rows
    that the plan made stay, too.

    Example: connector mappings undo 7 --reason "priority was better before"
    """
    from connector.cli.deployment import deployment
    from connector.planning.portions import DONE, LEFT
    from connector.planning.undoing import Undoing

    here = deployment(data)
    undoing = Undoing(here.store, here.catalogs, here.gateway, number)
    course = undoing.begin(author, reason)
    _carried(course, "rows", lambda heard: undoing.run(course, author, heard))
    counts = {"rows": course.counts[DONE], "left": course.counts[LEFT]}
    if as_json:
        output.put_json({"plan": number, **counts})
    else:
        output.put(f"plan {number} is taken back; {counts['rows']:,} rows are being put back")
        if counts["left"]:
            output.put(f"{counts['left']:,} rows are not there any more, or nobody's: left alone")
        output.put("follow it with: connector status")
    return 0


def publish_plan(
    number: int, author: str, reason: str, data: Path, *, force: bool, as_json: bool
) -> int:
    """Carry `publish --plan` out."""
    from connector.cli.deployment import deployment
    from connector.planning.applying import Applying
    from connector.planning.portions import DONE, LEFT

    here = deployment(data)
    most = here.settings.publish_share
    step = Applying(here.store, here.catalogs, here.gateway, number, most)
    course = step.begin(author, reason, force=force)
    _carried(course, "rows", lambda heard: step.run(course, author, heard))
    counts = {"rows": course.counts[DONE], "left": course.counts[LEFT]}
    if as_json:
        output.put_json({"plan": number, **counts})
        return 0
    output.put(f"plan {number} is live; {counts['rows']:,} rows are being brought up to date")
    if counts["left"]:
        output.put(f"{counts['left']:,} rows are not there any more since it was made: left alone")
    output.put(f"follow it with: connector mappings planned {number}")
    return 0


def _carried(course: Course, unit: str, work: Callable[[Callable[[Course], None]], Any]) -> Any:
    """Do the work under a bar; where it is broken off, say that nothing is lost."""
    if course.resumed:
        output.say(f"going on after {course.done:,} {unit}")
    started = time.monotonic()
    try:
        with progress(course.total or 0, unit, course.done) as shown:
            done = work(lambda now: shown.show(now.done))
    except KeyboardInterrupt:
        output.say(f"stopped after {course.done:,} {unit}; the same command goes on from here")
        raise
    output.say(f"{course.done:,} {unit} in {time.monotonic() - started:.1f} s")
    return done


def _named(documents: Iterable[str]) -> str:
    return ", ".join(sorted(documents)) or "the live documents"


def _show(told: Mapping[str, Any]) -> None:
    output.put(f"{heading('plan')} {told['plan']}, {told['state']}: {_named(told['documents'])}")
    for name, tally in told["mappings"].items():
        output.put(f"\n{heading(name)}  {tally['records']:,} records")
        rows = [[tally[key], _painted(key)] for key in _WORDS if tally[key]]
        output.put(output.table(rows))
        for part, title in _PARTS.items():
            if tally[part]:
                output.put(paint(f"  {title}: {_counted(tally[part])}", DIM))
    minutes = f"{told['minutes']:g} min" if told["minutes"] >= 1 else "less than a minute"
    output.put(
        f"\nabout {told['calls']:,} API calls and {minutes} of the org;"
        f" {told['share']:.0%} of what is there would change"
    )
    if told["state"] == "ready":
        number = told["plan"]
        output.put(
            f"look: connector mappings planned {number}\n"
            f'publish: connector mappings publish --plan {number} --reason "…"'
        )


def _painted(verdict: str) -> str:
    colours = {"conflict": BAD, "reject": BAD, "unchanged": DIM, "left_out": DIM}
    word = _WORDS[verdict]
    return paint(word, colours[verdict]) if verdict in colours else word


def _counted(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {number:,}" for name, number in ordered)


def _row(row: Mapping[str, Any]) -> list[str]:
    where = row["salesforce_id"] or "no row yet"
    verdict = paint(row["verdict"], BAD if row["verdict"] in ("conflict", "reject") else GOOD)
    lines = [f"{verdict}  {row['record']}  {where}  {paint(row['mapping'], DIM)}"]
    changes = [*row["fields"].items(), *((f"LINE {k}", v) for k, v in row["values"].items())]
    if changes:
        told = [[name, *(_shown(side) for side in sides)] for name, sides in changes]
        lines.append(output.table([[name, was, "→", then] for name, was, then in told], indent=4))
    if row["reason"]:
        lines.append(f"    {row['reason']}")
    if row["next_step"]:
        lines.append(paint(f"    what to do: {row['next_step']}", DIM))
    return lines


def _shown(value: Value) -> str:
    return paint("(empty)", DIM) if value in (None, "") else short(value, 48)
