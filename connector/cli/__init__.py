"""The command line: one module per command, each loaded only when it is called."""

from connector.cli.entrance import main

__all__ = ["main"]
