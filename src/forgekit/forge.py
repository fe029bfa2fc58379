"""The forge: opens storage and plugins, hands out the services, closes them. The one composition root."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from forgekit.accounts.service import AccountService
from forgekit.builds.importing import BuildImports
from forgekit.builds.ports import BuildSource, BuildSourceAdapter, BuildSourceContext
from forgekit.builds.service import BuildService
from forgekit.builds.settings import BuildSettings
from forgekit.configuration import ForgeSettings, data_directory, sealing_keys
from forgekit.errors import ForgeClosed, ForgeForked, NotConfigured, UnknownPlugin
from forgekit.hookspecs import StorageEngine, SurfaceFactory
from forgekit.kernel.clock import Clock, SystemClock
from forgekit.kernel.events.driver import Driver, EventJob, InboxJob, Job, ScheduleJob
from forgekit.kernel.events.models import Event, Queue, Schedule
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.events.signals import Signals
from forgekit.kernel.events.worker import Wakeup, Worker
from forgekit.kernel.net.budgets import Budgets, Priority
from forgekit.kernel.net.http import Http
from forgekit.kernel.secrets import Sealer
from forgekit.kernel.settings import Settings, unset
from forgekit.kernel.storage.transaction import Transaction
from forgekit.plugins import BrokenPlugin, Plugins
from forgekit.receivers import GENERIC, GenericProvider, TrackerReceiver, build_receivers
from forgekit.sprints.git import Git
from forgekit.sprints.ports import Tracker, TrackerAdapter, TrackerContext
from forgekit.sprints.service import SprintService
from forgekit.webhooks.providers import PROVIDERS
from forgekit.webhooks.service import WebhookService
from forgekit.webhooks.settings import WebhookSettings
from forgekit.work.service import WorkService

if TYPE_CHECKING:
    from types import TracebackType

E = TypeVar("E", bound=Event)


class Forge:
    """The back office: open one, call its services, close it.

    Thread-safe; the services are stateless and what they return is immutable. It remembers the process that opened it: after a
    fork, open another. Opening starts no thread.

    Attributes:
        clock: What tells the time here.
        work: Projects, work items, test runs.
        sprints: Sprints and their synchronisation with a tracker.
        webhooks: Incoming webhooks.
        accounts: API keys of programs that call.
        settings: Stored and given configuration.
        http: Everything that leaves over HTTP.

    """

    def __init__(self, storage: StorageEngine, plugins: Plugins, *, settings: Settings, clock: Clock, projects_dir: str | None) -> None:
        """Put the parts together; programs call ``Forge.open``."""
        self._pid = os.getpid()
        self._closed = False
        self._release: list[Callable[[], None]] = []
        self._storage = storage
        self._plugins = plugins
        self._wakeup = Wakeup()
        self._signals = Signals()
        self.clock = clock
        self._settings = settings
        self._http = Http(clock=clock, budgets=Budgets(storage, clock))
        self._recorder = Recorder(storage, clock, self._signals, self._wakeup.wake)
        self._adapters: dict[str, TrackerAdapter] = plugins.offers("forgekit_trackers")
        self._accounts = AccountService(storage, self._recorder, clock, given=lambda: settings.snapshot(ForgeSettings).api_keys)
        self._work = WorkService(storage, self._recorder, clock, projects_dir=Path(projects_dir) if projects_dir else None)
        self._sprints = SprintService(
            storage,
            self._recorder,
            clock,
            work=self._work,
            trackers={name: partial(self._open_tracker, name) for name in self._adapters},
            git=Git(),
            rules=plugins.offers("forgekit_completion_rules"),
            wake=self._wakeup.wake,
        )
        self._sources: dict[str, BuildSourceAdapter] = plugins.offers("forgekit_build_sources")
        self._builds = BuildService(
            storage, self._recorder, clock, settings=lambda: settings.snapshot(BuildSettings), imports=self._build_imports
        )
        generic = GenericProvider(readers=plugins.offers("forgekit_build_readers"))
        providers = {**PROVIDERS, GENERIC: generic, **plugins.offers("forgekit_webhook_providers")}
        self._webhooks = WebhookService(
            storage,
            clock,
            self._recorder,
            providers=providers,
            # A tracker without webhooks is followed by its loop alone.
            receivers={
                **build_receivers(generic, self._sources, providers, settings=settings, desk=self._builds),
                **{name: self._receiver(name, adapter) for name, adapter in self._adapters.items() if name in providers},
            },
            secrets=lambda: settings.snapshot(WebhookSettings).signing_secrets,
            wake=self._wakeup.wake,
        )
        self._recorder.register([*self._sprints.handlers(), *self._builds.handlers()])
        self._recorder.register(make(self) for make in plugins.offers("forgekit_handlers").values())

    @classmethod
    def open(
        cls,
        url: str | None = None,
        *,
        plugins: Iterable[object] = (),
        discover: bool = False,
        config: Mapping[str, Mapping[str, Any]] | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """Open a forge.

        Args:
            url: Where it keeps what it knows, e.g. ``sqlite:///forge.db``; ``FORGEKIT_DATABASE_URL`` when absent, else a file
                ``forge.db`` in the current directory. An SQLite database is made and upgraded as needed.
            plugins: Packages, modules or objects with hook implementations, e.g. ``[forgekit_sql, forgekit_plane]``.
            discover: Whether to add every installed plugin (entry points of the group ``forgekit``).
            config: Settings by namespace, e.g. ``{"plane": {"api_url": …}}``; they go before everything stored.
            environ: The environment to read settings from; the process's own when absent.
            clock: What tells the time; the machine's clock when absent.

        Raises:
            UnknownPlugin: No plugin opens storages of this URL's scheme.
            PluginConflict: Two plugins offer one name.
            SettingsInvalid: The configuration has mistakes; all of them are listed.
            SchemaStale: A PostgreSQL schema is older than this code: call ``upgrade`` first.

        """
        clock = clock or SystemClock()
        found = Plugins(plugins, discover=discover)
        own = Settings(None, sealer=_no_sealer, explicit=config, environ=environ).load(ForgeSettings)
        url = url or own.database_url
        storage = _open_storage(url, found, clock)
        try:
            storage.check_schema()
            sealer = partial(_sealer, own, data_directory(url))
            settings = Settings(storage, sealer=sealer, explicit=config, environ=environ)
            forge = cls(storage, found, settings=settings, clock=clock, projects_dir=own.projects_dir)
            settings.check()
        except BaseException:
            storage.close()
            raise
        return forge

    @classmethod
    def upgrade(
        cls,
        url: str | None = None,
        *,
        plugins: Iterable[object] = (),
        discover: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> Sequence[str]:
        """Bring a database's schema up to date and return the names of the revisions that were applied.

        A separate step for PostgreSQL, where several processes of several versions may share a database; SQLite is upgraded by
        ``open`` too.

        Args:
            url: As for ``open``.
            plugins: As for ``open``.
            discover: As for ``open``.
            environ: As for ``open``.

        Raises:
            UnknownPlugin: No plugin opens storages of this URL's scheme.

        """
        own = Settings(None, sealer=_no_sealer, environ=environ).load(ForgeSettings)
        storage = _open_storage(url or own.database_url, Plugins(plugins, discover=discover), SystemClock())
        try:
            return storage.upgrade()
        finally:
            storage.close()

    # Services

    @property
    def work(self) -> WorkService:
        """Projects, work items, test runs."""
        self._check()
        return self._work

    @property
    def sprints(self) -> SprintService:
        """Sprints and their synchronisation with a tracker."""
        self._check()
        return self._sprints

    @property
    def webhooks(self) -> WebhookService:
        """Incoming webhooks."""
        self._check()
        return self._webhooks

    @property
    def accounts(self) -> AccountService:
        """API keys of programs that call."""
        self._check()
        return self._accounts

    @property
    def builds(self) -> BuildService:
        """Builds of any CI system, and what they come to."""
        self._check()
        return self._builds

    @property
    def settings(self) -> Settings:
        """Stored and given configuration."""
        self._check()
        return self._settings

    @property
    def http(self) -> Http:
        """Everything that leaves over HTTP."""
        self._check()
        return self._http

    @property
    def storage(self) -> StorageEngine:
        """The storage engine; programs rarely need it."""
        self._check()
        return self._storage

    @property
    def plugins(self) -> list[str]:
        """Names of the plugins in use, sorted."""
        return self._plugins.names

    @property
    def broken_plugins(self) -> list[BrokenPlugin]:
        """Installed plugins that could not be loaded."""
        return list(self._plugins.broken)

    @property
    def trackers(self) -> Mapping[str, TrackerAdapter]:
        """The trackers that plugins offer, by name."""
        return self._adapters

    @property
    def build_sources(self) -> Mapping[str, BuildSourceAdapter]:
        """The systems that plugins offer to import builds from, by name."""
        return self._sources

    # Units of work, events, work in the background

    @contextmanager
    def transaction(
        self, *, connection: object = None, on_commit: Callable[[Callable[[], None]], object] | None = None
    ) -> Iterator[Transaction]:
        """Open a transaction for several verbs (``tx=…``), or join the host's own.

        Args:
            connection: A SQLAlchemy connection or session, a DBAPI connection, or Django's: then the host commits or rolls back, and
                what is written here shares its fate.
            on_commit: With a DBAPI connection, what calls a function after the host's commit, e.g.
                ``django.db.transaction.on_commit``. Signals are sent from there.

        Raises:
            ForeignConnection: The connection is not to this forge's database.

        """
        self._check()
        unit = self._storage.transaction() if connection is None else self._storage.join(connection, on_commit=on_commit)
        with unit as tx:
            yield tx

    def on(self, event: type[E], receiver: Callable[[E], object]) -> Callable[[], None]:
        """Call ``receiver`` with each event of this class, after its commit and in this process; returns what ends that."""
        self._check()
        return self._signals.on(event, receiver)

    def worker(self) -> Worker:
        """Return a worker for the loops, deliveries and chores.

        ``with forge.worker(): …`` runs it beside a program, ``.serve()`` in a process of its own, ``.drain()`` in tests.
        """
        self._check()
        return Worker(self._driver(), self._wakeup, self._prepare)

    def surfaces(self) -> Mapping[str, SurfaceFactory]:
        """Return the HTTP surfaces that plugins offer, by name."""
        self._check()
        return self._plugins.offers("forgekit_surfaces")

    def on_close(self, release: Callable[[], None]) -> None:
        """Call a function when the forge closes: for what lives as long as the forge and holds connections of its own."""
        self._check()
        self._release.append(release)

    def close(self) -> None:
        """Store what waits, then release every connection; a second call does nothing. After a fork only the memory is dropped.

        Everything is released even where one part fails to; its error goes up then.
        """
        if self._closed:
            return
        self._closed = True
        if self._pid != os.getpid():
            return
        with ExitStack() as parts:  # released from last to first
            for close in (self._storage.close, self._http.close, self._webhooks.close, *reversed(self._release)):
                parts.callback(close)

    def __enter__(self) -> Self:
        """Return the forge itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    def __repr__(self) -> str:
        """Tell the storage, without credentials."""
        return f"<Forge {self._storage.describe()}{' (closed)' if self._closed else ''}>"

    def _check(self) -> None:
        if self._pid != os.getpid():
            raise ForgeForked
        if self._closed:
            raise ForgeClosed

    def _open_tracker(self, name: str, priority: Priority) -> Tracker:
        adapter = self._adapters[name]
        settings: object = self._settings.load(adapter.settings)
        missing = unset(settings)
        if missing:
            raise NotConfigured(f"The tracker {name} is not configured: {', '.join(missing)} missing.", tracker=name, missing=missing)
        return adapter.open(TrackerContext(settings=settings, http=self._http, clock=self.clock, priority=priority))

    def _build_imports(self, desk: BuildService) -> BuildImports:
        sources = {name: partial(self._open_source, name) for name in self._sources}
        wake, pause = self._wakeup.wake, self._http.budgets.wait
        return BuildImports(self._storage, desk, self._recorder, self.clock, sources=sources, wake=wake, pause=pause)

    def _open_source(self, name: str, priority: Priority) -> BuildSource:
        adapter = self._sources[name]
        settings: object = self._settings.load(adapter.settings)
        missing = unset(settings)
        if missing:
            raise NotConfigured(f"The source {name} is not configured: {', '.join(missing)} missing.", source=name, missing=missing)
        return adapter.open(BuildSourceContext(settings=settings, http=self._http, clock=self.clock, priority=priority))

    def _receiver(self, name: str, adapter: TrackerAdapter) -> TrackerReceiver:
        return TrackerReceiver(
            tracker=name,
            settings=lambda: self._settings.snapshot(adapter.settings),
            configured=lambda: not unset(self._settings.snapshot(adapter.settings)),
            desk=self._sprints,
        )

    def _schedules(self) -> list[Schedule]:
        return [
            *self._sprints.schedules(lambda name: self._settings.load(self._adapters[name].settings).poll_interval),
            *self._webhooks.schedules(),
            *self._builds.schedules(),
        ]

    def _driver(self) -> Driver:
        jobs: dict[Queue, dict[str, Job]] = {
            Queue.OUTBOX: {name: EventJob(handler, self._recorder) for name, handler in self._recorder.handlers.items()},
            Queue.INBOX: {name: InboxJob(handle) for name, handle in self._webhooks.inbox_handlers().items()},
            Queue.SCHEDULES: {schedule.name: ScheduleJob(schedule, self.clock) for schedule in self._schedules()},
        }
        return Driver(self._storage, self.clock, jobs)

    def _prepare(self) -> None:
        with self._storage.transaction() as tx:
            claims = self._storage.claims(tx)
            for schedule in self._schedules():
                due_at = self.clock.now() if schedule.every and schedule.enabled else None
                claims.ensure_schedule(schedule.name, enabled=schedule.enabled, due_at=due_at)


def _no_sealer() -> Sealer:
    raise NotConfigured("There is no storage yet to keep a sealed value in.")


def _sealer(own: ForgeSettings, directory: Path | None) -> Sealer:
    return Sealer(sealing_keys(own, directory))


def _open_storage(url: str, plugins: Plugins, clock: Clock) -> StorageEngine:
    scheme = url.partition(":")[0].partition("+")[0]
    factories = plugins.offers("forgekit_storages")
    if scheme not in factories:
        offered = ", ".join(sorted(factories)) or "none"
        message = f"No plugin opens {scheme!r} databases (offered: {offered}). Install forgekit-sql, or pass plugins=[…]."
        raise UnknownPlugin(message, scheme=scheme)
    engine: StorageEngine = factories[scheme](url, clock)
    return engine
