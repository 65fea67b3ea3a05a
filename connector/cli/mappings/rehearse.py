"""`connector mappings rehearse`: a new version in the shadow of the live one, and where the two differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.cli.mappings.folders import default_folder, folder_argument, texts
from connector.cli.options import author_option, data_option, json_option, reveal_option

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from connector.domain.values import Value
    from connector.planning.rehearsals.shown import Shown
    from connector.store.tables import Rehearsal

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_WORDS = {
    "differs": "both say something else",
    "draft_fails": "only the new version fails",
    "live_fails": "only the live version fails",
    "only_draft": "only the new version says anything",
    "only_live": "only the live version says anything",
}


def _lasting(_ctx: click.Context, _param: click.Parameter, text: str) -> timedelta:
    """A time such as 30m, 2h or 1d."""
    from datetime import timedelta

    if not text[:-1].isdigit() or text[-1] not in _UNITS or int(text[:-1]) == 0:
        raise click.BadParameter(f"{text!r} is no time: write 30m, 2h or 1d")
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


class _BeginsAtOnce(click.Group):
    """A group whose first word may be a folder: then a rehearsal begins."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        words = args if args[0] in self.commands else ["begin", *args]
        return super().resolve_command(ctx, words)


@click.group("rehearse", cls=_BeginsAtOnce, context_settings={"ignore_unknown_options": True})
def rehearse() -> None:
    """Run a new version in the shadow of the live one for a while, and show where the two differ.

    Nothing is written to either side. What the lines and `when` of mappings say is compared; parents,
    notices, messages and forms are not.

    Example: connector mappings rehearse drafts --for 2h
    """


@rehearse.command("begin")
@folder_argument
@click.option(
    "--for", "lasting", callback=_lasting, default="2h", show_default=True, help="How long."
)
@click.option("--reason", default="", help="Why, for those who look at it.")
@author_option
@data_option
@json_option
def begin(
    folder: Path | None, lasting: timedelta, reason: str, author: str, data: Path, *, as_json: bool
) -> None:
    """Rehearse the documents of a folder from now on, after checking them against the org.

    Example: connector mappings rehearse drafts --for 2h --reason "new priorities"
    """
    from connector.cli.deployment import deployment
    from connector.planning.rehearsals import following as rehearsing

    here = deployment(data)
    told = texts(folder or default_folder())
    row = rehearsing.begin(here.store, here.gateway, told, lasting, author, reason)
    if as_json:
        output.put_json(_told(row))
    else:
        output.put(f"rehearsal {row.id} goes on until {row.until.astimezone():%Y-%m-%d %H:%M}")
        output.say("see what it finds with: connector mappings rehearse show")


@rehearse.command("show")
@click.argument("number", type=int, required=False)
@reveal_option
@data_option
@json_option
def show(number: int | None, data: Path, *, reveal: bool, as_json: bool) -> int:
    """Show what a rehearsal has found, the newest by default; exits with 1 where there is something.

    The values of its examples are those of now.

    Example: connector mappings rehearse show
    """
    from connector.cli.deployment import deployment
    from connector.planning.rehearsals import following as rehearsing
    from connector.planning.rehearsals import shown as rehearsing_shown
    from connector.sync.veil import Veil

    here = deployment(data)
    with here.store.reading() as session:
        row = rehearsing.find(session, number)
        found = rehearsing_shown.shown(session, here.catalogs, row, Veil(reveal))
    if as_json:
        output.put_json({**_told(row), "differences": [_json(each) for each in found]})
    else:
        output.put(_line(row))
        _show(found)
    return 1 if found else 0


@rehearse.command("list")
@data_option
@json_option
def listing(data: Path, *, as_json: bool) -> None:
    """List all rehearsals that are kept, newest first.

    Example: connector mappings rehearse list
    """
    from connector.cli.deployment import deployment
    from connector.planning.rehearsals import following as rehearsing

    with deployment(data).store.reading() as session:
        rows = rehearsing.listed(session)
    if as_json:
        output.put_json({"rehearsals": [_told(row) for row in rows]})
    for row in rows if not as_json else ():
        output.put(_line(row))


@rehearse.command("end")
@click.argument("number", type=int, required=False)
@author_option
@data_option
@json_option
def end(number: int | None, author: str, data: Path, *, as_json: bool) -> None:
    """End a rehearsal before its time, the newest open one by default; what it found stays.

    Example: connector mappings rehearse end
    """
    from connector.cli.deployment import deployment
    from connector.planning.rehearsals import following as rehearsing

    row = rehearsing.end(deployment(data).store, author, number)
    if as_json:
        output.put_json(_told(row))
    else:
        output.put(_line(row))


def _line(row: Rehearsal) -> str:
    state = f"ended by {row.ended_by}" if row.ended_at else f"goes on until {row.until:%m-%d %H:%M}"
    through = f" up to {row.through:%m-%d %H:%M:%S}" if row.through else ""
    why = f": {row.reason}" if row.reason else ""
    return f"rehearsal {row.id} of {row.author}{why}; {row.seen} records looked at{through}; {state} (UTC)"


def _show(found: Sequence[Shown]) -> None:
    for each in found:
        counted = each.contrasted
        way = " from Salesforce" if counted.inbound else ""
        place = output.paint(f"{counted.mapping} {counted.line}{way}", output.BAD)
        output.put(f"{place}: {_WORDS[counted.kind]}, {counted.times} times")
        for example in each.examples:
            output.put(f"  {example.record}: {_said(example.live)} -> {_said(example.draft)}")
    if not found:
        output.put(output.paint("no difference so far", output.GOOD))


def _said(value: Value) -> str:
    if isinstance(value, dict) and "fails" in value:
        return f"fails: {value['fails']}"
    return "nothing" if value is None else output.short(value)


def _told(row: Rehearsal) -> dict[str, Any]:
    from connector.domain.values import moment

    moments = {"begun_at": row.begun_at, "until": row.until, "ended_at": row.ended_at}
    return {
        "id": row.id,
        "author": row.author,
        "reason": row.reason,
        **{name: moment(at) if at is not None else None for name, at in moments.items()},
        "ended_by": row.ended_by,
        "seen": row.seen,
        "through": moment(row.through) if row.through is not None else None,
    }


def _json(each: Shown) -> dict[str, Any]:
    from dataclasses import asdict

    from connector.domain.values import moment

    counted = each.contrasted
    return {
        "mapping": counted.mapping,
        "line": counted.line,
        "inbound": counted.inbound,
        "kind": counted.kind.value,
        "times": counted.times,
        "last_at": moment(counted.last_at),
        "examples": [asdict(example) for example in each.examples],
    }
