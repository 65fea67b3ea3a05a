"""A running site: the web application in a thread, spoken to over HTTP."""

from __future__ import annotations

import hmac
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import sleep
from typing import Any

import requests
import uvicorn
from starlette.applications import Starlette

from connector.errors import ConnectorError
from connector.line.accounts import OfficialAccount
from connector.line.identity import Identity, TokenExpired, TokenInvalid
from webhooks.__main__ import listen

OA = "U" + "a" * 32
ACCOUNT = OfficialAccount(
    provider_id="1",
    bot_user_id=OA,
    basic_id="@sim",
    channel_id="100",
    channel_secret="secret",
    previous_channel_secret="earlier",
    login_channel_id="200",
    liff_id="200-abc",
)


@dataclass
class Vouching:
    """Takes `token-NAME` for NAME's token."""

    def verify(self, id_token: str) -> Identity:
        """Whom a token stands for."""
        kind, _, name = id_token.partition("-")
        if kind == "expired":
            raise TokenExpired
        if kind != "token":
            raise TokenInvalid("made up")
        until = datetime.now(UTC) + timedelta(hours=1)
        return Identity("1", name, name.title(), ACCOUNT, until)


@dataclass
class Phones:
    """Keeps the text messages; `broken` makes the gateway fail."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False

    def send(self, to: str, text: str) -> None:
        """Deliver a text."""
        if self.broken:
            raise ConnectorError("sms_unavailable", "the gateway does not answer")
        self.texts.append((to, text))

    @property
    def code(self) -> str:
        """The newest one-time code."""
        return "".join(filter(str.isdigit, self.texts[-1][1]))[:6]


@dataclass
class Site:
    """Where the application answers, and who talks to it."""

    url: str
    phones: Phones
    session: requests.Session = field(default_factory=requests.Session)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        who: str = "token-ann",
        key: str | None = None,
        language: str = "en",
        **more: Any,
    ) -> requests.Response:
        """One call of the LIFF API."""
        headers = {"Authorization": f"Bearer {who}", "Accept-Language": language}
        if key:
            headers["Idempotency-Key"] = key
        url = f"{self.url}/liff/api{path}"
        return requests.request(method, url, json=body, headers=headers, timeout=20, **more)

    def post(self, path: str, body: object, **more: Any) -> requests.Response:
        """One POST of the LIFF API."""
        return self.call("POST", path, body, **more)

    def get(self, path: str, **more: Any) -> Any:
        """What a GET of the LIFF API tells."""
        answer = self.call("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def bind(self, who: str = "token-ann", phone: str = "0912-345-678") -> str:
        """Bind a person; gives the member's id."""
        consents = [{"purpose": "service", "version": "1"}]
        form = {"name": "王小明", "phone": phone, "consents": consents}
        begun = self.post("/bindings", form, who=who).json()
        path = f"/bindings/{begun['challenge_id']}/confirm"
        return str(self.post(path, {"code": self.phones.code}, who=who).json()["member_id"])

    def deliver(self, body: object, secret: str = "secret", **headers: str) -> requests.Response:
        """One delivery of LINE; bytes are sent as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"x-line-signature": sign(raw, secret), **headers}
        return self.session.post(f"{self.url}/webhooks/line", raw, headers=headers, timeout=20)


def sign(raw: bytes, secret: str) -> str:
    """The signature of a body."""
    return b64encode(hmac.digest(secret.encode(), raw, sha256().name)).decode()


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """The address of an application that runs for the length of a block."""
    door = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        sleep(0.005)
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        door.close()
