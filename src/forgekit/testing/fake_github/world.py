"""The data behind the fake, without HTTP: repositories, runs, their attempts and jobs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import attrs

from forgekit.kernel.clock import Clock

WAITING, RUNNING, DONE = "queued", "in_progress", "completed"


@attrs.define(kw_only=True)
class Job:
    """A job of an attempt; ``attempt`` is the one that it ran in, which is not the last where only failed jobs ran again."""

    id: int
    name: str
    attempt: int
    labels: tuple[str, ...]
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    status: str = WAITING
    conclusion: str | None = None


@attrs.define(kw_only=True)
class Attempt:
    """An attempt of a run."""

    number: int
    started_at: datetime
    updated_at: datetime
    actor: str
    status: str = WAITING
    conclusion: str | None = None
    jobs: list[Job] = attrs.field(factory=list)


@attrs.define(kw_only=True)
class Repository:
    """A repository; ``former`` are the names that it had."""

    id: int
    name: str
    private: bool
    default_branch: str
    language: str | None
    former: set[str] = attrs.field(factory=set)
    last_number: int = 0

    def next_number(self) -> int:
        """Return the number of its next run."""
        self.last_number += 1
        return self.last_number


@attrs.define(kw_only=True)
class Run:
    """A run of a workflow; ``fork`` is the repository that its branch is in, where that is another."""

    id: int
    number: int
    repository: Repository
    workflow: str
    file: str
    branch: str | None
    sha: str
    event: str
    actor: str
    created_at: datetime
    fork: str | None = None
    attempts: list[Attempt] = attrs.field(factory=list)

    @property
    def last(self) -> Attempt:
        """The latest attempt."""
        return self.attempts[-1]


@attrs.frozen
class Change:
    """What a webhook tells: a run, or one job of it, in an attempt."""

    action: str
    run: Run
    attempt: Attempt
    job: Job | None = None


Listener = Callable[[Change], None]


class World:
    """Repositories and their runs."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing."""
        self.clock = clock
        self.repositories: dict[str, Repository] = {}
        self.runs: dict[int, Run] = {}
        self.listeners: list[Listener] = []
        self._last_id = 1_000_000

    def now(self) -> datetime:
        """Return the server's time, in whole seconds as all its times are."""
        return self.clock.now().replace(microsecond=0)

    def new_id(self) -> int:
        """Return an id that nothing has yet."""
        self._last_id += 1
        return self._last_id

    def find(self, name: str) -> Repository | None:
        """Return a repository by its name, in any case, or by one that it had."""
        for repository in self.repositories.values():
            if name.lower() in {each.lower() for each in (repository.name, *repository.former)}:
                return repository
        return None

    def add_repository(self, name: str, *, private: bool, default_branch: str, language: str | None) -> Repository:
        """Make a repository."""
        made = Repository(id=self.new_id(), name=name, private=private, default_branch=default_branch, language=language)
        self.repositories[name] = made
        return made

    def of(self, repository: Repository) -> list[Run]:
        """Return a repository's runs, newest first."""
        found = (run for run in self.runs.values() if run.repository is repository)
        return sorted(found, key=lambda run: (run.created_at, run.id), reverse=True)

    def add_run(self, run: Run, *, jobs: Sequence[str], labels: Sequence[str]) -> Run:
        """Take a run in whose first attempt waits, and tell of it."""
        self.runs[run.id] = run
        self._begin(run, run.created_at, run.actor, [(name, tuple(labels)) for name in jobs])
        return run

    def rerun(self, run: Run, *, actor: str, at: datetime, failed_only: bool) -> None:
        """Begin another attempt: all jobs, or those that failed, with the others taken over as they were."""
        before = run.last
        again = [job for job in before.jobs if not failed_only or job.conclusion != "success"]
        self._begin(run, at, actor, [(job.name, job.labels) for job in again], [job for job in before.jobs if job not in again])

    def _begin(self, run: Run, at: datetime, actor: str, jobs: Sequence[tuple[str, tuple[str, ...]]], kept: Sequence[Job] = ()) -> None:
        attempt = Attempt(number=len(run.attempts) + 1, started_at=at, updated_at=at, actor=actor)
        new = (Job(id=self.new_id(), name=name, attempt=attempt.number, labels=labels, created_at=at) for name, labels in jobs)
        attempt.jobs = [*kept, *new]
        run.attempts.append(attempt)
        self._tell("requested", "queued", run)

    def start(self, run: Run, at: datetime) -> None:
        """Let the last attempt's jobs start."""
        attempt = run.last
        attempt.status, attempt.updated_at = RUNNING, at
        for job in _own(attempt):
            job.status, job.started_at = RUNNING, at
        self._tell("in_progress", "in_progress", run)

    def finish(self, run: Run, conclusion: str, at: datetime, failing: Sequence[str]) -> None:
        """Let the last attempt end: its jobs with ``success`` or, those that are named, as the run."""
        attempt = run.last
        attempt.status, attempt.conclusion, attempt.updated_at = DONE, conclusion, at
        for job in _own(attempt):
            job.status, job.conclusion, job.completed_at = DONE, conclusion if job.name in failing else "success", at
            job.started_at = job.started_at or attempt.started_at
        self._tell("completed", "completed", run)

    def _tell(self, action: str, of_jobs: str, run: Run) -> None:
        changes = [Change(action, run, run.last), *(Change(of_jobs, run, run.last, job) for job in _own(run.last))]
        # A run is over after its jobs are.
        for change in reversed(changes) if action == "completed" else changes:
            for listener in self.listeners:
                listener(change)


def _own(attempt: Attempt) -> Iterator[Job]:
    return (job for job in attempt.jobs if job.attempt == attempt.number)


def seconds(value: float) -> timedelta:
    """Return whole seconds."""
    return timedelta(seconds=math.floor(value))
