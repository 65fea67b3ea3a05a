"""`connector ledger`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import data_option, json_option
from connector.sync.upkeep import auditing, ledger
from connector.sync.upkeep.status import CLASSES, equation_told, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


@click.command("ledger")
@click.option("--hours", default=24, show_default=True, help="How many hours back to list by kind.")
@click.option("--whole", is_flag=True, help="Check every row that is kept, not the newest only.")
@data_option
@json_option
def command(data: Path, *, hours: int, whole: bool, as_json: bool) -> int:
    """Check that every received row is in the one class its effects come to.

    Shows the equation as a whole and by hour, source and kind; names the rows for which it does not
    hold, and exits with 1 when there is one. Rows that are no longer kept are counted on.

    Example: connector ledger --hours 2 --whole
    """
    store = deployment(data).store
    found = auditing.look_at_all(store) if whole else auditing.look(store)
    with snapshot(store) as session:
        count = ledger.count(session)
        since = datetime.now(UTC) - timedelta(hours=hours)
        hourly = [equation_told(each) for each in ledger.equations(session, since)]
    if as_json:
        told = {"received": count.received, "by_source": count.by_source, **count.by_class}
        rows = [asdict(each) for each in found.broken]
        output.put_json({**told, "balanced": found.balanced, "by_hour": hourly, "rows": rows})
    else:
        output.put(_shown(count, hourly, found))
    return 0 if found.balanced else 1


def by_hour(equations: Iterable[Mapping[str, Any]]) -> str:
    """Equations as a table for people; a class in which nothing is stays blank."""
    head = ["hour", "from", "kind", "received", *(name.replace("_", " ") for name in CLASSES)]
    rows = [
        [
            f"{each['hour'][5:10]} {each['hour'][11:16]}",
            *(each[name] for name in ("source", "kind", "received")),
            *(each[name] or "" for name in CLASSES),
        ]
        for each in equations
    ]
    return output.table([head, *rows])


def _shown(
    count: ledger.Count, hourly: Sequence[Mapping[str, Any]], found: auditing.Finding
) -> str:
    numbers = output.table([[number, name] for name, number in count.by_class.items()])
    lines = [f"{count.received} received", numbers]
    if hourly:
        lines += ["", by_hour(hourly), ""]
    if found.balanced:
        return "\n".join([*lines, output.paint("balanced", output.GOOD)])
    head = ["row", "from", "kind", "stored", "comes to", "why"]
    rows = [
        [each.received_id, each.source, each.kind, each.stored, each.derived, each.why]
        for each in found.broken
    ]
    said = output.paint(f"not balanced: {len(found.broken)} rows", output.BAD)
    return "\n".join([*lines, said, output.table([head, *rows])])
