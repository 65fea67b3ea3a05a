"""What the connector asks of the Messaging API: send, and look up what sending needs to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from connector.line.accounts import LineHosts, OfficialAccount
from connector.line.exchange import Answer, Exchange, NoAnswer, Timeout
from connector.line.faults import Call, LineRefused, SendFailed, fault_of, fault_of_silence
from connector.line.messaging import Messaging, Request
from connector.line.tokens import ChannelTokens

_LOADING_SECONDS = 20
_OF_PUSH_ONLY = frozenset({"to", "customAggregationUnits"})
_NOT_FOUND = frozenset({404})


@dataclass(frozen=True)
class Sent:
    """LINE accepted it; `accepted_request_id` is that of the earlier try that already had been."""

    request_id: str | None
    accepted_request_id: str | None = None
    message_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Profile:
    """How a person shows up in LINE; `language` is BCP 47."""

    display_name: str
    language: str | None
    picture_url: str | None


@dataclass(frozen=True)
class BotInfo:
    """What LINE says an official account is; `chat_mode` is chat or bot."""

    user_id: str
    basic_id: str
    display_name: str
    chat_mode: str


@dataclass(frozen=True)
class WebhookEndpoint:
    """The address LINE delivers to, and whether delivering is switched on."""

    url: str
    active: bool


class LineClient:
    """Calls for all official accounts (`accounts` by bot user id); threads may share it."""

    def __init__(
        self,
        accounts: Iterable[OfficialAccount],
        hosts: LineHosts,
        timeout: Timeout | None = None,
    ) -> None:
        self.accounts = {account.bot_user_id: account for account in accounts}
        self._messaging = Messaging(hosts.api, timeout)
        self._tokens = ChannelTokens(hosts, Exchange(timeout))

    def reply(self, account: OfficialAccount, token: str, body: Mapping[str, Any]) -> Sent:
        """Answer with a stored body, without what only a push has (`to`); raises `SendFailed`."""
        kept = {name: value for name, value in body.items() if name not in _OF_PUSH_ONLY}
        request = Request("POST", "/v2/bot/message/reply", body={"replyToken": token, **kept})
        return _sent(self._call(account, Call.REPLY, request))

    def push(self, account: OfficialAccount, body: Mapping[str, Any], retry_key: UUID) -> Sent:
        """Send a stored body to its `to`, once per key within 24 hours; raises `SendFailed`."""
        headers = {"X-Line-Retry-Key": str(retry_key)}
        request = Request("POST", "/v2/bot/message/push", body=body, headers=headers)
        return _sent(self._call(account, Call.PUSH, request, fine=frozenset({409})))

    def profile(self, account: OfficialAccount, user_id: str) -> Profile | None:
        """The person's profile; None for someone LINE does not show to this account."""
        request = Request("GET", "/v2/bot/profile/{user}", parts={"user": user_id})
        answer = self._call(account, Call.ASK, request, fine=_NOT_FOUND)
        if answer.status in _NOT_FOUND:
            return None
        said = answer.body
        return Profile(
            str(said.get("displayName", "")), said.get("language"), said.get("pictureUrl")
        )

    def quota(self, account: OfficialAccount) -> tuple[int | None, int]:
        """The month's limit of counted messages (None: unlimited), and how many are used."""
        limit = self._call(account, Call.ASK, Request("GET", "/v2/bot/message/quota")).body
        spent = Request("GET", "/v2/bot/message/quota/consumption")
        used = self._call(account, Call.ASK, spent).body.get("totalUsage", 0)
        return (limit.get("value") if limit.get("type") == "limited" else None), int(used)

    def loading(self, account: OfficialAccount, user_id: str) -> None:
        """Show the loading animation for 20 s or until the next message, if the chat is open."""
        body = {"chatId": user_id, "loadingSeconds": _LOADING_SECONDS}
        self._call(account, Call.ASK, Request("POST", "/v2/bot/chat/loading/start", body=body))

    def bot_info(self, account: OfficialAccount) -> BotInfo:
        """What LINE knows this channel's official account as."""
        said = self._call(account, Call.ASK, Request("GET", "/v2/bot/info")).body
        names = ("userId", "basicId", "displayName", "chatMode")
        return BotInfo(*(str(said.get(name, "")) for name in names))

    def webhook_endpoint(self, account: OfficialAccount) -> WebhookEndpoint | None:
        """Where LINE delivers this account's events; None when nothing is set."""
        request = Request("GET", "/v2/bot/channel/webhook/endpoint")
        answer = self._call(account, Call.ASK, request, fine=_NOT_FOUND)
        if answer.status in _NOT_FOUND:
            return None
        return WebhookEndpoint(
            str(answer.body.get("endpoint", "")), answer.body.get("active") is True
        )

    def sign_in(self, account: OfficialAccount) -> None:
        """Make sure of a channel access token; raises `LineRefused`."""
        self._tokens.current(account)

    def _call(
        self,
        account: OfficialAccount,
        call: Call,
        request: Request,
        fine: frozenset[int] = frozenset(),
    ) -> Answer:
        failed = SendFailed if call in (Call.REPLY, Call.PUSH) else LineRefused
        try:
            answer = self._signed_in(account, request)
        except NoAnswer as silence:
            raise failed(fault_of_silence(call, silence)) from None
        except LineRefused as refused:
            # No token, so the call itself was never made.
            raise failed(refused.fault) from None
        if answer.ok or answer.status in fine:
            return answer
        raise failed(fault_of(call, answer))

    def _signed_in(self, account: OfficialAccount, request: Request) -> Answer:
        """One call, and one more with a new token when LINE no longer takes the old one."""
        token = self._tokens.current(account)
        answer = self._messaging.call(token, request)
        if answer.status != 401:
            return answer
        self._tokens.forget(account, token)
        return self._messaging.call(self._tokens.current(account), request)


def _sent(answer: Answer) -> Sent:
    messages = answer.body.get("sentMessages")
    listed = messages if isinstance(messages, list) else []
    ids = (message.get("id") for message in listed if isinstance(message, dict))
    return Sent(
        answer.headers.get("x-line-request-id"),
        answer.headers.get("x-line-accepted-request-id"),
        tuple(str(one) for one in ids if one is not None),
    )
