"""Broken connections: the caller gets a TCP reset instead of an answer."""

import contextlib
import socket
import struct

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TRANSPORT = "simulator.transport"
LINGER_NOT = struct.pack("ii", 1, 0)


class ResettableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with the transport handed to the app in `scope["extensions"]`."""

    def on_message_begin(self) -> None:
        """Open the scope of one request."""
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}


async def reset_connection(scope: Scope, receive: Receive) -> None:
    """Break the connection of this request without a byte of answer."""
    transport = scope["extensions"][TRANSPORT]["transport"]
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            # Zero linger turns the close into RST: callers see a reset, not an empty end.
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    transport.abort()
    # The server must notice the loss before the app returns, else it writes a 500 to the log.
    while (await receive())["type"] != "http.disconnect":
        continue
