"""Describe answers against those recorded from real orgs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .stage import Client

RECORDED = {
    "Account": "Account.cumulusci.json",
    "Contact": "Contact.cumulusci.json",
    "Lead": "Lead.cumulusci.json",
    "Case": "Case.cumulusci.json",
}
# The widest recorded key sets.
WIDEST = "Contact.cumulusci.json"


def recorded(contracts: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((contracts / "describe" / name).read_text()))


def named(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in description["fields"]}


def test_the_global_describe_has_the_recorded_keys(agent: Client, contracts: Path) -> None:
    ours = agent.call("GET", "/sobjects").json()
    theirs = recorded(contracts, "global.cumulusci.json")
    assert ours.keys() == theirs.keys()
    for each in ours["sobjects"]:
        assert each.keys() == theirs["sobjects"][0].keys()


@pytest.mark.parametrize(
    "kind", [*RECORDED, "Asset", "Product2", "WorkOrder", "User", "Group", "RecordType"]
)
def test_an_object_describe_has_the_recorded_keys(
    agent: Client, contracts: Path, kind: str
) -> None:
    ours = agent.call("GET", f"/sobjects/{kind}/describe").json()
    theirs = recorded(contracts, WIDEST)
    assert ours.keys() == theirs.keys()
    for field in ours["fields"]:
        assert field.keys() == theirs["fields"][0].keys()
    assert ours["recordTypeInfos"][0].keys() == theirs["recordTypeInfos"][0].keys()


@pytest.mark.parametrize("kind", RECORDED)
def test_standard_fields_are_as_recorded(agent: Client, contracts: Path, kind: str) -> None:
    ours = named(agent.call("GET", f"/sobjects/{kind}/describe").json())
    theirs = named(recorded(contracts, RECORDED[kind]))
    compared = ("type", "length", "createable", "updateable", "nillable", "defaultedOnCreate",
                "referenceTo", "relationshipName", "precision", "scale", "soapType", "autoNumber",
                "idLookup", "externalId", "unique", "restrictedPicklist", "nameField", "label")  # fmt: skip
    shared = sorted(ours.keys() & theirs.keys())
    assert len(shared) > len(theirs) * 0.85
    differing = {
        f"{name}.{key}": (ours[name][key], theirs[name][key])
        for name in shared
        for key in compared
        if ours[name][key] != theirs[name][key]
    }
    assert differing == {}


def test_our_key_field_is_a_unique_external_id(agent: Client) -> None:
    for kind in ("Account", "Contact", "Lead", "Asset", "Product2", "Case", "WorkOrder"):
        field = named(agent.call("GET", f"/sobjects/{kind}/describe").json())["LINE_Key__c"]
        facts = (field["externalId"], field["unique"], field["idLookup"], field["length"])
        assert facts == (True, True, True, 36)


def test_required_fields_are_told_by_three_flags(agent: Client) -> None:
    fields = agent.call("GET", "/sobjects/Lead/describe").json()["fields"]
    required = {
        each["name"]
        for each in fields
        if each["createable"] and not each["nillable"] and not each["defaultedOnCreate"]
    }
    assert required == {"LastName", "Company"}
