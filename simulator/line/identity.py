"""ID tokens of LINE Login: ES256 JWTs, the keys to check them, and LINE's own verify rules."""

import time
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from simulator.line.accounts import OfficialAccount, Provider

if TYPE_CHECKING:
    from jwt.types import Options

ISSUER = "https://access.line.me"
LIFETIME = 3600


class InvalidIdToken(Exception):
    """LINE's `error_description` for an ID token it does not accept."""


class Identity:
    """Signs and verifies the ID tokens of one provider."""

    def __init__(self, provider: Provider) -> None:
        key = load_pem_private_key(provider.signing_key.encode(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise TypeError("the signing key is not an elliptic curve key")
        self._key = key
        self._key_id = provider.key_id

    def id_token(
        self,
        account: OfficialAccount,
        user_id: str,
        name: str,
        *,
        expires_in: int = LIFETIME,
        nonce: str | None = None,
    ) -> str:
        """An ID token for a person, as `liff.getIDToken()` gives it; `expires_in` in seconds."""
        issued = int(time.time())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": user_id,
            "aud": account.login_channel_id,
            "exp": issued + expires_in,
            "iat": issued,
            "amr": ["linesso"],
            "name": name,
        }
        if nonce is not None:
            claims["nonce"] = nonce
        return jwt.encode(claims, self._key, "ES256", {"kid": self._key_id})

    def certs(self) -> dict[str, Any]:
        """The JSON Web Key Set of `GET /oauth2/v2.1/certs`."""
        key = jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": self._key_id, "alg": "ES256", "use": "sig"}]}

    def verify(
        self, token: str, client_id: str, *, nonce: str | None = None, user_id: str | None = None
    ) -> dict[str, Any]:
        """The claims of a good token, else `InvalidIdToken` with LINE's text."""
        claims = self._claims(token)
        if claims["iss"] != ISSUER:
            raise InvalidIdToken("Invalid IdToken Issuer.")
        if claims["exp"] <= time.time():
            raise InvalidIdToken("IdToken expired.")
        if claims["aud"] != client_id:
            raise InvalidIdToken("Invalid IdToken Audience.")
        if nonce is not None and claims.get("nonce") != nonce:
            raise InvalidIdToken("Invalid IdToken Nonce.")
        if user_id is not None and claims["sub"] != user_id:
            raise InvalidIdToken("Invalid IdToken Subject Identifier.")
        return claims

    def _claims(self, token: str) -> dict[str, Any]:
        # Each of these has its own text at LINE, so they are checked one by one afterwards.
        unchecked: Options = {"verify_exp": False, "verify_aud": False, "verify_iat": False}
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["ES256"],
                options=unchecked,
            )
        except jwt.InvalidTokenError as problem:
            raise InvalidIdToken("Invalid IdToken.") from problem
        return claims
