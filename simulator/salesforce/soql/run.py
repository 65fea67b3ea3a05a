"""Queries over the store: the records that the query resource pages through."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from simulator.salesforce.errors import Refusal
from simulator.salesforce.rendering import attributes, getter
from simulator.salesforce.schema import ChildLink, Field, ObjectType
from simulator.salesforce.soql.filters import candidates, predicate
from simulator.salesforce.soql.groups import groups, is_grouped
from simulator.salesforce.soql.parse import parse, placed
from simulator.salesforce.soql.query import (
    Aggregate,
    FieldSet,
    Order,
    Path,
    Query,
    Selected,
    SemiJoin,
)
from simulator.salesforce.soql.scope import Resolved, Scope
from simulator.salesforce.store import Row, Store

Record = dict[str, Any]
Renderer = Callable[[Row], Any]
T = TypeVar("T")
LARGEST_OFFSET = 2000
LARGEST_FIELD_SET = 200
TEXTLESS = frozenset({"boolean", "int", "double", "currency", "percent"})


class Result:
    """What a query found; `total` alone speaks for `COUNT()`."""

    def __init__(self, total: int, records: Sequence[Record]) -> None:
        self.total = total
        self.records = records


def run(store: Store, text: str, version: str, *, with_deleted: bool = False) -> Result:
    """Run a query as `query` does, or as `queryAll` does with the deleted rows."""
    return _Run(store, version, with_deleted=with_deleted).result(parse(text))


def found_rows(store: Store, query: Query, *, with_deleted: bool = False) -> list[Row]:
    """The rows of a query that selects fields, in order and as the store keeps them."""
    scope = Scope(store, query.text, query.source)
    return _Run(store, "", with_deleted=with_deleted).ordered_rows(query, scope)


def selected_fields(store: Store, query: Query, scope: Scope) -> list[Resolved]:
    """The fields that a query selects, or the refusal of any name in it that means nothing."""
    return _Run(store, "", with_deleted=False).looked_up(query, scope)


class _Run:
    def __init__(self, store: Store, version: str, *, with_deleted: bool) -> None:
        self._store = store
        self._version = version
        self._with_deleted = with_deleted

    def result(self, query: Query) -> Result:
        scope = Scope(self._store, query.text, query.source)
        if query.offset > LARGEST_OFFSET:
            raise Refusal("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        rows = self._rows(query, scope)
        if _is_bare_count(query):
            return Result(sum(1 for _ in rows), [])
        if is_grouped(query):
            found = _slice(groups(query, scope, rows), query)
            return Result(len(found), found)
        render = self._renderer(query, scope)
        ordered = self.ordered_rows(query, scope)
        return Result(len(ordered), [render(row) for row in ordered])

    def ordered_rows(self, query: Query, scope: Scope) -> list[Row]:
        return _slice(_ordered(list(self._rows(query, scope)), query.order, scope), query)

    def looked_up(self, query: Query, scope: Scope) -> list[Resolved]:
        fields = [each for each in self._items(query, scope) if isinstance(each, Resolved)]
        if query.where is not None:
            predicate(query.where, scope, self._semi_join)
        _ordered([], query.order, scope)
        return fields

    def _rows(self, query: Query, scope: Scope) -> Iterable[Row]:
        table = self._store.tables[scope.kind.name]
        where = query.where
        keeps = None if where is None else predicate(where, scope, self._semi_join)
        # Indexes forget deleted rows, so queryAll reads the whole table.
        ids = None if self._with_deleted else candidates(where, scope)
        rows: Iterable[Row]
        if ids is None:
            rows = table.rows.values()
        else:
            rows = (table.rows[row_id] for row_id in sorted(ids))
        for row in rows:
            if ("IsDeleted" not in row or self._with_deleted) and (keeps is None or keeps(row)):
                yield row

    def _semi_join(self, join: SemiJoin) -> Collection[str]:
        query = Query("", (), join.source, join.where)
        scope = Scope(self._store, "", join.source)
        read = scope.resolve(join.path).read
        return {value for value in map(read, self._rows(query, scope)) if value is not None}

    def _renderer(self, query: Query, scope: Scope) -> Renderer:
        fields: list[tuple[str, Renderer]] = []
        parents: dict[str, list[Resolved]] = {}
        for item in self._items(query, scope):
            if isinstance(item, Query):
                fields.append(self._children(item, scope))
            elif item.is_own:
                fields.append((item.field.name, item.read))
            else:
                name = item.steps[0].relationship or ""
                if name not in parents:
                    fields.append((name, lambda _: None))
                parents.setdefault(name, []).append(item)
        built = {name: self._parent(items, scope, 0) for name, items in parents.items()}
        columns = [(name, built.get(name, read)) for name, read in fields]
        kind, version = scope.kind.name, self._version

        def render(row: Row) -> Record:
            record: Record = {"attributes": attributes(kind, version, row["Id"])}
            for name, read in columns:
                record[name] = read(row)
            return record

        return render

    def _items(self, query: Query, scope: Scope) -> Iterable["Resolved | Query"]:
        seen = set()
        for item in query.selected:
            if isinstance(item, FieldSet):
                yield from self._field_set(item, query, scope)
            elif isinstance(item, Selected):
                resolved = scope.resolve(item.path)
                key = (*(step.name for step in resolved.steps), resolved.field.name)
                if key in seen:
                    raise Refusal("INVALID_FIELD", f"duplicate field selected: {item.path}")
                seen.add(key)
                yield resolved
            elif isinstance(item, Query):
                yield item

    def _field_set(self, item: FieldSet, query: Query, scope: Scope) -> Iterable[Resolved]:
        if query.limit is None or query.limit > LARGEST_FIELD_SET:
            message = "The SOQL FIELDS function must have a LIMIT of at most 200"
            raise Refusal("MALFORMED_QUERY", placed(query.text, item.at, message))
        for field in scope.kind.fields.values():
            if item.name == "ALL" or field.is_custom == (item.name == "CUSTOM"):
                yield Resolved((), field, getter(self._store, scope.kind, field))

    def _parent(self, items: Sequence[Resolved], scope: Scope, depth: int) -> Renderer:
        """The nested object of a relationship, and of the relationships behind it."""
        go = scope.parent_of(items[0].steps[depth])
        version = self._version
        ends = [each.field for each in items if len(each.steps) == depth + 1]
        deeper: dict[str, list[Resolved]] = {}
        for each in items:
            if len(each.steps) > depth + 1:
                deeper.setdefault(each.steps[depth + 1].relationship or "", []).append(each)
        nested = {name: self._parent(each, scope, depth + 1) for name, each in deeper.items()}

        def render(row: Row) -> Record | None:
            found = go(row)
            if found is None:
                return None
            kind, parent = found
            record: Record = {"attributes": attributes(kind.name, version, parent["Id"])}
            for field in ends:
                record[field.name] = self._parent_value(kind, field, parent)
            for name, read in nested.items():
                record[name] = read(parent)
            return record

        return render

    def _parent_value(self, kind: ObjectType, field: Field, row: Row) -> Any:
        own = kind.fields.get(field.name)
        if own is None:
            return kind.name if field.name == "Type" else None
        return getter(self._store, kind, own)(row)

    def _children(self, query: Query, scope: Scope) -> tuple[str, Renderer]:
        link = self._child_link(query, scope)
        child = replace(query, source=replace(query.source, name=link.child))
        child_scope = Scope(self._store, query.text, child.source)
        render = self._renderer(child, child_scope)
        keeps = predicate(query.where, child_scope, self._semi_join) if query.where else None
        index_name = link.field.name

        def read(row: Row) -> Record | None:
            table = self._store.tables[link.child]
            ids = sorted(table.indexes[index_name].ids(row["Id"]))
            rows = [table.rows[row_id] for row_id in ids]
            rows = [each for each in rows if keeps is None or keeps(each)]
            rows = _slice(_ordered(rows, child.order, child_scope), child)
            if not rows:
                return None
            return {"totalSize": len(rows), "done": True, "records": [render(r) for r in rows]}

        return link.field.children or "", read

    def _child_link(self, query: Query, scope: Scope) -> ChildLink:
        wanted = query.source.name.lower()
        for link in self._store.schema.children(scope.kind.name):
            if (link.field.children or "").lower() == wanted:
                return link
        message = (
            f"Didn't understand relationship '{query.source.name}' in FROM part of query call. "
            "If you are attempting to use a custom relationship, be sure to append the '__r' "
            "after the custom relationship name."
        )
        raise Refusal("INVALID_TYPE", placed(query.text, query.source.at, message))


def _is_bare_count(query: Query) -> bool:
    first = query.selected[0]
    bare = isinstance(first, Aggregate) and first.function == "COUNT" and first.path is None
    return bare and not query.group


def _ordered(rows: list[Row], order: Sequence[Order], scope: Scope) -> list[Row]:
    for item in reversed(order):
        path = item.operand if isinstance(item.operand, Path) else item.operand.path
        resolved = scope.resolve(path or Path(("Id",), 0))
        read, folds = resolved.read, _is_folded(resolved.field)
        filled = [(read(row), row) for row in rows]
        empty = [row for value, row in filled if value is None]
        keyed = [
            (value.lower() if folds else value, row) for value, row in filled if value is not None
        ]
        keyed.sort(key=lambda pair: pair[0], reverse=item.descending)
        present = [row for _, row in keyed]
        rows = present + empty if item.nulls_last else empty + present
    return rows


def _is_folded(field: Field) -> bool:
    """Whether texts of a field sort without regard to case; ids, dates and numbers do not."""
    return field.type not in TEXTLESS | {"id", "reference", "date", "datetime"}


def _slice(found: list[T], query: Query) -> list[T]:
    end = None if query.limit is None else query.offset + query.limit
    return found[query.offset : end]
