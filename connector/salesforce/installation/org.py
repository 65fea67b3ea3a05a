"""The calls of an installation: deployments, the user's id, an assignment.

Metadata REST resource `deployRequest` (Metadata API Developer Guide, "Deploying Metadata with
REST"), Tooling API and sObject rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import requests

from connector.salesforce.access import OrgAccess
from connector.salesforce.faults import CallFailed, fault_of, faults_of
from connector.salesforce.installation.content import FIELDS
from connector.salesforce.session import OrgSession

_OPTIONS: Mapping[str, Any] = {
    "allowMissingFiles": False,
    "autoUpdatePackage": False,
    "checkOnly": False,
    "ignoreWarnings": True,
    "performRetrieve": False,
    "purgeOnDelete": False,
    "rollbackOnError": True,
    "runTests": None,
    "singlePackage": True,
    "testLevel": "NoTestRun",
}


@dataclass(frozen=True)
class Failure:
    """A component that the org refused."""

    component: str
    problem: str


@dataclass(frozen=True)
class Progress:
    """How far a deployment is; `status` in the words of the Metadata API."""

    id: str
    status: str
    done: bool
    success: bool
    deployed: int
    total: int
    message: str
    failures: tuple[Failure, ...]


class InstallingOrg:
    """One org, entered to install in it."""

    def __init__(self, access: OrgAccess) -> None:
        self._access = access
        self._session = OrgSession(access)

    def deploy(self, package: bytes) -> Progress:
        """Hand over a package; the org works on it after the answer."""
        options = json.dumps({"deployOptions": _OPTIONS})
        parts = {
            "json": (None, options, "application/json"),
            "file": ("deploy.zip", package, "application/zip"),
        }
        return _progress(self._call("POST", self._data("metadata/deployRequest"), files=parts))

    def progress(self, deployment_id: str) -> Progress:
        """How far a deployment is."""
        path = self._data(f"metadata/deployRequest/{deployment_id}")
        return _progress(self._call("GET", path, params={"includeDetails": "true"}))

    def custom_fields(self) -> frozenset[str]:
        """Those of our fields that exist, seen or not, as lower-cased `object.field`."""
        names = ", ".join(
            f"'{name}'" for name in sorted({field.name.removesuffix("__c") for field in FIELDS})
        )
        soql = (
            f"SELECT DeveloperName, TableEnumOrId FROM CustomField WHERE DeveloperName IN ({names})"
        )
        found = self._call("GET", self._data("tooling/query"), params={"q": soql})
        return frozenset(
            f"{row['TableEnumOrId']}.{row['DeveloperName']}__c".lower() for row in found["records"]
        )

    def user_id(self) -> str:
        """The user that we are signed in as."""
        return str(self._call("GET", "services/oauth2/userinfo")["user_id"])

    def assign(self, permission_set_id: str) -> None:
        """Give a permission set to our user."""
        row = {"AssigneeId": self.user_id(), "PermissionSetId": permission_set_id}
        self._call("POST", self._data("sobjects/PermissionSetAssignment"), json=row)

    def close(self) -> None:
        """Let go of the pooled connections."""
        self._session.close()

    def _data(self, path: str) -> str:
        return f"services/data/v{self._access.api_version}/{path}"

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        netloc = urlsplit(self._session.grant().instance_url).netloc
        try:
            answer = self._session.request(method, f"https://{netloc}/{path}", **more)
        except requests.exceptions.RequestException as error:
            message = f"No answer from Salesforce ({type(error).__name__})."
            raise CallFailed(fault_of("ANSWER_LOST", message)) from None
        if not answer.ok:
            raise CallFailed(faults_of(_read(answer), answer.status_code)[0])
        return cast("dict[str, Any]", _read(answer))


def _progress(answer: Mapping[str, Any]) -> Progress:
    result = answer["deployResult"]
    failed = (result.get("details") or {}).get("componentFailures") or []
    return Progress(
        id=answer["id"],
        status=result["status"],
        done=bool(result["done"]),
        success=bool(result["success"]),
        deployed=int(result.get("numberComponentsDeployed") or 0),
        total=int(result.get("numberComponentsTotal") or 0),
        message=str(result.get("errorMessage") or ""),
        failures=tuple(
            Failure(str(each.get("fullName") or ""), str(each.get("problem") or ""))
            for each in (failed if isinstance(failed, list) else [failed])
            if each.get("problemType") != "Warning"
        ),
    )


def _read(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text
