"""The truth table of one line's merge; every row says what happened in the world."""

import pytest

from connector.domain.lines import Direction, Policy, Write
from connector.domain.merge import Action, Cell, Verdict, equal, is_blank, judge

OLD, OURS, THEIRS, BLANK = ({"F": value} for value in ("old", "ours", "theirs", None))
KEEP, AGREE, SEND, TAKE, ASK = Action
BOTH = Cell(
    Direction.BOTH, Write.CHANGE, Policy.SALESFORCE_WINS, Policy.SALESFORCE_WINS, OLD, OLD, OLD
)
OUT = BOTH._replace(direction=Direction.TO_SALESFORCE)
IN = BOTH._replace(direction=Direction.FROM_SALESFORCE, ours=None)
NEW = BOTH._replace(base=None)
NEW_OUT = OUT._replace(base=None)


def says(cell, same=equal, **given):
    verdict = judge(cell._replace(**given), same)
    return verdict.action, dict(verdict.fields)


@pytest.mark.parametrize(
    ("ours", "wanted"), [(None, (KEEP, {})), (BLANK, (AGREE, BLANK)), (OURS, (SEND, OURS))]
)
@pytest.mark.parametrize("cell", [BOTH, OUT])
def test_a_new_row_gets_what_we_have(cell, ours, wanted):
    assert says(cell, ours=ours, theirs=None, base=None, creating=True) == wanted


def test_a_new_row_gets_nothing_of_a_line_that_only_comes_in():
    assert says(IN, theirs=None, base=None, creating=True) == (KEEP, {})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"theirs": None}, (KEEP, {})),  # not read
        ({}, (KEEP, {})),  # nobody edited
        ({"theirs": THEIRS}, (TAKE, THEIRS)),  # they edited
        ({"theirs": THEIRS, "base": None}, (TAKE, THEIRS)),  # first seen
        ({"theirs": BLANK}, (TAKE, BLANK)),  # they emptied it
    ],
)
def test_a_line_that_only_comes_in_takes_what_is_new(given, wanted):
    assert says(IN, **given) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"ours": None}, (KEEP, {})),
        ({}, (KEEP, {})),
        ({"ours": OURS, "theirs": None}, (SEND, OURS)),  # one way: sent blind
        ({"ours": OURS, "theirs": THEIRS}, (SEND, OURS)),
        ({"theirs": THEIRS}, (KEEP, {})),  # their edit of our field is theirs to keep
        ({"ours": BLANK}, (SEND, BLANK)),
        ({"ours": OURS, "write": Write.CREATE}, (KEEP, {})),
        ({"ours": OURS, "theirs": THEIRS, "guarded": True}, (KEEP, {})),  # they improved on it
        ({"ours": OURS, "guarded": True}, (SEND, OURS)),
        ({"ours": OURS, "theirs": None, "guarded": True}, (SEND, OURS)),
    ],
)
def test_a_line_that_only_goes_out_sends_our_edits(given, wanted):
    assert says(OUT, **given) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"ours": OURS, "theirs": BLANK}, (SEND, OURS)),
        ({"ours": OURS, "theirs": THEIRS}, (KEEP, {})),
        ({"ours": OURS, "theirs": None}, (KEEP, {})),
        ({"ours": BLANK, "theirs": BLANK}, (KEEP, BLANK)),
        ({"ours": None, "theirs": BLANK}, (KEEP, {})),
    ],
)
def test_a_line_that_fills_blanks_fills_nothing_else(given, wanted):
    assert says(OUT, write=Write.BLANK, **given) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"ours": None, "theirs": THEIRS}, (TAKE, THEIRS)),
        ({"ours": OURS, "theirs": None}, (KEEP, {})),
        ({"ours": BLANK, "theirs": BLANK}, (AGREE, BLANK)),
        ({"ours": OURS, "theirs": BLANK}, (SEND, OURS)),
        ({"ours": BLANK, "theirs": THEIRS}, (TAKE, THEIRS)),
        ({"ours": OURS, "theirs": OURS}, (AGREE, OURS)),
        ({"ours": OURS, "theirs": THEIRS}, (TAKE, THEIRS)),
        ({"ours": OURS, "theirs": THEIRS, "first_meeting": Policy.LINE_WINS}, (SEND, OURS)),
        ({"ours": OURS, "theirs": THEIRS, "first_meeting": Policy.ASK}, (ASK, {})),
    ],
)
def test_sides_that_never_met_fill_each_others_blanks(given, wanted):
    assert says(NEW, **given) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"ours": OURS, "theirs": THEIRS}, (AGREE, OURS)),
        ({"ours": BLANK, "theirs": THEIRS}, (AGREE, BLANK)),
        ({"ours": OURS, "theirs": BLANK}, (SEND, OURS)),
        ({"ours": OURS, "theirs": THEIRS, "first_meeting": Policy.LINE_WINS}, (SEND, OURS)),
        ({"ours": OURS, "theirs": None}, (KEEP, {})),
    ],
)
def test_a_one_way_line_that_lost_its_first_meeting_remembers_ours(given, wanted):
    assert says(NEW_OUT, **given) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, (AGREE, OLD)),
        ({"ours": None}, (KEEP, {})),
        ({"ours": None, "theirs": THEIRS}, (TAKE, THEIRS)),
        ({"ours": OURS}, (SEND, OURS)),
        ({"theirs": THEIRS}, (TAKE, THEIRS)),
        ({"ours": OURS, "theirs": OURS}, (AGREE, OURS)),
        ({"ours": OURS, "theirs": THEIRS}, (TAKE, THEIRS)),
        ({"ours": OURS, "theirs": THEIRS, "policy": Policy.LINE_WINS}, (SEND, OURS)),
        ({"ours": OURS, "theirs": THEIRS, "policy": Policy.ASK}, (ASK, {})),
        ({"ours": OURS, "theirs": THEIRS, "policy": Policy.NO_WINS}, (TAKE, THEIRS)),
        ({"ours": BLANK, "theirs": THEIRS, "policy": Policy.NO_WINS}, (SEND, BLANK)),
        ({"ours": OURS, "theirs": None}, (KEEP, {})),  # never blind
        ({"ours": OURS, "theirs": None, "policy": Policy.LINE_WINS}, (SEND, OURS)),
        ({"theirs": None, "policy": Policy.LINE_WINS}, (KEEP, {})),
    ],
)
def test_a_line_of_both_ways_carries_one_edit_and_settles_two(given, wanted):
    assert says(BOTH, **given) == wanted


def test_another_spelling_is_no_edit():
    def loose(one, other):
        return str(one["F"]).casefold() == str(other["F"]).casefold()

    given = {"ours": {"F": "A"}, "theirs": {"F": "a"}, "base": {"F": "x"}}
    assert says(BOTH, loose, **given) == (AGREE, {"F": "a"})


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "wanted"),
    [
        (["a"], ["a", "b"], ["a", "c"], (SEND, ["a", "b", "c"])),
        (["a", "b"], ["a"], ["b"], (SEND, None)),
        (["a"], None, ["a", "b"], (SEND, ["b"])),  # we removed a, they added b
        (["a", "b"], ["a", "b", "c"], None, (SEND, ["c"])),
        (["a"], ["a", "b"], ["a", "b", "c"], (TAKE, ["a", "b", "c"])),
        (None, ["a"], ["b"], (SEND, ["a", "b"])),
    ],
)
def test_sets_merge_by_element(base, ours, theirs, wanted):
    given = {"base": {"F": base}, "ours": {"F": ours}, "theirs": {"F": theirs}}
    action, fields = says(BOTH, **given)
    assert (action, fields["F"]) == wanted


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"),
    [
        (True, False, (TAKE, {"F": False})),
        (False, True, (SEND, {"F": False})),
        (True, True, (AGREE, {"F": True})),
    ],
)
def test_a_no_wins_also_at_the_first_meeting(ours, theirs, wanted):
    given = {"ours": {"F": ours}, "theirs": {"F": theirs}, "first_meeting": Policy.NO_WINS}
    assert says(NEW, **given) == wanted


@pytest.mark.parametrize("value", [None, "", [], False])
def test_nothing_is_blank(value):
    assert is_blank({"F": value, "G": None})


@pytest.mark.parametrize("value", [0, 0.0, "0", True, ["a"], {"a": None}])
def test_zero_is_a_value(value):
    assert not is_blank({"F": value, "G": None})


def test_a_verdict_is_a_value():
    assert Verdict(KEEP, {}) == Verdict(KEEP, {})
