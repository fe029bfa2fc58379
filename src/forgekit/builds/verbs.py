"""The verbs of ``forge.builds`` that bring builds here from other systems."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from forgekit.builds.importing import BuildImports
from forgekit.builds.imports import BuildImport, ImportReport, wanted
from forgekit.builds.ports import Progress, Waiting
from forgekit.kernel.storage.transaction import Transaction


class ImportVerbs:
    """What ``BuildImports`` does, for those who call it."""

    _imports: BuildImports

    def sources(self) -> Sequence[str]:
        """Return the names of the systems that builds are imported from, as plugins offer them, sorted."""
        return self._imports.sources()

    def import_builds(
        self,
        source: str,
        project: str,
        *,
        branch: str | None = None,
        workflow: str | None = None,
        since: datetime | None = None,
        jobs: bool = False,
        progress: Progress | None = None,
        waiting: Waiting | None = None,
        patience: timedelta | None = None,
    ) -> ImportReport:
        """Import a project's builds from a system that a plugin offers, and return when they are here.

        What was imported before is not asked for again, but for what had not ended and the last day, whose runs may have been run again.
        An import that broke off goes on where it did.

        Args:
            source: The system, such as ``github``.
            project: The project there, such as ``owner/repository``.
            branch: Of this branch only.
            workflow: Of this workflow only, as the system names it (its file, its id).
            since: From when on, aware, where nothing is here yet or what is here begins later; None from the beginning. Sources tell
                times in whole seconds, so the second that it lies in counts as a whole.
            jobs: Whether to fetch the jobs of each build that has none: a call each.
            progress: Called with how many builds came so far, and how many there are.
            waiting: Called with the moment until which a limit is waited for, before it is.
            patience: For how long limits of the system are waited for in all; by default a quarter of an hour where somebody sees the
                progress, else not at all.

        Raises:
            UnknownPlugin: No plugin offers the source.
            NotConfigured: Settings of the source are missing.
            InvalidInput: A name is empty or too long, or ``since`` has no time zone.
            Conflict: Somebody else imports the same now; ``data["until"]`` tells until when at most, should they be dead.
            RemoteRateLimited: The system asks to wait longer; ``retry_after`` tells for how long, ``data["until"]`` until when.
            BudgetExhausted: The same of our own limit.
            RemoteNotFound: There is no such project, or not for these credentials.
            RemoteUnauthorized: The credentials are refused.

        """
        asked = wanted(source, project, branch=branch, workflow=workflow, since=since, jobs=jobs)
        return self._imports.run(asked, progress=progress, waiting=waiting, patience=patience)

    def import_github(
        self,
        repository: str,
        *,
        branch: str | None = None,
        workflow: str | None = None,
        since: datetime | None = None,
        jobs: bool = False,
        progress: Progress | None = None,
        waiting: Waiting | None = None,
        patience: timedelta | None = None,
    ) -> ImportReport:
        """Import the runs of a repository's GitHub Actions; see ``import_builds``, also for the errors.

        Args:
            repository: ``owner/repository``; a private one needs a token that may read Actions.
            branch: Of this branch only.
            workflow: Of this workflow only: its file (``ci.yml``) or its id.
            since: From when on, aware; None from the beginning.
            jobs: Whether to fetch the jobs of each run: a call each.
            progress: Called with how many runs came so far, and how many there are; with it limits are waited for.
            waiting: Called with the moment until which a limit is waited for.
            patience: For how long limits are waited for in all.

        """
        asked = wanted("github", repository, branch=branch, workflow=workflow, since=since, jobs=jobs)
        return self._imports.run(asked, progress=progress, waiting=waiting, patience=patience)

    def request_import(
        self,
        source: str,
        project: str,
        *,
        branch: str | None = None,
        workflow: str | None = None,
        since: datetime | None = None,
        jobs: bool = False,
        tx: Transaction | None = None,
    ) -> BuildImport:
        """Ask for an import by the worker, and return it as it stands; one that is asked for already is returned as it is.

        It waits for limits by itself, and where its process is killed another one goes on with it. ``BuildImportChanged`` tells of it.

        Args:
            source: The system, such as ``github``.
            project: The project there.
            branch: Of this branch only.
            workflow: Of this workflow only.
            since: From when on, aware; None from the beginning.
            jobs: Whether to fetch the jobs, too.
            tx: Ask in this transaction.

        Raises:
            UnknownPlugin: No plugin offers the source.
            InvalidInput: A name is empty or too long, or ``since`` has no time zone.

        """
        asked = wanted(source, project, branch=branch, workflow=workflow, since=since, jobs=jobs)
        return self._imports.request(asked, tx=tx)

    def imports(self, *, limit: int = 20, tx: Transaction | None = None) -> Sequence[BuildImport]:
        """Return the latest imports in the background, the last first."""
        return self._imports.imports(limit=limit, tx=tx)

    def import_state(self, import_id: str, *, tx: Transaction | None = None) -> BuildImport | None:
        """Return how an import in the background stands; None where there is no such."""
        return self._imports.state(import_id, tx=tx)
