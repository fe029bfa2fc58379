"""The service: loads, caches, stores and rotates."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeVar

import attrs

from forgekit.errors import NotConfigured, SealBroken, SettingPinned
from forgekit.kernel.secrets.sealer import Sealer
from forgekit.kernel.settings.declare import Declaration, declaration, declared
from forgekit.kernel.settings.sources import Problem, Sources, invalid, misspelt, resolve, unknown
from forgekit.kernel.settings.values import plain
from forgekit.kernel.storage.ports import SettingsRepository, StoredSetting
from forgekit.kernel.storage.transaction import Transaction

T = TypeVar("T")

_log = logging.getLogger(__name__)

SNAPSHOT_AGE = 1.0
"""Seconds; a change made by another process is seen after this."""

_ROTATE_BATCH = 100


class SettingsStore(Protocol):
    """Where settings are stored; every storage engine is one."""

    def transaction(self, *, write: bool = True) -> AbstractContextManager[Transaction]:
        """Open a transaction of its own."""
        ...

    def settings(self, tx: Transaction, /) -> SettingsRepository:
        """Return the stored settings, bound to a transaction."""
        ...


class Settings:
    """The settings of one forge. Thread-safe.

    A value comes from the first of: the program (``Forge.open(config=…)``), the storage, the environment, the default.
    """

    def __init__(
        self,
        store: SettingsStore | None,
        *,
        sealer: Callable[[], Sealer],
        explicit: Mapping[str, Mapping[str, object]] | None = None,
        environ: Mapping[str, str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the parts.

        Args:
            store: Where settings are stored; None for a program without a storage.
            sealer: Makes the sealer when a secret is first stored or read.
            explicit: The program's own values, by namespace and name.
            environ: The environment; the process's own by default, read at each load.
            monotonic: Seconds of any origin, for the age of snapshots.

        """
        self._store = store
        self._make_sealer = sealer
        self._sealer: Sealer | None = None
        self._explicit = {namespace: dict(values) for namespace, values in (explicit or {}).items()}
        self._environ: Mapping[str, str] = os.environ if environ is None else environ
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._snapshots: dict[type[Any], tuple[float, Any]] = {}
        self._generation = 0
        self._warned: set[tuple[str, str]] = set()

    def check(self) -> None:
        """Refuse explicit values for names that nobody declared; called once the plugins are loaded.

        Raises:
            SettingsInvalid: A namespace or a name is unknown; all of them are listed.

        """
        known: dict[str, set[str]] = {}
        for found in declared():
            known.setdefault(found.namespace, set()).update(found.settings)
        problems = []
        for namespace, values in self._explicit.items():
            if namespace in known:
                problems += misspelt(namespace, values, known[namespace])
            else:
                problems.append(unknown(namespace, namespace, known))
        if problems:
            raise invalid(problems)

    def load(self, cls: type[T], tx: Transaction | None = None) -> T:
        """Return the present settings, read now.

        Args:
            cls: A class decorated with ``@settings``.
            tx: Reads inside this transaction; by default in one of its own.

        Raises:
            SettingsInvalid: Something is wrong with them; all of it is listed.

        """
        found = declaration(cls)
        with self._reading(tx) as repository:
            rows = repository.read(found.namespace) if repository is not None else ()
        made: T = self._resolve(found, rows)
        return made

    def snapshot(self, cls: type[T]) -> T:
        """Return settings that are at most one second old; what this process stored is in them at once.

        Raises:
            SettingsInvalid: As for ``load``.

        """
        with self._lock:
            generation = self._generation
            cached = self._snapshots.get(cls)
        now = self._monotonic()
        if cached is not None and now - cached[0] < SNAPSHOT_AGE:
            fresh: T = cached[1]
            return fresh
        # Read outside the lock: whoever holds it must never wait for the database.
        loaded = self.load(cls)
        with self._lock:
            if generation == self._generation:
                self._snapshots[cls] = (now, loaded)
        return loaded

    def store(self, cls: type[T], changes: Mapping[str, object], tx: Transaction | None = None) -> T:
        """Store settings, once the whole of them is valid.

        Args:
            cls: A class decorated with ``@settings``.
            changes: New values by name; None forgets the stored one.
            tx: Joins this transaction; by default one of its own.

        Returns:
            The settings as they are then.

        Raises:
            SettingPinned: The program fixed one of these.
            SettingsInvalid: Something would be wrong; nothing was stored.
            NotConfigured: There is no storage.

        """
        found = declaration(cls)
        self._refuse(found, changes)
        with self._writing(tx) as (transaction, repository):
            rows = [row for row in repository.read(found.namespace) if row.name not in changes]
            made: T = self._resolve(found, rows, {name: value for name, value in changes.items() if value is not None})
            self._write(repository, found, made, changes)
            transaction.after_commit(self._forget_snapshots)
        return made

    def missing(self, cls: type[Any]) -> list[str]:
        """Return the names of the settings that are needed and absent.

        Raises:
            SettingsInvalid: Some are given and wrong.

        """
        found = declaration(cls)
        needed = [setting for setting in found.settings.values() if setting.needed]
        with self._reading(None) as repository:
            rows = repository.read(found.namespace) if repository is not None else ()
        values: Mapping[str, object] = self._resolve(_lenient(found), rows)
        return [setting.name for setting in needed if values[setting.name] is None]

    def check_given(self, cls: type[Any]) -> None:
        """Refuse what the program and the environment give for a class, whatever is stored; for hosts, before they begin to serve.

        Raises:
            SettingsInvalid: Some of it is wrong; all of it is listed.

        """
        self._resolve(_lenient(declaration(cls)), ())

    def is_stored(self, cls: type[Any], name: str) -> bool:
        """Tell whether a value is stored under this name, whatever goes before it."""
        with self._reading(None) as repository:
            rows = repository.read(declaration(cls).namespace) if repository is not None else ()
        return any(row.name == name for row in rows)

    def rotate(self) -> int:
        """Seal every stored secret with the current key. It may be stopped and started again at any point.

        Returns:
            How many were sealed anew.

        Raises:
            SealBroken: Some cannot be opened; ``data["paths"]`` names them. All others are done.

        """
        done, broken = 0, set[str]()
        while True:
            with self._writing(None) as (_, repository):
                # Those that cannot be opened come first again each time: ask past them.
                rows = repository.sealed(not_with=self._seal.current, limit=_ROTATE_BATCH + len(broken))
                rows = [row for row in rows if _path(row) not in broken]
                resealed = [self._reseal(row, broken) for row in rows]
                repository.write([row for row in resealed if row is not None])
            done += sum(row is not None for row in resealed)
            if not rows:
                break
        if broken:
            raise SealBroken(f"Some stored secrets cannot be opened: {', '.join(sorted(broken))}.", paths=sorted(broken), rotated=done)
        return done

    @property
    def _seal(self) -> Sealer:
        if self._sealer is None:
            self._sealer = self._make_sealer()
        return self._sealer

    def _reseal(self, row: StoredSetting, broken: set[str]) -> StoredSetting | None:
        try:
            value = self._seal.open(row.value, _context(row.namespace, row.name))
        except SealBroken:
            broken.add(_path(row))
            return None
        return attrs.evolve(row, value=self._seal.seal(value, _context(row.namespace, row.name)))

    def _refuse(self, found: Declaration, changes: Mapping[str, object]) -> None:
        problems = misspelt(found.namespace, changes, found.settings)
        for name in changes:
            setting = found.settings.get(name)
            if setting is not None and not setting.stored:
                problems.append(Problem(f"{found.namespace}.{name}", f"cannot be stored; set {setting.env} in the environment"))
        if problems:
            raise invalid(problems)
        pinned = sorted(set(changes) & set(self._explicit.get(found.namespace, ())))
        if pinned:
            paths = [f"{found.namespace}.{name}" for name in pinned]
            raise SettingPinned(f"The program fixed {', '.join(paths)}; a stored value cannot replace it.", paths=paths)

    def _resolve(self, found: Declaration, rows: Collection[StoredSetting], changes: Mapping[str, object] | None = None) -> Any:
        problems: list[Problem] = []
        explicit = self._explicit.get(found.namespace, {})
        stored: dict[str, object] = {}
        for row in rows:
            if row.name not in found.settings:
                self._warn_unknown(row)
            elif row.name not in explicit:
                self._decode(row, stored, problems)
        sources = Sources(explicit=explicit, changes=changes or {}, stored=stored, environ=self._environ)
        return resolve(found, sources, problems)

    def _decode(self, row: StoredSetting, stored: dict[str, object], problems: list[Problem]) -> None:
        try:
            text = self._seal.open(row.value, _context(row.namespace, row.name)) if row.sealed else row.value
            stored[row.name] = json.loads(text)
        except SealBroken:
            problems.append(
                Problem(f"{_path(row)} (stored)", "cannot be opened with the keys at hand; store it anew, or None to forget it")
            )
        except ValueError:
            problems.append(Problem(f"{_path(row)} (stored)", "is not JSON"))

    def _warn_unknown(self, row: StoredSetting) -> None:
        if (row.namespace, row.name) not in self._warned:
            self._warned.add((row.namespace, row.name))
            _log.warning("the stored setting %s is unknown to this version and ignored", _path(row))

    def _write(self, repository: SettingsRepository, found: Declaration, made: object, changes: Mapping[str, object]) -> None:
        rows = []
        for name in (name for name, value in changes.items() if value is not None):
            text = json.dumps(plain(getattr(made, name)))
            sealed = found.settings[name].secret
            value = self._seal.seal(text, _context(found.namespace, name)) if sealed else text
            rows.append(StoredSetting(namespace=found.namespace, name=name, value=value, sealed=sealed))
        removed = [name for name, value in changes.items() if value is None]
        if removed:
            repository.remove(found.namespace, removed)
        if rows:
            repository.write(rows)

    def _forget_snapshots(self) -> None:
        with self._lock:
            self._generation += 1
            self._snapshots.clear()

    @contextmanager
    def _reading(self, tx: Transaction | None) -> Iterator[SettingsRepository | None]:
        if self._store is None:
            yield None
        elif tx is not None:
            yield self._store.settings(tx)
        else:
            with self._store.transaction(write=False) as own:
                yield self._store.settings(own)

    @contextmanager
    def _writing(self, tx: Transaction | None) -> Iterator[tuple[Transaction, SettingsRepository]]:
        if self._store is None:
            raise NotConfigured("There is no storage to store settings in.")
        if tx is not None:
            yield tx, self._store.settings(tx)
        else:
            with self._store.transaction(write=True) as own:
                yield own, self._store.settings(own)


def _lenient(found: Declaration) -> Declaration:
    """Return a declaration of the same settings that misses none, and makes a plain table of them."""
    settings = {
        name: attrs.evolve(setting, default=None) if setting.default is attrs.NOTHING else setting
        for name, setting in found.settings.items()
    }
    return attrs.evolve(found, cls=dict, settings=settings)


def _path(row: StoredSetting) -> str:
    return f"{row.namespace}.{row.name}"


def _context(namespace: str, name: str) -> str:
    return f"settings|{namespace}|{name}"
