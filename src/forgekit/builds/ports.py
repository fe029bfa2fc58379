"""What ``builds`` needs from outside: systems that builds come from, and a repository bound to a transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

import attrs

from forgekit.builds.imports import BuildImport, Checkpoint, ImportKey
from forgekit.builds.models import BuildRecord, Job, Key
from forgekit.builds.rules.applying import Stretch
from forgekit.builds.rules.counts import Counts, Numbers
from forgekit.builds.rules.nodes import NodeKey, PartKey, Span
from forgekit.builds.rules.runs import Verdict
from forgekit.builds.rules.timelines import Line, LineState
from forgekit.kernel.clock import Clock
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.net.http import Http
from forgekit.kernel.storage.transaction import Transaction

Progress = Callable[[int, int | None], None]
"""Called with how many builds are fetched, and how many there are where that is known."""

Waiting = Callable[[datetime], None]
"""Called with the moment until which something is waited for."""


@attrs.frozen(kw_only=True)
class SourceProject:
    """A project as its system shows it.

    Attributes:
        name: Its name there, in the system's own spelling; builds are stored under it.
        private: Whether it needs credentials to be seen.
        default_branch: The branch that counts; None where nobody says.

    """

    name: str
    private: bool = False
    default_branch: str | None = None


@attrs.frozen(kw_only=True)
class BuildQuery:
    """Which builds of a project are asked for.

    Attributes:
        branch: Of this branch only.
        workflow: Of this workflow only, in whatever form the system names one (its file, its id).
        since: Created at this moment or later; None from the beginning.
        until: Created before this moment; None without an end.

    """

    branch: str | None = None
    workflow: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@attrs.frozen(kw_only=True)
class BuildPage:
    """Some builds, and where to go on.

    Attributes:
        builds: The builds, newest first within the whole of the pages; open ones too.
        cursor: Text with which the source goes on behind this page, at any later time; None behind the last.
        total: How many builds the query has in all, as far as the system tells.
        others: How many builds of the page were left out because they are not of the query, though ``total`` counts them.

    """

    builds: Sequence[BuildRecord]
    cursor: str | None
    total: int | None = None
    others: int = 0


class BuildSource(Protocol):
    """A system that builds come from (GitHub Actions, GitLab…), seen with one set of credentials.

    Every method may raise the ``Remote…`` errors and ``BudgetExhausted``. No method is called with a write transaction open.
    """

    API_VERSION: ClassVar[int] = 1

    def project(self, name: str) -> SourceProject:
        """Return a project.

        Raises:
            InvalidInput: Such a name cannot be.
            RemoteNotFound: There is no such project, or not for these credentials.

        """
        ...

    def pages(self, project: str, query: BuildQuery, *, cursor: str | None = None) -> Iterator[BuildPage]:
        """Yield the builds of a project page by page, from behind ``cursor`` if one is given; at least one page.

        Every build of the query is in some page, whatever the system's own caps; one may be in two.
        """
        ...

    def run(self, project: str, build_id: str) -> Sequence[BuildRecord]:
        """Return every attempt of one run as it stands now; empty where the system does not know it any more.

        Raises:
            InvalidInput: The id is none of a run, so that nobody can tell.

        """
        ...


@runtime_checkable
class TellsJobs(Protocol):
    """A source that can tell the jobs of a build, at the price of further calls (optional)."""

    def jobs(self, build: BuildRecord) -> Sequence[Job]:
        """Return the jobs of one attempt."""
        ...


@runtime_checkable
class TellsAttempts(Protocol):
    """A source whose pages show the latest attempt of a run alone, and that can tell the earlier ones (optional)."""

    def earlier(self, build: BuildRecord) -> Sequence[BuildRecord]:
        """Return the attempts of a run before this one, as they ended."""
        ...


@attrs.frozen(kw_only=True)
class Newest:
    """The newest builds of a project.

    Attributes:
        page: The newest of a query, as the first of ``pages``; None where nothing has changed since the mark.
        mark: What to ask with the next time; None where the system gives no such thing.
        since: Every build of the query that was created at this moment or later is on the page; None where that is not known.

    """

    page: BuildPage | None
    mark: str | None = None
    since: datetime | None = None


@runtime_checkable
class TellsNews(Protocol):
    """A source that tells cheaply whether anything is new (optional)."""

    def newest(self, project: str, query: BuildQuery, *, mark: str | None = None) -> Newest:
        """Return the first page of ``pages``, or that nothing on it has changed since the mark was given."""
        ...


@runtime_checkable
class CountsCalls(Protocol):
    """A source that tells how many calls it made (optional)."""

    @property
    def calls(self) -> int:
        """Every request that was sent since it was opened."""
        ...


@attrs.frozen(kw_only=True)
class BuildSourceContext:
    """What a source is opened with.

    Attributes:
        settings: An instance of the adapter's settings class.
        http: The forge's HTTP machine.
        clock: The forge's clock.
        priority: Who waits for the calls.

    """

    settings: object = attrs.field(repr=False)
    http: Http
    clock: Clock
    priority: Priority


@attrs.frozen(kw_only=True)
class BuildSourceAdapter:
    """What a plugin offers under a source's name (hook ``forgekit_build_sources``).

    Attributes:
        settings: The adapter's frozen attrs class of settings (``forgekit.kernel.settings``).
        open: Makes a source; called once an operation, must not do I/O.

    """

    settings: type
    open: Callable[[BuildSourceContext], BuildSource]


class BuildReader(Protocol):
    """Reads what one CI system says in a webhook (hook ``forgekit_build_readers``); pure."""

    def read(self, event: str, payload: Mapping[str, Any], /) -> Sequence[BuildRecord] | None:
        """Return what a webhook tells of builds.

        A webhook rarely tells all of a build: what comes back are *sightings*, which ``forge.builds.observe`` merges with what is
        known. A field that the webhook does not tell is left out, and a job is told alone.

        Args:
            event: The event's name from its header; empty where the system sends none.
            payload: The body.

        Returns:
            The sightings; empty where the event is this system's and tells of no build; None where it is not this system's.

        Raises:
            InvalidInput: It is this system's event and not of its shape; ``data["problems"]`` says where.

        """
        ...


Run = tuple[str, str, str]
"""A run: project, provider and build id; its attempts share it."""


@attrs.frozen(kw_only=True)
class Node:
    """A roll-up as it is stored.

    Attributes:
        counts: Its numbers; None where only what they come to was asked for.
        digest: What they come to; None where nobody asks for it.
        first_at: First start of a build; only of a project's days and past.
        last_at: Last start of a build, likewise.
        latest_at: The latest moment that any build tells of; only of a project's past.

    """

    counts: Counts | None
    digest: Any = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    latest_at: datetime | None = None


@attrs.frozen(kw_only=True)
class BuildFilter:
    """Which stored builds are wanted: those that fit every value that is given.

    Attributes:
        project: Of this project.
        branch: Of this branch.
        workflow: Of this workflow.
        event: Caused by this.
        actor: Caused by them.
        since: Started, or queued where they did not start, at this moment or later.
        until: Before this moment.
        environment: Deploying to this environment.
        open_only: Only those that have not ended.

    """

    project: str | None = None
    branch: str | None = None
    workflow: str | None = None
    event: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    environment: str | None = None
    open_only: bool = False


class BuildRepository(Protocol):
    """Stored builds, their timelines and their roll-ups."""

    def lock(self) -> None:
        """Hold the roll-ups until the commit: who stores builds takes turns."""
        ...

    def attempts(self, runs: Collection[Run]) -> Sequence[BuildRecord]:
        """Return every attempt of these runs."""
        ...

    def verdicts(self, commits: Collection[tuple[str, str]]) -> Sequence[Verdict]:
        """Return what builds say of these commits (project, commit)."""
        ...

    def save(self, builds: Sequence[BuildRecord]) -> None:
        """Store or replace builds, in one statement whatever their number."""
        ...

    def build(self, key: Key) -> BuildRecord | None:
        """Return one build."""
        ...

    def builds(self, wanted: BuildFilter) -> Iterator[BuildRecord]:
        """Yield builds, by project, provider, id and attempt; few are in memory at a time."""
        ...

    def count(self) -> int:
        """Return how many builds are stored; pruned ones are not."""
        ...

    def moments(self, project: str, *, since: datetime | None = None, until: datetime | None = None) -> Node:
        """Return the first and last start, and the latest moment, that a project's builds tell of; of those that start in a time."""
        ...

    def delete(self, keys: Collection[Key]) -> None:
        """Delete builds; their roll-ups stay."""
        ...

    def lines(self, lines: Collection[Line]) -> Mapping[Line, LineState]:
        """Return where timelines stand."""
        ...

    def save_lines(self, states: Mapping[Line, LineState | None]) -> None:
        """Store or replace where timelines stand; None deletes."""
        ...

    def red_lines(self, project: str | None, *, until: int | None, oldest: int) -> tuple[int, Sequence[tuple[Line, LineState]]]:
        """Return how many timelines are red, and those that have been so longest.

        Args:
            project: Of this one; None for all.
            until: Only those that turned red by this day (``date.toordinal``).
            oldest: How many are wanted; more come where the last of them turned red in the same millisecond as others.

        """
        ...

    def stretch(self, line: Line, *, first: datetime, last: datetime) -> Stretch:
        """Return the points of a timeline around a change (see ``Stretch``) whose moments lie from ``first`` to ``last``."""
        ...

    def nodes(self, keys: Collection[NodeKey], *, counts: bool = True) -> Mapping[NodeKey, Node]:
        """Return roll-ups, with or without their counts."""
        ...

    def save_nodes(self, nodes: Mapping[NodeKey, Node | None]) -> None:
        """Store or replace roll-ups; None deletes."""
        ...

    def read_nodes(
        self, span: Span, projects: Collection[str] | None, *, days: tuple[int, int] | None = None, counts: bool = True
    ) -> Iterator[tuple[NodeKey, Node]]:
        """Yield roll-ups of a span, by project and day.

        Args:
            span: The span.
            projects: Of these; None for all, without what is kept for all together.
            days: First and last day; None for all.
            counts: Whether their counts are wanted too.

        """
        ...

    def parts(self, keys: Collection[PartKey]) -> Mapping[PartKey, Numbers]:
        """Return parts of roll-ups."""
        ...

    def save_parts(self, parts: Mapping[PartKey, Numbers | None]) -> None:
        """Store or replace parts of roll-ups; None deletes."""
        ...

    def clear_rollups(self) -> None:
        """Delete all roll-ups and timelines."""
        ...


class BuildRepositories(Protocol):
    """Builds the repository for a transaction."""

    def builds(self, tx: Transaction, /) -> BuildRepository:
        """Return the repository."""
        ...


class BuildImportRepository(Protocol):
    """Imports: how far they have come, and how those in the background stand."""

    def checkpoint(self, key: ImportKey) -> Checkpoint:
        """Return how far imports of a key have come; the defaults where there was none."""
        ...

    def lock_checkpoint(self, key: ImportKey) -> Checkpoint:
        """Return the same, its row made where there is none and held until the commit: who writes takes turns."""
        ...

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Store or replace it."""
        ...

    def save_import(self, build_import: BuildImport) -> None:
        """Store or replace an import."""
        ...

    def find_import(self, import_id: str) -> BuildImport | None:
        """Return one import."""
        ...

    def imports(self, *, limit: int) -> Sequence[BuildImport]:
        """Return the latest imports, the last first."""
        ...

    def unfinished_imports(self) -> Sequence[BuildImport]:
        """Return the imports that go on, in the order in which they were asked for."""
        ...


class BuildImportRepositories(Protocol):
    """Builds the repository for a transaction."""

    def build_imports(self, tx: Transaction, /) -> BuildImportRepository:
        """Return the repository."""
        ...
