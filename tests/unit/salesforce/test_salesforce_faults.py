"""Every row of the fault table decides what the lessons of other tools say it must."""

from datetime import UTC, datetime, timedelta

import pytest

from connector.domain.faults import (
    Fault,
    FaultKind,
    Follow,
    GiveUp,
    LookUp,
    Park,
    Pause,
    Refresh,
    RetryAt,
)
from connector.salesforce.fault_table import TABLE
from connector.salesforce.faults import fault_of, faults_of, policy, unknown_outcome

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

# code, message, kind, org-wide, decision of the first try
CASES = [
    ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", "retry", False, RetryAt),
    ("SERVER_UNAVAILABLE", "", "retry", False, RetryAt),
    ("SERVER_UNAVAILABLE", "We are down for maintenance.", "wait", True, Pause),
    ("FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", "", "retry", False, RetryAt),
    (
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
        "Updates can't be made during maintenance.",
        "wait",
        True,
        Pause,
    ),
    ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", "wait", True, Pause),
    (
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        "retry",
        False,
        RetryAt,
    ),
    (
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentPerOrgLongTxn Limit exceeded.",
        "retry",
        False,
        RetryAt,
    ),
    ("QUERY_TIMEOUT", "", "retry", False, RetryAt),
    ("REQUEST_RUNNING_TOO_LONG", "", "retry", False, RetryAt),
    ("INVALID_QUERY_LOCATOR", "invalid query locator", "retry", False, RetryAt),
    ("INVALID_LOCATOR", "", "retry", False, RetryAt),
    ("EXCEEDED_ID_LIMIT", "record limit reached.", "retry", False, RetryAt),
    ("TXN_SECURITY_METERING_ERROR", "", "retry", False, RetryAt),
    ("UNKNOWN_EXCEPTION", "An unexpected error occurred: 12345-678", "retry", False, RetryAt),
    ("UNKNOWN_EXCEPTION", "The system may be currently unavailable", "retry", False, RetryAt),
    ("UNKNOWN_EXCEPTION", "We are down for maintenance", "wait", True, Pause),
    ("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded", "config", True, Pause),
    ("ENTITY_IS_LOCKED", "the entity is locked for editing", "wait", False, RetryAt),
    ("INVALID_SESSION_ID", "Session expired or invalid", "config", True, Pause),
    ("API_DISABLED_FOR_ORG", "", "config", True, Pause),
    ("API_CURRENTLY_DISABLED", "", "config", True, Pause),
    ("INVALID_GRANT", "authentication failure", "config", True, Pause),
    ("UNSUPPORTED_API_VERSION", "", "config", True, Pause),
    ("INSUFFICIENT_ACCESS", "", "config", False, Park),
    ("INSUFFICIENT_ACCESS_OR_READONLY", "", "config", False, Park),
    ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "", "config", False, Park),
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CaseTrigger: boom", "config", False, Park),
    (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CaseTrigger: UNABLE_TO_LOCK_ROW, unable to obtain",
        "retry",
        False,
        RetryAt,
    ),
    (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "Apex CPU time limit exceeded",
        "retry",
        False,
        RetryAt,
    ),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "The flow failed", "config", False, Park),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "UNABLE_TO_LOCK_ROW", "retry", False, RetryAt),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "QUERY_TIMEOUT", "retry", False, RetryAt),
    ("APEX_ERROR", "boom", "config", False, Park),
    ("APEX_ERROR", "UNABLE_TO_LOCK_ROW", "retry", False, RetryAt),
    ("APEX_ERROR", "REQUEST_LIMIT_EXCEEDED", "retry", False, RetryAt),
    ("INVALID_FIELD", "No such column 'Foo' on sobject of type Bar", "config", False, Refresh),
    (
        "INVALID_FIELD",
        "Foreign key external ID: 0116 not found for field Ext__c in entity Account",
        "retry",
        False,
        RetryAt,
    ),
    ("INVALID_FIELD", "Read timed out", "retry", False, RetryAt),
    ("INVALID_FIELD_FOR_INSERT_UPDATE", "", "config", False, Refresh),
    ("INVALID_TYPE", "", "config", False, Refresh),
    ("MALFORMED_QUERY", "unexpected token: 'X'", "config", False, Park),
    ("QUERY_TOO_COMPLICATED", "", "config", False, Park),
    ("INVALID_QUERY_FILTER_OPERATOR", "", "config", False, Park),
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phone needed", "data", False, Park),
    ("REQUIRED_FIELD_MISSING", "", "data", False, Park),
    ("STRING_TOO_LONG", "", "data", False, Park),
    ("NUMBER_OUTSIDE_VALID_RANGE", "", "data", False, Park),
    ("INVALID_EMAIL_ADDRESS", "", "data", False, Park),
    ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "", "data", False, Park),
    ("FIELD_INTEGRITY_EXCEPTION", "", "data", False, Park),
    ("FIELD_FILTER_VALIDATION_EXCEPTION", "", "data", False, Park),
    ("JSON_PARSER_ERROR", "", "data", False, Park),
    ("MALFORMED_ID", "", "data", False, Park),
    ("INACTIVE_OWNER_OR_USER", "operation performed with inactive user", "data", False, Park),
    ("DUPLICATE_EXTERNAL_ID", "", "data", False, Park),
    ("INVALID_OPERATION", "", "data", False, Park),
    ("DELETE_FAILED", "", "data", False, Park),
    ("METHOD_NOT_ALLOWED", "", "config", False, Park),
    ("FEATURE_NOT_ENABLED", "", "config", False, Park),
    ("DUPLICATES_DETECTED", "Use one of these records?", "conflict", False, Park),
    ("DUPLICATE_VALUE", "duplicate value found: LINE_Key__c", "conflict", False, LookUp),
    ("PRECONDITION_FAILED", "", "conflict", False, LookUp),
    ("ENTITY_IS_DELETED", "entity is deleted", "identity", False, Follow),
    ("NOT_FOUND", "The requested resource does not exist", "identity", False, Follow),
    (
        "NOT_FOUND",
        "Provided external ID field does not exist or is not accessible: X",
        "config",
        False,
        Refresh,
    ),
    ("CANNOT_UPDATE_CONVERTED_LEAD", "", "identity", False, Follow),
    ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "retry", False, RetryAt),
    ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "", "collateral", False, RetryAt),
    ("PROCESSING_HALTED", "", "collateral", False, RetryAt),
    ("PARENT_FAILED", "", "collateral", False, RetryAt),
    ("HTTP_300", "", "data", False, Park),
    ("HTTP_400", "", "data", False, Park),
    ("HTTP_401", "", "config", True, Pause),
    ("HTTP_403", "", "config", True, Pause),
    ("HTTP_404", "", "config", True, Pause),
    ("HTTP_406", "", "retry", False, RetryAt),
    ("HTTP_410", "", "config", True, Pause),
    ("HTTP_412", "", "conflict", False, LookUp),
    ("HTTP_420", "", "retry", False, RetryAt),
    ("HTTP_429", "", "retry", False, RetryAt),
    ("HTTP_500", "", "retry", False, RetryAt),
    ("HTTP_502", "", "retry", False, RetryAt),
    ("HTTP_503", "", "retry", False, RetryAt),
    ("HTTP_503", "Down for maintenance", "wait", True, Pause),
    ("HTTP_504", "", "retry", False, RetryAt),
    ("TOOMANYLOCKFAILURE", "", "retry", False, RetryAt),
    ("API_ERROR", "", "retry", False, RetryAt),
    ("EXCEEDEDQUOTA", "ApiBatchItems Limit exceeded.", "wait", True, Pause),
    ("INVALIDBATCH", "Field name not found : X", "config", False, Refresh),
    ("INVALIDJOB", "", "retry", False, RetryAt),
    ("INVALIDJOBSTATE", "", "retry", False, RetryAt),
    ("INVALIDUSER", "", "config", False, Park),
    ("BULK_JOB_ENDED", "", "retry", False, RetryAt),
    ("NOT_SENT", "", "retry", False, RetryAt),
    ("ANSWER_LOST", "", "retry", False, RetryAt),
    ("UNTRUSTED_CERTIFICATE", "", "config", True, Pause),
]


def _half() -> float:
    return 0.5


@pytest.mark.parametrize(("code", "message", "kind", "org_wide", "decision"), CASES)
def test_a_code_has_its_meaning_and_its_decision(code, message, kind, org_wide, decision):
    fault = fault_of(code, message, ["Priority"], object_name="Case")
    assert (fault.kind.value, fault.org_wide) == (kind, org_wide)
    assert isinstance(policy(fault, 1, NOW, _half), decision)
    assert fault.next_step.endswith(".")
    assert "{" not in fault.next_step


def test_every_row_of_the_table_is_among_the_cases():
    asked = [(code, message) for code, message, *_ in CASES]
    assert {rule.code for rule in TABLE} == {code for code, _ in asked}
    assert len(asked) >= len(TABLE)


def test_a_lock_is_tried_eight_times_within_a_minute_each_and_then_dead():
    fault = fault_of("UNABLE_TO_LOCK_ROW", "busy")
    waits = [policy(fault, attempt, NOW, _half) for attempt in range(1, 8)]
    assert all(isinstance(w, RetryAt) and w.at <= NOW + timedelta(minutes=1) for w in waits)
    assert isinstance(policy(fault, 8, NOW, _half), GiveUp)


def test_a_spent_day_is_looked_at_again_within_a_minute_for_calls_come_free_all_the_time():
    decision = policy(fault_of("REQUEST_LIMIT_EXCEEDED", "TotalRequests"), 1, NOW, lambda: 1.0)
    assert isinstance(decision, Pause)
    assert decision.until <= NOW + timedelta(minutes=1)


def test_an_unexplained_server_error_is_parked_after_three_tries():
    fault = fault_of("UNKNOWN_EXCEPTION", "ErrorId: 1-2")
    decision = policy(fault, 3, NOW, _half)
    assert isinstance(decision, Park)
    assert "1-2" in decision.reason


def test_collateral_is_never_given_up():
    decision = policy(fault_of("PROCESSING_HALTED", ""), 1000, NOW, _half)
    assert isinstance(decision, RetryAt)


def test_stale_field_knowledge_is_refreshed_once_and_then_parked():
    fault = fault_of("INVALID_FIELD", "No such column", ["Foo__c"], object_name="Case")
    assert isinstance(policy(fault, 1, NOW, _half), Refresh)
    assert isinstance(policy(fault, 2, NOW, _half), Park)


def test_an_unknown_outcome_is_looked_up_however_often():
    fault = unknown_outcome(fault_of("ANSWER_LOST", ""))
    assert isinstance(policy(fault, 50, NOW, _half), LookUp)


def test_the_server_s_own_waiting_time_is_kept():
    fault = fault_of("HTTP_429", "", retry_after=77)
    assert policy(fault, 1, NOW, _half) == RetryAt(NOW + timedelta(seconds=77))


def test_jitter_spreads_the_waiting_between_half_and_whole():
    fault = fault_of("UNABLE_TO_LOCK_ROW", "")
    assert policy(fault, 3, NOW, lambda: 0.0) == RetryAt(NOW + timedelta(seconds=2))
    assert policy(fault, 3, NOW, lambda: 1.0) == RetryAt(NOW + timedelta(seconds=4))


def test_a_code_nobody_knows_stops_and_shows_itself():
    fault = fault_of("BRAND_NEW_CODE", "something", ["A"], 400, object_name="Case")
    assert fault.kind is FaultKind.DATA
    decision = policy(fault, 1, NOW, _half)
    assert isinstance(decision, Park)
    assert decision.reason == "BRAND_NEW_CODE: something"


def test_a_code_nobody_knows_with_a_server_error_is_retried():
    assert fault_of("BRAND_NEW_CODE", "", http=503).kind is FaultKind.RETRY


def test_the_next_step_names_object_and_field():
    fault = fault_of("INSUFFICIENT_ACCESS_OR_READONLY", "", ["Priority"], object_name="Case")
    assert "Case.Priority" in fault.next_step


def test_a_sign_in_code_of_its_own_pauses_the_org():
    fault = Fault(FaultKind.CONFIG, "INVALID_CLIENT_ID", "client identifier invalid", org_wide=True)
    assert isinstance(policy(fault, 1, NOW, _half), Pause)


def test_several_reasons_of_one_row_are_several_faults():
    body = [
        {"statusCode": "STRING_TOO_LONG", "message": "a", "fields": ["A"]},
        {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "b", "fields": ["B"]},
    ]
    assert [fault.code for fault in faults_of(body, 400)] == [
        "STRING_TOO_LONG",
        "INVALID_EMAIL_ADDRESS",
    ]


def test_a_page_instead_of_json_is_judged_by_its_status_and_stripped_of_tags():
    (fault,) = faults_of("<html><body><h1>Down</h1> for  a while</body></html>", 503)
    assert (fault.code, fault.message) == ("HTTP_503", "Down for a while")


def test_a_key_that_stays_taken_ends_with_a_person():
    fault = fault_of("DUPLICATE_VALUE", "duplicate value found: Serial__c duplicates value")
    assert isinstance(policy(fault, 3, NOW, _half), LookUp)
    assert isinstance(policy(fault, 4, NOW, _half), Park)


def test_a_field_that_is_called_timeout_is_still_an_unknown_field():
    fault = fault_of("INVALID_FIELD", "No such column 'Timeout__c' on sobject of type Case")
    assert fault.kind is FaultKind.CONFIG
