"""Rules that administrators of real orgs make, as data: added by control call or `org.yaml`."""

from simulator.salesforce.rulebook.book import Rulebook

__all__ = ["Rulebook"]
