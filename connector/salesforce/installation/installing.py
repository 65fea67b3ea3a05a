"""Bringing an org what it lacks: deploy, wait, assign, look again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from connector.errors import ConnectorError
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.installation.content import PERMISSION_SET
from connector.salesforce.installation.org import Failure, InstallingOrg, Progress
from connector.salesforce.installation.plan import Plan, look
from connector.salesforce.installation.source import package
from connector.salesforce.soql import literal

_POLL_SECONDS, _LONGEST_POLL = 0.5, 5.0
_LONGEST_SECONDS = 900.0
_BY_HAND = "Or let an administrator deploy the folder salesforce/ with the Salesforce CLI."
# (pattern of the org's words, what to do), the first that fits.
_FIXES: tuple[tuple[str, str], ...] = (
    (
        r"insufficient access|permission|not enabled for|INSUFFICIENT_ACCESS",
        f"Give the signed-in user 'Modify Metadata Through Metadata API Functions'. {_BY_HAND}",
    ),
    (
        r"change the type|change type|cannot change|already a field named|duplicate",
        "A field of that name was made otherwise: rename or delete it in Setup > Object Manager.",
    ),
    (
        r"change data capture|selected entit|entities selected",
        "The org captures fewer objects than was thought: install again with a smaller --capture.",
    ),
    (
        r"required field",
        "Untick Required of that field in Setup > Object Manager, and install again.",
    ),
    (
        r"limit|maximum|too many",
        "The object has no room for another custom field: delete one that is not used.",
    ),
    (
        r"not found|no Custom(?:Field|Object) named|not a valid|cannot be found|does not resolve",
        "The org lacks that object or field: see that the edition and its licences have it.",
    ),
)


class DeploymentRefused(ConnectorError):
    """The org did not take the package, and is as it was."""

    def __init__(self, progress: Progress) -> None:
        first = progress.failures[0].problem if progress.failures else progress.message
        message = f"the org refused the installation ({progress.status}): {first or 'no reason'}"
        super().__init__("deployment_refused", message, fix_for(first))
        self.failures = progress.failures


@dataclass(frozen=True)
class Installed:
    """What was done, and what is still lacking after it."""

    deployment: Progress | None
    assigned: bool
    remaining: Plan


def install(
    gateway: Gateway, org: InstallingOrg, plan: Plan, watch: Callable[[Progress], None]
) -> Installed:
    """Carry out a plan; `watch` is told how far the deployment is."""
    progress = None
    if plan.deploys:
        progress = _deployed(org, package(plan.objects, plan.capturing.objects), watch)
    wanted = any(lack.kind == "assignment" for lack in plan.lacks)
    if wanted:
        _assign(gateway, org)
    after = look(gateway, org, plan.capturing.allowance)
    if after.capturing.wanted and not plan.capturing.known:  # seen only now
        progress = _deployed(org, package(after.objects, after.capturing.objects), watch)
        after = look(gateway, org, plan.capturing.allowance)
    return Installed(progress, wanted, after)


def fix_for(problem: str) -> str:
    """What a person can do about a component that was refused."""
    for pattern, fix in _FIXES:
        if re.search(pattern, problem, re.IGNORECASE):
            return fix
    return f"See Setup > Deployment Status for the whole story. {_BY_HAND}"


def told(failure: Failure) -> str:
    """A refused component in one sentence."""
    return f"{failure.component}: {failure.problem}"


def _deployed(org: InstallingOrg, content: bytes, watch: Callable[[Progress], None]) -> Progress:
    try:
        progress = org.deploy(content)
    except CallFailed as failed:
        raise ConnectorError(failed.code, failed.message, fix_for(failed.fault.code)) from None
    until, pause = time.monotonic() + _LONGEST_SECONDS, _POLL_SECONDS
    while not progress.done:
        if time.monotonic() > until:
            raise ConnectorError(
                "deployment_slow",
                f"the deployment {progress.id} is still {progress.status}",
                "Wait for it in Setup > Deployment Status, then call the same command again.",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL)
        progress = org.progress(progress.id)
        watch(progress)
    if not progress.success:
        raise DeploymentRefused(progress)
    return progress


def _assign(gateway: Gateway, org: InstallingOrg) -> None:
    name = literal(PERMISSION_SET)
    found = gateway.query(f"SELECT Id FROM PermissionSet WHERE Name = {name}")
    org.assign(str(found[0]["Id"]))
