"""The main job, told as what people do, over the real database and both simulators."""

from tests.world import World


def test_a_bare_follow_makes_no_lead_and_is_greeted_free(world: World) -> None:
    ann = world.person("安安")
    world.follow(ann)
    world.run_until_idle()
    assert world.rows("SELECT Id FROM Lead") == []
    assert {item["via"] for item in world.chat(ann)} == {"reply"}


def test_consent_makes_exactly_one_lead(world: World) -> None:
    ann = world.person("安安")
    world.follow(ann)
    world.consent(ann)
    world.consent(ann)
    world.run_until_idle()
    lead = world.row("SELECT LastName, Company, LINE_User_Id__c, LINE_Following__c FROM Lead")
    assert lead["LINE_User_Id__c"] == ann
    assert lead["LastName"] == "安安"
    assert lead["LINE_Following__c"] is True


def friend(world: World, name: str = "安安") -> str:
    user = world.person(name)
    world.follow(user)
    world.consent(user)
    world.run_until_idle()
    return user


CONTACT = (
    "SELECT Id, LastName, FirstName, MobilePhone, AccountId, LINE_Key__c, LINE_User_Id__c, "
    "LINE_Following__c, LINE_Bound_At__c FROM Contact"
)


def test_the_contact_an_agent_entered_is_matched_keyed_and_given_an_account(world: World) -> None:
    known = world.agent_makes(
        "Contact", LastName="王", FirstName="小明", MobilePhone="0912 345 678"
    )
    ming = friend(world, "阿明")
    world.bind(ming, "王小明", "+886912345678")
    world.run_until_idle()
    contact = world.row(CONTACT)
    assert contact["Id"] == known
    assert contact["LINE_Key__c"]
    assert contact["LINE_User_Id__c"] == ming
    assert contact["MobilePhone"] == "0912 345 678"
    account = world.row("SELECT Id, Name FROM Account")
    assert contact["AccountId"] == account["Id"]
    assert account["Name"] == "王小明"


def test_the_account_of_a_matched_contact_is_adopted(world: World) -> None:
    account = world.agent_makes("Account", Name="王家")
    world.agent_makes(
        "Contact", LastName="王", FirstName="小明", MobilePhone="0912345678", AccountId=account
    )
    ming = friend(world)
    world.bind(ming, "王小明", "0912-345-678")
    world.run_until_idle()
    assert world.row(CONTACT)["AccountId"] == account
    assert world.row("SELECT Name, LINE_Key__c FROM Account") == {
        "attributes": world.row("SELECT Name, LINE_Key__c FROM Account")["attributes"],
        "Name": "王家",
        "LINE_Key__c": None,
    }


def test_an_unknown_customer_gets_a_contact_and_an_account(world: World) -> None:
    mei = friend(world, "美美")
    world.bind(mei, "陳美", "0922333444", email="mei@example.com")
    world.run_until_idle()
    contact = world.row(CONTACT)
    assert (contact["LastName"], contact["FirstName"]) == ("陳", "美")
    assert contact["AccountId"] == world.row("SELECT Id FROM Account")["Id"]


def test_binding_makes_no_lead(world: World) -> None:
    mei = world.person("美美")
    world.follow(mei)
    world.run_until_idle()
    world.bind(mei, "陳美", "0922333444")
    world.run_until_idle()
    assert world.rows("SELECT Id FROM Lead") == []


def test_another_name_on_the_same_phone_is_for_a_person_to_decide(world: World) -> None:
    world.agent_makes("Contact", LastName="李", FirstName="大同", MobilePhone="0912345678")
    ming = friend(world)
    member = world.bind(ming, "王小明", "0912345678")
    world.run_until_idle()
    assert len(world.rows(CONTACT)) == 1
    parked = [row for row in world.outbox() if row.state == "parked"]
    assert [row.pair_id for row in parked] == [world.pair(member, "member-contact").id]
    assert "differs" in parked[0].reason
    assert world.rows("SELECT Id FROM Account") == []  # nothing is made before it is decided


def test_registration_and_repair_reach_salesforce_and_the_case_number_comes_back(
    world: World,
) -> None:
    ming = friend(world)
    world.bind(ming, "王小明", "0912345678")
    world.run_until_idle()
    (code,) = world.codes("AC-100")
    registered = world.register(ming, code)
    world.run_until_idle()
    asset = world.row(
        "SELECT Id, Name, SerialNumber, Product2Id, PurchaseDate, UsageEndDate, ContactId, "
        "AccountId FROM Asset"
    )
    assert asset["PurchaseDate"] == "2026-11-01"
    assert asset["UsageEndDate"] > asset["PurchaseDate"]
    contact = world.row(CONTACT)
    assert (asset["ContactId"], asset["AccountId"]) == (contact["Id"], contact["AccountId"])
    assert world.record(registered).values["warranty_until"] == asset["UsageEndDate"]
    asked = world.asks_for_repair(ming, registration_id=str(registered), product=None)
    world.run_until_idle()
    case = world.row("SELECT Id, CaseNumber, ContactId, AccountId, AssetId, Subject FROM Case")
    order = world.row("SELECT Id, CaseId, ContactId, AccountId, AssetId FROM WorkOrder")
    assert order["CaseId"] == case["Id"]
    for row in (case, order):
        assert row["ContactId"] == contact["Id"]
        assert row["AccountId"] == contact["AccountId"]
        assert row["AssetId"] == asset["Id"]
    assert world.record(asked).values["case_number"] == case["CaseNumber"]
    assert any(case["CaseNumber"] in text for text in world.texts(ming))
    world.agent_edits("Case", case["Id"], Status="Working")
    world.agent_edits("WorkOrder", order["Id"], StartDate="2026-12-01T06:00:00Z")
    world.run_until_idle()
    assert world.record(asked).values["status"] == "working"
    assert any("14:00" in text for text in world.texts(ming))
    world.agent_edits("Contact", contact["Id"], FirstName="大明")
    world.run_until_idle()
    member = world.record(asked)
    assert member is not None


def test_a_registration_before_binding_waits_for_its_member(world: World) -> None:
    ming = friend(world)
    (code,) = world.codes("WF-10")
    world.register(ming, code)
    world.run_until_idle()
    (held,) = [row for row in world.outbox() if row.state == "held"]
    assert "member" in held.reason
    world.bind(ming, "王小明", "0912345678")
    world.run_until_idle()
    assert world.outbox() == []
    assert world.row("SELECT Id, ContactId FROM Asset")["ContactId"]


def test_an_agents_correction_comes_back(world: World) -> None:
    ming = friend(world)
    member = world.bind(ming, "王小明", "0912345678")
    world.run_until_idle()
    contact = world.row(CONTACT)
    world.agent_edits("Contact", contact["Id"], FirstName="大明")
    world.run_until_idle()
    assert world.record(member).values["name"] == "王大明"


def test_unbinding_clears_our_fields_and_lets_go(world: World) -> None:
    ming = friend(world)
    world.bind(ming, "王小明", "0912345678")
    world.run_until_idle()
    world.unbind(ming)
    world.run_until_idle()
    contact = world.row(CONTACT)
    assert contact["LINE_Key__c"] is None
    assert contact["LINE_User_Id__c"] is None
    assert contact["LINE_Following__c"] is False
    assert contact["MobilePhone"] is not None


def test_binding_anew_takes_the_same_contact_again(world: World) -> None:
    ming = friend(world)
    first = world.bind(ming, "王小明", "0912345678")
    world.run_until_idle()
    world.unbind(ming)
    second = world.bind(ming, "王小明", "0912345678")
    world.run_until_idle()
    assert first != second
    assert world.row(CONTACT)["LINE_Key__c"] == world.pair(second, "member-contact").key
