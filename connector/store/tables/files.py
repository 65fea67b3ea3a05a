"""Files that people uploaded, their bytes beside them, and where each was filed in Salesforce."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from connector.store.tables.base import Base, identity, now


class File(Base):
    """One upload. Nobody's record knows it until a form names it; then it has a role there, and a place."""

    __tablename__ = "files"
    __table_args__ = (
        sa.Index("ix_files_person", "person_id", "created_at"),
        sa.Index("ix_files_unused", "created_at", postgresql_where=sa.text("record_id IS NULL")),
        sa.Index(
            "ix_files_record",
            "record_id",
            "role",
            "place",
            postgresql_where=sa.text("record_id IS NOT NULL"),
        ),
    )

    id: Mapped[identity]
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("people.id"))
    name: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]  # as it is kept, not as it came
    # A form names its files before the record that it asks for is there.
    record_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("records.id", deferrable=True, initially="DEFERRED")
    )
    role: Mapped[str | None]  # proof | photos
    place: Mapped[int | None]  # from 1
    created_at: Mapped[now]


class FileContent(Base):
    """The bytes of a file, as long as they are needed here."""

    __tablename__ = "file_contents"

    file_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True
    )
    content: Mapped[bytes]
    created_at: Mapped[now]


class Filing(Base):
    """This file belongs to that pair's row. Its id is the name that the org knows the version by."""

    __tablename__ = "filings"
    __table_args__ = (
        sa.UniqueConstraint("pair_id", "file_id"),
        sa.Index("ix_filings_file", "file_id"),
    )

    id: Mapped[identity]
    pair_id: Mapped[UUID] = mapped_column(sa.ForeignKey("pairs.id"))
    file_id: Mapped[UUID] = mapped_column(sa.ForeignKey("files.id", ondelete="CASCADE"))
    tried_at: Mapped[datetime | None]  # of an upload whose outcome is not known
    version_id: Mapped[str | None]  # ContentVersion
    document_id: Mapped[str | None]  # ContentDocument
    filed_at: Mapped[datetime | None]  # its version and all its links are there
