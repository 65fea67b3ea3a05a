"""`connector mappings publish`: make documents live."""

from __future__ import annotations

from pathlib import Path

import click

from connector.cli import output
from connector.cli.mappings.folders import default_folder, folder_argument, refused, texts
from connector.cli.mappings.plan import publish_plan
from connector.cli.options import author_option, data_option, json_option
from connector.mapping.documents.reading import MappingProblems


@click.command("publish")
@folder_argument
@click.option("--plan", "number", type=int, metavar="PLAN", help="Publish exactly this plan.")
@click.option("--reason", required=True, help="Why, for the history.")
@click.option("--force", is_flag=True, help="With --plan: although much changes at once.")
@author_option
@data_option
@json_option
def publish(
    folder: Path | None,
    number: int | None,
    reason: str,
    author: str,
    data: Path,
    *,
    force: bool,
    as_json: bool,
) -> int:
    """Make the documents of a folder live, all or none, after checking them against the org.

    Documents that the folder no longer has stop being live. Records that are there already follow
    when they next change; with --plan (see connector mappings plan) its documents go live and
    exactly its rows are brought up to date at once, behind everything that is live.

    Example: connector mappings publish mappings --reason "warranty in months"

    Example: connector mappings publish --plan 7 --reason "warranty in months"
    """
    from connector.cli.deployment import deployment
    from connector.sync.live.publishing import publish_from_org

    if number is not None and folder is not None:
        raise click.UsageError("a folder or --plan, not both")
    if number is not None:
        return publish_plan(number, author, reason, data, force=force, as_json=as_json)
    place, here = folder or default_folder(), deployment(data)
    try:
        done = publish_from_org(here.store, here.gateway, texts(place), author, reason)
    except MappingProblems as wrong:
        return refused(wrong, place, "cannot be published", as_json=as_json)
    if as_json:
        output.put_json({"changed": list(done.changed), "unchanged": done.unchanged})
    else:
        for path in done.changed:
            output.put(path)
        output.say(f"{len(done.changed)} changed, {done.unchanged} unchanged")
    return 0
