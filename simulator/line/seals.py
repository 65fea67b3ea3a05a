"""Opaque tokens that carry their own facts, so that they outlive a restart without being stored."""

import base64
import hmac
import time
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Token:
    """An opened token: what it is for, its facts, and the seconds it still lives."""

    kind: str
    facts: dict[str, Any]
    expires_in: int


class ExpiredToken(Exception):
    """The token was ours and is too old."""


class Seal:
    """Makes and opens tokens with one secret key (HMAC-SHA256)."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def token(self, kind: str, lifetime: int, **facts: Any) -> str:
        """A token of that kind, good for `lifetime` seconds."""
        expires = time.time() + lifetime
        body = _encode(orjson.dumps({"kind": kind, "exp": expires, "facts": facts}))
        return f"{body}.{self._mac(body)}"

    def open(self, token: str, kind: str) -> Token | None:
        """The facts of a token of that kind, None when it is not ours; may raise `ExpiredToken`."""
        body, _, mac = token.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(body).encode()):
            return None
        content = orjson.loads(_decode(body))
        if content["kind"] != kind:
            return None
        left = content["exp"] - time.time()
        if left <= 0:
            raise ExpiredToken(kind)
        return Token(kind, content["facts"], int(left))

    def _mac(self, body: str) -> str:
        return _encode(hmac.digest(self._key, body.encode(), "sha256"))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
