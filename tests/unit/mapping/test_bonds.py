"""Which mappings make their rows together, and what an atomic one must not be."""

import pytest

from connector.mapping.loader import load, read_folder
from tests.unit.mapping.building import STARTER, org

WORK_ORDER = "repair_request-workorder.yaml"
VISIT = """
from: repair_request
to: ServiceAppointment
lane: urgent
parents:
  ParentRecordId: {via: self, mapping: repair_request-workorder}
fields: []
"""


def loaded(*, schemas=None, **changes):
    """The starter set with documents changed by (old, new), or added."""
    texts = read_folder(STARTER)
    for name, change in changes.items():
        path = f"repair_request-{name}.yaml"
        texts[path] = change if isinstance(change, str) else texts[path].replace(*change)
    return load(texts, schemas)


def mates(documents):
    return {name: mapping.mates for name, mapping in documents.mappings.items() if mapping.mates}


ATOMIC = ("lane: urgent", "lane: urgent\natomic: true")


def test_the_starter_set_ties_nothing():
    assert mates(loaded()) == {}


def test_an_atomic_mapping_and_its_self_parent_know_each_other():
    documents = loaded(schemas=org(), workorder=ATOMIC)
    assert documents.problems == ()
    assert mates(documents) == {
        "repair_request-case": ("repair_request-workorder",),
        "repair_request-workorder": ("repair_request-case",),
    }


def test_what_hangs_on_a_tied_row_without_being_atomic_stays_free():
    assert "repair_request-serviceappointment" not in mates(
        loaded(workorder=ATOMIC, serviceappointment=VISIT)
    )


def test_parents_of_a_tied_parent_are_tied_too():
    tied = mates(loaded(serviceappointment=VISIT.replace("lane:", "atomic: true\nlane:")))
    assert tied["repair_request-case"] == (
        "repair_request-serviceappointment",
        "repair_request-workorder",
    )


def test_a_mapping_that_is_switched_off_ties_nothing():
    off = ("lane: urgent", "lane: urgent\natomic: true\nenabled: false")
    assert mates(loaded(workorder=off)) == {}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"case": ATOMIC}, "nothing is made together with this row"),
        ({"workorder": ("lane: urgent", "lane: bulk\natomic: true")}, "goes in the bulk lane"),
        ({"workorder": ("lane: urgent", "atomic: true")}, "this one in normal"),
        (
            {
                "workorder": ATOMIC,
                "case": ("from: repair_request", "from: repair_request\nenabled: false"),
            },
            "not clear which mapping makes the row",
        ),
    ],
)
def test_an_atomic_mapping_that_cannot_hold_is_a_problem(changes, told):
    found = [str(problem) for problem in loaded(**changes).problems]
    assert any(told in problem for problem in found), found
