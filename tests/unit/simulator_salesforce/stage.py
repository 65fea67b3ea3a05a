"""What tests do to an org: calls under one user, and rows made in one line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import requests

from simulator.salesforce.faults import CallState, RowFaults
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.writes import Writer

VERSION = "v62.0"
STARTING_SECONDS = 30


class Client:
    """Calls an org as one user."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.http.headers["Sforce-Call-Options"] = "client=tester/1"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        """One call under `/services/data/v62.0`, or to an absolute path."""
        version = more.pop("version", VERSION)
        full = path if path.startswith("/services") else f"/services/data/{version}{path}"
        return self.http.request(method, self.url + full, json=body, timeout=10, **more)

    def create(self, kind: str, **values: Any) -> str:
        """Create a row and give its id."""
        answer = self.call("POST", f"/sobjects/{kind}", values)
        assert answer.status_code == 201, answer.text
        row_id: str = answer.json()["id"]
        return row_id

    def refused(self, kind: str, **values: Any) -> dict[str, Any]:
        """The one error that a create meets."""
        answer = self.call("POST", f"/sobjects/{kind}", values)
        assert answer.status_code == 400, answer.text
        (error,) = answer.json()
        return dict(error)

    def row(self, kind: str, row_id: str) -> dict[str, Any]:
        """A row with all its fields."""
        return dict(self.call("GET", f"/sobjects/{kind}/{row_id}").json())

    def query(self, soql: str) -> list[dict[str, Any]]:
        """The records of a query, without their attributes."""
        answer = self.call("GET", "/query", params={"q": soql})
        assert answer.status_code == 200, answer.text
        records = answer.json()["records"]
        return [{k: v for k, v in each.items() if k != "attributes"} for each in records]

    def query_error(self, soql: str) -> dict[str, Any]:
        """The error that a query meets."""
        answer = self.call("GET", "/query", params={"q": soql})
        assert answer.status_code == 400, answer.text
        return dict(answer.json()[0])

    def soap(self, operation: str, arguments: str) -> requests.Response:
        """One SOAP call that is answered, not refused as a whole."""
        answer = soap(self.url, operation, arguments, session=self.token)
        assert answer.status_code == 200, answer.text
        return answer

    def switch(self, **switches: Any) -> None:
        """Set up the org in another way."""
        answer = self.http.patch(f"{self.url}/_simulator/switches", json=switches, timeout=10)
        assert answer.status_code == 200, answer.text

    def rule(self, kind: str, **more: Any) -> str:
        """Put a rule into force and give its id."""
        wanted = {"kind": kind, **more}
        answer = self.http.post(f"{self.url}/_simulator/rules", json=wanted, timeout=10)
        assert answer.status_code == 201, answer.text
        rule_id: str = answer.json()["id"]
        return rule_id

    def fault(self, name: str, params: dict[str, Any] | None = None, **more: Any) -> None:
        """Set a fault, once unless told otherwise."""
        wanted = {"fault": name, "params": params or {}, "times": 1, **more}
        answer = self.http.post(f"{self.url}/_simulator/faults", json=wanted, timeout=10)
        assert answer.status_code == 201, answer.text


def soap(
    url: str, operation: str, arguments: str, session: str = "", path: str = "u"
) -> requests.Response:
    """One call of the SOAP API."""
    space = "urn:partner.soap.sforce.com"
    header = f"<SessionHeader xmlns='{space}'><sessionId>{session}</sessionId></SessionHeader>"
    body = (
        '<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<se:Header>{header}</se:Header><se:Body>"
        f'<{operation} xmlns="{space}">{arguments}</{operation}></se:Body></se:Envelope>'
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
    address = f"{url}/services/Soap/{path}/62.0"
    return requests.post(address, data=body.encode(), headers=headers, timeout=10)


def found_in(answer: requests.Response) -> dict[str, list[str]]:
    """The texts of a SOAP answer by element name."""
    found: dict[str, list[str]] = {}
    for each in ET.fromstring(answer.content).iter():
        if each.text:
            found.setdefault(each.tag.rpartition("}")[2], []).append(each.text)
    return found


@contextmanager
def writing(org: SalesforceOrg) -> Iterator[Writer]:
    """A transaction of the agent without HTTP around it."""
    user = org.user(org.credentials.agent.username)
    with org.store.transaction(user["Id"]) as transaction:
        yield Writer(transaction, RowFaults(org.board, [], None, CallState()), org.rulebook)


class Process:
    """A simulator started as `python -m simulator salesforce`."""

    def __init__(self, data: Path, port: int, tls_port: int, *more: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "simulator", "salesforce", "--data", str(data)]
        command += ["--port", str(port), "--tls-port", str(tls_port)]
        command += more or ("--pubsub-port", "0")
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603

    def credentials(self) -> dict[str, Any]:
        end = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                return dict(requests.get(f"{self.url}/_simulator/credentials", timeout=5).json())
            except requests.ConnectionError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def end(self, number: int) -> int:
        os.kill(self.process.pid, number)
        code = self.process.wait(timeout=5)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code
