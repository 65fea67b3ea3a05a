"""Single exchanges: sign-in, headers, refresh, silence, and what each becomes."""

import json
from datetime import UTC, datetime

import jwt
import pytest
import requests
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connector.domain.faults import FaultKind
from connector.salesforce.access import OrgAccess
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.steps import Query, RowOk, Rows, StepFailed, Upsert

LOGIN = "https://acme.my.salesforce.com"
TOKEN = f"{LOGIN}/services/oauth2/token"
COMPOSITE = f"{LOGIN}/services/data/v62.0/composite"
ACCESS = OrgAccess(LOGIN, "client_credentials", "the-app", client_secret="hush-hush")
WRITE = Upsert("w", "Case", "LINE_Key__c", [{"LINE_Key__c": "k", "Subject": "s"}])
READ = Query("q", "SELECT Id FROM Case")


def granted(token="t1"):  # noqa: S107
    return {
        "access_token": token,
        "instance_url": LOGIN,
        "id": f"{LOGIN}/id/00D7e00001W4GYR/005000000000001AAA",
    }


@pytest.fixture
def net():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as answers:
        answers.post(TOKEN, json=granted())
        yield answers


@pytest.fixture
def gateway():
    return Gateway(ACCESS)


def composite(*parts):
    listed = [
        {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": f"s{at}"}
        for at, (status, body) in enumerate(parts)
    ]
    return {"compositeResponse": listed}


def written(net, **more):
    row = {"id": "500000000000001AAA", "success": True, "errors": [], "created": True}
    net.post(COMPOSITE, json=composite((200, [row])), **more)


def failure(gateway, step=WRITE):
    with pytest.raises(CallFailed) as raised:
        gateway.run([step])
    return raised.value.fault


def test_an_answer_carries_the_org_s_clock_and_its_usage(net, gateway):
    headers = {
        "Date": "Fri, 02 Jan 2026 03:04:05 GMT",
        "Sforce-Limit-Info": "api-usage=18/15000, per-app-api-usage=17/250(appName=X)",
    }
    written(net, headers=headers)
    answer = gateway.run([WRITE])
    assert answer.results["w"] == [RowOk("500000000000001AAA", created=True)]
    assert answer.date == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert answer.asked_at <= answer.date
    assert gateway.usage == (18, 15000)


def test_a_call_names_itself_its_order_and_its_assignment_rules(net, gateway):
    written(net)
    gateway.run([WRITE], assign=True)
    request = net.calls[-1].request
    body = json.loads(request.body)
    assert request.headers["Sforce-Call-Options"].startswith("client=line-connector/")
    assert request.headers["Sforce-Auto-Assign"] == "TRUE"
    assert request.headers["Authorization"] == "Bearer t1"
    assert (body["collateSubrequests"], body["allOrNone"]) == (False, False)
    assert body["compositeRequest"][0]["httpHeaders"] == {"Sforce-Auto-Assign": "TRUE"}


def test_without_being_asked_no_assignment_rule_runs(net, gateway):
    written(net)
    gateway.run([WRITE])
    assert net.calls[-1].request.headers["Sforce-Auto-Assign"] == "FALSE"


def test_every_call_has_a_timeout(net, gateway):
    written(net)
    gateway.run([WRITE])
    assert [call.request.req_kwargs["timeout"] for call in net.calls] == [(3.05, 20)] * 2


def test_an_expired_token_is_replaced_and_the_call_sent_again(net, gateway):
    expired = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    net.post(COMPOSITE, json=expired, status=401)
    written(net)
    net.replace(responses.POST, TOKEN, json=granted("t1"))
    net.post(TOKEN, json=granted("t2"))
    gateway.run([WRITE])
    assert net.calls[-1].request.headers["Authorization"] == "Bearer t2"


def test_a_token_refused_twice_stops_the_org(net, gateway):
    expired = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    net.post(COMPOSITE, json=expired, status=401)
    fault = failure(gateway)
    assert (fault.kind, fault.org_wide) == (FaultKind.CONFIG, True)
    assert len(net.calls) == 4


@pytest.mark.parametrize(
    ("error", "kind", "read_kind"),
    [
        (requests.exceptions.ConnectTimeout("slow"), "retry", "retry"),
        (requests.ConnectionError("NewConnectionError: refused"), "retry", "retry"),
        (requests.ConnectionError("NameResolutionError: no such host"), "retry", "retry"),
        (requests.exceptions.ReadTimeout("slow"), "unknown_outcome", "retry"),
        (requests.ConnectionError("Connection aborted."), "unknown_outcome", "retry"),
        (requests.exceptions.ChunkedEncodingError("cut"), "unknown_outcome", "retry"),
    ],
)
def test_silence_after_a_write_is_of_unknown_outcome_unless_it_was_never_sent(
    net, gateway, error, kind, read_kind
):
    net.post(COMPOSITE, body=error)
    assert failure(gateway).kind.value == kind
    assert failure(gateway, READ).kind.value == read_kind


@pytest.mark.parametrize(
    ("status", "body", "kind", "org_wide"),
    [
        (500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "x"}], "unknown_outcome", False),
        (502, "<html>bad gateway</html>", "unknown_outcome", False),
        (503, "", "unknown_outcome", False),
        (503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}], "retry", False),
        (503, "<h1>Down for maintenance</h1>", "wait", True),
        (
            403,
            [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}],
            "wait",
            True,
        ),
        (
            403,
            [
                {
                    "errorCode": "REQUEST_LIMIT_EXCEEDED",
                    "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
                }
            ],
            "retry",
            False,
        ),
        (404, [{"errorCode": "NOT_FOUND", "message": "no such resource"}], "config", True),
        (420, "", "retry", False),
        (400, [{"errorCode": "JSON_PARSER_ERROR", "message": "x"}], "data", False),
    ],
)
def test_a_refused_write_call_is_judged_by_code_and_status(
    net, gateway, status, body, kind, org_wide
):
    text = body if isinstance(body, str) else json.dumps(body)
    net.post(COMPOSITE, body=text, status=status)
    fault = failure(gateway)
    assert (fault.kind.value, fault.org_wide) == (kind, org_wide)


def test_a_waiting_time_given_by_the_server_is_kept(net, gateway):
    net.post(COMPOSITE, body="", status=429, headers={"Retry-After": "30"})
    assert failure(gateway).retry_after == 30


def test_a_read_is_repeated_for_seconds_only(net, gateway):
    net.post(COMPOSITE, body="", status=503)
    assert failure(gateway, READ).kind is FaultKind.RETRY
    assert len([call for call in net.calls if call.request.url == COMPOSITE]) == 3


def test_a_read_is_not_repeated_where_repeating_cannot_help(net, gateway):
    refused = [{"errorCode": "API_DISABLED_FOR_ORG", "message": "off"}]
    net.post(COMPOSITE, json=refused, status=403)
    assert failure(gateway, READ).org_wide
    assert len(net.calls) == 2


def test_an_answer_that_is_not_json_is_a_lost_answer(net, gateway):
    net.post(COMPOSITE, body="<html>proxy</html>", status=200)
    assert failure(gateway).kind is FaultKind.UNKNOWN


def test_an_answer_without_a_step_fails_that_step(net, gateway):
    net.post(COMPOSITE, json={"compositeResponse": []})
    assert isinstance(gateway.run([WRITE]).results["w"], StepFailed)


def test_a_page_that_fails_does_not_undo_the_writes_of_its_call(net, gateway):
    row = {"id": "500000000000001AAA", "success": True, "errors": [], "created": True}
    page = {"totalSize": 3, "done": False, "records": [], "nextRecordsUrl": "/services/data/n"}
    net.post(COMPOSITE, json=composite((200, [row]), (200, page)))
    lost = [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]
    net.get(f"{LOGIN}/services/data/n", json=lost, status=400)
    answer = gateway.run([WRITE, READ])
    assert isinstance(answer.results["w"], list)
    assert isinstance(answer.results["q"], StepFailed)


def test_counts_come_from_the_total(net, gateway):
    net.post(COMPOSITE, json=composite((200, {"totalSize": 7, "done": True, "records": []})))
    assert gateway.count("SELECT COUNT() FROM Case") == 7
    assert gateway.run([READ]).results["q"] == Rows([], 7)


def test_too_many_steps_are_refused_before_anything_is_sent(net, gateway):
    with pytest.raises(ValueError, match="1 to 5"):
        gateway.run([Query(f"q{n}", "SELECT Id FROM Case") for n in range(6)])
    assert len(net.calls) == 0


def test_the_assertion_of_a_jwt_sign_in_is_signed_short_lived_and_addressed(net):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    access = OrgAccess(LOGIN, "jwt", "the-app", username="i@example.com", private_key=pem)
    written(net)
    Gateway(access).run([WRITE])
    sent = dict(part.split("=") for part in net.calls[0].request.body.split("&"))
    claims = jwt.decode(sent["assertion"], key.public_key(), ["RS256"], audience=LOGIN)
    assert (claims["iss"], claims["sub"]) == ("the-app", "i@example.com")
    assert claims["exp"] - datetime.now(UTC).timestamp() <= 180


def test_a_key_that_is_none_is_said_to_be_one(net):
    access = OrgAccess(LOGIN, "jwt", "the-app", username="i", private_key="nonsense")
    assert failure(Gateway(access)).code == "INVALID_KEY"


def test_a_refresh_token_is_exchanged(net):
    access = OrgAccess(LOGIN, "refresh_token", "the-app", refresh_token="r1")
    written(net)
    Gateway(access).run([WRITE])
    assert "refresh_token=r1" in net.calls[0].request.body


@pytest.mark.parametrize(
    ("error", "description", "hint"),
    [
        ("invalid_grant", "user hasn't approved this consumer", "pre-authorized"),
        ("invalid_grant", "audience is invalid", "My Domain"),
        ("invalid_grant", "invalid assertion", "certificate"),
        ("invalid_grant", "request not supported on this domain", "My Domain"),
        ("invalid_grant", "no client credentials user enabled", "run-as user"),
        ("invalid_grant", "IP restricted or invalid login hours", "login hours"),
        ("invalid_grant", "expired access/refresh token", "refresh token"),
        ("invalid_grant", "authentication failure", "active"),
        ("invalid_client_id", "client identifier invalid", "consumer key"),
        ("invalid_client", "invalid client credentials", "secret"),
        ("invalid_app_access", "user is not admin approved to access this app", "Approve"),
        ("app_not_found", "External client app is not installed in this org", "Install"),
        ("inactive_user", "user is inactive", "Activate"),
        ("inactive_org", "inactive org", "Salesforce"),
        ("unsupported_grant_type", "grant type not supported", "Enable"),
        ("something_new", "", "doctor"),
    ],
)
def test_a_refused_sign_in_says_what_an_admin_must_do(gateway, error, description, hint):
    with responses.RequestsMock() as net:
        net.post(TOKEN, status=400, json={"error": error, "error_description": description})
        fault = failure(gateway)
    assert (fault.kind, fault.org_wide) == (FaultKind.CONFIG, True)
    assert hint in fault.next_step
    assert "hush-hush" not in repr(fault)


def test_too_many_sign_ins_wait(gateway):
    with responses.RequestsMock() as net:
        net.post(TOKEN, status=400, json={"error": "rate_limit_exceeded"})
        assert failure(gateway).kind is FaultKind.WAIT


def test_a_login_host_out_of_order_is_tried_again(gateway):
    with responses.RequestsMock() as net:
        net.post(TOKEN, status=503, body="")
        assert failure(gateway).kind is FaultKind.RETRY


def test_secrets_do_not_show_when_the_settings_are_printed():
    assert "hush-hush" not in repr(ACCESS)


def test_the_org_id_comes_from_the_sign_in_in_its_long_form(net, gateway):
    assert gateway.organization_id() == "00D7e00001W4GYREA3"
    assert len(net.calls) == 1
