"""Friendships: who follows which official account, and the friend record that tells of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.identifiers import uuid7
from connector.domain.records import Kind
from connector.domain.values import Value, moment
from connector.members import bound, consents
from connector.store.tables import Friendship, Person

# A form says nothing of `following`, so whatever LINE says of it later is newer.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Profile(Protocol):
    """What LINE tells of a person."""

    @property
    def display_name(self) -> str:
        """The name they show on LINE."""

    @property
    def language(self) -> str | None:
        """A BCP 47 tag; LINE tells it only with their consent."""


def befriend(
    session: Session,
    person: Person,
    oa: str,
    at: datetime,
    profile: Profile | None = None,
    is_unblocked: bool = False,
) -> list[Change]:
    """The person follows the official account, newly or again, since `at`."""
    friendship, is_new = _find_or_make(session, person, oa, at, following=True)
    told = _told(person, profile)
    followed: dict[str, Value] = {"following": True}
    if is_new or not is_unblocked:  # who unblocks has followed before
        followed["followed_at"] = moment(at)
    if is_new:
        return _made(session, person, friendship, {**told, **followed})
    if at < friendship.heard_at:
        return _said(friendship, person, told)
    friendship.following, friendship.heard_at = True, at
    return _said(friendship, person, {**told, **followed})


def block(session: Session, person: Person, oa: str, at: datetime) -> list[Change]:
    """The person blocked the official account at `at`; it may be the first we hear of them."""
    friendship, is_new = _find_or_make(session, person, oa, at, following=False)
    if is_new:
        return _made(session, person, friendship, {"following": False})
    if at < friendship.heard_at:
        return []
    friendship.following, friendship.heard_at = False, at
    return _said(friendship, person, {"following": False})


def heard(
    session: Session, person: Person, oa: str, at: datetime, profile: Profile | None = None
) -> list[Change]:
    """The person wrote or tapped: nobody who blocks the official account can."""
    friendship, is_new = _find_or_make(session, person, oa, at, following=True)
    told = _told(person, profile)
    if is_new:
        return _made(session, person, friendship, {**told, "following": True})
    if friendship.following or at < friendship.heard_at:
        return _said(friendship, person, told)
    friendship.following, friendship.heard_at = True, at
    return _said(friendship, person, {**told, "following": True})


def meet(session: Session, person: Person, oa: str, name: str | None) -> list[Change]:
    """The person came through a form of this official account, perhaps without following it."""
    friendship, is_new = _find_or_make(session, person, oa, NEVER, following=False)
    if not is_new:
        return []
    told: dict[str, Value] = {"display_name": name} if name else {}
    return _made(session, person, friendship, {**told, "following": False})


def of(session: Session, person_id: UUID) -> list[Friendship]:
    """The person's friendships, the oldest first."""
    here = sa.select(Friendship).where(Friendship.person_id == person_id).order_by(Friendship.id)
    return list(session.scalars(here))


def follows(session: Session, person_id: UUID, oa: str) -> bool:
    """Whether the person follows this official account."""
    here = sa.select(Friendship.following).where(
        Friendship.person_id == person_id, Friendship.oa == oa
    )
    return session.scalar(here) is True


def _find_or_make(
    session: Session, person: Person, oa: str, at: datetime, *, following: bool
) -> tuple[Friendship, bool]:
    here = sa.select(Friendship).where(Friendship.person_id == person.id, Friendship.oa == oa)
    known = session.scalars(here.with_for_update()).one_or_none()
    if known is not None:
        return known, False
    fresh = {"id": uuid7(), "person_id": person.id, "oa": oa}
    new = insert(Friendship).values(**fresh, following=following, heard_at=at)
    made = session.scalar(new.on_conflict_do_nothing().returning(Friendship))
    return made or session.scalars(here.with_for_update()).one(), made is not None


def _told(person: Person, profile: Profile | None) -> dict[str, Value]:
    if profile is None:
        return {}
    if profile.language:
        person.language = profile.language
    return {"display_name": profile.display_name, "language": profile.language or person.language}


def _made(
    session: Session, person: Person, friendship: Friendship, values: dict[str, Value]
) -> list[Change]:
    member_id = bound.member_of(session, person.id)
    first: dict[str, Value] = {
        "user_id": person.line_user_id,
        "bound": member_id is not None,
        **consents.values_of(session, person.id),
    }
    friend = Change(friendship.id, Kind.FRIEND, {**first, **values}, person.id, is_new=True)
    if member_id is None:
        return [friend]
    # A member shows its newest friendship.
    here = Change(friendship.id, Kind.FRIEND, {}, person.id, {"member": member_id})
    there = Change(member_id, Kind.MEMBER, {}, person.id, {"person": friendship.id})
    return [friend, here, there]


def _said(friendship: Friendship, person: Person, values: dict[str, Value]) -> list[Change]:
    return [Change(friendship.id, Kind.FRIEND, values, person.id)] if values else []
