"""`connector salesforce install`."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from connector import bootstrap
from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import data_option, json_option
from connector.salesforce.installation.content import MOST_CAPTURED, PERMISSION_SET
from connector.salesforce.installation.installing import DeploymentRefused, fix_for, install, told
from connector.salesforce.installation.plan import look

if TYPE_CHECKING:
    from pathlib import Path

    from connector.salesforce.gateway import Gateway
    from connector.salesforce.installation.capturing import Capturing
    from connector.salesforce.installation.installing import Installed
    from connector.salesforce.installation.org import InstallingOrg, Progress
    from connector.salesforce.installation.plan import Plan

_BAR = 30


@click.group("salesforce")
def command() -> None:
    """What the service needs in the org."""


@command.command("install")
@click.option("--yes", is_flag=True, help="Do not ask before changing the org.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option(
    "--capture",
    type=click.IntRange(min=0),
    default=MOST_CAPTURED,
    show_default=True,
    metavar="N",
    help="How many objects the org may capture in all; more with the add-on, 0 asks for none.",
)
@data_option
@json_option
def install_command(data: Path, *, yes: bool, dry_run: bool, capture: int, as_json: bool) -> int:
    """Bring fields, permission set, its assignment and the channel of events, as far as missing.

    First shows what will change; a second run finds nothing left to do. Exits with 1 when
    something is left that it could not do (or, with --dry-run, that it would do).

    Example: connector salesforce install --dry-run
    """
    if as_json and not (yes or dry_run):
        raise click.UsageError("--json cannot ask: give --yes or --dry-run")
    here = deployment(data)
    with closing(bootstrap.open_installing_org(here.settings)) as org:
        plan = look(here.gateway, org, capture)
        if not as_json:
            _show(plan)
        if dry_run or not plan.lacks:
            return _ended(plan, None, as_json=as_json)
        if not yes:
            click.confirm("Change the org so?", abort=True, err=True)
        done = _installed(here.gateway, org, plan, as_json=as_json)
        return 1 if done is None else _ended(plan, done, as_json=as_json)


def _installed(
    gateway: Gateway, org: InstallingOrg, plan: Plan, *, as_json: bool
) -> Installed | None:
    """The installation, or None after its refusal was told."""
    try:
        return install(gateway, org, plan, _watch)
    except DeploymentRefused as refused:
        if not refused.failures:
            raise
        if as_json:
            output.put_json(_refusal(refused))
            return None
        output.say("")
        output.put_error(refused, as_json=False)
        for failure in refused.failures:
            output.say(f"  {told(failure)}\n          what to do: {fix_for(failure.problem)}")
        return None


def _watch(progress: Progress) -> None:
    """One line that fills as components arrive; only where somebody looks at it."""
    if not sys.stderr.isatty():
        return
    filled = _BAR * progress.deployed // progress.total if progress.total else 0
    bar = "#" * filled + "-" * (_BAR - filled)
    counted = f"{progress.deployed}/{progress.total}"
    end = "\n" if progress.done else ""
    click.echo(f"\r  [{bar}] {counted} {progress.status}   {end}", err=True, nl=False)


def _show(plan: Plan) -> None:
    if not plan.lacks:
        output.put("The org has everything that the service needs.")
    else:
        output.put("To be changed in the org:")
        for lack in plan.lacks:
            output.put(f"  {lack.text}")
    _show_capture(plan.capturing)
    for obstacle in plan.obstacles:
        output.put(f"  {output.paint('left out', output.BAD)}  {obstacle.message}")
        output.put(f"            what to do: {obstacle.fix}")


def _show_capture(capturing: Capturing) -> None:
    used = ", ".join(capturing.used) or "none"
    output.put(f"Captured by the org: {used} ({len(capturing.used)} of {capturing.allowance})")
    if capturing.objects:
        output.put(f"  told of as events: {', '.join(capturing.objects)}")
    for each in capturing.polled:
        output.put(f"  polled: {each.object} ({each.reason})")


def _ended(plan: Plan, done: Installed | None, *, as_json: bool) -> int:
    after = plan if done is None else done.remaining
    if as_json:
        output.put_json(_summary(plan, done))
    elif done is not None:
        _show_end(done)
    return 1 if after.lacks or after.obstacles else 0


def _show_end(done: Installed) -> None:
    if done.deployment is not None:
        count = done.deployment.deployed
        output.put(f"deployed: {count} components ({done.deployment.id})")
    if done.assigned:
        output.put(f"assigned: {PERMISSION_SET}")
    if done.remaining.lacks:
        output.put("Still missing, though the org took it:")
        for lack in done.remaining.lacks:
            output.put(f"  {lack.text}")
    else:
        output.put("The org has everything that the service needs.")


def _summary(plan: Plan, done: Installed | None) -> dict[str, Any]:
    after = plan if done is None else done.remaining
    return {
        "changes": [asdict(lack) for lack in plan.lacks],
        "applied": done is not None,
        "deployment": done
        and done.deployment
        and {
            "id": done.deployment.id,
            "status": done.deployment.status,
            "components": done.deployment.deployed,
        },
        "remaining": [asdict(lack) for lack in after.lacks],
        "obstacles": [asdict(obstacle) for obstacle in after.obstacles],
        "capture": {**asdict(plan.capturing), "free": plan.capturing.free},
    }


def _refusal(refused: DeploymentRefused) -> dict[str, Any]:
    failures = [
        {"component": each.component, "problem": each.problem, "fix": fix_for(each.problem)}
        for each in refused.failures
    ]
    error = {"code": refused.code, "message": refused.message, "fix": refused.fix}
    return {"error": {**error, "failures": failures}}
