"""API keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from forgekit.accounts.models import ApiKey, StoredKey
from forgekit.errors import Conflict
from forgekit_sql.queues import changed
from forgekit_sql.repository import Repository, load_all, record
from forgekit_sql.statements import insert
from forgekit_sql.tables import api_keys as _keys

_c = _keys.c
_KEY = select(_c.id, _c.name, _c.scopes, _c.created_at, _c.expires_at, _c.revoked_at)


class SqlAccounts(Repository):
    """Implements ``KeyRepository``."""

    def add_key(self, key: StoredKey) -> None:
        """Store a new key.

        Raises:
            Conflict: The id is taken.

        """
        connection = self._writing
        statement = insert(connection, _keys).values(**record(key.key), digest=key.digest)
        if connection.execute(statement.on_conflict_do_nothing().returning(_c.id)).first() is None:
            raise Conflict("An API key with this id exists already.", id=key.key.id)

    def key(self, key_id: str) -> StoredKey | None:
        """Return the key with this id, revoked or not."""
        row = self._reading.execute(select(_keys).where(_c.id == key_id)).first()
        if row is None:
            return None
        values = row._asdict()
        return StoredKey(digest=values.pop("digest"), key=ApiKey(**values))

    def all_keys(self) -> Sequence[ApiKey]:
        """Return all keys, oldest first."""
        return load_all(ApiKey, self._reading.execute(_KEY.order_by(_c.created_at, _c.id)).all())

    def revoke_key(self, key_id: str, now: datetime) -> bool:
        """Mark a key as revoked; False where there is none such, or it is revoked already and keeps its time."""
        statement = update(_keys).where(_c.id == key_id, _c.revoked_at.is_(None)).values(revoked_at=now)
        return changed(self._writing.execute(statement)) == 1
