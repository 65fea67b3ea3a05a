"""`files:` of a mapping: which files, their title, and the rows that show them."""

import pytest

from tests.unit.mapping.building import compiled, problems, starter

CASE = "from: repair_request\nto: Case\nparents: {AccountId: member}\n"


def complaints(files):
    found = problems(f"{CASE}files:\n  - {files}\n", name="repair_request-case")
    return [(problem.message, problem.hint) for problem in found]


def test_the_starter_set_sends_photos_to_the_case_and_proofs_to_the_asset():
    mappings = starter().mappings
    (photos,) = mappings["repair_request-case"].files
    (proof,) = mappings["registration-asset"].files
    assert (photos.line, photos.links) == ("photos", ("repair_request-workorder",))
    assert (proof.line, proof.links) == ("proof", ("AccountId",))


def test_files_belong_to_the_own_row_whether_it_is_named_or_not():
    for link in ("", ", link: self", ", link: [self]"):
        text = f"{CASE}files:\n  - {{line: photos{link}}}\n"
        (files,) = compiled(text, name="repair_request-case").files
        assert files.links == ()


@pytest.mark.parametrize(
    ("files", "message", "hint"),
    [
        ("{line: photo}", "a repair_request has no files 'photo'", "photos"),
        ("{line: proof}", "a repair_request has no files 'proof'", "known: photos"),
        (
            "{line: photos, link: [AcountId]}",
            "'AcountId' is neither self, nor a parent, nor another mapping of a repair_request",
            "AccountId",
        ),
        ("{line: photos, title: line.slots}", "must come to a text, not to a set", ""),
        ("{line: photos, title: line.symptm}", "unknown name 'line.symptm'", "line.symptom"),
        ("{line: photos}\n  - {line: photos}", "photos is given twice", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(files, message, hint):
    ((said, remedy),) = complaints(files)
    assert message in said
    assert hint in remedy
