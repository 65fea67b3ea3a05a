"""Every text and JSON column of every table, looked through for what should be nowhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from connector.store.session import Store
from connector.store.tables import Base


def holders(store: Store, texts: Collection[str]) -> Mapping[str, Collection[str]]:
    """`table.column` -> the texts that some row of it holds."""
    found: dict[str, set[str]] = {}
    with store.reading() as session:
        for table in Base.metadata.sorted_tables:
            told = [column for column in table.columns if _may_tell(column)]
            shown = [sa.cast(column, sa.Text).label(column.name) for column in told]
            for row in session.execute(sa.select(*shown)).mappings() if shown else ():
                for name, value in row.items():
                    held = {text for text in texts if value is not None and text in value}
                    if held:
                        found.setdefault(f"{table.name}.{name}", set()).update(held)
    return found


def _may_tell(column: sa.Column[object]) -> bool:
    return isinstance(column.type, sa.String | JSONB | sa.LargeBinary)
