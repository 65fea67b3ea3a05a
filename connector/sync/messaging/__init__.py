"""From owed notices to messages that LINE took."""
