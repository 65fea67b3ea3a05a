"""Ids of components."""

import zlib

from simulator.salesforce.ids import mint

PREFIXES = {
    "CustomField": "00N",
    "CustomObject": "01I",
    "PermissionSet": "0PS",
    "PlatformEventChannel": "0YL",
    "PlatformEventChannelMember": "0v8",
}


def component_id(type_: str, name: str) -> str:
    """The id of a component, the same as long as its name is."""
    return mint(PREFIXES.get(type_, "0Mt"), zlib.crc32(f"{type_}:{name}".lower().encode()))
