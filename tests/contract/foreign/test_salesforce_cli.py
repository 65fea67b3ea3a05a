"""The Salesforce CLI, unmodified: signed in with an access token, over TLS."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .org import ROOT, Org

Sf = Callable[..., Any]
QUIET = {
    "SF_DISABLE_TELEMETRY": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
    "SF_USE_PROGRESS_BAR": "false",
    "NO_COLOR": "1",
}


class Cli:
    """The command, with a home of its own."""

    def __init__(self, modules: Path, home: Path, org: Org) -> None:
        self.home = home
        self._command = str(modules / ".bin" / "sf")
        self._env = {
            **{name: value for name, value in os.environ.items() if name[:3] not in {"SF_", "CI"}},
            **QUIET,
            "HOME": str(home),
            "NODE_EXTRA_CA_CERTS": org.credentials["ca_file"],
        }

    def __call__(self, *words: str, cwd: Path | None = None, **env: str) -> Any:
        """The `result` of a command that answers with status 0."""
        told = self.answer(*words, cwd=cwd, **env)
        assert told.get("status") == 0, json.dumps(told, ensure_ascii=False)[:2000]
        return told["result"]

    def answer(self, *words: str, cwd: Path | None = None, **env: str) -> dict[str, Any]:
        """What a command answers, well or not."""
        done = self.run(*words, "--json", cwd=cwd, **env)
        assert done.stdout.strip().startswith("{"), f"{done.stdout}\n{done.stderr}"
        return dict(json.loads(done.stdout))

    def run(self, *words: str, cwd: Path | None = None, **env: str) -> Any:
        """One command to its end."""
        return subprocess.run(
            [self._command, *words],
            cwd=cwd or self.home,
            env={**self._env, **env},
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="module")
def _signed_in(_running: Org, node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    cli = Cli(node_modules, tmp_path_factory.mktemp("home"), _running)
    _running.reset()
    known = _running.credentials
    words = ("org", "login", "access-token", "--instance-url", known["tls_url"], "--no-prompt")
    told = cli(*words, "--alias", "sim", "--set-default", SF_ACCESS_TOKEN=known["access_token"])
    assert told["orgId"] == known["organization_id"]
    return cli


@pytest.fixture
def sf(org: Org, _signed_in: Cli) -> Cli:  # noqa: ARG001
    """The signed-in CLI before an org at its start state."""
    return _signed_in


def test_knows_the_org_it_is_signed_in_to(sf: Cli, org: Org) -> None:
    told = sf("org", "display")
    assert told["connectedStatus"] == "Connected"
    assert told["username"] == org.credentials["username"]


def test_signs_in_with_a_jwt_assertion(sf: Cli, org: Org, tmp_path: Path) -> None:
    ours, key = org.credentials["integration"], tmp_path / "server.key"
    key.write_text(ours["private_key"])
    told = sf(
        *("org", "login", "jwt", "--client-id", ours["client_id"], "--jwt-key-file", str(key)),
        *("--username", ours["username"], "--instance-url", org.credentials["tls_url"]),
        SFDX_AUDIENCE_URL=org.credentials["tls_url"],
    )
    assert told["username"] == ours["username"]


def test_creates_reads_updates_and_deletes_a_record(sf: Cli) -> None:
    values = "LastName='王 小明' LINE_Key__c=k1"
    made = sf("data", "create", "record", "--sobject", "Contact", "--values", values)
    by_key = ("--sobject", "Contact", "--where", "LINE_Key__c=k1")
    sf("data", "update", "record", *by_key, "--values", "Title=經理")
    read = sf("data", "get", "record", *by_key)
    assert (read["Id"], read["LastName"], read["Title"]) == (made["id"], "王 小明", "經理")
    sf("data", "delete", "record", *by_key)
    assert sf("data", "query", "-q", "SELECT Id FROM Contact")["totalSize"] == 0


def test_an_error_keeps_its_code(sf: Cli) -> None:
    words = ("data", "create", "record", "--sobject", "Contact", "--values", "FirstName=x")
    told = sf.answer(*words)
    assert (told["status"], told["name"]) == (1, "REQUIRED_FIELD_MISSING")


def test_queries_with_parents_and_aggregates(sf: Cli) -> None:
    account = sf("data", "create", "record", "-s", "Account", "-v", "Name=A")["id"]
    values = f"LastName=x AccountId={account}"
    sf("data", "create", "record", "-s", "Contact", "-v", values)
    found = sf("data", "query", "-q", "SELECT LastName, Account.Name FROM Contact")["records"]
    assert [(row["LastName"], row["Account"]["Name"]) for row in found] == [("x", "A")]
    counted = sf("data", "query", "-q", "SELECT COUNT(Id) n FROM Contact")
    assert counted["records"][0]["n"] == 1


def test_writes_the_columns_of_a_query_as_csv(sf: Cli) -> None:
    text = "SELECT ProductCode, IsActive FROM Product2 ORDER BY ProductCode"
    done = sf.run("data", "query", "-q", text, "--result-format", "csv")
    assert list(csv.reader(done.stdout.splitlines())) == [
        ["ProductCode", "IsActive"],
        *([code, "true"] for code in ("AC-100", "AC-200", "WF-10")),
    ]


def test_describes_and_lists_objects(sf: Cli) -> None:
    described = sf("sobject", "describe", "--sobject", "Case")
    assert "SuppliedPhone" in {field["name"] for field in described["fields"]}
    assert {"Asset", "WorkOrder"} <= set(sf("sobject", "list"))


def test_sends_any_rest_call(sf: Cli, org: Org) -> None:
    path = "/services/data/v62.0/sobjects/Account/LINE_Key__c/k1"
    body = json.dumps({"Name": "A"})
    words = ("api", "request", "rest", path, "--method", "PATCH", "--body", body)
    done = sf.run(*words, "--header", "Content-Type: application/json")
    assert json.loads(done.stdout)["created"] is True, done.stderr
    assert [row["Name"] for row in org.rows("SELECT Name FROM Account")] == ["A"]


def test_queries_what_the_org_is_made_of(sf: Cli) -> None:
    text = "SELECT DeveloperName, TableEnumOrId FROM CustomField WHERE TableEnumOrId = 'Product2'"
    found = sf("data", "query", "--use-tooling-api", "-q", text)["records"]
    assert {row["DeveloperName"] for row in found} == {"LINE_Key", "Warranty_Months"}


def test_carries_a_tree_of_records_from_org_to_org(sf: Cli, org: Org, tmp_path: Path) -> None:
    account = sf("data", "create", "record", "-s", "Account", "-v", "Name=A")["id"]
    values = f"LastName=x AccountId={account}"
    sf("data", "create", "record", "-s", "Contact", "-v", values)
    text = "SELECT Name, (SELECT LastName FROM Contacts) FROM Account"
    sf("data", "export", "tree", "-q", text, "--plan", "--output-dir", str(tmp_path))
    org.reset()
    (plan,) = tmp_path.glob("*plan.json")
    sf("data", "import", "tree", "--plan", str(plan))
    found = org.rows("SELECT LastName, Account.Name FROM Contact")
    assert [(row["LastName"], row["Account"]["Name"]) for row in found] == [("x", "A")]


def test_loads_and_exports_in_bulk(sf: Cli, org: Org, tmp_path: Path) -> None:
    people, export = tmp_path / "people.csv", tmp_path / "export.csv"
    people.write_text('LastName,Title,LINE_Key__c\n王,"a, ""b""",k1\n李,,k2\n')
    contact = ("--sobject", "Contact", "--wait", "1")
    sf("data", "import", "bulk", *contact, "--file", str(people))
    people.write_text("LastName,LINE_Key__c\n陳,k1\n林,k3\n,k4\n")
    upsert = ("data", "upsert", "bulk", *contact, "--file", str(people))
    refused = sf.answer(*upsert, "--external-id", "LINE_Key__c")
    results = sf("data", "bulk", "results", "--job-id", refused["data"]["jobId"], cwd=tmp_path)
    assert (results["successfulRecords"], results["failedRecords"]) == (2, 1)
    failed = (tmp_path / results["failedFilePath"]).read_text()
    assert "REQUIRED_FIELD_MISSING" in failed and "k4" in failed
    text = "SELECT LastName, Title, Account.Name FROM Contact ORDER BY LINE_Key__c"
    written = ("--output-file", str(export), "--result-format", "csv", "--wait", "1")
    told = sf("data", "export", "bulk", "-q", text, *written)
    assert told["totalSize"] == 3
    assert list(csv.reader(export.read_text().splitlines())) == [
        ["LastName", "Title", "Account.Name"],
        *(["陳", 'a, "b"', ""], ["李", "", ""], ["林", "", ""]),
    ]


def test_deletes_in_bulk(sf: Cli, org: Org, tmp_path: Path) -> None:
    made = sf("data", "create", "record", "-s", "Contact", "-v", "LastName=x")["id"]
    file = tmp_path / "ids.csv"
    file.write_text(f"Id\n{made}\n")
    sf("data", "delete", "bulk", "--sobject", "Contact", "--wait", "1", "--file", str(file))
    assert org.rows("SELECT Id FROM Contact") == []


@pytest.mark.parametrize("rest", ["false", "true"], ids=["soap", "rest"])
def test_deploys_the_source_folder(sf: Cli, org: Org, tmp_path: Path, rest: str) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "salesforce", project)
    told = sf(
        *("project", "deploy", "start", "--source-dir", "force-app", "--target-org", "sim"),
        cwd=project,
        SF_ORG_METADATA_REST_DEPLOY=rest,
        SF_ORG_API_VERSION="62.0",
    )
    assert told["status"] == "Succeeded"
    assert told["numberComponentsDeployed"] == told["numberComponentsTotal"] > 18
    granted = org.rows("SELECT Id FROM ObjectPermissions WHERE Parent.Name = 'LINE_Connector'")
    assert len(granted) == 7


def test_gives_the_permission_set_to_the_integration_user(sf: Cli, org: Org) -> None:
    username = org.credentials["integration"]["username"]
    mine = f"SELECT Id FROM PermissionSetAssignment WHERE Assignee.Username = '{username}'"
    (row,) = org.rows(mine)
    sf("data", "delete", "record", "-s", "PermissionSetAssignment", "-i", row["Id"])
    told = sf("org", "assign", "permset", "--name", "LINE_Connector", "--on-behalf-of", username)
    assert [each["name"] for each in told["successes"]] == [username]
    assert len(org.rows(mine)) == 1
