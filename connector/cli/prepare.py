"""`connector prepare`."""

from __future__ import annotations

import click

from connector import bootstrap
from connector.cli import output
from connector.cli.deployment import settings
from connector.cli.options import json_option
from connector.store import migrate
from connector.sync.preparing import prepare


@click.command("prepare")
@json_option
def command(*, as_json: bool) -> None:
    """Migrate the database, bind it to its org, publish the starter mappings where none are.

    Example: connector prepare
    """
    here = settings()
    migrate.upgrade(here.database_url.get_secret_value())
    store, gateway = bootstrap.open_store(here, pool_size=2), bootstrap.open_gateway(here)
    done = prepare(store, gateway, bootstrap.accounts(here), bootstrap.STARTER)
    published = list(done.changed) if done is not None else []
    if as_json:
        output.put_json({"published": published})
    else:
        said = f"{len(published)} documents published" if published else "nothing new to publish"
        output.put(f"the database is ready; {said}")
