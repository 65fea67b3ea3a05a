"""Made-up rows speak of the org's rules and do not stay."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.mapping.loader import load, read_folder
from connector.salesforce.gateway import Gateway
from connector.salesforce.probe import probe
from connector.salesforce.steps import Upsert

STARTER = Path(__file__).parents[3] / "mappings"
OBJECTS = ("Account", "Asset", "Case", "Contact", "Lead", "Product2", "WorkOrder")
MADE = ("Account", "Asset", "Case", "Contact", "Lead", "WorkOrder")


@pytest.fixture
def mappings(gateway: Gateway):
    schemas = {name: gateway.describe(name) for name in OBJECTS}
    return list(load(read_folder(STARTER), schemas).mappings.values())


def findings(gateway, mappings):
    return probe(gateway, mappings, datetime.now(UTC))


def wrong(found):
    return [each.what for each in found if not each.ok]


def rows(gateway):
    return {name: gateway.count(f"SELECT COUNT() FROM {name}") for name in MADE}


def upsert(ref, name, key, **fields):
    return Upsert(ref, name, "LINE_Key__c", [{"LINE_Key__c": key, **fields}])


def test_a_rehearsed_row_that_names_another_is_taken_and_undone(gateway):
    told = gateway.rehearse(
        [
            upsert("a", "Account", "k1", Name="A"),
            upsert("c", "Contact", "k2", LastName="B", Account={"LINE_Key__c": "k1"}),
        ]
    )
    assert (told.refused, told.undone) == ({}, True)
    assert rows(gateway)["Account"] == 0


def test_a_rehearsal_names_the_row_that_was_refused(gateway):
    told = gateway.rehearse([upsert("a", "Account", "k1", Name="A"), upsert("c", "Contact", "k2")])
    (fault,) = told.refused.pop("c")
    assert (fault.code, told.refused) == ("REQUIRED_FIELD_MISSING", {})


def test_a_rehearsal_of_too_many_rows_is_refused_before_it_is_sent(gateway):
    with pytest.raises(ValueError, match="1 to 24"):
        gateway.rehearse([upsert(f"r{n}", "Account", f"k{n}", Name="A") for n in range(25)])


def test_an_org_that_takes_every_row_keeps_none(gateway, mappings):
    found = findings(gateway, mappings)
    assert wrong(found) == []
    assert sum("would take" in each.what for each in found) == len(MADE)
    assert set(rows(gateway).values()) == {0}


def test_a_validation_rule_speaks_with_a_way_to_mend_it(org, gateway, mappings):
    org.fault("validation", times=1, object="Contact", message="Phone is required")
    found = findings(gateway, mappings)
    refused, *spared = [each for each in found if not each.ok]
    assert "Phone is required" in refused.what
    assert refused.fix
    assert all("was not tried" in each.what for each in spared)
    assert {"registration-asset", "repair_request-case", "repair_request-workorder"} == {
        each.what.partition(":")[0] for each in spared
    }
    assert set(rows(gateway).values()) == {0}


def test_several_rules_are_all_named_in_one_go(org, gateway, mappings):
    org.fault("validation", object="Lead", message="no Leads today")
    org.fault("duplicate", object="Account")
    said = " ".join(wrong(findings(gateway, mappings)))
    assert "no Leads today" in said
    assert "DUPLICATES_DETECTED" in said


def test_a_row_that_was_only_locked_is_tried_again(org, gateway, mappings):
    org.fault("lock", times=2, object="Lead")
    assert wrong(findings(gateway, mappings)) == []


def test_a_required_field_that_no_line_fills_is_named(gateway, mappings):
    lead = next(each for each in mappings if each.name == "friend-lead")
    bare = replace(lead, lines=tuple(line for line in lead.lines if "Company" not in line.fields))
    assert any("REQUIRED_FIELD_MISSING" in what for what in wrong(findings(gateway, [bare])))


def test_rows_that_stayed_are_named(gateway, mappings):
    class Leaky:
        def __getattr__(self, name):
            return getattr(gateway, name)

        def rehearse(self, upserts):
            gateway.run(upserts[:5])
            return gateway.rehearse([upsert("x", "Account", "other", Name="A")])

    told = wrong(findings(Leaky(), [each for each in mappings if each.object == "Lead"]))
    assert ["still there" in what for what in told] == [True]


def test_an_org_that_is_closed_is_one_finding(org, gateway, mappings):
    org.fault("maintenance", times=50)
    assert len(findings(gateway, mappings)) == 1
