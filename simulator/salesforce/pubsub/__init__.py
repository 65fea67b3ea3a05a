"""The Pub/Sub API of the org: change events and platform events over gRPC."""
