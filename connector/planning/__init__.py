"""What an admin does with documents before and after they are live: see what would happen, and take it back."""
