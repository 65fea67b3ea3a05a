"""`connector org`: which org the database belongs to, and how it comes to belong to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import sqlalchemy as sa

from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import author_option, data_option, json_option
from connector.errors import ConnectorError
from connector.store.tables import Org
from connector.sync.live import guarding

if TYPE_CHECKING:
    from pathlib import Path


@click.group("org")
def command() -> None:
    """Show or change the Salesforce org that this database belongs to.

    Example: connector org adopt --yes
    """


@command.command("show")
@data_option
@json_option
def show(data: Path, *, as_json: bool) -> None:
    """Show the org the database belongs to, and the one the settings lead to.

    Example: connector org show --json
    """
    here = deployment(data)
    with here.store.reading() as session:
        bound = session.scalar(sa.select(Org.organization_id).limit(1))
    found = here.gateway.organization_id()
    if as_json:
        output.put_json({"bound": bound, "found": found, "same": bound == found})
    else:
        output.put(f"the database belongs to {bound}, the settings lead to {found}")


@command.command("adopt")
@data_option
@json_option
@author_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def adopt(data: Path, author: str, *, as_json: bool, yes: bool) -> None:
    """Let the database belong to the org that the settings lead to, a restored sandbox for example.

    Every pair's row is looked up there, by its Id and its key, before anything is written; people
    get no messages about what differs.

    Example: connector org adopt
    """
    here = deployment(data)
    found = here.gateway.organization_id()
    with here.store.reading() as session:
        bound = session.scalar(sa.select(Org.organization_id).limit(1))
    if bound == found:
        raise ConnectorError("already_adopted", f"the database belongs to {found} already")
    if not yes and not as_json:
        click.confirm(f"Move from org {bound} to {found}?", abort=True)
    pairs = guarding.adopt(here.store, here.catalogs, found, author)
    if as_json:
        output.put_json({"organization_id": found, "pairs": pairs})
    else:
        output.put(f"the database belongs to {found} now; {pairs} pairs are looked up there")
