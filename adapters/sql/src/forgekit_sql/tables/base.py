"""The one catalogue of tables, and what several of them share."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData

from forgekit_sql.tables.types import UtcTime, text

# Every constraint has a name of its own, so that a later migration can change it on both databases.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def claim_columns() -> list[Column[object]]:
    """Return the columns that every queue has.

    ``claim_at`` is what claiming looks at: from when on the row may be taken. It is ``due_at`` while the row is ready, the end of
    the lease while somebody holds it, and NULL once it is over: so a partial index on it holds no finished rows.
    """
    return [
        Column("state", text(), nullable=False),
        Column("due_at", UtcTime),
        Column("claim_at", UtcTime),
        Column("fence", Integer, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("error", text()),
        Column("settled_at", UtcTime),
    ]
