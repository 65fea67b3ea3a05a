"""`connector parked`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import data_option, json_option
from connector.domain.values import moment
from connector.sync.redriving import Group, parked
from connector.sync.status import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHOWN = 10


@click.command("parked")
@data_option
@json_option
def command(data: Path, *, as_json: bool) -> None:
    """List what stands still, grouped by reason: parked, dead, in conflict, or held for another.

    Each comes with the next step and the id that `connector redrive` takes.

    Example: connector parked
    """
    with snapshot(deployment(data).store) as session:
        groups = parked(session)
    if as_json:
        output.put_json({"groups": [_told(group) for group in groups]})
    elif not groups:
        output.put(output.paint("nothing waits for a person", output.GOOD))
    else:
        output.put("\n\n".join("\n".join(_shown(group)) for group in groups))


def _told(group: Group) -> dict[str, Any]:
    return {
        "state": group.state,
        "reason": group.reason,
        "next_step": group.next_step,
        "count": len(group.items),
        "items": [
            {
                "id": item.id,
                "record": item.record,
                "object": item.object,
                "reason": item.reason,
                "since": moment(item.since),
            }
            for item in group.items
        ],
    }


def _shown(group: Group) -> Iterator[str]:
    colour = output.DIM if group.state == "held" else output.BAD
    yield f"{len(group.items)} {output.paint(group.state, colour)}: {group.reason}"
    if group.next_step:
        yield f"  what to do: {group.next_step}"
    rows = [[item.id, item.record, item.object] for item in group.items[:_SHOWN]]
    yield output.table(rows)
    if len(group.items) > _SHOWN:
        yield f"  and {len(group.items) - _SHOWN} more: see --json"
