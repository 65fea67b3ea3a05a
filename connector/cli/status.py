"""`connector status`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

import connector
from connector.cli import output
from connector.cli.deployment import Deployment, deployment
from connector.cli.ledger import by_hour
from connector.cli.options import data_option, json_option
from connector.cli.output import BAD, DIM, GOOD, paint
from connector.sync.upkeep.status import Around, snapshot, status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_EVERY = 2.0


@click.command("status")
@data_option
@json_option
@click.option("--watch", is_flag=True, help="Show it again every two seconds, until Ctrl-C.")
def command(data: Path, *, as_json: bool, watch: bool) -> None:
    """Show how things stand: the ledger, the queues, the streams, both platforms, the processes.

    `idle` means that nothing is ready, under way or waiting for a time or an answer. What is
    held, parked or dead moves only when somebody acts: see `connector dead list`.

    Example: connector status --watch
    """
    here = deployment(data)
    while True:
        found = look(here)
        if not as_json:
            if watch:
                click.clear()
            output.put("\n".join(shown(found)))
        elif watch:
            output.put_json_line(found)
        else:
            output.put_json(found)
        if not watch:
            return
        time.sleep(_EVERY)


def look(here: Deployment) -> dict[str, Any]:
    """The status of a deployment now."""
    settings, parts = here.settings, here.stack.parts if here.stack else ()
    around = Around(
        version=connector.__version__,
        reserve=settings.salesforce_reserve,
        accounts=[account.bot_user_id for account in settings.line_accounts],
        processes=[{"name": part.name, "pid": part.pid, "state": part.state} for part in parts],
    )
    with snapshot(here.store) as session:
        return status(session, around, datetime.now(UTC))


def shown(found: dict[str, Any]) -> Iterator[str]:
    """The status as lines for people."""
    state = paint("idle", GOOD) if found["idle"] else "working"
    yield f"{output.heading('connector')} {found['version']}  {state}  {paint(found['time'], DIM)}"
    yield from _alerts(found["alerts"])
    yield from _ledger(found["ledger"])
    yield from _queues(found["queues"])
    yield from _streams(found["streams"])
    yield from _platforms(found)
    yield from _processes(found["processes"])


def _alerts(alerts: list[dict[str, Any]]) -> Iterator[str]:
    if alerts:
        yield f"\n{output.heading('alerts')}"
        yield from (f"  {paint(each['kind'], BAD)}  {each['message']}" for each in alerts)
        yield "  see: connector alerts"


def _ledger(ledger: dict[str, Any]) -> Iterator[str]:
    balanced = paint("balanced", GOOD) if ledger["balanced"] else paint("NOT BALANCED", BAD)
    sources = ", ".join(f"{number} {name}" for name, number in ledger["by_source"].items())
    yield f"\n{output.heading('ledger')}  {ledger['received']} received ({sources})  {balanced}"
    names = ("written", "notified", "unchanged", "ignored", "parked", "dead", "in_flight")
    yield output.table([[name.replace("_", " ") for name in names], [ledger[n] for n in names]])
    if ledger["by_hour"]:
        yield by_hour(ledger["by_hour"])
    if not ledger["balanced"]:
        yield "  see: connector ledger"


def _queues(queues: dict[str, Any]) -> Iterator[str]:
    columns = ("ready", "waiting", "held", "claimed", "parked", "uncertain", "dead", "oldest_s")
    rows: list[list[object]] = [["", *(name.replace("_s", "") for name in columns)]]
    for name in ("inbox", "outbox", "envelopes"):
        counts = queues[name]
        rows.append([name, *(_number(column, counts.get(column)) for column in columns)])
    yield f"\n{output.heading('queues')}"
    yield output.table(rows)
    lanes = queues["lanes"]
    yield f"  lanes: {', '.join(f'{name} {number}' for name, number in lanes.items())}"
    if any(
        queues[name].get("parked") or queues[name]["dead"] for name in queues if name != "lanes"
    ):
        yield "  see: connector dead list"


def _number(column: str, value: float | None) -> str:
    if value is None:
        return ""
    if column == "oldest_s":
        return f"{value:.0f} s"
    return paint(str(value), BAD) if column in ("parked", "dead") and value else str(value)


def _streams(streams: list[dict[str, Any]]) -> Iterator[str]:
    yield f"\n{output.heading('streams')}"
    if not streams:
        yield "  none has been read yet"
        return
    head = ["", "via", "read through", "lag"]
    rows = [[s["name"], s["via"], s["read_through"], f"{s['lag_s']:.0f} s"] for s in streams]
    yield output.table([head, *rows])


def _platforms(found: dict[str, Any]) -> Iterator[str]:
    org = found["salesforce"]
    state = paint("open", GOOD) if org["state"] == "open" else paint("paused", BAD)
    calls = "" if org["api_limit"] is None else f"  {org['api_used']} of {org['api_limit']} calls"
    reserve = "" if org["reserve"] is None else f", {org['reserve']} kept for others"
    why = f"  {org['reason']}" if org["reason"] else ""
    name = org["organization_id"] or "not bound to an org yet"
    yield f"\n{output.heading('Salesforce')}  {name}  {state}{why}{calls}{reserve}"
    for account in found["line"]:
        quota = "unknown" if account["quota"] is None else account["quota"]
        used = "" if account["used"] is None else f"  {account['used']} of {quota} messages used"
        yield f"{output.heading('LINE')}  {account['bot_user_id']}{used}"


def _processes(processes: list[dict[str, Any]]) -> Iterator[str]:
    if not processes:
        return
    yield f"\n{output.heading('processes')}"
    rows = [[each["name"], each["state"], each["pid"] or ""] for each in processes]
    yield output.table(rows)
