"""`connector explain`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from connector.cli import narration, output, story
from connector.cli.deployment import deployment
from connector.cli.options import data_option, json_option, reveal_option
from connector.sync.desk.explain import tell
from connector.sync.finding import find
from connector.sync.upkeep.status import snapshot
from connector.sync.veil import Veil

if TYPE_CHECKING:
    from pathlib import Path


@click.command("explain")
@click.argument("reference", metavar="REFERENCE")
@data_option
@json_option
@reveal_option
def command(reference: str, data: Path, *, as_json: bool, reveal: bool) -> None:
    """Tell the story of one record: both sides, what was received, tried, sent, and what is wrong.

    It begins with what keeps the record from being in step, and what to do. REFERENCE is KIND:ID
    (friend, member, product, registration, repair_request), a Salesforce id, a LINE_Key__c, or
    friend: with a LINE user id.

    Example: connector explain 5005g00000AbCdEAAV
    """
    here = deployment(data)
    with snapshot(here.store) as session:
        record = find(session, reference)
        found = tell(session, here.catalogs.live(session), record, datetime.now(UTC))
        told = story.as_told(found, Veil(reveal))
    if as_json:
        output.put_json(told)
    else:
        output.put("\n".join(narration.lines(told)))
