"""`connector mappings check`: everything that is wrong, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from connector.cli import output
from connector.cli.mappings.folders import default_folder, folder_argument, shown_path, told
from connector.cli.options import data_option, json_option
from connector.mapping.loader import check_folder, load, read_folder

if TYPE_CHECKING:
    from connector.mapping.schema import ObjectSchema


@click.command("check")
@folder_argument
@click.option("--org", is_flag=True, help="Check against the org's objects and fields, too.")
@data_option
@json_option
def check(folder: Path | None, data: Path, *, org: bool, as_json: bool) -> int:
    """Report everything that is wrong in a folder (./mappings), each with file, line and column.

    Needs neither settings nor a database; with --org it asks the org that these name.

    Example: connector mappings check mappings --org
    """
    place = folder or default_folder()
    problems = check_folder(shown_path(place), _schemas(place, data) if org else None)
    if as_json:
        rows = [told(problem) for problem in problems]
        output.put_json({"folder": str(place), "ok": not problems, "problems": rows})
    elif problems:
        for problem in problems:
            output.put(str(problem))
        output.say(f"{len(problems)} problems in {place}")
    else:
        output.put(f"{len(read_folder(place))} documents in {place} are in order")
    return 1 if problems else 0


def _schemas(folder: Path, data: Path) -> dict[str, ObjectSchema]:
    """What the org says of the objects that are named."""
    from connector.cli.deployment import deployment
    from connector.sync.live.publishing import fetch_schemas

    return fetch_schemas(deployment(data).gateway, load(read_folder(folder)))
