"""What LINE's refusals mean and what is done about them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from connector.domain.faults import FaultKind, GiveUp, Park, Pause, RetryAt
from connector.line.exchange import NoAnswer, read_answer
from connector.line.faults import RETRY_KEY_LIFE, Call, fault_of, fault_of_silence, policy

NOW = datetime(2026, 1, 31, tzinfo=UTC)
QUOTA = "You have reached your monthly limit."
RATE = "The API rate limit has been exceeded. Try again later."


def refusal(call, status, message="", headers=None, **body):
    data = json.dumps({"message": message, **body})
    return fault_of(call, read_answer(status, headers or {}, data))


@pytest.mark.parametrize(
    ("call", "status", "message", "kind", "code", "org_wide"),
    [
        (Call.REPLY, 400, "Invalid reply token", FaultKind.DATA, "invalid_reply_token", False),
        (Call.PUSH, 400, "Failed to send messages", FaultKind.DATA, "unknown_recipient", False),
        (Call.PUSH, 400, "The request body has 1 error(s)", FaultKind.DATA, "refused", False),
        (Call.PUSH, 401, "Authentication failed", FaultKind.CONFIG, "unauthorized", True),
        (Call.PUSH, 403, "not available", FaultKind.CONFIG, "forbidden", False),
        (Call.PUSH, 429, QUOTA, FaultKind.WAIT, "quota", True),
        (Call.PUSH, 429, RATE, FaultKind.RETRY, "rate_limited", False),
        (Call.PUSH, 413, "Payload Too Large", FaultKind.DATA, "refused", False),
        (Call.PUSH, 500, "", FaultKind.RETRY, "line_unavailable", False),
        (Call.REPLY, 500, "", FaultKind.UNKNOWN, "reply_unknown", False),
        (Call.REPLY, 408, "", FaultKind.UNKNOWN, "reply_unknown", False),
        (Call.ASK, 503, "", FaultKind.RETRY, "line_unavailable", False),
        (Call.SIGN_IN, 400, "", FaultKind.CONFIG, "sign_in_refused", True),
        (Call.PUSH, 302, "", FaultKind.CONFIG, "unexpected_answer", True),
    ],
)
def test_the_table(call, status, message, kind, code, org_wide):
    fault = refusal(call, status, message)
    assert (fault.kind, fault.code, fault.org_wide) == (kind, code, org_wide)
    assert fault.message == f"{status} {message}".rstrip() or not message


def test_every_fault_a_person_must_mend_has_a_next_step():
    for status, message in ((400, "x"), (401, ""), (403, ""), (413, ""), (429, QUOTA), (302, "")):
        assert refusal(Call.PUSH, status, message).next_step


def test_details_name_their_fields():
    details = [{"message": "May not be empty", "property": "messages[0].text"}, "odd", {}]
    fault = refusal(Call.PUSH, 400, "The request body has 1 error(s)", details=details)
    assert fault.fields == ("messages[0].text",)
    assert "messages[0].text: May not be empty" in fault.message


def test_a_page_of_a_gateway_is_quoted_in_short():
    fault = fault_of(Call.PUSH, read_answer(502, {}, b"<html>\xff" + b"x" * 9000))
    assert fault.kind is FaultKind.RETRY
    assert len(fault.message) < 600


@pytest.mark.parametrize("call", list(Call))
def test_what_never_left_may_be_sent_again(call):
    assert fault_of_silence(call, NoAnswer("refused", left=False)).kind is FaultKind.RETRY


def test_a_send_without_an_answer_is_of_unknown_outcome():
    kinds = {call: fault_of_silence(call, NoAnswer("reset", left=True)).kind for call in Call}
    assert kinds == {
        Call.REPLY: FaultKind.UNKNOWN,
        Call.PUSH: FaultKind.UNKNOWN,
        Call.ASK: FaultKind.RETRY,
        Call.SIGN_IN: FaultKind.RETRY,
    }


def test_pushes_are_tried_longer_each_time_and_end_within_the_life_of_their_key():
    fault = refusal(Call.PUSH, 500)
    at, attempt = NOW, 1
    while isinstance(decision := policy(fault, attempt, at), RetryAt):
        assert timedelta(0) < decision.at - at <= timedelta(minutes=30)
        at, attempt = decision.at, attempt + 1
    assert isinstance(decision, GiveUp)
    assert attempt > 10
    assert at - NOW < RETRY_KEY_LIFE / 2


def test_jitter_takes_at_most_half_of_the_delay():
    fault = refusal(Call.PUSH, 500)
    assert policy(fault, 3, NOW, 0.0) == RetryAt(NOW + timedelta(seconds=4))
    assert policy(fault, 3, NOW, 1.0) == RetryAt(NOW + timedelta(seconds=8))


def test_a_wait_that_line_names_is_kept():
    fault = refusal(Call.PUSH, 429, RATE, {"Retry-After": "90"})
    assert policy(fault, 1, NOW) == RetryAt(NOW + timedelta(seconds=90))


def test_a_push_of_unknown_outcome_is_sent_again_with_its_key():
    fault = fault_of_silence(Call.PUSH, NoAnswer("reset", left=True))
    assert isinstance(policy(fault, 1, NOW), RetryAt)


def test_a_reply_of_unknown_outcome_is_tried_once_more_then_left_uncertain():
    fault = fault_of_silence(Call.REPLY, NoAnswer("reset", left=True))
    assert policy(fault, 1, NOW) == RetryAt(NOW + timedelta(seconds=1))
    assert isinstance(policy(fault, 2, NOW, doubtful=True), GiveUp)
    assert isinstance(policy(fault, 99, NOW), GiveUp)


def test_a_used_up_token_means_push_at_once_unless_an_earlier_try_may_have_used_it():
    fault = refusal(Call.REPLY, 400, "Invalid reply token")
    assert policy(fault, 1, NOW) == RetryAt(NOW)
    assert isinstance(policy(fault, 2, NOW, doubtful=True), GiveUp)


def test_what_stops_the_whole_account_pauses_it():
    decision = policy(refusal(Call.PUSH, 429, QUOTA), 1, NOW)
    assert isinstance(decision, Pause)
    assert decision.until == NOW + timedelta(hours=1)
    assert isinstance(policy(refusal(Call.PUSH, 401), 50, NOW), Pause)


def test_what_is_wrong_with_one_message_parks_it():
    decision = policy(refusal(Call.PUSH, 400, "The request body has 1 error(s)"), 1, NOW)
    assert isinstance(decision, Park)
    assert decision.next_step
