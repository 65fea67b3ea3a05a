"""ID tokens are verified by LINE, each once."""

import threading
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from json import dumps
from urllib.parse import parse_qs

import pytest

from connector.line.accounts import LineHosts
from connector.line.exchange import Timeout
from connector.line.identity import (
    IdTokenVerifier,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    VerifierUnavailable,
)

PATH = "/oauth2/v2.1/verify"
START = datetime(2026, 1, 31, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def claims(**other):
    expires = int(START.timestamp()) + 3600
    return {"sub": "Uann", "aud": "login-shop", "exp": expires, "name": "安", **other}


def token(**other):
    body = urlsafe_b64encode(dumps(claims(**other)).encode()).decode().rstrip("=")
    return f"head.{body}.seal"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def verifier(host, account, clock):
    return IdTokenVerifier([account], LineHosts(host.url), clock, Timeout(1.0, 0.3))


def test_line_says_who_it_is(host, verifier, account, answers):
    host.on(PATH, answers(200, claims()))
    found = verifier.verify(token())
    assert (found.provider_id, found.user_id, found.name) == ("1", "Uann", "安")
    assert found.account is account
    assert found.expires_at == START + timedelta(hours=1)
    ((_, body),) = host.asked(PATH)
    assert parse_qs(body.decode()) == {"id_token": [token()], "client_id": ["login-shop"]}


def test_a_token_is_verified_once_and_ends_with_its_hour(host, verifier, clock, answers):
    host.on(PATH, answers(200, claims()))
    first = verifier.verify(token())
    clock.now += timedelta(minutes=59)
    assert verifier.verify(token()) is first
    clock.now += timedelta(minutes=1)
    with pytest.raises(TokenExpired):
        verifier.verify(token())
    assert len(host.asked(PATH)) == 1


def test_who_asks_meanwhile_shares_the_answer(host, verifier, answers):
    gate = threading.Event()

    def slowly(connection):
        gate.wait(5)
        answers(200, claims())(connection)

    host.on(PATH, slowly)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(verifier.verify(token()))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(5)
    assert len(found) == 6
    assert len(host.asked(PATH)) == 1


def test_the_account_is_the_one_the_token_is_for(host, account, new_account, clock, answers):
    other = new_account("other", provider_id="2")
    host.on(PATH, answers(200, claims(aud="login-other")))
    verifier = IdTokenVerifier([account, other], LineHosts(host.url), clock)
    found = verifier.verify(token(aud="login-other"))
    assert (found.account, found.provider_id) == (other, "2")


def test_no_token_is_missing(verifier):
    with pytest.raises(TokenMissing) as refused:
        verifier.verify("")
    assert refused.value.code == "token_missing"


@pytest.mark.parametrize(
    "junk",
    [
        "x",
        "a.b",
        "a.b.c.d",
        "a.!!.c",
        "a.W10.c",
        "你.好.嗎",
        "a.\udcff.c",
        token(name="x" * 9000),
        token() + "\udcff",
    ],
)
def test_junk_is_refused_without_asking_line(host, verifier, junk):
    with pytest.raises(TokenInvalid) as refused:
        verifier.verify(junk)
    assert refused.value.code == "token_invalid"
    assert host.asked(PATH) == []


@pytest.mark.parametrize("audience", ["login-stranger", None, ["login-shop"]])
def test_a_token_for_others_is_refused_without_asking_line(host, verifier, audience):
    with pytest.raises(TokenInvalid):
        verifier.verify(token(aud=audience))
    assert host.asked(PATH) == []


def test_a_token_past_its_end_is_expired_without_asking_line(host, verifier):
    with pytest.raises(TokenExpired) as refused:
        verifier.verify(token(exp=int(START.timestamp())))
    assert refused.value.code == "token_expired"
    assert host.asked(PATH) == []


def test_the_end_that_line_names_counts(host, verifier, answers):
    host.on(PATH, answers(200, claims(exp=int(START.timestamp()))))
    with pytest.raises(TokenExpired):
        verifier.verify(token(exp=None))


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("IdToken expired.", TokenExpired),
        ("Invalid IdToken.", TokenInvalid),
        ("Invalid IdToken Audience.", TokenInvalid),
    ],
)
def test_what_line_refuses_is_refused_and_not_kept(host, verifier, answers, said, error):
    host.on(PATH, answers(400, {"error": "invalid_request", "error_description": said}))
    for _ in range(2):
        with pytest.raises(error):
            verifier.verify(token())
    assert len(host.asked(PATH)) == 2


@pytest.mark.parametrize("odd", [{"aud": "other"}, {"sub": ""}, {"sub": None}, {"exp": None}])
def test_an_answer_for_someone_else_is_refused(host, verifier, answers, odd):
    host.on(PATH, answers(200, claims(**odd)))
    with pytest.raises(TokenInvalid):
        verifier.verify(token())


def test_a_short_failure_of_line_is_not_noticed(host, verifier, answers, reset):
    host.on(PATH, answers(500), reset, answers(200, claims()))
    assert verifier.verify(token()).user_id == "Uann"


def test_a_longer_failure_asks_to_try_later(host, verifier, answers):
    host.on(PATH, answers(429, {"message": "slow down"}))
    with pytest.raises(VerifierUnavailable) as refused:
        verifier.verify(token())
    assert (refused.value.code, refused.value.retry_after) == ("try_later", 5)
    assert len(host.asked(PATH)) == 3
    assert token() not in str(refused.value)


def test_the_identities_kept_are_bounded(host, verifier, answers):
    host.on(PATH, answers(200, claims()))
    verifier._kept._most = 2
    for mark in ("a", "b", "a", "c", "a", "b"):
        verifier.verify(f"{mark}.{token().split('.', 1)[1]}")
    assert len(host.asked(PATH)) == 4  # a, b, c, and b again: a was used in between
