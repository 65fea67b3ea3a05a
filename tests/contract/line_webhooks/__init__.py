"""Recorded webhook bodies against the running receiver."""
