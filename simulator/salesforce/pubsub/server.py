"""The gRPC server: bound before anything else, ended at once, whatever streams are open."""

from concurrent.futures import ThreadPoolExecutor

import grpc

from simulator.control.server import AddressInUse, bind
from simulator.salesforce.eventbus.pubsub_api_pb2_grpc import add_PubSubServicer_to_server
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.pubsub.publishing import REQUEST_BYTES
from simulator.salesforce.pubsub.service import PubSubService
from simulator.salesforce.pubsub.streams import Watch

# Every open stream holds a thread, and is counted against the org's switch long before.
THREADS = 2_000
GRACE_SECONDS = 0.2
OPTIONS = (
    # Two simulators must not share a port unseen.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", REQUEST_BYTES),
)


class PubSubServer:
    """Serves the Pub/Sub API of an org while its block runs; with TLS unless the org has none."""

    def __init__(self, org: SalesforceOrg, host: str, port: int) -> None:
        self._org = org
        self._host = host
        self._watch = Watch(org)
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="pubsub")
        self._server = grpc.server(pool, options=OPTIONS)
        service = PubSubService(org, self._watch)
        add_PubSubServicer_to_server(service, self._server)  # type: ignore[no-untyped-call]
        self.port = self._listen(port)

    def __enter__(self) -> "PubSubServer":
        self._watch.start()
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.stop()
        self._server.stop(GRACE_SECONDS).wait()

    def _listen(self, port: int) -> int:
        # gRPC says nothing useful of a port that is taken, so a plain socket asks first.
        bind(self._host, port).close()
        address = f"[{self._host}]:{port}" if ":" in self._host else f"{self._host}:{port}"
        try:
            if not self._org.has_pubsub_tls:
                return self._server.add_insecure_port(address)
            files = self._org.tls_files
            pair = (files.key.read_bytes(), files.certificate.read_bytes())
            return self._server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        except RuntimeError as problem:
            raise AddressInUse(self._host, port, str(problem).lower()) from problem
