"""Storage for forgekit on SQLite and PostgreSQL."""

from forgekit_sql.engine import SqlStorage, open_postgresql, open_sqlite

__all__ = ["SqlStorage", "open_postgresql", "open_sqlite"]
