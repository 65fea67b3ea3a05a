"""A Salesforce org, imitated over its REST API."""
