"""A host whose certificate nobody vouches for is sent nothing."""

import socket
import ssl
import threading
from contextlib import suppress

import pytest
import trustme

from connector.line.exchange import Exchange, NoAnswer
from connector.line.messaging import Messaging, Request


@pytest.fixture
def stranger():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    listening = socket.create_server(("127.0.0.1", 0))

    def shake_hands():
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with suppress(OSError), context.wrap_socket(connection, server_side=True):
                    pass
                connection.close()

    threading.Thread(target=shake_hands, daemon=True).start()
    yield f"https://localhost:{listening.getsockname()[1]}"
    listening.close()


def test_an_exchange_with_it_never_left(stranger):
    with pytest.raises(NoAnswer) as silence:
        Exchange().post_json(stranger, {}, "T1")
    assert not silence.value.left


def test_a_message_to_it_never_left(stranger):
    with pytest.raises(NoAnswer) as silence:
        Messaging(stranger).call("T1", Request("POST", "/v2/bot/message/push", body={}))
    assert not silence.value.left
