"""LINE as its users see it: a phone, a chat, the forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import requests

from tests.acceptance.waiting import until

TIMEOUT = 30


class Line:
    """The LINE simulator's controls, and the connector's address for those who open its forms."""

    def __init__(self, url: str, connector_url: str) -> None:
        self.url = url
        self.connector_url = connector_url
        self.http = requests.Session()
        self.http.trust_env = False

    def control(self, method: str, path: str, **more: Any) -> Any:
        """A call of the simulator's control endpoints."""
        answer = self.http.request(method, f"{self.url}/_simulator{path}", timeout=TIMEOUT, **more)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def customer(self, display_name: str, language: str = "zh-TW") -> Customer:
        """A LINE user who is nobody's friend yet."""
        body = {"display_name": display_name, "language": language}
        return Customer(self, self.control("POST", "/users", json=body)["user_id"], display_name)

    def account(self) -> dict[str, Any]:
        """The official account."""
        accounts: list[dict[str, Any]] = self.control("GET", "/credentials")["official_accounts"]
        return accounts[0]

    def sends(self, since: int = 0) -> list[dict[str, Any]]:
        """The connector's calls that send messages."""
        calls = self.control("GET", f"/calls?since={since}")
        return [call for call in calls if call["path"].startswith("/v2/bot/message/")]

    def fault(
        self, name: str, times: int = 1, path: str = "/v2/bot/message/*", **params: Any
    ) -> None:
        """Let the next calls to LINE go wrong."""
        body = {"fault": name, "times": times, "match": {"path": path}, "params": params}
        self.control("POST", "/faults", json=body)

    def no_faults(self) -> None:
        """Let all go well again."""
        self.control("DELETE", "/faults")


@dataclass
class Customer:
    """One person with a phone."""

    line: Line
    user_id: str
    display_name: str

    def does(self, kind: str, **event: Any) -> dict[str, Any]:
        """Something happens on the phone; every delivery of its webhook must be accepted."""
        path = f"/users/{self.user_id}/events"
        told: dict[str, Any] = self.line.control("POST", path, json={"type": kind, **event})
        assert all(one["status"] == 200 for one in told["deliveries"]), told
        return told

    def follows(self) -> None:
        """Adds the official account."""
        self.does("follow")

    def consents(self) -> None:
        """Taps the greeting's button."""
        self.does("postback", data="consent:service")

    def writes(self, text: str) -> None:
        """Types into the chat."""
        self.does("message", text=text)

    def blocks(self) -> None:
        """Blocks the official account."""
        self.does("unfollow")

    def chat(self) -> list[dict[str, Any]]:
        """What the official account has sent, oldest first."""
        items = self.line.control("GET", f"/users/{self.user_id}/chat")
        return [item for item in items if item["direction"] == "out"]

    def received(self, words: str, after: int = 0, seconds: float = 30) -> dict[str, Any]:
        """Wait for a message with these words, later than `after` (a seq)."""

        def look() -> dict[str, Any] | None:
            later = (item for item in self.chat() if item["seq"] > after)
            return next((item for item in later if words in (item["text"] or "")), None)

        found = until(look, f"{self.display_name} receives {words!r}", seconds)
        assert found is not None
        return found

    def last(self) -> int:
        """The seq of the newest message."""
        return max((item["seq"] for item in self.chat()), default=0)

    def api(
        self, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> requests.Response:
        """A call as our pages make it."""
        token = self.line.control("POST", f"/users/{self.user_id}/id-token")["id_token"]
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "zh-TW"}
        if method == "POST":
            headers["Idempotency-Key"] = key or str(uuid4())
        return self.line.http.request(
            method,
            f"{self.line.connector_url}/liff/api{path}",
            json=body,
            headers=headers,
            timeout=TIMEOUT,
        )

    def me(self) -> dict[str, Any]:
        """What the forms know of this person."""
        found: dict[str, Any] = answered(self.api("GET", "/me"), 200)
        return found

    def binds(self, name: str, phone: str, email: str | None = None) -> str:
        """Fills the form, reads the text message, types the code; the member's id."""
        form = {"name": name, "phone": phone, "consents": [{"purpose": "service", "version": "1"}]}
        form |= {"email": email} if email else {}
        begun = answered(self.api("POST", "/bindings", form), 202)
        path = f"/bindings/{begun['challenge_id']}/confirm"
        confirmed = answered(self.api("POST", path, {"code": self.code(phone)}), 200)
        member_id: str = confirmed["member_id"]
        return member_id

    def code(self, phone: str) -> str:
        """The one-time code of the newest text message."""
        number = "+886" + phone.replace(" ", "").lstrip("+").removeprefix("886").lstrip("0")
        sent = self.line.control("GET", "/sms", params={"phone": number})
        digits = re.findall(r"(?<!\d)\d{6}(?!\d)", sent[-1]["text"])
        assert len(digits) == 1, sent[-1]
        return str(digits[0])

    def registers(self, code: str, bought: str, shop: str = "台北門市", status: int = 201) -> Any:
        """Sends the registration form; the answer's body."""
        form = {"code": code, "purchased_on": bought, "shop": shop}
        return answered(self.api("POST", "/registrations", form), status)

    def asks_for_repair(self, **form: Any) -> str:
        """Sends the repair form; the request's id."""
        made = answered(self.api("POST", "/repair-requests", form), 201)
        request_id: str = made["repair_request_id"]
        return request_id

    def requests(self) -> list[dict[str, Any]]:
        """What “my requests” shows."""
        found: list[dict[str, Any]] = answered(self.api("GET", "/repair-requests"), 200)
        return found

    def unbinds(self) -> None:
        """Lets go of the membership."""
        answered(self.api("DELETE", "/bindings/me"), 204)


def answered(answer: requests.Response, status: int) -> Any:
    """The body of an answer that must have this status."""
    where = f"{answer.request.method} {answer.request.path_url}"
    assert answer.status_code == status, f"{where}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None
