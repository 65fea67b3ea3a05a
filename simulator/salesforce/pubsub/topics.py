"""Topics and schemas as a caller may see them."""

from simulator.salesforce.eventbus.pubsub_api_pb2 import SchemaInfo, TopicInfo
from simulator.salesforce.events.bus import Topic, UnknownTopic
from simulator.salesforce.pubsub.callers import check_sight
from simulator.salesforce.pubsub.refusals import (
    no_access,
    not_publishable,
    schema_not_found,
    topic_not_found,
)
from simulator.salesforce.pubsub.rpc import Rpc


def topic_of(rpc: Rpc, name: str) -> Topic:
    """A topic that the caller may know of."""
    try:
        topic = rpc.org.events.topic(name)
    except UnknownTopic:
        raise topic_not_found(name) from None
    check_sight(rpc.org, rpc.caller, name)
    return topic


def subscribable(rpc: Rpc, name: str) -> Topic:
    """A topic whose events the caller may have."""
    topic = topic_of(rpc, name)
    if not topic.can_subscribe:
        raise no_access(name)
    return topic


def publishable(rpc: Rpc, name: str) -> Topic:
    """A topic that the caller may publish to."""
    topic = topic_of(rpc, name)
    if not topic.can_publish:
        raise not_publishable(name)
    return topic


def topic_info(rpc: Rpc, name: str) -> TopicInfo:
    """What `GetTopic` answers."""
    topic = topic_of(rpc, name)
    rpc.answer()
    return TopicInfo(
        topic_name=topic.name,
        tenant_guid=f"core/simulator/{rpc.org.organization_id}",
        can_publish=topic.can_publish,
        can_subscribe=topic.can_subscribe,
        schema_id=topic.schema_id,
        rpc_id=rpc.id,
    )


def schema_info(rpc: Rpc, schema_id: str) -> SchemaInfo:
    """What `GetSchema` answers."""
    schema = rpc.org.events.schema(schema_id)
    if schema is None:
        raise schema_not_found(schema_id)
    rpc.answer()
    return SchemaInfo(schema_json=schema, schema_id=schema_id, rpc_id=rpc.id)
