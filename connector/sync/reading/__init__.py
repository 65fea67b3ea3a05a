"""Reading the org: its change events, its polled streams, whole objects, and what to do after a restore."""
