"""`connector reconcile`: compare the whole org with what we hold."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import author_option, data_option, json_option
from connector.cli.progress import progress
from connector.domain.lines import Lane
from connector.sync.live import guarding
from connector.sync.outgoing.governing import Governor
from connector.sync.reading.comparing import What
from connector.sync.reading.reconciling import Reconciliation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from connector.sync.reading.comparing import Finding
    from connector.sync.reading.reconciling import Report

MOST_SHOWN = 20
_STEPS = {
    What.UNKNOWN_KEY: (
        "rows carry a key of ours that nobody here has",
        "A lost database wrote them, or a person copied them. Clear LINE_Key__c of a row to let it match.",
    ),
    What.KEY_LOST: (
        "rows lost our key",
        "Enter the key shown here in LINE_Key__c of the row, or unbind its record.",
    ),
}


@click.command("reconcile")
@click.argument("names", metavar="[OBJECT]…", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Only tell; nothing is read anew.")
@author_option
@data_option
@json_option
def command(
    names: tuple[str, ...], author: str, data: Path, *, dry_run: bool, as_json: bool
) -> int:
    """Compare the org with what we hold, and read anew what differs.

    Buckets of about two thousand rows are compared by their count and newest change; rows are read only
    where those moved. It runs every night by itself. Ends with 1 where something remains that nothing
    here explains.

    Example: connector reconcile Contact --dry-run
    """
    here = deployment(data)
    guarding.refuse_another_org(here.store, here.gateway)
    governor = Governor(here.gateway, here.settings.salesforce_reserve)
    compared = Reconciliation(
        here.store,
        here.catalogs,
        here.gateway,
        author,
        acts=not dry_run,
        allowed=lambda: governor.allows(Lane.BULK),
    )
    with progress(0, "buckets") as shown:

        def looked(done: int, size: int) -> None:
            shown.size = size
            shown.show(done)

        reports = compared.run(names, looked)
    if as_json:
        output.put_json([_json(report) for report in reports])
    else:
        _show(reports, dry_run=dry_run)
    left = sum(report.unexplained + (report.differences if dry_run else 0) for report in reports)
    return 1 if left else 0


def _json(report: Report) -> dict[str, Any]:
    return {
        "object": report.object,
        "buckets": report.buckets,
        "read": report.read,
        "unread": report.unread,
        "rows": report.rows,
        "pairs": report.pairs,
        "counts": {what.value: report.counts[what] for what in What},
        "findings": [asdict(finding) for finding in report.findings],
    }


def _show(reports: Sequence[Report], *, dry_run: bool) -> None:
    found = [what for what in What if any(report.counts[what] for report in reports)]
    head = ["object", "buckets", "read", "rows", "pairs", *(_word(what) for what in found)]
    body = [
        [each.object, each.buckets, each.read, each.rows, each.pairs]
        + [each.counts[what] for what in found]
        for each in reports
    ]
    output.put(output.table([head, *body]))
    for what, (reason, step) in _STEPS.items():
        told = [each for report in reports for each in report.findings if each.what is what]
        if told:
            _show_findings(told, reason, step)
    unread = sum(report.unread for report in reports)
    if unread:
        output.put(f"\n{unread} buckets could not be read; call it again")
    differences = sum(report.differences for report in reports)
    if differences:
        what_next = "call it without --dry-run" if dry_run else "follow them with: connector status"
        verb = "would be" if dry_run else "will be"
        output.put(f"\n{differences} {verb} read anew; {what_next}")
    elif not found and not unread:
        output.put("\nall is in step")


def _show_findings(told: Sequence[Finding], reason: str, step: str) -> None:
    output.put(f"\n{output.paint(f'{len(told)} {reason}', output.BAD)}\n  what to do: {step}")
    rows = [[each.object, each.salesforce_id, each.key] for each in told[:MOST_SHOWN]]
    output.put(output.table(rows))
    if len(told) > MOST_SHOWN:
        output.put(f"  and {len(told) - MOST_SHOWN} more: see them with --json")


def _word(what: What) -> str:
    return what.value.replace("_", " ")
