"""`python -m simulator line|salesforce`: one simulator in the foreground until a signal."""

import argparse
import importlib
import sys
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    """The command line of both simulators."""
    root = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    which = root.add_subparsers(dest="which", required=True)

    line = which.add_parser("line", help="the LINE platform, a phone, and an SMS gateway")
    _add_common(line, port=8402)
    line.add_argument("--webhook-url", default="http://127.0.0.1:8400/webhooks/line")
    line.add_argument("--liff-endpoint", default="http://127.0.0.1:8400/liff")

    salesforce = which.add_parser("salesforce", help="a Salesforce org")
    _add_common(salesforce, port=8403)
    salesforce.add_argument("--tls-port", type=int, default=8405)
    salesforce.add_argument("--pubsub-port", type=int, default=8404)
    salesforce.add_argument("--pubsub-plaintext", action="store_true", help="gRPC without TLS")
    return root


def _add_common(command: argparse.ArgumentParser, port: int) -> None:
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=int, default=port)
    command.add_argument("--data", type=Path, default=None, help="folder kept between runs")


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator asked for; the exit code is 0, or 2 for usage and environment."""
    chosen = parser().parse_args(arguments)
    # Imported by name, so that starting one simulator does not pay for loading the other.
    simulator = importlib.import_module(f"simulator.{chosen.which}.main")
    code: int = simulator.serve(chosen)
    return code


if __name__ == "__main__":
    sys.exit(main())
