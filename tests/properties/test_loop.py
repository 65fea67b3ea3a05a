"""The loop under everything that happens to it: whatever the order, both sides end up the same.

Each story gets a database and an org of its own. People and agents act, webhooks come late, twice or
in another order, calls fail, workers die; then the faults are taken away and all comes to rest.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from connector.domain.changes import Change
from connector.domain.lines import Lane
from connector.ground.postgres import Postgres
from connector.members import consents
from connector.members.refusals import Refused
from connector.sync import sweeping
from connector.sync.changes import apply_all
from connector.sync.intake import scene_for
from tests import interference as stir
from tests.properties import balance
from tests.world import Simulators, World, make_world

PHONES = ("0912345678", "0922333444")
NAMES = ("王小明", "王大明", "Ming Wang")
EMAILS = ("a@example.com", "b@example.com", None)
SKUS = ("AC-100", "WF-10")
STATUSES = ("Working", "Escalated", "Closed")
OURS = {"client": "line-connector*"}
COMPOSITE = {**OURS, "path": "/services/data/*/composite"}
ORG_FAULTS = (
    ("reset_before", {"match": COMPOSITE}),
    ("reset_after_commit", {"match": COMPOSITE}),
    ("status", {"match": COMPOSITE, "status": 503}),
    ("lock", {"match": OURS}),
    ("expire_session", {"match": OURS}),
    ("concurrent_limit", {"match": OURS}),
)
LINE_FAULTS = (
    ("reset_after_commit", {"match": {"path": "/v2/bot/message/push"}}),
    ("reset_after_commit", {"match": {"path": "/v2/bot/message/reply"}}),
    ("reset_before", {"match": {"path": "/v2/bot/message/*"}}),
    ("rate_429", {}),
)
TOLD_ONCE = ("案件編號", "到府時間", "已開始處理", "已完成")
people = st.integers(0, 1)
serial = count(1)


@dataclass
class Known:
    """What the story knows of a person."""

    user: str
    member: UUID | None = None
    codes: list[str] = field(default_factory=list)
    registered: list[UUID] = field(default_factory=list)


class Loop(RuleBasedStateMachine):
    """What people, agents, networks and workers do, in any order."""

    outside: Simulators
    clone: Callable[[], str]
    drop: Callable[[], None]

    def __init__(self) -> None:
        super().__init__()
        self.outside.reset()
        self.world: World = make_world(self.outside, self.clone())
        self.people = [Known(self.world.person(name)) for name in ("安安", "美美")]
        self.world.run_until_idle()
        for known, sku in zip(self.people, SKUS, strict=True):
            known.codes = self.world.codes(sku, 2)
        self.agents_rows: set[str] = set()
        self.steps: dict[str, int] = {}

    @initialize(known=st.sampled_from(["nobody", "a friend", "a member", "a member with a case"]))
    def begins_with(self, known: str) -> None:
        if known == "nobody":
            return
        self.follows_or_blocks(0, "follow")
        self.consents(0)
        self.world.run_until_idle()
        if known == "a friend":
            return
        self.binds(0, "王小明", PHONES[0])
        if known == "a member with a case":
            self.registers(0)
            self.asks_for_repair(0, from_chat=False)
        self.world.run_until_idle()

    # -- people

    @rule(who=people, event=st.sampled_from(["follow", "follow", "unfollow"]))
    def follows_or_blocks(self, who: int, event: str) -> None:
        self.world.tell(self.people[who].user, type=event)

    @rule(who=people)
    def consents(self, who: int) -> None:
        self.world.tell(self.people[who].user, type="postback", data="consent:service")

    @rule(who=people, given=st.booleans())
    def has_a_mind_about_marketing(self, who: int, given: bool) -> None:
        known, at = self.people[who], self.world.now()
        self._form(known, lambda s, p: (None, consents.give(s, p, "marketing", "1", given, at, {})))

    @rule(who=people, name=st.sampled_from(NAMES), phone=st.sampled_from(PHONES))
    def binds(self, who: int, name: str, phone: str) -> None:
        known = self.people[who]
        if known.member is None:
            try:
                known.member = self.world.bind(known.user, name, phone)
            except Refused:  # too many codes within the hour
                return

    @rule(who=people)
    def lets_go(self, who: int) -> None:
        self.world.unbind(self.people[who].user)
        self.people[who].member = None

    @rule(who=people)
    def registers(self, who: int) -> None:
        known = self.people[who]
        if known.codes:
            known.registered.append(self.world.register(known.user, known.codes.pop()))

    @rule(who=people, from_chat=st.booleans())
    def asks_for_repair(self, who: int, from_chat: bool) -> None:
        known = self.people[who]
        if known.member is not None:
            address = f"台北市大安區{next(serial)}號"
            self.world.asks_for_repair(known.user, address=address, from_chat=from_chat)

    @rule(
        who=people,
        values=st.fixed_dictionaries(
            {}, optional={"name": st.sampled_from(NAMES), "email": st.sampled_from(EMAILS)}
        ),
    )
    def corrects_their_data(self, who: int, values: dict[str, Any]) -> None:
        member = self.people[who].member
        if member is not None and values:
            with self.world.system.store.transaction() as session:
                scene = scene_for(session, self.world.system.catalogs, self.world.now())
                apply_all(scene, [Change(member, "member", values)])

    @rule(who=people, text=st.sampled_from(["你好", "選單"]))
    def says(self, who: int, text: str) -> None:
        self.world.tell(self.people[who].user, type="message", text=text)

    # -- agents

    @rule(name=st.sampled_from(NAMES), phone=st.sampled_from(PHONES))
    @precondition(lambda self: len(self.agents_rows) < 2)
    def an_agent_enters_a_contact(self, name: str, phone: str) -> None:
        fields = {"LastName": name[:1], "FirstName": name[1:], "MobilePhone": phone}
        self.agents_rows.add(self.world.agent_makes("Contact", **fields))

    @rule(
        values=st.sampled_from(
            [
                {"FirstName": "大明"},
                {"FirstName": "中明"},
                {"LastName": "李"},
                {"Email": "agent@example.com"},
                {"Email": None},
                {"MobilePhone": "0912-345-678"},
                {"MobilePhone": "0955666777"},
                {"Title": "VIP"},
            ]
        ),
        which=st.integers(0, 3),
    )
    def an_agent_edits_a_contact(self, values: dict[str, Any], which: int) -> None:
        self._edit("Contact", which, **values)

    @rule(which=st.integers(0, 3))
    def an_agent_goes_on_with_a_case(self, which: int) -> None:
        rows = self.world.rows("SELECT Id FROM Case ORDER BY Id")
        if rows:
            case = rows[which % len(rows)]["Id"]
            at = self.steps.get(case, 0)
            self.steps[case] = at + 1
            self.world.agent_edits("Case", case, Status=STATUSES[min(at, 2)])

    @rule(which=st.integers(0, 3))
    def an_agent_plans_a_visit(self, which: int) -> None:
        moment = f"2026-12-{1 + next(serial) % 28:02d}T{next(serial) % 24:02d}:00:00Z"
        self._edit("WorkOrder", which, StartDate=moment)

    @rule(which=st.integers(0, 3), day=st.integers(1, 28))
    def an_agent_extends_a_warranty(self, which: int, day: int) -> None:
        self._edit("Asset", which, UsageEndDate=f"2031-05-{day:02d}")

    # -- the network

    @rule(order=st.randoms(use_true_random=False))
    def webhooks_overtake_each_other(self, order: Any) -> None:
        arrived = self.outside.catcher.arrived
        late = arrived[self.world.taken :]
        order.shuffle(late)
        arrived[self.world.taken :] = late

    @rule()
    def webhooks_come_again(self) -> None:
        arrived = self.outside.catcher.arrived
        arrived.extend(arrived[-3:])

    @rule(which=st.sampled_from(ORG_FAULTS), times=st.integers(1, 3))
    def the_org_fails(self, which: tuple[str, dict[str, Any]], times: int) -> None:
        self.world.org_fault(which[0], times=times, **dict(which[1]))

    @rule(which=st.sampled_from(LINE_FAULTS))
    def line_fails(self, which: tuple[str, dict[str, Any]]) -> None:
        self.world.line_fault(which[0], times=1, **dict(which[1]))

    # -- workers

    @rule()
    def the_inbox_is_read(self) -> None:
        self.world.carry()
        self.world.system.reader.read()

    @rule()
    def the_org_is_polled(self) -> None:
        self.world.system.streams.read()

    @rule(lane=st.sampled_from([Lane.URGENT, Lane.NORMAL]), limit=st.sampled_from([1, 400]))
    def a_batch_is_delivered(self, lane: Lane, limit: int) -> None:
        self.world.system.delivery.deliver(lane, limit)

    @rule()
    def messages_are_sent(self) -> None:
        self.world.system.postman.send()

    @rule()
    def everything_works_once(self) -> None:
        self.world.step()

    @rule(after=st.booleans())
    def a_worker_dies(self, after: bool) -> None:
        (stir.dies_after_write if after else stir.dies_before_write)(self.world)

    @rule()
    def time_passes(self) -> None:
        stir.hurry(self.world)
        stir.expire_claims(self.world)
        sweeping.sweep(self.world.system.store)

    def teardown(self) -> None:
        try:
            stir.clear_faults(self.world)
            stir.settle_down(self.world)
            assert balance.problems(self.world, self.agents_rows) == []
            for known in self.people:
                assert balance.said_twice(self.world, known.user, TOLD_ONCE) == []
        finally:
            self.world.system.gateway.close()
            self.world.system.store.engine.dispose()
            self.drop()

    def _form(self, known: Known, act: Any) -> None:
        self.world._submit(self.world.person_id(known.user), "consents", {}, act)

    def _edit(self, name: str, which: int, **values: Any) -> None:
        rows = self.world.rows(f"SELECT Id FROM {name} ORDER BY Id")
        if rows:
            self.world.agent_edits(name, rows[which % len(rows)]["Id"], **values)


@pytest.mark.timeout(900)
def test_whatever_happens_both_sides_end_up_the_same(
    outside: Simulators, postgres: Postgres, template: str
) -> None:
    made: list[str] = []

    def clone() -> str:
        made.append(f"story_{uuid4().hex}")
        return postgres.clone(template, made[-1])

    story = type(
        "Loop",
        (Loop,),
        {
            "outside": outside,
            "clone": staticmethod(clone),
            "drop": lambda _: postgres.drop(made[-1]),
        },
    )
    soak = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
    run_state_machine_as_test(
        story,
        settings=settings(
            max_examples=200 if soak else 8,
            stateful_step_count=30,
            phases=[Phase.generate],  # a story takes seconds: it is shown as it is
        ),
    )
