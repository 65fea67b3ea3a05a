"""Bring the database to this version's tables, or say why it may not be used."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from connector.errors import EnvironmentProblem

_HERE = Path(__file__).parent / "migrations"
_LOCK = 7_361_201  # one migration at a time, whoever starts it


class UnknownRevision(EnvironmentProblem):
    """The database was migrated by a newer version of the connector."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            "unknown_revision",
            f"the database is at revision {revision}, which this version does not know",
            "Run the version that migrated it, or restore the database of this version.",
        )


def upgrade(url: str) -> None:
    """Migrate to the newest revision; another process that does the same waits."""
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            _refuse_unknown(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def current(connection: sa.Connection) -> str | None:
    """The database's revision; None where there is none."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The newest revision of this version."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _refuse_unknown(connection: sa.Connection) -> None:
    here = current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if here is not None and here not in known:
        raise UnknownRevision(here)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "os")
    return config
