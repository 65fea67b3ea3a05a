"""One-time codes by SMS."""

import json

import pytest

from connector.line.exchange import Timeout
from connector.line.sms import HttpSms, NoSms, SmsNotConfigured, SmsRefused, SmsUnavailable

PHONE, TEXT = "+886912345678", "驗證碼 123456"


@pytest.fixture
def sms(host):
    return HttpSms(f"{host.url}/sms", "hush", Timeout(1.0, 0.3))


def test_the_text_goes_to_the_gateway(host, sms, answers):
    host.on("/sms", answers(202, {"message_id": "1"}))
    sms.send(PHONE, TEXT)
    ((headers, body),) = host.asked("/sms")
    assert json.loads(body) == {"to": PHONE, "text": TEXT}
    assert headers["authorization"] == "Bearer hush"


@pytest.mark.parametrize(
    ("status", "error"), [(401, SmsRefused), (422, SmsRefused), (500, SmsUnavailable)]
)
def test_a_refusal_is_told_once_and_names_no_phone(host, sms, answers, status, error):
    host.on("/sms", answers(status, {"to": PHONE}))
    with pytest.raises(error) as refused:
        sms.send(PHONE, TEXT)
    assert len(host.asked("/sms")) == 1
    assert not any(word in str(refused.value) for word in (PHONE, "123456", "hush"))


def test_a_redirect_takes_no_token_elsewhere(host, sms, answers):
    host.on("/sms", answers(307, {}, Location=f"{host.url}/elsewhere"))
    with pytest.raises(SmsRefused):
        sms.send(PHONE, TEXT)
    assert host.asked("/elsewhere") == []


def test_what_may_have_left_is_never_sent_twice(host, sms, reset):
    for act in (reset, host.silent):
        host.on("/sms", act)
        with pytest.raises(SmsUnavailable):
            sms.send(PHONE, TEXT)
    assert len(host.asked("/sms")) == 2


def test_a_gateway_that_is_not_there_is_tried_a_few_times(nowhere, monkeypatch):
    sms, tries = HttpSms(f"{nowhere}/sms", "hush", Timeout(1.0, 0.3)), []
    post = sms._exchange.post_json

    def counted(*given):
        tries.append(given)
        return post(*given)

    monkeypatch.setattr(sms._exchange, "post_json", counted)
    with pytest.raises(SmsUnavailable):
        sms.send(PHONE, TEXT)
    assert len(tries) == 3


def test_without_a_gateway_it_says_so():
    with pytest.raises(SmsNotConfigured) as refused:
        NoSms().send(PHONE, TEXT)
    assert refused.value.code == "sms_not_configured"
    assert refused.value.fix
