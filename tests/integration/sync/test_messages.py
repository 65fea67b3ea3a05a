"""What LINE users are told: once, on the cheapest way, and never what they should not see."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from connector.domain.lines import Lane
from connector.domain.states import EnvelopeState
from connector.store.tables import Envelope, LineAccount, Notice, Received, ReplyToken
from connector.sync.messaging.envelopes import Postman
from connector.sync.upkeep import sweeping
from tests import interference as stir
from tests.acceptance.waiting import until
from tests.properties import naps
from tests.world import World

PUSH = {"path": "/v2/bot/message/push"}
REPLY = {"path": "/v2/bot/message/reply"}


def member_of(world: World) -> str:
    user = world.person("王小明")
    world.follow(user)
    world.consent(user)
    world.run_until_idle()
    world.bind(user, "王小明", "0912345678")
    world.run_until_idle()
    return user


def envelopes(world: World) -> list[Envelope]:
    return stir.all_of(world.system.store, Envelope)


def numbers(world: World, user: str) -> list[str]:
    """The chat's messages that name the one Case."""
    number = world.row("SELECT CaseNumber FROM Case")["CaseNumber"]
    return [item["via"] for item in world.chat(user) if number in item["text"]]


def written_to_the_org(world: World) -> None:
    """Bring the request to the org; the message is still owed."""
    sending, world.system.__dict__["postman"] = world.system.postman, stir.NoPostman()
    world.step()
    world.step()
    world.system.__dict__["postman"] = sending


def test_in_standby_nothing_is_said(world: World) -> None:
    ann = world.person("安安")
    for event in ({"type": "follow"}, {"type": "postback", "data": "consent:service"}):
        world.event(ann, mode="standby", **event)
    bea = world.person("美美")
    world.event(bea, mode="standby", type="postback", data="consent:service")
    world.event(bea, mode="standby", type="message", text="選單")
    world.run_until_idle()
    assert (world.chat(ann), world.chat(bea)) == ([], [])
    assert stir.all_of(world.system.store, Notice) == []
    assert len(world.rows("SELECT Id FROM Lead")) == 2


def message(world: World, user: str, text: str) -> str:
    world.says(user, text)
    world.run_until_idle()
    (row,) = stir.all_of(
        world.system.store, Received, Received.body["message"]["text"].as_string() == text
    )
    return row.subject


def test_a_message_that_was_taken_back_is_masked(world: World) -> None:
    ann = world.person("安安")
    told = message(world, ann, "我的帳號是 12345")
    world.event(ann, type="unsend", unsend={"messageId": told})
    world.run_until_idle()
    bodies = [str(row.body) for row in stir.all_of(world.system.store, Received)]
    assert not any("12345" in body for body in bodies)


def test_a_message_that_comes_after_its_unsend_is_masked_too(world: World) -> None:
    ann = world.person("安安")
    world.follow(ann)
    arrived = world.simulators.catcher.arrived
    world.tell(ann, type="message", text="我的帳號是 12345")
    late = arrived.pop()
    told = stir.message_id(late)
    world.tell(ann, type="unsend", unsend={"messageId": told})
    world.run_until_idle()
    arrived.append(late)
    world.run_until_idle()
    bodies = [str(row.body) for row in stir.all_of(world.system.store, Received)]
    assert not any("12345" in body for body in bodies)


def test_a_form_from_the_chat_is_answered_by_a_free_reply(world: World) -> None:
    user = member_of(world)
    stir.spend_tokens(world)
    world.asks_for_repair(user, from_chat=True)
    written_to_the_org(world)
    world.system.postman.send()
    (row,) = [row for row in envelopes(world) if row.state is EnvelopeState.WAITING]
    assert row.reason == "a reply may be free"
    world.says(user, "已送出維修申請")
    stir.read_all(world)
    world.system.postman.send()
    assert numbers(world, user) == ["reply"]


def stands_at_a_lock(world: World) -> bool:
    """Whether a statement of this database waits for somebody else's lock."""
    waits = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with world.system.store.transaction() as session:
        return bool(session.scalar(waits))


def test_a_token_that_comes_while_the_sender_looks_makes_the_reply_go_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = member_of(world)
    stir.spend_tokens(world)
    world.asks_for_repair(user, from_chat=True)
    written_to_the_org(world)
    world.tell(user, type="message", text="已送出維修申請")
    looked, go_on = Event(), Event()
    look = Postman._keeps_for_later

    def looks_and_sleeps(self: Postman, envelope: Envelope, now: datetime) -> bool:
        keeps = look(self, envelope, now)
        looked.set()
        assert go_on.wait(20)
        return keeps

    monkeypatch.setattr(Postman, "_keeps_for_later", looks_and_sleeps)
    with ThreadPoolExecutor(2) as pool:
        sending = pool.submit(world.system.postman.send)
        assert looked.wait(20)
        reading = pool.submit(stir.read_all, world)
        until(lambda: stands_at_a_lock(world), "the reader meets the sender's lock")
        go_on.set()
        sending.result()
        reading.result()
    world.system.postman.send()
    assert numbers(world, user) == ["reply"]


def test_a_token_whose_coming_nobody_was_told_is_found_soon(world: World) -> None:
    user = member_of(world)
    stir.spend_tokens(world)
    world.asks_for_repair(user, from_chat=True)
    world.says(user, "已送出維修申請")
    stir.read_all(world)
    with world.system.store.transaction() as session:  # the token is being stored, unseen yet
        unused = ReplyToken.used_at.is_(None)
        gone = sa.delete(ReplyToken).where(unused).returning(*ReplyToken.__table__.columns)
        (token,) = session.execute(gone).mappings()
    written_to_the_org(world)
    world.system.postman.send()
    (row,) = [row for row in envelopes(world) if row.state is EnvelopeState.WAITING]
    assert row.due < datetime.now(UTC) + timedelta(seconds=3)
    assert row.attempts == 0  # however often it looks, all its tries are left to it
    with world.system.store.transaction() as session:
        session.execute(sa.insert(ReplyToken).values(**token))
    stir.settle_down(world)
    assert numbers(world, user) == ["reply"]


def test_without_a_token_in_time_the_case_number_is_pushed(world: World) -> None:
    user = member_of(world)
    stir.spend_tokens(world)
    world.asks_for_repair(user, from_chat=True)
    written_to_the_org(world)
    world.system.postman.send()
    assert numbers(world, user) == []
    with world.system.store.transaction() as session:
        past = sa.func.clock_timestamp() - timedelta(seconds=1)
        session.execute(sa.update(Envelope).values(token_hoped_until=past))
    stir.settle_down(world)
    assert numbers(world, user) == ["push"]


def test_a_form_from_elsewhere_is_pushed_at_once(world: World) -> None:
    user = member_of(world)
    stir.spend_tokens(world)
    world.asks_for_repair(user)
    world.run_until_idle()
    assert numbers(world, user) == ["push"]


def test_who_blocked_the_account_is_not_written_to(world: World) -> None:
    user = member_of(world)
    world.event(user, type="unfollow")
    world.asks_for_repair(user)
    world.run_until_idle()
    assert numbers(world, user) == []
    (notice,) = stir.all_of(world.system.store, Notice, Notice.rule == "case_number")
    assert notice.state == "unreachable"
    assert stir.imbalances(world) == []


def test_a_push_whose_answer_was_lost_is_said_once(world: World) -> None:
    user = member_of(world)
    stir.spend_tokens(world)
    world.line_fault("reset_after_commit", times=1, match=PUSH)
    world.asks_for_repair(user)
    stir.settle_down(world)
    assert numbers(world, user) == ["push"]
    assert {row.state for row in envelopes(world)} == {EnvelopeState.ACCEPTED}


def test_a_push_that_never_arrived_is_repeated(world: World) -> None:
    user = member_of(world)
    stir.spend_tokens(world)
    world.line_fault("reset_before", times=2, match=PUSH)
    world.asks_for_repair(user)
    stir.settle_down(world)
    assert numbers(world, user) == ["push"]


def test_a_reply_whose_answer_was_lost_is_never_said_twice(world: World) -> None:
    world.line_fault("reset_after_commit", times=1, match=REPLY)
    ann = world.person("安安")
    world.follow(ann)
    stir.settle_down(world)
    assert len({item["seq"] for item in world.chat(ann) if item["via"] == "reply"}) == len(
        world.chat(ann)
    )
    assert [row.state for row in envelopes(world)] == [EnvelopeState.UNCERTAIN]
    assert {row.ledger for row in stir.all_of(world.system.store, Received)} >= {"notified"}


def test_a_reply_that_may_have_come_is_not_pushed_when_line_is_busy(world: World) -> None:
    user = world.person("安安")
    world.follow(user)
    stir.read_all(world)
    assert naps.dies(world, "sending, after LINE has it", Lane.URGENT)
    greeted = len(world.chat(user))
    stir.expire_claims(world)
    sweeping.sweep(world.system.store)
    world.line_fault("rate_429", times=1, match=REPLY)
    stir.settle_down(world)
    assert greeted
    assert len(world.chat(user)) == greeted
    assert [row.state for row in envelopes(world) if row.body] == ["uncertain"]


def test_a_token_that_ran_out_makes_the_reply_a_push(world: World) -> None:
    world.line_fault("expire_reply_tokens", times=1)
    ann = world.person("安安")
    world.follow(ann)
    stir.settle_down(world)
    assert {item["via"] for item in world.chat(ann)} == {"push"}


def test_too_many_calls_wait_and_go_on(world: World) -> None:
    user = member_of(world)
    stir.spend_tokens(world)
    world.line_fault("rate_429", times=2, match=PUSH)
    world.asks_for_repair(user)
    stir.settle_down(world)
    assert numbers(world, user) == ["push"]


def resting(world: World) -> Any:
    (account,) = stir.all_of(world.system.store, LineAccount)
    return account.paused_until


def test_a_spent_quota_lets_the_account_rest(world: World) -> None:
    user = member_of(world)
    stir.spend_tokens(world)
    world.line_fault("quota_429", times=1, match=PUSH)
    world.asks_for_repair(user)
    for _ in range(4):
        world.step()
    assert resting(world) > world.now() + timedelta(minutes=30)
    assert [row.state for row in envelopes(world) if row.body and row.via == "push"] == ["waiting"]
    stir.settle_down(world)
    assert numbers(world, user) == ["push"]


def test_an_event_delivered_twice_is_stored_once(world: World) -> None:
    ann = world.person("安安")
    world.event(ann, type="follow", duplicate=True)
    world.run_until_idle()
    assert len(stir.all_of(world.system.store, Received, Received.kind == "follow")) == 1
    greeted = len(world.chat(ann))
    world.simulators.catcher.arrived.append(world.simulators.catcher.arrived[0])
    world.run_until_idle()
    assert len(world.chat(ann)) == greeted


def test_an_older_unfollow_does_not_win_over_a_newer_follow(world: World) -> None:
    ann = world.person("安安")
    world.follow(ann)
    world.consent(ann)
    world.run_until_idle()
    arrived = world.simulators.catcher.arrived
    world.tell(ann, type="unfollow")
    late = arrived.pop()
    world.tell(ann, type="follow")
    world.run_until_idle()
    arrived.append(late)
    world.run_until_idle()
    friend: UUID = stir.friend_of(world, ann)
    assert world.record(friend).values["following"] is True
    assert world.row("SELECT LINE_Following__c FROM Lead")["LINE_Following__c"] is True
