"""The simulator and the webhook receiver as tests speak to them."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import requests

from simulator.line.platform import Platform

TIMEOUT = 5
LIFF_ENDPOINT = "http://127.0.0.1:8400/liff"


@dataclass
class Receiver:
    """Stands where the connector's webhook would be."""

    url: str = ""
    status: int = 200
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for _, body in self.requests for event in json.loads(body)["events"]]

    def heard(self, count: int) -> list[dict[str, Any]]:
        """The events, as soon as there are so many: the page shows a word before it is delivered."""
        deadline = time.monotonic() + 10
        while len(self.events) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.events


class Line:
    """The simulator as a test speaks to it."""

    def __init__(self, url: str, platform: Platform) -> None:
        self.url = url
        self.platform = platform
        self.account = self.get("/_simulator/credentials").json()["official_accounts"][0]

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=TIMEOUT, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return requests.post(self.url + path, json=body, timeout=TIMEOUT, **options)

    def user(self, name: str = "小明", *, friend: bool = True) -> str:
        user_id = str(self.post("/_simulator/users", {"display_name": name}).json()["user_id"])
        if friend:
            self.happens(user_id, type="follow")
        return user_id

    def happens(self, user_id: str, **event: Any) -> Any:
        return self.post(f"/_simulator/users/{user_id}/events", event).json()

    def chat(self, user_id: str) -> Any:
        return self.get(f"/_simulator/users/{user_id}/chat").json()

    def fault(self, name: str, **wanted: Any) -> None:
        assert self.post("/_simulator/faults", {"fault": name, **wanted}).status_code == 201

    def token(self) -> str:
        answer = requests.post(
            f"{self.url}/oauth2/v3/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self.account["channel_id"],
                "client_secret": self.account["channel_secret"],
            },
            timeout=TIMEOUT,
        )
        return str(answer.json()["access_token"])

    def bot(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        given = {"Authorization": f"Bearer {self.token()}", **headers}
        return requests.request(
            method, f"{self.url}{path}", json=body, headers=given, timeout=TIMEOUT
        )

    def push(self, to: str, text: str = "hi", **headers: str) -> requests.Response:
        body = {"to": to, "messages": [{"type": "text", "text": text}]}
        return self.bot("POST", "/v2/bot/message/push", body, **headers)

    def reply(self, token: str, text: str = "hi") -> requests.Response:
        body = {"replyToken": token, "messages": [{"type": "text", "text": text}]}
        return self.bot("POST", "/v2/bot/message/reply", body)
