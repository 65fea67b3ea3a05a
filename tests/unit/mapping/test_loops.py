"""Values that go round, and mappings that get in each other's way."""

import pytest

from connector.mapping.loader import load

HEAD = "from: registration\nto: Asset\nfields:\n"
BACK = "  - {line: warranty_until, salesforce: Usage, direction: from_salesforce}\n"


def loops(**documents):
    """The rounds found in these mappings."""
    texts = {f"{name.replace('_', '-')}.yaml": text for name, text in documents.items()}
    return [each.message for each in load(texts).problems if each.rule == "loop"]


@pytest.mark.parametrize(
    ("line", "goes"),
    [
        ("expression: 'add_days(line.warranty_until, 1)', salesforce: Usage", True),
        ("line: warranty_until, salesforce: Usage", True),
        ("expression: 'add_days(line.warranty_until, 1)', salesforce: Usage, write: create", False),
        ("expression: 'add_days(line.purchased_on, 1)', salesforce: Usage", False),
        ("expression: 'add_days(line.warranty_until, 1)', salesforce: Other", False),
    ],
)
def test_what_is_made_of_its_own_return_goes_round(line, goes):
    assert bool(loops(registration_asset=f"{HEAD}  - {{{line}}}\n{BACK}")) is goes


def test_two_values_that_swap_are_one_round_told_once():
    text = (
        f"{HEAD}  - {{line: shop, salesforce: A}}\n  - {{line: serial, salesforce: B}}\n"
        "  - {line: serial, salesforce: A, direction: from_salesforce}\n"
        "  - {line: shop, salesforce: B, direction: from_salesforce}\n"
    )
    (message,) = loops(registration_asset=text)
    assert "shop -> A -> serial -> B -> shop" in message


def test_a_round_over_two_mappings_that_share_a_row_is_seen():
    first = f"{HEAD}  - {{expression: text(line.shop) + 'x', salesforce: A}}\n"
    second = "from: registration\nto: Asset\nrow_of: registration-asset\nfields:\n"
    back = "  - {line: shop, salesforce: A, direction: from_salesforce}\n"
    texts = {"registration-asset.yaml": first, "registration-asset.more.yaml": second + back}
    assert [each.rule for each in load(texts).problems] == ["loop"]


def test_the_starter_set_goes_nowhere_in_a_round(starter_rules):
    assert starter_rules & {"loop", "same-row"} == set()


@pytest.fixture(scope="module")
def starter_rules():
    from connector.mapping.loader import read_folder
    from tests.unit.mapping.building import STARTER

    return {each.rule for each in load(read_folder(STARTER)).problems}


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("", "", True),
        ("when: line.code != null\n", "", True),
        ("when: line.code != null\n", "when: line.code == null\n", False),
        ("enabled: false\n", "", False),
    ],
)
def test_two_mappings_of_one_record_may_not_write_one_field(one, other, clash):
    line = "fields: [{line: shop, salesforce: A}]\n"
    texts = {
        f"registration-asset.{name}.yaml": f"from: registration\nto: Asset\n{more}{line}"
        for name, more in (("a", one), ("b", other))
    }
    found = [each.rule for each in load(texts).problems]
    assert found == (["same-row"] if clash else [])
