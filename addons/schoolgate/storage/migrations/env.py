"""What Alembic runs to migrate: uses the connection, and the open transaction, that `upgrade` gives it."""

from alembic import context

from schoolgate.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most things in place; batch mode copies the table instead.
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
