"""Tests that need servers of their own, not yet the whole stack."""
