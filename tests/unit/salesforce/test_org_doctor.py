"""What the doctor finds in an org that lacks this and that."""

import pytest

from connector.mapping.schema import FieldSchema, ObjectSchema
from connector.salesforce.doctor import ObjectNeed, examine
from connector.salesforce.gateway import Probe
from connector.salesforce.signin import Grant

KEY = FieldSchema("LINE_Key__c", external_id=True, unique=True)


class ScriptedOrg:
    """An org with one object, one channel and a budget."""

    def __init__(self, *fields, versions=("62.0",), left=90, delivered=0, captures=(), seen=()):
        self._probe = Probe("https://acme", "62.0", versions, "00D")
        self._schema = ObjectSchema("Case", {field.name: field for field in fields})
        self._left = left
        self._events = {"Max": 100, "Remaining": 100 - delivered}
        self._captures, self._seen = captures, seen

    def probe(self):
        return self._probe

    def describe(self, _):
        return self._schema

    def limits(self):
        daily = {"Max": 100, "Remaining": self._left}
        return {"DailyApiRequests": daily, "DailyDeliveredPlatformEvents": self._events}

    def tooling_query(self, soql):
        if soql.endswith("Member"):
            channel = "LINE_Connector__chn"
            return [{"EventChannel": channel, "SelectedEntity": each} for each in self._captures]
        return []

    def grant(self):
        return Grant("token", "https://acme", "00D", "005")

    def query(self, _):
        return [{"SobjectType": each} for each in self._seen]


STATUS = FieldSchema("Status")


@pytest.mark.parametrize(
    ("org", "wrong"),
    [
        (ScriptedOrg(KEY, STATUS), []),
        (
            ScriptedOrg(KEY, STATUS, versions=("61.0",)),
            ["the org does not answer API version 62.0"],
        ),
        (ScriptedOrg(STATUS), ["Case.LINE_Key__c is missing or hidden"]),
        (
            ScriptedOrg(STATUS, FieldSchema("LINE_Key__c", external_id=True)),
            ["Case.LINE_Key__c is not a unique external id"],
        ),
        (ScriptedOrg(KEY), ["Case.Status is missing or hidden"]),
        (
            ScriptedOrg(KEY, FieldSchema("Status", updateable=False, createable=False)),
            ["Case.Status cannot be written"],
        ),
        (
            ScriptedOrg(KEY, STATUS, left=19),
            ["API requests: 19 of 100 left in the rolling 24 hours"],
        ),
        (
            ScriptedOrg(KEY, STATUS, delivered=81),
            ["event deliveries: 19 of 100 left in the rolling 24 hours"],
        ),
        (
            ScriptedOrg(KEY, STATUS, captures=("CaseChangeEvent",)),
            ["Case: its events do not come, for the integration user lacks View All on it"],
        ),
    ],
)
def test_what_is_wrong_is_named_with_a_way_to_mend_it(org, wrong):
    findings = examine(org, [ObjectNeed("Case", written=("Status",), creates=True)])
    bad = [finding for finding in findings if not finding.ok]
    assert [finding.what for finding in bad] == wrong
    assert all(finding.fix for finding in bad)


@pytest.mark.parametrize(
    ("captures", "told"),
    [
        (("CaseChangeEvent",), "Case: its changes come as events"),
        (("LeadChangeEvent",), "Case: its changes are polled, for the channel"),
        ((), "carries no object"),
    ],
)
def test_it_is_said_how_changes_of_an_object_come_to_be_known(captures, told):
    org = ScriptedOrg(KEY, STATUS, captures=captures, seen=("Case",))
    findings = examine(org, [ObjectNeed("Case", written=("Status",), creates=True)])
    assert all(finding.ok for finding in findings)
    assert any(told in finding.what for finding in findings)
