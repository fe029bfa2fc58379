"""The schema's history, and bringing a database up to date."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, inspect, text

from forgekit.errors import SchemaNewer, SchemaStale
from forgekit_sql.database import Database

__all__ = ["REVISIONS", "VERSION_TABLE", "Migrations"]

REVISIONS = ("0001", "0002", "0003", "0004")
"""Every revision, oldest first. Kept here too, so that opening an up-to-date database does not load Alembic."""

VERSION_TABLE = "forgekit_version"


class Migrations:
    """A line of revisions and the table that says how far a database has come."""

    def __init__(self, location: str = "forgekit_sql:migrations", revisions: Sequence[str] = REVISIONS) -> None:
        """Keep where Alembic finds the revisions, and their names, oldest first."""
        self._location = location
        self._revisions = tuple(revisions)

    def check(self, database: Database) -> None:
        """Refuse a database that this code does not know.

        Raises:
            SchemaStale: Its schema is older, or it has none.
            SchemaNewer: Its schema is newer.

        """
        with database.begin(write=False) as connection:
            missing = self._missing(connection)
        if missing:
            raise SchemaStale(missing=list(missing))

    def upgrade(self, database: Database) -> Sequence[str]:
        """Apply what is missing, all or nothing, and return it.

        Raises:
            SchemaNewer: The schema is newer than this code.

        """
        with database.begin(write=False) as connection:
            if not self._missing(connection):
                return ()
        with database.migrating() as connection:
            # Again, now that no other process can be at it.
            missing = self._missing(connection)
            if missing:
                self._apply(connection)
        return missing

    def _missing(self, connection: Connection) -> tuple[str, ...]:
        reached = _reached(connection)
        if reached is None:
            return self._revisions
        if reached not in self._revisions:
            raise SchemaNewer(revision=reached)
        return self._revisions[self._revisions.index(reached) + 1 :]

    def _apply(self, connection: Connection) -> None:
        from alembic import command
        from alembic.config import Config

        config = Config(attributes={"connection": connection, "version_table": VERSION_TABLE})
        config.set_main_option("script_location", self._location)
        config.set_main_option("path_separator", "os")
        command.upgrade(config, "head")


def _reached(connection: Connection) -> str | None:
    """Return the revision that a database has reached; None for one without our tables."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    return revision
