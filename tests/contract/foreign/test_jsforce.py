"""jsforce, unmodified: sign-in by user name and password, rows, queries, composite, metadata."""

from __future__ import annotations

import base64
import io
import zipfile

from .conftest import Answered
from .org import Org

PACKAGE = """<?xml version="1.0" encoding="UTF-8"?>
<Package xmlns="http://soap.sforce.com/2006/04/metadata">
  <types><members>Visit__c</members><name>CustomObject</name></types>
  <version>62.0</version>
</Package>"""
VISIT = """<?xml version="1.0" encoding="UTF-8"?>
<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">
  <deploymentStatus>Deployed</deploymentStatus>
  <fields>
    <fullName>Floor__c</fullName><label>Floor</label><type>Number</type>
    <precision>3</precision><scale>0</scale>
  </fields>
  <label>Visit</label>
  <nameField><label>Name</label><type>Text</type></nameField>
  <pluralLabel>Visits</pluralLabel>
  <sharingModel>ReadWrite</sharingModel>
</CustomObject>"""


def test_signs_in_with_user_name_and_password(jsforce: Answered, org: Org) -> None:
    told = jsforce("login")
    assert told["organizationId"] == org.credentials["organization_id"]
    assert told["username"] == org.credentials["username"]
    assert told["instanceUrl"] == org.credentials["instance_url"]
    assert any("/services/Soap/u/" in call["path"] for call in org.calls())


def test_trusts_the_tls_port_by_its_authority(jsforce: Answered, org: Org) -> None:
    assert jsforce("tls") == {"instanceUrl": org.credentials["tls_url"], "totalSize": 3}


def test_a_wrong_password_is_refused(jsforce: Answered) -> None:
    assert "INVALID_LOGIN" in str(jsforce("wrongPassword"))


def test_signs_in_with_client_credentials(jsforce: Answered) -> None:
    assert jsforce("oauth") == 3


def test_creates_reads_updates_and_deletes_a_row(jsforce: Answered) -> None:
    told = jsforce("rows")
    assert told["made"]["success"] and told["changed"]["success"] and told["gone"]["success"]
    assert (told["read"]["Name"], told["read"]["Title"]) == ("小明 王", "經理")
    assert told["missing"] == "NOT_FOUND"


def test_upserts_by_an_external_id(jsforce: Answered, org: Org) -> None:
    told = jsforce("upsert")
    assert (told["first"]["created"], told["second"]["created"]) == (True, False)
    assert told["first"]["id"] == told["second"]["id"] == told["many"][0]["id"]
    rows = org.rows("SELECT Name FROM Account ORDER BY Name")
    assert [row["Name"] for row in rows] == ["C", "D"]


def test_errors_carry_the_codes_of_the_api(jsforce: Answered) -> None:
    told = jsforce("errors")
    codes = [told[name]["code"] for name in ("required", "field", "type")]
    assert codes == ["REQUIRED_FIELD_MISSING", "INVALID_FIELD", "INVALID_TYPE"]
    assert [each["success"] for each in told["mixed"]] == [True, False]


def test_collections_go_in_chunks_of_two_hundred(jsforce: Answered, org: Org) -> None:
    told = jsforce("collections")
    assert len(told["made"]) == 450 and all(each["success"] for each in told["made"])
    assert [row["LastName"] for row in told["read"]] == ["L0", "L1", "L2"]
    assert all(each["success"] for each in [*told["changed"], *told["gone"]])
    written = [call["records"] for call in org.calls() if call["method"] == "POST"]
    assert [records for records in written if records and records > 3] == [200, 200, 50]


def test_pages_through_a_long_query(jsforce: Answered) -> None:
    told = jsforce("pages")
    assert told["first"] == [200, 450, False]
    assert told["second"] == [200, False]
    assert len(set(told["all"])) == 450


def test_builds_queries_over_parents_children_and_groups(jsforce: Answered) -> None:
    told = jsforce("soql")
    assert told == {"found": [["x", "A"]], "children": ["y", "x"], "grouped": [2]}


def test_composite_calls_pass_references_on(jsforce: Answered) -> None:
    parts = {part["referenceId"]: part for part in jsforce("composite")["compositeResponse"]}
    assert parts["r"]["body"]["AccountId"] == parts["a"]["body"]["id"]


def test_describes_objects_and_limits(jsforce: Answered) -> None:
    told = jsforce("describe")
    assert told["label"] == "Account" and "LINE_Key__c" in told["fields"]
    assert {"Case", "WorkOrder", "Asset"} <= set(told["objects"])
    assert told["usage"]["limit"] == told["limit"]


def test_a_new_field_is_hidden_until_a_permission_set_grants_it(jsforce: Answered) -> None:
    told = jsforce("metadata")
    assert told["made"]["success"] and told["lead"]["success"]
    assert told["hidden"] is False
    assert told["found"] == ["Tier"]


def test_deploys_an_object_by_its_own_polling(jsforce: Answered) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        opened.writestr("package.xml", PACKAGE)
        opened.writestr("objects/Visit__c.object", VISIT)
    told = jsforce("deploy", zip=base64.b64encode(content.getvalue()).decode())
    assert told["status"] == "Succeeded" and told["done"]
    assert {"Visit__c", "Visit__c.Floor__c"} <= set(told["names"])


def test_loads_and_reads_in_bulk(jsforce: Answered) -> None:
    told = jsforce("bulk")
    (made,) = told["made"]["successfulResults"]
    rows = {row["LINE_Key__c"]: row for row in told["changed"]["successfulResults"]}
    assert rows["a"]["sf__Id"] == made["sf__Id"]
    assert [rows[key]["sf__Created"] for key in "ab"] == ["false", "true"]
    (failed,) = told["changed"]["failedResults"]
    assert failed["sf__Error"].startswith("REQUIRED_FIELD_MISSING") and failed["LINE_Key__c"] == "c"
    assert [row["LastName"] for row in told["found"]] == ['李 "x", y', "陳"]


def test_a_job_with_an_unknown_column_fails(jsforce: Answered) -> None:
    assert "Field name not found : Nose" in jsforce("bulkFailure")


def test_a_session_ends_with_the_logout(jsforce: Answered) -> None:
    assert jsforce("logout") == "INVALID_SESSION_ID"
