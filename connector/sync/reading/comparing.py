"""The rows of one bucket beside our pairs: what differs, why, and whether anything explains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import ConflictState, InboxState, MatchState, OutboxState, PairState
from connector.domain.values import Fields
from connector.mapping.canonical import long_id
from connector.salesforce import soql
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import KEY_FIELD
from connector.salesforce.steps import Row
from connector.store.tables import Conflict, Outbox, Pair, Received, Stream
from connector.sync.catalog import Catalog
from connector.sync.pairs import identity
from connector.sync.reading.buckets import Bucket, column, standing
from connector.sync.reading.sieve import differs_from_base

_STOPPED = (OutboxState.PARKED, OutboxState.DEAD)
_UNREAD = (InboxState.READY, InboxState.WAITING, InboxState.CLAIMED)


class What(StrEnum):
    """What was found of a row or a pair."""

    CHANGED = "changed"  # the row holds values that we were not told of
    GONE = "gone"  # deleted, merged or converted behind our back
    MISSED = "missed"  # a row that should have become a record, or came back from the recycle bin
    UNDER_WAY = "under_way"  # differs, and is being worked on already
    WAITS = "waits"  # differs, and a person must decide
    UNKNOWN_KEY = "unknown_key"  # carries a key of ours that nobody here has
    KEY_LOST = "key_lost"  # stands, but somebody took our key off it

    @property
    def is_rechecked(self) -> bool:
        """Whether reading it anew brings it in step."""
        return self in (What.CHANGED, What.GONE, What.MISSED)

    @property
    def is_unexplained(self) -> bool:
        """Whether only a person can say how it came about."""
        return self in (What.UNKNOWN_KEY, What.KEY_LOST)


@dataclass(frozen=True)
class Finding:
    """One row or pair that is not as it should be."""

    what: What
    object: str
    salesforce_id: str
    key: str | None = None
    pair: UUID | None = None


@dataclass
class _Known:
    """Our side of a bucket."""

    pairs: Mapping[str, sa.Row[Any]]  # by Salesforce id
    hidden: Mapping[str, sa.Row[Any]]  # by key, those that do not know their row
    gone: frozenset[str]  # rows that were deleted as far as we know
    keys: frozenset[str]  # of all pairs there ever were
    intents: Mapping[UUID, OutboxState]
    asked: frozenset[UUID]  # pairs with an open question
    unread: frozenset[str]  # rows that the inbox holds something of
    read_through: datetime | None


@dataclass
class Comparison:
    """One bucket compared."""

    catalog: Catalog
    bucket: Bucket
    known: _Known
    creates: bool
    findings: list[Finding] = field(default_factory=list)
    missing: list[sa.Row[Any]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        session: Session,
        catalog: Catalog,
        bucket: Bucket,
        rows: Sequence[Row],
    ) -> Comparison:
        """Compare all rows of a bucket with our pairs."""
        mappings = catalog.by_object.get(bucket.object, ())
        creates = any(mapping.create != "line" for mapping in mappings)
        made = cls(catalog, bucket, _known(session, bucket, rows), creates)
        for row in rows:
            made._compare(row)
        there = {str(row["Id"]) for row in rows}
        made.missing = [pair for row, pair in made.known.pairs.items() if row not in there]
        return made

    @property
    def missed(self) -> frozenset[str]:
        """The rows that the inbox must take in."""
        return frozenset(each.salesforce_id for each in self.findings if each.what is What.MISSED)

    def look_up_missing(self, gateway: Gateway, *, keyed: bool) -> None:
        """Ask the org, recycle bin included, what became of the rows of pairs that were not found."""
        if not self.missing:
            return
        ids = [str(pair.salesforce_id) for pair in self.missing]
        names = ("Id", *((KEY_FIELD,) if keyed else ()), *identity.fields_of(self.bucket.object))
        text = soql.select(names, self.bucket.object, soql.in_list("Id", ids))
        found = {long_id(str(row["Id"])): row for row in gateway.query(text, deleted=True)}
        for pair in self.missing:
            row = found.get(str(pair.salesforce_id))
            stands = row is not None and identity.fate_of(row) is None
            lost = stands and keyed and (row or {}).get(KEY_FIELD) != pair.key
            if not stands or lost:
                self._found(What.KEY_LOST if lost else What.GONE, pair, None)

    def _compare(self, row: Row) -> None:
        row_id, key = str(row["Id"]), row.get(KEY_FIELD)
        pair = self.known.pairs.get(row_id) or self.known.hidden.get(str(key))
        if pair is not None:
            differs = pair.salesforce_id is None or differs_from_base(self.catalog, pair, row)
            if differs or identity.fate_of(row) is not None:
                self._found(What.CHANGED, pair, row)
        elif self.creates or row_id in self.known.gone:
            what = What.UNDER_WAY if self._is_coming(row) else What.MISSED
            self.findings.append(Finding(what, self.bucket.object, row_id))
        elif key and str(key) not in self.known.keys:
            self.findings.append(Finding(What.UNKNOWN_KEY, self.bucket.object, row_id, str(key)))

    def _found(self, what: What, pair: sa.Row[Any], row: Fields | None) -> None:
        """A pair that is not in step: unless something is done about it already."""
        intent = self.known.intents.get(pair.id)
        if intent in _STOPPED or pair.id in self.known.asked or pair.match is MatchState.CONFLICT:
            what = What.WAITS
        elif intent is not None or (row is not None and self._is_coming(row)):
            what = What.UNDER_WAY
        place = str(pair.salesforce_id or (row or {}).get("Id"))
        self.findings.append(Finding(what, self.bucket.object, place, pair.key, pair.id))

    def _is_coming(self, row: Fields) -> bool:
        """Whether the inbox holds the row, or its stream has yet to come to it."""
        through = self.known.read_through
        stamp = datetime.fromisoformat(str(row["SystemModstamp"]))
        return str(row["Id"]) in self.known.unread or (through is not None and stamp >= through)


def _known(session: Session, bucket: Bucket, rows: Sequence[Row]) -> _Known:
    ids = [str(row["Id"]) for row in rows]
    keys = [str(row[KEY_FIELD]) for row in rows if row.get(KEY_FIELD)]
    named = session.execute(
        _pairs().where(*standing(bucket.object), Pair.salesforce_id.in_(ids))
    ).all()
    belonging = session.execute(_pairs().where(*standing(bucket.object), *_within(bucket))).all()
    by_id = {str(pair.salesforce_id): pair for pair in [*named, *belonging]}
    hidden = session.execute(
        _pairs().where(
            Pair.key.in_(keys), Pair.salesforce_id.is_(None), Pair.state == PairState.OPEN
        )
    ).all()
    pairs = [pair.id for pair in [*by_id.values(), *hidden]]
    here = sa.select(Outbox.pair_id, Outbox.state).where(Outbox.pair_id.in_(pairs))
    asked = sa.select(Conflict.pair_id).where(
        Conflict.pair_id.in_(pairs), Conflict.state == ConflictState.OPEN
    )
    unread = sa.select(Received.subject).where(
        Received.subject.in_(ids), Received.state.in_(_UNREAD)
    )
    gone = sa.select(Pair.salesforce_id).where(
        Pair.salesforce_id.in_(ids), Pair.state == PairState.GONE
    )
    through = sa.select(Stream.read_through).where(Stream.name == bucket.object)
    return _Known(
        pairs=by_id,
        hidden={pair.key: pair for pair in hidden},
        gone=frozenset(str(row) for row in session.scalars(gone)),
        keys=frozenset(session.scalars(sa.select(Pair.key).where(Pair.key.in_(keys)))),
        intents={row.pair_id: row.state for row in session.execute(here)},
        asked=frozenset(session.scalars(asked)),
        unread=frozenset(str(row) for row in session.scalars(unread)),
        read_through=session.scalar(through),
    )


def _pairs() -> sa.Select[Any]:
    said: Sequence[Any] = (Pair.mapping, Pair.base, Pair.match, Pair.state)
    return sa.select(Pair.id, Pair.key, Pair.salesforce_id, *said)


def _within(bucket: Bucket) -> list[sa.ColumnElement[bool]]:
    """What the pairs of a bucket meet."""
    place = column(bucket.by)
    above = [place < bucket.high] if bucket.high is not None else []
    return [place >= bucket.low, *above]
