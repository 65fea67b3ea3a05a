"""`connector ledger`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import data_option, json_option
from connector.sync import ledger
from connector.sync.status import snapshot

if TYPE_CHECKING:
    from pathlib import Path


@click.command("ledger")
@data_option
@json_option
def command(data: Path, *, as_json: bool) -> int:
    """Check that every received row is in the one class its effects come to.

    Names the rows for which that does not hold, and exits with 1 when there is one.

    Example: connector ledger --json
    """
    with snapshot(deployment(data).store) as session:
        count, broken = ledger.count(session), ledger.imbalances(session)
    balanced = count.adds_up and not broken
    if as_json:
        told = {"received": count.received, "by_source": count.by_source, **count.by_class}
        rows = [asdict(each) for each in broken]
        output.put_json({**told, "balanced": balanced, "rows": rows})
    else:
        output.put(_shown(count, broken))
    return 0 if balanced else 1


def _shown(count: ledger.Count, broken: list[ledger.Imbalance]) -> str:
    numbers = output.table([[number, name] for name, number in count.by_class.items()])
    lines = [f"{count.received} received", numbers]
    if not broken:
        return "\n".join([*lines, output.paint("balanced", output.GOOD)])
    head = ["row", "from", "kind", "stored", "comes to", "why"]
    rows = [
        [each.received_id, each.source, each.kind, each.stored, each.derived, each.why]
        for each in broken
    ]
    said = output.paint(f"not balanced: {len(broken)} rows", output.BAD)
    return "\n".join([*lines, said, output.table([head, *rows])])
