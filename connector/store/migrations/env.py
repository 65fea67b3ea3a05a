"""Alembic's entry: the connection is always given by `connector.store.migrate`."""

from alembic import context

from connector.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_type=True,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
