"""A deployment made by hand: a database with the starter set, and people who are its customers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from connector.bootstrap import STARTER
from connector.cli import entrance
from connector.domain.changes import Change
from connector.domain.identifiers import uuid7
from connector.domain.records import Kind
from connector.domain.states import (
    EffectState,
    EnvelopeState,
    InboxState,
    Ledger,
    NoticeState,
    OutboxState,
)
from connector.mapping.loader import read_folder
from connector.members import people
from connector.store.session import Store
from connector.store.tables import (
    Envelope,
    Friendship,
    Member,
    Notice,
    Org,
    Outbox,
    Pair,
    Person,
    Published,
    Received,
    Source,
)
from connector.sync import effects, outbox
from connector.sync.catalog import Catalogs
from connector.sync.changes import apply_all
from connector.sync.incoming.intake import scene_for

ORG = "00D5g000000TestEAA"
USER = "U" + "1" * 32
OA = "U" + "0" * 32


@dataclass
class Town:
    """A store with the starter set, and what happens there."""

    store: Store
    catalogs: Catalogs

    def happens(self, kind: str, values: Mapping[str, Any], record: UUID | None = None) -> UUID:
        """A record changes because of a LINE event; its id."""
        record = record or uuid7()
        with self.store.transaction() as session:
            received = _received(Source.LINE, "message")
            session.add(received)
            session.flush()
            scene = scene_for(session, self.catalogs, datetime.now(UTC), (received.id,))
            apply_all(scene, [Change(record, kind, dict(values), notify=False)])
            effects.reckon(session, (received.id,))
        return record

    def friend(self, user_id: str = USER, *, consents: bool = True) -> UUID:
        """A person follows, and perhaps consents."""
        with self.store.transaction() as session:
            person = people.find_or_make(session, "1", user_id, datetime.now(UTC))
            friendship = Friendship(
                person_id=person.id, oa=OA, following=True, heard_at=datetime.now(UTC)
            )
            session.add(friendship)
            session.flush()
            known = friendship.id
        values = {"user_id": user_id, "display_name": "王小明", "following": True, "bound": False}
        return self.happens(Kind.FRIEND, {**values, "consents.service": consents}, known)

    def member(self, **values: Any) -> UUID:
        """A person is bound."""
        with self.store.transaction() as session:
            member = Member()
            session.add(member)
            session.flush()
            known = member.id
        told = {"name": "王小明", "phone": "+886912345678", **values}
        return self.happens(Kind.MEMBER, told, known)

    def pair(self, record: UUID, mapping: str) -> Pair:
        """The pair of a record under a mapping."""
        with self.store.reading() as session:
            here = sa.select(Pair).where(Pair.record_id == record, Pair.mapping == mapping)
            return session.scalars(here).one()

    def intent(self, pair: Pair) -> Outbox | None:
        """The live intent of a pair."""
        with self.store.reading() as session:
            return session.scalars(sa.select(Outbox).where(Outbox.pair_id == pair.id)).one_or_none()

    def stops(
        self,
        pair: Pair,
        to: OutboxState = OutboxState.PARKED,
        reason: str = "refused",
        **fault: Any,
    ) -> None:
        """A worker takes a pair and stops it."""
        with self.store.transaction() as session:
            here = sa.select(Outbox).where(Outbox.pair_id == pair.id)
            row = session.scalars(here.with_for_update()).one()
            row.state = OutboxState.CLAIMED
            outbox.stop(session, row, to, reason, "Mend it.", fault or None)

    def settles(
        self, pair: Pair, salesforce_id: str, effect: EffectState = EffectState.WRITTEN
    ) -> None:
        """A worker writes a pair."""
        with self.store.transaction() as session:
            mine = session.get_one(Pair, pair.id)
            mine.salesforce_id = salesforce_id
            here = sa.select(Outbox).where(Outbox.pair_id == pair.id)
            row = session.scalars(here.with_for_update()).one()
            outbox.settle(session, row, effect, 1_000)

    def change(self, table: type, where: Any, **values: Any) -> None:
        """Put something in order, or out of order, by hand."""
        with self.store.transaction() as session:
            session.execute(sa.update(table).where(where).values(**values))

    def pauses(self, reason: str = "the org is in maintenance") -> None:
        """The whole org rests for an hour."""
        until = datetime.now(UTC) + timedelta(hours=1)
        self.change(Org, sa.true(), paused_until=until, reason=reason)


def _received(source: Source, kind: str) -> Received:
    return Received(
        source=source,
        kind=kind,
        dedupe_key=str(uuid7()),
        body={},
        at=datetime.now(UTC),
        state=InboxState.DONE,
        verdict=Ledger.UNCHANGED,
    )


@pytest.fixture(scope="session")
def catalogs() -> Catalogs:
    """The live documents, compiled once."""
    return Catalogs()


@pytest.fixture(scope="session")
def starter() -> dict[str, str]:
    """The starter set."""
    return read_folder(STARTER)


@pytest.fixture
def town(store: Store, catalogs: Catalogs, starter: dict[str, str]) -> Town:
    """A prepared database, without an org behind it."""
    with store.transaction() as session:
        session.add(Org(organization_id=ORG))
        for path, text in starter.items():
            session.add(Published(path=path, text=text, live=True, author="a", reason="b"))
    return Town(store, catalogs)


@pytest.fixture
def stopped(town: Town) -> Pair:
    """A pair that a worker has parked."""
    pair = town.pair(town.friend(), "friend-lead")
    town.stops(pair, reason="FIELD_X: Company is missing")
    return pair


@pytest.fixture
def unread(town: Town) -> Received:
    """An event that could not be read."""
    with town.store.transaction() as session:
        row = Received(
            source=Source.LINE,
            kind="follow",
            dedupe_key=str(uuid7()),
            body={},
            at=datetime.now(UTC),
            state=InboxState.DEAD,
            ledger=Ledger.DEAD,
            attempts=5,
            reason="KeyError: 'x'",
        )
        session.add(row)
    return row


@pytest.fixture
def unsent(town: Town) -> Envelope:
    """A message that LINE refused, and the row that caused it."""
    user = "U" + "9" * 32
    town.friend(user)
    with town.store.transaction() as session:
        person = session.scalars(sa.select(Person).where(Person.line_user_id == user)).one()
        envelope = Envelope(
            person_id=person.id,
            oa="U0",
            retry_key=uuid4(),
            state=EnvelopeState.DEAD,
            reason="400: too long",
        )
        session.add(envelope)
        session.flush()
        notice = Notice(
            envelope_id=envelope.id,
            person_id=person.id,
            rule="menu",
            purpose="service",
            template="menu",
            before={},
            after={},
            expires_at=datetime.now(UTC) + timedelta(hours=1),
            state=NoticeState.DEAD,
        )
        session.add(notice)
        session.flush()
        row = session.scalar(sa.select(sa.func.max(Received.id)))
        effects.link_notice(session, (row,), notice.id)
        effects.move_notices(session, [notice.id], EffectState.DEAD)
    return envelope


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer as JSON."""
        return json.loads(self.out)


Connector = Callable[..., Answer]


@pytest.fixture
def connector(
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Connector:
    """Calls `connector` on the town's database, which no `connector up` runs on."""
    url = town.store.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("CONNECTOR_DATABASE_URL", url)
    monkeypatch.setenv("CONNECTOR_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CONNECTOR_SECRET_KEY", "a key of the tests")
    monkeypatch.setenv("CONNECTOR_SALESFORCE_LOGIN_URL", "http://127.0.0.1:1")
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Answer:
        capsys.readouterr()
        code = entrance.run([str(word) for word in words])
        told = capsys.readouterr()
        return Answer(code, told.out, told.err)

    return call
