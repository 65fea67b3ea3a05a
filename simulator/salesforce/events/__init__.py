"""Change events: what commits changed, kept for three days and read through topics (facts 13)."""
