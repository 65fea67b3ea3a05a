"""`connector alerts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import data_option, json_option
from connector.store import alerts
from connector.sync.upkeep.status import alert_told

if TYPE_CHECKING:
    from pathlib import Path


@click.command("alerts")
@data_option
@json_option
def command(data: Path, *, as_json: bool) -> int:
    """List what should not be, each with what to do; exits with 1 while there is something.

    An alert closes by itself once its cause is gone.

    Example: connector alerts
    """
    with deployment(data).store.reading() as session:
        found = [alert_told(each) for each in alerts.open_alerts(session)]
    if as_json:
        output.put_json(found)
    elif not found:
        output.put(output.paint("nothing is wrong", output.GOOD))
    else:
        for each in found:
            times = f", {each['times']} times" if each["times"] != 1 else ""
            output.put(f"{output.paint(str(each['kind']), output.BAD)}: {each['message']}")
            output.put(f"  since {each['since']}{times}")
            output.put(f"  what to do: {each['next_step']}")
    return 1 if found else 0
