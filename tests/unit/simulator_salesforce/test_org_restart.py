"""The org's data outlives its process."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from .stage import STARTING_SECONDS, Client, Process, free_ports


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
