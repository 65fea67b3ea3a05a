"""What a user's approval gives an app: authorization codes and refresh tokens (facts section 1)."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from simulator.salesforce.accounts import Accounts, SignInRefused
from simulator.salesforce.credentials import App
from simulator.salesforce.sealed import Sealer

CODE_SECONDS = 15 * 60
CODE_PREFIX, REFRESH_PREFIX = "aPrx", "5Aep861"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval on its way to the app as a code."""

    client_id: str
    username: str
    redirect_uri: str
    challenge: str
    given: float


class Grants:
    """The approvals of this org's users."""

    def __init__(self, accounts: Accounts, clock: Callable[[], float] = time.time) -> None:
        self._accounts = accounts
        self._clock = clock
        self._codes: dict[str, Approval] = {}
        self._sealer = Sealer(accounts.credentials.session_key, "refresh")
        self._ended: set[str] = set()

    def approve(self, client_id: str, redirect_uri: str, challenge: str) -> str:
        """A code that tells an app of the agent's approval."""
        self.check_request(client_id, redirect_uri)
        code = CODE_PREFIX + secrets.token_urlsafe(40)
        username = self._accounts.credentials.agent.username
        self._codes[code] = Approval(client_id, username, redirect_uri, challenge, self._clock())
        return code

    def check_request(self, client_id: str, redirect_uri: str) -> None:
        """Refuse an unknown app, or a place no code may be sent to."""
        self._accounts.app(client_id)
        parts = urlsplit(redirect_uri)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise SignInRefused("redirect_uri_mismatch", "redirect_uri must match configuration")

    def redeem(self, app: App, code: str, redirect_uri: str, verifier: str) -> str:
        """The user whose approval a code stands for; a code works once."""
        approval = self._codes.pop(code, None)
        if approval is None or approval.client_id != app.client_id:
            raise SignInRefused("invalid_grant", "invalid authorization code")
        if self._clock() - approval.given > CODE_SECONDS:
            raise SignInRefused("invalid_grant", "expired authorization code")
        if approval.redirect_uri != redirect_uri:
            raise SignInRefused("redirect_uri_mismatch", "redirect_uri must match configuration")
        if approval.challenge and not _answers(approval.challenge, verifier):
            raise SignInRefused("invalid_grant", "invalid code verifier")
        return approval.username

    def refresh_token(self, app: App, username: str) -> str:
        """A new refresh token."""
        return REFRESH_PREFIX + self._sealer.wrap(app.client_id, username, secrets.token_hex(8))

    def refresh(self, app: App, token: str) -> tuple[str, str | None]:
        """The user of a refresh token, and the token that follows it where tokens rotate."""
        claims = self._claims(token)
        if claims is None or claims[0] != app.client_id:
            raise SignInRefused("invalid_grant", "expired access/refresh token")
        if not self._accounts.switches.rotate_refresh_tokens:
            return claims[1], None
        self._ended.add(token)
        return claims[1], self.refresh_token(app, claims[1])

    def owner(self, token: str) -> tuple[str, str] | None:
        """Client id and user of a good refresh token."""
        return self._claims(token)

    def end(self, token: str) -> None:
        """Make a refresh token useless."""
        self._ended.add(token)

    def _claims(self, token: str) -> tuple[str, str] | None:
        if not token.startswith(REFRESH_PREFIX) or token in self._ended:
            return None
        claims = self._sealer.unwrap(token.removeprefix(REFRESH_PREFIX))
        return None if claims is None else (claims[0], claims[1])


def _answers(challenge: str, verifier: str) -> bool:
    """Whether a PKCE verifier (S256) belongs to a challenge."""
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return hmac.compare_digest(made, challenge.rstrip("="))
