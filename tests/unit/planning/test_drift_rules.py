"""What a change in the org means for the lines of a live mapping, and the edit that mends it."""

from dataclasses import replace

from connector.mapping.loader import load
from connector.mapping.schema import FieldSchema, ObjectSchema
from connector.planning.drift.uses import open_document
from connector.planning.drift.whole import findings
from connector.store.tables import Drifted
from tests.unit.mapping.building import KEY

NAME, PATH = "member-thing", "member-thing.yaml"
TITLE = FieldSchema("Title__c", label="Title", length=80)
STAGE = FieldSchema("Stage__c", type="picklist", picklist=("New", "Working", "Closed"))
TYPED = FieldSchema("RecordTypeId", type="reference", reference_to=("RecordType",))
LINES = {
    "text": "{line: name, salesforce: Title__c, transform: trim}",
    "cut": "{line: name, salesforce: Title__c, transform: [trim, {truncate: 40}]}",
    "both": "{line: name, salesforce: Title__c, direction: both}",
    "read": "{line: name, salesforce: Title__c, direction: from_salesforce}",
    "constant": "{salesforce: Stage__c, constant: Working}",
    "named": "{line: name, salesforce: Stage__c, values: {a: New, b: Working}}",
    "chosen": "{line: name, salesforce: Stage__c, direction: from_salesforce, values: {a: New, b: Working, c: Closed}}",
    "coped": "{line: name, salesforce: Stage__c, direction: from_salesforce, values: {a: New}, otherwise: a}",
    "free": "{line: name, salesforce: Stage__c}",
    "once": "{line: name, salesforce: Title__c, write: create}",
}


def thing(*fields, types=()):
    return ObjectSchema("Thing__c", {each.name: each for each in (KEY, *fields)}, types)


def drift(line, before, after, head=""):
    """What is found when the object of a mapping with that one line changes."""
    fields = f"fields:\n  - {LINES[line]}\n" if line else "fields: []\n"
    texts = {PATH: f"from: member\nto: Thing__c\n{head}{fields}"}
    offline = load(texts)
    assert not offline.problems
    fresh = load(texts, {"Thing__c": after}).problems if after is not None else ()
    live = open_document(PATH, texts[PATH], offline.mappings[NAME], tuple(fresh))
    told = [{"Thing__c": each} if each is not None else {} for each in (before, after)]
    return findings(live, *told, () if after is not None else ("Thing__c",))


def one(line, before, after, head=""):
    (found,) = drift(line, before, after, head)
    return found


def test_nothing_is_found_where_nothing_changed():
    for line in LINES:
        assert drift(line, thing(TITLE, STAGE), thing(TITLE, STAGE)) == []


def test_a_field_under_a_new_name_is_recognised_by_its_label():
    renamed = replace(TITLE, name="Salutation__c")
    found = one("text", thing(TITLE), thing(renamed))
    assert (found.kind, found.subject, found.line) == (Drifted.FIELD_GONE, "Title__c", 4)
    assert found.proposal == "If it was renamed, write salesforce: Salutation__c"


def test_a_field_that_is_gone_takes_its_line_or_a_permission():
    found = one("text", thing(TITLE), thing())
    assert "rows of member-thing are refused" in found.effect
    assert "Give the integration user Read to Thing__c.Title__c again" in found.proposal
    assert "does not reach LINE" in one("read", thing(TITLE), thing()).effect


def test_the_key_that_is_gone_is_found_though_no_line_names_it():
    bare = ObjectSchema("Thing__c", {"Title__c": TITLE})
    found = one("text", thing(TITLE), bare)
    assert (found.subject, found.line) == ("LINE_Key__c", 2)


def test_a_shorter_field_wants_its_text_cut_where_the_line_does_not_do_so():
    shorter = replace(TITLE, length=40)
    found = one("text", thing(TITLE), thing(shorter))
    assert (found.kind, found.proposal) == (
        Drifted.SHORTER,
        "Write transform: [trim, {truncate: 40}]",
    )
    assert drift("cut", thing(TITLE), thing(shorter)) == []
    assert drift("read", thing(TITLE), thing(shorter)) == []
    assert "cannot cut" in one("both", thing(TITLE), thing(shorter)).proposal
    tighter = one("cut", thing(TITLE), thing(replace(TITLE, length=20)))
    assert tighter.proposal == "Write transform: [trim, {truncate: 20}]"


def test_a_value_that_is_gone_is_replaced_where_it_is_named():
    after = thing(replace(STAGE, picklist=("New", "In Work", "Closed")))
    found = one("named", thing(STAGE), after)
    assert (found.kind, found.subject) == (Drifted.VALUE_GONE, "Stage__c: Working")
    assert found.proposal == "If In Work took its place, write values: {a: New, b: In Work}"
    assert one("constant", thing(STAGE), after).proposal.endswith(
        "write In Work instead of Working"
    )
    fewer = thing(replace(STAGE, picklist=("New", "Closed")))
    assert "name another one instead: New, Closed" in one("named", thing(STAGE), fewer).proposal
    assert drift("free", thing(STAGE), fewer) == []


def test_a_new_value_needs_a_meaning_only_where_rows_bring_it_in():
    after = thing(replace(STAGE, picklist=(*STAGE.picklist, "Late")))
    found = one("chosen", thing(STAGE), after)
    assert (found.kind, found.subject) == (Drifted.VALUE_NEW, "Stage__c: Late")
    assert found.proposal.endswith("values: {a: New, b: Working, c: Closed, …: Late}")
    assert drift("coped", thing(STAGE), after) == []
    assert drift("named", thing(STAGE), after) == []


def test_a_list_that_became_strict_is_told_to_lines_that_pass_anything_on():
    strict = thing(replace(STAGE, restricted=True))
    assert one("free", thing(STAGE), strict).kind is Drifted.RESTRICTED
    assert drift("named", thing(STAGE), strict) == []


def test_a_required_field_wants_a_default_or_a_line():
    needed = replace(TITLE, nillable=False)
    assert "Add default:" in one("text", thing(TITLE), thing(needed)).proposal
    found = one("named", thing(TITLE, STAGE), thing(needed, STAGE))
    assert (found.kind, found.subject, found.line) == (Drifted.REQUIRED, "Title__c", 3)
    assert "- {salesforce: Title__c" in found.proposal


def test_what_can_no_longer_be_written_says_when_it_matters():
    created_only = thing(replace(TITLE, updateable=False))
    assert "write: create" in one("text", thing(TITLE), created_only).proposal
    assert drift("once", thing(TITLE), created_only) == []
    assert drift("read", thing(TITLE), created_only) == []
    never = thing(replace(TITLE, updateable=False, createable=False))
    assert "at all" in one("text", thing(TITLE), never).message


def test_another_type_brings_the_words_of_the_check():
    found = one("text", thing(TITLE), thing(replace(TITLE, type="boolean")))
    assert (found.kind, found.message) == (
        Drifted.TYPE,
        "Thing__c.Title__c is a boolean field now; it was a string field",
    )
    assert "cannot hold" in found.effect
    assert drift("text", thing(TITLE), thing(replace(TITLE, type="textarea"))) == []


def test_a_record_type_that_may_no_longer_be_used_is_told_at_its_place():
    of_type = FieldSchema("RecordTypeId", type="reference", reference_to=("RecordType",))
    head = "record_type: Repair\n"
    before = thing(TITLE, of_type, types=("Repair", "Other"))
    found = one("text", before, thing(TITLE, of_type, types=("Other",)), head)
    assert (found.kind, found.line) == (Drifted.RECORD_TYPE, 3)
    assert found.proposal.endswith("or name another one: Other")


def test_an_object_that_is_hidden_rests_the_whole_mapping():
    assert one("text", thing(TITLE), None).kind is Drifted.OBJECT_HIDDEN


def test_what_only_the_check_sees_is_told_once():
    free = replace(KEY, unique=False)
    after = ObjectSchema("Thing__c", {"Title__c": TITLE, "LINE_Key__c": free})
    found = one("text", thing(TITLE), after)
    assert (found.kind, found.message) == (Drifted.UNFIT, "Thing__c.LINE_Key__c must be unique")
    assert "connector salesforce install" in found.proposal


def test_each_line_of_a_field_with_two_lines_is_told():
    both = f"  - {LINES['once']}\n  - {LINES['read']}\n"
    texts = {PATH: f"from: member\nto: Thing__c\nfields:\n{both}"}
    live = open_document(PATH, texts[PATH], load(texts).mappings[NAME], ())
    schemas = [{"Thing__c": thing(TITLE)}, {"Thing__c": thing()}]
    assert [each.line for each in findings(live, *schemas)] == [4, 5]


VISITED = """\
from: repair_request
to: Thing__c
children:
  visit: {object: Visit__c, by: Of__c, last: Start__c}
fields:
  - {line: visit_at, salesforce: visit.Start__c, direction: from_salesforce}
  - {salesforce: OwnerId, line: symptom, lookup: {object: User, by: Alias}}
"""


def further(before, after, hidden=()):
    """What is found when an object changes that the mapping only reads."""
    path = "repair_request-thing.yaml"
    offline = load({path: VISITED})
    live = open_document(path, VISITED, offline.mappings["repair_request-thing"], ())
    found = findings(live, before, after, hidden)
    return [(each.kind, each.object, each.subject, each.line) for each in found]


def test_a_change_of_a_child_row_or_a_looked_up_one_is_told_where_it_is_named():
    visit, user = ObjectSchema("Visit__c", {}), ObjectSchema("User", {})
    start, alias = FieldSchema("Start__c", type="datetime"), FieldSchema("Alias")
    before = {
        "Visit__c": replace(visit, fields={"Start__c": start}),
        "User": replace(user, fields={"Alias": alias}),
    }
    assert further(before, {"Visit__c": visit, "User": user}) == [
        (Drifted.FIELD_GONE, "Visit__c", "Visit__c.Start__c", 6),
        (Drifted.FIELD_GONE, "User", "User.Alias", 7),
        (Drifted.FIELD_GONE, "Visit__c", "Visit__c.Start__c", 4),
    ]
    hidden = further(before, {"User": before["User"]}, ("Visit__c",))
    assert hidden == [(Drifted.OBJECT_HIDDEN, "Visit__c", "Visit__c", 6)]


def test_a_value_that_a_record_type_lost_matters_where_its_rows_are_given_it():
    every = thing(STAGE, TYPED, types=("Repair",))
    before = every.offering("Repair", {"Stage__c": STAGE.picklist})
    after = every.offering("Repair", {"Stage__c": ["New", "Closed"]})
    head = "record_type: Repair\n"
    found = one("constant", before, after, head)
    told = "Thing__c.Stage__c of record type Repair has no active value Working any more"
    assert (found.message, found.was.choices) == (told, STAGE.picklist)
    assert drift("constant", before, after) == []  # rows of any other type
    assert drift("chosen", before, after, head) == []  # people may give a row another type
    assert drift("constant", every, after, head) == []  # nobody asked before


def test_a_value_that_a_record_type_gained_needs_a_meaning():
    wide = replace(STAGE, picklist=(*STAGE.picklist, "Late"))
    every = thing(wide, TYPED, types=("Repair",))
    before = every.offering("Repair", {"Stage__c": STAGE.picklist})
    after = every.offering("Repair", {"Stage__c": wide.picklist})
    found = one("chosen", before, after, "record_type: Repair\n")
    assert found.message == "Thing__c.Stage__c has a new value Late"
