"""Duplicate rules with their matching: equal after what people write differently is evened out."""

import re
from collections.abc import Iterator, Sequence

from simulator.salesforce.errors import Duplicates, Match
from simulator.salesforce.rulebook.rules import DuplicateRule
from simulator.salesforce.schema import Field
from simulator.salesforce.store import Row, Store

NOT_DIGITS = re.compile(r"\D")
# +886 912 345 678 and 0912-345-678 are one number: the last nine digits decide.
PHONE_DIGITS = 9
Key = tuple[str, tuple[str, ...]]


class DuplicateFinder:
    """One duplicate rule with an index of the rows it looks at."""

    def __init__(self, store: Store, rule: DuplicateRule) -> None:
        self._store = store
        self._rule = rule
        self.kinds = frozenset(rule.against or (rule.object,)) | {rule.object}
        self._ids: dict[Key, list[str]] = {}
        for name in self.kinds:
            for row in store.tables[name].rows.values():
                self.saved(name, row)

    def saved(self, kind: str, row: Row) -> None:
        """Take a row that was written into the index; `check` sorts out what was undone later."""
        for key in self._keys(kind, row):
            known = self._ids.setdefault(key, [])
            if row["Id"] not in known:
                known.append(row["Id"])

    def check(self, row: Row, old: Row | None, *, allow_save: bool) -> None:
        """Refuse a row that has a duplicate."""
        keys = set(self._keys(self._rule.object, row))
        if old is not None:
            # An edit that leaves the matched fields alone creates no duplicate.
            keys -= set(self._keys(self._rule.object, old))
        blocks = self._rule.action == "block"
        if not keys or (allow_save and not blocks):
            return
        found = list(dict.fromkeys(each for key in sorted(keys) for each in self._rows(key, row)))
        if found:
            raise Duplicates(
                self._rule.object,
                self._rule.message,
                rule=self._rule.name,
                matches=found,
                allow_save=not blocks,
            )

    def _rows(self, key: Key, row: Row) -> Iterator[Match]:
        for row_id in self._ids.get(key, ()):
            kind = self._store.full_schema.of_id(row_id)
            looked_at = self._rule.against or (self._rule.object,)
            if row_id == row["Id"] or kind is None or kind.name not in looked_at:
                continue
            other = self._store.tables[kind.name].rows.get(row_id)
            if (
                other is not None
                and "IsDeleted" not in other
                and key in self._keys(kind.name, other)
            ):
                yield Match(kind.name, row_id)

    def _keys(self, kind: str, row: Row) -> Sequence[Key]:
        fields = self._store.full_schema.objects[kind].fields
        keys = []
        for group in self._rule.match:
            values = tuple(_evened(fields.get(name), row.get(name)) for name in group)
            if all(values):
                keys.append(("+".join(group), values))
        return keys


def _evened(field: Field | None, value: object) -> str:
    if field is None or value is None:
        return ""
    text = str(value).strip().lower()
    return NOT_DIGITS.sub("", text)[-PHONE_DIGITS:] if field.type == "phone" else text
