"""`connector doctor`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from connector.cli import output
from connector.cli.examination import Finding, examine
from connector.cli.options import data_option, json_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command("doctor")
@click.option(
    "--probe", is_flag=True, help="Also try a made-up row of each mapping, undone at once."
)
@data_option
@json_option
def command(data: Path, *, probe: bool, as_json: bool) -> int:
    """Look at settings, database, queues, org, official accounts, mappings, processes and ledger.

    Every finding that failed says how to mend it; exits with 1 when there is one. --probe lets the
    org's validation rules, duplicate rules and flows speak: made-up rows are written and undone in
    one call, so that none stays.

    Example: connector doctor --probe
    """
    findings = examine(data, probe=probe)
    well = all(finding.ok for finding in findings)
    if as_json:
        output.put_json({"ok": well, "findings": [asdict(finding) for finding in findings]})
    else:
        output.put("\n".join(_shown(finding) for finding in findings))
        failed = sum(not finding.ok for finding in findings)
        output.put("\nall is well" if well else f"\n{failed} to mend")
    return 0 if well else 1


def _shown(finding: Finding) -> str:
    mark = output.paint("ok    ", output.GOOD) if finding.ok else output.paint("failed", output.BAD)
    mend = f"\n          what to do: {finding.fix}" if finding.fix and not finding.ok else ""
    return f"  {mark}  {finding.check}: {finding.message}{mend}"
