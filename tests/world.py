"""The whole loop in one process: a real database, both simulators over HTTP, and no queue in between.

Tests say what people do; `run_until_idle` lets the service catch up. Webhooks are carried from
the LINE simulator to the intake by a small catcher, as the web process would.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import requests
import sqlalchemy as sa

from connector import bootstrap
from connector.bootstrap import System
from connector.domain.lines import Lane
from connector.domain.values import read_moment
from connector.line.events import read_delivery
from connector.line.signature import signed_by
from connector.members import binding, codes, people, registration, repair
from connector.settings import Settings
from connector.store.tables import Envelope, Outbox, Pair, Received, Record
from connector.sync import queues
from connector.sync.incoming.intake import Form, receive_events, submit
from connector.sync.incoming.turns import Turns
from connector.sync.live import preparing
from connector.sync.reading import carriage
from connector.sync.upkeep import status, sweeping
from tests.doors import free_port
from tests.engines import open_store

STARTED_WITHIN = 30.0
API = "/services/data/v62.0"


class Catcher(ThreadingHTTPServer):
    """Takes webhooks and keeps them."""

    daemon_threads = True

    def __init__(self) -> None:
        self.arrived: list[tuple[bytes, str]] = []
        super().__init__(("127.0.0.1", 0), _Receiver)


class _Receiver(BaseHTTPRequestHandler):
    server: Catcher

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.arrived.append((body, self.headers["x-line-signature"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@dataclass
class Simulators:
    """Both simulators as processes, and where LINE's webhooks arrive."""

    line_url: str
    org_url: str
    catcher: Catcher

    @cached_property
    def line(self) -> dict[str, Any]:
        return requests.get(f"{self.line_url}/_simulator/credentials", timeout=5).json()

    @cached_property
    def org(self) -> dict[str, Any]:
        return requests.get(f"{self.org_url}/_simulator/credentials", timeout=5).json()

    def reset(self) -> None:
        for url in (self.line_url, self.org_url):
            requests.post(f"{url}/_simulator/reset", timeout=10).raise_for_status()
            requests.delete(f"{url}/_simulator/faults", timeout=10).raise_for_status()
        self.catcher.arrived.clear()


@contextmanager
def simulators(home: Path) -> Iterator[Simulators]:
    catcher = Catcher()
    threading.Thread(target=catcher.serve_forever, daemon=True).start()
    line, org = free_port(), free_port()
    hook = f"http://127.0.0.1:{catcher.server_address[1]}/webhooks/line"
    commands = [
        [
            "line",
            "--port",
            line,
            "--webhook-url",
            hook,
            "--liff-endpoint",
            "http://127.0.0.1:1/liff",
        ],
        ["salesforce", "--port", org, "--tls-port", free_port(), "--pubsub-port", free_port()],
    ]
    running = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "simulator",
                *map(str, command),
                "--data",
                str(home / command[0]),
            ],
            stdout=subprocess.DEVNULL,
        )
        for command in commands
    ]
    made = Simulators(f"http://127.0.0.1:{line}", f"http://127.0.0.1:{org}", catcher)
    try:
        _wait_for(made)
        yield made
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(10)
        catcher.shutdown()
        catcher.server_close()


def _wait_for(made: Simulators) -> None:
    until = time.monotonic() + STARTED_WITHIN
    for url in (made.line_url, made.org_url):
        while True:
            try:
                requests.get(f"{url}/_simulator/credentials", timeout=2).raise_for_status()
                break
            except requests.RequestException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


def settings_for(made: Simulators, database_url: str) -> Settings:
    account = made.line["official_accounts"][0]
    names = (
        "bot_user_id",
        "basic_id",
        "channel_id",
        "channel_secret",
        "login_channel_id",
        "liff_id",
    )
    integration = made.org["integration"]
    return Settings(
        database_url=database_url,
        redis_url="redis://127.0.0.1:1/0",
        secret_key="a key for tests",
        line_accounts=[
            {"provider_id": made.line["provider_id"], **{name: account[name] for name in names}}
        ],
        line_api_url=made.line_url,
        line_data_url=made.line_url,
        liff_base=f"{made.line_url}/liff",
        salesforce_login_url=made.org["login_url"],
        salesforce_client_id=integration["client_id"],
        salesforce_username=integration["username"],
        salesforce_private_key=integration["private_key"],
        salesforce_pubsub_endpoint=made.org["pubsub_endpoint"],
        salesforce_pubsub_tls=made.org["pubsub_tls"],
        salesforce_ca_file=made.org["ca_file"],
        poll_seconds=0.2,
        lease_seconds=5,
    )


@dataclass
class World:
    """What people do, and what came of it."""

    simulators: Simulators
    settings: Settings
    system: System
    taken: int = field(default=0)
    turns: Turns = field(default_factory=Turns)
    polls: bool = field(default=True)
    woken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.system = replace(self.system, wake=self.woken.add)
        url = self.settings.database_url.get_secret_value()
        self.system.__dict__["store"] = open_store(url, self.woken.add)

    @property
    def account(self) -> Any:
        return next(iter(self.system.accounts.values()))

    # -- LINE users

    def person(self, name: str = "小安", language: str = "zh-TW") -> str:
        return self._line("/users", display_name=name, language=language)["user_id"]

    def event(self, user: str, **event: Any) -> None:
        self.tell(user, **event)
        self.carry()

    def tell(self, user: str, **event: Any) -> None:
        """Let LINE deliver an event; `carry` brings it to the intake."""
        self._line(f"/users/{user}/events", **event)

    def _line(self, path: str, **body: Any) -> dict[str, Any]:
        url = f"{self.simulators.line_url}/_simulator{path}"
        answer = requests.post(url, json=body, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def follow(self, user: str) -> None:
        self.event(user, type="follow")

    def consent(self, user: str) -> None:
        self.event(user, type="postback", data="consent:service")

    def says(self, user: str, text: str) -> None:
        self.event(user, type="message", text=text)

    def chat(self, user: str) -> list[dict[str, Any]]:
        url = f"{self.simulators.line_url}/_simulator/users/{user}/chat"
        items = requests.get(url, timeout=5).json()
        return [item for item in items if item["direction"] == "out"]

    def texts(self, user: str) -> list[str]:
        return [item["text"] for item in self.chat(user)]

    def carry(self) -> None:
        """Bring the webhooks that arrived to the intake."""
        arrived = self.simulators.catcher.arrived
        while self.taken < len(arrived):
            body, signature = arrived[self.taken]
            account = signed_by(tuple(self.system.accounts.values()), body, signature)
            assert account is not None
            receive_events(self.system.store, [(account, read_delivery(body))], self.turns)
            self.taken += 1

    def bind(self, user: str, name: str, phone: str, **form: Any) -> UUID:
        """Fill in the form and the one-time code."""
        fields = {
            "name": name,
            "phone": phone,
            "consents": [{"purpose": "service", "version": "1"}],
            **form,
        }
        person = self.person_id(user)
        with self.system.store.transaction() as session:
            begun = binding.begin(
                session,
                people.lock(session, person),
                fields,
                "127.0.0.1",
                self.now(),
                self.settings.secret_key.get_secret_value(),
            )
        return self._submit(
            person,
            "bindings.confirm",
            {},
            lambda session, who: binding.confirm(
                session,
                who,
                begun.challenge_id,
                begun.code,
                self.now(),
                self.settings.secret_key.get_secret_value(),
            ),
        )

    def unbind(self, user: str) -> None:
        person = self.person_id(user)
        self._submit(
            person,
            "bindings.end",
            {},
            lambda session, who: (None, binding.unbind(session, who, self.now())),
        )

    def register(self, user: str, code: str, **form: Any) -> UUID:
        fields = {"code": code, "purchased_on": "2026-11-01", "shop": "大同店", **form}

        def act(session: Any, who: Any) -> Any:
            claimed, changes = registration.claim(session, who, fields, self.now())
            assert isinstance(claimed, registration.Claimed), claimed
            return claimed.registration_id, changes

        return self._submit(self.person_id(user), "registrations", fields, act)

    def asks_for_repair(self, user: str, **form: Any) -> UUID:
        fields = {
            "product": "舊冷氣",
            "symptom": "不冷",
            "description": "開機十分鐘後停止",
            "address": "台北市大安區一號",
            "slots": ["2030-01-02 AM"],
            "contact_phone": "0912345678",
            **form,
        }
        return self._submit(
            self.person_id(user),
            "repair-requests",
            fields,
            lambda session, who: repair.ask(session, who, fields, self.now()),
        )

    def person_id(self, user: str) -> UUID:
        with self.system.store.transaction() as session:
            return people.find_or_make(session, self.account.provider_id, user, self.now()).id

    def codes(self, sku: str, count: int = 1) -> list[str]:
        with self.system.store.transaction() as session:
            product = session.scalars(
                sa.select(Record).where(
                    Record.kind == "product", Record.values["sku"].as_string() == sku
                )
            ).one()
            return [unit.code for unit in codes.make_units(session, product, count=count)]

    def _submit(self, person: UUID, kind: str, body: dict[str, Any], act: Any) -> Any:
        kept = json.loads(json.dumps(body))
        form = Form(kind, person, self.account.bot_user_id, kept)

        def once(session: Any) -> Any:
            return act(session, people.lock(session, person))

        return submit(self.system.store, self.system.catalogs, form, once, self.now())

    # -- agents

    def rows(self, soql: str) -> list[dict[str, Any]]:
        answer = self._agent("GET", f"{API}/query", params={"q": soql})
        return answer.json()["records"]

    def row(self, soql: str) -> dict[str, Any]:
        rows = self.rows(soql)
        assert len(rows) == 1, rows
        return rows[0]

    def agent_makes(self, name: str, **fields: Any) -> str:
        return self._agent("POST", f"{API}/sobjects/{name}", json=fields).json()["id"]

    def agent_edits(self, name: str, row: str, **fields: Any) -> None:
        self._agent("PATCH", f"{API}/sobjects/{name}/{row}", json=fields)

    def agent_deletes(self, name: str, row: str) -> None:
        self._agent("DELETE", f"{API}/sobjects/{name}/{row}")

    def _agent(self, method: str, path: str, **rest: Any) -> requests.Response:
        token = self.simulators.org["access_token"]
        answer = requests.request(
            method,
            f"{self.simulators.org_url}{path}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
            **rest,
        )
        assert answer.ok, answer.text
        return answer

    # -- faults and switches

    def switch_org(self, **switches: Any) -> None:
        url = f"{self.simulators.org_url}/_simulator/switches"
        requests.patch(url, json=switches, timeout=5).raise_for_status()

    def org_fault(self, fault: str, times: int | None = None, **match_and_params: Any) -> None:
        self._fault(self.simulators.org_url, fault, times, match_and_params)

    def line_fault(self, fault: str, times: int | None = None, **match_and_params: Any) -> None:
        self._fault(self.simulators.line_url, fault, times, match_and_params)

    def _fault(self, url: str, fault: str, times: int | None, rest: dict[str, Any]) -> None:
        body = {"fault": fault, "times": times, "match": rest.pop("match", {}), "params": rest}
        requests.post(f"{url}/_simulator/faults", json=body, timeout=5).raise_for_status()

    def org_calls(self, since: int = 0) -> list[dict[str, Any]]:
        url = f"{self.simulators.org_url}/_simulator/calls?since={since}"
        calls = requests.get(url, timeout=5).json()
        return [call for call in calls if (call["client"] or "").startswith("line-connector")]

    # -- the service

    def now(self) -> datetime:
        return datetime.now(UTC)

    def step(self) -> int:
        """Let every part of the service work once."""
        self.carry()
        done = self._poll()
        sweeping.sweep(self.system.store)
        return done + self._work()

    def run_until_idle(self, seconds: float = 30.0) -> None:
        """Work until nothing is new in the org and nothing ready, claimed or waiting."""
        until = time.monotonic() + seconds
        while True:
            while self._work():
                assert time.monotonic() < until, self.unfinished()
            if self._poll():
                continue
            sweeping.sweep(self.system.store)
            if self.woken:
                continue
            if not self.unfinished():
                return
            assert time.monotonic() < until, self.unfinished()
            time.sleep(0.05)

    def _poll(self) -> int:
        return self.system.streams.read() if self.polls else 0

    def _work(self) -> int:
        """Work off the queues that were woken, those that wake others first."""
        self.carry()
        done = 0
        for queue, part in self._parts.items():
            if queue in self.woken:
                self.woken.discard(queue)
                done += part()
        return done

    @property
    def _parts(self) -> Mapping[str, Callable[[], int]]:
        """Tests put other parts in the place of the system's: they are looked up each time."""
        system = self.system
        lanes = {queues.deliver(lane): partial(system.delivery.deliver, lane) for lane in Lane}
        return {queues.READ: system.reader.read, **lanes, queues.SEND: system.postman.send}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Follow the org's change events meanwhile; begins once the topic is heard."""
        switches = f"{self.simulators.org_url}/_simulator/switches"
        requests.patch(switches, json={"keepalive_seconds": 0.2}, timeout=5).raise_for_status()
        topics = self.system.topics
        assert topics is not None
        topics.on_the_way = timedelta(seconds=0.1)
        stop = threading.Event()
        ear = threading.Thread(target=topics.follow, args=[stop])
        ear.start()
        try:
            self.until(self.hears)
            self.run_until_idle()  # each object is polled once more
            yield
        finally:
            stop.set()
            ear.join(10)
            topics.bus.close()

    def hears(self) -> bool:
        """Whether the topic's objects are told by events."""
        self.system.streams.read()
        with self.system.store.reading() as session:
            return bool(carriage.carried(session, self.now()))

    def until(self, holds: Callable[[], bool], seconds: float = 20.0) -> None:
        """Work until something holds."""
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, self.unfinished()
            if not self.step():
                time.sleep(0.05)

    def catch_up(self) -> None:
        """Work until all that happened in the org up to now is stored and done."""
        now = self.now()
        self.until(lambda: self._read_through() > now)
        self.run_until_idle()

    def _read_through(self) -> datetime:
        with self.system.store.reading() as session:
            told = status._streams(session, self.now())
            told = [each for each in told if self.polls or each["via"] == "pubsub"]
            return min(read_moment(each["read_through"]) for each in told)

    def unfinished(self) -> list[str]:
        open_states = ("ready", "claimed", "waiting")
        found = []
        with self.system.store.reading() as session:
            for table in (Received, Outbox, Envelope):
                for row in session.scalars(sa.select(table).where(table.state.in_(open_states))):
                    found.append(f"{table.__name__} {row.id} {row.state} {row.reason}")
        return found

    def outbox(self) -> list[Outbox]:
        with self.system.store.reading() as session:
            return list(session.scalars(sa.select(Outbox)))

    def pair(self, record: UUID, mapping: str) -> Pair:
        with self.system.store.reading() as session:
            here = sa.select(Pair).where(Pair.record_id == record, Pair.mapping == mapping)
            return session.scalars(here.order_by(Pair.created_at.desc())).first()

    def record(self, record: UUID) -> Record:
        with self.system.store.reading() as session:
            return session.get_one(Record, record)


def make_world(made: Simulators, database_url: str) -> World:
    """A world over a migrated, empty database."""
    world = open_world(made, database_url)
    accounts = tuple(world.system.accounts.values())
    preparing.prepare(world.system.store, world.system.gateway, accounts, bootstrap.STARTER)
    return world


def open_world(made: Simulators, database_url: str) -> World:
    """A world over a database in which the starter set is published."""
    settings = settings_for(made, database_url)
    return World(made, settings, System(settings, lambda _: None))
