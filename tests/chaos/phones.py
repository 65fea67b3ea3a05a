"""The people's phones: events that LINE delivers until they are answered, forms that are sent until they are.

Redelivery is switched on, as far as LINE is concerned: an event without a 200 comes again under
its id. A form comes again under its key, as our pages send it.
"""

from __future__ import annotations

import random
import re
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.acceptance.waiting import until
from tests.chaos.diary import Diary, Person
from tests.chaos.wire import Wire, signed

PATIENCE = 240.0
PAUSE = 0.4
SMS_WITHIN = 4.0
DUPLICATES_OF_100 = 3
PASSING = {429, 500, 502, 503, 504}


class Refused(AssertionError):
    """The connector does not take what it should."""


class Phones:
    """Everything that a person's phone can do."""

    def __init__(self, line_url: str, connector_url: str, diary: Diary, rng: random.Random) -> None:
        self._line = line_url
        self._connector = connector_url
        self._diary = diary
        self._rng = rng
        self._wire = Wire()
        self._tokens: dict[str, str] = {}
        self._account = self.control("GET", "/credentials")["official_accounts"][0]

    def control(self, method: str, path: str, **more: Any) -> Any:
        """A call of the LINE simulator's controls."""
        answer = self._wire.call(method, f"{self._line}/_simulator{path}", **more)
        assert answer is not None, f"{method} {path}: the LINE simulator does not answer"
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def join(self, person: Person) -> None:
        """Become a LINE user."""
        body = {"display_name": person.display_name, "language": "zh-TW"}
        person.user_id = self.control("POST", "/users", json=body)["user_id"]

    def chat(self, person: Person) -> list[dict[str, Any]]:
        """What this person was told, oldest first."""
        items = self.control("GET", f"/users/{person.user_id}/chat")
        return [item for item in items if item["direction"] == "out"]

    # -- events

    def event(self, person: Person, kind: str, **facts: Any) -> None:
        """Something happens in the chat; it is delivered until it is answered 200."""
        at = int(time.time() * 1000)
        twice = self._rng.randrange(100) < DUPLICATES_OF_100
        body = {"type": kind, "duplicate": twice, **facts}
        told = self.control("POST", f"/users/{person.user_id}/events", json=body)
        self._diary.sent[kind] += 1
        if any(one["status"] == 200 for one in told["deliveries"]):
            return
        self._redeliver(person, kind, facts, told["webhook_event_id"], at)

    def _redeliver(
        self, person: Person, kind: str, facts: dict[str, Any], event_id: str, at: int
    ) -> None:
        event = {
            "type": kind,
            "webhookEventId": event_id,
            "deliveryContext": {"isRedelivery": True},
            "timestamp": at,
            "mode": "active",
            "source": {"type": "user", "userId": person.user_id},
            **_contents(kind, facts, event_id),
        }
        content = {"destination": self._account["bot_user_id"], "events": [event]}
        request = signed(self._account["channel_secret"], content)
        deadline = time.monotonic() + PATIENCE
        while True:
            time.sleep(PAUSE)
            answer = self._wire.call("POST", f"{self._connector}/webhooks/line", **request)
            self._diary.redelivered += 1
            if answer is not None and answer.status_code == 200:
                return
            if time.monotonic() > deadline:
                raise Refused(f"event {event_id} ({kind}) was never answered 200: {answer}")

    # -- forms

    def get(self, person: Person, path: str) -> Any:
        """What a form shows."""
        return self._form(person, "GET", path, None, {200})

    def post(self, person: Person, path: str, body: dict[str, Any], *wanted: int) -> Any:
        """Send a form until it is answered, always under the same key."""
        self._diary.sent[path.split("/")[1] + (".confirm" if "confirm" in path else "")] += 1
        return self._form(person, "POST", path, body, set(wanted))

    def _form(self, person: Person, method: str, path: str, body: Any, wanted: set[int]) -> Any:
        headers = {"Authorization": f"Bearer {self._token(person)}", "Accept-Language": "zh-TW"}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        deadline = time.monotonic() + PATIENCE
        url = f"{self._connector}/liff/api{path}"
        while True:
            answer = self._wire.call(method, url, json=body, headers=headers)
            if answer is not None and answer.status_code not in PASSING:
                break
            self._diary.repeated += 1
            if time.monotonic() > deadline:
                raise Refused(f"{method} {path} was never taken: {answer and answer.text}")
            rest = float(answer.headers.get("Retry-After", PAUSE)) if answer is not None else PAUSE
            time.sleep(min(rest, 61.0))
        if answer.status_code not in wanted:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def _token(self, person: Person) -> str:
        if person.user_id not in self._tokens:
            told = self.control("POST", f"/users/{person.user_id}/id-token")
            self._tokens[person.user_id] = told["id_token"]
        return self._tokens[person.user_id]

    # -- the binding, whose code comes by text message

    def bind(self, person: Person, *, wrong: bool, email: bool) -> None:
        """Fill the form, read the text message, type the code; perhaps a wrong one first."""
        form: dict[str, Any] = {"name": person.name, "phone": person.phone}
        form["consents"] = [{"purpose": "service", "version": "1"}]
        if email:
            form["email"] = person.email
        else:
            person.email = ""
        code, challenge = self._code(person, form)
        path = f"/bindings/{challenge}/confirm"
        if wrong:
            self.post(person, path, {"code": f"{(int(code) + 1) % 1_000_000:06}"}, 422)
        self.post(person, path, {"code": code}, 200)
        person.bound_at = datetime.now(UTC)

    def _code(self, person: Person, form: dict[str, Any]) -> tuple[str, str]:
        """The code of the newest text message; another is asked for where none came."""
        for _ in range(3):
            before = len(self._texts(person))
            challenge = self.post(person, "/bindings", form, 202)["challenge_id"]
            try:
                text = until(lambda: self._texts(person)[before:], "the code", SMS_WITHIN)[-1]
            except AssertionError:
                continue
            return re.findall(r"(?<!\d)\d{6}(?!\d)", text["text"])[0], challenge
        raise Refused(f"no one-time code came to {person.phone} in three attempts")

    def _texts(self, person: Person) -> list[dict[str, Any]]:
        number = "+886" + person.phone[1:]
        found: list[dict[str, Any]] = self.control("GET", "/sms", params={"phone": number})
        return found


def _contents(kind: str, facts: dict[str, Any], event_id: str) -> dict[str, Any]:
    if kind == "message":
        return {"message": {"type": "text", "id": event_id, "text": facts["text"]}}
    if kind == "postback":
        return {"postback": {"data": facts["data"]}}
    return {"follow": facts["follow"]} if kind == "follow" else {}
