"""What change events tell of a transaction."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from simulator.salesforce.events import capture
from simulator.salesforce.org import SalesforceOrg

from .listener import LEADS, OURS, Listener
from .stage import Client, writing

MINE = "com/salesforce/api/rest/62.0;client=tester/1"


@pytest.fixture
def leads(org: SalesforceOrg) -> Listener:
    """The events of leads from now on."""
    return Listener(org)


def collect(agent: Client, method: str, *records: dict[str, Any], kind: str = "Lead") -> list[Any]:
    body = {"records": [{"attributes": {"type": kind}, **each} for each in records]}
    return list(agent.call(method, "/composite/sobjects", body).json())


def select(agent: Client, *kinds: str, limit: int = 20) -> None:
    """Let the standard channel tell of more objects."""
    agent.switch(event_entities=limit)
    for kind in kinds:
        metadata = {"eventChannel": "ChangeEvents", "selectedEntity": f"{kind}ChangeEvent"}
        body = {"FullName": f"ChangeEvents_{kind}ChangeEvent", "Metadata": metadata}
        answer = agent.call("POST", "/tooling/sobjects/PlatformEventChannelMember", body)
        assert answer.status_code == 201, answer.text


def test_a_new_row_is_told_with_all_its_values(agent: Client, leads: Listener) -> None:
    before = time.time() * 1000
    row_id = agent.create("Lead", LastName="王", FirstName="小明", Company="-", City="台北")
    heard = leads.one()
    row = agent.row("Lead", row_id)
    assert heard.told == ("Lead", "CREATE")
    assert heard.header["recordIds"] == [row_id]
    assert (heard.header["changeOrigin"], heard.header["commitUser"]) == (MINE, row["CreatedById"])
    assert before - 1 <= heard.header["commitTimestamp"] <= time.time() * 1000
    assert heard.values["Name"] == {"Salutation": None, "FirstName": "小明", "LastName": "王"}
    assert heard.values["Address"]["City"] == "台北"
    assert heard.values["Status"] == row["Status"] and heard.values["IsConverted"] is False
    created = datetime.strptime(row["CreatedDate"], "%Y-%m-%dT%H:%M:%S.000+0000")
    assert heard.values["CreatedDate"] == created.replace(tzinfo=UTC).timestamp() * 1000
    assert not heard.changed | heard.nulled | heard.diffs
    assert heard.values.keys().isdisjoint({"Id", "IsDeleted", "SystemModstamp", "LastName"})


def test_an_update_tells_only_what_changed(agent: Client, leads: Listener) -> None:
    row_id = agent.create("Lead", LastName="王", Company="-", City="台北", Rating="Hot")
    leads.hear()
    changes = {"FirstName": "小明", "Company": "王家", "City": None, "Rating": None}
    agent.call("PATCH", f"/sobjects/Lead/{row_id}", changes)
    heard = leads.one()
    assert heard.type == "UPDATE"
    assert heard.changed == {
        *("Name.FirstName", "Company", "Address.City", "Rating", "LastModifiedDate"),
    }
    assert heard.nulled == {"Address.City", "Rating"}
    assert heard.values.keys() == {"Name", "Company", "LastModifiedDate"}
    assert heard.values["Name"] == {"Salutation": None, "FirstName": "小明", "LastName": None}


def test_another_users_update_tells_who_it_was(
    org: SalesforceOrg, agent: Client, leads: Listener
) -> None:
    row_id = agent.create("Lead", LastName="王", Company="-")
    other = org.user(org.credentials.integration.username)["Id"]
    with org.store.transaction(other) as transaction:
        row = org.store.tables["Lead"].rows[row_id]
        transaction.put("Lead", {**row, "Rating": "Hot", "LastModifiedById": other})
    heard = leads.hear()[-1]
    assert (heard.header["commitUser"], heard.header["changeOrigin"]) == (other, "")
    assert heard.changed == {"Rating", "LastModifiedById", "LastModifiedDate"}


def test_a_write_that_changes_nothing_is_not_told(agent: Client, leads: Listener) -> None:
    row_id = agent.create("Lead", LastName="王", Company="-")
    leads.hear()
    assert agent.call("PATCH", f"/sobjects/Lead/{row_id}", {"LastName": "王"}).status_code == 204
    assert agent.call("PATCH", f"/sobjects/Lead/{row_id}", {"LastName": ""}).status_code == 400
    assert leads.hear() == []


def test_a_deletion_is_told_by_its_header_and_the_return_by_all_values(
    org: SalesforceOrg, agent: Client, leads: Listener
) -> None:
    row_id = agent.create("Lead", LastName="王", Company="-")
    agent.call("DELETE", f"/sobjects/Lead/{row_id}")
    with writing(org) as writer:
        writer.undelete(row_id)
    _, gone, back = leads.hear()
    assert (gone.type, gone.header["recordIds"], gone.values) == ("DELETE", [row_id], {})
    assert (back.type, back.values["Company"], back.changed) == ("UNDELETE", "-", set())


def test_a_transaction_is_told_in_the_order_of_its_first_writes(
    org: SalesforceOrg, leads: Listener
) -> None:
    kind = org.schema.objects["Lead"]
    with writing(org) as writer:
        first = writer.create(kind, {"LastName": "王", "Company": "-"})
        second = writer.create(kind, {"LastName": "李", "Company": "-"})
        writer.update(kind, first, {"Company": "王家"})
        lost = writer.create(kind, {"LastName": "林", "Company": "-"})
        writer.delete(kind, lost)
    with writing(org) as writer:
        writer.update(kind, first, {"Company": "-"})
    heard = leads.hear()
    assert [each.header["recordIds"] for each in heard] == [[first], [second], [first]]
    assert [each.header["sequenceNumber"] for each in heard] == [1, 2, 1]
    assert (heard[0].type, heard[0].values["Company"]) == ("CREATE", "王家")
    keys = [each.header["transactionKey"] for each in heard]
    assert keys[0] == keys[1] != keys[2]
    numbers = [each.header["commitNumber"] for each in heard]
    assert numbers[0] == numbers[1] < numbers[2]
    assert len({each.event.id for each in heard}) == 3


def test_equal_changes_of_several_rows_are_one_event(agent: Client, leads: Listener) -> None:
    people = [{"LastName": name, "Company": "-"} for name in "王李林"]
    ids = [each["id"] for each in collect(agent, "POST", *people)]
    collect(agent, "PATCH", *({"id": each, "Rating": "Hot"} for each in ids[:2]))
    collect(agent, "PATCH", *({"id": each, "Rating": "Cold"} for each in ids[1:]))
    agent.switch(merge_change_events=False)
    collect(agent, "PATCH", *({"id": each, "Rating": "Warm"} for each in ids[:2]))
    agent.call("DELETE", f"/composite/sobjects?ids={','.join(ids[:2])}")
    told = [each.header["recordIds"] for each in leads.hear()[3:]]
    assert told == [ids[:2], ids[1:], [ids[0]], [ids[1]], [ids[0]], [ids[1]]]


def test_a_changed_long_text_is_told_as_a_difference(agent: Client, leads: Listener) -> None:
    lines = [f"line {number:03}" for number in range(200)]
    text = "\n".join(lines)
    row_id = agent.create("Lead", LastName="王", Company="-", Description=text)
    changed = text.replace("line 150", "another")
    agent.call("PATCH", f"/sobjects/Lead/{row_id}", {"Description": changed})
    created, heard = leads.hear()
    assert created.values["Description"] == text
    assert heard.diffs == {"Description"}
    assert heard.values["Description"].splitlines() == [
        *("--- ", "+++ ", "@@ -151 +151 @@", "-line 150", "+another"),
    ]


def test_calculated_values_are_not_told(agent: Client, org: SalesforceOrg) -> None:
    orders = Listener(org, "/data/WorkOrderChangeEvent")
    order = agent.create("WorkOrder", Subject="x")
    agent.create("WorkOrderLineItem", WorkOrderId=order)
    assert agent.row("WorkOrder", order)["LineItemCount"] == 1
    assert "LineItemCount" not in orders.one().values


def test_what_nobody_selected_is_not_kept(agent: Client, org: SalesforceOrg) -> None:
    known = org.events.changes
    agent.create("Account", Name="王家")
    assert org.events.changes == known


def test_an_edit_on_the_page_comes_from_the_browser(agent: Client, leads: Listener) -> None:
    agent.http.headers["Sforce-Call-Options"] = "client=SfdcInternalAPI/"
    agent.create("Lead", LastName="王", Company="-")
    told = leads.one().header["changeOrigin"]
    assert told == "com/salesforce/api/soap/66.0;client=SfdcInternalAPI/"


def test_a_call_without_its_tag_is_told_without_client(agent: Client, leads: Listener) -> None:
    agent.fault("drop_client_tag")
    agent.create("Lead", LastName="王", Company="-")
    assert leads.one().header["changeOrigin"] == "com/salesforce/api/rest/62.0"


def test_a_conversion_is_one_transaction_of_four(agent: Client, org: SalesforceOrg) -> None:
    select(agent, "Account", "Contact", "Opportunity", "Lead")
    lead = agent.create("Lead", LastName="王", Company="王家")
    listener = Listener(org, "/data/ChangeEvents")
    asked = f"<leadId>{lead}</leadId><convertedStatus>Closed - Converted</convertedStatus>"
    agent.soap("convertLead", f"<leadConverts>{asked}</leadConverts>")
    heard = listener.hear()
    assert [each.told for each in heard] == [
        ("Account", "CREATE"),
        ("Contact", "CREATE"),
        ("Opportunity", "CREATE"),
        ("Lead", "UPDATE"),
    ]
    assert [each.header["sequenceNumber"] for each in heard] == [1, 2, 3, 4]
    assert len({each.header["transactionKey"] for each in heard}) == 1
    contact = heard[1].header["recordIds"][0]
    assert heard[3].values["ConvertedContactId"] == contact
    assert {"Status", "IsConverted", "ConvertedDate", "ConvertedAccountId"} < heard[3].changed


def test_a_merge_tells_of_winner_loser_and_children(agent: Client, org: SalesforceOrg) -> None:
    winner, loser = (agent.create("Contact", LastName=name) for name in "王李")
    case = agent.create("Case", ContactId=loser)
    listener = Listener(org, OURS)
    master = f"<masterRecord><type>Contact</type><Id>{winner}</Id></masterRecord>"
    merges = f"<request>{master}<recordToMergeIds>{loser}</recordToMergeIds></request>"
    agent.soap("merge", merges)
    told = {(*each.told, each.header["recordIds"][0]): each for each in listener.hear()}
    assert told.keys() == {
        ("Contact", "UPDATE", winner),
        ("Contact", "DELETE", loser),
        ("Case", "UPDATE", case),
    }
    assert told["Case", "UPDATE", case].values["ContactId"] == winner


def test_a_person_account_is_told_twice(agent: Client, org: SalesforceOrg) -> None:
    agent.switch(person_accounts=True)
    select(agent, "Account", "Contact")
    listener = Listener(org, "/data/ChangeEvents")
    account = agent.create("Account", LastName="王", PersonEmail="w@example.com")
    agent.call("PATCH", f"/sobjects/Account/{account}", {"LastName": "李"})
    made, shadow, changed, followed = listener.hear()
    assert [made.told, shadow.told] == [("Account", "CREATE"), ("Contact", "CREATE")]
    assert made.values["Name"]["LastName"] == "王"
    assert shadow.values["Email"] == "w@example.com"
    assert changed.changed == {"Name.LastName", "LastModifiedDate"}
    assert changed.values["Name"]["LastName"] == followed.values["Name"]["LastName"] == "李"


def test_a_business_account_has_a_plain_name_beside_persons(
    agent: Client, org: SalesforceOrg
) -> None:
    agent.switch(person_accounts=True)
    select(agent, "Account")
    listener = Listener(org, "/data/AccountChangeEvent")
    account = agent.create("Account", Name="王家")
    agent.call("PATCH", f"/sobjects/Account/{account}", {"Name": "李家"})
    made, changed = listener.hear()
    assert (made.values["Name"], changed.values["Name"]) == ("王家", "李家")
    assert changed.changed == {"Name", "LastModifiedDate"}


def test_a_second_address_is_named_in_its_own_record(agent: Client, org: SalesforceOrg) -> None:
    listener = Listener(org, "/data/ContactChangeEvent")
    contact = agent.create("Contact", LastName="王", MailingCity="台北", OtherCity="台中")
    agent.call("PATCH", f"/sobjects/Contact/{contact}", {"MailingCity": "台南"})
    made, changed = listener.hear()
    assert made.values["OtherAddress"]["City"] == "台中"
    assert changed.changed == {"MailingAddress.City", "LastModifiedDate"}
    assert "OtherAddress" not in changed.values


def test_the_schema_describes_every_field_and_its_id_follows_the_fields(
    agent: Client, org: SalesforceOrg
) -> None:
    first = org.events.topic(LEADS)
    schema = orjson.loads(org.events.schema(first.schema_id) or "")
    assert (schema["namespace"], schema["name"]) == ("com.sforce.eventbus", "LeadChangeEvent")
    names = [each["name"] for each in schema["fields"]]
    assert names[:2] == ["ChangeEventHeader", "Name"] and names[-1].endswith("__c")
    docs = {each["name"]: each.get("doc") for each in schema["fields"]}
    assert docs["LINE_Bound_At__c"].startswith("Data:DateTime:00N")
    assert docs["OwnerId"] == "Data:EntityId"
    field = {"label": "Tier", "type": "Text", "length": 20}
    body = {"FullName": "Lead.Tier__c", "Metadata": field}
    assert agent.call("POST", "/tooling/sobjects/CustomField", body).status_code == 201
    second = org.events.topic(LEADS)
    assert second.schema_id != first.schema_id
    assert org.events.schema(first.schema_id) and "Tier__c" in str(
        org.events.schema(second.schema_id)
    )


def test_the_schema_is_answered_over_rest(agent: Client, org: SalesforceOrg) -> None:
    known = org.events.topic(LEADS).schema_id
    path = f"/event/eventSchema/{known}"
    compact = agent.call("GET", path, params={"payloadFormat": "COMPACT"}).json()
    assert compact == {**orjson.loads(org.events.schema(known) or ""), "uuid": known}
    expanded = agent.call("GET", "/sobjects/LeadChangeEvent/eventSchema").json()
    payload = expanded["fields"][0]["type"]["fields"][1]["type"]
    assert (expanded["type"], payload["fields"]) == ("expanded-record", compact["fields"])
    assert agent.call("GET", "/event/eventSchema/nothing").status_code == 404
    assert agent.call("GET", "/sobjects/AccountChangeEvent/eventSchema").status_code == 404


def test_a_gap_has_a_header_only_and_counts_transactions(agent: Client, leads: Listener) -> None:
    agent.fault("gap", {"object": "lead"}, match={"path": "*/composite/sobjects"})
    single = agent.create("Lead", LastName="王", Company="-")
    collect(agent, "PATCH", {"id": single, "LastName": "王"})
    people = [{"LastName": name, "Company": "-"} for name in "李林"]
    for _ in range(2):
        ids = [each["id"] for each in collect(agent, "POST", *people)]
    heard = leads.hear()
    assert [each.type for each in heard] == ["CREATE", "GAP_CREATE", "CREATE", "CREATE"]
    gap = heard[1]
    assert (len(gap.header["recordIds"]), gap.values) == (2, {})
    assert [single] == heard[0].header["recordIds"] and ids[0] in heard[2].header["recordIds"]
    last = agent.http.get(f"{agent.url}/_simulator/calls", timeout=10).json()
    assert [each["fault"] for each in last] == [None, None, "gap", None]


def test_an_overflow_is_one_event_about_no_row(agent: Client, leads: Listener) -> None:
    agent.fault("overflow", {"object": "Lead"})
    collect(agent, "POST", *({"LastName": name, "Company": "-"} for name in "王李"))
    heard = leads.one()
    assert heard.told == ("Lead", "GAP_OVERFLOW")
    assert (heard.header["recordIds"], heard.values) == (["000000000000000AAA"], {})


def test_a_transaction_of_too_many_changes_ends_with_an_overflow(
    org: SalesforceOrg, leads: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "MOST_CHANGES", 2)
    with writing(org) as writer:
        for name in "王李林陳":
            writer.create(org.schema.objects["Lead"], {"LastName": name, "Company": "-"})
    heard = leads.hear()
    assert [each.type for each in heard] == ["CREATE", "CREATE", "GAP_OVERFLOW"]
    assert [each.header["sequenceNumber"] for each in heard] == [1, 2, 3]


def test_an_event_of_more_than_a_megabyte_is_a_gap(org: SalesforceOrg, leads: Listener) -> None:
    row = {"LastName": "王", "Company": "-", "Description": "x" * (1 << 20)}
    with org.store.transaction("005000000000000AAA") as transaction:
        transaction.plant("Lead", row)
    heard = leads.one()
    assert (heard.type, heard.values) == ("GAP_CREATE", {})
