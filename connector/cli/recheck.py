"""`connector recheck`: read records anew on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import author_option, data_option, json_option
from connector.cli.progress import progress
from connector.domain.lines import Cause, Lane
from connector.sync import rechecking
from connector.sync.rechecking import Ask, Scope

if TYPE_CHECKING:
    from pathlib import Path


@click.command("recheck")
@click.argument("reference", metavar="[KIND:ID | SALESFORCE_ID]", required=False)
@click.option("--object", "name", metavar="OBJECT", help="All records with a row of this object.")
@click.option("--all", "everything", is_flag=True, help="All records.")
@click.option("--notify", is_flag=True, help="Tell LINE users what is found; it asks first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@author_option
@data_option
@json_option
def command(
    reference: str | None,
    name: str | None,
    author: str,
    data: Path,
    *,
    everything: bool,
    notify: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Read records anew in the org and merge what differs, as if it had just been edited.

    One record is read at once, many in the bulk lane. What is parked is left alone unless it is named.
    Nobody gets a message without --notify.

    Example: connector recheck 5005g00000000G9AAI
    """
    if [reference is not None, name is not None, everything].count(True) != 1:
        raise click.UsageError("give KIND:ID or a Salesforce id, or --object, or --all")
    here = deployment(data)
    with here.store.reading() as session:
        catalog = here.catalogs.live(session)
        scope = rechecking.scope_of(session, reference) if reference else Scope(object=name)
        size = rechecking.count(session, catalog, scope)
    if size and not yes and (notify or (reference is None and not as_json)):
        told = ", and LINE users be told what is found" if notify else ""
        click.confirm(f"Shall {size} rows be read anew{told}?", abort=True, err=True)
    lane = Lane.URGENT if reference else Lane.BULK
    ask = Ask("recheck", author, lane, Cause.LIVE if notify else Cause.RECONCILE)
    with progress(size, "rows") as shown:
        wanted = rechecking.recheck(here.store, here.catalogs, scope, ask, shown.show)
    if as_json:
        output.put_json({"rechecked": wanted})
    else:
        output.put(
            f"{wanted} rows will be read anew, and what differs merged: see connector status"
        )
