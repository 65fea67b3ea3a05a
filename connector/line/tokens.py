"""Stateless channel access tokens: `POST /oauth2/v3/token`, 15 minutes long, any number."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from connector.line.accounts import LineHosts, OfficialAccount
from connector.line.exchange import Answer, Exchange, NoAnswer
from connector.line.faults import Call, LineRefused, fault_of, fault_of_silence
from connector.line.flight import SingleFlight

# Of the 900 seconds LINE gives, 780 are used: a token must outlive the call it is sent with.
_USED_SHARE = 13 / 15
_USUAL_LIFE = 900


@dataclass(frozen=True)
class _Token:
    value: str = field(repr=False)
    good_until: float


class ChannelTokens:
    """One cached token per channel; threads that need a new one share one request."""

    def __init__(
        self, hosts: LineHosts, exchange: Exchange, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = f"{hosts.api}/oauth2/v3/token"
        self._exchange = exchange
        self._seconds = seconds
        self._tokens: dict[str, _Token] = {}
        self._flights: SingleFlight[str, str] = SingleFlight()

    def current(self, account: OfficialAccount) -> str:
        """A token of this account's channel; raises `LineRefused`, and then nothing was sent."""
        known = self._known(account)
        return known or self._flights.do(account.channel_id, lambda: self._renew(account))

    def forget(self, account: OfficialAccount, token: str) -> None:
        """Drop a token LINE refused, unless a newer one has taken its place."""
        held = self._tokens.get(account.channel_id)
        if held is not None and held.value == token:
            self._tokens.pop(account.channel_id, None)

    def _known(self, account: OfficialAccount) -> str | None:
        held = self._tokens.get(account.channel_id)
        return held.value if held is not None and self._seconds() < held.good_until else None

    def _renew(self, account: OfficialAccount) -> str:
        # Another thread's request may have landed between the look and the take-off.
        known = self._known(account)
        if known:
            return known
        asked_at = self._seconds()
        answer = self._issue(account)
        value, life = answer.body.get("access_token"), answer.body.get("expires_in", _USUAL_LIFE)
        if not answer.ok or not isinstance(value, str) or not value or not isinstance(life, int):
            raise LineRefused(fault_of(Call.SIGN_IN, answer))
        self._tokens[account.channel_id] = _Token(value, asked_at + life * _USED_SHARE)
        return value

    def _issue(self, account: OfficialAccount) -> Answer:
        fields = {
            "grant_type": "client_credentials",
            "client_id": account.channel_id,
            "client_secret": account.channel_secret,
        }
        try:
            return self._exchange.post_form(self._url, fields)
        except NoAnswer as silence:
            raise LineRefused(fault_of_silence(Call.SIGN_IN, silence)) from None
