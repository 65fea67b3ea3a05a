"""The LINE edge: reads what LINE sends, sends what is owed, turns LINE's errors into faults."""
