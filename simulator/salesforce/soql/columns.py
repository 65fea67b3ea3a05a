"""`columns=true`: what the columns of a query are, without its rows; the Salesforce CLI asks for it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from simulator.salesforce.schema import NUMBERS, Field
from simulator.salesforce.soql.parse import parse
from simulator.salesforce.soql.query import Aggregate, FieldSet, Path, Query, Selected
from simulator.salesforce.soql.scope import Scope
from simulator.salesforce.store import Store

Column = dict[str, Any]
APEX_TYPES = {
    "id": "Id",
    "reference": "Id",
    "boolean": "Boolean",
    "int": "Integer",
    "double": "Double",
    "currency": "Double",
    "percent": "Double",
    "date": "Date",
    "datetime": "Datetime",
    "address": "Address",
}
COUNTED = "Integer"


def columns(store: Store, text: str) -> dict[str, Any]:
    """The answer to a query whose columns alone are wanted."""
    query = parse(text)
    scope = Scope(store, text, query.source)
    found = _columns(query, scope)
    return {
        "columnMetadata": found,
        "entityName": scope.kind.name,
        "groupBy": bool(query.group),
        "idSelected": any(each["columnName"] == "Id" for each in found),
        "keyPrefix": scope.kind.prefix,
    }


def _columns(query: Query, scope: Scope) -> list[Column]:
    found: list[Column] = []
    unnamed = 0
    for item in query.selected:
        if isinstance(item, FieldSet):
            found += [_field(each) for each in scope.kind.fields.values()]
        elif isinstance(item, Selected):
            _place(found, item.path, scope)
        elif isinstance(item, Aggregate):
            found.append(_aggregate(item, unnamed))
            unnamed += item.alias is None
        else:
            found.append(_children(item, scope))
    return found


def _place(found: list[Column], path: Path, scope: Scope) -> None:
    """Put a field into its place: below the columns of the relationships that lead to it."""
    resolved = scope.resolve(path)
    for step in resolved.steps:
        name = step.relationship
        parent = next((each for each in found if each["columnName"] == name), None)
        if parent is None:
            parent = {**_column(str(name), "SObject"), "foreignKeyName": step.name}
            found.append(parent)
        found = parent["joinColumns"]
    found.append(_field(resolved.field))


def _field(field: Field) -> Column:
    return {
        **_column(field.name, APEX_TYPES.get(field.type, "String")),
        "booleanType": field.type == "boolean",
        "custom": field.is_custom,
        "insertable": field.createable,
        "numberType": field.type in NUMBERS,
        "textType": field.type not in APEX_TYPES,
        "updatable": field.updateable,
    }


def _aggregate(item: Aggregate, unnamed: int) -> Column:
    column = _column(item.alias or f"expr{unnamed}", COUNTED)
    shown = f"{item.function.lower()}({item.path or ''})"
    return {**column, "aggregate": True, "displayName": shown, "numberType": True}


def _children(query: Query, scope: Scope) -> Column:
    link = next(
        each
        for each in scope.store.schema.children(scope.kind.name)
        if (each.field.children or "").lower() == query.source.name.lower()
    )
    child = Scope(scope.store, query.text, replace(query.source, name=link.child))
    column = _column(str(link.field.children), "List")
    return {**column, "aggregate": True, "joinColumns": _columns(query, child)}


def _column(name: str, apex_type: str, joined: Sequence[Column] = ()) -> Column:
    return {
        "aggregate": False,
        "apexType": apex_type,
        "booleanType": False,
        "columnName": name,
        "custom": False,
        "displayName": name,
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": [*joined],
        "numberType": False,
        "textType": False,
        "updatable": False,
    }
