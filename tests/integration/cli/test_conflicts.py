"""`connector conflicts`: what an admin reads and types."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
import sqlalchemy as sa

from connector.domain.identifiers import uuid7
from connector.domain.states import ConflictKind, MatchState
from connector.store.tables import Conflict, History, Pair, Received
from connector.sync.desk import resolving
from connector.sync.desk.resolving import Decision, Way

CONTACT = "0035g00000AbCdEAAV"
EMAIL = {
    "base": {"Email": "old@example.com"},
    "ours": {"Email": "ming@example.com"},
    "theirs": {"Email": "agent@example.com"},
}


@pytest.fixture
def asked(town):
    """An e-mail address that was edited on both sides."""

    def ask(kind=ConflictKind.MERGE, **values):
        member = town.member(email="ming@example.com", **values)
        pair = town.pair(member, "member-contact")
        town.settles(pair, CONTACT[:-4] + uuid7().hex[-4:])
        with town.store.transaction() as session:
            told = {"theirs": {"at": "2026-11-21T04:00:00.000Z", "by": "0055g00000AgentAAA"}}
            text = {"reason": "Email: not agent@example.com", "next_step": "Choose.", "told": told}
            row = Conflict(id=uuid7(), pair_id=pair.id, kind=kind, line="Email", **text, **EMAIL)
            row.state = "open"
            session.add(row)
        return pair, str(row.id)

    return ask


def test_personal_values_are_shown_only_to_who_asks(connector, asked):
    asked()
    (shown,) = connector("conflicts", "list", "--json").json["conflicts"]
    assert (shown["object"], shown["line"]) == ("Contact", "Email")
    assert (shown["ours"]["Email"], shown["theirs"]["Email"]) == ("m… (16)", "a… (17)")
    (bare,) = connector("conflicts", "list", "--json", "--reveal").json["conflicts"]
    assert bare["ours"]["Email"] == "ming@example.com"
    assert (shown["reason"], bare["reason"][-17:]) == ("Email: not a… (17)", "agent@example.com")
    assert "ming@" not in connector("conflicts", "list").out


def test_the_list_is_narrowed_by_object_kind_and_line(connector, asked, town):
    asked()
    other = town.pair(town.member(phone="+886922333444"), "member-contact")
    town.stops(other, reason="several Contact rows fit")
    town.change(Pair, Pair.id == other.id, match=MatchState.CONFLICT)

    def kinds(*words):
        told = connector("conflicts", "list", "--json", *words).json
        assert told["count"] == len(told["conflicts"])
        return sorted(each["kind"] for each in told["conflicts"])

    assert kinds() == ["match", "merge"]
    assert kinds("--kind", "match") == ["match"]
    assert kinds("--line", "Email") == ["merge"]
    assert kinds("--line", "MobilePhone") == []
    assert kinds("--object", "Lead") == []


def test_one_is_shown_with_who_entered_what_and_what_to_do(connector, asked):
    _, conflict = asked()
    told = connector("conflicts", "show", conflict, "--reveal").out
    for text in (
        "old@example.com",
        "agent@example.com",
        "0055g00000AgentAAA",
        "could not be asked",
    ):
        assert text in told
    assert f"connector conflicts resolve {conflict} --salesforce-stands" in told


def test_a_match_shows_the_values_by_which_a_row_was_sought(connector, town):
    pair = town.pair(town.member(), "member-contact")
    town.stops(pair, reason="several Contact rows fit")
    town.change(Pair, Pair.id == pair.id, match=MatchState.CONFLICT)
    told = connector("conflicts", "show", pair.id, "--json", "--reveal").json
    assert told["sought"] == {"phone": "+886912345678", "name": "王小明"}
    assert "--row" in told["next_step"]


def test_a_decision_is_written_down_and_taken_once(connector, asked, town):
    pair, conflict = asked()
    words = ("--salesforce-stands", "--reason", "she phoned", "--author", "amy", "--json")
    trial = connector("conflicts", "resolve", conflict, *words, "--dry-run")
    assert trial.json == {"resolved": 1, "dry_run": True, "refused": []}
    assert connector("conflicts", "resolve", conflict, *words).json["resolved"] == 1
    again = connector("conflicts", "resolve", conflict, *words)
    assert (again.code, again.json["error"]["code"]) == (1, "already_resolved")
    assert town.pair(pair.record_id, "member-contact").base["Email"]["value"] == "ming@example.com"
    assert town.intent(pair).recheck
    with town.store.reading() as session:
        here = sa.select(History.author, History.after).where(History.name == "resolve")
        ((author, after),) = session.execute(here).all()
        acts = session.scalars(sa.select(Received).where(Received.kind == "resolve")).all()
    assert (author, after["reason"]) == ("amy", "she phoned")
    assert [act.ledger for act in acts] == ["in_flight"]


def test_a_value_that_the_other_side_could_not_hold_is_given_by_hand(connector, asked, town):
    pair, conflict = asked(ConflictKind.VALUE)
    words = ("resolve", conflict, "--reason", "a typing error", "--value")
    assert connector("conflicts", *words, "right@example.com", "--json").json["resolved"] == 1
    told = connector("explain", f"member:{pair.record_id}", "--json", "--reveal").json
    assert told["record"]["values"]["email"] == "right@example.com"
    assert told["pairs"][-1]["base"]["Email"] == "agent@example.com"


def test_of_two_who_decide_at_once_one_is_told_of_the_other(connector, asked, town):
    pair, conflict = asked()
    deciders = [Decision(Way.LINE, name, "she phoned") for name in ("amy", "ben")]

    def decide(decision):
        return resolving.resolve(town.store, town.catalogs, [UUID(conflict)], decision)

    with ThreadPoolExecutor(2) as pool:
        with town.store.transaction() as session:  # both have read it, and wait
            session.execute(sa.select(Pair).where(Pair.id == pair.id).with_for_update())
            ends = [pool.submit(decide, each) for each in deciders]
            time.sleep(0.3)
        refused = [each for end in ends for each in end.result()]
    assert [each.problem.code for each in refused] == ["already_resolved"]


def test_the_others_like_it_are_listed_and_asked_about_first(connector, asked):
    _, first = asked()
    asked(phone="+886922333444")
    words = ("conflicts", "resolve", first, "--line-stands", "--same", "--reason", "the import")
    trial = connector(*words, "--dry-run")
    assert (trial.out.strip(), "1 others like it" in trial.err) == ("2 would be decided", True)
    assert connector(*words, "--yes", "--json").json["resolved"] == 2
    assert connector("conflicts", "list", "--json").json["count"] == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--line-stands", "--new-row"), "usage"),
        (("--value", "a@example.com", "--same"), "usage"),
        (("--line-stands", "--take-over"), "usage"),
        (("--new-row",), "wrong_decision"),
        (("--value", "no address"), "bad_value"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(connector, asked, words, code):
    _, conflict = asked()
    told = connector("conflicts", "resolve", conflict, *words, "--reason", "x", "--json")
    assert told.code > 0
    assert told.json["error"]["code"] == code
    assert told.json["error"]["fix"]


def test_an_unknown_conflict_is_said_to_be_none(connector, town):
    assert connector("conflicts", "show", "nonsense", "--json").code == 2
    told = connector("conflicts", "show", uuid7(), "--json")
    assert (told.code, told.json["error"]["code"]) == (1, "unknown_conflict")
