"""The rules of the org, and the questions that writes put to them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from simulator.salesforce.errors import Refusal
from simulator.salesforce.rulebook.checks import Automation, Lock, Validation
from simulator.salesforce.rulebook.duplicates import DuplicateFinder
from simulator.salesforce.rulebook.record_types import RecordTypes
from simulator.salesforce.rulebook.rules import (
    RULE,
    AnyRule,
    ApprovalLock,
    AutomationRule,
    DuplicateRule,
    FieldAccess,
    RecordTypeRule,
    ValidationRule,
)
from simulator.salesforce.store import Row, Store
from simulator.salesforce.visibility import Visibility

Body = Mapping[str, Any]


class InvalidRule(ValueError):
    """A rule that cannot be: a wrong word, an unknown object or field, a bad condition."""


class Rulebook:
    """The rules in force. Asking is cheap for objects without rules."""

    def __init__(self, store: Store, visibility: Visibility) -> None:
        self._store = store
        self._visibility = visibility
        self._rules: dict[str, AnyRule] = {}
        self._count = 0
        self.record_types = RecordTypes(store)
        self._validations: dict[str, list[Validation]] = {}
        self._locks: dict[str, list[Lock]] = {}
        self._automations: dict[str, list[Automation]] = {}
        self._finders: dict[str, list[DuplicateFinder]] = {}
        self._followed: dict[str, list[DuplicateFinder]] = {}

    def add(self, wanted: Any) -> str:
        """Put a rule into force and give its id."""
        rule = _parsed(wanted)
        kind = self._store.full_schema.find(rule.object)
        if kind is None:
            raise InvalidRule(f"there is no object {rule.object!r}")
        rule = rule.model_copy(update={"object": kind.name})
        self._check_names(rule)
        self._count += 1
        rule_id = f"r{self._count}"
        known = dict(self._rules)
        self._rules[rule_id] = rule
        try:
            self._rebuild()
        except Refusal as problem:
            self._rules = known
            self._rebuild()
            raise InvalidRule(str(problem)) from None
        return rule_id

    def remove(self, rule_id: str) -> bool:
        """Put a rule out of force; whether there was one."""
        known = self._rules.pop(rule_id, None) is not None
        self._rebuild()
        return known

    def clear(self) -> None:
        """Put all rules out of force."""
        self._rules.clear()
        self._rebuild()

    def listed(self) -> list[dict[str, Any]]:
        """The rules with their ids, the oldest first."""
        return [
            {"id": rule_id, **rule.model_dump(mode="json", exclude_none=True)}
            for rule_id, rule in self._rules.items()
        ]

    def check_unlocked(self, kind: str, old: Row, user_id: str) -> None:
        """Refuse to change or delete a row that an approval holds."""
        for lock in self._locks.get(kind, ()):
            lock.check(old, user_id)

    def check(self, kind: str, row: Row, old: Row | None, *, allow_save: bool) -> None:
        """Refuse a row that breaks a rule."""
        self.record_types.check(kind, row)
        for validation in self._validations.get(kind, ()):
            validation.check(row, old)
        for finder in self._finders.get(kind, ()):
            finder.check(row, old, allow_save=allow_save)

    def saved(self, kind: str, row: Row, old: Row | None) -> Iterator[Body]:
        """Take note of a written row; the values that automations set in it."""
        for finder in self._followed.get(kind, ()):
            finder.saved(kind, row)
        for automation in self._automations.get(kind, ()):
            values = automation.values(row, old)
            if values:
                yield values

    def _check_names(self, rule: AnyRule) -> None:
        fields = self._store.full_schema.objects[rule.object].fields
        for name in _named(rule):
            if name not in fields:
                raise InvalidRule(f"{rule.object} has no field {name!r}")
        for name in rule.against if isinstance(rule, DuplicateRule) else ():
            if name not in self._store.tables:
                raise InvalidRule(f"there is no object {name!r}")

    def _rebuild(self) -> None:
        store = self._store
        self._validations = self._made(ValidationRule, lambda rule: Validation(store, rule))
        self._locks = self._made(ApprovalLock, lambda rule: Lock(store, rule))
        self._automations = self._made(AutomationRule, lambda rule: Automation(store, rule))
        self._finders = self._made(DuplicateRule, lambda rule: DuplicateFinder(store, rule))
        self._followed = {}
        for finders in self._finders.values():
            for finder in finders:
                for kind in finder.kinds:
                    self._followed.setdefault(kind, []).append(finder)
        self.record_types.become([r for r in self._rules.values() if isinstance(r, RecordTypeRule)])
        self._visibility.narrowed = {
            (self._user_id(rule.user), rule.object, rule.field): rule.access
            for rule in self._rules.values()
            if isinstance(rule, FieldAccess)
        }
        self._visibility.forget()

    def _made(self, rule_type: type, make: Callable[[Any], Any]) -> dict[str, list[Any]]:
        made: dict[str, list[Any]] = {}
        for rule in self._rules.values():
            if isinstance(rule, rule_type):
                made.setdefault(rule.object, []).append(make(rule))
        return made

    def _user_id(self, username: str | None) -> str | None:
        if username is None:
            return None
        ids = self._store.tables["User"].indexes["Username"].ids(username)
        if not ids:
            raise Refusal("INVALID_USER", f"there is no user {username!r}")
        return ids[0]


def _parsed(wanted: Any) -> AnyRule:
    try:
        return RULE.validate_python(wanted)
    except ValidationError as problem:
        told = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problem.errors()
        )
        raise InvalidRule(told) from None


def _named(rule: AnyRule) -> Iterator[str]:
    """The field names that a rule uses outside its condition."""
    if isinstance(rule, ValidationRule | AutomationRule):
        yield from rule.changed
    if isinstance(rule, AutomationRule):
        yield from rule.values
    if isinstance(rule, DuplicateRule):
        yield from (name for group in rule.match for name in group)
    if isinstance(rule, RecordTypeRule):
        yield from rule.picklists
    if isinstance(rule, ValidationRule | FieldAccess) and rule.field:
        yield rule.field
