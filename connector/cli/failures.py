"""What went wrong, in one sentence, whatever it was."""

from __future__ import annotations

import sys

import click

from connector.errors import ConnectorError, EnvironmentProblem

_DATABASE_FIX = "See that PostgreSQL runs and that CONNECTOR_DATABASE_URL names it."
_TABLES_FIX = "Bring the database up to date with: connector prepare"


def problem_of(error: Exception) -> ConnectorError:
    """The error as a person should read it; nothing of an unexpected one's values is shown."""
    if isinstance(error, ConnectorError):
        return error
    if isinstance(error, click.UsageError):
        return _usage(error)
    if isinstance(error, click.ClickException):
        return EnvironmentProblem("usage", error.format_message())
    return _of_database(error) or _unexpected(error)


def _usage(error: click.UsageError) -> ConnectorError:
    command = error.ctx.command_path if error.ctx else "connector"
    return EnvironmentProblem("usage", error.format_message(), f"See: {command} --help")


def _of_database(error: Exception) -> ConnectorError | None:
    """A database that does not answer, told without importing its library in vain."""
    library = sys.modules.get("sqlalchemy.exc")
    if library is None or not isinstance(error, library.DBAPIError):
        return None
    code = getattr(error.orig, "sqlstate", None)
    if code in ("42P01", "42703"):  # undefined table, undefined column
        return EnvironmentProblem(
            "migrations", "the database is not of this version of the connector", _TABLES_FIX
        )
    if isinstance(error, library.OperationalError):
        return EnvironmentProblem("postgres", "the database cannot be reached", _DATABASE_FIX)
    return None


def _unexpected(error: Exception) -> ConnectorError:
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f" in {where.tb_frame.f_globals.get('__name__')}:{where.tb_lineno}" if where else ""
    return EnvironmentProblem(
        "unexpected",
        f"something unexpected happened ({type(error).__name__}{place})",
        "Call the same command with --debug to see all of it, and report that.",
    )
