"""What each kind of LINE event means: friendships, consents, reply tokens; everything else is kept and ignored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from connector.domain.changes import Change
from connector.domain.lines import Cause
from connector.domain.states import EnvelopeState, Ledger
from connector.errors import ConnectorError
from connector.line.accounts import OfficialAccount
from connector.line.events import Event, read_event
from connector.line.faults import LineRefused
from connector.line.sender import LineClient, Profile
from connector.members import consents, friendship, people
from connector.store.session import Store, wake_later
from connector.store.tables import Envelope, Friendship, Person, Received, Record, ReplyToken
from connector.sync import owing, queues
from connector.sync.changes import Scene, apply_all
from connector.sync.privacy import unsending

log = structlog.get_logger()

_MENU_WORDS = frozenset({"選單", "選項", "menu", "メニュー", "help", "說明"})
_CONSENT = "consent:"
_CONSENT_VERSION = "1"


@dataclass(frozen=True)
class Known:
    """What was looked up before the transaction: accounts by bot user id, profiles by user."""

    accounts: Mapping[str, OfficialAccount]
    profiles: Mapping[tuple[str, str], Profile] = field(default_factory=dict)


@dataclass(frozen=True)
class Profiles:
    """Asks LINE for the profiles of people we do not know yet, several at a time."""

    store: Store
    client: LineClient
    accounts: Mapping[str, OfficialAccount]

    def gather(self, rows: Sequence[Received]) -> Known:
        """Profiles for the new people among these events; one that does not come is done without."""
        wanted = {
            (row.oa or "", event.user_id)
            for row in rows
            for event in [read_event(row.body)]
            if event.user_id and event.type != "unfollow" and (row.oa or "") in self.accounts
        }
        missing = sorted(wanted - self._named({user for _, user in wanted}))
        if not missing:
            return Known(self.accounts)
        with ThreadPoolExecutor(min(8, len(missing))) as pool:
            found = dict(zip(missing, pool.map(self._ask, missing), strict=True))
        return Known(self.accounts, {pair: got for pair, got in found.items() if got is not None})

    def _named(self, users: Collection[str]) -> set[tuple[str, str]]:
        """Of these users those whose friend record has a name, each with the official account."""
        if not users:
            return set()
        name = Record.values["display_name"].as_string()
        ours = sa.tuple_(Friendship.oa, Person.provider_id)
        named = (
            sa.select(Friendship.oa, Person.line_user_id)
            .join(Friendship, Friendship.person_id == Person.id)
            .join(Record, Record.id == Friendship.id)
            .where(Person.line_user_id.in_(users), name.is_not(None))
            .where(ours.in_([(oa, each.provider_id) for oa, each in self.accounts.items()]))
        )
        with self.store.reading() as session:
            return {(row.oa, row.line_user_id) for row in session.execute(named)}

    def _ask(self, pair: tuple[str, str]) -> Profile | None:
        try:
            return self.client.profile(self.accounts[pair[0]], pair[1])
        except (LineRefused, ConnectorError, OSError) as error:
            log.info("profile not read", error=type(error).__name__)
            return None


def read(scene: Scene, row: Received, known: Known) -> Ledger:
    """Carry out one event; say what it comes to if nothing follows from it."""
    unsending.mask_if_taken_back(scene.session, row)
    event = read_event(row.body)
    account = known.accounts.get(row.oa or "")
    if event.type == "unsend":
        unsending.take_back(scene.session, row)
    if event.user_id is None or account is None:
        return Ledger.IGNORED
    at = event.at or row.received_at
    person = _living(scene, account.provider_id, event.user_id, at)
    if person is None:
        row.body, row.original, row.subject = {"erased": True}, None, None
        return Ledger.IGNORED
    _keep_token(scene, person, account, event)
    profile = known.profiles.get((account.bot_user_id, event.user_id))
    handle = _HANDLERS.get(event.type, _heard)
    quiet = event.mode == "standby" or row.cause is not Cause.LIVE
    changes = handle(_Heard(scene, person, account.bot_user_id, event, at, profile, quiet))
    if quiet:
        changes = [_silent(change) for change in changes]
    apply_all(scene, changes)
    if event.type == "message" and not quiet:
        _answer_menu(scene, person, account.bot_user_id, event)
    row.person_id = person.id  # last: a row that was changed is written before anything is asked
    return Ledger.UNCHANGED if event.type in _HANDLERS else Ledger.IGNORED


def _living(scene: Scene, provider_id: str, user_id: str, at: datetime) -> Person | None:
    """The person, locked; None for a late word of somebody who was erased since.

    Who writes again after that is a new person.
    """
    person = people.find_locked(scene.session, provider_id, user_id)
    if person is not None and at >= person.created_at:
        return person
    stones = scene.tombstones
    erased_at = stones.of_person(scene.session, provider_id, user_id) if stones else None
    if erased_at is not None and at <= erased_at:
        return None
    return person or people.make(scene.session, provider_id, user_id, scene.now)


@dataclass(frozen=True)
class _Heard:
    scene: Scene
    person: Person
    oa: str
    event: Event
    at: datetime
    profile: Profile | None
    quiet: bool


def _follow(heard: _Heard) -> list[Change]:
    follow = heard.event.raw.get("follow")
    unblocked = isinstance(follow, dict) and follow.get("isUnblocked") is True
    return friendship.befriend(
        heard.scene.session, heard.person, heard.oa, heard.at, heard.profile, unblocked
    )


def _unfollow(heard: _Heard) -> list[Change]:
    return friendship.block(heard.scene.session, heard.person, heard.oa, heard.at)


def _heard(heard: _Heard) -> list[Change]:
    return friendship.heard(heard.scene.session, heard.person, heard.oa, heard.at, heard.profile)


def _postback(heard: _Heard) -> list[Change]:
    changes = _heard(heard)
    postback = heard.event.raw.get("postback")
    data = postback.get("data") if isinstance(postback, dict) else None
    if isinstance(data, str) and data.startswith(_CONSENT):
        if heard.quiet:
            changes = [_silent(change) for change in changes]
        apply_all(heard.scene, changes)  # the consent changes the record this may just have made
        evidence = {"event": heard.event.event_id, "postback": data}
        purpose = data.removeprefix(_CONSENT)
        if purpose in consents.PURPOSES:
            return consents.give(
                heard.scene.session,
                heard.person,
                purpose,
                _CONSENT_VERSION,
                True,
                heard.at,
                evidence,
            )
        return []
    return changes


_HANDLERS: Mapping[str, Callable[[_Heard], list[Change]]] = {
    "follow": _follow,
    "unfollow": _unfollow,
    "postback": _postback,
}


def _silent(change: Change) -> Change:
    return replace(change, notify=False)


def _keep_token(scene: Scene, person: Person, account: OfficialAccount, event: Event) -> None:
    """Keep a reply token while it is good, and let what was waiting for one go."""
    if event.reply_token is None or event.mode == "standby":
        return
    good_until = (event.at or scene.now) + owing.TOKEN_LIFE
    if event.is_redelivery:
        good_until = scene.now + owing.TOKEN_LIFE
    if good_until <= scene.now:
        return
    row = insert(ReplyToken).values(
        person_id=person.id,
        oa=account.bot_user_id,
        token=event.reply_token,
        good_until=min(good_until, scene.now + owing.TOKEN_LIFE),
    )
    scene.session.execute(row.on_conflict_do_nothing())
    _let_go(scene, person, account.bot_user_id)


def _let_go(scene: Scene, person: Person, oa: str) -> None:
    """Also what is ready: a sender that looked before this token came may be putting it off now."""
    freed = scene.session.scalars(
        sa.update(Envelope)
        .where(
            Envelope.person_id == person.id,
            Envelope.oa == oa,
            Envelope.state.in_((EnvelopeState.READY, EnvelopeState.WAITING)),
            Envelope.token_hoped_until.is_not(None),
            Envelope.body.is_(None),
        )
        .values(state=EnvelopeState.READY, due=sa.func.clock_timestamp())
        .returning(Envelope.id)
        .execution_options(synchronize_session=False)
    ).all()
    if freed:
        wake_later(scene.session, queues.SEND)


def _answer_menu(scene: Scene, person: Person, oa: str, event: Event) -> None:
    message = event.raw.get("message")
    text = message.get("text") if isinstance(message, dict) else None
    if not isinstance(text, str) or text.strip().lower() not in _MENU_WORDS:
        return
    rule = scene.catalog.notices.rule("menu")
    here = sa.select(Record).join(Friendship, Friendship.id == Record.id)
    record = scene.session.scalars(
        here.where(Friendship.person_id == person.id, Friendship.oa == oa)
    ).one_or_none()
    if rule is not None and record is not None:
        owing.owe(scene, person.id, rule, record, record.values, record.values)
