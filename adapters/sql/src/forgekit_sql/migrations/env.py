"""What Alembic runs: migrations on the connection that it is given, inside that connection's transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from forgekit_sql.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=context.config.attributes["version_table"],
        # SQLite changes a table by making it anew; operations inside batch_alter_table do that.
        render_as_batch=connection.dialect.name == "sqlite",
        # The caller has begun the transaction, and commits it after its own checks.
        transactional_ddl=False,
    )
    context.run_migrations()


_run(context.config.attributes["connection"])
