"""What is live: the org this database belongs to, and the documents that were published against it."""
