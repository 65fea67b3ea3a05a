"""What every refusal of Salesforce means, as data: by error code, by HTTP status, by wording only where a row names it.

The first row that fits decides. In a next step `{where}` becomes the object and the fields
that the refusal names, `{object}` the object.
"""

from __future__ import annotations

from connector.domain.faults import BY_ITSELF
from connector.domain.faults import FaultKind as K
from connector.salesforce.bulk.fault_rows import BULK
from connector.salesforce.fault_rules import Backoff, Rule, Way

LOCK = Backoff(1, 60, 8)
OUTAGE = Backoff(2, 120)  # whoever waits is not to wait much longer than the outage lasted
BUSY = Backoff(5, 120, 12)
SLOW = Backoff(10, 600, 6)
HOURLY = Backoff(3600, 3600, 72, then_park=True)
FEW = Backoff(5, 60, 3, then_park=True)
PARENT = Backoff(10, 120, 5, then_park=True)
PROBE = Backoff(60, 900)
ADMIN = Backoff(300, 900)
LOOK = Backoff(2, 120)
LOOK_FEW = Backoff(2, 120, 4, then_park=True)

_NESTED_LOCK = r"UNABLE_TO_LOCK_ROW|exclusive access"
_NESTED_BUSY = r"INVALID_SESSION_ID|REQUEST_LIMIT_EXCEEDED|QUERY_TIMEOUT|REQUEST_RUNNING_TOO_LONG|CPU time limit|Too many SOQL|timeout"
_LOCK_STEP = "Nothing to do unless it keeps coming back: then look for a parent record that many processes edit at once."
_RESUMES = (
    "Nothing to do: work goes on by itself when Salesforce answers again; what comes in is kept."
)
_SIGN_IN = (
    "Sign in to Salesforce as an admin and check that the app's run-as or integration user is active, "
    "has the permission set and is approved for the app; then run `connector doctor`."
)
_PERMIT = "Give edit access to {where} in Setup > Permission Sets > LINE Connector, then redrive."
_DRIFT = (
    "See in Setup > Object Manager that {where} exists, and in Setup > Permission Sets > LINE Connector that it may "
    "be read and edited; or take it out of the mapping and publish that, then redrive."
)
_VALUE = (
    "Correct the value of {where} (connector dead edit), or its line in the mapping, then redrive."
)
_PARENT_STEP = "Check that the record {where} points to still exists and that the integration user can see it, then redrive."
_AUTOMATION = "Ask the owner of the flow or trigger named in the message to mend it (Setup > Flows, Setup > Apex Triggers), then redrive."
_FEATURE = (
    "Enable in Setup what the message names, for the org or the integration user, then redrive."
)
_MERGED = "Nothing to do: it is checked whether the record was deleted, merged or converted, and the pair follows."


TABLE: tuple[Rule, ...] = (
    # -- the same call may succeed soon
    Rule("UNABLE_TO_LOCK_ROW", K.RETRY, Way.RETRY, _LOCK_STEP, backoff=LOCK),
    Rule("SERVER_UNAVAILABLE", K.WAIT, Way.PAUSE, _RESUMES, r"maintenance", PROBE, org_wide=True),
    Rule("SERVER_UNAVAILABLE", K.RETRY, Way.RETRY, _RESUMES, backoff=OUTAGE),
    Rule("FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", K.RETRY, Way.RETRY, _RESUMES, backoff=OUTAGE),
    Rule("QUERY_TIMEOUT", K.RETRY, Way.RETRY, BY_ITSELF, backoff=SLOW),
    Rule(
        "REQUEST_RUNNING_TOO_LONG",
        K.RETRY,
        Way.RETRY,
        "Nothing to do unless it keeps coming back: then look for slow flows or triggers on {object} (Setup > Flows, Setup > Apex Triggers).",
        backoff=SLOW,
    ),
    Rule("INVALID_QUERY_LOCATOR", K.RETRY, Way.RETRY, BY_ITSELF, backoff=BUSY),
    Rule("INVALID_LOCATOR", K.RETRY, Way.RETRY, BY_ITSELF, backoff=BUSY),
    Rule(
        "TXN_SECURITY_METERING_ERROR",
        K.RETRY,
        Way.RETRY,
        "Exempt the integration user from the transaction security policy (Setup > Transaction Security Policies), then redrive.",
        backoff=FEW,
    ),
    Rule(
        "UNKNOWN_EXCEPTION",
        K.WAIT,
        Way.PAUSE,
        _RESUMES,
        r"down for maintenance",
        PROBE,
        org_wide=True,
    ),
    Rule(
        "UNKNOWN_EXCEPTION",
        K.RETRY,
        Way.RETRY,
        _RESUMES,
        r"system may be currently unavailable",
        OUTAGE,
    ),
    Rule(
        "UNKNOWN_EXCEPTION",
        K.RETRY,
        Way.RETRY,
        "Open a case with Salesforce and quote the number in the message, then redrive.",
        backoff=FEW,
    ),
    # -- limits
    Rule(
        "REQUEST_LIMIT_EXCEEDED",
        K.RETRY,
        Way.RETRY,
        "Nothing to do unless it keeps coming back: then look for other tools whose API calls run long, or run fewer workers.",
        r"concurrent",
        BUSY,
    ),
    Rule(
        "REQUEST_LIMIT_EXCEEDED",
        K.WAIT,
        Way.PAUSE,
        "The org's daily API requests are used up: see Setup > Company Information, raise the allocation or find who spends it; work goes on as the 24 hours roll on.",
        backoff=PROBE,
        org_wide=True,
    ),
    Rule(
        "STORAGE_LIMIT_EXCEEDED",
        K.CONFIG,
        Way.PAUSE,
        "Free data storage or buy more (Setup > Storage Usage); work goes on by itself.",
        backoff=ADMIN,
        org_wide=True,
    ),
    Rule("EXCEEDED_ID_LIMIT", K.RETRY, Way.RETRY, BY_ITSELF, backoff=FEW),
    # -- the org is closed for a while
    Rule(
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
        K.WAIT,
        Way.PAUSE,
        _RESUMES,
        backoff=PROBE,
        org_wide=True,
    ),
    Rule(
        "ENTITY_IS_LOCKED",
        K.WAIT,
        Way.RETRY,
        "Finish or recall the approval that locks {where}: it is tried again by itself every hour. If it has been parked after three days, redrive.",
        backoff=HOURLY,
    ),
    # -- sign-in and access to the org
    Rule("INVALID_SESSION_ID", K.CONFIG, Way.PAUSE, _SIGN_IN, backoff=ADMIN, org_wide=True),
    Rule(
        "API_DISABLED_FOR_ORG",
        K.CONFIG,
        Way.PAUSE,
        "Ask Salesforce to enable the API for the org (edition or permission API Enabled).",
        backoff=ADMIN,
        org_wide=True,
    ),
    Rule(
        "API_CURRENTLY_DISABLED",
        K.CONFIG,
        Way.PAUSE,
        "Give the integration user the permission API Enabled.",
        backoff=ADMIN,
        org_wide=True,
    ),
    Rule("INVALID_GRANT", K.CONFIG, Way.PAUSE, _SIGN_IN, backoff=ADMIN, org_wide=True),
    Rule(
        "UNSUPPORTED_API_VERSION",
        K.CONFIG,
        Way.PAUSE,
        "Set an API version that the org answers (`connector doctor` shows which).",
        backoff=ADMIN,
        org_wide=True,
    ),
    # -- permissions
    Rule("INSUFFICIENT_ACCESS", K.CONFIG, Way.PARK, _PERMIT),
    Rule("INSUFFICIENT_ACCESS_OR_READONLY", K.CONFIG, Way.PARK, _PERMIT),
    Rule(
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        K.CONFIG,
        Way.PARK,
        "Let the integration user see and edit the record that {where} points to (sharing, or View All), then redrive.",
    ),
    Rule(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", K.RETRY, Way.RETRY, _LOCK_STEP, _NESTED_LOCK, LOCK
    ),
    Rule(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", K.RETRY, Way.RETRY, _AUTOMATION, _NESTED_BUSY, FEW
    ),
    Rule("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", K.CONFIG, Way.PARK, _AUTOMATION),
    Rule("CANNOT_EXECUTE_FLOW_TRIGGER", K.RETRY, Way.RETRY, _LOCK_STEP, _NESTED_LOCK, LOCK),
    Rule("CANNOT_EXECUTE_FLOW_TRIGGER", K.RETRY, Way.RETRY, _AUTOMATION, _NESTED_BUSY, FEW),
    Rule("CANNOT_EXECUTE_FLOW_TRIGGER", K.CONFIG, Way.PARK, _AUTOMATION),
    Rule("APEX_ERROR", K.RETRY, Way.RETRY, _LOCK_STEP, _NESTED_LOCK, LOCK),
    Rule("APEX_ERROR", K.RETRY, Way.RETRY, _AUTOMATION, _NESTED_BUSY, FEW),
    Rule("APEX_ERROR", K.CONFIG, Way.PARK, _AUTOMATION),
    # -- what we know of the org's fields is stale, or the mapping is wrong
    Rule("INVALID_FIELD", K.RETRY, Way.RETRY, _PARENT_STEP, r"Foreign key external ID", PARENT),
    Rule("INVALID_FIELD", K.RETRY, Way.RETRY, BY_ITSELF, r"read timed? ?out", BUSY),
    Rule("INVALID_FIELD", K.CONFIG, Way.REFRESH, _DRIFT),
    Rule("INVALID_FIELD_FOR_INSERT_UPDATE", K.CONFIG, Way.REFRESH, _PERMIT),
    Rule("INVALID_TYPE", K.CONFIG, Way.REFRESH, _DRIFT),
    Rule(
        "MALFORMED_QUERY",
        K.CONFIG,
        Way.PARK,
        "Check the field names in the mapping of {object} (connector mappings check --org), publish, then redrive.",
    ),
    Rule(
        "QUERY_TOO_COMPLICATED",
        K.CONFIG,
        Way.PARK,
        "Take formula fields of {object} out of the mapping and publish that, then redrive.",
    ),
    Rule(
        "INVALID_QUERY_FILTER_OPERATOR",
        K.CONFIG,
        Way.PARK,
        "Name another field than {where} under `match` of the mapping and publish that, then redrive.",
    ),
    Rule(
        "NOT_FOUND",
        K.CONFIG,
        Way.REFRESH,
        "Install the field LINE_Key__c (`connector salesforce install`), then redrive.",
        r"external ID field",
    ),
    # -- values that will never be accepted as they are
    Rule(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        K.DATA,
        Way.PARK,
        "Correct {where} as the message says (connector dead edit), or change the rule in Setup > Object Manager > {object} > Validation Rules, then redrive.",
    ),
    Rule(
        "REQUIRED_FIELD_MISSING",
        K.DATA,
        Way.PARK,
        "Fill {where} by a line or a `default` in the mapping and publish that, or make the field optional in Setup > Object Manager > {object}, then redrive.",
    ),
    Rule(
        "STRING_TOO_LONG",
        K.DATA,
        Way.PARK,
        "Shorten the value of {where} (connector dead edit), or give its line in the mapping the transform `truncate` and publish that, then redrive.",
    ),
    Rule("NUMBER_OUTSIDE_VALID_RANGE", K.DATA, Way.PARK, _VALUE),
    Rule(
        "INVALID_EMAIL_ADDRESS",
        K.DATA,
        Way.PARK,
        "Correct the e-mail address in {where} (connector dead edit), then redrive.",
    ),
    Rule(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        K.DATA,
        Way.PARK,
        "Add the value to the picklist {where} and to its record types (Setup > Object Manager > {object} > Fields & Relationships), or name an existing one under `values` of the line and publish that, then redrive.",
    ),
    Rule("FIELD_INTEGRITY_EXCEPTION", K.DATA, Way.PARK, _VALUE),
    Rule(
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        K.DATA,
        Way.PARK,
        "The lookup filter on {where} refuses the record it points to: change that record, or the filter in Setup > Object Manager > {object} > Fields & Relationships, then redrive.",
    ),
    Rule(
        "JSON_PARSER_ERROR",
        K.DATA,
        Way.PARK,
        "A value does not fit the type of its field: check the dates and numbers that the mapping sends to {where}, then redrive.",
    ),
    Rule(
        "MALFORMED_ID",
        K.DATA,
        Way.PARK,
        "{where} needs a Salesforce id of the right kind: correct the mapping or the value, then redrive.",
    ),
    Rule(
        "INACTIVE_OWNER_OR_USER",
        K.DATA,
        Way.PARK,
        "The owner is inactive: activate the user in Setup > Users, or name another user or a queue as `owner` in the mapping and publish that, then redrive.",
    ),
    Rule(
        "DUPLICATE_EXTERNAL_ID",
        K.DATA,
        Way.PARK,
        "Several {object} records hold the same LINE_Key__c: clear it on all but the right one, then redrive.",
    ),
    Rule(
        "INVALID_OPERATION",
        K.DATA,
        Way.PARK,
        "Salesforce does not allow this on {where} now: see the message, then redrive.",
    ),
    Rule(
        "DELETE_FAILED",
        K.DATA,
        Way.PARK,
        "Detach the records that the message names, then redrive.",
    ),
    Rule(
        "METHOD_NOT_ALLOWED",
        K.CONFIG,
        Way.PARK,
        "{object} does not allow this: take it out of the mapping and publish that, then redrive.",
    ),
    Rule("FEATURE_NOT_ENABLED", K.CONFIG, Way.PARK, _FEATURE),
    # -- the row is someone else's, or elsewhere
    Rule(
        "DUPLICATES_DETECTED",
        K.CONFLICT,
        Way.PARK,
        "Choose which existing record this customer is (connector conflicts list), or let the duplicate rule allow the integration user in Setup > Duplicate Rules, then redrive.",
    ),
    Rule(
        "DUPLICATE_VALUE",
        K.CONFLICT,
        Way.LOOK_UP,
        "Nothing to do at first: the record that holds this value is looked for. If it stays, clear the value there, then redrive.",
        backoff=LOOK_FEW,
    ),
    Rule("ENTITY_IS_DELETED", K.IDENTITY, Way.FOLLOW, _MERGED),
    Rule("NOT_FOUND", K.IDENTITY, Way.FOLLOW, _MERGED),
    Rule("CANNOT_UPDATE_CONVERTED_LEAD", K.IDENTITY, Way.FOLLOW, _MERGED),
    Rule("INVALID_CROSS_REFERENCE_KEY", K.RETRY, Way.RETRY, _PARENT_STEP, backoff=PARENT),
    Rule("PRECONDITION_FAILED", K.CONFLICT, Way.LOOK_UP, BY_ITSELF, backoff=LOOK),
    # -- refused only because another row was
    Rule("ALL_OR_NONE_OPERATION_ROLLED_BACK", K.COLLATERAL, Way.COLLATERAL, BY_ITSELF),
    Rule("PROCESSING_HALTED", K.COLLATERAL, Way.COLLATERAL, BY_ITSELF),
    Rule(
        "PARENT_FAILED",
        K.COLLATERAL,
        Way.COLLATERAL,
        "Mend the parent record first; this one follows by itself.",
    ),
    # -- answers without an error code, by HTTP status
    Rule(
        "HTTP_300",
        K.DATA,
        Way.PARK,
        "Several {object} records hold the same LINE_Key__c: clear it on all but the right one, then redrive.",
    ),
    Rule("HTTP_400", K.DATA, Way.PARK, _VALUE),
    Rule("HTTP_401", K.CONFIG, Way.PAUSE, _SIGN_IN, backoff=ADMIN, org_wide=True),
    Rule("HTTP_403", K.CONFIG, Way.PAUSE, _SIGN_IN, backoff=ADMIN, org_wide=True),
    Rule(
        "HTTP_404",
        K.CONFIG,
        Way.PAUSE,
        "Check the org's address and the API version in the settings, then run `connector doctor`.",
        backoff=ADMIN,
        org_wide=True,
    ),
    Rule("HTTP_406", K.RETRY, Way.RETRY, _RESUMES, backoff=OUTAGE),
    Rule(
        "HTTP_410",
        K.CONFIG,
        Way.PAUSE,
        "Set an API version that the org answers (`connector doctor` shows which).",
        backoff=ADMIN,
        org_wide=True,
    ),
    Rule("HTTP_412", K.CONFLICT, Way.LOOK_UP, BY_ITSELF, backoff=LOOK),
    Rule("HTTP_420", K.RETRY, Way.RETRY, _RESUMES, backoff=OUTAGE),
    Rule("HTTP_429", K.RETRY, Way.RETRY, BY_ITSELF, backoff=BUSY),
    Rule("HTTP_500", K.RETRY, Way.RETRY, _RESUMES, backoff=OUTAGE),
    Rule("HTTP_502", K.RETRY, Way.RETRY, _RESUMES, backoff=OUTAGE),
    Rule("HTTP_503", K.WAIT, Way.PAUSE, _RESUMES, r"maintenance", PROBE, org_wide=True),
    Rule("HTTP_503", K.RETRY, Way.RETRY, _RESUMES, backoff=OUTAGE),
    Rule("HTTP_504", K.RETRY, Way.RETRY, _RESUMES, backoff=OUTAGE),
    *BULK,
    # -- no answer at all
    Rule("NOT_SENT", K.RETRY, Way.RETRY, _RESUMES, backoff=OUTAGE),
    Rule("ANSWER_LOST", K.RETRY, Way.RETRY, _RESUMES, backoff=OUTAGE),
    Rule(
        "UNTRUSTED_CERTIFICATE",
        K.CONFIG,
        Way.PAUSE,
        "Check the org's address and the CA file in the settings: the certificate shown is not trusted.",
        backoff=ADMIN,
        org_wide=True,
    ),
)

# Codes that are not in the table stop and show.
UNKNOWN_CODE = Rule(
    "*",
    K.DATA,
    Way.PARK,
    "Salesforce gave a reason this service does not know: see the message, mend {where}, then redrive.",
)
