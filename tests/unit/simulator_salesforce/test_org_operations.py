"""Operations that only SOAP has: undelete, conversion of leads, merges."""

from __future__ import annotations

from typing import Any

from .stage import Client, found_in, soap


def convert(agent: Client, lead: str, **more: str) -> dict[str, list[str]]:
    known = {"leadId": lead, "convertedStatus": "Closed - Converted", **more}
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in known.items())
    return found_in(agent.soap("convertLead", f"<leadConverts>{fields}</leadConverts>"))


def merge(agent: Client, kind: str, master: str, *losers: str, **values: str) -> Any:
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    gone = "".join(f"<recordToMergeIds>{each}</recordToMergeIds>" for each in losers)
    head = f"<type>{kind}</type><Id>{master}</Id>{fields}"
    request = f"<request><masterRecord>{head}</masterRecord>{gone}</request>"
    return found_in(agent.soap("merge", request))


def undelete(agent: Client, row_id: str) -> dict[str, list[str]]:
    return found_in(agent.soap("undelete", f"<ids>{row_id}</ids>"))


def test_an_undeleted_account_brings_its_contacts_back(agent: Client) -> None:
    account = agent.create("Account", Name="王家")
    contact = agent.create("Contact", LastName="王", AccountId=account, LINE_Key__c="k1")
    agent.call("DELETE", f"/sobjects/Account/{account}")
    assert undelete(agent, account)["success"] == ["true"]
    assert agent.row("Contact", contact)["AccountId"] == account
    assert agent.call("GET", "/sobjects/Contact/LINE_Key__c/k1").status_code == 200


def test_a_contact_deleted_before_its_account_stays_deleted(agent: Client) -> None:
    account = agent.create("Account", Name="王家")
    contact = agent.create("Contact", LastName="王", AccountId=account)
    agent.call("DELETE", f"/sobjects/Contact/{contact}")
    agent.call("DELETE", f"/sobjects/Account/{account}")
    undelete(agent, account)
    assert agent.call("GET", f"/sobjects/Contact/{contact}").status_code == 404


def test_deleting_a_row_empties_the_lookups_to_it_until_it_is_back(agent: Client) -> None:
    account = agent.create("Account", Name="王家")
    asset = agent.create("Asset", Name="AC", AccountId=account)
    case = agent.create("Case", AssetId=asset)
    agent.call("DELETE", f"/sobjects/Asset/{asset}")
    assert agent.row("Case", case)["AssetId"] is None
    undelete(agent, asset)
    assert agent.row("Case", case)["AssetId"] == asset


def test_what_is_not_in_the_bin_cannot_be_undeleted(agent: Client) -> None:
    found = undelete(agent, agent.create("Account", Name="王家"))
    assert (found["success"], found["statusCode"]) == (["false"], ["UNDELETE_FAILED"])


def test_a_unique_value_taken_meanwhile_keeps_a_row_in_the_bin(agent: Client) -> None:
    first = agent.create("Contact", LastName="王", LINE_Key__c="k1")
    agent.call("DELETE", f"/sobjects/Contact/{first}")
    agent.create("Contact", LastName="李", LINE_Key__c="k1")
    assert undelete(agent, first)["statusCode"] == ["DUPLICATE_VALUE"]


def test_a_converted_lead_points_at_what_it_became(agent: Client) -> None:
    lead = agent.create(
        "Lead", LastName="陳", FirstName="大文", Company="陳家", Email="c@example.com", City="臺北"
    )
    found = convert(agent, lead)
    row = agent.row("Lead", lead)
    assert (row["IsConverted"], row["Status"]) == (True, "Closed - Converted")
    assert row["ConvertedContactId"] == found["contactId"][0]
    contact = agent.row("Contact", row["ConvertedContactId"])
    assert (contact["Name"], contact["Email"], contact["MailingCity"]) == (
        "大文 陳",
        "c@example.com",
        "臺北",
    )
    assert contact["AccountId"] == row["ConvertedAccountId"]
    assert agent.row("Account", contact["AccountId"])["Name"] == "陳家"
    assert agent.row("Opportunity", row["ConvertedOpportunityId"])["StageName"] == "Prospecting"


def test_conversion_keeps_what_an_existing_contact_knows(agent: Client) -> None:
    account = agent.create("Account", Name="老帳戶")
    contact = agent.create("Contact", LastName="陳", Email="old@example.com", AccountId=account)
    lead = agent.create("Lead", LastName="陳", Company="-", Email="n@example.com", Phone="02")
    convert(agent, lead, accountId=account, contactId=contact, doNotCreateOpportunity="true")
    row = agent.row("Contact", contact)
    assert (row["Email"], row["Phone"]) == ("old@example.com", "02")
    assert agent.row("Lead", lead)["ConvertedOpportunityId"] is None


def test_a_lead_converts_once_and_only_to_a_converted_status(agent: Client) -> None:
    lead = agent.create("Lead", LastName="陳", Company="-")
    assert convert(agent, lead, convertedStatus="Working - Contacted")["statusCode"] == [
        "INVALID_STATUS"
    ]
    convert(agent, lead)
    assert convert(agent, lead)["statusCode"] == ["CANNOT_UPDATE_CONVERTED_LEAD"]
    answer = agent.call("PATCH", f"/sobjects/Lead/{lead}", {"Title": "x"})
    assert answer.json()[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_tasks_and_campaigns_of_a_lead_go_over_to_the_contact(agent: Client) -> None:
    lead = agent.create("Lead", LastName="陳", Company="-")
    task = agent.create("Task", Subject="Call", WhoId=lead)
    campaign = agent.create("Campaign", Name="夏季")
    member = agent.create("CampaignMember", CampaignId=campaign, LeadId=lead)
    contact = convert(agent, lead)["contactId"][0]
    assert agent.row("Task", task)["WhoId"] == contact
    assert agent.row("CampaignMember", member)["ContactId"] == contact


def test_a_merge_moves_children_and_leaves_a_trace_of_the_loser(agent: Client) -> None:
    master = agent.create("Contact", LastName="王")
    loser = agent.create("Contact", LastName="王", LINE_Key__c="k1")
    case = agent.create("Case", ContactId=loser)
    found = merge(agent, "Contact", master, loser, LINE_Key__c="k1", Title="合併")
    assert found["updatedRelatedIds"] == [case]
    assert agent.row("Case", case)["ContactId"] == master
    assert agent.row("Contact", master)["LINE_Key__c"] == "k1"
    gone = agent.call(
        "GET",
        "/queryAll",
        params={"q": f"SELECT IsDeleted, MasterRecordId FROM Contact WHERE Id = '{loser}'"},
    ).json()["records"]
    assert (gone[0]["IsDeleted"], gone[0]["MasterRecordId"]) == (True, master)
    answer = agent.call("PATCH", f"/sobjects/Contact/{loser}", {"Title": "x"})
    assert answer.json()[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_a_row_cannot_be_merged_into_itself_or_with_another_object(agent: Client) -> None:
    contact = agent.create("Contact", LastName="王")
    assert merge(agent, "Contact", contact, contact)["success"] == ["false"]
    assert merge(agent, "Asset", contact, contact)["statusCode"] == ["INVALID_TYPE"]


def test_an_unknown_operation_is_a_fault(agent: Client) -> None:
    answer = soap(agent.url, "fly", "", session=agent.token)
    assert answer.status_code == 500
    assert "No operation available for request fly" in answer.text
