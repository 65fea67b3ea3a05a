"""Everything that can be wrong with a mapping is said at once, where it stands, with a hint."""

import pytest

from connector.mapping.documents.reading import MappingProblems
from connector.mapping.schema import FieldSchema, ObjectSchema
from tests.unit.mapping.building import KEY, compiled, problems, thing

HEAD = "from: member\nto: Thing__c\n"
ORG = thing(
    FieldSchema("Name", length=10),
    FieldSchema("Extra", length=10),
    FieldSchema("Flag", type="boolean"),
    FieldSchema("Count", type="double", precision=3),
    FieldSchema("Number", createable=False, updateable=False),
    FieldSchema("Formula", calculated=True),
    FieldSchema("Once", updateable=False),
    FieldSchema("Later", createable=False),
    FieldSchema("Level", type="picklist", picklist=("High", "Low"), restricted=True),
    FieldSchema("Day", type="date"),
    FieldSchema("Long", type="textarea", length=32000),
    FieldSchema(
        "AccountId", type="reference", reference_to=("Account",), relationship_name="Account"
    ),
    FieldSchema("Fixed", type="reference", reference_to=("Account",), updateable=False),
)

TABLE = {
    "unknown key": ("form: member\n", 3, 1, "unknown key 'form'", "did you mean from?"),
    "unknown line key": (
        "fields:\n  - {line: name, salesforce: Name, tranform: trim}\n",
        4,
        36,
        "unknown key 'tranform'",
        "did you mean transform?",
    ),
    "unknown parent key": (
        "parents:\n  AccountId: {via: self, optinal: true}\n",
        4,
        26,
        "unknown key 'optinal'",
        "did you mean optional?",
    ),
    "missing key": ("fields:\n  - {line: name}\n", 4, 5, "the key 'salesforce' is missing", ""),
    "unknown choice": ("lane: urgnt\n", 3, 7, "'urgnt' is not possible", "did you mean urgent?"),
    "not a flag": ("enabled: maybe\n", 3, 10, "must be true or false", ""),
    "unknown value": (
        "fields:\n  - {line: nmae, salesforce: Name}\n",
        4,
        12,
        "a member has no value 'nmae'",
        "did you mean name?",
    ),
    "unknown dotted value": (
        "fields:\n  - {line: person.userid, salesforce: Name}\n",
        4,
        12,
        "no value 'person.userid'",
        "did you mean person.user_id?",
    ),
    "unknown field": (
        "fields:\n  - {line: name, salesforce: Nmae}\n",
        4,
        30,
        "has no field 'Nmae'",
        "did you mean Name?",
    ),
    "unknown field of two": (
        "fields:\n  - {line: name, salesforce: [Name, Frist], transform: person_name}\n",
        4,
        37,
        "has no field 'Frist'",
        "",
    ),
    "unknown transform": (
        "fields:\n  - {line: name, salesforce: Name, transform: [trim, trunkate]}\n",
        4,
        54,
        "there is no transform 'trunkate'",
        "did you mean truncate?",
    ),
    "wrong argument": (
        "fields:\n  - {line: name, salesforce: Name, transform: {truncate: long}}\n",
        4,
        47,
        "truncate takes a whole number",
        "",
    ),
    "no source": ("fields:\n  - {salesforce: Name}\n", 4, 5, "says nothing of where", ""),
    "two sources": (
        "fields:\n  - {line: name, salesforce: Name, constant: x}\n",
        4,
        5,
        "has line and constant",
        "",
    ),
    "too many fields": (
        "fields:\n  - {line: name, salesforce: [Name, Extra]}\n",
        4,
        30,
        "names 2 fields, its transform fills 1",
        "person_name",
    ),
    "too few fields": (
        "fields:\n  - {line: name, salesforce: Name, transform: person_name}\n",
        4,
        30,
        "names one field, its transform fills 2",
        "",
    ),
    "person_name first": (
        "fields:\n  - {line: name, salesforce: Name, transform: [person_name, trim]}\n",
        4,
        48,
        "must come last",
        "",
    ),
    "constant inbound": (
        "fields:\n  - {constant: x, salesforce: Name, direction: both}\n",
        4,
        48,
        "a constant goes to Salesforce only",
        "",
    ),
    "dotted inbound": (
        "fields:\n  - {line: person.user_id, salesforce: Name, direction: both}\n",
        4,
        57,
        "belongs to another record",
        "",
    ),
    "not invertible": (
        "fields:\n  - {line: name, salesforce: Name, direction: both, transform: upper}\n",
        4,
        64,
        "upper cannot be undone",
        "",
    ),
    "default both ways": (
        "fields:\n  - {line: name, salesforce: Name, direction: both, default: x}\n",
        4,
        62,
        "cannot go both ways",
        "",
    ),
    "two for one both ways": (
        "fields:\n  - {line: name, salesforce: Name, direction: both, values: {a: x, b: x}}\n",
        4,
        71,
        "stands for two values",
        "",
    ),
    "list outbound": (
        "fields:\n  - {line: name, salesforce: Name, values: {a: [x, y]}}\n",
        4,
        48,
        "only works from Salesforce",
        "",
    ),
    "otherwise alone": (
        "fields:\n  - {line: name, salesforce: Name, otherwise: x}\n",
        4,
        47,
        "means nothing without values",
        "",
    ),
    "otherwise unknown": (
        "fields:\n  - {line: name, salesforce: Name, direction: from_salesforce, values: {ab: x}, otherwise: abc}\n",
        4,
        92,
        "'abc' is not one of the line's values",
        "did you mean ab?",
    ),
    "read-only field": (
        "fields:\n  - {line: name, salesforce: Number}\n",
        4,
        30,
        "Number cannot be written",
        "from_salesforce",
    ),
    "formula": (
        "fields:\n  - {line: name, salesforce: Formula}\n",
        4,
        30,
        "Formula is a formula",
        "",
    ),
    "set once": (
        "fields:\n  - {line: name, salesforce: Once}\n",
        4,
        30,
        "only be set when",
        "write: create",
    ),
    "not at creation": (
        "fields:\n  - {line: name, salesforce: Later, write: create}\n",
        4,
        30,
        "cannot be set when a row is made",
        "",
    ),
    "type of the field": (
        "fields:\n  - {line: consents.service, salesforce: Name}\n",
        4,
        42,
        "Name is a text field and cannot hold true or false",
        "transform or values",
    ),
    "type of a transform": (
        "fields:\n  - {line: consents.service, salesforce: Name, transform: trim}\n",
        4,
        59,
        "trim takes",
        "",
    ),
    "no_wins on text": (
        "fields:\n  - {line: name, salesforce: Name, conflict: no_wins}\n",
        4,
        46,
        "true or false",
        "",
    ),
    "unknown picklist value": (
        "fields:\n  - {line: name, salesforce: Level, values: {a: Hihg}}\n",
        4,
        49,
        "Hihg is not a value of the picklist",
        "",
    ),
    "unknown picklist value inbound": (
        "fields:\n  - {line: name, salesforce: Level, direction: from_salesforce, values: {a: Hihg}}\n",
        4,
        77,
        "Level has no value 'Hihg'",
        "did you mean High?",
    ),
    "constant too long": (
        "fields:\n  - {constant: abcdefghijklm, salesforce: Name}\n",
        4,
        16,
        "it has 13 characters, the field holds 10",
        "",
    ),
    "default not a number": (
        "fields:\n  - {line: name, salesforce: Count, transform: number, default: many}\n",
        4,
        65,
        "it is not a number",
        "",
    ),
    "keeps more than fits": (
        "fields:\n  - {line: name, salesforce: Name, transform: {truncate: 255}}\n",
        4,
        47,
        "holds 10 characters",
        "",
    ),
    "field twice": (
        "fields:\n  - {line: name, salesforce: Name}\n  - {line: phone, salesforce: name}\n",
        5,
        31,
        "name is given twice",
        "",
    ),
    "parent and field": (
        "parents: {AccountId: self}\nfields:\n  - {line: name, salesforce: AccountId}\n",
        5,
        30,
        "is a parent as well",
        "",
    ),
    "source twice": (
        (
            "fields:\n  - {line: name, salesforce: Name, direction: both}\n"
            "  - {line: name, salesforce: Extra, direction: from_salesforce}\n"
        ),
        5,
        12,
        "name is filled from two fields",
        "",
    ),
    "expression name": (
        "fields:\n  - {salesforce: Name, expression: text(line.nam)}\n",
        4,
        41,
        "unknown name 'line.nam'",
        "did you mean line.name?",
    ),
    "expression type": (
        "fields:\n  - {salesforce: Day, expression: size('a')}\n",
        4,
        18,
        "Day is a date field and cannot hold a number",
        "",
    ),
    "when is no flag": ("when: line.name\n", 3, 7, "must come to true or false", ""),
    "when does not compile": ("when: line.name ==\n", 3, 19, "Syntax error", ""),
    "parent relation": (
        "parents: {AccountId: persn}\n",
        3,
        22,
        "no relation 'persn'",
        "did you mean person?",
    ),
    "parent field": ("parents: {AcountId: self}\n", 3, 11, "no field 'AcountId'", "AccountId"),
    "parent is no reference": ("parents: {Name: self}\n", 3, 17, "not a reference", ""),
    "parent not changeable": (
        "parents: {Fixed: {via: self, write: blank}}\n",
        3,
        18,
        "only be set when a row is made",
        "",
    ),
    "match value": (
        "match: [{line: fone, salesforce: Name}]\n",
        3,
        16,
        "no value 'fone'",
        "did you mean phone?",
    ),
    "match field": (
        "match: [{line: phone, salesforce: Nam}]\n",
        3,
        35,
        "no field 'Nam'",
        "did you mean Name?",
    ),
    "match on long text": (
        "match: [{line: phone, salesforce: Long}]\n",
        3,
        35,
        "cannot be searched",
        "",
    ),
    "match agreement": (
        "match: [{line: phone, salesforce: Name, agree: [name]}]\n",
        3,
        48,
        "no field line carries 'name'",
        "",
    ),
    "lookup on text": (
        "fields:\n  - {line: name, salesforce: Name, lookup: {object: Account, by: Name}}\n",
        4,
        30,
        "not a reference",
        "",
    ),
    "lookup elsewhere": (
        "fields:\n  - {line: name, salesforce: AccountId, lookup: {object: Contact, by: Name}}\n",
        4,
        58,
        "AccountId names Account, not Contact",
        "",
    ),
    "lookup inbound": (
        "fields:\n  - {line: name, salesforce: AccountId, direction: both, lookup: {object: Account, by: Name}}\n",
        4,
        66,
        "goes to Salesforce only",
        "",
    ),
    "lookup value": (
        "fields:\n  - {line: name, salesforce: AccountId, lookup: {object: Account, by: Name, value: nam}}\n",
        4,
        84,
        "no value 'nam'",
        "did you mean name?",
    ),
    "owner": ("owner: Queue\n", 3, 8, "no OwnerId that this user may set", ""),
    "record type": ("record_type: Person\n", 3, 14, "no RecordTypeId", ""),
}


@pytest.mark.parametrize("case", TABLE)
def test_a_problem_is_shown_at_its_place_with_a_hint(case):
    text, line, column, message, hint = TABLE[case]
    found = [p for p in problems(HEAD + text, ORG) if (p.line, p.column) == (line, column)]
    shown = [str(p) for p in problems(HEAD + text, ORG)]
    assert any(message in p.message and hint in p.hint for p in found), shown


@pytest.mark.parametrize("case", TABLE)
def test_one_mistake_is_not_reported_as_several_others(case):
    assert len(problems(HEAD + TABLE[case][0], ORG)) <= 2


def test_a_right_document_has_no_problem():
    text = HEAD + "fields:\n  - {line: name, salesforce: Name, transform: [trim, {truncate: 10}]}\n"
    assert problems(text, ORG) == []


def test_an_unknown_record_kind_is_named():
    (problem,) = problems("from: membr\nto: Thing__c\n")
    assert (problem.line, problem.column) == (1, 7)
    assert problem.hint == "did you mean member?"


def test_all_problems_come_at_once_in_the_order_of_the_file():
    text = "from: member\nto: Thing__c\nlane: fast\nfields:\n  - {line: nam, salesforce: X}\n  - {salesforce: Name}\n"
    with pytest.raises(MappingProblems) as refused:
        compiled(text, ORG)
    assert [problem.line for problem in refused.value.problems] == [3, 5, 5, 6]


def test_lines_after_one_that_cannot_be_read_keep_their_places():
    text = HEAD + "fields:\n  - {line: name}\n  - {line: nam, salesforce: Name}\n"
    assert [(p.line, p.column) for p in problems(text, ORG)] == [(4, 5), (5, 12)]


def test_our_key_must_be_there_where_we_make_rows():
    (problem,) = problems(HEAD, thing(key=False))
    assert "has no field LINE_Key__c" in problem.message
    assert problems(HEAD + "create: salesforce\n", thing(key=False)) == []


def test_our_key_must_tell_rows_apart():
    org = thing(FieldSchema("LINE_Key__c", external_id=True), key=False)
    (problem,) = problems(HEAD, org)
    assert "must be unique" in problem.message


def test_required_fields_must_be_filled_where_we_make_rows():
    org = thing(FieldSchema("LastName", nillable=False))
    (problem,) = problems(HEAD, org)
    assert "cannot be made without LastName" in problem.message
    assert problems(HEAD + "create: salesforce\n", org) == []
    assert problems(HEAD + "fields: [{line: name, salesforce: LastName}]\n", org) == []


def test_without_an_org_only_what_the_document_says_is_checked():
    text = HEAD + "fields: [{line: name, salesforce: Whatever__c}, {line: nam, salesforce: Name}]\n"
    (problem,) = problems(text)
    assert "no value 'nam'" in problem.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parents: 3\n", "must be a set of `key: value` lines, not 3"),
        ("fields: [{line: name, salesforce: Name, values: 3}]\n", "must be a list, not 3"),
        ("fields: [{line: name, salesforce: Name, transform: [3]}]\n", "must be"),
        ("fields: [{line: name, salesforce: Name, transform: {a: 1, b: 2}}]\n", "unknown key 'a'"),
        ("fields: [{line: name, salesforce: Name, default: [1]}]\n", "must be a text, a number"),
        ("fields: [{line: name, salesforce: [Name, 3]}]\n", "must be a text, not 3"),
        ("match: 3\n", "must be a list, not 3"),
    ],
)
def test_a_value_of_the_wrong_shape_is_named(text, message):
    found = problems(HEAD + text, ORG)
    assert any(message in problem.message for problem in found), found


def test_the_rest_of_a_line_with_a_wrong_transform_is_checked_all_the_same():
    text = (
        HEAD + "fields:\n  - {line: name, salesforce: Name, transform: [trim, {a: 1, b: 2}]}\n"
        "  - {line: nam, salesforce: Extra}\n"
    )
    found = problems(text, ORG)
    assert any((p.line, p.column) == (5, 12) and "'nam'" in p.message for p in found), found


def test_a_document_that_is_a_list_is_no_mapping():
    (problem,) = problems("- from: member\n")
    assert "must be a set of `key: value` lines" in problem.message


def test_a_parent_this_user_cannot_write_is_named():
    org = thing(
        FieldSchema("AccountId", type="reference", reference_to=("Account",), createable=False)
    )
    (problem,) = problems(HEAD + "parents: {AccountId: self}\n", org)
    assert "cannot be written by this user" in problem.message


OWNED = ObjectSchema(
    "Thing__c",
    {
        field.name: field
        for field in (
            KEY,
            FieldSchema("OwnerId", type="reference", reference_to=("Group", "User")),
            FieldSchema("RecordTypeId", type="reference", reference_to=("RecordType",)),
        )
    },
    ("Repair",),
)


@pytest.mark.parametrize(
    ("owner", "object_", "name"),
    [
        ("Support", "Group", "Support"),
        ("{queue: Support}", "Group", "Support"),
        ("lin@example.com", "User", "lin@example.com"),
        ("{user: lin@example.com}", "User", "lin@example.com"),
    ],
)
def test_an_owner_is_a_queue_or_a_user_in_long_and_short(owner, object_, name):
    (given,) = compiled(f"{HEAD}owner: {owner}\n", OWNED).given
    assert (given.field, given.object, given.name) == ("OwnerId", object_, name)


def test_a_record_type_that_the_user_may_use_is_given():
    (given,) = compiled(HEAD + "record_type: repair\n", OWNED).given
    assert (given.field, given.object) == ("RecordTypeId", "RecordType")


PERSONAL = thing(FieldSchema("OwnerId", type="reference", reference_to=("User",)))
GIVEN = {
    "unknown record type": ("record_type: Repiar\n", OWNED, 3, "did you mean Repair?"),
    "no record types": ("record_type: Repair\n", PERSONAL, 3, "no RecordTypeId"),
    "owner chosen twice": ("owner: A\nassignment_rule: true\n", OWNED, 3, "assignment_rule"),
    "two owners": ("owner: {queue: A, user: b@c}\n", OWNED, 3, "one of the two"),
    "no owner": ("owner: {}\n", OWNED, 3, "one of the two"),
    "no queues": ("owner: A\n", PERSONAL, 3, "cannot be owned by a queue"),
    "field given twice": (
        "owner: A\nfields:\n  - {constant: 005000000000001AAA, salesforce: ownerid}\n",
        OWNED,
        3,
        "a field line fills OwnerId as well",
    ),
    "unknown key": ("owner: {quue: A}\n", OWNED, 3, "did you mean queue?"),
}


@pytest.mark.parametrize(("text", "org", "line", "told"), GIVEN.values(), ids=list(GIVEN))
def test_an_owner_or_record_type_that_cannot_be_given_is_said(text, org, line, told):
    found = [str(problem) for problem in problems(HEAD + text, org)]
    assert any(told in problem and f":{line}:" in problem for problem in found), found
