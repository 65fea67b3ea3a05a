"""What was received: stored once, then read and applied to records."""
