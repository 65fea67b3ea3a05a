"""What only shows between the documents of a set, and how a folder of them is read."""

import pytest

from connector.domain.lines import Write
from connector.mapping.documents.reading import MappingProblems
from connector.mapping.loader import check_folder, load, load_strictly, read_folder

CONTACT = "from: member\nto: Contact\n"
ACCOUNT = "from: member\nto: Account\n"


def shown(**texts):
    documents = {name.replace("_", "-", 1) + ".yaml": text for name, text in texts.items()}
    return [str(problem) for problem in load(documents).problems]


def test_two_documents_that_wait_for_each_other_are_shown_as_a_ring():
    found = shown(
        member_contact=CONTACT + "parents: {AccountId: self}\n",
        member_account=ACCOUNT + "parents: {Contact__c: {via: self, mapping: member-contact}}\n",
    )
    assert found == [
        (
            "member-account.yaml:3:1: each of these waits for the next: "
            "member-account -> member-contact -> member-account"
        )
    ]


def test_a_document_that_waits_for_another_is_no_ring():
    assert (
        shown(member_contact=CONTACT + "parents: {AccountId: self}\n", member_account=ACCOUNT) == []
    )


def test_a_record_value_has_one_source_over_all_documents():
    line = "fields: [{line: name, salesforce: Name, direction: both}]\n"
    found = shown(member_contact=CONTACT + line, member_account=ACCOUNT + line)
    assert found == ["member-contact.yaml:3:17: name is filled by member-account already"]


def test_a_document_that_is_off_fills_nothing():
    line = "fields: [{line: name, salesforce: Name, direction: both}]\n"
    off = "enabled: false\n"
    assert shown(member_contact=CONTACT + line, member_account=ACCOUNT + off + line) == []


def test_a_parent_that_no_document_makes_is_named():
    (problem,) = shown(
        member_contact=CONTACT + "parents: {AccountId: self}\n",
        friend_lead="from: friend\nto: Lead\n",
    )
    assert "no mapping makes Account of a member" in problem


def test_a_parent_that_two_documents_make_must_be_chosen():
    two = {
        "member-contact.yaml": CONTACT + "parents: {AccountId: self}\n",
        "member-account.yaml": ACCOUNT,
        "member-account.second.yaml": ACCOUNT,
    }
    (problem,) = load(two).problems
    assert "several mappings make Account" in problem.message
    assert problem.hint == "name one with mapping:"


def test_a_parent_mapping_is_found_by_relation_and_object():
    case = "from: repair_request\nto: Case\nparents: {ContactId: member}\n"
    compiled = load({"repair_request-case.yaml": case, "member-contact.yaml": CONTACT})
    (parent,) = compiled.mappings["repair_request-case"].parents
    assert (parent.mapping, parent.object, parent.relationship_name) == (
        "member-contact",
        "Contact",
        "Contact",
    )
    assert parent.write is Write.CREATE


def test_a_parent_mapping_that_is_not_there_is_named_with_the_nearest():
    found = shown(
        member_contact=CONTACT + "parents: {AccountId: {via: self, mapping: member-acount}}\n",
        member_account=ACCOUNT,
    )
    assert found == [
        "member-contact.yaml:3:43: no mapping 'member-acount' fits (did you mean member-account?)"
    ]


@pytest.mark.parametrize(
    ("adopt", "message"),
    [
        ("{from: member-contct, field: AccountId}", "there is no mapping 'member-contct'"),
        ("{from: friend-lead, field: AccountId}", "friend-lead maps friend"),
        ("{from: member-contact, field: AcountId}", "AcountId is no parent of member-contact"),
    ],
)
def test_adopting_from_what_cannot_name_a_row_is_refused(adopt, message):
    found = shown(
        member_contact=CONTACT + "parents: {AccountId: self}\n",
        member_account=ACCOUNT + f"adopt: {adopt}\n",
        friend_lead="from: friend\nto: Lead\n",
    )
    assert len(found) == 1
    assert message in found[0]


def test_the_adopted_mapping_knows_which_of_its_fields_are_read_for_others():
    documents = load(
        {
            "member-contact.yaml": CONTACT + "parents: {AccountId: self}\n",
            "member-account.yaml": ACCOUNT + "adopt: {from: member-contact, field: AccountId}\n",
        }
    )
    assert documents.mappings["member-contact"].named_for_others == ("AccountId",)


def test_a_file_is_called_after_what_it_maps():
    assert shown(member_contct=CONTACT) == [
        "member-contct.yaml:2:5: the file must be called member-contact.yaml"
    ]


def test_an_object_the_org_does_not_have_is_named():
    (problem,) = load({"member-contact.yaml": CONTACT}, schemas={}).problems
    assert "the org has no object 'Contact'" in problem.message


def test_a_folder_is_read_by_paths_inside_it(tmp_path):
    (tmp_path / "messages").mkdir()
    (tmp_path / "member-contact.yaml").write_text(CONTACT)
    (tmp_path / "messages" / "a.en.yaml").write_text("- {type: text, text: a}\n")
    (tmp_path / "schema.json").write_text("{}")
    assert sorted(read_folder(tmp_path)) == ["member-contact.yaml", "messages/a.en.yaml"]


def test_problems_of_a_folder_carry_paths_a_person_can_open(tmp_path):
    (tmp_path / "member-contact.yaml").write_text("from: member\n")
    (problem,) = check_folder(tmp_path, None)
    assert problem.file == f"{tmp_path}/member-contact.yaml"


def test_an_empty_folder_is_a_problem_of_its_own(tmp_path):
    (problem,) = check_folder(tmp_path, None)
    assert "no mapping in this folder" in problem.message


def test_strict_loading_refuses_what_has_problems():
    with pytest.raises(MappingProblems, match="'to' is missing"):
        load_strictly({"member-contact.yaml": "from: member\n"})


def test_versions_are_carried_into_the_mappings():
    documents = load({"member-contact.yaml": CONTACT}, versions={"member-contact.yaml": 7})
    assert documents.mappings["member-contact"].version == 7
