"""Many members at once, as a company brings them along."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from connector.domain.identifiers import uuid7
from connector.domain.lines import Cause, Lane
from connector.store.tables import Outbox, Pair, Record
from tests.world import World


def members(world: World, count: int) -> list[Any]:
    """Members that a company brings along, in the database and not in the org yet."""
    rows = [
        {
            "id": uuid7(),
            "kind": "member",
            "values": {"name": f"王{n}", "phone": f"+8869{n:08}", "email": f"m{n}@example.com"},
            "version": 1,
        }
        for n in range(count)
    ]
    with world.system.store.transaction() as session:
        session.execute(sa.insert(Record), rows)
    return [row["id"] for row in rows]


def want_all(world: World, records: list[Any]) -> None:
    """Want the rows of many records at once, without asking one by one which they have."""
    org = world.system.gateway.organization_id()
    mapped = {"member-account": "Account", "member-contact": "Contact"}
    pairs = [
        {"id": uuid7(), "record_id": record, "mapping": mapping, "object": name}
        for record in records
        for mapping, name in mapped.items()
    ]
    with world.system.store.transaction() as session:
        session.execute(
            sa.insert(Pair), [{**pair, "org_id": org, "key": str(uuid7())} for pair in pairs]
        )
        wanted = {"lane": Lane.BULK, "cause": Cause.BACKFILL}
        session.execute(sa.insert(Outbox), [{"pair_id": pair["id"], **wanted} for pair in pairs])
