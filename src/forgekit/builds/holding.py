"""The key of an import, held by one process at a time, and its checkpoint, stored together with builds."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from forgekit.builds.imports import Checkpoint, ImportKey
from forgekit.builds.models import BuildRecord, Key
from forgekit.builds.ports import BuildImportRepositories
from forgekit.errors import Conflict, ForgekitError
from forgekit.kernel.clock import Clock
from forgekit.kernel.storage.ports import KernelRepositories, TransactionSource
from forgekit.kernel.storage.transaction import Transaction

_log = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
"""How long an import is ours without a sign of life."""


class Taking(Protocol):
    """What became of builds (``Submission``)."""

    @property
    def accepted(self) -> int:
        """How many are new."""
        ...

    @property
    def updated(self) -> int:
        """How many were known and changed."""
        ...

    @property
    def duplicates(self) -> int:
        """How many were known so."""
        ...


class Desk(Protocol):
    """Where builds are kept (``forge.builds``)."""

    def observe(self, sightings: Iterable[BuildRecord], *, tx: Transaction | None = None) -> Taking:
        """Store builds, each combined with what is known of it."""
        ...

    def build(self, key: Key) -> BuildRecord | None:
        """Return a stored build."""
        ...

    def builds(
        self, *, project: str | None = None, branch: str | None = None, workflow: str | None = None, open_only: bool = False
    ) -> Iterator[BuildRecord]:
        """Yield stored builds."""
        ...


class ImportStorage(TransactionSource, KernelRepositories, BuildImportRepositories, Protocol):
    """What imports need of a storage."""


@attrs.frozen(kw_only=True)
class Hold:
    """The right to import a key, while nobody else has it.

    Attributes:
        key: What is imported.
        holder: Who holds it; unique.
        storage: Where checkpoints are kept.
        desk: Where builds are kept.
        clock: The forge's clock.

    """

    key: ImportKey
    holder: str
    storage: ImportStorage
    desk: Desk
    clock: Clock

    def take(self, lease: timedelta = LEASE) -> Checkpoint:
        """Take the key, or keep it for longer, and return how far imports of it have come.

        Raises:
            Conflict: Somebody else has it; ``data["until"]`` tells until when at most, should they be dead.

        """
        with self.storage.transaction() as tx:
            imports = self.storage.build_imports(tx)
            point = imports.lock_checkpoint(self.key)
            if point.holder not in {None, self.holder} and point.held_until is not None and point.held_until > self.clock.now():
                raise self._conflict(point.held_until)
            point = self._held(point, lease)
            imports.save_checkpoint(point)
        return point

    def store(self, builds: Collection[BuildRecord], point: Checkpoint | None = None) -> Taking:
        """Store builds and, in the same transaction, how far the import has come; without ``point`` as far as before.

        Raises:
            Conflict: Somebody else took the key, because no sign of life came for so long.

        """
        with self.storage.transaction() as tx:
            imports = self.storage.build_imports(tx)
            stored = imports.lock_checkpoint(self.key)
            if stored.holder != self.holder:
                raise self._conflict(stored.held_until)
            taken = self.desk.observe(builds, tx=tx)
            imports.save_checkpoint(self._held(stored if point is None else point))
        return taken

    def release(self) -> None:
        """Let others have it; nothing happens where they have it already. Where that cannot be stored, the lease runs out by itself."""
        try:
            with self.storage.transaction() as tx:
                imports = self.storage.build_imports(tx)
                point = imports.lock_checkpoint(self.key)
                if point.holder == self.holder:
                    imports.save_checkpoint(attrs.evolve(point, holder=None, held_until=None))
        except ForgekitError as error:
            _log.warning("the import of %s could not be let go: %s", self.key.project, error.message)

    def _held(self, point: Checkpoint, lease: timedelta = LEASE) -> Checkpoint:
        return attrs.evolve(point, holder=self.holder, held_until=self.clock.now() + lease)

    def _conflict(self, until: datetime | None) -> Conflict:
        message = f"{self.key.project} is being imported from {self.key.source} already."
        told = None if until is None else until.isoformat(timespec="seconds")
        return Conflict(message, source=self.key.source, project=self.key.project, until=told)
