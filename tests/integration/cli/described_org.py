"""The simulated org, as far as it can be described, for commands that ask for no more."""

from __future__ import annotations

from connector.mapping.schema import ObjectSchema
from tests.unit.mapping.building import org


class DescribedOrg:
    """Stands where the gateway does."""

    def describe(self, name: str) -> ObjectSchema:
        """What the org says of an object."""
        return org()[name]

    def close(self) -> None:
        """Nothing is open."""
