"""The ways in that need a person or an old client: approval pages, refresh tokens, SOAP."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
import requests

from .stage import Client, soap

PLACE = "http://localhost:1717/OauthRedirect"


def sign_in(url: str, **form: str) -> requests.Response:
    return requests.post(f"{url}/services/oauth2/token", data=form, timeout=10)


def approve(url: str, client_id: str, answer: str = "allow", **more: str) -> dict[str, str]:
    asked = {"response_type": "code", "client_id": client_id, "redirect_uri": PLACE, "state": "s1"}
    page = requests.get(f"{url}/services/oauth2/authorize", params={**asked, **more}, timeout=10)
    assert "Allow access?" in page.text
    sent = requests.post(
        f"{url}/services/oauth2/authorize",
        data={**asked, **more, "answer": answer},
        allow_redirects=False,
        timeout=10,
    )
    assert sent.status_code == 302
    told = parse_qs(urlsplit(sent.headers["Location"]).query)
    return {name: values[0] for name, values in told.items()}


def redeem(url: str, app: dict[str, Any], code: str, **more: str) -> requests.Response:
    known = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": PLACE, **known}
    return sign_in(url, **{**form, **more})


def test_an_approved_app_gets_a_session_of_the_agent(url: str, credentials: dict[str, Any]) -> None:
    told = approve(url, credentials["client_id"])
    assert told["state"] == "s1"
    answer = redeem(url, credentials, told["code"]).json()
    with Client(url, answer["access_token"]) as client:
        assert client.call("GET", "/limits").status_code == 200
    assert answer["refresh_token"]


def test_a_code_works_once_and_only_for_its_app(url: str, credentials: dict[str, Any]) -> None:
    code = approve(url, credentials["client_id"])["code"]
    other = credentials["integration"]
    assert redeem(url, other, code).json()["error"] == "invalid_grant"
    code = approve(url, credentials["client_id"])["code"]
    assert redeem(url, credentials, code).status_code == 200
    assert (
        redeem(url, credentials, code).json()["error_description"] == "invalid authorization code"
    )


def test_a_code_bound_to_a_verifier_needs_it(url: str, credentials: dict[str, Any]) -> None:
    verifier = "v" * 43
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    for given, status in (("wrong", 400), (verifier, 200)):
        code = approve(url, credentials["client_id"], code_challenge=challenge)["code"]
        assert redeem(url, credentials, code, code_verifier=given).status_code == status


def test_a_denied_app_hears_so(url: str, credentials: dict[str, Any]) -> None:
    assert approve(url, credentials["client_id"], "deny")["error"] == "access_denied"


def test_codes_go_to_loopback_and_https_only(url: str, credentials: dict[str, Any]) -> None:
    asked = {"client_id": credentials["client_id"], "redirect_uri": "http://evil.example.com/"}
    page = requests.get(f"{url}/services/oauth2/authorize", params=asked, timeout=10)
    assert page.status_code == 400
    assert "redirect_uri_mismatch" in page.text


def test_a_refresh_token_gives_new_sessions_until_it_is_revoked(
    url: str, credentials: dict[str, Any]
) -> None:
    app = credentials["client_id"]
    code = approve(url, app)["code"]
    token = redeem(url, credentials, code).json()["refresh_token"]
    for _ in range(2):
        answer = sign_in(url, grant_type="refresh_token", refresh_token=token, client_id=app)
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()
    revoked = requests.post(f"{url}/services/oauth2/revoke", data={"token": token}, timeout=10)
    assert revoked.status_code == 200
    answer = sign_in(url, grant_type="refresh_token", refresh_token=token, client_id=app)
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "expired access/refresh token",
    }


def test_rotation_makes_each_refresh_token_single_use(
    agent: Client, url: str, credentials: dict[str, Any]
) -> None:
    agent.switch(rotate_refresh_tokens=True)
    app = credentials["client_id"]
    token = redeem(url, credentials, approve(url, app)["code"]).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": app}
    following = sign_in(url, refresh_token=token, **form).json()["refresh_token"]
    assert sign_in(url, refresh_token=token, **form).status_code == 400
    assert sign_in(url, refresh_token=following, **form).status_code == 200


def test_the_command_line_app_needs_no_secret(url: str) -> None:
    code = approve(url, "PlatformCLI")["code"]
    form = {"grant_type": "authorization_code", "client_id": "PlatformCLI", "redirect_uri": PLACE}
    assert sign_in(url, code=code, **form).status_code == 200


def test_a_session_ends_after_the_time_the_org_is_set_to(
    agent: Client, credentials: dict[str, Any]
) -> None:
    agent.switch(session_seconds=0)
    answer = agent.call("GET", "/limits")
    assert answer.status_code == 401
    assert answer.json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]


def test_the_identity_has_the_recorded_keys(
    url: str, credentials: dict[str, Any], contracts: Path
) -> None:
    recorded = json.loads((contracts / "oauth/identity.swiftlysalesforce.json").read_text())
    token = {"access_token": credentials["access_token"]}
    user = requests.get(f"{url}/services/oauth2/userinfo", params=token, timeout=10).json()
    shown = requests.get(user["sub"], params=token, timeout=10).json()
    assert shown.keys() == recorded.keys()
    assert shown["urls"].keys() == recorded["urls"].keys()
    assert shown["utcOffset"] == 28_800_000


def test_soap_login_answers_as_recorded(
    url: str, credentials: dict[str, Any], contracts: Path
) -> None:
    recorded = _recorded_login(contracts)
    username, password = credentials["username"], credentials["password"]
    given = f"<username>{username}</username><password>{password}</password>"
    answer = soap(url, "login", given)
    assert answer.status_code == 200
    assert _shape(ET.fromstring(answer.content)) == _shape(ET.fromstring(recorded))


def test_a_soap_session_is_one_of_the_rest_api(url: str, credentials: dict[str, Any]) -> None:
    password = credentials["password"] + credentials["security_token"]
    given = f"<username>{credentials['username']}</username><password>{password}</password>"
    result = ET.fromstring(soap(url, "login", given).content)
    found = {each.tag.rpartition("}")[2]: each.text for each in result.iter()}
    assert found["serverUrl"].startswith(f"{url}/services/Soap/u/62.0/00D")
    with Client(url, found["sessionId"]) as client:
        assert client.call("GET", "/limits").status_code == 200


@pytest.mark.parametrize("path", ["u", "c"])
def test_a_wrong_soap_login_is_a_fault(url: str, path: str) -> None:
    answer = soap(url, "login", "<username>x</username><password>y</password>", path=path)
    assert answer.status_code == 500
    assert "<faultcode>sf:INVALID_LOGIN</faultcode>" in answer.text
    assert "<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>" in answer.text


def test_soap_without_a_session_is_a_fault(url: str) -> None:
    assert "INVALID_SESSION_ID" in soap(url, "getUserInfo", "", session="x").text


def test_soap_that_is_no_envelope_is_a_fault(url: str) -> None:
    answer = requests.post(f"{url}/services/Soap/u/62.0", data="<!DOCTYPE x>", timeout=10)
    assert answer.status_code == 500


def _recorded_login(contracts: Path) -> str:
    for path in sorted((contracts / "exchanges").glob("grouparoo.*")):
        for exchange in json.loads(path.read_text())["exchanges"]:
            if "/Soap/" in exchange["request"].get("path", ""):
                return str(exchange["response"]["body"])
    pytest.fail("no recorded login")


def _shape(element: ET.Element) -> list[Any]:
    return [element.tag, *(_shape(each) for each in element)]
