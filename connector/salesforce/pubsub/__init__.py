"""The org's change events over the Pub/Sub API: subscribed to, decoded, told as plain values."""
