"""The SOAP API of the org: signing in, and the few operations that REST does not have."""

from simulator.salesforce.soap.endpoint import soap_routes

__all__ = ["soap_routes"]
