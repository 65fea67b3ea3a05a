"""The org as its agent sees it: Salesforce's own REST API, nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import requests

from tests.acceptance.waiting import now

API = "/services/data/v62.0"
OURS = "line-connector"
TIMEOUT = 30


class Org:
    """What people do in Salesforce, and what the simulator tells of the calls it saw."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()
        self._http.trust_env = False
        self._sign_in()

    def _sign_in(self) -> None:
        told = self._http.get(f"{self.url}/_simulator/credentials", timeout=TIMEOUT).json()
        self._http.headers["Authorization"] = f"Bearer {told['access_token']}"

    def _call(self, method: str, path: str, **more: Any) -> Any:
        for last in (False, True):
            answer = self._http.request(method, f"{self.url}{API}{path}", timeout=TIMEOUT, **more)
            if answer.status_code != 401 or last:
                break
            self._sign_in()
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def rows(self, soql: str) -> list[dict[str, Any]]:
        """All rows of a query."""
        found: list[dict[str, Any]] = self._call("GET", "/query", params={"q": soql})["records"]
        return [{name: row[name] for name in row if name != "attributes"} for row in found]

    def row(self, name: str, row_id: str) -> dict[str, Any]:
        """One row with every field."""
        found: dict[str, Any] = self._call("GET", f"/sobjects/{name}/{row_id}")
        return found

    def create(self, name: str, **values: Any) -> str:
        """A row made by the agent; its Id."""
        made: str = self._call("POST", f"/sobjects/{name}", json=values)["id"]
        return made

    def edit(self, name: str, row_id: str, **values: Any) -> datetime:
        """Fields changed by the agent; a moment after that."""
        self._call("PATCH", f"/sobjects/{name}/{row_id}", json=values)
        return now()

    def leads(self, user_id: str) -> list[dict[str, Any]]:
        """The Leads of a LINE user."""
        fields = "Id, LastName, Company, LeadSource, LINE_Key__c, LINE_User_Id__c"
        flags = "LINE_Display_Name__c, LINE_Following__c"
        return self.rows(f"SELECT {fields}, {flags} FROM Lead WHERE LINE_User_Id__c = '{user_id}'")

    def contacts(self, user_id: str) -> list[dict[str, Any]]:
        """The Contacts of a LINE user."""
        fields = "Id, LastName, FirstName, MobilePhone, Email, AccountId, LINE_Key__c"
        return self.rows(f"SELECT {fields} FROM Contact WHERE LINE_User_Id__c = '{user_id}'")

    def assets(self, serial: str) -> list[dict[str, Any]]:
        """The Assets with a serial number."""
        fields = "Id, SerialNumber, Product2Id, PurchaseDate, UsageEndDate, ContactId, AccountId"
        return self.rows(f"SELECT {fields}, Status FROM Asset WHERE SerialNumber = '{serial}'")

    def cases(self, contact_id: str) -> list[dict[str, Any]]:
        """The Cases of a Contact, oldest first."""
        fields = "Id, CaseNumber, Subject, Status, Priority, ContactId, AccountId, AssetId"
        return self.rows(
            f"SELECT {fields} FROM Case WHERE ContactId = '{contact_id}' ORDER BY CaseNumber"
        )

    def work_orders(self, case_id: str) -> list[dict[str, Any]]:
        """The WorkOrders of a Case."""
        fields = "Id, CaseId, ContactId, AccountId, AssetId, Subject, StartDate"
        return self.rows(f"SELECT {fields} FROM WorkOrder WHERE CaseId = '{case_id}'")

    def counts(self) -> dict[str, int]:
        """How many rows there are of what the connector writes."""
        names = ("Lead", "Account", "Contact", "Asset", "Case", "WorkOrder")
        return {name: len(self.rows(f"SELECT Id FROM {name}")) for name in names}

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """The API calls of the connector."""
        url = f"{self.url}/_simulator/calls?since={since}"
        seen = self._http.get(url, timeout=TIMEOUT).json()
        return [call for call in seen if (call["client"] or "").startswith(OURS)]

    def fault(self, name: str, times: int = 1, path: str = f"{API[:14]}*", **params: Any) -> None:
        """Let the next calls of the connector go wrong."""
        match = {"path": path, "client": f"{OURS}*"}
        body = {"fault": name, "times": times, "match": match, "params": params}
        url = f"{self.url}/_simulator/faults"
        self._http.post(url, json=body, timeout=TIMEOUT).raise_for_status()

    def keeps_alive_every(self, seconds: float) -> None:
        """How long a silent stream of events waits before it says that nothing has happened."""
        url = f"{self.url}/_simulator/switches"
        body = {"keepalive_seconds": seconds}
        self._http.patch(url, json=body, timeout=TIMEOUT).raise_for_status()

    def no_faults(self) -> None:
        """Let all go well again."""
        self._http.delete(f"{self.url}/_simulator/faults", timeout=TIMEOUT).raise_for_status()
