"""The gateway against a running org: sign-in, writes with their rows, reads, faults."""

import dataclasses
import threading

import pytest

from connector.domain.faults import FaultKind
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.steps import Query, Read, RowFailed, RowOk, StepFailed, Update, Upsert

KEY = "LINE_Key__c"


def contact(key, **more):
    return {KEY: key, "LastName": f"Name {key}", **more}


def upsert(*keys, **more):
    return Upsert("w", "Contact", KEY, [contact(key, **more) for key in keys])


@pytest.mark.parametrize("flow", ["jwt", "client_credentials"])
def test_each_flow_signs_in_and_knows_the_org(org, flow):
    gateway = Gateway(org.access(flow=flow))
    assert gateway.organization_id() == org.credentials["organization_id"]
    assert "62.0" in gateway.probe().versions
    assert gateway.query("SELECT Id FROM Contact") == []


def test_the_org_is_reached_over_tls_by_its_own_ca(org):
    tls = org.credentials["tls_url"]
    gateway = Gateway(org.access(login_url=tls, ca_file=org.credentials["ca_file"]))
    assert gateway.query("SELECT ProductCode FROM Product2 ORDER BY ProductCode")[0] == {
        "ProductCode": "AC-100"
    }


def test_an_untrusted_certificate_is_said_to_be_one(org):
    gateway = Gateway(org.access(login_url=org.credentials["tls_url"]))
    with pytest.raises(CallFailed) as raised:
        gateway.limits()
    assert raised.value.fault.code == "UNTRUSTED_CERTIFICATE"


def test_a_wrong_secret_is_a_config_fault_that_does_not_show_it(org):
    gateway = Gateway(org.access(flow="client_credentials", client_secret="not-the-secret"))
    with pytest.raises(CallFailed) as raised:
        gateway.limits()
    fault = raised.value.fault
    assert (fault.kind, fault.org_wide) == (FaultKind.CONFIG, True)
    assert "not-the-secret" not in repr(fault)
    assert fault.next_step


def test_rows_answer_one_by_one_and_in_order(gateway):
    answer = gateway.run([upsert("k1", "k2", Email="a@example.com")])
    first, second = answer.results["w"]
    assert isinstance(first, RowOk)
    assert first.created is True
    again = gateway.run(
        [upsert("k2", "k3", Email="nonsense"), Query("q", "SELECT Id FROM Contact")]
    )
    refused, _ = again.results["w"]
    assert isinstance(refused, RowFailed)
    assert refused.faults[0].code == "INVALID_EMAIL_ADDRESS"
    assert "Contact.Email" in refused.faults[0].next_step
    assert len(again.results["q"].found) == 2
    assert second.id in {row["Id"] for row in again.results["q"].found}


def test_an_upsert_of_a_known_key_updates(gateway):
    made = gateway.run([upsert("k1")]).results["w"][0]
    same = gateway.run([upsert("k1")]).results["w"][0]
    assert same == RowOk(made.id, created=False)


def test_a_child_names_its_parent_by_key_in_the_same_call(gateway):
    account = Upsert("a", "Account", KEY, [{KEY: "acc", "Name": "A"}])
    child = Upsert("c", "Contact", KEY, [contact("k", Account={KEY: "acc"})])
    soql = f"SELECT {KEY}, Account.Name, Account.Owner.Name FROM Contact"
    (row,) = gateway.run([account, child, Query("q", soql)]).results["q"].found
    assert row[KEY] == "k"
    assert row["Account.Name"] == "A"
    assert row["Account.Owner.Name"]


def test_reading_by_id_keeps_the_order_and_shows_holes(gateway):
    one, two = gateway.run([upsert("k1", "k2")]).results["w"]
    rows = gateway.read("Contact", [two.id, "003000000000000AAA", one.id], ["Id", "LastName"])
    assert [row and row["Id"] for row in rows] == [two.id, None, one.id]


def test_an_update_of_a_deleted_row_asks_to_follow_it(org, gateway):
    (made,) = gateway.run([upsert("k1")]).results["w"]
    org.agent("DELETE", f"sobjects/Contact/{made.id}")
    step = Update("u", "Contact", [{"Id": made.id, "LastName": "New"}])
    (refused,) = gateway.run([step]).results["u"]
    assert refused.faults[0].kind is FaultKind.IDENTITY
    assert gateway.query("SELECT Id FROM Contact") == []
    assert len(gateway.query("SELECT Id FROM Contact", deleted=True)) == 1


def test_a_query_with_an_unknown_field_fails_alone(gateway):
    answer = gateway.run([Query("bad", "SELECT Foo__c FROM Contact"), upsert("k1")])
    assert isinstance(answer.results["bad"], StepFailed)
    assert answer.results["bad"].fault.code == "INVALID_FIELD"
    assert isinstance(answer.results["w"][0], RowOk)


def test_an_expired_session_is_renewed_once_and_the_call_replayed(org, gateway):
    gateway.limits()
    org.fault("expire_session")
    seen = org.calls()[-1]["seq"]
    assert isinstance(gateway.run([upsert("k1")]).results["w"][0], RowOk)
    tokens = [call for call in org.calls(seen) if call["path"].endswith("/oauth2/token")]
    assert len(tokens) == 1


def test_many_threads_with_an_expired_token_sign_in_once(org, gateway):
    gateway.limits()
    org.fault("expire_session")
    seen = org.calls()[-1]["seq"]
    threads = [threading.Thread(target=gateway.limits) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tokens = [call for call in org.calls(seen) if call["path"].endswith("/oauth2/token")]
    assert len(tokens) == 1


def test_a_lost_answer_of_a_write_is_of_unknown_outcome_and_not_repeated(org, gateway):
    gateway.limits()
    org.fault("reset_after_commit", path="*/composite")
    with pytest.raises(CallFailed) as raised:
        gateway.run([upsert("k1")])
    assert raised.value.fault.kind is FaultKind.UNKNOWN
    assert gateway.count("SELECT COUNT() FROM Contact") == 1


def test_a_lost_answer_of_a_read_is_repeated(org, gateway):
    gateway.limits()
    org.fault("reset_before", path="*/composite")
    assert gateway.query("SELECT Id FROM Contact") == []


def test_a_server_error_without_words_after_a_write_is_of_unknown_outcome(org, gateway):
    gateway.limits()
    org.fault("status", path="*/composite", status=502)
    with pytest.raises(CallFailed) as raised:
        gateway.run([upsert("k1")])
    assert raised.value.fault.kind is FaultKind.UNKNOWN


def test_a_locked_row_is_a_fault_to_retry(org, gateway):
    org.fault("lock", path="*/composite")
    (refused,) = gateway.run([upsert("k1")]).results["w"]
    assert refused.faults[0].code == "UNABLE_TO_LOCK_ROW"
    assert refused.faults[0].kind is FaultKind.RETRY


def test_text_that_looks_like_a_composite_reference_arrives_as_it_is(gateway):
    text = "what is @{w.id} here?"
    case = Upsert("w", "Case", KEY, [{KEY: "c1", "Subject": text}])
    answer = gateway.run([case, Query("q", f"SELECT Subject FROM Case WHERE {KEY} = 'c1'")])
    assert answer.results["q"].found == [{"Subject": text}]
    assert answer.calls == 2


def test_long_results_are_followed_page_by_page(gateway):
    for start in range(0, 2400, 1000):
        steps = [
            Upsert(
                f"w{at}",
                "Contact",
                KEY,
                [contact(f"k{n}") for n in range(at, min(at + 200, 2400))],
            )
            for at in range(start, min(start + 1000, 2400), 200)
        ]
        gateway.run(steps)
    answer = gateway.run([Query("q", f"SELECT {KEY} FROM Contact")])
    assert len({row[KEY] for row in answer.results["q"].found}) == 2400
    assert answer.calls == 2


def test_a_query_may_name_two_thousand_keys(gateway):
    gateway.run([upsert("k7")])
    keys = ",".join(f"'k{n}'" for n in range(2000))
    assert len(gateway.query(f"SELECT Id FROM Contact WHERE {KEY} IN ({keys})")) == 1


def test_a_collections_read_and_a_query_share_a_call(gateway):
    (made,) = gateway.run([upsert("k1")]).results["w"]
    answer = gateway.run(
        [Read("r", "Contact", [made.id], ["LastName"]), Query("q", "SELECT Id FROM Case")]
    )
    assert answer.results["r"].found == [{"LastName": "Name k1"}]
    assert answer.calls == 1


def test_usage_and_our_name_travel_with_every_call(org, gateway):
    gateway.run([upsert("k1")])
    used, limit = gateway.usage
    assert 0 < used < limit
    assert org.calls()[-1]["client"].startswith("line-connector/")


def test_describe_shows_our_key_and_an_unknown_object_is_a_config_fault(gateway):
    key = gateway.describe("Contact").field(KEY)
    assert key.external_id
    assert key.unique
    with pytest.raises(CallFailed) as raised:
        gateway.describe("Nothing__c")
    assert raised.value.fault.code == "INVALID_TYPE"
    assert not raised.value.fault.org_wide


def test_a_host_that_nobody_answers_at_was_never_asked(org):
    gateway = Gateway(dataclasses.replace(org.access(), login_url="http://127.0.0.1:9"))
    with pytest.raises(CallFailed) as raised:
        gateway.run([upsert("k1")])
    assert raised.value.fault.code == "NOT_SENT"
    assert raised.value.fault.kind is FaultKind.RETRY
