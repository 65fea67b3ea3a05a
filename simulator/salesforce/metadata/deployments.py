"""Deployments: each runs beside the calls that ask for it, as a real one does."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulator.salesforce.ids import mint
from simulator.salesforce.metadata.changes import Outcome, Stage
from simulator.salesforce.metadata.package import BadPackage, Package, read_package
from simulator.salesforce.metadata.permissionsets import (
    drop_grants_of,
    drop_permission_set,
    write_grants,
)
from simulator.salesforce.store import Store, Transaction

PREFIX = "0Af"
PENDING, IN_PROGRESS, SUCCEEDED = "Pending", "InProgress", "Succeeded"
PARTIAL, FAILED, CANCELING, CANCELED = "SucceededPartial", "Failed", "Canceling", "Canceled"
ENDS = frozenset({SUCCEEDED, PARTIAL, FAILED, CANCELED})
STARTS_AFTER, EACH_TAKES = 0.15, 0.01


@dataclass(slots=True)
class Deployment:
    """One deployment, from the call that asked for it to its end."""

    id: str
    user_id: str
    user_name: str
    options: dict[str, Any]
    content: bytes = field(repr=False)
    status: str = PENDING
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: datetime | None = None
    completed: datetime | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    total: int = 0
    error: str | None = None
    canceled: threading.Event = field(default_factory=threading.Event)

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not."""
        return self.status in ENDS

    @property
    def checks_only(self) -> bool:
        """Whether nothing of it is to stay."""
        return bool(self.options.get("checkOnly"))


class Deployments:
    """The deployments of an org since its start."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Deployment] = {}
        self._serial = int(datetime.now(UTC).timestamp())

    def start(
        self, user_id: str, user_name: str, options: dict[str, Any], content: bytes
    ) -> Deployment:
        """Begin a deployment."""
        self._serial += 1
        made = Deployment(mint(PREFIX, self._serial), user_id, user_name, options, content)
        self._known[made.id] = made
        threading.Thread(target=self._run, args=(made,), daemon=True).start()
        return made

    def get(self, deployment_id: str) -> Deployment | None:
        """A deployment by its id of 15 or 18 characters."""
        return next((d for d in self._known.values() if d.id[:15] == deployment_id[:15]), None)

    def cancel(self, deployment: Deployment) -> None:
        """Ask a deployment to stop before it changes anything."""
        deployment.status = CANCELING
        deployment.canceled.set()

    def clear(self) -> None:
        """Forget all deployments; those under way stop."""
        for each in self._known.values():
            each.canceled.set()
        self._known.clear()

    def _run(self, deployment: Deployment) -> None:
        try:
            if not deployment.canceled.wait(STARTS_AFTER):
                deployment.status, deployment.started = IN_PROGRESS, datetime.now(UTC)
                self._deploy(deployment, read_package(deployment.content))
            else:
                deployment.status = CANCELED
        except BadPackage as problem:
            deployment.status, deployment.error = FAILED, str(problem)
        except Exception as problem:
            # Whoever waits for the end of it would wait for ever.
            deployment.status, deployment.error = FAILED, f"UNKNOWN_EXCEPTION: {problem!r}"
        deployment.completed = datetime.now(UTC)

    def _deploy(self, deployment: Deployment, package: Package) -> None:
        deployment.total = len(package.components) + len(package.missing)
        if deployment.canceled.wait(EACH_TAKES * deployment.total):
            deployment.status = CANCELED
            return
        with self._store.lock:
            stage, outcomes = self._staged(package)
            refused = any(each.is_error for each in outcomes)
            rolls_back = deployment.options.get("rollbackOnError", True)
            if not deployment.checks_only and not (refused and rolls_back):
                with self._store.transaction(deployment.user_id) as transaction:
                    carry_out(transaction, stage)
        deployment.outcomes = outcomes
        if not refused:
            deployment.status = SUCCEEDED
        else:
            deployment.status = FAILED if rolls_back else PARTIAL

    def _staged(self, package: Package) -> tuple[Stage, list[Outcome]]:
        sets = self._store.tables["PermissionSet"].rows.values()
        names = [row["Name"] for row in sets if "IsDeleted" not in row]
        stage = staging(self._store, names)
        return stage, stage.outcomes(package)


def staging(store: Store, permission_sets: Iterable[str] = ()) -> Stage:
    """The org as it is, to be changed on trial."""
    return Stage(
        store.full_schema.objects, permission_sets, store.channels, store.switches.event_entities
    )


def carry_out(transaction: Transaction, stage: Stage) -> None:
    """Make the org be as it was staged."""
    if stage.changes:
        transaction.store.customize(stage.changes)
    if stage.channel_changes:
        transaction.store.change_channels(stage.channel_changes)
    for change in stage.changes:
        if change["definition"] is None:
            drop_grants_of(transaction, change["object"], change.get("field"))
    for grants in stage.grants:
        write_grants(transaction, grants)
    for name in stage.dropped_sets:
        drop_permission_set(transaction, name)
