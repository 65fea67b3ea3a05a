"""The six calls of the Pub/Sub API."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

from grpc import ServicerContext

from simulator.salesforce.eventbus.pubsub_api_pb2 import (
    FetchRequest,
    FetchResponse,
    ManagedFetchRequest,
    ManagedFetchResponse,
    PublishRequest,
    PublishResponse,
    SchemaInfo,
    SchemaRequest,
    TopicInfo,
    TopicRequest,
)
from simulator.salesforce.eventbus.pubsub_api_pb2_grpc import PubSubServicer
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.pubsub.managed import managed_subscription
from simulator.salesforce.pubsub.publishing import publications, published
from simulator.salesforce.pubsub.rpc import Gone, Rpc
from simulator.salesforce.pubsub.streams import OpenStream, Watch
from simulator.salesforce.pubsub.subscription import subscription
from simulator.salesforce.pubsub.topics import schema_info, topic_info

Request = TypeVar("Request")
Response = TypeVar("Response")


class PubSubService(PubSubServicer):
    """Answers calls; the streams among them are watched."""

    def __init__(self, org: SalesforceOrg, watch: Watch) -> None:
        self._org = org
        self._watch = watch

    def GetTopic(self, request: TopicRequest, context: ServicerContext) -> TopicInfo:
        """What the caller may do with a topic."""
        return self._answer(context, "GetTopic", lambda rpc: topic_info(rpc, request.topic_name))

    def GetSchema(self, request: SchemaRequest, context: ServicerContext) -> SchemaInfo:
        """The Avro schema behind an id."""
        return self._answer(context, "GetSchema", lambda rpc: schema_info(rpc, request.schema_id))

    def Publish(self, request: PublishRequest, context: ServicerContext) -> PublishResponse:
        """A batch of platform events."""
        return self._answer(context, "Publish", lambda rpc: published(rpc, request))

    def PublishStream(
        self, requests: Iterator[PublishRequest], context: ServicerContext
    ) -> Iterator[PublishResponse]:
        """Batches of platform events, one after the other."""
        return self._serve(context, "PublishStream", requests, publications)

    def Subscribe(
        self, requests: Iterator[FetchRequest], context: ServicerContext
    ) -> Iterator[FetchResponse]:
        """Events of a topic from a place that the client names."""
        return self._serve(context, "Subscribe", requests, subscription)

    def ManagedSubscribe(
        self, requests: Iterator[ManagedFetchRequest], context: ServicerContext
    ) -> Iterator[ManagedFetchResponse]:
        """Events of a topic from the place that the org keeps for the client."""
        return self._serve(context, "ManagedSubscribe", requests, managed_subscription)

    def _answer(
        self, context: ServicerContext, name: str, work: Callable[[Rpc], Response]
    ) -> Response:
        with Rpc(self._org, context, name) as rpc:
            return work(rpc)

    def _serve(
        self,
        context: ServicerContext,
        name: str,
        requests: Iterator[Request],
        serve: Callable[[OpenStream[Request], Request], Iterator[Response]],
    ) -> Iterator[Response]:
        with (
            suppress(Gone),
            Rpc(self._org, context, name) as rpc,
            self._watch.stream(rpc, requests) as stream,
        ):
            first = stream.next(self._org.switches.stream_idle_seconds)
            if first is not None:
                yield from serve(stream, first)
