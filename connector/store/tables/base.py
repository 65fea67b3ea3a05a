"""What all tables share: the metadata with its naming convention and the column shorthands."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from connector.domain.identifiers import uuid7
from connector.domain.values import Value


class Base(DeclarativeBase):
    """All tables of the connector."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: sa.DateTime(timezone=True),
        dict[str, Value]: JSONB,
        list[Value]: JSONB,
        list[str]: JSONB,
    }


def choice(enum: type[StrEnum], name: str | None = None) -> sa.Enum:
    """A text column that holds one member of an enum, checked by the database."""
    return sa.Enum(
        enum,
        native_enum=False,
        length=16,
        create_constraint=True,
        name=name or enum.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )


identity = Annotated[UUID, mapped_column(sa.Uuid, primary_key=True, default=uuid7)]
serial = Annotated[int, mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)]
now = Annotated[datetime, mapped_column(server_default=sa.func.clock_timestamp())]

# One sequence for all pairs: a number noted before a call tells whether any pair moved since.
epochs = sa.Sequence("pair_epoch", metadata=Base.metadata)
