"""Doubled slashes: some clients join an address that ends in `/` with a path that begins so."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

DOUBLED = re.compile(r"/{2,}")


def single_slashes(app: ASGIApp) -> ASGIApp:
    """The app, with every doubled slash of a path taken for one, as Salesforce takes it."""

    async def tidied(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "//" in scope["path"]:
            scope = {**scope, "path": DOUBLED.sub("/", scope["path"])}
        await app(scope, receive, send)

    return tidied
