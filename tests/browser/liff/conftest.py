"""The LIFF pages on a real server, with LINE's SDK and the JSON API answered in the browser."""

import json
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.applications import Starlette

from tests.browser.conftest import BrowserPage
from webhooks.pages.app import PageSettings, page_routes

SDK_URL = "https://sdk.line.test/liff/sdk.js"
WAITS_S = 10
PRODUCT = {"sku": "AC-100", "name": "靜音變頻冷氣 AC-100"}
MEMBER = {
    "member_id": "0193-m",
    "name": "王小明",
    "phone": "+886912345678",
    "email": "ming@example.com",
}
SDK = """
window.liff = (() => {
  const usual = { inClient: true, context: "utou", loggedIn: true, language: "zh-TW" };
  const phone = Object.assign(usual, window.phone);
  const calls = (window.liffCalls = []);
  const said = (name, value) => { calls.push([name, value]); };
  return {
    init: async (options) => said("init", options),
    ready: Promise.resolve(),
    isLoggedIn: () => phone.loggedIn,
    login: (options) => said("login", options),
    isInClient: () => phone.inClient,
    getContext: () => ({ type: phone.context }),
    getIDToken: () => "an-id-token",
    getLanguage: () => phone.language,
    closeWindow: () => said("closeWindow"),
    sendMessages: async (messages) => {
      said("sendMessages", messages);
      if (phone.mute) throw new Error("403");
    },
    scanCodeV2: async () => ({ value: phone.scanned ?? "" }),
    getFriendship: async () => ({ friendFlag: true }),
  };
})();
"""


@dataclass
class Call:
    """One request that the page made."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]] | str


@dataclass
class StandInApi:
    """The JSON API of the interfaces with settable answers; remembers every call."""

    member: dict[str, str] | None = None
    following: bool = True
    consents: list[dict[str, Any]] = field(default_factory=list)
    registrations: list[dict[str, Any]] = field(default_factory=list)
    repairs: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    scripted: dict[str, list[Answer]] = field(default_factory=dict)

    def next(self, call: str, *answers: Answer) -> None:
        """Answer the coming calls, such as `POST /bindings`, so; "lost" breaks the connection."""
        self.scripted.setdefault(call, []).extend(answers)

    def made(self, call: str) -> list[Call]:
        """The calls of this method and path so far."""
        return [made for made in self.calls if f"{made.method} {made.path}" == call]

    def fulfil(self, route: Any) -> None:
        """Answer one request of the page."""
        request = route.request
        path = urlsplit(request.url).path.removeprefix("/liff/api")
        is_file = "multipart" in request.headers.get("content-type", "")
        body = json.loads(request.post_data) if not is_file and request.post_data else None
        self.calls.append(Call(request.method, path, request.headers, body))
        answer = self._answer(f"{request.method} {path}")
        if isinstance(answer, str):
            route.abort("connectionreset")
            return
        status, content, headers = (*answer, {})[:3]
        kind = "application/problem+json" if status >= 400 else "application/json"
        text = "" if content is None else json.dumps(content)
        route.fulfill(status=status, body=text, headers={"content-type": kind, **headers})

    def _answer(self, call: str) -> Answer:
        waiting = self.scripted.get(
            re.sub(r"/bindings/[^/]+/confirm", "/bindings/ID/confirm", call)
        )
        if waiting:
            return waiting.pop(0)
        return self._usual(call)

    def _usual(self, call: str) -> Answer:
        if call.endswith("/confirm"):
            self.member = MEMBER
            return 200, {"member_id": MEMBER["member_id"]}
        me = {
            "user_id": "U1",
            "following": self.following,
            "consents": self.consents,
            "member": self.member,
        }
        challenge = {
            "challenge_id": str(uuid.uuid4()),
            "expires_in": 300,
            "resend_in": 60,
            "sent_to": "+886 912 *** 678",
        }
        usual: dict[str, Answer] = {
            "GET /me": (200, me),
            "POST /consents": (204, None),
            "POST /bindings": (202, challenge),
            "DELETE /bindings/me": (204, None),
            "POST /registrations": (201, {"registration_id": "r1"}),
            "GET /registrations": (200, self.registrations),
            "POST /files": (201, {"file_id": f"f{len(self.made('POST /files'))}"}),
            "POST /repair-requests": (201, {"repair_request_id": "q1"}),
            "GET /repair-requests": (200, self.repairs),
        }
        return usual[call]


def problem(
    status: int, code: str, detail: str, *errors: dict[str, str], retry_after: int | None = None
) -> Answer:
    """A problem+json answer."""
    content = {
        "type": "about:blank",
        "title": detail,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": list(errors),
        "retry_after": retry_after,
    }
    headers = {"retry-after": str(retry_after)} if retry_after else {}
    return status, content, headers


def registration(number: int = 1, **values: Any) -> dict[str, Any]:
    """A registration as the API lists it."""
    return {
        "registration_id": f"r{number}",
        "code": "7KQ2M9XR4TBD",
        "product": PRODUCT,
        "serial": None,
        "purchased_on": "2026-03-01",
        "shop": None,
        "warranty_until": "2029-03-01",
        "created_at": "2026-03-02T01:00:00.000Z",
        **values,
    }


def repair(number: int = 1, **values: Any) -> dict[str, Any]:
    """A repair request as the API lists it."""
    return {
        "repair_request_id": f"q{number}",
        "registration_id": "r1",
        "symptom": "冷氣不冷",
        "status": "received",
        "case_number": None,
        "visit_at": None,
        "created_at": f"2026-03-0{number}T02:00:00.000Z",
        "updated_at": f"2026-03-0{number}T02:00:00.000Z",
        **values,
    }


def until(page: Any, expression: str) -> None:
    """Wait for a JavaScript expression; Playwright's own wait needs eval, which the pages bar."""
    deadline = time.monotonic() + WAITS_S
    while not page.evaluate(f"Boolean({expression})"):
        assert time.monotonic() < deadline, f"never true: {expression}"
        page.wait_for_timeout(50)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of a server that has the pages and nothing else."""
    settings = PageSettings(
        sdk_url=SDK_URL,
        liff_id="1234567890-AbcdEfgh",
        frame_ancestor="https://liff.line.me",
        friend_url="https://line.me/R/ti/p/@sim",
    )
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=page_routes(settings))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture
def api() -> StandInApi:
    """The JSON API that this test's pages meet."""
    return StandInApi()


@pytest.fixture
def visit(browser_page: BrowserPage, site: str, api: StandInApi) -> Callable[..., Any]:
    """Opens a LIFF page on a phone; `phone` says whether in LINE, in which chat, which language."""

    def open_at(
        path: str, *, width: int = 360, phone: dict[str, Any] | None = None, **kind: Any
    ) -> Any:
        page = browser_page(width=width, **kind)
        page.add_init_script(f"window.phone = {json.dumps(phone or {})};")
        page.route(SDK_URL, lambda route: route.fulfill(body=SDK, content_type="text/javascript"))
        page.route("**/liff/api/**", api.fulfil)
        page.goto(site + path)
        return page

    return open_at
