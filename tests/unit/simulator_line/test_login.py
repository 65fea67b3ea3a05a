"""LINE Login and LIFF, as servers and pages meet them."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from .stage import LIFF_ENDPOINT, TIMEOUT, Line, Receiver

LIFF = "/liff/1234567890-AbcdEfgh"


def verify(line: Line, **fields: str) -> requests.Response:
    return requests.post(f"{line.url}/oauth2/v2.1/verify", data=fields, timeout=TIMEOUT)


def id_token(line: Line, user: str, **wanted: Any) -> str:
    answer = line.post(f"/_simulator/users/{user}/id-token", wanted or None)
    return str(answer.json()["id_token"])


def opened(line: Line, path: str) -> tuple[str, dict[str, str]]:
    answer = line.get(path, allow_redirects=False)
    assert answer.status_code == 302
    target, _, fragment = answer.headers["location"].partition("#")
    return target, {name: values[0] for name, values in parse_qs(fragment).items()}


def test_an_id_token_is_verified_to_its_claims(line: Line) -> None:
    user, client = line.user("王小明"), line.account["login_channel_id"]
    claims = verify(line, id_token=id_token(line, user), client_id=client).json()
    assert claims["iss"] == "https://access.line.me"
    assert (claims["sub"], claims["aud"], claims["name"]) == (user, client, "王小明")
    assert claims["exp"] - claims["iat"] == 3600


def test_an_id_token_is_checked_with_the_published_keys(line: Line) -> None:
    user, client = line.user(), line.account["login_channel_id"]
    token = id_token(line, user)
    keys = jwt.PyJWKSet.from_dict(line.get("/oauth2/v2.1/certs").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=client)
    assert claims["sub"] == user


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"client_id": "1"}, "Invalid IdToken Audience."),
        ({"id_token": "nonsense"}, "Invalid IdToken."),
        ({"nonce": "n"}, "Invalid IdToken Nonce."),
        ({"user_id": "U0"}, "Invalid IdToken Subject Identifier."),
    ],
)
def test_a_bad_id_token_is_refused_with_lines_text(
    line: Line, fields: dict[str, str], text: str
) -> None:
    good = {"id_token": id_token(line, line.user()), "client_id": line.account["login_channel_id"]}
    answer = verify(line, **{**good, **fields})
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_request", "error_description": text}


def test_an_expired_id_token_is_refused(line: Line) -> None:
    token = id_token(line, line.user(), expires_in=-1)
    answer = verify(line, id_token=token, client_id=line.account["login_channel_id"])
    assert answer.json()["error_description"] == "IdToken expired."


def test_a_liff_address_leads_to_our_page_with_its_state(line: Line) -> None:
    user = line.user()
    target, handed = opened(line, f"{LIFF}/repair?registration=r1&user={user}&from=chat")
    assert target.startswith(LIFF_ENDPOINT + "?")
    query = parse_qs(urlsplit(target).query)
    assert query == {"liff.state": ["/repair?registration=r1"]}
    assert '"type":"utou"' in handed["context"]
    client = line.account["login_channel_id"]
    assert verify(line, id_token=handed["id_token"], client_id=client).json()["sub"] == user


def test_a_liff_address_without_a_path_has_no_state(line: Line) -> None:
    target, handed = opened(line, f"{LIFF}?user={line.user()}")
    assert target == LIFF_ENDPOINT
    assert '"type":"external"' in handed["context"]


def test_the_phones_cookie_names_the_user(line: Line) -> None:
    user = line.user()
    answer = line.get(f"{LIFF}/bind", cookies={"sim_user": user}, allow_redirects=False)
    assert answer.status_code == 302


def test_without_a_user_the_stand_in_asks(line: Line) -> None:
    line.user("王小明")
    answer = line.get(f"{LIFF}/bind")
    assert answer.status_code == 200
    assert "王小明" in answer.text
    assert "user=U" in answer.text


def test_login_comes_back_only_under_the_endpoint(line: Line) -> None:
    user = line.user()
    target, _ = opened(line, f"{LIFF}?user={user}&redirect_uri={LIFF_ENDPOINT}/bind")
    assert target == f"{LIFF_ENDPOINT}/bind"
    for bad in ("https://evil.example/liff", "http://127.0.0.1:8400.evil.example/"):
        assert line.get(f"{LIFF}?user={user}&redirect_uri={bad}").status_code == 400


def test_an_access_token_shows_profile_and_friendship(line: Line) -> None:
    user = line.user("王小明")
    _, handed = opened(line, f"{LIFF}?user={user}")
    headers = {"Authorization": f"Bearer {handed['access_token']}"}
    assert line.get("/v2/profile", headers=headers).json()["displayName"] == "王小明"
    assert line.get("/friendship/v1/status", headers=headers).json() == {"friendFlag": True}
    assert line.get("/oauth2/v2.1/userinfo", headers=headers).json()["sub"] == user
    facts = line.get(f"/oauth2/v2.1/verify?access_token={handed['access_token']}").json()
    assert facts["client_id"] == line.account["login_channel_id"]
    assert facts["expires_in"] > 0


def test_a_liff_token_is_no_channel_token(line: Line) -> None:
    _, handed = opened(line, f"{LIFF}?user={line.user()}")
    headers = {"Authorization": f"Bearer {handed['access_token']}"}
    assert line.get("/v2/bot/info", headers=headers).status_code == 401


def test_a_page_opened_from_a_chat_may_speak_there(line: Line, receiver: Receiver) -> None:
    user = line.user()
    _, handed = opened(line, f"{LIFF}?user={user}&from=chat")
    headers = {"Authorization": f"Bearer {handed['access_token']}"}
    body = {"messages": [{"type": "text", "text": "我已送出報修"}]}
    assert line.post("/liff/messages", body, headers=headers).status_code == 200
    (item,) = line.chat(user)
    assert (item["direction"], item["text"]) == ("in", "我已送出報修")
    assert line.happens(user, type="message", text="next")["deliveries"]
    said = next(event for event in receiver.heard(3)[1:] if event["message"]["text"] != "next")
    assert said["message"]["text"] == "我已送出報修"
    assert line.reply(said["replyToken"]).status_code == 200


def test_a_page_opened_elsewhere_may_not(line: Line) -> None:
    _, handed = opened(line, f"{LIFF}?user={line.user()}")
    headers = {"Authorization": f"Bearer {handed['access_token']}"}
    body = {"messages": [{"type": "text", "text": "x"}]}
    assert line.post("/liff/messages", body, headers=headers).status_code == 403


def test_our_pages_may_call_across_origins(line: Line) -> None:
    origin = {"Origin": "http://127.0.0.1:8400"}
    answer = line.get("/v2/profile", headers=origin)
    assert answer.headers["access-control-allow-origin"] == origin["Origin"]
    foreign = line.get("/v2/profile", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers


def test_a_short_lived_token_can_be_verified_and_revoked(line: Line) -> None:
    fields = {
        "grant_type": "client_credentials",
        "client_id": line.account["channel_id"],
        "client_secret": line.account["channel_secret"],
    }
    answer = requests.post(f"{line.url}/v2/oauth/accessToken", data=fields, timeout=TIMEOUT)
    token = {"access_token": answer.json()["access_token"]}
    assert answer.json()["expires_in"] == 30 * 24 * 3600
    verified = requests.post(f"{line.url}/v2/oauth/verify", data=token, timeout=TIMEOUT)
    assert verified.json()["client_id"] == line.account["channel_id"]
    requests.post(f"{line.url}/v2/oauth/revoke", data=token, timeout=TIMEOUT)
    again = requests.post(f"{line.url}/v2/oauth/verify", data=token, timeout=TIMEOUT)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "0"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_token_needs_the_right_client(line: Line, change: dict[str, str], error: str) -> None:
    fields = {
        "grant_type": "client_credentials",
        "client_id": line.account["channel_id"],
        "client_secret": line.account["channel_secret"],
        **change,
    }
    answer = requests.post(f"{line.url}/oauth2/v3/token", data=fields, timeout=TIMEOUT)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
