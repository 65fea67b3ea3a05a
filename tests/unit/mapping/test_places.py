"""YAML with places: every key and value knows where it stands."""

import pytest

from connector.mapping.documents.places import Place, Problem, read_yaml
from connector.mapping.rules import Rule


def test_keys_and_values_know_their_line_and_column():
    read = read_yaml("from: a\nlist: [x, {b: c}]\n", "f.yaml")
    assert read.data == {"from": "a", "list": ["x", {"b": "c"}]}
    assert read.at("from") == Place("f.yaml", 1, 7)
    assert read.key("list", 1, "b") == Place("f.yaml", 2, 12)
    assert read.at("list", 1, "b") == Place("f.yaml", 2, 15)


def test_what_is_not_there_stands_at_its_nearest_part():
    read = read_yaml("a:\n  b: c\n", "f")
    assert read.at("a", "x", "y") == Place("f", 2, 3)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("when: a.b", (1, 7 + 2)),
        ("when: 'a.b'", (1, 8 + 2)),
        ("when: |\n    a.b", (2, 5 + 2)),
    ],
)
def test_a_position_inside_a_text_is_found_in_the_file(text, place):
    found = read_yaml(text, "f").inside(("when",), 1, 3)
    assert (found.line, found.column) == place


def test_words_that_yaml_takes_for_flags_and_dates_stay_words():
    read = read_yaml("values: {no: on, yes: 2026-01-01, a: true, b: 3, c: 1.5, d: null}", "f")
    assert read.data["values"] == {
        "no": "on",
        "yes": "2026-01-01",
        "a": True,
        "b": 3,
        "c": 1.5,
        "d": None,
    }


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 1\na: 2", 2, 1, "the key 'a' is given twice"),
        ("a: [1, 2\nb: c", 2, 2, "not YAML"),
        ("", 1, 1, "the file is empty"),
        ("a: &x [1]\nb: *x", 1, 4, "aliases"),
        ("a: &x [*x]", 1, 4, "aliases"),
        ("? [a]\n: b", 1, 3, "a key must be a single word"),
        ("a: !!python/object:os.system x", 1, 4, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_a_place(text, line, column, message):
    (problem, *_) = read_yaml(text, "f").problems
    assert (problem.line, problem.column) == (line, column)
    assert message in problem.message


def test_a_problem_shows_as_editors_expect_it():
    assert (
        str(Problem("a.yaml", 3, 7, "wrong", Rule.NOT_YAML, "right?"))
        == "a.yaml:3:7: wrong (right?)"
    )
