"""What ``builds`` needs from outside: systems that builds come from, and a repository bound to a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

import attrs

from forgekit.builds.models import BuildRecord, Job
from forgekit.kernel.clock import Clock
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.net.http import Http

Progress = Callable[[int, int | None], None]
"""Called with how many builds are fetched, and how many there are where that is known."""


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

    """

    builds: Sequence[BuildRecord]
    cursor: str | None
    total: int | None = None


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
        """Return every attempt of one run as it stands now; empty where the system does not know it any more."""
        ...


@runtime_checkable
class TellsJobs(Protocol):
    """A source that can tell the jobs of a build, at the price of further calls (optional)."""

    def jobs(self, build: BuildRecord) -> Sequence[Job]:
        """Return the jobs of one attempt."""
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
