"""`connector up` with real servers and small processes."""
