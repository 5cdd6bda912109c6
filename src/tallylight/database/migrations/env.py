"""Runs the chain on the connection, and in the transaction, that `database.schema.migrate` hands over."""

from alembic import context

from tallylight.database.metadata import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
