"""Roll-up fields: kept in the parent, brought up to date with every change of a child."""

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.salesforce.conditions import Condition
from simulator.salesforce.schema import Field, ObjectType
from simulator.salesforce.store import Follower, Row, Store, Transaction

EXTREMES = {"min": min, "max": max}


def rollup_followers(store: Store) -> Mapping[str, Sequence[Follower]]:
    """What follows changes of children, by the children's object."""
    found: dict[str, list[Follower]] = {}
    for kind in store.full_schema.objects.values():
        for field in kind.fields.values():
            if field.rollup is not None and field.rollup.of in store.full_schema.objects:
                found.setdefault(field.rollup.of, []).append(_Summary(store, kind, field))
    return found


class _Summary:
    """One roll-up field."""

    def __init__(self, store: Store, parent: ObjectType, field: Field) -> None:
        if field.rollup is None:
            raise TypeError(f"{field.name} is no roll-up field")
        self._parent = parent.name
        self._field = field
        self._of = field.rollup
        where = self._of.where
        self._condition = Condition(store, self._of.of, where) if where else None

    def __call__(self, transaction: Transaction, old: Row | None, new: Row) -> None:
        """Bring the parents of a changed child up to date."""
        before, after = self._share(old), self._share(new)
        parents = {row.get(self._of.by) for row in (old, new) if row is not None}
        if before == after and len(parents) == 1:
            return
        for parent_id in sorted(filter(None, parents)):
            parent = transaction.row(self._parent, parent_id)
            if parent is not None:
                self._write(transaction, parent)

    def _write(self, transaction: Transaction, parent: Row) -> None:
        value = self._total(transaction, parent["Id"])
        if value != parent.get(self._field.name):
            stamps = {"SystemModstamp": transaction.moment}
            row = {**parent, **stamps, self._field.name: value}
            transaction.put(self._parent, {k: v for k, v in row.items() if v is not None})

    def _total(self, transaction: Transaction, parent_id: str) -> Any:
        table = transaction.store.tables[self._of.of]
        ids = table.indexes[self._of.by].ids(parent_id)
        shares = [share for each in ids if (share := self._share(table.rows[each])) is not None]
        if self._of.function in EXTREMES:
            return EXTREMES[self._of.function](shares, default=None)
        return sum(shares)

    def _share(self, row: Row | None) -> Any:
        """What one child adds."""
        if row is None or "IsDeleted" in row:
            return None
        if self._condition is not None and not self._condition.holds(row):
            return None
        return 1 if self._of.function == "count" else row.get(self._of.field)
