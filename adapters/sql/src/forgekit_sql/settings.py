"""Stored settings and outgoing budgets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update

from forgekit.kernel.storage.ports import StoredSetting
from forgekit_sql.repository import Repository, load_all, record
from forgekit_sql.statements import SET, insert, upsert
from forgekit_sql.tables import budgets as _budgets
from forgekit_sql.tables import settings as _settings


class SqlSettings(Repository):
    """Implements ``SettingsRepository``."""

    def read(self, namespace: str) -> Sequence[StoredSetting]:
        """Return the stored settings of a namespace, by name."""
        query = select(_settings).where(_settings.c.namespace == namespace).order_by(_settings.c.name)
        return load_all(StoredSetting, self._reading.execute(query).all())

    def write(self, settings: Collection[StoredSetting]) -> None:
        """Store or replace."""
        connection = self._writing
        if settings:
            connection.execute(upsert(connection, _settings), [record(setting) for setting in settings])

    def remove(self, namespace: str, names: Collection[str]) -> None:
        """Forget settings; absent ones are no error."""
        self._writing.execute(delete(_settings).where(_settings.c.namespace == namespace, _settings.c.name.in_(names)))

    def sealed(self, *, not_with: str, limit: int) -> Sequence[StoredSetting]:
        """Return up to ``limit`` sealed settings whose envelope (``v1.<key id>.…``) names another key id than ``not_with``, locked."""
        prefix = f"v1.{not_with}."
        query = (
            select(_settings)
            .where(_settings.c.sealed == SET, func.substr(_settings.c.value, 1, len(prefix)) != prefix)
            .order_by(_settings.c.namespace, _settings.c.name)
            .limit(limit)
            .with_for_update()
        )
        return load_all(StoredSetting, self._writing.execute(query).all())


class SqlBudgets(Repository):
    """Implements ``BudgetRepository``."""

    def lock(self, credential: str) -> tuple[str, datetime | None]:
        """Return a budget's ledger text and until when we are blocked; one statement makes the row, locks it and reads it."""
        connection = self._writing
        statement = insert(connection, _budgets).values(credential=credential, ledger="")
        statement = statement.on_conflict_do_update(index_elements=["credential"], set_={"credential": statement.excluded.credential})
        row = connection.execute(statement.returning(_budgets.c.ledger, _budgets.c.blocked_until)).one()
        return row.ledger, row.blocked_until

    def save(self, credential: str, ledger: str, blocked_until: datetime | None) -> None:
        """Store both."""
        values = {"ledger": ledger, "blocked_until": blocked_until}
        self._writing.execute(update(_budgets).where(_budgets.c.credential == credential).values(values))
