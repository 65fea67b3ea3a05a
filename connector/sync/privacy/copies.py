"""Every place where a person's data lies, and how each is emptied.

One list serves the count beforehand and the erasure itself. What is empty already is not counted
again, so both may be repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.records import SCHEMAS, Kind, RecordSchema
from connector.domain.states import ConflictState, InboxState
from connector.domain.values import Value
from connector.store.tables import (
    Attempt,
    Binding,
    Challenge,
    CodeTry,
    Conflict,
    Consent,
    Envelope,
    File,
    FileContent,
    History,
    Idempotency,
    MatchClaim,
    Notice,
    PlanRow,
    Received,
    Record,
    ReplyToken,
    Source,
)
from connector.sync.privacy.ageing import FORGOTTEN
from connector.sync.veil import PERSONAL

ACT = "erase"  # the kind of the received row that an erasure is
ERASED: dict[str, Value] = {"erased": True}
NOTHING: dict[str, Value] = {"value": None}
BLANK = {"body": ERASED, "original": sa.null(), "reason": None, "address_hash": None}
_PAGE = 500
_QUIET = {"synchronize_session": False}
# A unit's code and serial number are on its label: they stay with the claim.
OF_THE_UNIT = frozenset({"code", "serial"})


@dataclass(frozen=True)
class Whose:
    """One person, and all that is theirs."""

    person: UUID
    records: Collection[UUID]
    pairs: Collection[UUID]
    rows: Collection[str]  # Salesforce ids
    erased_at: datetime | None
    # the user id, phones and addresses they are known by
    texts: Collection[str] = field(repr=False)


@dataclass(frozen=True)
class Copies:
    """Rows of one table that hold something of the person. Without `blank` they are deleted."""

    name: str
    key: Any
    where: sa.ColumnElement[bool]
    blank: dict[str, Any] | None = None

    def count(self, session: Session) -> int:
        """How many there are."""
        return session.scalar(sa.select(sa.func.count(self.key)).where(self.where)) or 0

    def empty(self, session: Session) -> int:
        """Empty a page of them; says how many."""
        page = sa.select(self.key).where(self.where).order_by(self.key).limit(_PAGE)
        ids = session.scalars(page.with_for_update()).all()
        rows = sa.and_(self.key.in_(ids), self.where)
        if self.blank is None:
            session.execute(sa.delete(self.key.class_).where(rows).execution_options(**_QUIET))
        elif ids:
            changed = sa.update(self.key.class_).where(rows).values(self.blank)
            session.execute(changed.execution_options(**_QUIET))
        return len(ids)


def personal(kind: str, schema: RecordSchema | None = None) -> frozenset[str]:
    """The values of a record that say something of a person; of a form's record its schema tells them."""
    if kind not in PERSONAL:
        return frozenset() if schema is None else schema.personal
    kept = OF_THE_UNIT if kind == Kind.REGISTRATION else frozenset()
    known = PERSONAL.get(kind, frozenset()) - kept
    return known | ({"language"} if kind == Kind.FRIEND else frozenset())


def of(whose: Whose) -> Sequence[Copies]:
    """All copies besides the person, the records and the pairs themselves, which need more care."""
    return (*_received(whose), *_of_records(whose), *_of_person(whose))


def _received(whose: Whose) -> Sequence[Copies]:
    told = ~Received.body.bool_op("?|")(sa.cast(FORGOTTEN, sa.ARRAY(sa.Text)))
    of_rows = sa.and_(Received.source == Source.SALESFORCE, Received.subject.in_(whose.rows))
    mine = sa.or_(Received.person_id == whose.person, of_rows)
    not_an_act = Received.kind != ACT
    return (Copies("received bodies", Received.id, mine & told & not_an_act, BLANK),)


def _of_records(whose: Whose) -> Sequence[Copies]:
    names = {name for kind in SCHEMAS for name in personal(kind)}
    held = sa.or_(History.before != NOTHING, History.after != NOTHING)
    answered = sa.exists().where(Record.id == History.record_id, Record.kind.not_in(SCHEMAS))
    told = sa.or_(History.name.in_(names), answered)  # of a form every answer is forgotten
    past = sa.and_(History.record_id.in_(whose.records), told, held)
    letters = sa.select(Envelope.id).where(Envelope.person_id == whose.person)
    tries = sa.or_(Attempt.pair_id.in_(whose.pairs), Attempt.envelope_id.in_(letters))
    said = sa.or_(Attempt.sent != {}, Attempt.answer.is_not(None))
    if whose.erased_at is not None:  # later ones tell how the rows were cleared
        said = sa.and_(said, Attempt.at <= whose.erased_at)
    open_ = Conflict.reason != "erased"
    settled = {
        **dict.fromkeys(("base", "ours", "theirs", "told", "decision"), sa.null()),
        "reason": "erased",
        "next_step": "",
        "state": ConflictState.RESOLVED,
        "resolved_by": sa.func.coalesce(Conflict.resolved_by, "erased"),
        "resolved_at": sa.func.coalesce(Conflict.resolved_at, sa.func.clock_timestamp()),
    }
    return (
        Copies("history", History.id, past, {"before": NOTHING, "after": NOTHING}),
        Copies("attempts", Attempt.id, tries & said, {"sent": {}, "answer": sa.null()}),
        Copies("conflicts", Conflict.id, Conflict.pair_id.in_(whose.pairs) & open_, settled),
        Copies("rows of plans", PlanRow.id, PlanRow.record_id.in_(whose.records)),
        Copies("match claims", MatchClaim.id, MatchClaim.pair_id.in_(whose.pairs)),
    )


def _of_person(whose: Whose) -> Sequence[Copies]:
    ours = sa.or_(Notice.person_id == whose.person, Notice.record_id.in_(whose.records))
    told = sa.or_(Notice.before != {}, Notice.after != {})
    mine = Envelope.person_id == whose.person
    letter = sa.or_(Envelope.body != ERASED, Envelope.reason.is_not(None), Envelope.token_id > 0)
    proof = sa.and_(Consent.person_id == whose.person, Consent.evidence != {})
    bound = sa.and_(Binding.person_id == whose.person, Binding.phone != "")
    emptied = {"body": ERASED, "reason": None, "next_step": None, "token_id": None}
    # What is left of a file leads to its document in Salesforce until that is deleted.
    mine_still = File.person_id == whose.person
    theirs = sa.select(File.id).where(mine_still)
    return (
        Copies("notices", Notice.id, ours & told, {"before": {}, "after": {}}),
        Copies("messages", Envelope.id, mine & letter, emptied),
        Copies("reply tokens", ReplyToken.id, ReplyToken.person_id == whose.person),
        Copies("one-time codes", Challenge.id, Challenge.person_id == whose.person),
        Copies("mistyped codes", CodeTry.id, CodeTry.person_id == whose.person),
        Copies("answers to forms", Idempotency.key, Idempotency.person_id == whose.person),
        Copies("evidence of consents", Consent.id, proof, {"evidence": {}}),
        Copies("phones of bindings", Binding.id, bound, {"phone": ""}),
        Copies("files", FileContent.file_id, FileContent.file_id.in_(theirs)),
        Copies("files no form named", File.id, mine_still & File.record_id.is_(None)),
        Copies("names of files", File.id, mine_still & (File.name != ""), {"name": ""}),
    )


def unread(whose: Whose) -> sa.ColumnElement[bool]:
    """Received rows of the person that could not be read, and shall not be any more."""
    of_rows = sa.and_(Received.source == Source.SALESFORCE, Received.subject.in_(whose.rows))
    waits = Received.state.in_((InboxState.DEAD, InboxState.READY, InboxState.WAITING))
    return sa.and_(waits, sa.or_(Received.person_id == whose.person, of_rows))


@dataclass
class Search:
    """Goes through the whole inbox for bodies that name the person without being tied to them.

    Events of groups, events not read yet, rows of the org from before they were matched. Before the
    person is erased only what was read is touched: the rest may still mean something.
    """

    whose: Whose
    page: int = 5000
    last: int = 0

    def count(self, session: Session) -> int | None:
        """How many there are in the next page; None at the end."""
        rows = self._next(session)
        if rows is None:
            return None
        return session.scalar(sa.select(sa.func.count()).where(rows)) or 0

    def empty(self, session: Session) -> int | None:
        """Empty those of the next page; says how many, None at the end."""
        rows = self._next(session)
        if rows is None:
            return None
        masked = sa.update(Received).where(rows).values(BLANK).returning(Received.id)
        return len(session.execute(masked.execution_options(**_QUIET)).all())

    def _next(self, session: Session) -> sa.ColumnElement[bool] | None:
        here = sa.select(Received.id).where(Received.id > self.last).order_by(Received.id)
        bounds = here.limit(self.page).subquery()
        begin, end = self.last, session.scalar(sa.select(sa.func.max(bounds.c.id)))
        if end is None:
            return None
        self.last = end
        return sa.and_(Received.id > begin, Received.id <= end, self._names_them())

    def _names_them(self) -> sa.ColumnElement[bool]:
        of_rows = sa.func.coalesce(Received.subject.in_(self.whose.rows), sa.false())
        loose = sa.and_(Received.person_id.is_(None), ~of_rows, Received.kind != ACT)
        if self.whose.erased_at is None:
            loose = sa.and_(loose, Received.state.in_((InboxState.DONE, InboxState.DEAD)))
        copies = (sa.cast(Received.body, sa.Text), sa.cast(Received.original, sa.Text))
        named = [
            column.contains(text, autoescape=True) for column in copies for text in self.whose.texts
        ]
        return sa.and_(loose, sa.or_(sa.false(), *named))
