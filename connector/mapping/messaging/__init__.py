"""Notices and their templates: when a change is worth a message, and which one."""
