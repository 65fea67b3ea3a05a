"""What record types offer, asked of a running org: only where it matters, and without it where there is no answer."""

import pytest
import requests

from connector.salesforce.describing import describe_all
from connector.salesforce.faults import CallFailed
from connector.salesforce.picklists import described

NARROW = {"Repair": {"DurationType": ("Hours",)}}


@pytest.fixture
def typed(org):
    """An org whose work orders for repairs last hours, and of which there are other ones."""
    for name, lists in (("Repair", {"DurationType": ["Hours"]}), ("Survey", {})):
        body = {"kind": "record_type", "object": "WorkOrder", "developer_name": name}
        body |= {"label": name, "picklists": lists}
        answer = requests.post(f"{org.url}/_simulator/rules", json=body, timeout=5)
        answer.raise_for_status()
    return org


def asked(org):
    return [call["path"] for call in org.calls() if "/ui-api/" in call["path"]]


def test_the_types_that_are_named_are_asked_about_and_no_others(typed, gateway):
    schema = described(gateway, "WorkOrder", ["repair", "Unknown"])
    assert (schema.offered, schema.record_types) == (NARROW, ("Repair", "Survey"))
    assert len(asked(typed)) == 1
    assert described(gateway, "WorkOrder").offered == {}
    assert len(asked(typed)) == 1


def test_many_objects_are_described_with_the_types_that_are_named(typed, gateway):
    found = describe_all(gateway, ["Case", "WorkOrder"], {"WorkOrder": ["Repair"]})
    assert found["WorkOrder"].offered == NARROW
    assert found["Case"].offered == {}


@pytest.mark.parametrize(
    ("status", "code"), [(404, "NOT_FOUND"), (403, "INSUFFICIENT_ACCESS"), (400, "INVALID_TYPE")]
)
def test_an_org_that_does_not_tell_is_taken_to_offer_every_value(typed, gateway, status, code):
    body = [{"errorCode": code, "message": "not here"}]
    typed.fault("status", path="*/ui-api/*", status=status, body=body)
    schema = described(gateway, "WorkOrder", ["Repair"])
    assert not schema.knows("Repair")
    assert schema.under("Repair").field("DurationType").choices == ("Hours", "Minutes")


def test_an_org_that_is_busy_is_asked_again_and_what_it_offers_not_guessed(typed, gateway):
    typed.fault("status", path="*/ui-api/*", status=503)
    assert described(gateway, "WorkOrder", ["Repair"]).offered == NARROW
    typed.fault("status", times=3, path="*/ui-api/*", status=503)
    with pytest.raises(CallFailed):
        described(gateway, "WorkOrder", ["Repair"])
