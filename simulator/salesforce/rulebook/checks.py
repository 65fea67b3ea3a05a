"""Validation rules, approval locks and automation at work on one row."""

from collections.abc import Mapping
from typing import Any

from simulator.salesforce.conditions import Condition
from simulator.salesforce.errors import Refusal
from simulator.salesforce.rulebook.rules import ApprovalLock, AutomationRule, ValidationRule
from simulator.salesforce.store import Row, Store


class Validation:
    """A validation rule ready to be asked."""

    def __init__(self, store: Store, rule: ValidationRule) -> None:
        self._rule = rule
        self._condition = Condition(store, rule.object, rule.when)

    def check(self, row: Row, old: Row | None) -> None:
        """Refuse a row that breaks the rule."""
        if touches(self._rule.changed, row, old) and self._condition.holds(row):
            shown = [self._rule.field] if self._rule.field else []
            raise Refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", self._rule.message, shown)


class Lock:
    """An approval lock ready to be asked."""

    def __init__(self, store: Store, rule: ApprovalLock) -> None:
        self._rule = rule
        self._store = store
        self._condition = Condition(store, rule.object, rule.when)

    def check(self, old: Row, user_id: str) -> None:
        """Refuse to touch a locked row."""
        user = self._store.tables["User"].rows.get(user_id, {})
        if user.get("Username") not in self._rule.but and self._condition.holds(old):
            raise Refusal("ENTITY_IS_LOCKED", "the entity is locked for editing", [])


class Automation:
    """An automation ready to run."""

    def __init__(self, store: Store, rule: AutomationRule) -> None:
        self._rule = rule
        self._condition = Condition(store, rule.object, rule.when) if rule.when else None

    def values(self, row: Row, old: Row | None) -> Mapping[str, Any] | None:
        """What it sets in a row that was just written, if anything."""
        if self._rule.on == ("update" if old is None else "create"):
            return None
        if not touches(self._rule.changed, row, old):
            return None
        if self._condition is not None and not self._condition.holds(row):
            return None
        return self._rule.values


def touches(names: tuple[str, ...], row: Row, old: Row | None) -> bool:
    """Whether a write is one that a rule about some fields looks at."""
    return not names or old is None or any(row.get(name) != old.get(name) for name in names)
