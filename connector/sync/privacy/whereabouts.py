"""Where a person is found: by which references, in which records, pairs and rows, under which texts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from connector.domain.phones import spellings
from connector.domain.records import Kind
from connector.members.tombstones import Tombstones
from connector.store.tables import Binding, Friendship, Pair, Person, Record
from connector.sync.privacy.copies import Whose

_USER_ID = re.compile(r"U[0-9a-f]{32}")
_LEAST = 6  # a shorter text stands in too many bodies to say whose they are


def find(session: Session, tombstones: Tombstones, reference: str) -> Sequence[Person]:
    """The people a reference names: a LINE user id, `friend:` or `member:` with an id, a person's id.

    A user id also leads to those who were erased under it.
    """
    text = reference.strip()
    kind, colon, rest = text.partition(":")
    given = rest if colon else text
    if _USER_ID.fullmatch(given) and kind in (given, Kind.FRIEND):
        return _by_user_id(session, tombstones, given)
    wanted = _uuid(given)
    if wanted is None:
        return []
    if not colon:
        person = session.get(Person, wanted)
        return [person] if person else []
    tied = {Kind.FRIEND.value: (Friendship.person_id, Friendship.id)}
    tied[Kind.MEMBER.value] = (Binding.person_id, Binding.member_id)
    if kind not in tied:
        return []
    column, key = tied[kind]
    people = sa.select(column).where(key == wanted)
    return session.scalars(sa.select(Person).where(Person.id.in_(people)).order_by(Person.id)).all()


def of(session: Session, person: UUID, *, texts: Collection[str] | None = None) -> Whose:
    """All that is a person's now."""
    records = _records(session, person)
    pairs = session.execute(
        sa.select(Pair.id, Pair.salesforce_id, Pair.adopted).where(Pair.record_id.in_(records))
    ).all()
    return Whose(
        person=person,
        records=records,
        pairs=[pair.id for pair in pairs],
        rows=sorted({row for _, row, adopted in pairs if row and not adopted}),
        erased_at=session.get_one(Person, person).erased_at,
        texts=known_by(session, person) if texts is None else texts,
    )


def known_by(session: Session, person: UUID) -> Collection[str]:
    """The texts by which a body shows whom it speaks of: user id, phones in every spelling, e-mail."""
    who = session.get_one(Person, person)
    values = [
        record.values
        for record in session.scalars(
            sa.select(Record).where(Record.id.in_(_records(session, person)))
        )
    ]
    phones = [each.get("phone") for each in values]
    phones += session.scalars(sa.select(Binding.phone).where(Binding.person_id == person)).all()
    found = {} if who.erased_at is not None else {who.line_user_id: None}
    for phone in phones:
        if isinstance(phone, str) and phone:
            found |= dict.fromkeys(_spelled(phone))
    found |= dict.fromkeys(_texts(each.get("email") for each in values))
    return [text for text in found if len(text) >= _LEAST]


def names(session: Session, person: UUID) -> Collection[str]:
    """What they call themselves."""
    here = sa.select(Record.values).where(Record.id.in_(_records(session, person)))
    told = [values.get(key) for values in session.scalars(here) for key in ("name", "display_name")]
    return {name for name in _texts(told) if name.strip()}


def _records(session: Session, person: UUID) -> Collection[UUID]:
    """What they made, and the members they were bound to, unless somebody else is bound to them now."""
    other = aliased(Binding)
    shared = sa.exists().where(
        other.member_id == Binding.member_id,
        other.person_id != person,
        other.unbound_at.is_(None),
    )
    members = sa.select(Binding.member_id).where(Binding.person_id == person, ~shared)
    taken = sa.select(Binding.member_id).where(Binding.person_id == person, shared)
    friends = sa.select(Friendship.id).where(Friendship.person_id == person)
    mine = sa.or_(Record.person_id == person, Record.id.in_(members), Record.id.in_(friends))
    here = sa.select(Record.id).where(mine, Record.id.not_in(taken))
    return session.scalars(here.order_by(Record.id)).all()


def _by_user_id(session: Session, tombstones: Tombstones, user_id: str) -> Sequence[Person]:
    known = session.scalars(sa.select(Person).where(Person.line_user_id == user_id)).all()
    providers = session.scalars(sa.select(Person.provider_id).distinct()).all()
    erased = [
        person for provider in providers for person in tombstones.buried(session, provider, user_id)
    ]
    return [*known, *erased]


def _spelled(phone: str) -> tuple[str, ...]:
    try:
        return spellings(phone)
    except ValueError:
        return (phone,)


def _texts(values: Iterable[object]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
