"""How many statements one form, and one event, cost: each is a call of the server, so none comes back unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from connector.line.identity import Identity
from connector.store.tables import Pair
from tests.world import World
from webhooks.calls import Call
from webhooks.liff_api import LiffApi
from webhooks.problems import Words
from webhooks.web import Web

CONSENTS = [{"purpose": "service", "version": "1"}]
REPAIR = {
    "product": "舊冷氣",
    "symptom": "不冷",
    "address": "台北市大安區一號",
    "slots": ["2030-01-02 AM"],
    "contact_phone": "0912345678",
}


@dataclass
class Phone:
    """Keeps the newest text message."""

    text: str = ""

    def send(self, _to: str, text: str) -> None:
        self.text = text

    @property
    def code(self) -> str:
        return "".join(filter(str.isdigit, self.text))[:6]


@dataclass
class Page:
    """One person in front of our pages, whose address tells people apart."""

    world: World
    user: str
    phone: Phone = field(default_factory=Phone)

    def send(self, name: str, form: dict[str, Any], **parameters: str) -> Any:
        web = Web(
            self.world.system.store,
            self.world.system.catalogs,
            (self.world.account,),
            None,  # type: ignore[arg-type]
            self.phone,
            self.world.settings,
        )
        words = Words("zh-TW")
        later = datetime.now(UTC) + timedelta(hours=1)
        account = self.world.account
        who = Identity(account.provider_id, self.user, "小安", account, later)
        key = str(uuid4())
        call = Call(who, words.locale("zh-TW"), f"/{name}", parameters, form, key, "8.8.8.8")
        answer = getattr(LiffApi(web, words), name)(call)
        assert answer.status < 300, answer
        return answer.body


@contextmanager
def counting(world: World) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    engine = world.system.store.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield said
    sa.event.remove(engine, "before_cursor_execute", note)


def cost(world: World, act: Callable[[], object]) -> int:
    """The statements of an act; what is compiled at the first use of the documents is not counted."""
    with world.system.store.reading() as session:
        world.system.catalogs.live(session)
    with counting(world) as said:
        act()
    return len(said)


@pytest.fixture
def page(world: World) -> Page:
    user = world.person()
    world.follow(user)
    world.consent(user)
    world.run_until_idle()
    return Page(world, user)


def test_a_form_is_taken_in_with_few_statements(world: World, page: Page) -> None:
    (code,) = world.codes("AC-100")
    bind = {"name": "王小明", "phone": "0912345678", "consents": CONSENTS}
    begun: dict[str, str] = {}
    told = {
        "begin": cost(world, lambda: begun.update(page.send("begin", bind))),
        "confirm": cost(
            world,
            lambda: page.send(
                "confirm", {"code": page.phone.code}, challenge_id=begun["challenge_id"]
            ),
        ),
        "register": cost(
            world, lambda: page.send("register", {"code": code, "purchased_on": "2026-11-01"})
        ),
        "ask": cost(world, lambda: page.send("ask", REPAIR)),
    }
    most = {"begin": 12, "confirm": 33, "register": 18, "ask": 17}
    assert {name: told[name] for name in most if told[name] > most[name]} == {}


def test_an_event_is_read_with_few_statements(world: World, page: Page) -> None:
    stranger = world.person("小華")

    def read(*event: Any, **values: Any) -> int:
        world.event(*event, **values)
        return cost(world, world.system.reader.read)

    told = {
        "follow": read(stranger, type="follow"),
        "consent": read(stranger, type="postback", data="consent:service"),
        "text": read(stranger, type="message", text="你好"),
        "unfollow": read(stranger, type="unfollow"),
    }
    most = {"follow": 26, "consent": 28, "text": 13, "unfollow": 18}
    assert {name: told[name] for name in most if told[name] > most[name]} == {}


def test_an_agents_edit_is_read_with_few_statements(world: World, page: Page) -> None:
    world.bind(page.user, "王小明", "0912345678")
    world.asks_for_repair(page.user)
    world.run_until_idle()
    with world.system.store.reading() as session:
        case = session.scalars(sa.select(Pair.salesforce_id).where(Pair.object == "Case")).one()
    world.agent_edits("Case", str(case), Status="Working")
    world.system.streams.read()
    assert cost(world, world.system.reader.read) <= 23
