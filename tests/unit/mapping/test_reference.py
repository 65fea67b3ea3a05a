"""The reference in `mappings/README.md` is what the code says, and its examples run."""

import pytest

from connector.domain.records import SCHEMAS
from connector.mapping.expressions.cel import (
    Scope,
    compile_expression,
    function_names,
    function_texts,
    record_names,
)
from connector.mapping.reference import readme
from connector.mapping.rules import Rule
from connector.mapping.transforms import transform_names, transform_texts
from tests.unit.mapping.building import STARTER

SCOPE = Scope(tuple(record_names("line", SCHEMAS["registration"], SCHEMAS)))


def test_the_reference_is_fresh():
    text = (STARTER / "README.md").read_text("utf-8")
    assert readme(text) == text, "run python -m connector.mapping.reference"


def test_every_transform_function_and_rule_stands_in_it():
    text = (STARTER / "README.md").read_text("utf-8")
    named = [*(f"`{rule}`" for rule in Rule), *(f"`{name}(" for name in function_names())]
    assert [name for name in named if name not in text] == []
    assert len(list(transform_texts())) == len(transform_names())


def test_a_key_of_every_block_is_described():
    text = (STARTER / "README.md").read_text("utf-8")
    assert "**`fields` → `lookup`**" in text
    assert "|  | " not in text  # a key whose docstring is missing


@pytest.mark.parametrize(("called", "example", "gives"), list(function_texts()))
def test_the_example_of_a_function_can_be_used_as_it_stands(called, example, gives):
    assert compile_expression(example, SCOPE)
    assert gives.endswith(".")


@pytest.mark.parametrize(("written", "does"), list(transform_texts()))
def test_a_transform_says_how_it_is_written_and_what_it_does(written, does):
    assert (written[0], does[-1:]) == ("`", ".")
