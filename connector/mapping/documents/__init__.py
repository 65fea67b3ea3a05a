"""What admins write: mapping and form documents, read with the place of every key."""
