"""Alembic's door: runs the revisions on the connection that `extension.store.migrate` hands over."""

from alembic import context

from extension.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite can roll back schema changes too: a process killed half-way leaves the old schema whole.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
