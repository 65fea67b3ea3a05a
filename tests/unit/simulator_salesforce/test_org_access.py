"""Signing in, sessions, versions, and what every answer carries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from simulator.salesforce.accounts import JWT_BEARER

from .stage import Client


def sign_in(url: str, **form: str) -> requests.Response:
    return requests.post(f"{url}/services/oauth2/token", data=form, timeout=10)


def call_with(url: str, token: str) -> requests.Response:
    with Client(url, token) as client:
        return client.call("GET", "/limits")


def assertion(credentials: dict[str, Any], **claims: Any) -> str:
    app = credentials["integration"]
    known = {
        "iss": app["client_id"],
        "sub": app["username"],
        "aud": credentials["login_url"],
        "exp": int(time.time()) + 180,
    }
    return jwt.encode({**known, **claims}, app["private_key"], algorithm="RS256")


def test_a_jwt_assertion_signs_the_integration_user_in(
    url: str, credentials: dict[str, Any]
) -> None:
    answer = sign_in(url, grant_type=JWT_BEARER, assertion=assertion(credentials)).json()
    with Client(url, answer["access_token"]) as client:
        row = client.row("Lead", client.create("Lead", LastName="王", Company="-"))
    assert row["CreatedById"] == answer["id"].rpartition("/")[2]
    assert answer["instance_url"] == url
    assert answer["access_token"].startswith(credentials["organization_id"][:15] + "!")
    assert isinstance(answer["issued_at"], str)


def test_the_answer_is_signed_with_the_client_secret(url: str, credentials: dict[str, Any]) -> None:
    answer = sign_in(url, grant_type=JWT_BEARER, assertion=assertion(credentials)).json()
    secret = credentials["integration"]["client_secret"].encode()
    seal = hmac.new(secret, (answer["id"] + answer["issued_at"]).encode(), hashlib.sha256)
    assert answer["signature"] == base64.b64encode(seal.digest()).decode()


@pytest.mark.parametrize(
    ("claims", "description"),
    [
        ({"sub": "nobody@example.com"}, "user hasn't approved this consumer"),
        ({"aud": "https://elsewhere.example.com"}, "audience is invalid"),
        ({"exp": 1}, "invalid assertion"),
    ],
)
def test_a_wrong_assertion_is_an_invalid_grant(
    url: str, credentials: dict[str, Any], claims: dict[str, Any], description: str
) -> None:
    answer = sign_in(url, grant_type=JWT_BEARER, assertion=assertion(credentials, **claims))
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_grant", "error_description": description}


def test_an_assertion_of_another_key_is_refused(url: str, credentials: dict[str, Any]) -> None:
    good = assertion(credentials)
    forged = (
        f"{good.rpartition('.')[0]}.{base64.urlsafe_b64encode(b'x' * 256).decode().rstrip('=')}"
    )
    answer = sign_in(url, grant_type=JWT_BEARER, assertion=forged)
    assert answer.json()["error_description"] == "invalid assertion"


def test_client_credentials_work_in_the_form_and_as_basic(
    url: str, credentials: dict[str, Any]
) -> None:
    app = credentials["integration"]
    keys = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
    answer = sign_in(url, grant_type="client_credentials", **keys)
    assert answer.json()["api_instance_url"] == url
    basic = requests.post(
        f"{url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(keys["client_id"], keys["client_secret"]),
        timeout=10,
    )
    assert basic.status_code == 200


def test_the_agent_signs_in_with_password_and_security_token(
    url: str, credentials: dict[str, Any]
) -> None:
    form = {key: credentials[key] for key in ("client_id", "client_secret", "username")}
    right = credentials["password"] + credentials["security_token"]
    assert sign_in(url, grant_type="password", password=right, **form).status_code == 200
    wrong = sign_in(url, grant_type="password", password="wrong", **form)  # noqa: S106
    assert wrong.json()["error_description"] == "authentication failure"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "magic"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_id": "x"}, "invalid_client_id"),
        ({"grant_type": JWT_BEARER, "assertion": "x"}, "invalid_grant"),
    ],
)
def test_a_wrong_sign_in_names_its_error(url: str, form: dict[str, str], error: str) -> None:
    answer = sign_in(url, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_wrong_secret_is_an_invalid_client(url: str, credentials: dict[str, Any]) -> None:
    keys = {"client_id": credentials["client_id"], "client_secret": "wrong"}
    answer = sign_in(url, grant_type="client_credentials", **keys)
    assert answer.json()["error"] == "invalid_client"


def test_an_unknown_token_meets_the_recorded_refusal(url: str, agent: Client) -> None:
    answer = call_with(url, "x")
    assert answer.status_code == 401
    assert answer.json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]
    tampered = str(agent.http.headers["Authorization"]).removeprefix("Bearer ")[:-4] + "AAAA"
    assert call_with(url, tampered).status_code == 401


def test_the_old_scheme_is_accepted(agent: Client) -> None:
    token = str(agent.http.headers["Authorization"]).removeprefix("Bearer ")
    agent.http.headers["Authorization"] = f"OAuth {token}"
    assert agent.call("GET", "/limits").status_code == 200


def test_a_revoked_token_is_dead_and_the_agent_gets_another(
    url: str, credentials: dict[str, Any], agent: Client
) -> None:
    token = credentials["access_token"]
    answer = requests.post(f"{url}/services/oauth2/revoke", data={"token": token}, timeout=10)
    assert answer.status_code == 200
    assert agent.call("GET", "/limits").status_code == 401
    fresh = requests.get(f"{url}/_simulator/credentials", timeout=10).json()["access_token"]
    assert call_with(url, fresh).status_code == 200


def test_introspection_and_identity_tell_whose_token_it_is(
    url: str, credentials: dict[str, Any], agent: Client
) -> None:
    form = {key: credentials[key] for key in ("client_id", "client_secret")}
    form["token"] = credentials["access_token"]
    known = requests.post(f"{url}/services/oauth2/introspect", data=form, timeout=10).json()
    assert (known["active"], known["username"]) == (True, credentials["username"])
    identity = agent.http.get(known["sub"], timeout=10).json()
    assert identity["organization_id"] == credentials["organization_id"]
    assert agent.http.get(f"{url}/services/oauth2/userinfo", timeout=10).json()["name"] == "客服 林"


def test_versions_are_listed_without_signing_in(url: str) -> None:
    versions = requests.get(f"{url}/services/data/", timeout=10).json()
    assert versions[0]["version"] == "31.0"
    assert versions[-1] == {
        "label": "Spring '26",
        "url": "/services/data/v66.0",
        "version": "66.0",
    }


@pytest.mark.parametrize(
    ("version", "status"),
    [("v42.0", 200), ("v66.0", 200), ("v30.0", 410), ("v67.0", 404), ("x", 404)],
)
def test_versions_42_to_66_answer(agent: Client, version: str, status: int) -> None:
    assert agent.call("GET", "/limits", version=version).status_code == status


def test_every_answer_tells_the_usage(agent: Client) -> None:
    first, second = (agent.call("GET", "/sobjects/Nothing") for _ in range(2))
    assert first.headers["Sforce-Limit-Info"].startswith("api-usage=1/")
    assert second.headers["Sforce-Limit-Info"].startswith("api-usage=2/")
    limits = agent.call("GET", "/limits").json()["DailyApiRequests"]
    assert limits["Remaining"] == limits["Max"] - 2


def test_unknown_resources_methods_and_content_types_have_their_errors(agent: Client) -> None:
    assert agent.call("GET", "/nothing").json()[0]["errorCode"] == "NOT_FOUND"
    answer = agent.call("PATCH", "/sobjects/Lead", {})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")
    plain = agent.call("POST", "/sobjects/Lead", data="x", headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415
    broken = agent.call(
        "POST", "/sobjects/Lead", data="{", headers={"Content-Type": "application/json"}
    )
    assert broken.json()[0]["errorCode"] == "JSON_PARSER_ERROR"


def test_the_credential_files_are_for_the_owner_alone(credentials: dict[str, Any]) -> None:
    authority = Path(credentials["ca_file"])
    assert ssl.create_default_context(cafile=str(authority)).cert_store_stats()["x509_ca"] >= 1
    for name in ("credentials.json", "server-key.pem", "rows.jsonl"):
        assert (authority.parent / name).stat().st_mode & 0o077 == 0
