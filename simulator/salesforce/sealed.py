"""Texts that prove themselves: sealed with the org's key, so that nothing need be kept of them."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

SEAL_BYTES = 16
SEPARATOR = "|"


class Sealer:
    """Makes and checks sealed texts of one kind."""

    def __init__(self, key: str, kind: str) -> None:
        self._key = f"{kind}{SEPARATOR}{key}".encode()

    def wrap(self, *claims: str) -> str:
        """A text of letters, digits, `-`, `_` and `.` that holds the claims."""
        content = SEPARATOR.join(claims).encode()
        text = base64.urlsafe_b64encode(self._seal(content) + content).decode()
        return text.replace("=", ".")

    def unwrap(self, text: str) -> Sequence[str] | None:
        """The claims of a sealed text, or None where the seal is not ours."""
        try:
            sealed = base64.urlsafe_b64decode(text.replace(".", "=").encode())
        except ValueError:
            return None
        seal, content = sealed[:SEAL_BYTES], sealed[SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(content)):
            return None
        return content.decode().split(SEPARATOR)

    def _seal(self, content: bytes) -> bytes:
        return hmac.new(self._key, content, hashlib.sha256).digest()[:SEAL_BYTES]
