"""What the Pub/Sub API refuses: gRPC status, `error-code` of the trailer, and text (facts 14)."""

from collections.abc import Mapping
from typing import Any

from grpc import StatusCode

PREFIX = "sfdc.platform.eventbus.grpc."
# As the call log and `status` faults speak of gRPC statuses.
HTTP_STATUS: Mapping[StatusCode, int] = {
    StatusCode.OK: 200,
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.NOT_FOUND: 404,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.INTERNAL: 500,
    StatusCode.UNAVAILABLE: 503,
}


class Refused(Exception):
    """The end of a call as its client sees it; without a `code` the trailer has none."""

    def __init__(self, status: StatusCode, code: str | None, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = None if code is None else PREFIX + code
        self.text = text


def not_authenticated(reason: str = "The session is expired or invalid.") -> Refused:
    """The metadata of the call do not prove who calls, or no longer do."""
    text = f"An authentication exception occurred. {reason}"
    return Refused(StatusCode.UNAUTHENTICATED, "service.auth.error", text)


def no_access(topic: str) -> Refused:
    """The user may not see what the events of a topic are about."""
    text = f"The user has no permission to access the topic {topic}."
    return Refused(StatusCode.PERMISSION_DENIED, "topic.permission.denied", text)


def not_publishable(topic: str) -> Refused:
    """Events of this topic come from the org alone."""
    text = f"Publishing to the topic {topic} is not allowed; only custom platform events can be."
    return Refused(StatusCode.PERMISSION_DENIED, "topic.permission.denied", text)


def topic_not_found(topic: str) -> Refused:
    """There is no such topic."""
    text = f"The topic {topic} is not found. Check its name and the entities of its channel."
    return Refused(StatusCode.NOT_FOUND, "topic.not.found", text)


def schema_not_found(schema_id: str) -> Refused:
    """There is no such schema."""
    text = f"The schema {schema_id} is not found."
    return Refused(StatusCode.NOT_FOUND, "schema.not.found", text)


def subscription_not_found(name: str) -> Refused:
    """There is no such managed subscription."""
    text = f"The managed subscription {name!r} is not found."
    return Refused(StatusCode.NOT_FOUND, "subscription.not.found", text)


def subscription_changed(name: str) -> Refused:
    """A stream keeps the managed subscription of its first request."""
    text = f"The stream is bound to the managed subscription {name}; open another stream."
    return Refused(StatusCode.INVALID_ARGUMENT, "subscription.changed", text)


def topic_changed(first: str, later: str) -> Refused:
    """A stream keeps the topic of its first request."""
    text = f"The stream is bound to {first} and cannot change to {later}; open another stream."
    return Refused(StatusCode.INVALID_ARGUMENT, "topic.changed", text)


def bad_demand(requested: int) -> Refused:
    """A request asks for no events, or for more than one request may."""
    text = f"The number of requested events is invalid: {requested}. Request 1 to 100 events."
    code = "subscription.fetch.requested.events.invalid"
    return Refused(StatusCode.INVALID_ARGUMENT, code, text)


def replay_id_missing() -> Refused:
    """A subscription from a place of its own does not say which."""
    text = "The Replay ID validation failed. A CUSTOM replay preset needs a Replay ID."
    code = "subscription.fetch.replayid.validation.failed"
    return Refused(StatusCode.INVALID_ARGUMENT, code, text)


def replay_id_corrupted() -> Refused:
    """Nobody can say what came after this place, or part of it is no longer kept."""
    text = "The Replay ID validation failed. Ensure that the Replay ID is valid."
    code = "subscription.fetch.replayid.corrupted"
    return Refused(StatusCode.INVALID_ARGUMENT, code, text)


def allowance_spent() -> Refused:
    """The org's deliveries of the last 24 hours are used up."""
    text = "You have exceeded the event delivery limit for your org."
    return Refused(StatusCode.RESOURCE_EXHAUSTED, "subscription.limit.exceeded", text)


def too_many_streams(most: int) -> Refused:
    """More streams are open than the org allows."""
    text = f"The maximum number of concurrent clients, {most}, has been exceeded."
    return Refused(StatusCode.RESOURCE_EXHAUSTED, "concurrent.client.limit.exceeded", text)


def bad_batch(reason: str) -> Refused:
    """A request to publish that cannot be read as a whole."""
    return Refused(StatusCode.INVALID_ARGUMENT, "publish.request.invalid", reason)


def unavailable() -> Refused:
    """The service ends its streams: upkeep, a restart, a shutdown."""
    text = "The Pub/Sub API service is unavailable."
    return Refused(StatusCode.UNAVAILABLE, "service.unavailable", text)


def connection_reset() -> Refused:
    """What a client is told of a connection that broke."""
    return Refused(StatusCode.UNAVAILABLE, None, "recvmsg: Connection reset by peer")


def by_fault(params: Mapping[str, Any]) -> Refused:
    """The end that a `status` fault asks for, given as an HTTP status."""
    wanted = params["status"]
    named = {http: status for status, http in HTTP_STATUS.items() if http not in {200, 400}}
    status = named.get(wanted, StatusCode.INTERNAL)
    if status is StatusCode.UNAUTHENTICATED:
        return not_authenticated()
    if status is StatusCode.UNAVAILABLE:
        return unavailable()
    return Refused(status, None, str(params.get("body") or f"The server answered {wanted}."))
