"""Who signed a webhook body: `x-line-signature` = Base64(HMAC-SHA256(channel secret, raw body))."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable

from connector.line.accounts import OfficialAccount


def signed_by(
    accounts: Iterable[OfficialAccount], body: bytes, signature: str
) -> OfficialAccount | None:
    """The account whose secret, or previous secret, signs these raw bytes, if any."""
    given = signature.encode("utf-8", "surrogatepass")
    for account in accounts:
        for secret in (account.channel_secret, account.previous_channel_secret):
            # An unset secret must never verify: anyone can sign with an empty key.
            if secret and hmac.compare_digest(_signature(secret, body), given):
                return account
    return None


def _signature(secret: str, body: bytes) -> bytes:
    return b64encode(hmac.digest(secret.encode(), body, "sha256"))
