"""Who a LIFF page speaks for: its ID token, verified by LINE, never what the page says.

Protocol: `POST /oauth2/v2.1/verify` of the LINE Login API.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from threading import Lock
from typing import Any

from connector.errors import ConnectorError
from connector.line.accounts import LineHosts, OfficialAccount
from connector.line.exchange import Answer, Exchange, NoAnswer, Timeout
from connector.line.flight import SingleFlight

_TIMEOUT = Timeout(connect=2.0, read=4.0)
_TRIES = 3
_LONGEST_TOKEN = 8192
_KEPT = 10_000


class TokenMissing(ConnectorError):
    """The request carries no ID token."""

    def __init__(self) -> None:
        super().__init__("token_missing", "no LINE ID token was sent", "Open the page from LINE.")


class TokenInvalid(ConnectorError):
    """LINE, or the token's own shape, says that it is not one of ours."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "token_invalid",
            f"the LINE ID token is not valid: {why}",
            "Open the page from LINE again.",
        )


class TokenExpired(ConnectorError):
    """The ID token's hour is over."""

    def __init__(self) -> None:
        super().__init__(
            "token_expired", "the LINE ID token has expired", "Close the page and open it again."
        )


class VerifierUnavailable(ConnectorError):
    """LINE could not be asked just now; `retry_after` is in seconds."""

    retry_after = 5

    def __init__(self, why: str) -> None:
        super().__init__("try_later", f"LINE cannot verify ID tokens now: {why}", "Try again soon.")


class _AskAgain(Exception):
    """LINE has no answer yet that settles anything."""


@dataclass(frozen=True)
class Identity:
    """A person, as LINE vouches until `expires_at`; `account` is whose LIFF app was open."""

    provider_id: str
    user_id: str
    name: str | None
    account: OfficialAccount
    expires_at: datetime


class IdTokenVerifier:
    """Verifies ID tokens, each once: identities are kept by the token's hash until it expires.

    Accounts that share a LINE Login channel cannot be told apart by a token; the first counts.
    """

    def __init__(
        self,
        accounts: Iterable[OfficialAccount],
        hosts: LineHosts,
        clock: Callable[[], datetime],
        timeout: Timeout = _TIMEOUT,
    ) -> None:
        self._accounts: dict[str, OfficialAccount] = {}
        for account in accounts:
            self._accounts.setdefault(account.login_channel_id, account)
        self._url = f"{hosts.api}/oauth2/v2.1/verify"
        self._clock = clock
        self._exchange = Exchange(timeout)
        self._kept = _Kept(_KEPT)
        self._flights: SingleFlight[bytes, Identity] = SingleFlight()

    def verify(self, id_token: str) -> Identity:
        """Whom this token stands for, or one of this module's four errors."""
        if not id_token:
            raise TokenMissing
        account = self._audience(id_token)
        digest = sha256(id_token.encode()).digest()
        known = self._kept.get(digest)
        found = known or self._flights.do(digest, lambda: self._look_up(digest, id_token, account))
        if found.expires_at <= self._clock():
            raise TokenExpired
        return found

    def _audience(self, id_token: str) -> OfficialAccount:
        # Unverified claims only choose whom LINE is asked about; LINE then checks them.
        claims = _claims(id_token)
        audience, expires = claims.get("aud"), claims.get("exp")
        account = self._accounts.get(audience) if isinstance(audience, str) else None
        if account is None:
            raise TokenInvalid("it is meant for another LINE Login channel")
        if isinstance(expires, int) and expires <= self._clock().timestamp():
            raise TokenExpired
        return account

    def _look_up(self, digest: bytes, id_token: str, account: OfficialAccount) -> Identity:
        known = self._kept.get(digest)
        if known is not None:
            return known
        answer = self._patiently_ask(id_token, account)
        if not answer.ok:
            raise _refusal(answer)
        identity = _identity(answer.body, account)
        self._kept.put(digest, identity)
        return identity

    def _patiently_ask(self, id_token: str, account: OfficialAccount) -> Answer:
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

        patience = Retrying(
            retry=retry_if_exception_type(_AskAgain),
            stop=stop_after_attempt(_TRIES),
            wait=wait_random(0.1, 0.4),
            reraise=True,
        )
        try:
            return patience(self._ask, id_token, account)
        except _AskAgain as last:
            raise VerifierUnavailable(str(last)) from None

    def _ask(self, id_token: str, account: OfficialAccount) -> Answer:
        fields = {"id_token": id_token, "client_id": account.login_channel_id}
        try:
            answer = self._exchange.post_form(self._url, fields)
        except NoAnswer as silence:
            raise _AskAgain(silence.cause) from None
        if answer.ok or answer.status == 400:
            return answer
        raise _AskAgain(f"status {answer.status}")


class _Kept:
    """The identities used last, up to a number of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._identities: OrderedDict[bytes, Identity] = OrderedDict()

    def get(self, digest: bytes) -> Identity | None:
        with self._lock:
            if digest in self._identities:
                self._identities.move_to_end(digest)
            return self._identities.get(digest)

    def put(self, digest: bytes, identity: Identity) -> None:
        with self._lock:
            self._identities[digest] = identity
            if len(self._identities) > self._most:
                self._identities.popitem(last=False)


def _claims(id_token: str) -> Mapping[str, Any]:
    parts = id_token.split(".")
    if len(parts) != 3 or len(id_token) > _LONGEST_TOKEN or not id_token.isascii():
        raise TokenInvalid("it is not a JSON Web Token")
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        raise TokenInvalid("it cannot be read") from None
    if not isinstance(claims, dict):
        raise TokenInvalid("it holds no claims")
    return claims


def _identity(claims: Mapping[str, Any], account: OfficialAccount) -> Identity:
    user_id, expires, name = claims.get("sub"), claims.get("exp"), claims.get("name")
    if claims.get("aud") != account.login_channel_id or not isinstance(user_id, str) or not user_id:
        raise TokenInvalid("LINE vouches for someone else")
    if not isinstance(expires, int):
        raise TokenInvalid("LINE names no end of it")
    return Identity(
        account.provider_id,
        user_id,
        name if isinstance(name, str) else None,
        account,
        datetime.fromtimestamp(expires, UTC),
    )


def _refusal(answer: Answer) -> ConnectorError:
    said = str(answer.body.get("error_description", ""))
    if "expired" in said.lower():
        return TokenExpired()
    return TokenInvalid(said.rstrip(".") or "LINE refused it")
