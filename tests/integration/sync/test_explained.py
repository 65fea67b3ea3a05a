"""Why a record is not in step, from the data alone: each cause names rule, field, value and the next step.

All causes are prepared in one world, each with people of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import click
import pytest

from connector.cli import narration, story
from connector.ground.postgres import Postgres
from connector.sync import finding
from connector.sync.desk import explain
from connector.sync.upkeep.status import snapshot
from connector.sync.veil import Veil
from tests import interference as stir
from tests.integration.sync.conftest import close
from tests.integration.sync.test_merging import asking, line_edits, publish
from tests.integration.sync.test_new_rows import rule
from tests.world import Simulators, World, open_world

NAMES = {"policy": "王小明", "rule": "林美美", "message": "張安安", "blocked": "李大同"}
TWICE = {"LastName": "陳", "FirstName": "大文", "MobilePhone": "0912345670"}
TERSE = {"object": "Case", "when": "Subject = '壞了'", "message": "Say what is broken"}


@pytest.fixture(scope="module")
def day(
    outside: Simulators, postgres: Postgres, prepared: str
) -> Iterator[tuple[World, dict[str, str]]]:
    """A world on a bad day, and the record of each trouble."""
    outside.reset()
    name = f"test_{uuid4().hex}"
    world = open_world(outside, postgres.clone(prepared, name))
    assert world.system.guard.holds()
    yield world, trouble(world)
    close(world)
    postgres.drop(name)


def trouble(world: World) -> dict[str, str]:
    """Let everything go wrong once."""
    publish(world, member__contact=asking(world))
    rule(world, "validation", field="Subject", **TERSE)
    for _ in range(2):
        world.agent_makes("Contact", **TWICE)
    users = {what: world.person(name) for what, name in {**NAMES, "match": "陳大文"}.items()}
    for user in users.values():
        world.follow(user)
        world.consent(user)
    world.run_until_idle()
    phones = {what: f"091234567{number}" for number, what in enumerate(users, 1)}
    phones["match"] = TWICE["MobilePhone"]
    people = {**NAMES, "match": "陳大文"}
    members = {what: world.bind(users[what], people[what], phones[what]) for what in users}
    world.run_until_idle()
    contact = world.pair(members["policy"], "member-contact").salesforce_id
    world.agent_edits("Contact", str(contact), FirstName="大")
    line_edits(world, "member", members["policy"], name="王中明")
    stir.spend_tokens(world)
    world.event(users["blocked"], type="unfollow")
    world.line_fault("quota_429", match={"path": "/v2/bot/message/push"})
    asked = {what: ask(world, users[what], what) for what in ("match", *NAMES)}
    for _ in range(12):
        world.step()
    return {
        "filter": f"friend:{users['policy']}",
        "match": f"member:{members['match']}",
        "parent": f"repair_request:{asked['match']}",
        "policy": f"member:{members['policy']}",
        **{what: f"repair_request:{asked[what]}" for what in ("rule", "message", "blocked")},
    }


def ask(world: World, user: str, what: str) -> UUID:
    return world.asks_for_repair(user, symptom="壞了" if what == "rule" else "不冷")


def told(day: tuple[World, dict[str, str]], what: str) -> dict[str, Any]:
    """What `connector explain` tells of a record."""
    world, references = day
    with snapshot(world.system.store) as session:
        record = finding.find(session, references[what])
        catalog = world.system.catalogs.live(session)
        return story.as_told(explain.tell(session, catalog, record, datetime.now(UTC)), Veil())


def text(day: tuple[World, dict[str, str]], what: str) -> str:
    """The same for people, without colours."""
    return click.unstyle("\n".join(narration.lines(told(day, what))))


@pytest.mark.parametrize(
    ("what", "rule", "field", "value", "text", "step"),
    [
        ("filter", "when", "bound", "True", "applies only when", "change the mapping's `when`"),
        ("match", "match", "phone", "+… (13)", "several Contact rows fit: 003", "dead redrive"),
        (
            "parent",
            "held",
            "ContactId",
            "member:",
            "that one is parked: several Contact rows fit",
            "connector explain member:",
        ),
        ("policy", "merge", "LastName,FirstName", "中… (2)", "says to ask", "Decide which value"),
        ("rule", "parked", "Subject", "壞… (2)", "“Say what is broken”", "Validation Rules"),
        ("message", "message", "case_number", "waiting", "monthly limit", "message plan"),
        ("blocked", "message", "case_number", "unreachable", "blocked", "unblock"),
    ],
)
def test_a_prepared_cause_is_told_with_rule_field_value_and_next_step(
    day: tuple[World, dict[str, str]],
    what: str,
    rule: str,
    field: str,
    value: str,
    text: str,
    step: str,
) -> None:
    cause = told(day, what)["cause"]
    assert (cause["rule"], cause["field"]) == (rule, field)
    assert value in str(cause["value"])
    assert text in cause["text"]
    assert step in cause["next_step"]


def test_the_story_shows_filter_match_parents_policy_and_what_was_said_and_answered(
    day: tuple[World, dict[str, str]],
) -> None:
    shown = {what: text(day, what) for what in day[1]}
    assert "applies when line.consents.service && !line.bound: no" in shown["filter"]
    assert "matched by phone: it is not clear which row it is" in shown["match"]
    assert "ContactId: no row yet of member:" in shown["parent"]
    assert "conflict LastName,FirstName (its policy: ask)" in shown["policy"]
    assert "AssetId: left blank, for it has no registration" in shown["rule"]
    assert '"Subject": "壞… (2)"' in shown["rule"]
    assert "answer FIELD_CUSTOM_VALIDATION_EXCEPTION: Say what is broken" in shown["rule"]
    assert "create  stopped  mapping version" in shown["rule"]
    assert "case_number  owed  push  quota: 429" in shown["message"]
    assert "answer 429 You have reached your monthly limit." in shown["message"]


def test_no_story_tells_what_is_personal(day: tuple[World, dict[str, str]]) -> None:
    for what in day[1]:
        shown = text(day, what)
        assert not [word for word in (*NAMES.values(), "陳大文", "91234567") if word in shown]
