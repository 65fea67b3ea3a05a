"""Start the Salesforce simulator."""

import sys
import tempfile
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

from yaml import YAMLError

from simulator.control.server import Listener, run
from simulator.salesforce.app import make_app
from simulator.salesforce.arrangement import FIRST_FILE
from simulator.salesforce.org import Addresses, SalesforceOrg
from simulator.salesforce.rulebook.book import InvalidRule
from simulator.salesforce.switches import InvalidSwitch


def serve(arguments: Namespace) -> int:
    """Serve the org over HTTP and HTTPS until a signal; the exit code of the process."""
    with ExitStack() as stack:
        folder = arguments.data
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        addresses = Addresses(
            arguments.host, arguments.port, arguments.tls_port, arguments.pubsub_port
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
        app, tls = make_app(org), org.tls_files
        return run(
            [
                Listener(app, addresses.host, addresses.port),
                Listener(app, addresses.host, addresses.tls_port, tls.certificate, tls.key),
            ]
        )
