"""What is read of an org's channels: ours, others', and orgs that will not say."""

import pytest

from connector.salesforce import capture
from connector.salesforce.capture import Capture, Member
from connector.salesforce.faults import CallFailed, fault_of

OURS = {"Id": "0YL5i0000008OIA", "DeveloperName": "LINE_Connector"}


class ScriptedOrg:
    """An org that answers queries about its channels."""

    def __init__(self, *members, channels=(OURS,), refusal=None):
        self._rows = {"PlatformEventChannel": channels, "PlatformEventChannelMember": members}
        self._refusal = refusal

    def tooling_query(self, soql):
        if self._refusal:
            raise CallFailed(self._refusal)
        return self._rows[soql.split(" FROM ")[1]]


def _member(channel, entity):
    return {"EventChannel": channel, "SelectedEntity": entity}


@pytest.mark.parametrize("told", ["LINE_Connector__chn", "0YL5i0000008OIAGA2", "0YL5i0000008OIA"])
def test_our_channel_is_known_by_its_name_and_by_its_id(told):
    org = ScriptedOrg(_member(told, "CaseChangeEvent"), _member("ChangeEvents", "LeadChangeEvent"))
    assert capture.look(org) == Capture("/data/LINE_Connector__chn", frozenset({"Case"}))


def test_every_channel_of_the_org_counts_and_platform_events_do_not():
    org = ScriptedOrg(
        _member("ChangeEvents", "Visit__ChangeEvent"), _member("Orders__chn", "Order_Placed__e")
    )
    assert capture.members(org) == (Member("ChangeEvents", "Visit__c"),)


def test_a_channel_without_objects_carries_nothing_and_says_how_to_fill_it():
    looked = capture.look(ScriptedOrg(_member("ChangeEvents", "CaseChangeEvent")))
    assert (looked.topic, looked.objects) == (None, frozenset())
    assert "connector salesforce install" in (looked.reason or "")


@pytest.mark.parametrize("code", ["INSUFFICIENT_ACCESS", "INVALID_TYPE"])
def test_an_org_that_will_not_say_is_taken_to_capture_nothing(code):
    looked = capture.look(ScriptedOrg(refusal=fault_of(code, "no")))
    assert (looked.topic, looked.objects) == (None, frozenset()) and code in (looked.reason or "")


def test_an_org_that_cannot_be_reached_is_no_org_without_channels():
    with pytest.raises(CallFailed):
        capture.look(ScriptedOrg(refusal=fault_of("NOT_SENT", "")))


@pytest.mark.parametrize(
    ("name", "event"), [("Case", "CaseChangeEvent"), ("Visit__c", "Visit__ChangeEvent")]
)
def test_an_object_and_its_events_name_each_other(name, event):
    assert (capture.event_of(name), capture.captured_object(event)) == (event, name)
