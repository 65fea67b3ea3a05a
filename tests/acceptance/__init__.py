"""The whole house, started as a person starts it and used over HTTP alone."""
