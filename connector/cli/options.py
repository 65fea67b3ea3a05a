"""The options that many commands share."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path(".connector"),
    show_default=True,
    help="Data folder of the `connector up` to talk to.",
)

reveal_option = click.option("--reveal", is_flag=True, help="Show personal values unmasked.")


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"


author_option = click.option(
    "--author", default=_login, show_default="your login", help="Who does this, for the history."
)
