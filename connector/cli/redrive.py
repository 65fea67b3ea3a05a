"""`connector redrive`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import author_option, data_option, json_option
from connector.sync import redriving

if TYPE_CHECKING:
    from pathlib import Path


@click.command("redrive")
@click.argument("reference", metavar="[ID]", required=False)
@click.option("--all-parked", is_flag=True, help="Everything that is parked.")
@click.option("--all-dead", is_flag=True, help="Everything that gave up.")
@author_option
@data_option
@json_option
def command(
    reference: str | None,
    data: Path,
    author: str,
    *,
    all_parked: bool,
    all_dead: bool,
    as_json: bool,
) -> None:
    """Bring back what is parked or dead, once its reason is mended.

    ID is what `connector parked` shows, or a record's KIND:ID for all of its pairs.

    Example: connector redrive --all-parked
    """
    if [reference is not None, all_parked, all_dead].count(True) != 1:
        raise click.UsageError("give an ID, or --all-parked, or --all-dead")
    store = deployment(data).store
    if reference is not None:
        number = redriving.redrive(store, reference, author)
    else:
        number = redriving.redrive_all(store, "parked" if all_parked else "dead", author)
    if as_json:
        output.put_json({"redriven": number})
    else:
        output.put(f"{number} brought back")
