"""Channel access tokens are fetched once and kept."""

import threading

import pytest

from connector.domain.faults import FaultKind
from connector.line.accounts import LineHosts
from connector.line.exchange import Exchange, Timeout
from connector.line.faults import LineRefused
from connector.line.tokens import ChannelTokens

PATH = "/oauth2/v3/token"


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def tokens(host, seconds):
    return ChannelTokens(LineHosts(host.url), Exchange(Timeout(1.0, 0.3)), seconds)


def issued(answers, value, life=900):
    return answers(200, {"access_token": value, "expires_in": life, "token_type": "Bearer"})


def test_a_token_is_kept_for_thirteen_minutes(host, tokens, seconds, account, answers):
    host.on(PATH, issued(answers, "T1"), issued(answers, "T2"))
    assert tokens.current(account) == "T1"
    seconds.now = 779
    assert tokens.current(account) == "T1"
    seconds.now = 780
    assert tokens.current(account) == "T2"
    assert len(host.asked(PATH)) == 2


def test_the_request_is_the_stateless_one(host, tokens, account):
    tokens.current(account)
    ((headers, body),) = host.asked(PATH)
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert body == (
        b"grant_type=client_credentials&client_id=channel-shop&client_secret=secret-shop"
    )


def test_each_account_has_its_own(host, tokens, new_account, answers):
    host.on(PATH, issued(answers, "T1"), issued(answers, "T2"))
    first, second = new_account("first"), new_account("second")
    assert [tokens.current(one) for one in (first, second, first)] == ["T1", "T2", "T1"]


def test_threads_that_need_one_at_once_share_one_request(host, tokens, account, answers):
    gate = threading.Event()

    def slowly(connection):
        gate.wait(5)
        issued(answers, "T1")(connection)

    host.on(PATH, slowly)
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(tokens.current(account))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(5)
    assert got == ["T1"] * 8
    assert len(host.asked(PATH)) == 1


def test_only_the_refused_token_is_forgotten(host, tokens, account, answers):
    host.on(PATH, issued(answers, "T1"), issued(answers, "T2"))
    tokens.current(account)
    tokens.forget(account, "another")
    assert tokens.current(account) == "T1"
    tokens.forget(account, "T1")
    assert tokens.current(account) == "T2"


def test_wrong_credentials_are_for_an_admin(host, tokens, account, answers):
    host.on(PATH, answers(400, {"error": "invalid_client", "error_description": "no channel"}))
    with pytest.raises(LineRefused) as refused:
        tokens.current(account)
    fault = refused.value.fault
    assert (fault.kind, fault.code, fault.org_wide) == (FaultKind.CONFIG, "sign_in_refused", True)
    assert "invalid_client; no channel" in fault.message
    assert "secret-shop" not in f"{refused.value} {fault}"


@pytest.mark.parametrize("body", [{}, "<html>", {"access_token": 7}, {"access_token": ""}])
def test_a_success_without_a_token_is_no_token(host, tokens, account, answers, body):
    host.on(PATH, answers(200, body))
    with pytest.raises(LineRefused) as refused:
        tokens.current(account)
    assert refused.value.fault.code == "unexpected_answer"


def test_a_broken_connection_may_be_tried_again(host, tokens, account, reset):
    host.on(PATH, reset)
    with pytest.raises(LineRefused) as refused:
        tokens.current(account)
    assert refused.value.fault.kind is FaultKind.RETRY
