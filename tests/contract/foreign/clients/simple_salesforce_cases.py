"""simple-salesforce, as its users write it: `python … CASE` with the org's credentials on stdin."""

import csv
import io
import json
import sys

import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

known = json.load(sys.stdin)


def org() -> Salesforce:
    session = requests.Session()
    session.trust_env = False
    session.verify = known["ca_file"]
    return Salesforce(
        session_id=known["access_token"],
        instance_url=known["tls_url"],
        session=session,
        version="62.0",
    )


def rows() -> dict:
    contacts = org().Contact
    made = contacts.create({"LastName": "王"})
    changed = contacts.update(made["id"], {"Title": "經理"})
    read = contacts.get(made["id"])
    gone = contacts.delete(made["id"])
    try:
        contacts.get(made["id"])
        missing = False
    except SalesforceResourceNotFound:
        missing = True
    return {
        "made": made,
        "changed": changed,
        "title": read["Title"],
        "gone": gone,
        "missing": missing,
    }


def upsert() -> list:
    contacts = org().Contact
    return [contacts.upsert("LINE_Key__c/k1", {"LastName": "王"}) for _ in range(2)]


def queries() -> dict:
    sf = org()
    records = [
        {"attributes": {"type": "Lead"}, "LastName": f"L{at}", "Company": "-"} for at in range(200)
    ]
    for _ in range(11):
        sf.restful("composite/sobjects", method="POST", json={"records": records})
    return {
        "all": sf.query_all("SELECT Id FROM Lead")["totalSize"],
        "iterated": sum(1 for _ in sf.query_all_iter("SELECT Id FROM Lead")),
        "count": sf.query("SELECT COUNT() FROM Lead")["totalSize"],
    }


def errors() -> list:
    try:
        org().Contact.create({})
    except SalesforceMalformedRequest as error:
        return error.content
    return []


def describe() -> dict:
    sf = org()
    return {
        "objects": [each["name"] for each in sf.describe()["sobjects"]],
        "prefix": sf.Case.describe()["keyPrefix"],
        "limit": sf.limits()["DailyApiRequests"]["Max"],
        "usage": sf.api_usage["api-usage"].total,
    }


def tooling() -> dict:
    sf = org()
    made = sf.toolingexecute(
        "sobjects/CustomField",
        method="POST",
        json={
            "FullName": "Case.Tier__c",
            "Metadata": {"label": "Tier", "type": "Text", "length": 20},
        },
    )
    return {"success": made["success"], "id": made["id"]}


def bulk() -> dict:
    contacts = org().bulk2.Contact
    people = [{"LastName": name, "LINE_Key__c": key} for name, key in zip("王李", "ab")]
    contacts.insert(records=people, wait=0)
    changed = [
        *({**each, "LastName": "陳"} for each in people),
        {"LastName": "", "LINE_Key__c": "c"},
    ]
    (told,) = contacts.upsert(records=changed, external_id_field="LINE_Key__c", wait=0)
    pages = [*contacts.query("SELECT Id, LastName FROM Contact", max_records=1, wait=0)]
    found = [row for page in pages for row in csv.DictReader(io.StringIO(page))]
    contacts.delete(records=[{"Id": each["Id"]} for each in found], wait=0)
    return {
        "told": told,
        "failed": [*csv.DictReader(io.StringIO(contacts.get_failed_records(told["job_id"])))],
        "found": [each["LastName"] for each in found],
        "left": "".join(contacts.query("SELECT Id FROM Contact", wait=0)).splitlines()[1:],
    }


print(json.dumps(globals()[sys.argv[1]]()))
