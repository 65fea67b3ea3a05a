"""The gRPC port of the simulator's process."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import grpc
import pytest
from grpc import StatusCode

from simulator.control.server import AddressInUse
from simulator.salesforce.org import Addresses, SalesforceOrg
from simulator.salesforce.pubsub.server import PubSubServer
from tests.doors import free_ports

from .stage import STARTING_SECONDS, Process
from .subscriber import Subscriber


def test_open_streams_do_not_keep_the_process_from_its_end(tmp_path: Path) -> None:
    port, tls_port, pubsub = free_ports(3)
    process = Process(tmp_path, port, tls_port, "--pubsub-port", str(pubsub), "--pubsub-plaintext")
    known = process.credentials()
    assert known["pubsub_tls"] is False
    with grpc.insecure_channel(known["pubsub_endpoint"]) as channel:
        subscriber = Subscriber(known, channel)
        streams = [subscriber.subscribe(), subscriber.subscribe(1)]
        assert [len(stream.next().events) for stream in streams] == [0, 0]
        begun = time.monotonic()
        assert process.end(signal.SIGTERM) == 0
        assert time.monotonic() - begun < 1
        assert {stream.ending().code() for stream in streams} == {StatusCode.UNAVAILABLE}


def test_a_taken_grpc_port_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = Process(tmp_path, *free_ports(2), "--pubsub-port", port).process
        _, words = process.communicate(timeout=STARTING_SECONDS)
    assert process.returncode == 2
    assert words.count("\n") == 1
    assert f"127.0.0.1:{port}" in words


def test_two_servers_never_share_a_port(tmp_path: Path) -> None:
    org = SalesforceOrg(tmp_path, Addresses(port=1))
    with PubSubServer(org, "127.0.0.1", 0) as first, pytest.raises(AddressInUse):
        PubSubServer(org, "127.0.0.1", first.port)
    org.close()
