"""An expression run as plain Python comes to what the runtime makes of it, in value and in words."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.records import SCHEMAS
from connector.mapping.expressions.cel import (
    ExpressionFailed,
    Scope,
    compile_expression,
    record_names,
)
from connector.mapping.expressions.checkedtree import tree
from connector.mapping.expressions.shortcuts import shortcut
from connector.mapping.views import look_up
from tests.unit.mapping.building import starter

SCOPE = Scope(tuple(record_names("line", SCHEMAS["registration"], SCHEMAS)))
REPAIR = Scope(tuple(record_names("line", SCHEMAS["repair_request"], SCHEMAS)))
QUICK = [
    (SCOPE, "coalesce(line.serial, line.code)"),
    (SCOPE, 'join([line.product.name, coalesce(line.serial, line.code)], " ")'),
    (SCOPE, "add_months(line.purchased_on, line.product.warranty_months)"),
    (SCOPE, "add_days(line.purchased_on, 14)"),
    (SCOPE, "text(line.product.active)"),
    (REPAIR, 'join([line.product_text, line.description, join(line.slots, "; ")], "\\n")'),
    (REPAIR, "line.slots"),
    (REPAIR, "[line.symptom, line.address]"),
    (REPAIR, '"王"'),
    (REPAIR, "-3"),
    (REPAIR, "null"),
    (REPAIR, "true"),
    (SCOPE, "line.serial == null"),
    (SCOPE, "line.serial != line.code"),
    (SCOPE, "line.product.active && line.serial == line.code"),
    (SCOPE, '!line.product.active || line.code == "王"'),
    (SCOPE, "line.product.warranty_months == 12"),
    (SCOPE, "line.product.warranty_months == 12 ? line.code : line.serial"),
    (REPAIR, 'line.slots == ["a"] || line.symptom == null'),
    (SCOPE, "add_days(line.purchased_on, 1) != null && !line.product.active"),
    (SCOPE, "line.product.active || add_days(line.purchased_on, 1) != null"),
]
SLOW = ['text(line.shop) + "!"', "line.shop < line.code", "size(line.code)", "line.code.size()"]
texts = st.none() | st.text(max_size=5, alphabet="a王 \n") | st.just("2026-01-31")
MIXED = [None, True, False, 0, 1, 1.0, 2.5, "", "1", "true", "王", [], ["a"], [1], [True]]
VALUES = st.fixed_dictionaries(
    {
        **dict.fromkeys(
            ("serial", "code", "symptom", "description", "address", "product_text"), texts
        ),
        "purchased_on": st.sampled_from([None, "2026-01-31", "no date"]),
        "slots": st.none() | st.lists(st.text(max_size=3, alphabet="ab"), max_size=3),
        "product": st.fixed_dictionaries(
            {
                "name": texts,
                "warranty_months": st.sampled_from([None, 12, 36.0, 0]),
                "active": st.sampled_from([None, True, False]),
            }
        ),
    }
)


def outcome(expression, view):
    """What an expression comes to, or what it says went wrong."""
    try:
        return expression.evaluate(lambda name: look_up(view, name.removeprefix("line.")))
    except ExpressionFailed as failed:
        return failed.message


@pytest.mark.parametrize(("scope", "text"), QUICK)
def test_what_needs_no_runtime_goes_without(scope, text):
    assert compile_expression(text, scope)._shortcut is not None


@pytest.mark.parametrize("text", SLOW)
def test_what_only_the_runtime_knows_is_left_to_it(text):
    assert compile_expression(text, SCOPE)._shortcut is None


@given(st.sampled_from(QUICK), VALUES)
def test_both_ways_come_to_the_same(case, view):
    scope, text = case
    expression = compile_expression(text, scope)
    got, wanted = outcome(expression, view), outcome(replace(expression, _shortcut=None), view)
    assert (got, type(got)) == (wanted, type(wanted))


def test_the_rules_of_the_shipped_notices_need_no_runtime():
    rules = starter().notices.rules
    assert rules
    assert [rule.id for rule in rules if rule.when._shortcut is None] == []


@pytest.mark.parametrize("operator", ["==", "!=", "&&", "||"])
def test_over_anything_an_operator_comes_to_what_the_runtime_makes_of_it(operator):
    expression = compile_expression(f"coalesce(line.serial) {operator} coalesce(line.code)", SCOPE)
    assert expression._shortcut is not None
    slow = replace(expression, _shortcut=None)
    for serial, code in product(MIXED, MIXED):
        view = {"serial": serial, "code": code}
        got, wanted = outcome(expression, view), outcome(slow, view)
        assert (got, type(got)) == (wanted, type(wanted)), (serial, code)


def test_a_tree_that_cannot_be_read_has_no_shortcut():
    assert shortcut(tree(b""), {}) is None
