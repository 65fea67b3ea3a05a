"""Merging rows of one object: the winner takes over what belonged to the losers (facts 17)."""

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.salesforce import recycling
from simulator.salesforce.errors import Refusal, row_deleted
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.schema import ObjectType
from simulator.salesforce.store import Row, Transaction
from simulator.salesforce.writes import Writer

MOST_LOSERS = 2
MASTER = "MasterRecordId"
# Merges of cases came with later versions of the SOAP API than those of the other objects.
MERGEABLE = frozenset({"Account", "Case", "Contact", "Lead"})


def merge(
    writer: Writer,
    kind: ObjectType,
    master_id: str,
    values: Mapping[str, Any],
    losers: Sequence[str],
) -> list[str]:
    """Merge up to two rows into another; the ids of the rows that changed their parent."""
    transaction = writer.transaction
    if kind.name not in MERGEABLE:
        raise Refusal("INVALID_TYPE", f"{kind.name} cannot be merged", [])
    if not 0 < len(losers) <= MOST_LOSERS or long_form(master_id) in map(long_form, losers):
        message = f"Merges take 1 to {MOST_LOSERS} other records of the same type"
        raise Refusal("INVALID_ID_FIELD", message, [])
    master = _row(transaction, kind, master_id)
    gone = [_row(transaction, kind, each) for each in losers]
    moved = [each for row in gone for each in _moved(transaction, kind, row["Id"], master["Id"])]
    for row in gone:
        lost = {**row, "IsDeleted": True, MASTER: master["Id"], recycling.TAKEN_BY: row["Id"]}
        transaction.put(kind.name, recycling.stamped(transaction, lost))
    # After the losers are gone, the master may take over their unique values.
    writer.update(kind, master["Id"], values)
    return moved


def _row(transaction: Transaction, kind: ObjectType, row_id: str) -> Row:
    held = (
        transaction.store.tables[kind.name].rows.get(long_form(row_id)) if is_id(row_id) else None
    )
    if held is None:
        raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
    if "IsDeleted" in held:
        raise row_deleted()
    return held


def _moved(transaction: Transaction, kind: ObjectType, loser: str, master: str) -> list[str]:
    """Let everything that refers to the loser refer to the master."""
    moved = []
    for link in transaction.store.full_schema.children(kind.name):
        index = transaction.store.tables[link.child].indexes.get(link.field.name)
        if index is None or link.field.name == MASTER:
            continue
        for row_id in list(index.ids(loser)):
            row = transaction.row(link.child, row_id)
            if row is not None and row_id != loser:
                changed = {**row, link.field.name: master}
                transaction.put(link.child, recycling.stamped(transaction, changed))
                moved.append(row_id)
    return moved
