"""Migrations and tables say the same."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from connector.ground.postgres import Postgres
from connector.store import migrate
from connector.store.tables import Base


@pytest.fixture(scope="module")
def engine(postgres: Postgres) -> Iterator[sa.Engine]:
    """A database brought to the newest revision from nothing."""
    name = f"migrated_{uuid4().hex}"
    url = postgres.create(name)
    migrate.upgrade(url)
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()
    postgres.drop(name)


def test_the_migrations_make_exactly_the_tables(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_indexes_have_the_conditions_that_the_tables_state(engine: sa.Engine) -> None:
    """Partial indexes are our locking rules, and the comparison above does not read conditions."""
    stated = {
        index.name
        for table in Base.metadata.sorted_tables
        for index in table.indexes
        if index.dialect_options["postgresql"]["where"] is not None
    }
    query = (
        "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '%WHERE%'"
    )
    with engine.connect() as connection:
        assert set(connection.scalars(sa.text(query))) == stated


def test_conditions_of_indexes_are_the_same_after_create_all(
    engine: sa.Engine, postgres: Postgres
) -> None:
    name = f"created_{uuid4().hex}"
    created = sa.create_engine(postgres.create(name))
    Base.metadata.create_all(created)
    try:
        assert _definitions(engine) == _definitions(created)
    finally:
        created.dispose()
        postgres.drop(name)


def test_a_second_upgrade_changes_nothing(engine: sa.Engine) -> None:
    migrate.upgrade(engine.url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        assert migrate.current(connection) == migrate.head()


def test_a_revision_of_the_future_is_refused(postgres: Postgres) -> None:
    name = f"newer_{uuid4().hex}"
    url = postgres.create(name)
    migrate.upgrade(url)
    newer = sa.create_engine(url)
    with newer.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    newer.dispose()
    with pytest.raises(migrate.UnknownRevision, match="9999"):
        migrate.upgrade(url)
    postgres.drop(name)


def test_every_table_with_personal_data_leads_to_a_person() -> None:
    reached, before = {"people"}, set()
    while reached != before:
        before = set(reached)
        reached |= {
            table.name
            for table in Base.metadata.sorted_tables
            if any(key.column.table.name in reached for key in table.foreign_keys)
            or "person_id" in table.columns
        }
    apart = {table.name for table in Base.metadata.sorted_tables} - reached
    personal = {"phone", "email", "values", "answers", "line_user_id", "display_name", "address"}
    leaks = {
        table.name: sorted(personal & set(table.columns.keys()))
        for table in Base.metadata.sorted_tables
        if table.name in apart and personal & set(table.columns.keys())
    }
    assert leaks == {}


def _definitions(engine: sa.Engine) -> dict[str, str]:
    query = (
        "SELECT indexname, indexdef FROM pg_indexes"
        " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    with engine.connect() as connection:
        return {name: stated for name, stated in connection.execute(sa.text(query))}
