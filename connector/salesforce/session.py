"""The one `requests` session of an org: timeouts, headers, token, usage and clock in one place.

simple-salesforce sends every call through `session.request`, so this class is the whole
client policy; the library's own sign-in stays unused, for it is neither single-flight nor
bounded.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from connector.salesforce.access import OrgAccess
from connector.salesforce.signin import Grant, sign_in

_USAGE = re.compile(r"(?<!-)api-usage=(\d+)/(\d+)")


@dataclass(frozen=True)
class Exchange:
    """What the last answer of this thread said; `elapsed` in seconds, `date` by the org's clock."""

    date: datetime
    elapsed: float
    retry_after: float | None


class Plain(HTTPAdapter):
    """Speaks http where simple-salesforce insists on https (an org simulator on this machine)."""

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send without TLS."""
        request.url = (request.url or "").replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


class OrgSession(requests.Session):
    """A session that signs in by itself and replays a call once after a 401."""

    def __init__(self, access: OrgAccess) -> None:
        super().__init__()
        self.trust_env = False  # else REQUESTS_CA_BUNDLE and proxies of the shell win over ours
        self._access = access
        self._grant: Grant | None = None
        self._lock = threading.Lock()
        self._seen = threading.local()
        self._usage: tuple[int, int] | None = None
        self._door = requests.Session()
        self._door.trust_env = False
        if access.ca_file:
            self.verify = self._door.verify = access.ca_file
        self.mount("https://", HTTPAdapter(pool_maxsize=access.pool_size, pool_block=True))

    def request(  # type: ignore[override]
        self, method: str, url: str, **kwargs: Any
    ) -> requests.Response:
        """Send with our token and headers; on 401 get one new token and send once more."""
        kwargs.setdefault("timeout", self._access.timeout)
        own: Mapping[str, Any] = kwargs.pop("headers", None) or {}
        grant = self.grant()
        answer = super().request(method, url, headers=self._headers(own, grant), **kwargs)
        self._note(answer)
        if answer.status_code != 401:
            return answer
        answer.close()
        grant = self.grant(stale=grant)
        answer = super().request(method, url, headers=self._headers(own, grant), **kwargs)
        self._note(answer)
        return answer

    def grant(self, stale: Grant | None = None) -> Grant:
        """The token in use; a new one when there is none or this is `stale`, by one sign-in."""
        current = self._grant
        if current is not None and current is not stale:
            return current
        with self._lock:
            if self._grant is None or self._grant is stale:
                self._grant = sign_in(self._access, self._door)
                self._reach(self._grant.instance_url)
            return self._grant

    @property
    def usage(self) -> tuple[int, int] | None:
        """(used, limit) API calls of the rolling 24 hours, as last told."""
        return self._usage

    @property
    def last(self) -> Exchange:
        """The last exchange of this thread."""
        seen: Exchange | None = getattr(self._seen, "exchange", None)
        return seen or Exchange(datetime.now(UTC), 0.0, None)

    def _reach(self, instance_url: str) -> None:
        if instance_url.startswith("http://"):
            plain = Plain(pool_maxsize=self._access.pool_size, pool_block=True)
            self.mount(instance_url.replace("http://", "https://", 1), plain)

    def _headers(self, own: Mapping[str, Any], grant: Grant) -> dict[str, Any]:
        return {
            **{name: value for name, value in own.items() if name != "X-PrettyPrint"},
            "Sforce-Call-Options": f"client={self._access.client_name}",
            "User-Agent": self._access.client_name,
            "Authorization": f"Bearer {grant.token}",
        }

    def _note(self, answer: requests.Response) -> None:
        used = _USAGE.search(answer.headers.get("Sforce-Limit-Info", ""))
        if used:
            self._usage = (int(used[1]), int(used[2]))
        self._seen.exchange = Exchange(
            date=_moment(answer.headers.get("Date")) or datetime.now(UTC),
            elapsed=answer.elapsed.total_seconds(),
            retry_after=_seconds(answer.headers.get("Retry-After")),
        )


def _moment(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except ValueError:
        return None


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    at = _moment(text)
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at else None
