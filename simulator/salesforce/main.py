"""Start the Salesforce simulator."""

import sys
import tempfile
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

from yaml import YAMLError

from simulator.control.server import AddressInUse, Listener, run
from simulator.salesforce.app import make_app
from simulator.salesforce.arrangement import FIRST_FILE
from simulator.salesforce.org import Addresses, SalesforceOrg
from simulator.salesforce.pubsub.server import PubSubServer
from simulator.salesforce.rulebook.book import InvalidRule
from simulator.salesforce.switches import InvalidSwitch


def serve(arguments: Namespace) -> int:
    """Serve the org over HTTP, HTTPS and gRPC until a signal; the exit code of the process."""
    with ExitStack() as stack:
        folder = arguments.data
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        addresses = Addresses(
            arguments.host,
            arguments.port,
            arguments.tls_port,
            arguments.pubsub_port,
            has_pubsub_tls=not arguments.pubsub_plaintext,
        )
        try:
            org = SalesforceOrg(folder, addresses)
        except OSError as problem:
            sys.stderr.write(f"Cannot use the data folder {folder}: {problem.strerror}.\n")
            return 2
        except (InvalidRule, InvalidSwitch, YAMLError) as problem:
            sys.stderr.write(f"Cannot set up the org as {folder / FIRST_FILE} says: {problem}\n")
            return 2
        stack.callback(org.close)
        try:
            pubsub = PubSubServer(org, addresses.host, addresses.pubsub_port)
        except AddressInUse as problem:
            sys.stderr.write(f"{problem}\n")
            return 2
        stack.enter_context(pubsub)
        app, tls = make_app(org), org.tls_files
        return run(
            [
                Listener(app, addresses.host, addresses.port),
                Listener(app, addresses.host, addresses.tls_port, tls.certificate, tls.key),
            ]
        )
