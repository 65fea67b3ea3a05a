"""`python -m connector` is the same as `connector`."""

from connector.cli import main

main()
