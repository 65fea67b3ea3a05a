"""What stands still: why, for how many, and how a person corrects it and brings it back."""

import json
import threading
import time
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from connector.domain.records import Kind
from connector.domain.states import InboxState, MatchState, OutboxState
from connector.store.tables import Conflict, History, Outbox, Pair, Received, Record
from connector.sync.upkeep import ledger

NOBODY = "01939000-0000-7000-8000-000000000000"
RULE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


@pytest.fixture
def groups(connector):
    """What `connector dead list` shows, by the kind of cause."""

    def of(*words):
        found = connector("dead", "list", "--json", *words).json["groups"]
        return {each["rule"]: each for each in reversed(found)}  # of one rule the largest

    return of


def refused(town, *letters, code=RULE, message="Name looks wrong", fields=("LastName",)):
    """Friends whose Leads the org refuses."""
    pairs = [town.pair(town.friend("U" + letter * 32), "friend-lead") for letter in letters]
    for pair in pairs:
        fault = {"kind": "data", "code": code, "message": message, "fields": list(fields)}
        town.stops(pair, reason=f"{code}: {message}", **fault)
    return pairs


def test_one_validation_rule_is_one_cause_however_many_it_stops(town, groups):
    refused(town, "d", message="Too young")
    refused(town, *"abc")
    found = groups()["validation rule"]
    assert (found["count"], found["code"], found["object"], found["fields"]) == (
        3,
        RULE,
        "Lead",
        ["LastName"],
    )
    assert found["reason"] == "a validation rule on Lead says: “Name looks wrong”"
    assert found["go_on"] == f"connector dead redrive --group {found['key']} --canary"


def test_a_value_in_the_refusal_makes_no_cause_of_its_own(town, groups):
    refused(town, "a", code="STRING_TOO_LONG", message="Last Name: data value too large: 王小明")
    refused(town, "b", code="STRING_TOO_LONG", message="Last Name: data value too large: 陳大文")
    found = groups()["length"]
    assert (found["count"], found["reason"]) == (2, "the value is too long for Lead.LastName")


def test_ids_in_a_reason_make_no_cause_of_their_own(town, groups):
    for letter, ids in (
        ("a", "00Q000000000001AAA"),
        ("b", "00Q000000000002AAA, 00Q000000000003AAA"),
    ):
        pair = town.pair(town.friend("U" + letter * 32), "friend-lead")
        town.change(Pair, Pair.id == pair.id, match=MatchState.CONFLICT)
        town.stops(pair, reason=f"several Lead rows fit: {ids}")
        if letter == "a":
            assert groups()["match"]["reason"] == f"several Lead rows fit: {ids}"
    found = groups()["match"]
    assert (found["count"], found["reason"]) == (2, "several Lead rows fit: …")


def test_the_largest_group_comes_first_and_all_its_ids_can_be_had(town, connector):
    refused(town, "a", message="Too young")
    pairs = refused(town, *"bcdefghijklm")
    first, second = connector("dead", "list", "--json").json["groups"]
    assert (first["count"], len(first["items"]), second["count"]) == (12, 10, 1)
    listed = connector("dead", "list", "--group", first["key"]).out.splitlines()
    assert listed == [f"pair:{pair.id}" for pair in pairs]


def test_unread_events_and_unsent_messages_are_told_by_their_error(town, unread, unsent, groups):
    found = groups()
    assert found["reading"]["reason"] == "line follow could not be read: KeyError: 'x'"
    assert found["message"]["reason"] == "400: too long"
    assert found["message"]["items"] == [{"id": f"envelope:{unsent.id}", "record": None}]


def test_open_questions_and_what_is_held_are_counted_and_pointed_to(town, connector, groups):
    pair = town.pair(town.member(), "member-contact")
    with town.store.transaction() as session:
        question = {"kind": "merge", "line": "MobilePhone", "reason": "both changed"}
        session.add(Conflict(pair_id=pair.id, next_step="Choose one.", **question))
    told = {"state": OutboxState.HELD, "reason": "waits for its member", "next_step": "Wait."}
    town.change(Outbox, Outbox.pair_id == pair.id, **told)
    shown = connector("dead", "list").out
    assert "nothing is parked or dead" in shown
    assert "field values to decide about: 1, see connector conflicts list" in shown
    assert "connector dead list --held" in shown
    assert groups("--held")["waits"]["reason"] == "Contact: waits for its member"


def test_the_list_says_what_to_do_and_how_to_go_on(town, connector):
    (pair,) = refused(town, "a")
    lines = [line.strip() for line in connector("dead", "list").out.splitlines()]
    assert (
        lines[0] == "1 parked  validation rule: a validation rule on Lead says: “Name looks wrong”"
    )
    assert lines[1] == "what to do: Mend it."
    assert lines[2].startswith("then: connector dead redrive --group ")
    assert any(line.startswith(f"pair:{pair.id}  friend:") for line in lines)


def test_a_group_comes_back_and_others_stay(town, connector, groups):
    kept = refused(town, "a", message="Too young")[0]
    refused(town, "b", "c")
    key = next(each["key"] for each in connector("dead", "list", "--json").json["groups"])
    answer = connector("dead", "redrive", "--group", key, "--json")
    assert answer.json == {"redriven": 2, "left": 0, "canaries": []}
    assert town.intent(kept).state is OutboxState.PARKED
    gone = connector("dead", "redrive", "--group", key, "--json")
    assert (gone.code, gone.json["error"]["code"]) == (1, "unknown_group")


def test_all_parked_leaves_what_is_dead(town, stopped, unread, unsent, connector):
    assert connector("dead", "redrive", "--all-parked", "--json").json["redriven"] == 1
    assert connector("dead", "redrive", "--all-parked").out == "0 brought back\n"
    answer = connector("dead", "redrive", "--all-dead", "--json", "--author", "amy")
    assert answer.json["redriven"] == 2
    assert connector("dead", "list").out == "nothing is parked or dead\n"


def test_a_canary_that_no_worker_takes_says_so_and_the_rest_stays(town, connector):
    first, second = refused(town, "a", "b")
    answer = connector("dead", "redrive", "--all-parked", "--canary", "--timeout", "0")
    assert answer.code == 1
    assert f"the canary pair:{first.id} is not through yet: no worker takes it" in answer.out
    assert "connector status" in answer.out
    assert town.intent(first).state is OutboxState.READY
    assert town.intent(second).state is OutboxState.PARKED


@contextmanager
def a_worker_that(town, pair, ends):
    """Somebody who takes a pair once it is ready."""

    def work():
        while town.intent(pair).state is not OutboxState.READY:
            time.sleep(0.02)
        ends(pair)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    yield
    worker.join(10)


def test_a_canary_that_is_through_lets_the_rest_of_its_group_follow(town, connector):
    first, second = refused(town, "a", "b")
    with a_worker_that(town, first, lambda pair: town.settles(pair, "00Q000000000001AAA")):
        answer = connector("dead", "redrive", "--all-parked", "--canary")
    assert (answer.code, answer.out) == (0, "2 brought back\n")
    assert town.intent(second).state is OutboxState.READY


def test_a_canary_that_is_refused_keeps_its_own_group_only(town, connector):
    first, second = refused(town, "a", "b")
    (other,) = refused(town, "c", message="Too young")
    settled = a_worker_that(town, other, lambda pair: town.settles(pair, "00Q000000000001AAA"))
    with a_worker_that(town, first, lambda pair: town.stops(pair, reason="no again")), settled:
        answer = connector("dead", "redrive", "--all-parked", "--canary")
    assert answer.code == 1
    assert f"the canary pair:{first.id} stands still again: no again" in answer.out
    assert answer.out.endswith("2 brought back, 1 left as they are\n")
    assert (town.intent(second).state, town.intent(other)) == (OutboxState.PARKED, None)


def test_a_canary_waits_for_an_org_that_rests_and_says_why(town, connector):
    refused(town, "a", "b")
    town.pauses("the org is in maintenance")
    words = ("--all-parked", "--canary", "--timeout", "0", "--json")
    answer = connector("dead", "redrive", *words).json
    assert (answer["redriven"], answer["left"]) == (1, 1)
    assert answer["canaries"][0]["reason"] == "the whole org rests: the org is in maintenance"


def test_a_pair_is_shown_with_record_fault_and_the_commands_to_go_on(town, connector):
    (pair,) = refused(town, "a")
    told = connector("dead", "show", f"pair:{pair.id}", "--json").json
    assert (told["state"], told["fault"]["code"], told["next_step"]) == ("parked", RULE, "Mend it.")
    assert told["record"]["kind"] == "friend"
    assert told["pair"]["mapping_version"] > 0
    assert told["go_on"] == f"connector dead redrive pair:{pair.id}"
    shown = connector("dead", "show", f"pair:{pair.id}").out
    assert f"connector dead edit pair:{pair.id} --set NAME=VALUE" in shown
    assert "applies when" in shown


def test_what_is_personal_in_a_refusal_is_masked_unless_asked_for(town, connector):
    (pair,) = refused(town, "a", message="bad name: 王小明")
    reference = f"pair:{pair.id}"
    assert "王小明" not in connector("dead", "show", reference).out
    assert "王小明" in connector("dead", "show", reference, "--reveal").out


def test_an_unread_event_is_shown_as_paths_that_edit_takes(town, unread, connector):
    body = {"type": "follow", "source": {"userId": "U1", "type": "user"}}
    town.change(Received, Received.id == unread.id, body=body)
    told = connector("dead", "show", f"inbox:{unread.id}").out
    assert "KeyError: 'x'" in told
    assert "source.userId  U… (2)" in told
    assert "source.type    user" in told


def test_an_edited_value_is_kept_beside_the_original_with_its_author(town, connector):
    friend = town.friend()
    pair = town.pair(friend, "friend-lead")
    town.stops(pair)
    words = ("--set", "display_name=王大明", "--author", "amy", "--reason", "typed wrong")
    answer = connector("dead", "edit", f"pair:{pair.id}", *words, "--json", "--reveal")
    (edit,) = answer.json["edits"]
    assert (edit["before"], edit["after"]) == ("王小明", "王大明")
    assert edit["sends"]["Lead.LastName"] == "王大明"
    with town.store.reading() as session:
        named = History.name == "display_name", History.side == "operator"
        past = session.scalars(sa.select(History).where(*named)).one()
        act = session.get_one(Received, past.received_id)
        assert session.get_one(Record, friend).values["display_name"] == "王大明"
        assert ledger.imbalances(session) == []
    assert (past.before, past.after, past.author) == (
        {"value": "王小明"},
        {"value": "王大明"},
        "amy",
    )
    assert (act.kind, act.body["reason"]) == ("edit", "typed wrong")
    assert town.intent(pair).state is OutboxState.READY


def test_a_dry_run_shows_before_and_after_and_changes_nothing(town, stopped, connector):
    words = ("--set", "display_name=Ann Lee", "--reason", "x", "--dry-run")
    answer = connector("dead", "edit", f"pair:{stopped.id}", *words, "--reveal")
    assert answer.out.splitlines()[0] == "display_name: 王小明 -> Ann Lee"
    assert "王小" not in connector("dead", "edit", f"pair:{stopped.id}", *words).out
    assert town.intent(stopped).state is OutboxState.PARKED


@pytest.mark.parametrize(
    ("kind", "given", "code", "says"),
    [
        (Kind.MEMBER, "emial=a@b.tw", "unknown_value", "Did you mean email?"),
        (Kind.MEMBER, "email=nonsense", "bad_value", "an e-mail address"),
        (Kind.MEMBER, "phone=12", "bad_value", "a telephone number"),
        (Kind.REPAIR_REQUEST, "urgency=soon", "bad_value", "one of low, normal, high"),
        (Kind.REPAIR_REQUEST, "slots=2026-11-24", "bad_value", "AM, PM or EVENING"),
        (Kind.REPAIR_REQUEST, "case_number=5", "salesforce_owns", "Case.CaseNumber"),
        (Kind.REPAIR_REQUEST, "visit_at=soon", "bad_value", "a moment as"),
    ],
)
def test_a_value_is_read_as_the_form_reads_it(town, connector, kind, given, code, says):
    record = town.member() if kind == Kind.MEMBER else town.happens(kind, {"symptom": "hot"})
    pair = town.pair(record, "member-contact" if kind == Kind.MEMBER else "repair_request-case")
    town.stops(pair)
    answer = connector("dead", "edit", f"pair:{pair.id}", "--set", given, "--reason", "x", "--json")
    error = answer.json["error"]
    assert (answer.code, error["code"]) == (1, code)
    assert says in f"{error['message']} {error['fix']}"


def test_an_edited_body_keeps_how_it_came_and_is_read_again(town, unread, connector, tmp_path):
    town.change(Received, Received.id == unread.id, body={"type": "folow", "source": {}})
    reference = f"inbox:{unread.id}"
    words = ("--set", "type=follow", "--set", "source.userId=U1", "--reason", "typo")
    assert connector("dead", "edit", reference, *words, "--author", "amy").code == 0
    with town.store.reading() as session:
        row = session.get_one(Received, unread.id)
    assert row.body == {"type": "follow", "source": {"userId": "U1"}}
    assert (row.original, row.edited_by) == ({"type": "folow", "source": {}}, "amy")
    assert row.state is InboxState.READY


def test_a_whole_body_may_be_given_and_the_first_original_stays(town, unread, connector, tmp_path):
    reference, place = f"inbox:{unread.id}", tmp_path / "body.json"
    for number in (1, 2):
        place.write_text(json.dumps({"type": "follow", "number": number}), "utf-8")
        connector("dead", "edit", reference, "--body", place, "--reason", "x")
        town.change(Received, Received.id == unread.id, state=InboxState.DEAD, ledger="dead")
    with town.store.reading() as session:
        row = session.get_one(Received, unread.id)
    assert (row.body["number"], row.original) == (2, {})


@pytest.mark.parametrize("path", ["sorce.userId", "source.type.name", "list.7"])
def test_a_path_that_leads_nowhere_is_refused_with_what_is_there(town, unread, connector, path):
    body = {"source": {"type": "user"}, "list": ["source"]}
    town.change(Received, Received.id == unread.id, body=body)
    words = ("--set", f"{path}=U1", "--reason", "x", "--json")
    error = connector("dead", "edit", f"inbox:{unread.id}", *words).json["error"]
    assert error["code"] == "unknown_part"
    assert error["message"].startswith(f"{path}: there is no ")
    assert path != "sorce.userId" or "source" in error["fix"]


def test_a_message_is_mended_in_its_template(town, unsent, connector):
    words = ("--set", "text=hi", "--reason", "x", "--json")
    error = connector("dead", "edit", f"envelope:{unsent.id}", *words).json["error"]
    assert (error["code"], "template" in error["fix"]) == ("message_not_edited", True)


@pytest.mark.parametrize("reference", ["pair:x", "17", NOBODY, f"envelope:{NOBODY}"])
def test_what_is_not_stopped_is_refused(town, connector, reference):
    for words in (("redrive",), ("show",), ("edit", "--set", "a=b", "--reason", "x")):
        answer = connector("dead", *words, reference, "--json")
        assert (answer.code, answer.json["error"]["code"]) == (1, "not_stopped")


@pytest.mark.parametrize(
    "words",
    [("redrive",), ("redrive", "17", "--all-dead"), ("edit", "17", "--reason", "x")],
)
def test_what_is_wanted_must_be_said_in_one_way(connector, words):
    assert connector("dead", *words).code == 2


def test_several_that_go_by_one_record_are_shown_one_at_a_time(town, connector):
    member = town.member()
    for mapping in ("member-contact", "member-account"):
        town.stops(town.pair(member, mapping))
    error = connector("dead", "show", f"member:{member}", "--json").json["error"]
    assert (error["code"], error["fix"].count("pair:")) == ("several", 2)
