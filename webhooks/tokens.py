"""Who a request speaks for: `Authorization: Bearer <LIFF id token>`, and nothing else it says."""

from __future__ import annotations

from connector.line.identity import Identity
from webhooks.problems import Problem
from webhooks.web import Verifier


def identify(verifier: Verifier, authorization: str) -> Identity:
    """The identity behind an Authorization header; raises `token_missing` and its like."""
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem("token_missing")
    return verifier.verify(token.strip())
