"""A record and its row: what was seen of both, line by line, and what that means for either."""
