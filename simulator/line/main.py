"""`python -m simulator line`: serve the LINE simulator until a signal ends it."""

import argparse
import sys

from simulator.control.server import Listener, run
from simulator.line.app import line_app
from simulator.line.platform import Platform, Settings


def serve(arguments: argparse.Namespace) -> int:
    """Serve; the exit code is 0, or 2 when the address or the data folder cannot be used."""
    settings = Settings(
        webhook_url=arguments.webhook_url,
        liff_endpoint=arguments.liff_endpoint.rstrip("/"),
        data=arguments.data,
    )
    try:
        platform = Platform(settings)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        sys.stderr.write(f"Cannot use the data folder {arguments.data}: {reason}.\n")
        return 2
    except (KeyError, TypeError, ValueError):
        sys.stderr.write(
            f"The data folder {arguments.data} holds files this version cannot read: "
            "remove it, or name another.\n"
        )
        return 2
    try:
        return run([Listener(line_app(platform), arguments.host, arguments.port)])
    finally:
        platform.world.close()
