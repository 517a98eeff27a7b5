"""Schema revisions, run by Alembic when the store opens."""
