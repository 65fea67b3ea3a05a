"""Where a draft of a mapping and the live one differ about one record."""

from connector.planning.rehearsals.contrasts import contrast
from connector.store.tables import Contrast
from tests.unit.mapping.building import compiled

PHONE = "- {line: phone, salesforce: Phone__c, transform: phone}"
NAME = "- {line: name, salesforce: Name__c}"
VIEW = {"name": "Ann", "phone": "+886912345678", "email": None}


def mapping(*lines, head=""):
    listed = "".join(f"  {line}\n" for line in lines)
    return compiled(f"from: member\nto: Thing__c\n{head}fields:\n{listed}")


def told(live, draft, view=VIEW, base=None):
    return [(each.line, each.kind) for each in contrast(live, draft, view, base or {})]


def test_one_mapping_beside_itself_differs_in_nothing():
    assert told(mapping(NAME, PHONE), mapping(PHONE, NAME)) == []


def test_another_spelling_is_no_difference():
    called = mapping(NAME.replace("}", ", transform: phone}"))
    assert told(mapping(NAME), called, {**VIEW, "name": "0912-345-678"}) == []


def test_a_mapping_that_rests_says_nothing():
    resting = mapping(NAME, head="enabled: false\n")
    assert told(mapping(NAME), resting) == [("when", Contrast.ONLY_LIVE)]
    assert told(resting, mapping(NAME)) == [("when", Contrast.ONLY_DRAFT)]
    assert told(None, resting) == []


def test_what_neither_can_say_is_no_difference():
    strict = NAME.replace("}", ", values: {Ben: B}}")
    assert told(mapping(strict), mapping(strict.replace("B}", "X}"))) == []
    assert told(mapping(strict), mapping(NAME)) == [("Name__c", Contrast.LIVE_FAILS)]


def test_a_line_that_is_blank_in_either_says_nothing():
    email = "- {line: email, salesforce: Email__c}"
    assert told(mapping(NAME), mapping(NAME, email)) == []
    filled = {**VIEW, "email": "a@b.tw"}
    assert told(mapping(NAME), mapping(NAME, email), filled) == [("Email__c", Contrast.ONLY_DRAFT)]


def test_inbound_values_are_compared_where_the_base_knows_the_field():
    line = "- {line: name, salesforce: Stage__c, direction: from_salesforce, values: {a: New}}"
    live, draft = mapping(line), mapping(line.replace("a: New", "b: New"))
    assert told(live, draft) == []
    base = {"Stage__c": {"value": "New", "line": "a", "version": 1}}
    (found,) = contrast(live, draft, VIEW, base)
    assert (found.inbound, found.live, found.draft) == (True, {"name": "a"}, {"name": "b"})
