"""The state of the simulated platform: people, friendships, chats, tokens, text messages.

Every change is one journal entry, applied the same way when it happens and when it is replayed.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from simulator.control.clock import now, stamp
from simulator.control.journal import Entry, Journal
from simulator.line import ids
from simulator.line.bell import Bell

REPLY_TOKEN_MS = 60_000
REPLY_EVENT_MS = 20 * 60_000
RETRY_KEY_MS = 24 * 3_600_000
WRITER_MS = 7 * 24 * 3_600_000


class Friendship(StrEnum):
    """How a person stands to an official account."""

    STRANGER = "stranger"
    FRIEND = "friend"
    BLOCKED = "blocked"


@dataclass(slots=True)
class Person:
    """One simulated LINE user."""

    user_id: str
    display_name: str
    language: str


@dataclass(slots=True)
class ChatItem:
    """One bubble; `via` `note` is what only the phone shows (a tap's displayText, a new friend)."""

    seq: int
    time: str
    direction: str
    via: str
    type: str
    text: str | None
    message: dict[str, Any]


@dataclass(slots=True)
class ReplyToken:
    """A reply token: whose, given out when, of an event from when (both ms)."""

    oa: str
    user_id: str
    given: int
    event: int
    used: bool = False


@dataclass(slots=True)
class Accepted:
    """A request accepted under a retry key, at `at` (ms)."""

    request_id: str
    sent: list[dict[str, str]] | None
    at: int


@dataclass(slots=True)
class State:
    """All that a reset empties."""

    people: dict[str, Person] = field(default_factory=dict)
    friendships: dict[tuple[str, str], Friendship] = field(default_factory=dict)
    chats: dict[tuple[str, str], list[ChatItem]] = field(default_factory=dict)
    wrote: dict[tuple[str, str], int] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    reply_tokens: dict[str, ReplyToken] = field(default_factory=dict)
    accepted: dict[tuple[str, str], Accepted] = field(default_factory=dict)
    used_quota: dict[str, int] = field(default_factory=dict)
    read_to: dict[tuple[str, str], int] = field(default_factory=dict)
    webhook_urls: dict[str, str] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    sms: list[dict[str, Any]] = field(default_factory=list)
    seq: int = 0


class World:
    """The platform's state and the only ways to change it."""

    def __init__(self, journal: Journal) -> None:
        self.bell = Bell()
        self._journal = journal
        self.state = State()
        for entry in journal.replay():
            self._apply(entry)

    def reset(self) -> None:
        """Empty the world and its journal."""
        self._journal.rewrite([])
        self.state = State()
        self.bell.ring()

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()

    # People and friendships

    def person(self, user_id: str) -> Person | None:
        """The person of a user id."""
        return self.state.people.get(user_id)

    def add_person(self, display_name: str, language: str) -> Person:
        """A new person, not yet a friend of anyone."""
        person = Person(ids.user_id(), display_name, language)
        self._commit("person", **asdict(person))
        return person

    def friendship(self, oa: str, user_id: str) -> Friendship:
        """How a person stands to an official account."""
        return self.state.friendships.get((oa, user_id), Friendship.STRANGER)

    def befriend(self, oa: str, user_id: str, friendship: Friendship) -> None:
        """Make a person a friend, or let them block."""
        self._commit("friendship", oa=oa, user_id=user_id, friendship=friendship)

    def friends(self, oa: str) -> list[str]:
        """The user ids of an account's friends, oldest first."""
        return [
            user_id
            for (account, user_id), friendship in self.state.friendships.items()
            if account == oa and friendship is Friendship.FRIEND
        ]

    def receives_push(self, oa: str, user_id: str) -> bool:
        """Whether a push shows: to friends, and to strangers who wrote in the last seven days."""
        friendship = self.friendship(oa, user_id)
        wrote = self.state.wrote.get((oa, user_id), -WRITER_MS)
        recent = ids.milliseconds() - wrote < WRITER_MS
        return friendship is Friendship.FRIEND or (friendship is Friendship.STRANGER and recent)

    # Chats

    def chat(self, oa: str, user_id: str) -> list[ChatItem]:
        """The chat of a person with an account, oldest first."""
        return self.state.chats.get((oa, user_id), [])

    def show(self, oa: str, user_id: str, direction: str, via: str, message: dict[str, Any]) -> int:
        """Put a message object into a chat; gives its `seq`."""
        item = ChatItem(
            seq=self.state.seq + 1,
            time=stamp(now()),
            direction=direction,
            via=via,
            type=message["type"],
            text=message.get("text", message.get("altText")),
            message=message,
        )
        self._commit("item", oa=oa, user_id=user_id, item=asdict(item))
        return item.seq

    def wrote(self, oa: str, user_id: str) -> None:
        """Note that a person wrote to an account."""
        self._commit("wrote", oa=oa, user_id=user_id, at=ids.milliseconds())

    def unsend(self, oa: str, user_id: str, message_id: str) -> None:
        """Take a message out of a chat."""
        self._commit("unsend", oa=oa, user_id=user_id, message_id=message_id)

    def mark_read(self, oa: str, user_id: str, seq: int) -> None:
        """Everything up to `seq` was read by the account."""
        self._commit("read", oa=oa, user_id=user_id, seq=seq)

    # Tokens, quota, retry keys

    def give_reply_token(self, token: str, oa: str, user_id: str, event: int) -> None:
        """Make a reply token work for one minute from now, again after a redelivery."""
        given = ids.milliseconds()
        self._commit("reply_token", token=token, oa=oa, user_id=user_id, event=event, given=given)

    def use_reply_token(self, token: str, oa: str) -> str | None:
        """The user id behind a good reply token, which is spent by that."""
        kept = self.state.reply_tokens.get(token)
        if kept is None or kept.used or kept.oa != oa:
            return None
        at = ids.milliseconds()
        if at - kept.given > REPLY_TOKEN_MS or at - kept.event > REPLY_EVENT_MS:
            return None
        self._commit("reply_used", token=token)
        return kept.user_id

    def expire_reply_tokens(self) -> None:
        """Let every reply token given out so far be too old."""
        self._commit("reply_expired")

    def accepted(self, oa: str, retry_key: str) -> Accepted | None:
        """The request accepted under a retry key in the last 24 hours."""
        kept = self.state.accepted.get((oa, retry_key))
        if kept is None or ids.milliseconds() - kept.at > RETRY_KEY_MS:
            return None
        return kept

    def accept(
        self, oa: str, retry_key: str, request_id: str, sent: list[dict[str, str]] | None
    ) -> None:
        """Remember a request under its retry key."""
        self._commit(
            "accepted",
            oa=oa,
            key=retry_key,
            accepted={"request_id": request_id, "sent": sent, "at": ids.milliseconds()},
        )

    def spend_quota(self, oa: str, recipients: int) -> None:
        """Count delivered messages against the month's quota."""
        self._commit("quota", oa=oa, recipients=recipients)

    def revoke(self, token: str) -> None:
        """End a channel access token before its time."""
        self._commit("revoked", token=token)

    def set_webhook_url(self, oa: str, url: str) -> None:
        """Send an account's webhooks there."""
        self._commit("webhook_url", oa=oa, url=url)

    # Text messages

    def add_sms(self, to: str, text: str) -> int:
        """Bring a text message to a phone; gives its `seq`."""
        seq = self.state.seq + 1
        self._commit("sms", sms={"seq": seq, "time": stamp(now()), "to": to, "text": text})
        return seq

    def _commit(self, kind: str, **facts: Any) -> None:
        entry: Entry = {"kind": kind, **facts}
        self._journal.append(entry)
        self._apply(entry)
        self.bell.ring()

    def _apply(self, entry: Entry) -> None:
        APPLY[entry["kind"]](self.state, entry)


def _person(state: State, entry: Entry) -> None:
    person = Person(entry["user_id"], entry["display_name"], entry["language"])
    state.people[person.user_id] = person


def _friendship(state: State, entry: Entry) -> None:
    state.friendships[entry["oa"], entry["user_id"]] = Friendship(entry["friendship"])


def _item(state: State, entry: Entry) -> None:
    item = ChatItem(**entry["item"])
    state.chats.setdefault((entry["oa"], entry["user_id"]), []).append(item)
    state.seq = item.seq


def _wrote(state: State, entry: Entry) -> None:
    state.wrote[entry["oa"], entry["user_id"]] = entry["at"]


def _unsend(state: State, entry: Entry) -> None:
    chat = (entry["oa"], entry["user_id"])
    gone = entry["message_id"]
    state.chats[chat] = [one for one in state.chats.get(chat, []) if one.message.get("id") != gone]
    state.gone.add(gone)


def _read(state: State, entry: Entry) -> None:
    state.read_to[entry["oa"], entry["user_id"]] = entry["seq"]


def _reply_token(state: State, entry: Entry) -> None:
    kept = state.reply_tokens.get(entry["token"])
    used = kept is not None and kept.used
    token = ReplyToken(entry["oa"], entry["user_id"], entry["given"], entry["event"], used)
    state.reply_tokens[entry["token"]] = token


def _reply_used(state: State, entry: Entry) -> None:
    state.reply_tokens[entry["token"]].used = True


def _reply_expired(state: State, _: Entry) -> None:
    state.reply_tokens.clear()


def _accepted(state: State, entry: Entry) -> None:
    state.accepted[entry["oa"], entry["key"]] = Accepted(**entry["accepted"])


def _quota(state: State, entry: Entry) -> None:
    state.used_quota[entry["oa"]] = state.used_quota.get(entry["oa"], 0) + entry["recipients"]


def _revoked(state: State, entry: Entry) -> None:
    state.revoked.add(entry["token"])


def _webhook_url(state: State, entry: Entry) -> None:
    state.webhook_urls[entry["oa"]] = entry["url"]


def _sms(state: State, entry: Entry) -> None:
    state.sms.append(entry["sms"])
    state.seq = entry["sms"]["seq"]


APPLY = {
    "person": _person,
    "friendship": _friendship,
    "item": _item,
    "wrote": _wrote,
    "unsend": _unsend,
    "read": _read,
    "reply_token": _reply_token,
    "reply_used": _reply_used,
    "reply_expired": _reply_expired,
    "accepted": _accepted,
    "quota": _quota,
    "revoked": _revoked,
    "webhook_url": _webhook_url,
    "sms": _sms,
}
