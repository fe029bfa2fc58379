"""Statements that SQLAlchemy spells differently for each database, and conditions that fit partial indexes."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, literal_column
from sqlalchemy.dialects import postgresql, sqlite

SET: ColumnElement[int] = literal_column("1")
"""A flag that is on, spelt out: a partial index serves no condition with a parameter in it."""

NO_LINES: ColumnElement[str] = literal_column("'[]'")
"""An empty tuple of texts, spelt out for the same reason."""


def insert(connection: Connection, table: Table) -> Any:
    """Return an INSERT that knows ON CONFLICT, the same methods on both databases."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def upsert(connection: Connection, table: Table) -> Any:
    """Return an INSERT that replaces the row of the same primary key."""
    return _upsert(connection.dialect.name, table)


@cache
def _upsert(dialect: str, table: Table) -> Any:
    statement: Any = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    replaced = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=replaced)
