"""Databases come and go; what SQLAlchemy has compiled for the first of them serves all.

It compiles each statement once for each engine, which is a third of what a short test costs.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from connector.store.session import Store, Wake

_compiled: dict[Any, Any] = {}
_dialects: list[sa.Dialect] = []


def open_store(url: str, wake: Wake) -> Store:
    """A store over the database at `url` that compiles nothing another one has compiled."""
    store = Store.open(url, wake)
    if not _dialects:
        store.engine.connect().close()  # a dialect learns from its first connection
        _dialects.append(store.engine.dialect)
    store.engine.dialect = _dialects[0]
    store.engine.update_execution_options(compiled_cache=_compiled)
    return store
