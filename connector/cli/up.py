"""`connector up`."""

from __future__ import annotations

from pathlib import Path

import click

from connector.cli.options import json_option
from connector.ground.up import run_up


@click.command("up")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path(".connector"),
    show_default=True,
    help="Where everything is kept between starts.",
)
@click.option("--fresh", is_flag=True, help="Begin anew: erase what an earlier start kept.")
@click.option(
    "--port-base",
    type=click.IntRange(1024, 65525),
    default=8400,
    show_default=True,
    help="The connector's port; the simulators take the ones behind it.",
)
@json_option
def command(data: Path, port_base: int, *, fresh: bool, as_json: bool) -> int:
    """Run the whole stack here until Ctrl-C: database, queues, web, workers, both simulators.

    A second start finds its data again. A setting that names a real platform or server
    (CONNECTOR_SALESFORCE_LOGIN_URL, CONNECTOR_LINE_API_URL, CONNECTOR_DATABASE_URL,
    CONNECTOR_REDIS_URL) takes the place of the one that would be started here.

    Example: connector up --port-base 9400
    """
    return run_up(data, fresh=fresh, port_base=port_base, as_json=as_json)
