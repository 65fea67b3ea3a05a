"""What was stopped goes on: one first, then the rest; corrected by a person; from a mended template."""

from __future__ import annotations

from connector.store.tables import Envelope, History
from connector.sync.desk import amending, canary, redriving, stuck
from connector.sync.desk.canary import Ending, Patience
from connector.sync.desk.stuck import Handle
from connector.sync.live import publishing
from tests import interference as stir
from tests.integration.sync.test_new_rows import lift, rule
from tests.world import World

TERSE = {"object": "Case", "when": "Subject = '壞了'", "message": "Say what is broken"}
PUSH = {"path": "/v2/bot/message/push"}


def member_of(world: World) -> str:
    """A person who is bound."""
    user = world.person()
    world.follow(user)
    world.bind(user, "王小明", "0912345678")
    world.run_until_idle()
    return user


def group(world: World) -> list[Handle]:
    """What the one group of parked Cases holds."""
    with world.system.store.reading() as session:
        (found,) = stuck.groups(session)
        return stuck.members(session, found)


def release(world: World, handle: Handle) -> canary.Sight:
    """Bring one back while the service works."""
    patience = Patience(pause=lambda _: world.step())
    return canary.release(world.system.store, handle, "amy", patience)


def test_the_rest_follows_only_once_the_canary_got_through(world: World) -> None:
    user = member_of(world)
    refusing = rule(world, "validation", **TERSE)
    for _ in range(3):
        world.asks_for_repair(user, symptom="壞了")
    world.run_until_idle()

    first, rest = canary.choose(group(world))
    sight = release(world, first)
    assert sight.ending is Ending.STOPPED
    assert "Say what is broken" in sight.reason
    assert "Validation Rules" in sight.next_step
    assert group(world) == [first, *rest]

    lift(world, refusing)
    assert release(world, first).ending is Ending.THROUGH
    assert len(world.rows("SELECT Id FROM Case")) == 1
    assert redriving.redrive_these(world.system.store, rest, "amy") == 2
    world.run_until_idle()
    assert len(world.rows("SELECT Id FROM Case")) == 3
    assert world.outbox() == []


def test_a_corrected_value_reaches_salesforce_under_its_author(
    world: World,
) -> None:
    user = member_of(world)
    rule(world, "validation", **TERSE)
    request = world.asks_for_repair(user, symptom="壞了")
    world.run_until_idle()
    edits = amending.amend(
        world.system.store,
        world.system.catalogs,
        f"repair_request:{request}",
        {"symptom": " 壓縮機不轉 "},
        amending.By("amy", "the customer said so by phone"),
    )
    assert edits[0].sends["Case.Subject"] == "壓縮機不轉"
    world.run_until_idle()
    assert world.row("SELECT Subject FROM Case")["Subject"] == "壓縮機不轉"
    assert stir.all_of(world.system.store, History, History.author == "amy")
    assert stir.imbalances(world) == []


def test_a_refused_message_is_worked_out_anew_from_its_mended_template(world: World) -> None:
    user = member_of(world)
    stir.spend_tokens(world)
    world.line_fault("status", times=1, match=PUSH, status=400, body={"message": "bad"})
    world.asks_for_repair(user)
    world.run_until_idle()
    (dead,) = stir.all_of(world.system.store, Envelope, Envelope.state == "dead")
    assert "message template" in dead.next_step
    mend(world)
    assert redriving.redrive(world.system.store, f"envelope:{dead.id}", "amy") == 1
    world.run_until_idle()
    number = world.row("SELECT CaseNumber FROM Case")["CaseNumber"]
    assert world.texts(user)[-1] == f"單號 {number}"


def mend(world: World) -> None:
    """Publish another text of the message with the case number."""
    path = "messages/case_number.zh-TW.yaml"
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    texts[path] = '- {type: text, text: "單號 {{ after.case_number }}"}\n'
    publishing.publish_from_org(
        world.system.store, world.system.gateway, texts, "an admin", "a shorter one"
    )
