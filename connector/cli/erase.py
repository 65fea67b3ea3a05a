"""`connector erase`: take a person out of everything, here and in Salesforce."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from connector import bootstrap
from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import author_option, data_option, json_option
from connector.sync.privacy import erasing, whereabouts
from connector.sync.privacy.erasing import Erasure, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

_AGAIN = "Rows that are pending are cleared by the workers; the same command says how far they are."


@click.command("erase")
@click.argument("person", metavar="PERSON")
@click.option("--dry-run", is_flag=True, help="Only say what would be touched.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history; name nobody.")
@author_option
@data_option
@json_option
def command(
    person: str, author: str, reason: str, data: Path, *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Erase a person: every copy here, and the personal fields of their rows in Salesforce.

    PERSON is a LINE user id, friend:ID, member:ID or a person's id. What they claimed stays claimed; a
    hash of the user id stays, so that a late event is not taken for a new person. It cannot be undone.
    Called again it goes on where it was broken off, and says how far the rows in Salesforce are.

    Example: connector erase U4af4980629… --reason "request of 21 November"
    """
    here = deployment(data)
    stones = bootstrap.tombstones(here.settings)
    with here.store.reading() as session:
        people = [each.id for each in whereabouts.find(session, stones, person)]
    if not people:
        raise erasing.unknown()
    erasure = Erasure(here.store, stones, author, reason)
    planned = _summed(erasure.would_touch(each) for each in people)
    if dry_run:
        _put(planned, _rows(erasure, people), as_json=as_json, done=False)
        return
    if planned and not yes:
        output.say(_copies(planned, done=False))
        click.confirm("Erase? This cannot be undone.", abort=True, err=True)
    touched = _summed(erasure.erase(each, datetime.now(UTC)) for each in people)
    _put(touched, _rows(erasure, people), as_json=as_json, done=True)


def _summed(counts: Any) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total


def _rows(erasure: Erasure, people: Sequence[UUID]) -> list[Row]:
    return [row for person in people for row in erasure.rows(person)]


def _put(counts: Mapping[str, int], rows: Sequence[Row], *, as_json: bool, done: bool) -> None:
    if as_json:
        told = [
            {
                "object": row.object,
                "salesforce_id": row.salesforce_id,
                "state": row.state,
                "reason": row.reason,
                "next_step": row.next_step,
            }
            for row in rows
        ]
        output.put_json({"erased": done, "copies": dict(counts), "rows": told})
        return
    output.put(_copies(counts, done=done))
    if rows:
        output.put(output.heading("rows in Salesforce"))
        output.put(output.table([[row.object, row.salesforce_id, row.state] for row in rows]))
    for row in rows:
        if row.reason and row.next_step:
            output.put(f"  {row.object} {row.salesforce_id}: {row.reason} - {row.next_step}")
    if done and any(row.state == "pending" for row in rows):
        output.put(_AGAIN)


def _copies(counts: Mapping[str, int], *, done: bool) -> str:
    if not counts:
        return "nothing of this person is left here"
    title = output.heading("erased here" if done else "would be erased here")
    return f"{title}\n{output.table([[counts[name], name] for name in sorted(counts)])}"
