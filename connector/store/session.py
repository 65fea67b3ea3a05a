"""The engine, and transactions that wake the queues after their commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar
from uuid import UUID

import orjson
import psycopg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from connector.store import arrays

T = TypeVar("T")

_WAKES: Final = "wakes"
_CLOSING: Final = "closing"
_RESTED: Final = "rested since"
_TRUSTED_S: Final = 1.0  # a connection that was good so lately is not tried before it is used

Wake = Callable[[str], None]
Column: TypeAlias = (
    "sa.orm.InstrumentedAttribute[UUID] | sa.orm.InstrumentedAttribute[UUID | None]"
    " | sa.orm.InstrumentedAttribute[int]"
    " | sa.orm.InstrumentedAttribute[str] | sa.orm.InstrumentedAttribute[str | None]"
)
Closing = Callable[[Session], None]


def make_engine(url: str, *, pool_size: int = 10) -> sa.Engine:
    """An engine whose pool survives a restarted server.

    Statements are never prepared: a plan made while a queue was short stays when it has grown,
    and a claim then takes two hundred times as long.
    """
    engine = sa.create_engine(
        url,
        hide_parameters=True,  # an error's text must not carry what people wrote
        pool_size=pool_size,
        max_overflow=pool_size,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "prepare_threshold": None,
            "connect_timeout": 5,
            "options": "-c idle_in_transaction_session_timeout=60s -c statement_timeout=30s",
        },
    )
    _try_what_rested(engine)
    return engine


def _try_what_rested(engine: sa.Engine) -> None:
    """Try a connection before it is used, but not where work follows on work: that is a call each."""

    @event.listens_for(engine, "checkin")
    def _rests(_connection: object, entry: ConnectionPoolEntry) -> None:
        entry.info[_RESTED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _is_good(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: object) -> None:
        now = time.monotonic()
        if now - entry.info.get(_RESTED, now) < _TRUSTED_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as gone:
            raise sa.exc.InvalidatePoolError from gone


def wake_later(session: Session, queue: str) -> None:
    """Ask that `queue` be woken once this transaction has committed."""
    session.info.setdefault(_WAKES, set()).add(queue)


def among(column: Column, ids: arrays.Items) -> sa.ColumnElement[bool]:
    """Whether a column holds one of these ids: one parameter, however many there are."""
    return column == sa.any_(sa.literal(list(ids), arrays.array(column.type)))


def book(session: Session, page: type[T], rank: int, closing: Callable[[Session, T], None]) -> T:
    """A transaction's page of things to be written in sets just before its commit, lowest rank first.

    Noting a thing costs nothing; a thousand of one kind cost one statement.
    """
    pages: dict[type, tuple[int, object, Closing]] = session.info.setdefault(_CLOSING, {})
    if page not in pages:
        mine = page()
        pages[page] = (rank, mine, lambda session: closing(session, mine))
    found = pages[page][1]
    assert isinstance(found, page)  # noqa: S101 - the key is its type
    return found


def _close(session: Session) -> None:
    """Write every page; writing one may begin another."""
    pages: dict[type, tuple[int, object, Closing]] = session.info.get(_CLOSING, {})
    while pages:
        page = min(pages, key=lambda name: pages[name][0])
        _, _, closing = pages.pop(page)
        session.flush()
        closing(session)


class _Sessions(Session):
    """A session that closes its books before it commits, and forgets them when it does not."""


event.listen(_Sessions, "before_commit", _close)


@event.listens_for(_Sessions, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_CLOSING, None)
    session.info.pop(_WAKES, None)


@dataclass(frozen=True)
class Store:
    """The way to the database: every use case opens its transactions here."""

    engine: sa.Engine
    sessions: sessionmaker[Session]
    wake: Wake

    @classmethod
    def open(cls, url: str, wake: Wake, *, pool_size: int = 10) -> Store:
        """A store over the database at `url`; `wake` is called with a queue's name after commits."""
        engine = make_engine(url, pool_size=pool_size)
        return cls(engine, sessionmaker(engine, class_=_Sessions, expire_on_commit=False), wake)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commit, then wake the queues that got work; a lost wake costs one sweep, never a row."""
        with self.sessions.begin() as session:
            yield session
        self._wake(session)

    @contextmanager
    def statement(self) -> Iterator[Session]:
        """A transaction of one statement, committed as it ends: one call of the server, not three."""
        with self.sessions.begin() as session:
            session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
            yield session
        self._wake(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads."""
        with self.sessions.begin() as session:
            session.execute(sa.text("SET TRANSACTION READ ONLY"))
            yield session

    def _wake(self, session: Session) -> None:
        for queue in sorted(session.info.pop(_WAKES, ())):
            self.wake(queue)
