"""Bulk API 2.0: jobs that write or read many rows as CSV, beside the calls (facts section 10)."""
