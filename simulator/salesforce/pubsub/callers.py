"""Who calls: access token, org and address, as the metadata of every call name them."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.salesforce.errors import Refusal
from simulator.salesforce.events.channels import CHANNEL_SUFFIX, DEFAULT_CHANNEL, entity_of
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.pubsub.refusals import no_access, not_authenticated

NEEDED = ("accesstoken", "instanceurl", "tenantid")


@dataclass(frozen=True, slots=True)
class Caller:
    """The user behind a call and the session that proves it."""

    token: str
    user_id: str


def caller_of(org: SalesforceOrg, metadata: Mapping[str, str]) -> Caller:
    """The caller that the metadata of a call name, or a refusal."""
    for name in NEEDED:
        if not metadata.get(name):
            raise not_authenticated(f"The metadata header {name} is missing.")
    # `core/<instance>/<org id>` is the other form.
    tenant = metadata["tenantid"].rpartition("/")[2]
    if not is_id(tenant) or long_form(tenant) != org.organization_id:
        raise not_authenticated("The tenantid is not the ID of this org.")
    if metadata["instanceurl"].rstrip("/") not in org.audiences:
        raise not_authenticated("The instanceurl is not the address of this org.")
    try:
        username = org.accounts.username_of(metadata["accesstoken"])
    except Refusal:
        raise not_authenticated() from None
    return Caller(metadata["accesstoken"], org.user(username)["Id"])


def check_sight(org: SalesforceOrg, caller: Caller, topic: str) -> None:
    """Refuse a topic about an object that the caller may not see."""
    name = topic.rpartition("/")[2]
    # A channel tells of several objects.
    if name == DEFAULT_CHANNEL or name.endswith(CHANNEL_SUFFIX):
        return
    if org.visibility.schema_for(caller.user_id).find(entity_of(name)) is None:
        raise no_access(topic)
