"""The org's data outlives its process."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from simulator.salesforce.org import Addresses, SalesforceOrg
from tests.doors import free_ports

from .stage import STARTING_SECONDS, Client, Process, writing


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_rows_numbers_and_tokens_survive_a_restart(tmp_path: Path, number: int) -> None:
    port, tls_port = free_ports(2)
    first = Process(tmp_path, port, tls_port)
    known = first.credentials()
    agent = Client(first.url, known["access_token"])
    contact = agent.create("Contact", LastName="王", LINE_Key__c="k1")
    agent.create("Case", ContactId=contact)
    assert first.end(number) == (0 if number == signal.SIGTERM else -number)

    second = Process(tmp_path, port, tls_port)
    assert second.credentials()["client_id"] == known["client_id"]
    assert agent.call("GET", "/sobjects/Contact/LINE_Key__c/k1").json()["Id"] == contact
    assert agent.create("Contact", LastName="李") > contact
    assert agent.row("Case", agent.create("Case"))["CaseNumber"] == "00001001"
    second.end(signal.SIGTERM)
    agent.http.close()


def test_a_port_in_use_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = Process(tmp_path, port, free_ports(1)[0]).process
        _, words = process.communicate(timeout=STARTING_SECONDS)
    assert process.returncode == 2
    assert words.count("\n") == 1
    assert str(port) in words


def test_an_org_file_that_cannot_be_is_told_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text("rules: [{kind: validation, object: Case, message: x}]")
    process = Process(tmp_path, *free_ports(2)).process
    _, words = process.communicate(timeout=STARTING_SECONDS)
    assert process.returncode == 2
    assert "org.yaml" in words
    assert "when" in words


def test_rows_in_the_bin_come_back_after_a_restart(tmp_path: Path) -> None:
    first = SalesforceOrg(tmp_path, Addresses(port=1))
    with writing(first) as writer:
        account = writer.create(first.schema.objects["Account"], {"Name": "王家"})
        writer.create(first.schema.objects["Contact"], {"LastName": "王", "AccountId": account})
        writer.delete(first.schema.objects["Account"], account)
    first.close()
    again = SalesforceOrg(tmp_path, Addresses(port=1))
    with writing(again) as writer:
        writer.undelete(account)
    rows = again.store.tables["Contact"].rows.values()
    assert ["IsDeleted" in each for each in rows] == [False]
    again.close()
