"""The story of a record, and the one thing that keeps it from being in step."""

import pytest
import sqlalchemy as sa

from connector.domain.records import Kind
from connector.domain.states import EffectState, MatchState, OutboxState
from connector.store.tables import Conflict, Outbox, Pair
from tests.integration.cli.conftest import USER

LEAD = "00Q5g00000AbCdEEAV"
NOBODY = "01939000-0000-7000-8000-000000000000"


@pytest.fixture
def cause(connector):
    def of(record, *words):
        return connector("explain", record, "--json", *words).json["cause"]

    return of


def test_a_record_goes_by_kind_and_id_by_user_id_by_key_and_by_salesforce_id(town, connector):
    friend = town.friend()
    pair = town.pair(friend, "friend-lead")
    town.settles(pair, LEAD)
    for reference in (f"friend:{friend}", f"friend:{USER}", pair.key, LEAD, LEAD[:15], str(friend)):
        told = connector("explain", reference, "--json").json
        assert told["record"]["id"] == str(friend), reference


def test_a_record_that_is_in_step_has_no_cause(town, connector):
    friend = town.friend()
    town.settles(town.pair(friend, "friend-lead"), LEAD)
    told = connector("explain", f"friend:{friend}", "--json").json
    assert (told["cause"], told["text"]) == (None, "it is in step")
    assert [row["ledger"] for row in told["received"]] == ["written"]
    (pair,) = told["pairs"]
    assert (pair["mapping"], pair["object"], pair["salesforce_id"]) == ("friend-lead", "Lead", LEAD)
    assert pair["mapping_version"] > 0


def test_a_friend_who_never_consented_is_told_as_such(town, cause):
    found = cause(f"friend:{town.friend(consents=False)}")
    assert (found["rule"], found["field"], found["value"]) == ("consent", "consents.service", False)
    assert "consent button" in found["next_step"]


def test_a_friend_who_is_bound_is_kept_out_by_the_mappings_condition(town, cause):
    friend = town.friend(consents=False)
    town.happens(Kind.FRIEND, {"bound": True, "consents.service": True}, friend)
    found = cause(f"friend:{friend}")
    assert (found["rule"], found["field"], found["mapping"]) == ("when", "bound", "friend-lead")


def test_a_pair_that_is_about_to_be_written_shows_what_will_be_sent(town, connector):
    told = connector("explain", f"friend:{town.friend()}", "--json").json
    assert told["cause"]["rule"] == "queue"
    pending = {line["line"] for line in told["pairs"][0]["pending"]}
    assert {"LastName", "Company"} <= pending


def test_a_parked_pair_names_field_value_and_the_way_back(town, cause):
    friend = town.friend()
    pair = town.pair(friend, "friend-lead")
    town.stops(pair, reason="REQUIRED: Company", code="REQUIRED", fields=["Company"])
    found = cause(f"friend:{friend}")
    assert (found["rule"], found["field"], found["value"]) == ("parked", "Company", "LINE")
    assert f"connector dead redrive pair:{pair.id}" in found["next_step"]


def test_a_dead_pair_is_told_as_dead(town, cause):
    friend = town.friend()
    town.stops(town.pair(friend, "friend-lead"), OutboxState.DEAD, "tried 20 times")
    assert (cause(f"friend:{friend}")["rule"], cause(f"friend:{friend}")["text"]) == (
        "dead",
        "tried 20 times",
    )


def test_a_conflict_is_graver_than_being_parked(town, cause):
    member = town.member()
    pair = town.pair(member, "member-contact")
    town.stops(pair)
    with town.store.transaction() as session:
        sides = {"base": None, "ours": {"MobilePhone": "0912"}, "theirs": {"MobilePhone": "0988"}}
        question = {"line": "MobilePhone", "reason": "both changed", "next_step": "Choose one."}
        session.add(Conflict(pair_id=pair.id, kind="merge", **question, **sides))
    found = cause(f"member:{member}", "--reveal")
    assert (found["rule"], found["field"], found["value"]) == ("merge", "MobilePhone", "0912")
    assert found["next_step"] == "Choose one."
    assert "0912" not in str(cause(f"member:{member}"))


def test_an_unclear_match_names_the_value_that_was_sought(town, cause):
    member = town.member()
    pair = town.pair(member, "member-contact")
    town.change(Pair, Pair.id == pair.id, match=MatchState.CONFLICT)
    town.stops(pair, reason="several Contact rows fit: 003A, 003B")
    found = cause(f"member:{member}", "--reveal")
    assert (found["rule"], found["field"], found["value"]) == ("match", "phone", "+886912345678")
    assert "several Contact rows fit" in found["text"]


def test_a_held_pair_names_the_record_it_waits_for(town, cause):
    member = town.member()
    account = town.pair(member, "member-account")
    product = town.happens(Kind.PRODUCT, {"sku": "X"})
    held = {"state": OutboxState.HELD, "held_for": product, "reason": "waits", "next_step": "Look."}
    town.change(Outbox, Outbox.pair_id == account.id, **held)
    found = cause(f"member:{member}")
    assert (found["rule"], found["value"]) == ("held", f"product:{product}")
    assert f"connector explain product:{product}" in found["next_step"]


def test_a_pair_that_waits_says_until_when(town, cause):
    friend = town.friend()
    town.change(Outbox, sa.true(), state=OutboxState.WAITING, reason="UNABLE_TO_LOCK_ROW: busy")
    found = cause(f"friend:{friend}")
    assert (found["rule"], found["text"]) == ("waiting", "UNABLE_TO_LOCK_ROW: busy")
    assert found["value"].endswith("Z")


def test_a_paused_org_is_told_where_a_pair_is_ready(town, cause):
    friend = town.friend()
    town.pauses("sign-in was refused")
    assert cause(f"friend:{friend}")["rule"] == "paused"
    assert "sign-in was refused" in cause(f"friend:{friend}")["text"]


def test_personal_values_are_masked_unless_asked_for(town, connector):
    member = town.member(email="ming@example.com")
    masked = connector("explain", f"member:{member}", "--json").out
    assert not [text for text in ("王小明", "912345678", "ming@") if text in masked]
    shown = connector("explain", f"member:{member}", "--json", "--reveal").out
    assert "王小明" in shown
    assert "ming@example.com" in shown
    assert "王小明" not in connector("explain", f"member:{member}").out


def test_values_that_name_nobody_are_shown(town, connector):
    product = town.happens(Kind.PRODUCT, {"sku": "AC-100", "name": "冷氣"})
    assert (
        connector("explain", f"product:{product}", "--json").json["record"]["values"]["name"]
        == "冷氣"
    )


def test_relations_and_unpaired_mappings_are_named(town, connector):
    told = connector("explain", f"friend:{town.friend(consents=False)}", "--json").json
    assert (told["record"]["relations"], told["unpaired"]) == ({}, ["friend-lead"])


def test_the_story_for_people_begins_with_the_cause(town, connector):
    friend = town.friend()
    town.stops(town.pair(friend, "friend-lead"), reason="Company is missing")
    lines = connector("explain", f"friend:{friend}").out.splitlines()
    assert lines[0].startswith(f"friend {friend}")
    assert lines[1] == "parked: Company is missing"
    assert lines[2].startswith("what to do: Mend it.")


def test_an_edit_that_is_not_written_yet_is_pending_alone(town, connector):
    friend = town.friend()
    pair = town.pair(friend, "friend-lead")
    base = {"LastName": {"value": "王小明", "line": "王小明", "version": 1}}
    town.settles(pair, LEAD, EffectState.WRITTEN)
    town.change(Pair, Pair.id == pair.id, base=base)
    town.happens(Kind.FRIEND, {"display_name": "王大明"}, friend)
    (told,) = connector("explain", f"friend:{friend}", "--json", "--reveal").json["pairs"]
    pending = {line["line"]: line["fields"] for line in told["pending"]}
    assert pending.get("LastName") in (None, {"LastName": "王大明"})
    assert told["base"] == {"LastName": "王小明"}


@pytest.mark.parametrize(
    ("reference", "code", "exit_code"),
    [
        (f"member:{NOBODY}", "unknown_record", 1),
        (f"friend:{'U' + 'f' * 32}", "unknown_record", 1),
        ("0035g00000AbCdEAAV", "unknown_record", 1),
        (NOBODY, "unknown_record", 1),
        ("membre:1", "unknown_kind", 2),
        ("member:1", "bad_reference", 2),
        ("hello", "bad_reference", 2),
    ],
)
def test_what_cannot_be_found_is_told_apart_from_what_cannot_be_read(
    connector, reference, code, exit_code
):
    answer = connector("explain", reference, "--json")
    assert (answer.json["error"]["code"], answer.code) == (code, exit_code)
