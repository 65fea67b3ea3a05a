"""The machine-near part beneath `connector up`: our own servers, their supervisor, their folder.

It starts processes and watches them; it knows nothing of LINE, Salesforce or the tables.
"""
