"""The page for people: an org browser that edits rows through the org's own API."""

from simulator.salesforce.page.routes import page_routes

__all__ = ["page_routes"]
