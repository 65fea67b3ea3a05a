"""What stands still is told in the words of an admin, with a way to mend it."""

import pytest

from connector.line.faults import RULES as LINE_RULES
from connector.salesforce.fault_rules import Way
from connector.salesforce.fault_table import TABLE
from connector.sync.desk.rootcauses import _REFUSALS, Facts, root_cause

STOPS = [rule for rule in TABLE if rule.way is Way.PARK or rule.backoff.attempts]


def facts(code, *fields, detail="", state="parked", what="pair"):
    return Facts(what, state, "Case", code, fields, detail)


def test_a_cause_names_the_field_not_the_code():
    cause = root_cause(facts("STRING_TOO_LONG", "Subject"))
    assert (cause.rule, cause.says) == ("length", "the value is too long for Case.Subject")


def test_a_code_without_words_of_its_own_is_told_as_it_is():
    cause = root_cause(facts("NEW_CODE", "Subject", detail="Why not"))
    assert cause.says == "Salesforce refuses Case.Subject with NEW_CODE: Why not"


def test_a_refusal_of_line_is_told_without_its_code():
    found = root_cause(
        facts("refused", detail="refused: 400 too long", state="dead", what="envelope")
    )
    assert found.says == "LINE does not accept the message as its template makes it: too long"


def test_groups_of_one_cause_have_one_key_and_others_another():
    one = facts("A", "Subject")
    assert one.key == facts("A", "Subject").key
    others = [facts("A", "Status"), facts("B", "Subject"), facts("A", "Subject", state="dead")]
    assert len({one.key, *(each.key for each in others)}) == 4


def test_words_are_given_to_codes_that_there_are():
    assert set(_REFUSALS) <= {rule.code for rule in TABLE}


@pytest.mark.parametrize("rule", STOPS, ids=lambda rule: f"{rule.code} {rule.text}")
def test_whatever_can_stop_a_record_says_how_it_goes_on(rule):
    step = rule.next_step
    assert "redrive" in step or "by itself" in step or step.startswith("Nothing to do")


def test_every_refusal_of_line_has_a_next_step():
    assert [rule.code for rule in LINE_RULES if not rule.next_step.endswith(".")] == []
