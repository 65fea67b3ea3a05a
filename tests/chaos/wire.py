"""HTTP for many threads: each has connections of its own."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter

TIMEOUT = 10


class Wire:
    """Calls that end with an answer or None, never with an exception of the connection."""

    def __init__(self) -> None:
        self._own = threading.local()

    def call(self, method: str, url: str, **more: Any) -> requests.Response | None:
        """The answer; None where there was none."""
        try:
            return self._session.request(method, url, **{"timeout": TIMEOUT, **more})
        except requests.RequestException:
            return None

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            self._own.session.trust_env = False
            self._own.session.mount("http://", HTTPAdapter(max_retries=0))
        session: requests.Session = self._own.session
        return session


def signed(secret: str, content: dict[str, Any]) -> dict[str, Any]:
    """Body and headers of a webhook as LINE signs it."""
    body = json.dumps(content, ensure_ascii=False).encode()
    seal = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    return {"data": body, "headers": {"x-line-signature": seal, "Content-Type": "application/json"}}
