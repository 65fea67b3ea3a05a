"""Send what is owed: freeze the body, reply if a token is fresh, else push, and settle.

A reply of unknown outcome is tried once more on its token and then marked uncertain; a push is
repeated under its retry key, which LINE honours for a day.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from connector.domain import faults
from connector.domain.faults import BY_ITSELF, Fault, FaultKind
from connector.domain.identifiers import uuid7
from connector.domain.states import EffectState, EnvelopeState, NoticeState
from connector.domain.values import Value
from connector.line.accounts import OfficialAccount
from connector.line.exchange import CALLS_AT_ONCE
from connector.line.faults import SendFailed, policy
from connector.line.sender import LineClient, Sent
from connector.mapping.messaging.messages import RenderFailed
from connector.store import sets
from connector.store.session import Store, among, wake_later
from connector.store.tables import Envelope, Notice
from connector.sync import claims, effects, queues
from connector.sync.catalog import Catalogs
from connector.sync.messaging import postmarks, sacks
from connector.sync.messaging.quiet import QuietHours
from connector.sync.messaging.sacks import Sack

log = structlog.get_logger()

_MOST_BUBBLES = 5
_RETRY_KEY_LIFE = timedelta(hours=23)
_TOKEN_LOOK = timedelta(seconds=2)  # a token that was being stored while we looked wakes nobody


@dataclass
class Letter:
    """One claimed envelope on its way."""

    envelope: Envelope
    account: OfficialAccount
    user_id: str
    token: str | None
    sent: Sent | None = None
    fault: Fault | None = None


@dataclass(frozen=True)
class Postman:
    """Sends envelopes through LINE."""

    store: Store
    catalogs: Catalogs
    client: LineClient
    accounts: Mapping[str, OfficialAccount]
    links: Callable[[OfficialAccount], Mapping[str, str]]
    default_locale: str
    lease: timedelta
    quiet: QuietHours | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def send(self) -> int:
        """Send one batch; say how many envelopes were taken."""
        with self.store.transaction() as session:
            sack = sacks.claim(session, self.catalogs, self.lease, self.clock())
            if sack is None:
                return 0
            letters = [
                letter
                for envelope in sack.envelopes
                if (letter := self._prepare(session, sack, envelope)) is not None
            ]
            sets.update_all(session, sack.envelopes)
        if letters:
            with ThreadPoolExecutor(min(CALLS_AT_ONCE, len(letters))) as pool:
                list(pool.map(self._send_one, letters))
            self._settle(letters)
        return len(sack.envelopes)

    def _prepare(self, session: Session, sack: Sack, envelope: Envelope) -> Letter | None:
        """Freeze the body and choose the way; None where nothing is to be sent now."""
        now = self.clock()
        account = self.accounts.get(envelope.oa)
        person = sack.people[envelope.person_id]
        if account is None:
            postmarks.end(session, envelope, EnvelopeState.UNREACHABLE, *postmarks.NO_ACCOUNT)
            return None
        if not sack.follows(envelope):
            postmarks.end(session, envelope, EnvelopeState.UNREACHABLE, *postmarks.BLOCKED)
            return None
        token = sack.token(session, envelope, now)
        if token is None and self._keeps_for_later(envelope, now):
            return None  # not frozen yet: it may still take other notices
        if envelope.body is None and not self._freeze(session, sack, envelope, account, now):
            return None
        envelope.via = "push" if token is None else "reply"
        envelope.first_sent_at = envelope.first_sent_at or now
        return Letter(envelope, account, person.line_user_id, token)

    def _keeps_for_later(self, envelope: Envelope, now: datetime) -> bool:
        """Whether a push that was not begun is put off: a reply may come free, or the hours are quiet.

        To look is no try: of those a message has only so many.
        """
        if envelope.first_sent_at is not None:
            return False
        hoped = envelope.token_hoped_until
        if hoped is not None and hoped > now:
            look = min(hoped, now + _TOKEN_LOOK)
            envelope.attempts -= 1
            postmarks.back(envelope, EnvelopeState.WAITING, look, *postmarks.MAY_BE_FREE)
            return True
        rest = self.quiet.until(now) if self.quiet is not None else None
        if rest is not None:
            envelope.attempts -= 1
            postmarks.back(envelope, EnvelopeState.HELD, rest, *postmarks.QUIET_HOURS)
            return True
        return False

    def _freeze(
        self,
        session: Session,
        sack: Sack,
        envelope: Envelope,
        account: OfficialAccount,
        now: datetime,
    ) -> bool:
        notices = sack.notices.get(envelope.id, ())
        late = [notice for notice in notices if notice.expires_at <= now]
        for notice in late:
            notice.state = NoticeState.EXPIRED
        effects.move_notices(session, [notice.id for notice in late], EffectState.IGNORED)
        messages: list[Value] = []
        failed: list[Notice] = []
        overflow: list[Notice] = []
        reason = step = ""
        for notice in (notice for notice in notices if notice not in late):
            try:
                bubbles = self._render(sack, notice, account)
            except RenderFailed as failure:
                failed.append(notice)
                reason, step = failure.message[:500], failure.fix
                continue
            if overflow or len(messages) + len(bubbles) > _MOST_BUBBLES:
                overflow.append(notice)
            else:
                messages += bubbles
        if messages:  # what failed is tried, and dies, in an envelope of its own
            _send_on(session, envelope, failed)
        _send_on(session, envelope, overflow)
        if messages:
            envelope.body = {"messages": messages}
        elif failed:
            log.warning("message not rendered", rules=[notice.rule for notice in failed])
            postmarks.end(session, envelope, EnvelopeState.DEAD, reason, step)
        else:
            postmarks.end(session, envelope, EnvelopeState.EXPIRED, *postmarks.TOO_OLD)
        return bool(messages)

    def _render(self, sack: Sack, notice: Notice, account: OfficialAccount) -> list[Value]:
        record = sack.records.get(notice.record_id) if notice.record_id else None
        after = {**notice.after, **(record.values if record is not None else {})}
        return list(
            sack.catalog.notices.render(
                notice.template,
                sack.people[notice.person_id].language or self.default_locale,
                notice.before,
                after,
                {**self.links(account)},
                {"basic_id": account.basic_id},
            )
        )

    def _send_one(self, letter: Letter) -> None:
        body = letter.envelope.body or {}
        try:
            if letter.token is not None:
                letter.sent = self.client.reply(letter.account, letter.token, body)
            else:
                letter.sent = self.client.push(
                    letter.account, {"to": letter.user_id, **body}, letter.envelope.retry_key
                )
        except SendFailed as failed:
            letter.fault = failed.fault

    def _settle(self, letters: Sequence[Letter]) -> None:
        """All together; where that raises, each alone, so that one does not keep the others open."""
        try:
            self._settle_together(letters)
        except (OperationalError, InterfaceError):  # the database is away: no letter's fault
            raise
        except Exception as error:
            if len(letters) == 1:
                raise
            log.warning("messages not settled together", error=type(error).__name__)
            for letter in letters:
                self._settle([letter])

    def _settle_together(self, letters: Sequence[Letter]) -> None:
        with self.store.transaction() as session:
            mine = _still_claimed(session, [letter.envelope for letter in letters])
            through = [letter.envelope for letter in letters if letter.sent is not None]
            owed = postmarks.owed(session, [each for each in through if each.id in mine])
            for letter in letters:
                envelope = mine.get(letter.envelope.id)
                if envelope is None:
                    continue
                postmarks.log(session, envelope, letter.fault, self.clock())
                if letter.sent is not None:
                    envelope.request_id = letter.sent.request_id
                    notices = owed.get(envelope.id, ())
                    postmarks.end(session, envelope, EnvelopeState.ACCEPTED, notices=notices)
                elif letter.fault is not None:
                    self._failed(session, envelope, letter.fault)
            sets.update_all(session, mine.values())
            sets.update_all(session, [notice for some in owed.values() for notice in some])

    def _failed(self, session: Session, envelope: Envelope, fault: Fault) -> None:
        if envelope.via == "reply":
            self._reply_failed(session, envelope, fault)
            return
        now = self.clock()
        reason = f"{fault.code}: {fault.message}"[:500]
        started = envelope.first_sent_at or now
        if now - started > _RETRY_KEY_LIFE:
            postmarks.end(session, envelope, EnvelopeState.UNCERTAIN, reason, postmarks.NEVER_AGAIN)
            return
        self._put_off(session, envelope, fault, EnvelopeState.DEAD, fault.next_step)

    def _put_off(
        self,
        session: Session,
        envelope: Envelope,
        fault: Fault,
        at_last: EnvelopeState,
        last_step: str | None,
    ) -> None:
        """Try the same way again when the fault table says so, or end."""
        now, reason = self.clock(), f"{fault.code}: {fault.message}"[:500]
        step = fault.next_step or BY_ITSELF
        match policy(fault, envelope.attempts, now, random.random()):
            case faults.RetryAt(at) | faults.LookUp(at):
                postmarks.back(envelope, EnvelopeState.WAITING, at, reason, step)
            case faults.Pause(why, until):
                postmarks.rest(session, envelope.oa, why, until)
                postmarks.back(envelope, EnvelopeState.WAITING, until, why, step)
            case faults.Refresh():
                postmarks.back(
                    envelope, EnvelopeState.WAITING, now + timedelta(seconds=1), reason, step
                )
            case _:
                postmarks.end(session, envelope, at_last, reason, last_step)

    def _reply_failed(self, session: Session, envelope: Envelope, fault: Fault) -> None:
        """A refused reply becomes a push; one that may have arrived is never repeated as a push."""
        now = self.clock()
        if fault.kind is FaultKind.UNKNOWN and envelope.tries_on_token >= 2:
            reason = f"{fault.code}: {fault.message}"[:500]
            postmarks.end(session, envelope, EnvelopeState.UNCERTAIN, reason, postmarks.NEVER_AGAIN)
            return
        uncertain_before = envelope.tries_on_token >= 2
        if fault.code == "invalid_reply_token" and uncertain_before:
            # The first try may have used the token up: LINE has the message.
            postmarks.end(
                session,
                envelope,
                EnvelopeState.UNCERTAIN,
                postmarks.MAY_HAVE_COME,
                postmarks.NEVER_AGAIN,
            )
            return
        if uncertain_before:  # the same token tells in the end; a push would say it twice
            step = postmarks.NEVER_AGAIN
            self._put_off(session, envelope, fault, EnvelopeState.UNCERTAIN, step)
            return
        if fault.kind is not FaultKind.UNKNOWN:
            envelope.token_id, envelope.tries_on_token = None, 0
            envelope.token_hoped_until = None
        postmarks.back(
            envelope, EnvelopeState.READY, now, f"{fault.code}: {fault.message}"[:500], BY_ITSELF
        )


def _still_claimed(session: Session, envelopes: Sequence[Envelope]) -> Mapping[UUID, Envelope]:
    """Lock those that this worker still holds; the others moved on without it."""
    here = sa.select(Envelope).where(
        among(Envelope.id, [envelope.id for envelope in envelopes]),
        claims.held(Envelope, envelopes[0].claim_token),
    )
    return {row.id: row for row in session.scalars(here.order_by(Envelope.id).with_for_update())}


def _send_on(session: Session, envelope: Envelope, notices: Sequence[Notice]) -> None:
    """What does not fit into one message follows in an envelope of its own."""
    if not notices:
        return
    following = Envelope(
        id=uuid7(), person_id=envelope.person_id, oa=envelope.oa, retry_key=uuid4()
    )
    session.add(following)
    session.flush()  # the notices name it
    for notice in notices:
        notice.envelope_id = following.id
    session.flush()
    wake_later(session, queues.SEND)
