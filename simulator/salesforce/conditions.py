"""Conditions on rows, written as the WHERE of a SOQL query, for rules and formulas."""

from collections.abc import Mapping
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

from simulator.salesforce.errors import Refusal
from simulator.salesforce.schema import Schema
from simulator.salesforce.soql.dates import today
from simulator.salesforce.soql.filters import Predicate, predicate
from simulator.salesforce.soql.parse import parse
from simulator.salesforce.soql.query import SemiJoin
from simulator.salesforce.soql.scope import Scope
from simulator.salesforce.store import Row, Store, Table


class Condition:
    """A condition on the rows of one object, blind to who is asking."""

    def __init__(self, store: Store, kind: str, text: str) -> None:
        self._view = cast("Store", _WholeStore(store))
        self._query = parse(f"SELECT Id FROM {kind} WHERE {text}")
        self._day: date | None = None
        self._test: Predicate
        self._compile()

    def holds(self, row: Row) -> bool:
        """Whether a row meets it, also one that is not yet in its table."""
        if self._day != today():
            self._compile()
        return self._test(row)

    def _compile(self) -> None:
        """Turn the text into a test; `TODAY` in it means the day of compiling."""
        self._day = today()
        scope = Scope(self._view, self._query.text, self._query.source)
        if self._query.where is None:
            raise Refusal("MALFORMED_QUERY", "a condition is needed")
        self._test = predicate(self._query.where, scope, _no_semi_joins)


class _WholeStore(SimpleNamespace):
    """The store with all of its schema, whoever the user of the transaction is."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    @property
    def schema(self) -> Schema:
        return self._store.full_schema

    @property
    def full_schema(self) -> Schema:
        return self._store.full_schema

    @property
    def tables(self) -> Mapping[str, Table]:
        return self._store.tables


def _no_semi_joins(_: SemiJoin) -> Any:
    raise Refusal("MALFORMED_QUERY", "a condition cannot hold a query")
