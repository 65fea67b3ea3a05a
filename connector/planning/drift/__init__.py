"""Drift: what changed in the org under the live mappings, told before rows fail."""
