"""`connector dead`: what is parked or dead: list, show, edit, bring back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from connector.cli import output, stopped
from connector.cli.deployment import deployment
from connector.cli.options import author_option, data_option, json_option, reveal_option
from connector.cli.redriven import Redriven
from connector.errors import EnvironmentProblem
from connector.sync.desk import amending, exhibits, stuck
from connector.sync.upkeep.status import snapshot
from connector.sync.veil import Veil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from connector.sync.desk.stuck import Handle


@click.group("dead")
def command() -> None:
    """What stands still until somebody acts: parked for a person, or dead, which has given up.

    Begin with `connector dead list`: it says what each needs and how to go on. Single field values
    that both sides changed are in `connector conflicts list`.
    """


@command.command("list")
@click.option("--held", is_flag=True, help="What waits for another record and follows by itself.")
@click.option("--group", "key", metavar="KEY", help="Every id of one group.")
@data_option
@json_option
def listing(data: Path, key: str | None, *, held: bool, as_json: bool) -> None:
    """List what is parked or dead, grouped by root cause, each with the way to mend it.

    Example: connector dead list
    """
    with snapshot(deployment(data).store) as session:
        if key is not None:
            ids = [
                f"{what}:{wanted}"
                for what, wanted in stuck.members(session, stuck.group_of(session, key))
            ]
            output.put_json({"ids": ids}) if as_json else output.put("\n".join(ids))
            return
        found = [stopped.group_told(group) for group in stuck.groups(session, held=held)]
        questions, waiting = stuck.open_questions(session), stuck.count_held(session)
    if as_json:
        output.put_json({"groups": found, "conflicts": questions, "held": waiting})
        return
    if not found:
        nothing = "nothing is held" if held else "nothing is parked or dead"
        output.put(output.paint(nothing, output.GOOD))
    for told in found:
        output.put("\n".join(stopped.group_lines(told)) + "\n")
    if questions:
        output.put(f"field values to decide about: {questions}, see connector conflicts list")
    if waiting and not held:
        output.put(
            f"{waiting} wait for others and follow by themselves: connector dead list --held"
        )


@command.command("show")
@click.argument("reference", metavar="ID")
@reveal_option
@data_option
@json_option
def show(reference: str, data: Path, *, reveal: bool, as_json: bool) -> None:
    """Show one thing whole: record, row, what was sent and answered, and what to do.

    ID is what `connector dead list` shows: pair:…, inbox:… or envelope:….

    Example: connector dead show inbox:4711
    """
    here, veil = deployment(data), Veil(reveal)
    with snapshot(here.store) as session:
        catalog = here.catalogs.live(session)
        shown = exhibits.exhibit(session, catalog, reference, datetime.now(UTC))
        told = stopped.exhibit_told(shown, veil)
    if as_json:
        output.put_json(told)
    else:
        output.put("\n".join(stopped.exhibit_lines(told)))


@command.command("edit")
@click.argument("reference", metavar="ID")
@click.option("--set", "wanted", multiple=True, metavar="NAME=VALUE", help="May be given again.")
@click.option(
    "--body",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The whole body of what could not be read, as JSON in a file.",
)
@click.option("--reason", required=True, help="Why, for the history.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@reveal_option
@author_option
@data_option
@json_option
def edit(
    reference: str,
    wanted: Sequence[str],
    body: Path | None,
    reason: str,
    author: str,
    data: Path,
    *,
    dry_run: bool,
    reveal: bool,
    as_json: bool,
) -> None:
    """Correct a value that keeps something from going on, and bring it back.

    Of a pair NAME is a value of the LINE record, as `connector dead show` names it; the corrected value
    goes to Salesforce, and no message is sent for it. Of what could not be read NAME is a path into its
    body (source.userId). An empty VALUE makes it blank. What it was is kept, with author and reason.

    Example: connector dead edit pair:0190… --set email=ann@example.com --reason "typed twice"
    """
    if not wanted and body is None:
        raise click.UsageError("give --set NAME=VALUE, or --body FILE")
    here, veil = deployment(data), Veil(reveal)
    by = amending.By(author, reason)
    edits = amending.amend(
        here.store,
        here.catalogs,
        reference,
        dict(_assigned(each) for each in wanted),
        by,
        body=None if body is None else _read(body),
        dry=dry_run,
    )
    told = [stopped.edit_told(each, veil) for each in edits]
    if as_json:
        output.put_json({"edits": told, "dry_run": dry_run})
        return
    for each in told:
        output.put("\n".join(stopped.edit_lines(each)))
    changed = any(each.before != each.after for each in edits)
    output.put(_edited(reference, changed=changed, dry=dry_run))


def _edited(reference: str, *, changed: bool, dry: bool) -> str:
    if dry:
        return "nothing was changed: this was a dry run"
    said = "edited" if changed else "it held that already"
    return f"{said}, and brought back: see connector explain or connector dead show {reference}"


def _assigned(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise click.UsageError(f"--set takes NAME=VALUE, not {text!r}")
    return name.strip(), value


def _read(place: Path) -> Any:
    try:
        return orjson.loads(place.read_bytes())
    except orjson.JSONDecodeError as error:
        raise EnvironmentProblem(
            "bad_body", f"{place} is no JSON: {error}", "Correct the file."
        ) from None


@command.command("redrive")
@click.argument("references", metavar="[ID]...", nargs=-1)
@click.option("--group", "key", metavar="KEY", help="All of one group of `connector dead list`.")
@click.option("--all-parked", is_flag=True, help="Everything that is parked.")
@click.option("--all-dead", is_flag=True, help="Everything that gave up.")
@click.option(
    "--canary", "with_canary", is_flag=True, help="One first; the rest if it gets through."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=120.0,
    show_default=True,
    help="Seconds to wait for the canary.",
)
@author_option
@data_option
@json_option
def redrive(
    references: Sequence[str],
    key: str | None,
    timeout: float,
    author: str,
    data: Path,
    *,
    all_parked: bool,
    all_dead: bool,
    with_canary: bool,
    as_json: bool,
) -> int:
    """Bring back what is parked or dead, once its cause is mended.

    ID is what `connector dead list` shows, or a record's KIND:ID for all of its pairs. With --canary one
    comes back first and the command waits for how it ends, which takes a running worker; if it is
    refused again the rest stays as it is, and the exit code is 1.

    Example: connector dead redrive --group 3f9c1a --canary
    """
    if [bool(references), key is not None, all_parked, all_dead].count(True) != 1:
        raise click.UsageError("give IDs, or --group, or --all-parked, or --all-dead")
    store = deployment(data).store
    with snapshot(store) as session:
        found = list(_wanted(session, references, key, "parked" if all_parked else "dead"))
    done = Redriven()
    if with_canary:
        done.one_of_each_first(store, found, author, timeout)
    else:
        done.all_of(store, [each for group in found for each in group], author)
    return done.put(as_json=as_json)


def _wanted(
    session: Session, references: Sequence[str], key: str | None, state: str
) -> Iterator[Sequence[Handle]]:
    """What is wanted, each cause by itself: a canary says nothing about another one's."""
    if key is not None:
        yield stuck.members(session, stuck.group_of(session, key))
    elif references:
        found = [each for reference in references for each in stuck.find(session, reference)]
        yield list(dict.fromkeys(found))
    else:
        for group in stuck.groups(session):
            if group.facts.state == state:
                yield stuck.members(session, group)
