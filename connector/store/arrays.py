"""A list as one parameter of a statement, written as PostgreSQL reads an array.

The driver takes a list apart and asks each item for its form: of a thousand ids that costs more than finding
their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeAlias
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect

Items: TypeAlias = Collection[UUID] | Collection[int] | Collection[int | None] | Collection[str]


class _Written(sa.types.TypeDecorator[Any]):
    """An array whose values we write ourselves."""

    impl = ARRAY
    cache_ok = True

    def bind_processor(self, _: Dialect) -> Callable[[Any], str]:
        return written


def array(item: sa.types.TypeEngine[Any]) -> _Written:
    """The type of a parameter that is a list of such items: ids, whole numbers or strings."""
    return _Written(item)


def written(items: Items) -> str:
    """Items as PostgreSQL reads them: `{"a","b"}`, `{1,2}`."""
    told = orjson.dumps(list(items))
    if b"\\" in told:  # JSON has escapes that an array does not know
        return "{" + ",".join(map(_quoted, items)) + "}"
    return "{" + told[1:-1].decode() + "}"


def _quoted(item: object) -> str:
    text = str(item).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
