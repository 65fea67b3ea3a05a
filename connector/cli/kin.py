"""A parent of a row, as JSON: the field that names it, and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector.sync.desk.explain import Kin


def named(kin: Kin) -> dict[str, Any]:
    """Which row a reference field must name."""
    return {
        "field": kin.parent.field,
        "via": kin.parent.via,
        "optional": kin.parent.optional,
        "record": kin.record,
        "salesforce_id": kin.salesforce_id,
    }
