"""What changed in the org, by command."""

import pytest

from connector.store.tables import Drift, Drifted
from tests.integration.cli.conftest import Connector, Town


@pytest.fixture
def found(town: Town) -> Drift:
    """What the last look found."""
    with town.store.transaction() as session:
        drift = Drift(
            mapping="friend-lead",
            version=1,
            object="Lead",
            kind=Drifted.SHORTER,
            subject="LINE_Display_Name__c",
            line=12,
            message="Lead.LINE_Display_Name__c holds 100 characters now; it held 255",
            effect="a longer text parks the line",
            proposal="Write transform: [trim, {truncate: 100}]",
        )
        session.add(drift)
    return drift


def test_an_org_that_did_not_change_is_said_to_be_as_known(connector: Connector) -> None:
    answer = connector("mappings", "drift")
    assert (answer.code, answer.err) == (0, "")
    assert "as the live mappings know it" in answer.out


def test_a_change_is_told_with_its_place_its_effect_and_the_edit(
    connector: Connector, found: Drift
) -> None:
    answer = connector("mappings", "drift")
    assert answer.code == 1
    assert f"{found.id}. friend-lead.yaml:12: Lead.LINE_Display_Name__c holds 100" in answer.out
    assert "what to do: Write transform: [trim, {truncate: 100}]" in answer.out
    (told,) = connector("mappings", "drift", "--json").json["drift"]
    assert (told["id"], told["kind"], told["file"]) == (found.id, "shorter", "friend-lead.yaml")


def test_what_is_acknowledged_is_no_finding_any_more(connector: Connector, found: Drift) -> None:
    words = ("mappings", "drift", "--acknowledge", found.id, "--author", "amy")
    assert connector(*words).code == 0
    answer = connector("mappings", "drift")
    assert answer.code == 0
    assert "acknowledged by amy" in answer.out
    answer = connector("mappings", "drift", "--acknowledge", found.id + 1, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (1, "unknown_drift")
