"""What the doctor finds in an org that lacks this and that."""

import pytest

from connector.mapping.schema import FieldSchema, ObjectSchema
from connector.salesforce.doctor import ObjectNeed, examine
from connector.salesforce.gateway import Probe

KEY = FieldSchema("LINE_Key__c", external_id=True, unique=True)


class ScriptedOrg:
    """An org with one object and a budget."""

    def __init__(self, *fields, versions=("62.0",), left=90):
        self._probe = Probe("https://acme", "62.0", versions, "00D")
        self._schema = ObjectSchema("Case", {field.name: field for field in fields})
        self._left = left

    def probe(self):
        return self._probe

    def describe(self, _):
        return self._schema

    def limits(self):
        return {"DailyApiRequests": {"Max": 100, "Remaining": self._left}}


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
    ],
)
def test_what_is_wrong_is_named_with_a_way_to_mend_it(org, wrong):
    findings = examine(org, [ObjectNeed("Case", written=("Status",), creates=True)])
    bad = [finding for finding in findings if not finding.ok]
    assert [finding.what for finding in bad] == wrong
    assert all(finding.fix for finding in bad)
