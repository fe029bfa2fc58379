"""The verbs of ``forge.builds`` that bring builds here from other systems."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from forgekit.builds.importing import BuildImports
from forgekit.builds.imports import BuildImport, ImportReport
from forgekit.builds.ports import Progress, Waiting
from forgekit.kernel.storage.transaction import Transaction


class ImportVerbs:
    """Hands the verbs of imports on to ``BuildImports``, which says what each does and raises."""

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
        """Import a project's builds from a system that a plugin offers; see ``BuildImports.run``."""
        return self._imports.run(
            source,
            project,
            branch=branch,
            workflow=workflow,
            since=since,
            jobs=jobs,
            progress=progress,
            waiting=waiting,
            patience=patience,
        )

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
        """Import the runs of a repository's GitHub Actions; see ``BuildImports.run``.

        Args:
            repository: ``owner/repository``; a private one needs a token that may read Actions.
            branch: Of this branch only.
            workflow: Of this workflow only: its file (``ci.yml``) or its id.
            since: From when on, aware; None from the beginning.
            jobs: Whether to fetch the jobs of each run: a call each.
            progress: Called with how many runs came so far, and how many there are; with it limits are waited for.
            waiting: Called with the moment until which a limit is waited for.
            patience: For how long limits are waited for in all; by default a quarter of an hour with a progress, else not at all.

        """
        return self.import_builds(
            "github",
            repository,
            branch=branch,
            workflow=workflow,
            since=since,
            jobs=jobs,
            progress=progress,
            waiting=waiting,
            patience=patience,
        )

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
        """Ask for an import by the worker, and return it as it stands; see ``BuildImports.request``."""
        return self._imports.request(source, project, branch=branch, workflow=workflow, since=since, jobs=jobs, tx=tx)

    def imports(self, *, limit: int = 20, tx: Transaction | None = None) -> Sequence[BuildImport]:
        """Return the latest imports in the background, the last first."""
        return self._imports.imports(limit=limit, tx=tx)

    def import_state(self, import_id: str, *, tx: Transaction | None = None) -> BuildImport | None:
        """Return how an import in the background stands; None where there is no such."""
        return self._imports.state(import_id, tx=tx)
