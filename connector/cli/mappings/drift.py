"""`connector mappings drift`: what changed in the org under the live mappings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.cli.options import author_option, data_option, json_option

if TYPE_CHECKING:
    from connector.store.tables import Drift


@click.command("drift")
@click.option("--now", is_flag=True, help="Ask the org first; else what the last look found.")
@click.option(
    "--acknowledge",
    metavar="NUMBER",
    type=int,
    multiple=True,
    help="You know of it and it may stay so; its alert ends.",
)
@author_option
@data_option
@json_option
def drift(
    acknowledge: tuple[int, ...], author: str, data: Path, *, now: bool, as_json: bool
) -> int:
    """Tell what changed in the org that live mappings name, what it does to rows, and what mends it.

    The org is asked every hour by itself. A finding ends once the org is as it was, the mapping copes,
    or it was published anew. Ends with 1 while there is one that nobody has acknowledged.

    Example: connector mappings drift --now
    """
    from connector.cli.deployment import deployment
    from connector.planning.drift import looking as drifting
    from connector.sync.live import guarding

    here = deployment(data)
    if now:
        guarding.refuse_another_org(here.store, here.gateway)
        drifting.look(here.store, here.gateway)
    if acknowledge:
        drifting.acknowledge(here.store, acknowledge, author)
    with here.store.reading() as session:
        found = drifting.open_drifts(session)
    if as_json:
        output.put_json({"drift": [_told(each) for each in found]})
    elif not found:
        output.put(output.paint("the org is as the live mappings know it", output.GOOD))
    for each in found if not as_json else ():
        _show(each)
    return 1 if any(each.acknowledged_at is None for each in found) else 0


def _show(found: Drift) -> None:
    place = f"{found.mapping}.yaml:{found.line}"
    output.put(f"{output.paint(f'{found.id}. {place}', output.BAD)}: {found.message}")
    output.put(f"  what it does: {found.effect}")
    output.put(f"  what to do: {found.proposal}")
    known = f", acknowledged by {found.acknowledged_by}" if found.acknowledged_at else ""
    output.put(f"  since {found.found_at:%Y-%m-%d %H:%M}{known}")


def _told(found: Drift) -> dict[str, Any]:
    from connector.domain.values import moment

    known = found.acknowledged_at
    return {
        "id": found.id,
        "mapping": found.mapping,
        "version": found.version,
        "object": found.object,
        "kind": found.kind.value,
        "subject": found.subject,
        "file": f"{found.mapping}.yaml",
        "line": found.line,
        "message": found.message,
        "effect": found.effect,
        "proposal": found.proposal,
        "found_at": moment(found.found_at),
        "acknowledged_at": moment(known) if known is not None else None,
        "acknowledged_by": found.acknowledged_by,
    }
