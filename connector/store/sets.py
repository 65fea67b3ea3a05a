"""Many rows of one table written by one statement: they are one parameter, however many there are.

Row by row, a thousand rows cost the server a thousand plans and us as many conversions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar, cast

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, insert
from sqlalchemy.orm import Session
from sqlalchemy.orm.state import InstanceState

from connector.domain.values import Value, storable
from connector.store.tables.base import Base

T = TypeVar("T", bound=Base)

_ROWS = "rows"
_NUL = b"\\u0000"  # as JSON writes it


def given(
    table: type[Base], names: Sequence[str], *more: sa.ColumnClause[Any]
) -> sa.TableValuedAlias:
    """The rows of `as_parameter`, to be read by a statement of one's own: these columns of a table, and more."""
    columns = [*(sa.column(name, _plain(table).c[name].type) for name in names), *more]
    rows = sa.cast(sa.bindparam(_ROWS, type_=sa.Text()), JSON)
    return (
        sa.func.json_to_recordset(rows)
        .table_valued(*columns, name="given")
        .render_derived(with_types=True)
    )


def as_parameter(rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Rows as the one parameter of a statement; JSON null and no value are the same to it.

    What PostgreSQL refuses in JSON, NUL and lone surrogates, is taken out; it hardly ever comes.
    """
    with suppress(TypeError):  # a lone surrogate
        told = orjson.dumps(rows)
        if _NUL not in told:
            return {_ROWS: told.decode()}
    return {_ROWS: orjson.dumps(storable(cast("Value", rows))).decode()}


def insert_all(session: Session, table: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    """Store new rows, which all fill the same columns; defaults are those of the database."""
    if rows:
        session.execute(_insert(table, tuple(rows[0])), as_parameter(rows))


def update_all(session: Session, rows: Iterable[T], *, counting: tuple[str, ...] = ()) -> list[T]:
    """Write what was changed of loaded rows; says which were.

    They must be locked: what is written is what this transaction knows of them. Columns that are
    `counting` get the next number of their sequence.
    """
    changed: dict[tuple[type[T], tuple[str, ...]], list[T]] = {}
    for row in rows:
        if names := _changed(row):
            changed.setdefault((type(row), names), []).append(row)
    for (table, names), some in changed.items():
        (key,) = (column.key for column in _plain(table).primary_key)
        told = [{name: getattr(row, name) for name in (key, *names)} for row in some]
        with session.no_autoflush:  # else each row is written by itself just before
            session.execute(_update(table, key, names, counting), as_parameter(told))
        _let_rest(session, some)
    return [row for some in changed.values() for row in some]


def _let_rest(session: Session, rows: Sequence[Base]) -> None:
    """Of rows that are written nothing is left to write: a flush would go through each to find that out."""
    states = ((state, state.dict) for state in map(sa.inspect, rows))
    InstanceState._commit_all_states(states, session.identity_map)


def _changed(row: Base) -> tuple[str, ...]:
    state = sa.inspect(row)
    return tuple(sorted(state.manager.keys() - state.unmodified)) if state.modified else ()


@cache
def _insert(table: type[Base], names: tuple[str, ...]) -> sa.Executable:
    told = given(table, names)
    chosen = sa.select(*(told.c[name] for name in names))
    return insert(_plain(table)).from_select([*names], chosen, include_defaults=False)


@cache
def _update(
    table: type[Base], key: str, names: tuple[str, ...], counting: tuple[str, ...]
) -> sa.Executable:
    told, columns = given(table, (key, *names)), _plain(table).c
    values: dict[str, object] = {name: told.c[name] for name in names}
    values |= {name: cast("sa.Sequence", columns[name].default).next_value() for name in counting}
    return sa.update(_plain(table)).where(columns[key] == told.c[key]).values(values)


def _plain(table: type[Base]) -> sa.Table:
    return cast("sa.Table", table.__table__)
