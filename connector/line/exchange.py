"""HTTP calls outside the SDK: one request, always with a timeout, never retried or redirected here.

Answers of any status are values. No answer is an error that says whether the request may
have left, because that decides whether it may be sent again. Error texts name no address,
since addresses hold user ids.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import urllib3

CALLS_AT_ONCE = 16  # LINE takes one message a call, so a sender has many under way
_LONGEST_TEXT = 500


@dataclass(frozen=True)
class Timeout:
    """Seconds until connected, and between two bytes of the answer."""

    connect: float = 2.0
    read: float = 10.0


@dataclass(frozen=True)
class Answer:
    """What came back; header names are lower case, `body` is empty unless it was a JSON object."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    text: str

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status <= 299


class NoAnswer(Exception):
    """The connection failed, broke or timed out; `left` unless the request surely never left."""

    def __init__(self, cause: str, *, left: bool) -> None:
        super().__init__(cause)
        self.cause = cause
        self.left = left


def read_answer(status: int, headers: Mapping[str, str], data: bytes | str | None) -> Answer:
    """An answer out of its raw parts, whatever the data holds."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data or ""
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    lower = {name.lower(): value for name, value in headers.items()}
    return Answer(status, lower, body if isinstance(body, dict) else {}, text[:_LONGEST_TEXT])


def no_answer(error: urllib3.exceptions.HTTPError) -> NoAnswer:
    """What a urllib3 error means: only failures to connect prove that nothing left."""
    from urllib3 import exceptions

    reason = getattr(error, "reason", None) or error
    never_left = (
        exceptions.NewConnectionError,
        exceptions.ConnectTimeoutError,
        exceptions.ProxyError,
    )
    untrusted = bool(reason.args) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return NoAnswer(type(reason).__name__, left=not (untrusted or isinstance(reason, never_left)))


class Exchange:
    """A pool of kept connections; safe to share between threads, opened at the first call."""

    def __init__(self, timeout: Timeout | None = None) -> None:
        self._timeout = timeout or Timeout()

    def post_form(self, url: str, fields: Mapping[str, str]) -> Answer:
        """POST `application/x-www-form-urlencoded`; raises `NoAnswer`."""
        return self._send("POST", url, fields=dict(fields), encode_multipart=False)

    def post_json(self, url: str, body: Mapping[str, Any], token: str) -> Answer:
        """POST `application/json` with a Bearer token; raises `NoAnswer`."""
        return self._send(
            "POST",
            url,
            body=json.dumps(body, ensure_ascii=False).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        import urllib3

        # Without retries urllib3 follows no redirect either, so no token goes to another host.
        timeout = urllib3.Timeout(connect=self._timeout.connect, read=self._timeout.read)
        return urllib3.PoolManager(maxsize=CALLS_AT_ONCE, retries=False, timeout=timeout)

    def _send(self, method: str, url: str, **request: Any) -> Answer:
        pool = self._pool
        from urllib3.exceptions import HTTPError

        try:
            response = pool.request(method, url, **request)
        except HTTPError as error:
            raise no_answer(error) from None
        return read_answer(response.status, response.headers, response.data)
