"""Plain Python, no I/O: what records, merges, states and faults are."""
