"""Every fault of the org meets every kind of write: the right rows are there in the end, exactly once.

Faults that pass by mend themselves; those that stay park the record with a reason, and a redrive after
they are gone brings it through. Run this file alone with `-s` to see the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest

from connector.domain.states import OutboxState
from connector.members import codes
from connector.salesforce.gateway import Gateway
from connector.salesforce.steps import Step, Update, Upsert
from connector.store.tables import Pair
from tests import interference as stir
from tests.world import Simulators, World, make_world

READ_SECONDS = 1.5  # an answer that takes longer counts as lost
OURS = {"client": "line-connector*"}
STREAM = {"method": "GRPC"}
COMPOSITE = {"method": "POST", "path": "/services/data/*/composite", **OURS}
CONTACT = "SELECT Id, AccountId, Email, Title, LINE_Key__c, LINE_User_Id__c, LINE_Following__c FROM Contact"


@dataclass(frozen=True)
class Fault:
    """How a fault is set; one without `times` stays until it is taken away."""

    name: str
    times: int | None = 1
    on_rows: bool = False
    on_stream: bool = False
    params: tuple[tuple[str, Any], ...] = ()

    def strike(self, world: World, write: Write) -> None:
        params = dict(self.params)
        if self.on_rows:
            params["object"] = write.object
        if self.name == "edit_after":
            params["values"] = write.automation
        match = OURS if self.on_rows else STREAM if self.on_stream else COMPOSITE
        world.org_fault(self.name, self.times, match=match, **params)
        if self.name == "expire_replay":  # a place is given only when a stream begins
            world.org_fault("drop_stream", 1, match=STREAM)


FAULTS = (
    Fault("latency", params=(("ms", int(READ_SECONDS * 1300)),)),
    Fault("status", 2, params=(("status", 503),)),
    Fault("reset_before"),
    Fault("reset_after_commit"),
    Fault("lock", 2, on_rows=True),
    Fault("expire_session"),
    Fault("daily_limit", 2),
    Fault("concurrent_limit", 2),
    Fault("maintenance", 2),
    Fault("duplicate", None, on_rows=True),
    Fault("validation", None, on_rows=True, params=(("message", "not like this"),)),
    Fault("edit_after", on_rows=True),
    Fault("gap", on_rows=True),
    Fault("overflow", on_rows=True),
    Fault("drop_client_tag"),
    Fault("drop_stream", on_stream=True),
    Fault("expire_replay", on_stream=True),
    Fault("duplicate_events", 3, on_stream=True),
    Fault("reorder_events", 3, on_stream=True),
)
OF_EVENTS = FAULTS[-7:]


@dataclass
class Case:
    """One person of the world, and what is known of them before the write."""

    world: World
    user: str
    name: str
    phone: str
    member: UUID | None = None
    found: str | None = None  # the Contact that stood there before
    serial: str = ""
    symptom: str = ""

    def contacts(self) -> list[dict[str, Any]]:
        return self.world.rows(f"{CONTACT} WHERE MobilePhone = '{self.phone}'")

    def contact(self) -> dict[str, Any]:
        (row,) = self.contacts()
        return row


@dataclass(frozen=True)
class Write:
    """One kind of write: what must stand before, what asks for it, and what must be there after."""

    name: str
    object: str
    automation: dict[str, Any]
    prepare: Callable[[Case], None]
    act: Callable[[Case], None]
    right: Callable[[Case], dict[str, Any]]


def nothing(case: Case) -> None:
    """The person only follows."""


def is_bound(case: Case) -> None:
    case.member = case.world.bind(case.user, case.name, case.phone)


def is_known(case: Case) -> None:
    case.found = case.world.agent_makes(
        "Contact", LastName=case.name[0], FirstName=case.name[1:], MobilePhone=case.phone
    )


def registers(case: Case) -> None:
    (code,) = case.world.codes("AC-100")
    case.world.register(case.user, code)
    case.serial = codes.shown(code)


def asks(case: Case) -> None:
    case.symptom = f"不冷 {case.phone}"
    case.world.asks_for_repair(case.user, symptom=case.symptom)


def one_lead(case: Case) -> dict[str, Any]:
    rows = case.world.rows(
        f"SELECT Id, Company FROM Lead WHERE LINE_User_Id__c = '{case.user}' AND IsDeleted = false"
    )
    assert len(rows) == 1
    return rows[0]


def one_member(case: Case) -> dict[str, Any]:
    contact = case.contact()
    accounts = case.world.rows(f"SELECT Id FROM Account WHERE Name = '{case.name}'")
    assert [row["Id"] for row in accounts] == [contact["AccountId"]]
    assert contact["LINE_User_Id__c"] == case.user
    assert case.found in (None, contact["Id"])
    return contact


def one_asset(case: Case) -> dict[str, Any]:
    (row,) = case.world.rows(
        "SELECT Id, AccountId, ContactId, UsageEndDate FROM Asset "
        f"WHERE SerialNumber = '{case.serial}'"
    )
    contact = case.contact()
    assert (row["ContactId"], row["AccountId"]) == (contact["Id"], contact["AccountId"])
    return row


def one_case(case: Case) -> dict[str, Any]:
    (row,) = case.world.rows(
        f"SELECT Id, CaseNumber, Status, ContactId FROM Case WHERE Subject = '{case.symptom}'"
    )
    (order,) = case.world.rows(f"SELECT CaseId FROM WorkOrder WHERE Subject = '{case.symptom}'")
    assert (order["CaseId"], row["ContactId"]) == (row["Id"], case.contact()["Id"])
    said = f"案件編號 {row['CaseNumber']}"
    told = [text for text in case.world.texts(case.user) if said in text]
    assert len(told) == 1
    return row


def unfollowed(case: Case) -> dict[str, Any]:
    contact = one_member(case)
    assert contact["LINE_Following__c"] is False
    return contact


def released(case: Case) -> dict[str, Any]:
    contact = case.contact()
    assert (contact["LINE_Key__c"], contact["LINE_User_Id__c"]) == (None, None)
    return contact


WRITES = (
    Write(
        "create Lead",
        "Lead",
        {"Company": "規則"},
        nothing,
        lambda c: c.world.consent(c.user),
        one_lead,
    ),
    Write(
        "create Contact+Account",
        "Contact",
        {"Email": "rule@example.com"},
        nothing,
        is_bound,
        one_member,
    ),
    Write(
        "match Contact", "Contact", {"Email": "rule@example.com"}, is_known, is_bound, one_member
    ),
    Write("create Asset", "Asset", {"UsageEndDate": "2031-05-06"}, is_bound, registers, one_asset),
    Write("create Case+WorkOrder", "Case", {"Status": "Working"}, is_bound, asks, one_case),
    Write(
        "update Contact",
        "Contact",
        {"Email": "rule@example.com"},
        is_bound,
        lambda c: c.world.event(c.user, type="unfollow"),
        unfollowed,
    ),
    Write(
        "release",
        "Contact",
        {"Title": "規則"},
        is_bound,
        lambda c: c.world.unbind(c.user),
        released,
    ),
)
CELLS = [(fault, write) for fault in FAULTS if fault not in OF_EVENTS for write in WRITES]
ALL = [*CELLS, *((fault, write) for fault in OF_EVENTS for write in WRITES)]


@dataclass
class Ring:
    """One world for all cells, with a person for each; a cell that went wrong costs a new world."""

    outside: Simulators
    fresh_database: Callable[[], str]
    table: dict[tuple[str, str], str] = field(default_factory=dict)
    _world: World | None = None
    _cases: dict[tuple[str, str], Case] = field(default_factory=dict)

    def case(self, fault: Fault, write: Write) -> Case:
        place = (fault.name, write.name)
        if self._world is None or place not in self._cases:
            self.leave()
            self._begin()
        return self._cases.pop(place)

    def leave(self) -> None:
        if self._world is not None:
            self._world.system.gateway.close()
            self._world.system.store.engine.dispose()
        self._world, self._cases = None, {}

    def _begin(self) -> None:
        self.outside.reset()
        world = self._world = make_world(self.outside, self.fresh_database())
        world.system.__dict__["gateway"] = impatient(world.system.gateway)
        world.run_until_idle()
        for number, (fault, write) in enumerate(ALL):
            user = world.person(f"友{number}")
            name = f"王{chr(0x4E00 + 7 * number)}{chr(0x5B89 + number)}"
            case = Case(world, user, name, f"+8869{number:08}")
            world.tell(user, type="follow")
            self._cases[fault.name, write.name] = case
        world.run_until_idle()
        for fault, write in ALL:
            write.prepare(self._cases[fault.name, write.name])
        world.run_until_idle(60)

    def shown(self) -> str:
        columns = [write.name for write in WRITES]
        rows = [["fault", *columns]]
        rows += [
            [f.name, *(self.table.get((f.name, name), "-") for name in columns)] for f in FAULTS
        ]
        widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
        lines = ("  ".join(cell.ljust(wide) for cell, wide in zip(row, widths)) for row in rows)
        return "\n".join(line.rstrip() for line in lines)


def impatient(gateway: Gateway) -> Gateway:
    return Gateway(replace(gateway._access, timeout=(3.05, READ_SECONDS)))


@pytest.fixture(scope="module")
def databases(postgres: Any, template: str) -> Iterator[Callable[[], str]]:
    made: list[str] = []

    def make() -> str:
        made.append(f"matrix_{len(made)}")
        return postgres.clone(template, made[-1])

    yield make
    for name in made:
        postgres.drop(name)


@pytest.fixture(scope="module")
def ring(outside: Simulators, databases: Callable[[], str]) -> Iterator[Ring]:
    made = Ring(outside, databases)
    yield made
    made.leave()
    print(f"\n{made.shown()}")


@pytest.mark.parametrize(
    ("fault", "write"), CELLS, ids=[f"{fault.name}-{write.name}" for fault, write in CELLS]
)
def test_the_right_rows_are_there_in_the_end_exactly_once(
    ring: Ring, fault: Fault, write: Write
) -> None:
    case = ring.case(fault, write)
    world = case.world
    well = False
    try:
        tapped = strike_first(world, fault, write)
        write.act(case)
        stir.settle_down(world)
        if fault.times is None:
            parked_with_reason(world)
            stir.clear_faults(world)
            stir.redrive_parked(world)
            stir.settle_down(world)
        row = write.right(case)
        all_told(world)
        if fault.name == "edit_after":
            assert {name: row[name] for name in write.automation} == write.automation
        how = "parked, redriven" if fault.times is None else "mended"
        ring.table[fault.name, write.name] = f"{how} ({len(tapped.written)})"
        well = True
    finally:
        stir.clear_faults(world)
        world.system.__dict__.pop("delivery", None)
        if not well:
            ring.table[fault.name, write.name] = "WRONG"
            ring.leave()


@pytest.mark.parametrize("fault", OF_EVENTS, ids=[fault.name for fault in OF_EVENTS])
def test_faults_of_the_stream_cost_no_row_either(ring: Ring, fault: Fault) -> None:
    """All kinds of write at once: a stream carries them together."""
    cases = {write.name: ring.case(fault, write) for write in WRITES}
    world = next(iter(cases.values())).world
    well = False
    try:
        with world.listening():
            for write in WRITES:
                fault.strike(world, write)
                write.act(cases[write.name])
            stir.settle_down(world)
            stir.clear_faults(world)
            world.until(world.hears, seconds=60)
            world.catch_up()
        stir.settle_down(world)  # what came in the last moment
        assert [row.reason for row in stir.parked(world)] == []
        all_told(world)
        for write in WRITES:
            write.right(cases[write.name])
            ring.table[fault.name, write.name] = "mended"
        well = True
    finally:
        stir.clear_faults(world)
        if not well:
            ring.table.update({(fault.name, write.name): "WRONG" for write in WRITES})
            ring.leave()


def strike_first(world: World, fault: Fault, write: Write) -> stir.Tapped:
    """The fault comes just before the first call that writes the object."""
    struck: list[bool] = []

    def before(steps: Sequence[Step]) -> None:
        names = {step.object for step in steps if isinstance(step, Upsert | Update)}
        if write.object in names and not struck:
            struck.append(True)
            fault.strike(world, write)

    return stir.tap(world, before=before)


def parked_with_reason(world: World) -> None:
    rows = stir.parked(world)
    assert rows
    assert all(row.reason and row.next_step for row in rows)


def all_told(world: World) -> None:
    """Nothing is left to do, every standing pair has its row, and the ledger is even."""
    assert [
        (row.state, row.reason) for row in world.outbox() if row.state is not OutboxState.HELD
    ] == []
    without = stir.all_of(
        world.system.store, Pair, Pair.salesforce_id.is_(None), Pair.state == "open"
    )
    assert [(pair.object, pair.reason) for pair in without] == []
    assert stir.imbalances(world) == []
    assert stir.in_flight(world) == []
