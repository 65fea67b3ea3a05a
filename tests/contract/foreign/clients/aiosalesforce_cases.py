"""aiosalesforce, as its users write it: `python … CASE` with the org's credentials on stdin.

It speaks to addresses under my.salesforce.com only; the HTTP client that its users hand in
leads that name to this machine, as a name server would.
"""

import asyncio
import json
import ssl
import sys
from urllib.parse import urlsplit

import httpx
from aiosalesforce import Salesforce
from aiosalesforce.auth import ClientCredentialsFlow, SoapLogin
from aiosalesforce.exceptions import SalesforceError

known = json.load(sys.stdin)
ADDRESS = "https://simulated.my.salesforce.com"


class Local(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        place = urlsplit(known["tls_url"])
        request.url = request.url.copy_with(host=place.hostname, port=place.port)
        return await super().handle_async_request(request)


def http() -> httpx.AsyncClient:
    trusted = ssl.create_default_context(cafile=known["ca_file"])
    return httpx.AsyncClient(transport=Local(verify=trusted), trust_env=False)


def org(client: httpx.AsyncClient) -> Salesforce:
    auth = ClientCredentialsFlow(known["client_id"], known["client_secret"])
    return Salesforce(client, base_url=ADDRESS, auth=auth, version="62.0")


async def soap_login() -> int:
    auth = SoapLogin(known["username"], known["password"], known["security_token"])
    async with http() as client:
        sf = Salesforce(client, base_url=ADDRESS, auth=auth, version="62.0")
        return len([row async for row in sf.query("SELECT Id FROM Product2")])


async def rows() -> dict:
    async with http() as client:
        sf = org(client)
        made = await sf.sobject.create("Contact", {"LastName": "王"})
        await sf.sobject.update("Contact", made, {"Title": "經理"})
        read = await sf.sobject.get("Contact", made, fields=["Title"])
        await sf.sobject.delete("Contact", made)
        try:
            await sf.sobject.get("Contact", made)
            missing = ""
        except SalesforceError as error:
            missing = str(error.error_code)
    return {"title": read["Title"], "missing": missing}


async def upsert() -> list:
    async with http() as client:
        sf = org(client)
        told = [
            await sf.sobject.upsert("Contact", "k1", "LINE_Key__c", {"LastName": name})
            for name in "王李"
        ]
    return [[each.id, each.created] for each in told]


async def composite() -> dict:
    async with http() as client:
        sf = org(client)
        async with sf.composite(all_or_none=True) as batch:
            account = batch.sobject.create("Account", {"Name": "A"})
            contact = batch.sobject.create(
                "Contact", {"LastName": "王", "AccountId": str(account.reference.id)}
            )
        read = await sf.sobject.get("Contact", contact.id, fields=["AccountId"])
    return {"account": account.id, "of_contact": read["AccountId"]}


async def pages() -> int:
    async with http() as client:
        sf = org(client)
        records = [
            {"attributes": {"type": "Lead"}, "LastName": f"L{at}", "Company": "-"}
            for at in range(200)
        ]
        for _ in range(11):
            address = f"{ADDRESS}/services/data/v62.0/composite/sobjects"
            await sf.request("POST", address, json={"records": records})
        return len([row async for row in sf.query("SELECT Id FROM Lead")])


async def bulk() -> dict:
    rows = [{"LastName": "王", "Account": {"LINE_Key__c": "a"}}, {"FirstName": "x"}]
    async with http() as client:
        sf = org(client)
        await sf.sobject.create("Account", {"Name": "A", "LINE_Key__c": "a"})
        jobs = sf.bulk_v2.ingest.perform_operation("insert", "Contact", rows, polling_interval=0.05)
        (told,) = [job async for job in jobs]
        read = await sf.sobject.get("Contact", told.successful_results[0]["sf__Id"])
    return {
        "account": bool(read["AccountId"]),
        "state": told.job_info.state,
        "failed": [row["sf__Error"] for row in told.failed_results],
    }


print(json.dumps(asyncio.run(globals()[sys.argv[1]]())))
