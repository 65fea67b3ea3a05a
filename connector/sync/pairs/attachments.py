"""Which files still belong on the rows of pairs, and how far each has come: read and noted here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.domain.states import PairState
from connector.mapping.parts.attachments import Attached
from connector.mapping.parts.compiled import CompiledMapping
from connector.members.pictures import SUFFIXES
from connector.store.session import among
from connector.store.tables import File, FileContent, Filing, Pair, Record

_QUIET = {"synchronize_session": False}


@dataclass
class Owed:
    """One file on its way to one row."""

    filing: UUID
    file: UUID
    rule: Attached
    name: str
    content_type: str
    size: int
    place: int
    of: int  # how many of its sort the record has
    tried_at: datetime | None = None
    version_id: str | None = None
    document_id: str | None = None
    filed: bool = False
    beside: Mapping[str, Pair] = field(default_factory=dict)  # by mapping, of the same record

    @property
    def path(self) -> str:
        """The name by which the org can be asked for it; people see the title instead."""
        return f"{self.filing}.{SUFFIXES.get(self.content_type, 'bin')}"

    @property
    def told(self) -> str:
        """What it is called in a reason."""
        return f"file {self.place} of {self.of} ({self.rule.line})"


def came(files: Iterable[Owed]) -> Sequence[Owed]:
    """Those that are on their row now."""
    return [each for each in files if each.filed]


class Bearer(Protocol):
    """What has files to bring along: a job, of which more is not asked here."""

    pair: Pair
    record: Record
    mapping: CompiledMapping
    files: list[Owed]


def load(session: Session, bearers: Iterable[Bearer]) -> None:
    """Give each its files that are not on its row yet; of an erased person's all that are."""
    carrying = {each.pair.id: each for each in bearers if each.mapping.files}
    if not carrying:
        return
    _begin(session, [each for each in carrying.values() if not each.pair.erasing])
    beside = _beside(session, carrying.values())
    number = sa.func.count().over(partition_by=(Filing.pair_id, File.role)).label("of")
    all_of = (
        sa.select(Filing, File, number)
        .join(File, File.id == Filing.file_id)
        .where(among(Filing.pair_id, carrying))
        .order_by(Filing.pair_id, File.role, File.place)
    )
    for filing, file, of in session.execute(all_of):
        bearer = carrying[filing.pair_id]
        rule = next((each for each in bearer.mapping.files if each.line == file.role), None)
        if rule is not None and (filing.filed_at is None or bearer.pair.erasing):
            bearer.files.append(
                Owed(
                    filing.id,
                    file.id,
                    rule,
                    file.name,
                    file.content_type,
                    file.size,
                    file.place or 1,
                    of,
                    filing.tried_at,
                    filing.version_id,
                    filing.document_id,
                    beside=beside.get(bearer.record.id, {}),
                )
            )


def _begin(session: Session, bearers: Sequence[Bearer]) -> None:
    """A filing for each file that has none: its id is there before the first call is made."""
    records = {each.record.id: each for each in bearers}
    here = (
        sa.select(File.id, File.record_id, File.role)
        .join(FileContent, FileContent.file_id == File.id)
        .where(among(File.record_id, records))
        .order_by(File.record_id, File.role, File.place)
    )
    of_record: dict[UUID, list[tuple[UUID, str]]] = {}
    for file, record, role in session.execute(here):
        if record is not None and role is not None:
            of_record.setdefault(record, []).append((file, role))
    rows = [
        {"id": uuid7(), "pair_id": bearer.pair.id, "file_id": file}
        for bearer in bearers
        for file, role in of_record.get(bearer.record.id, ())
        if any(rule.line == role for rule in bearer.mapping.files)
    ]
    if rows:
        session.execute(insert(Filing).values(rows).on_conflict_do_nothing())


def _beside(session: Session, bearers: Iterable[Bearer]) -> Mapping[UUID, Mapping[str, Pair]]:
    """The pairs of the same records under other mappings, which may show a file too."""
    bearers = list(bearers)
    names = {name for each in bearers for rule in each.mapping.files for name in rule.links}
    here = sa.select(Pair).where(
        among(Pair.record_id, [each.record.id for each in bearers]),
        Pair.mapping.in_(names),
        Pair.state == PairState.OPEN,
    )
    found: dict[UUID, dict[str, Pair]] = {}
    for pair in session.scalars(here):
        found.setdefault(pair.record_id, {})[pair.mapping] = pair
    return found


def contents(session: Session, files: Collection[UUID]) -> Mapping[UUID, bytes]:
    """The bytes of files, those that are still here."""
    here = sa.select(FileContent.file_id, FileContent.content)
    rows = session.execute(here.where(FileContent.file_id.in_(files)))
    return {file: bytes(content) for file, content in rows}


def note(session: Session, files: Iterable[Owed], now: datetime) -> None:
    """Keep how far files have come."""
    for each in files:
        values = {
            "tried_at": each.tried_at,
            "version_id": each.version_id,
            "document_id": each.document_id,
            "filed_at": now if each.filed else None,
        }
        mine = sa.update(Filing).where(Filing.id == each.filing, Filing.filed_at.is_(None))
        session.execute(mine.values(values).execution_options(**_QUIET))


def of_pair(session: Session, pair: UUID) -> Sequence[tuple[File, Filing]]:
    """The files that were begun to be brought to a pair's row, and how far each is."""
    here = sa.select(File, Filing).join(Filing, Filing.file_id == File.id)
    mine = here.where(Filing.pair_id == pair).order_by(File.role, File.place)
    return [(file, filing) for file, filing in session.execute(mine)]


def forget(session: Session, files: Iterable[Owed]) -> None:
    """Nothing of these is in the org any more."""
    gone = sa.delete(Filing).where(Filing.id.in_([each.filing for each in files]))
    session.execute(gone.execution_options(**_QUIET))
