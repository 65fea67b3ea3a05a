"""Who may call: access tokens, and the sign-in flows that give them (facts section 1)."""

import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from simulator.salesforce.credentials import App, Credentials
from simulator.salesforce.errors import Refusal
from simulator.salesforce.ids import SHORT
from simulator.salesforce.sealed import Sealer
from simulator.salesforce.switches import Switches

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_MARK = "!AQ"
# The app behind `sf org login`: every org has it, and it keeps no secret.
COMMAND_LINE_APP = "PlatformCLI"


class SignInRefused(Exception):
    """A sign-in that OAuth answers with an error."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class Accounts:
    """The users' sessions. A token proves itself, so that it outlives a restart."""

    def __init__(self, credentials: Credentials, switches: Switches) -> None:
        self.credentials = credentials
        self.switches = switches
        command_line = App(credentials.agent.username, COMMAND_LINE_APP, "")
        self._apps = (credentials.agent, credentials.integration, command_line)
        self._sealer = Sealer(credentials.session_key, "session")
        self._ended: set[str] = set()
        self._last_used: dict[str, float] = {}
        self._agent_token = ""

    def start_session(self, username: str) -> str:
        """A new access token of a user."""
        text = self._sealer.wrap(username, str(int(time.time())), secrets.token_hex(6))
        return f"{self.credentials.organization_id[:SHORT]}{TOKEN_MARK}{text}"

    def agent_token(self) -> str:
        """The agent's access token, renewed when it was ended."""
        if not self._is_open(self._agent_token):
            self._agent_token = self.start_session(self.credentials.agent.username)
        return self._agent_token

    def username_of(self, token: str) -> str:
        """The user of an open session."""
        claims = self._claims(token)
        if claims is None or not self._is_open(token):
            raise Refusal("INVALID_SESSION_ID", "Session expired or invalid", status=401)
        self._last_used[token] = time.time()
        return claims[0]

    def is_open(self, token: str) -> bool:
        """Whether a token is one of an open session."""
        return self._is_open(token)

    def issued_at(self, token: str) -> int:
        """When a token was given, in epoch seconds."""
        claims = self._claims(token)
        return 0 if claims is None else claims[1]

    def end_session(self, token: str) -> None:
        """Make a token invalid, as revoking or expiry does."""
        self._ended.add(token)

    def app(self, client_id: str) -> App:
        """The app of a client id."""
        for each in self._apps:
            if hmac.compare_digest(each.client_id.encode(), client_id.encode()):
                return each
        raise SignInRefused("invalid_client_id", "client identifier invalid")

    def check_secret(self, app: App, secret: str) -> None:
        """Refuse a wrong client secret."""
        if not hmac.compare_digest(app.client_secret.encode(), secret.encode()):
            raise SignInRefused("invalid_client", "invalid client credentials")

    def by_assertion(self, assertion: str, audiences: frozenset[str]) -> App:
        """The app and user of a JWT bearer assertion.

        A far `exp` is taken: the Salesforce CLI writes it in milliseconds, and real orgs let it in.
        """
        try:
            unverified = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise SignInRefused("invalid_grant", "invalid assertion") from None
        app = self.app(str(unverified.get("iss", "")))
        if app.private_key is None:
            raise SignInRefused("invalid_grant", "user hasn't approved this consumer")
        claims = _verified(assertion, app.private_key)
        if str(claims["aud"]).rstrip("/") not in audiences:
            raise SignInRefused("invalid_grant", "audience is invalid")
        if claims["sub"] != app.username:
            raise SignInRefused("invalid_grant", "user hasn't approved this consumer")
        return app

    def by_password(self, app: App, username: str, password: str) -> None:
        """Refuse a wrong user name or password, and an app that the user has not approved."""
        self.check_password(username, password)
        if app is not self.credentials.agent:
            raise SignInRefused("invalid_grant", "user hasn't approved this consumer")

    def check_password(self, username: str, password: str) -> None:
        """Refuse a wrong user name or password; the security token may follow the password."""
        known = self.credentials
        right = (known.password, known.password + known.security_token)
        if username != known.agent.username or password not in right:
            raise SignInRefused("invalid_grant", "authentication failure")

    def _is_open(self, token: str) -> bool:
        claims = self._claims(token)
        if claims is None or token in self._ended:
            return False
        used = max(claims[1], self._last_used.get(token, 0))
        return time.time() - used < self.switches.session_seconds

    def _claims(self, token: str) -> tuple[str, int] | None:
        _, mark, text = token.partition(TOKEN_MARK)
        claims = self._sealer.unwrap(text) if mark else None
        return None if claims is None else (claims[0], int(claims[1]))


def _verified(assertion: str, private_key: str) -> Mapping[str, Any]:
    key = load_pem_private_key(private_key.encode(), password=None).public_key()
    if not isinstance(key, RSAPublicKey):
        raise TypeError("the app's key is not an RSA key")
    try:
        claims: Mapping[str, Any] = jwt.decode(
            assertion,
            key,
            algorithms=["RS256"],
            options={"verify_aud": False, "require": ["iss", "sub", "aud", "exp"]},
        )
    except jwt.InvalidTokenError:
        raise SignInRefused("invalid_grant", "invalid assertion") from None
    return claims
