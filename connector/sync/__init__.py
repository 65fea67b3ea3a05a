"""Use cases: take in, apply, deliver, settle, recheck, explain. Knows no web framework and no queue library."""
