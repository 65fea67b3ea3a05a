"""Files of people: uploaded first, named by a form afterwards, each once and by its uploader only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.domain.records import SCHEMAS, Kind
from connector.members import alarms, pictures
from connector.members.answers import Answers
from connector.members.limits import DAY, LIMITS, Cap, Limits, require_room
from connector.members.refusals import FieldProblem, Refused
from connector.store.alerts import AlertKind
from connector.store.tables import File, FileContent, Person

MOST_BYTES = 10 * 1024 * 1024
_FIELD = "file"
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Upload:
    """One picture, without its metadata."""

    name: str
    content_type: str
    content: bytes


def read(name: str | None, content: bytes) -> Upload:
    """The picture of an upload, cleaned; raises `Refused` for what is none."""
    if not content:
        raise _wrong("required")
    content_type = pictures.content_type_of(content)
    if content_type is None:
        raise _wrong("file_type")
    try:
        cleaned = pictures.cleaned(content, content_type)
    except pictures.Damaged:
        raise _wrong("file_damaged") from None
    return Upload(_named(name or "", content_type), content_type, cleaned)


def keep(
    session: Session, person: Person, upload: Upload, now: datetime, limits: Limits = LIMITS
) -> File:
    """Store an upload until a form names it, for a day at most."""
    told = alarms.of_person(AlertKind.FLOODING, person.id, "uploaded very many files in a day")
    mine = [File.person_id == person.id]
    cap = Cap(File.created_at, mine, limits.files_per_person_and_day, DAY, told)
    require_room(session, [cap], now)
    file = File(
        id=uuid7(),
        person_id=person.id,
        name=upload.name,
        content_type=upload.content_type,
        size=len(upload.content),
        created_at=now,
    )
    session.add(file)
    session.flush()
    # Not through the session, which would hold the bytes until the transaction ends.
    stored = {"file_id": file.id, "content": upload.content, "created_at": now}
    session.execute(sa.insert(FileContent), stored)
    return file


def chosen(
    session: Session, person: Person, answers: Answers, kind: Kind, field: str
) -> Sequence[File]:
    """The files that an answer names, in its order; what may not be used is noted as wrong."""
    given = answers.given(field)
    most = SCHEMAS[kind].files[field]
    named = [given] if isinstance(given, str) and given and most == 1 else given
    if named in (None, "", []):
        return ()
    ids = [_id(each) for each in named] if isinstance(named, list) else [None]
    if len(ids) > most:
        answers.wrong(field, "too_many_files", most=most)
        return ()
    here = sa.select(File).where(File.id.in_([each for each in ids if each]))
    mine = here.where(File.person_id == person.id).with_for_update()
    known = {file.id: file for file in session.scalars(mine)}
    if any(each not in known for each in ids):
        answers.wrong(field, "unknown_file")
    elif len(known) < len(ids):
        answers.wrong(field, "file_used")
    return [known[each] for each in dict.fromkeys(ids) if each in known]


def attach(files: Sequence[File], record: UUID, role: str) -> None:
    """Give the files to a record; from then on nobody can name them any more."""
    if any(file.record_id is not None for file in files):
        raise Refused("invalid", [FieldProblem(role, "file_used")])
    for place, file in enumerate(files, 1):
        file.record_id, file.role, file.place = record, role, place


def _named(name: str, content_type: str) -> str:
    """A name without path and signs, with the suffix that its content has."""
    plain = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(letter for letter in plain if letter.isprintable()).strip(" .")
    stem, dot, _ = shown.rpartition(".")
    whole = (stem if dot else shown)[:_LONGEST_NAME].strip(" .") or _FIELD
    return f"{whole}.{pictures.SUFFIXES[content_type]}"


def _id(given: object) -> UUID | None:
    try:
        return UUID(given) if isinstance(given, str) else None
    except ValueError:
        return None


def _wrong(code: str) -> Refused:
    return Refused("invalid", [FieldProblem(_FIELD, code)])
