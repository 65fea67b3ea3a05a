"""What a mapping makes of one record, by command."""

import shutil

import pytest

from connector.bootstrap import STARTER
from connector.salesforce.faults import CallFailed, fault_of
from connector.store.tables import Pair
from tests.unit.mapping.building import org as org_objects

SAMPLE = """\
symptom: "冷氣不冷  "
urgency: high
slots: [b, a]
contact_phone: 0912-345-678
salesforce: {Status: Escalated}
"""


class Org:
    """An org that shows one row, or is not to be reached."""

    row = {"LastName": "王", "FirstName": "大明", "MobilePhone": "0912 345 678", "Email": None}

    def read(self, _object, ids, _fields):
        if self.row is None:
            raise CallFailed(fault_of("SERVER_UNAVAILABLE", "the org is being moved"))
        return [self.row] * len(ids)

    def describe(self, name):
        return org_objects()[name]

    def close(self):
        pass


@pytest.fixture(autouse=True)
def org(monkeypatch):
    made = Org()
    monkeypatch.setattr("connector.bootstrap.open_gateway", lambda _settings: made)
    return made


@pytest.fixture
def sample(tmp_path):
    file = tmp_path / "request.yaml"
    file.write_text(SAMPLE, "utf-8")
    return file


def line(told, line_id):
    return next(each for each in told["lines"] if each["id"] == line_id)


def test_a_sample_is_shown_step_by_step(connector, sample):
    told = connector(
        "mappings", "preview", "repair_request-case", "--sample", sample, "--reveal", "--json"
    ).json
    out = line(told, "Subject")["to_salesforce"]
    assert out["value"] == "冷氣不冷"
    assert [step["name"] for step in out["steps"]] == ["trim", "truncate 255"]
    assert line(told, "Priority")["to_salesforce"]["fields"] == {"Priority": "High"}
    assert line(told, "Description")["to_salesforce"]["fields"] == {"Description": "a; b"}
    assert line(told, "Status")["from_salesforce"]["value"] == "working"


def test_a_sample_for_people_reads_line_by_line(connector, sample):
    answer = connector("mappings", "preview", "repair_request-case", "--sample", sample, "--reveal")
    assert (answer.code, answer.err) == (0, "")
    assert "status <- Status" in answer.out
    assert "all 7 lines can carry their values" in answer.out


def test_a_member_is_shown_beside_the_row_as_it_is_now(town, connector):
    member = town.member()
    town.settles(town.pair(member, "member-contact"), "003000000000001AAA")
    told = connector(
        "mappings", "preview", "member-contact", f"member:{member}", "--json", "--reveal"
    ).json
    name = line(told, "LastName,FirstName")
    assert (told["row_from"], told["salesforce_id"]) == ("salesforce", "003000000000001AAA")
    assert (name["to_salesforce"]["value"], name["from_salesforce"]["value"]) == (
        "王小明",
        "王大明",
    )
    assert (name["differs"], line(told, "MobilePhone")["differs"]) == (True, False)


def test_the_parents_are_named_and_those_that_are_not_there_yet(town, connector):
    member = town.member()
    account = town.pair(member, "member-account")
    words = ("mappings", "preview", "member-contact", f"member:{member}")
    assert "AccountId  waits for it" in connector(*words).out
    town.settles(account, "001000000000001AAA")
    (parent,) = connector(*words, "--json").json["parents"]
    assert (parent["field"], parent["salesforce_id"]) == ("AccountId", "001000000000001AAA")


def test_without_the_org_the_row_is_what_both_sides_last_agreed_on(town, connector, org):
    org.row = None
    member = town.member()
    pair = town.pair(member, "member-contact")
    town.settles(pair, "003000000000001AAA")
    base = {"Email": {"value": "a@example.com", "line": "a@example.com", "version": 1}}
    town.change(Pair, Pair.id == pair.id, base=base)
    told = connector(
        "mappings", "preview", "member-contact", f"member:{member}", "--json", "--reveal"
    ).json
    assert (told["row_from"], "being moved" in told["unread"]) == ("base", True)
    assert line(told, "Email")["from_salesforce"]["value"] == "a@example.com"
    assert line(told, "MobilePhone")["from_salesforce"]["assumed"] is True


def test_personal_values_are_masked_unless_asked_for(town, connector):
    member = town.member(email="a@b")
    words = ("mappings", "preview", "member-contact", f"member:{member}")
    hidden = connector(*words)
    assert not any(each in hidden.out for each in ("小明", "912345678", "a@b"))
    assert "a@b" in connector(*words, "--reveal").out


def test_what_salesforce_would_refuse_is_said_with_the_reason(connector, tmp_path):
    (tmp_path / "sample.yaml").write_text("urgency: extreme\nsymptom: x\n", "utf-8")
    answer = connector("mappings", "preview", "repair_request-case", "--sample", "sample.yaml")
    assert "not sent: Priority: The record holds 'extreme'" in answer.out
    assert "1 of 7 lines cannot carry their value" in answer.out


def test_a_draft_is_shown_instead_of_what_is_live(connector, tmp_path, sample):
    draft = tmp_path / "draft"
    shutil.copytree(STARTER, draft)
    file = draft / "repair_request-case.yaml"
    file.write_text(file.read_text("utf-8").replace("high: High", "high: Low"), "utf-8")
    told = connector(
        "mappings", "preview", "repair_request-case", "--sample", sample, "--from", draft, "--json"
    ).json
    assert (told["version"], line(told, "Priority")["to_salesforce"]["fields"]) == (
        0,
        {"Priority": "Low"},
    )


def test_a_misspelt_name_in_a_sample_is_shown_at_its_place(connector, tmp_path):
    text = "symptm: x\nmember: {nam: y}\nsalesforce: {Staus: New}\n"
    (tmp_path / "sample.yaml").write_text(text, "utf-8")
    answer = connector("mappings", "preview", "repair_request-case", "--sample", "sample.yaml")
    assert answer.code == 1
    for told in (
        "sample.yaml:1:1",
        "did you mean symptom?",
        "2:10",
        "3:14",
        "did you mean Status?",
    ):
        assert told in answer.err


def test_a_misspelt_mapping_is_met_with_the_right_name(connector, sample):
    answer = connector("mappings", "preview", "repair_request-cas", "--sample", sample)
    assert "did you mean repair_request-case?" in answer.err


def test_a_record_of_another_kind_is_refused(town, connector):
    answer = connector("mappings", "preview", "repair_request-case", f"member:{town.member()}")
    assert (answer.code, "maps a repair_request" in answer.err) == (1, True)


def test_a_record_or_a_sample_is_needed(connector, sample):
    assert connector("mappings", "preview", "member-contact").code == 2
    assert (
        connector("mappings", "preview", "member-contact", "member:x", "--sample", sample).code == 2
    )
