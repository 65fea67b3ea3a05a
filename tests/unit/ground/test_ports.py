"""Ports: a taken one is named, with a way out."""

from __future__ import annotations

import socket

import pytest

from connector.errors import EnvironmentProblem
from connector.ground import ports


def test_a_listener_on_every_address_takes_the_port() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - that is the case tested
        assert not ports.is_free(server.getsockname()[1])


def test_a_port_bound_without_listening_is_taken() -> None:
    with socket.socket() as server:
        server.bind((ports.HOST, 0))
        assert not ports.is_free(server.getsockname()[1])


def test_a_chosen_port_is_free_and_outside_the_fixed_ones() -> None:
    avoid = range(ports.CHOICE.start, ports.CHOICE.stop - 100)
    port = ports.choose(avoid)
    assert port not in avoid
    assert ports.is_free(port)


def test_the_taken_port_is_named_with_a_base_that_is_free() -> None:
    with socket.create_server((ports.HOST, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(EnvironmentProblem) as caught:
            ports.require_free(port - 3, (3,))
    assert caught.value.message == f"port {port} is in use by another program"
    assert caught.value.fix.startswith("stop it or use --port-base ")


@pytest.mark.parametrize("base", [-1, 0, 65001, 100000])
def test_a_base_out_of_range_is_refused(base: int) -> None:
    with pytest.raises(EnvironmentProblem, match="out of range"):
        ports.require_free(base, (0,))
