"""`connector prepare`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from connector import bootstrap
from connector.cli import output
from connector.cli.deployment import settings
from connector.cli.options import json_option
from connector.domain.faults import FaultKind
from connector.salesforce.faults import CallFailed
from connector.store import migrate
from connector.sync.live.preparing import prepare

T = TypeVar("T")


@click.command("prepare")
@json_option
def command(*, as_json: bool) -> None:
    """Migrate the database, bind it to its org, publish the starter mappings where none are.

    Example: connector prepare
    """
    here = settings()
    migrate.upgrade(here.database_url.get_secret_value())
    store, gateway = bootstrap.open_store(here, pool_size=2), bootstrap.open_gateway(here)
    done = _patiently(lambda: prepare(store, gateway, bootstrap.accounts(here), bootstrap.STARTER))
    published = list(done.changed) if done is not None else []
    if as_json:
        output.put_json({"published": published})
    else:
        said = f"{len(published)} documents published" if published else "nothing new to publish"
        output.put(f"the database is ready; {said}")


def _patiently(act: Callable[[], T]) -> T:
    """Nothing starts before this is done, so an org that stumbles is asked again for half a minute."""
    tries = Retrying(
        stop=stop_after_delay(30),
        wait=wait_random_exponential(multiplier=0.5, max=5),
        retry=retry_if_exception(_passes),
        reraise=True,
    )
    return tries(act)


def _passes(error: BaseException) -> bool:
    return isinstance(error, CallFailed) and error.fault.kind is FaultKind.RETRY
