"""Every rule of the checker has a failing example that breaks it and no other, read as an admin would."""

import pytest

from connector.mapping.loader import check_folder, load
from connector.mapping.rules import Rule
from connector.mapping.schema import FieldSchema, ObjectSchema
from tests.unit.mapping.building import thing

THING = "member-thing.yaml"
HEAD = "from: member\nto: Thing__c\n"
MESSAGE = "- {type: text, text: hello}\n"
NOTICE = "- {id: a, kind: member, when: after.name != null, purpose: service, max_age: 1d, template: a}\n"
MESSAGES = {f"messages/a.{locale}.yaml": MESSAGE for locale in ("zh-TW", "en", "ja")}
WORDS = "{zh-TW: x, en: x, ja: x}"
FORM = f"""\
title: {WORDS}
thanks: {WORDS}
fields:
  - name: answer
    type: choice
    label: {WORDS}
    options: [{{value: yes, label: {WORDS}}}, {{value: no, label: {WORDS}}}]
"""
ORG = {
    "Thing__c": thing(
        FieldSchema("Name", length=80),
        FieldSchema("Short", length=10),
        FieldSchema("Extra"),
        FieldSchema("Flag", type="boolean"),
        FieldSchema("Day", type="date"),
        FieldSchema("Tags", type="multipicklist"),
        FieldSchema("Formula", calculated=True),
        FieldSchema("Once", updateable=False),
        FieldSchema("Level", type="picklist", picklist=("High", "Low", "On Hold"), restricted=True),
        FieldSchema("Long", type="textarea", length=32000),
        FieldSchema("AccountId", type="reference", reference_to=("Account",)),
        FieldSchema("Other__c", type="reference", reference_to=("Thing__c",)),
        FieldSchema("OwnerId", type="reference", reference_to=("User",)),
        FieldSchema("RecordTypeId", type="reference", reference_to=("RecordType",)),
    ),
    "Visit__c": ObjectSchema(
        "Visit__c",
        {
            "At": FieldSchema("At", type="datetime"),
            "Thing__c": FieldSchema("Thing__c", type="reference", reference_to=("Thing__c",)),
            "Owner__c": FieldSchema("Owner__c", type="reference", reference_to=("User",)),
        },
    ),
    "Bare__c": ObjectSchema("Bare__c", {"Name": FieldSchema("Name")}),
    "Strict__c": ObjectSchema(
        "Strict__c",
        {
            "LINE_Key__c": FieldSchema("LINE_Key__c", external_id=True, unique=True),
            "Serial": FieldSchema("Serial", nillable=False),
        },
    ),
    "Account": ObjectSchema(
        "Account",
        {
            "LINE_Key__c": FieldSchema("LINE_Key__c", external_id=True, unique=True),
            "Name": FieldSchema("Name"),
        },
    ),
}


def line(spec: str) -> dict[str, str]:
    """A mapping of one field line."""
    return {THING: f"{HEAD}fields:\n  - {{{spec}}}\n"}


def lines(*specs: str) -> dict[str, str]:
    return {THING: f"{HEAD}fields:\n" + "".join(f"  - {{{spec}}}\n" for spec in specs)}


def mapping(text: str) -> dict[str, str]:
    """A mapping with this after `from` and `to`."""
    return {THING: HEAD + text}


def notices(text: str, **messages: str) -> dict[str, str]:
    return {"notices.yaml": text, **MESSAGES, **messages}


EXAMPLES: dict[Rule, tuple[dict[str, str], str]] = {
    Rule.NOT_YAML: ({THING: HEAD + "fields: [\n"}, "not YAML"),
    Rule.KEY_TWICE: (mapping("lane: bulk\nlane: urgent\n"), "'lane' is given twice"),
    Rule.UNKNOWN_KEY: (line("line: name, salesforce: Name, tranform: trim"), "'tranform'"),
    Rule.MISSING_KEY: (line("line: name"), "'salesforce' is missing"),
    Rule.WRONG_SHAPE: (mapping("lane: urgnt\n"), "'urgnt' is not possible here"),
    Rule.FILE_NAME: ({"thing.yaml": HEAD}, "must be called member-thing.yaml"),
    Rule.UNKNOWN_KIND: ({"membr-thing.yaml": "from: membr\nto: Thing__c\n"}, "'membr'"),
    Rule.UNKNOWN_OBJECT: ({"member-thin.yaml": "from: member\nto: Thin__c\n"}, "'Thin__c'"),
    Rule.UNKNOWN_VALUE: (line("line: nmae, salesforce: Name"), "has no value 'nmae'"),
    Rule.UNKNOWN_FIELD: (line("line: name, salesforce: Nmae"), "has no field 'Nmae'"),
    Rule.UNKNOWN_TRANSFORM: (
        line("line: name, salesforce: Name, transform: trimm"),
        "no transform 'trimm'",
    ),
    Rule.WRONG_ARGUMENT: (
        line("line: name, salesforce: Name, transform: {truncate: long}"),
        "takes a whole number",
    ),
    Rule.EXPRESSION: (line("salesforce: Name, expression: text(line.nam)"), "'line.nam'"),
    Rule.CONDITION: (mapping("when: line.name\n"), "must come to true or false"),
    Rule.ONE_SOURCE: (line("line: name, constant: x, salesforce: Name"), "line and constant"),
    Rule.FIELDS_FILLED: (line("line: name, salesforce: [Name, Extra]"), "its transform fills 1"),
    Rule.ONLY_TO_SALESFORCE: (
        line("line: person.user_id, salesforce: Name, direction: from_salesforce"),
        "goes to Salesforce only",
    ),
    Rule.OTHERWISE: (line("line: name, salesforce: Name, otherwise: x"), "means nothing"),
    Rule.VALUES_OUTBOUND: (
        line("line: name, salesforce: Name, values: {a: [x, y]}"),
        "only works from Salesforce",
    ),
    Rule.VALUES_TWICE: (
        line("line: name, salesforce: Name, direction: from_salesforce, values: {a: x, b: x}"),
        "'x' stands for two values",
    ),
    Rule.VALUES_HELD: (
        line("line: name, salesforce: Name, values: {1: One}"),
        "name is a text and never 1",
    ),
    Rule.PICKLIST_VALUE: (
        line(
            "line: name, salesforce: Level, direction: from_salesforce, "
            "values: {a: Hihg, b: [High, Low, On Hold]}"
        ),
        "has no value 'Hihg'",
    ),
    Rule.PICKLIST_UNMAPPED: (
        line("line: name, salesforce: Level, direction: both, values: {a: High, b: Low}"),
        "Level may also hold On Hold",
    ),
    Rule.NOT_INVERTIBLE: (
        line("line: name, salesforce: Name, direction: both, transform: upper"),
        "upper cannot be undone",
    ),
    Rule.ROUND_TRIP: (
        line("line: name, salesforce: Tags, direction: both"),
        "'b;a' would go out as Tags ['a', 'b'] and come back as 'a;b'",
    ),
    Rule.WRONG_TYPE: (line("line: name, salesforce: Flag"), "cannot hold a text"),
    Rule.VALUE_REFUSED: (line("constant: abcdefghijk, salesforce: Short"), "the field holds 10"),
    Rule.TRUNCATE_BEYOND: (
        line("line: name, salesforce: Short, transform: {truncate: 80}"),
        "holds 10 characters",
    ),
    Rule.NO_WINS: (line("line: name, salesforce: Name, conflict: no_wins"), "true or false"),
    Rule.NOT_WRITABLE: (line("line: name, salesforce: Formula"), "is a formula"),
    Rule.SET_ONCE: (line("line: name, salesforce: Once"), "only be set when a row is made"),
    Rule.LOOKUP: (
        line("line: name, salesforce: Name, lookup: {object: Account, by: LINE_Key__c}"),
        "not a reference",
    ),
    Rule.LOOKUP_UNIQUE: (
        line("line: name, salesforce: AccountId, lookup: {object: Account, by: Name}"),
        "several rows of Account may hold the same Name",
    ),
    Rule.FIELD_TWICE: (
        lines("line: name, salesforce: Name", "line: phone, salesforce: Name"),
        "Name is given twice",
    ),
    Rule.SOURCE_TWICE: (
        lines(
            "line: name, salesforce: Name, direction: from_salesforce",
            "line: name, salesforce: Extra, direction: from_salesforce",
        ),
        "name is filled from two fields",
    ),
    Rule.SAME_ROW: (
        {
            "member-thing.a.yaml": f"{HEAD}fields: [{{line: name, salesforce: Name}}]\n",
            "member-thing.b.yaml": f"{HEAD}fields: [{{line: phone, salesforce: Name}}]\n",
        },
        "member-thing.a writes Name of a member's Thing__c as well",
    ),
    Rule.LOOP: (
        lines(
            'expression: text(line.name) + "!", salesforce: Name',
            "line: name, salesforce: Name, direction: from_salesforce",
        ),
        "goes round: name -> Name -> name",
    ),
    Rule.REQUIRED_FIELD: (
        {"member-strict.yaml": "from: member\nto: Strict__c\n"},
        "cannot be made without Serial",
    ),
    Rule.KEY_FIELD: (
        {"member-bare.yaml": "from: member\nto: Bare__c\n"},
        "has no field LINE_Key__c",
    ),
    Rule.PARENT: (
        mapping("parents: {AccountId: persn}\n"),
        "a member has no relation 'persn'",
    ),
    Rule.PARENTS_CYCLE: (
        {
            THING: HEAD + "parents: {Other__c: {via: self, mapping: member-thing.b}}\n",
            "member-thing.b.yaml": HEAD
            + "parents: {Other__c: {via: self, mapping: member-thing}}\n",
        },
        "each of these waits for the next",
    ),
    Rule.CHILDREN: (
        mapping(
            "children: {visit: {object: Visit__c, by: Owner__c, last: At}}\n"
            "fields: [{line: bound_at, salesforce: visit.At, direction: from_salesforce}]\n"
        ),
        "Owner__c names User, not Thing__c",
    ),
    Rule.ROW_OF: (
        {
            THING: HEAD + "fields: [{line: name, salesforce: Name}]\n",
            "friend-thing.yaml": (
                "from: friend\nto: Thing__c\nrow_of: member-thing\n"
                "fields: [{line: display_name, salesforce: Name}]\n"
            ),
        },
        "member-thing writes Name of the same row",
    ),
    Rule.ON_DELETE: (
        {"product-thing.yaml": "from: product\nto: Thing__c\non_delete: erase\n"},
        "a product belongs to no person",
    ),
    Rule.FILES: (mapping("files: [{line: proof}]\n"), "a member has no files 'proof'"),
    Rule.OPTIONS: (
        {
            "forms/survey.yaml": FORM,
            "survey-thing.yaml": (
                "from: survey\nto: Thing__c\n"
                "fields: [{line: answer, salesforce: Name, values: {yes: Y, no: N, maybe: M}}]\n"
            ),
        },
        "answer is never 'maybe'",
    ),
    Rule.FORM: (
        {"forms/survey.yaml": FORM.replace("answer", "created_at")},
        "has created_at already",
    ),
    Rule.MATCH: (mapping("match: [{line: phone, salesforce: Long}]\n"), "cannot be searched"),
    Rule.ROW_OF: (
        mapping("row_of: member-account\n")
        | {"member-account.yaml": "from: member\nto: Account\n"},
        "member-account makes Account rows, not Thing__c rows",
    ),
    Rule.ADOPT: (
        mapping("adopt: {from: member-account, field: AccountId}\n")
        | {"member-account.yaml": "from: member\nto: Account\n"},
        "AccountId is no parent of member-account",
    ),
    Rule.OWNER: (mapping("owner: LINE_Repair\n"), "cannot be owned by a queue"),
    Rule.RECORD_TYPE: (mapping("record_type: Repair\n"), "no active record type 'Repair'"),
    Rule.ATOMIC: (mapping("atomic: true\n"), "nothing is made together with this row"),
    Rule.NOTICE: ({"notices.yaml": "id: a\n"}, "must be a list of notices"),
    Rule.MESSAGE_MISSING: (notices(NOTICE.replace("template: a", "template: b")), "is missing in"),
    Rule.MESSAGE_KIND: (
        notices(
            NOTICE
            + NOTICE.replace("id: a", "id: b")
            .replace("member", "friend", 1)
            .replace("name", "user_id")
        ),
        "belongs to records of another kind",
    ),
    Rule.MESSAGE_FILE: ({"messages/a.yaml": MESSAGE}, "must be called <template>.<locale>.yaml"),
    Rule.MESSAGE_LIMIT: (
        notices(NOTICE, **{"messages/a.en.yaml": "- {type: text, text: ''}\n"}),
        "text is missing",
    ),
}
"""The documents that break the rule, and what is said of them."""


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule is not Rule.NO_MAPPING])
def test_a_rule_has_an_example_that_breaks_it_and_no_other(rule):
    texts, message = EXAMPLES[rule]
    found = load(texts, ORG).problems
    assert {problem.rule for problem in found} == {rule}, found
    assert any(message in problem.message for problem in found), found


def test_a_folder_without_a_mapping_breaks_its_own_rule(tmp_path):
    (problem,) = check_folder(tmp_path, None)
    assert problem.rule == Rule.NO_MAPPING


@pytest.mark.parametrize(
    ("spec", "rule", "message"),
    [
        ("lookup: {object: Acount, by: Name}", Rule.UNKNOWN_OBJECT, "no object 'Acount'"),
        ("lookup: {object: Account, by: Nam}", Rule.UNKNOWN_FIELD, "Account has no field 'Nam'"),
    ],
)
def test_a_lookup_names_what_the_org_has(spec, rule, message):
    found = load(line(f"line: name, salesforce: AccountId, {spec}"), ORG).problems
    assert any((each.rule, message in each.message) == (rule, True) for each in found), found


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("bound_at", "low", True),
        ("consents.marketing", "maybe", True),
        ("consents.marketing", "true", False),
        ("name", "true", True),
        ("name", "low", False),
        ("phone", "0912345678", True),
    ],
)
def test_a_value_that_a_record_never_holds_is_not_named(name, value, wrong):
    texts = line(f"line: {name}, salesforce: Name, values: {{{value}: X}}")
    assert (Rule.VALUES_HELD in {each.rule for each in load(texts, ORG).problems}) is wrong
