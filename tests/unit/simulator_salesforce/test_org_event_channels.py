"""Channels of change events: made by the Tooling and Metadata APIs, enriched, filtered, limited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.salesforce.events.bus import UnknownTopic
from simulator.salesforce.org import Addresses, SalesforceOrg

from .listener import OURS, Listener
from .stage import Client

MEMBERS = "/tooling/sobjects/PlatformEventChannelMember"
CHANNELS = "/tooling/sobjects/PlatformEventChannel"


def member(agent: Client, event: str, channel: str = "ChangeEvents", **more: Any) -> Any:
    """The answer to a new member of a channel."""
    name = f"{channel.replace('__', '_')}_{event.replace('__', '_')}"
    metadata = {"eventChannel": channel, "selectedEntity": event, **more}
    return agent.call("POST", MEMBERS, {"FullName": name, "Metadata": metadata})


def channel(agent: Client, name: str = "Ours__chn") -> Any:
    """The answer to a new channel."""
    body = {"FullName": name, "Metadata": {"channelType": "data", "label": "Ours"}}
    return agent.call("POST", CHANNELS, body)


def look(agent: Client, soql: str) -> list[dict[str, Any]]:
    answer = agent.call("GET", "/tooling/query", params={"q": soql})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["records"])


def test_the_org_begins_with_a_channel_of_five_enriched_objects(agent: Client) -> None:
    (found,) = look(agent, "SELECT Id, DeveloperName FROM PlatformEventChannel")
    assert found["DeveloperName"] == "LINE_Connector" and found["Id"].startswith("0YL")
    soql = "SELECT Id, SelectedEntity FROM PlatformEventChannelMember WHERE EventChannel = '{}'"
    rows = look(agent, soql.format("LINE_Connector__chn"))
    events = {"Case", "WorkOrder", "Contact", "Asset", "Lead"}
    assert {row["SelectedEntity"] for row in rows} == {f"{each}ChangeEvent" for each in events}
    assert look(agent, soql.format(found["Id"])) == rows
    shown = agent.call("GET", f"{MEMBERS}/{rows[0]['Id']}").json()
    assert shown["Id"].startswith("0v8")
    assert shown["Metadata"]["enrichedFields"] == [{"name": "LINE_Key__c"}]


def test_a_channel_is_made_filled_changed_and_removed(agent: Client, org: SalesforceOrg) -> None:
    made = channel(agent)
    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"],
        "success": True,
        "errors": [],
        "warnings": [],
        "infos": [],
    }
    held = member(agent, "LeadChangeEvent", "Ours__chn")
    assert held.status_code == 201 and held.json()["id"].startswith("0v8")
    listener = Listener(org, "/data/Ours__chn")
    agent.create("Lead", LastName="王", Company="-")
    agent.create("Case", Subject="x")
    assert listener.one().told == ("Lead", "CREATE")
    path = f"{MEMBERS}/{held.json()['id']}"
    metadata = agent.call("GET", path).json()["Metadata"]
    changed = {**metadata, "enrichedFields": [{"name": "Email"}]}
    assert agent.call("PATCH", path, {"Metadata": changed}).status_code == 204
    assert agent.call("GET", path).json()["Metadata"]["enrichedFields"] == [{"name": "Email"}]
    assert agent.call("DELETE", f"{CHANNELS}/{made.json()['id']}").status_code == 400
    assert agent.call("DELETE", path).status_code == 204
    assert agent.call("DELETE", f"{CHANNELS}/{made.json()['id']}").status_code == 204
    with pytest.raises(UnknownTopic):
        org.events.topic("/data/Ours__chn")


@pytest.mark.parametrize(
    ("event", "more", "code"),
    [
        ("NothingChangeEvent", {}, "INVALID_FIELD"),
        ("ProfileChangeEvent", {}, "INVALID_FIELD"),
        ("Lead", {}, "INVALID_FIELD"),
        ("LeadChangeEvent", {"enrichedFields": [{"name": "Nothing__c"}]}, None),
        ("LeadChangeEvent", {"enrichedFields": [{"name": "Email"}] * 11}, None),
        ("LeadChangeEvent", {"filterExpression": "Company LIKE '王%'"}, None),
        ("LeadChangeEvent", {"filterExpression": "NOT Company = '-'"}, None),
        ("LeadChangeEvent", {"filterExpression": "Nothing__c = 1"}, None),
        ("LeadChangeEvent", {"filterExpression": "Company ="}, None),
    ],
)
def test_a_member_that_cannot_be_is_refused(
    agent: Client, event: str, more: dict[str, Any], code: str | None
) -> None:
    answer = member(agent, event, **more)
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == (code or "FIELD_INTEGRITY_EXCEPTION")


def test_names_are_given_once_and_channels_must_exist(agent: Client) -> None:
    assert member(agent, "LeadChangeEvent", "Nothing__chn").status_code == 400
    assert channel(agent, "Ours").status_code == 400
    assert (
        channel(agent, "LINE_Connector__chn").json()[0]["errorCode"] == "DUPLICATE_DEVELOPER_NAME"
    )
    taken = {"eventChannel": "LINE_Connector__chn", "selectedEntity": "LeadChangeEvent"}
    answer = agent.call("POST", MEMBERS, {"FullName": "Other", "Metadata": taken})
    assert answer.json()[0]["errorCode"] == "DUPLICATE_VALUE"


def test_an_object_too_many_is_refused_in_whatever_channel(agent: Client) -> None:
    assert member(agent, "LeadChangeEvent").status_code == 201
    answer = member(agent, "AccountChangeEvent")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")
    agent.switch(event_entities=6)
    assert member(agent, "AccountChangeEvent").status_code == 201


def test_siblings_share_a_replay_id_and_may_be_cut_apart(agent: Client, org: SalesforceOrg) -> None:
    ids = [
        agent.create("Lead", LastName=name, Company="-", LINE_Key__c=key)
        for name, key in (("王", "k1"), ("李", "k2"))
    ]
    ours, plain = Listener(org, OURS), Listener(org, "/data/LeadChangeEvent")
    records = [{"attributes": {"type": "Lead"}, "id": each, "Rating": "Hot"} for each in ids]
    agent.call("PATCH", "/composite/sobjects", {"records": records})
    first, second = ours.hear(1)[0], ours.hear(1)[0]
    assert first.event.replay_id == second.event.replay_id
    assert first.event.id != second.event.id
    told = [(each.header["recordIds"], each.values["LINE_Key__c"]) for each in (first, second)]
    assert told == [([ids[0]], "k1"), ([ids[1]], "k2")]
    assert first.changed == {"Rating", "LastModifiedDate"}
    merged = plain.one()
    assert (merged.header["recordIds"], "LINE_Key__c" in merged.values) == (ids, False)
    ours.place = first.event.replay_id
    assert ours.hear() == []


def test_enriched_values_are_those_of_the_delivery(agent: Client, org: SalesforceOrg) -> None:
    row_id = agent.create("Lead", LastName="王", Company="-", LINE_Key__c="k1")
    ours = Listener(org, OURS)
    agent.call("PATCH", f"/sobjects/Lead/{row_id}", {"Rating": "Hot"})
    agent.call("PATCH", f"/sobjects/Lead/{row_id}", {"LINE_Key__c": "k2"})
    agent.call("DELETE", f"/sobjects/Lead/{row_id}")
    assert [each.values["LINE_Key__c"] for each in ours.hear()] == ["k2", "k2", "k2"]


def test_a_filter_keeps_rows_off_its_own_channel(agent: Client, org: SalesforceOrg) -> None:
    channel(agent)
    hot = "Rating = 'Hot' AND (Company = '-' OR AnnualRevenue > 100)"
    assert member(agent, "LeadChangeEvent", "Ours__chn", filterExpression=hot).status_code == 201
    sieved, plain = Listener(org, "/data/Ours__chn"), Listener(org)
    row_id = agent.create("Lead", LastName="王", Company="-")
    agent.call("PATCH", f"/sobjects/Lead/{row_id}", {"Rating": "Hot"})
    agent.call("PATCH", f"/sobjects/Lead/{row_id}", {"Title": "x"})
    agent.call("PATCH", f"/sobjects/Lead/{row_id}", {"Company": "王家"})
    assert [each.type for each in plain.hear()] == ["CREATE", *["UPDATE"] * 3]
    assert [sorted(each.changed)[-1] for each in sieved.hear()] == ["Rating", "Title"]


def test_topics_are_those_of_channels_and_of_selected_objects(org: SalesforceOrg) -> None:
    assert org.events.topic("/data/LeadChangeEvent").schema_id
    assert org.events.topic("/data/ChangeEvents").can_subscribe
    for name in ("/data/AccountChangeEvent", "/data/Other__chn", "/event/Other__e", "Lead"):
        with pytest.raises(UnknownTopic, match=name):
            org.events.topic(name)


def test_a_field_that_a_filter_names_stays(agent: Client) -> None:
    member(agent, "LeadChangeEvent", filterExpression="LINE_Key__c != null")
    (field,) = look(
        agent, "SELECT Id FROM CustomField WHERE TableEnumOrId='Lead' AND DeveloperName='LINE_Key'"
    )
    answer = agent.call("DELETE", f"/tooling/sobjects/CustomField/{field['Id']}")
    assert answer.status_code == 400 and "filter" in answer.json()[0]["message"]


def test_channels_outlive_the_process(tmp_path: Path) -> None:
    first = SalesforceOrg(tmp_path, Addresses(port=1))
    first.store.change_channels(
        [{"member": "LINE_Connector_chn_CaseChangeEvent", "definition": None}]
    )
    kept = first.store.channels.members
    first.close()
    again = SalesforceOrg(tmp_path, Addresses(port=1))
    assert again.store.channels.members == kept and len(kept) == 4
    again.close()
