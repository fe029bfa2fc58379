"""Imports of builds: checkpoints, and imports in the background."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs

from forgekit.builds.imports import BuildImport, Checkpoint, ImportKey, ImportStatus
from forgekit.hookspecs import StorageEngine
from forgekit.testing.storage.base import NOW, SECOND, Contract

KEY = ImportKey(source="github", project="acme/shop")
WHOLE = Checkpoint(
    key=KEY,
    name="Acme/Shop",
    label="CI",
    watermark=NOW,
    covered_since=NOW - SECOND,
    cursor='{"page":2}',
    floor=NOW,
    ceiling=NOW + SECOND,
    top=NOW,
    listed=3,
    total=4,
    reruns=("2:7", "3:käse"),
    mark='W/"abc"',
    mark_since=NOW,
    holder="h-1",
    held_until=NOW + SECOND,
)


def _import(name: str, requested_at: datetime = NOW, **changes: Any) -> BuildImport:
    return BuildImport(**{"id": name, "source": "github", "project": "acme/shop", "requested_at": requested_at, **changes})


class BuildImportContract(Contract):
    """What the repository of ``build_imports`` promises."""

    def test_a_checkpoint_comes_back_whole(self, storage: StorageEngine) -> None:
        """Every field of a checkpoint is kept, under its key."""
        with storage.transaction() as tx:
            imports = storage.build_imports(tx)
            imports.save_checkpoint(WHOLE)
            assert imports.checkpoint(KEY) == WHOLE == imports.lock_checkpoint(KEY)
            for other in ({"source": "gitlab"}, {"project": "acme/Shop"}, {"branch": "main"}, {"workflow": "ci.yml"}):
                key = attrs.evolve(KEY, **other)
                assert imports.checkpoint(key) == Checkpoint(key=key)

    def test_a_checkpoint_is_replaced(self, storage: StorageEngine) -> None:
        """The last that is saved holds, with what is absent in it; locking makes a row and changes nothing."""
        with storage.transaction() as tx:
            imports = storage.build_imports(tx)
            assert imports.lock_checkpoint(KEY) == Checkpoint(key=KEY)
            imports.save_checkpoint(WHOLE)
            imports.save_checkpoint(Checkpoint(key=KEY, listed=9))
            assert imports.checkpoint(KEY) == Checkpoint(key=KEY, listed=9)

    def test_an_import_comes_back_whole(self, storage: StorageEngine) -> None:
        """Every field of an import is kept, and a changed one replaces what was stored."""
        numbers = ("fetched", "total", "accepted", "updated", "duplicates", "calls", "failures")
        times = ("since", "retry_at", "started_at", "changed_at", "finished_at")
        values: dict[str, Any] = {**dict.fromkeys(numbers, 7), **dict.fromkeys(times, NOW + SECOND)}
        told: dict[str, Any] = {"branch": "main", "workflow": "ci.yml", "error": "käse", "code": "remote", "complete": False, "jobs": True}
        whole = _import("i-1", status=ImportStatus.WAITING, **values, **told)
        with storage.transaction() as tx:
            imports = storage.build_imports(tx)
            imports.save_import(_import("i-1"))
            imports.save_import(whole)
            assert imports.find_import("i-1") == whole
            assert imports.find_import("i-2") is None

    def test_the_latest_imports_come_first(self, storage: StorageEngine) -> None:
        """As many as are asked for come, by id, the last first."""
        with storage.transaction() as tx:
            imports = storage.build_imports(tx)
            for number in (2, 1, 3):
                imports.save_import(_import(f"i-{number}"))
            assert [one.id for one in imports.imports(limit=2)] == ["i-3", "i-2"]

    def test_imports_that_go_on_come_in_their_order(self, storage: StorageEngine) -> None:
        """What has not finished comes by the time of its request; what has does not."""
        with storage.transaction() as tx:
            imports = storage.build_imports(tx)
            imports.save_import(_import("i-1", NOW + SECOND))
            imports.save_import(_import("i-2", NOW))
            imports.save_import(_import("i-3", finished_at=NOW, status=ImportStatus.DONE))
            assert [one.id for one in imports.unfinished_imports()] == ["i-2", "i-1"]
