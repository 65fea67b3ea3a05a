"""Bulk API 2.0: thousands of rows written or read by one job, as CSV."""
