"""Imports of builds: how far they have come, and how those in the background stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from sqlalchemy import ColumnElement, select

from forgekit.builds.imports import BuildImport, Checkpoint, ImportKey
from forgekit_sql.repository import Repository, load, load_all, record
from forgekit_sql.statements import insert, upsert
from forgekit_sql.tables.build_imports import build_checkpoints as _checkpoints
from forgekit_sql.tables.build_imports import build_imports as _imports


class SqlBuildImports(Repository):
    """Implements ``BuildImportRepository``."""

    def checkpoint(self, key: ImportKey) -> Checkpoint:
        """Return how far imports of a key have come; the defaults where there was none."""
        row = self._reading.execute(select(_checkpoints).where(*_is(key))).first()
        return Checkpoint(key=key) if row is None else _checkpoint(key, row._asdict())

    def lock_checkpoint(self, key: ImportKey) -> Checkpoint:
        """Return the same, its row made where there is none and held until the commit: who writes takes turns."""
        connection = self._writing
        connection.execute(insert(connection, _checkpoints).values(**_row(Checkpoint(key=key))).on_conflict_do_nothing())
        return _checkpoint(key, connection.execute(select(_checkpoints).where(*_is(key)).with_for_update()).one()._asdict())

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Store or replace it."""
        connection = self._writing
        connection.execute(upsert(connection, _checkpoints), _row(checkpoint))

    def save_import(self, build_import: BuildImport) -> None:
        """Store or replace an import."""
        connection = self._writing
        connection.execute(upsert(connection, _imports), record(build_import))

    def find_import(self, import_id: str) -> BuildImport | None:
        """Return one import."""
        return load(BuildImport, self._reading.execute(select(_imports).where(_imports.c.id == import_id)).first())

    def imports(self, *, limit: int) -> Sequence[BuildImport]:
        """Return the latest imports, the last first."""
        query = select(_imports).order_by(_imports.c.id.desc()).limit(limit)
        return load_all(BuildImport, self._reading.execute(query).all())

    def unfinished_imports(self) -> Sequence[BuildImport]:
        """Return the imports that go on, in the order in which they were asked for."""
        query = select(_imports).where(_imports.c.finished_at.is_(None)).order_by(_imports.c.requested_at, _imports.c.id)
        return load_all(BuildImport, self._reading.execute(query).all())


def _is(key: ImportKey) -> list[ColumnElement[bool]]:
    return [_checkpoints.c[name] == value for name, value in attrs.asdict(key).items()]


def _row(checkpoint: Checkpoint) -> dict[str, Any]:
    values = record(checkpoint)
    return {**attrs.asdict(values.pop("key")), **values}


def _checkpoint(key: ImportKey, row: dict[str, Any]) -> Checkpoint:
    return Checkpoint(key=key, **{name: value for name, value in row.items() if name not in attrs.fields_dict(ImportKey)})
