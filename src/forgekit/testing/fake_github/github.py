"""The face of the fake: what a test or a demonstration calls."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from forgekit.kernel.clock import Clock, SystemClock
from forgekit.testing.fake_github import hooks, rows
from forgekit.testing.fake_github.gate import Gate
from forgekit.testing.fake_github.hooks import Delivery
from forgekit.testing.fake_github.world import Change, Repository, Run, World, seconds
from forgekit.testing.loopback import Fake, send

_SECONDARY = b'{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","status":"403"}'


class FakeGitHub(Fake):
    """GitHub's Actions API on the loopback, kept in memory.

    ::

        with FakeGitHub() as github:
            run = github.add_run("acme/shop", workflow="CI", conclusion="failure")
            github.rerun(run, conclusion="success")
            forge = Forge.open(..., config={"github": github.settings})

    It keeps to the real server's ways: searches show 1,000 runs, lists have the last attempt of a run alone, runs tell no end, 304s
    are free for those who show a token, and refusals of too many calls are 403s. What is done through its methods sends webhooks and
    is not counted as a call. Thread-safe.
    """

    FAULT = (502, b'{"message":"Server Error"}')

    def __init__(self, *, rate_limit: int = 5000, anonymous_limit: int = 60, cap: int = 1000, clock: Clock | None = None) -> None:
        """Make the data; the server runs between ``start`` and ``stop``, or inside ``with``.

        Args:
            rate_limit: Calls an hour with a token.
            anonymous_limit: Calls an hour without.
            cap: Runs that a search shows.
            clock: What time it is there.

        """
        self.world = World(clock or SystemClock())
        self.token = f"ghp_{uuid4().hex}"
        self.webhook_secret = f"gh_wh_{uuid4().hex}"
        self.deliveries: list[Delivery] = []
        self.results: list[int | None] = []
        self._hook: str | None = None
        self._gate = Gate(world=self.world, tokens={self.token: True}, limit=rate_limit, anonymous_limit=anonymous_limit, cap=cap)
        super().__init__(self._gate, name="fake-github")
        self.world.listeners.append(self._tell)

    # credentials

    @property
    def settings(self) -> dict[str, str]:
        """What ``Forge.open(config={"github": …})`` needs."""
        return {"api_url": self.url, "token": self.token, "webhook_secret": self.webhook_secret}

    def add_token(self, *, private: bool = False) -> str:
        """Return a further token, which sees private repositories or not."""
        token = f"ghp_{uuid4().hex}"
        self._gate.tokens[token] = private
        return token

    def revoke_token(self, token: str | None = None) -> None:
        """Make a token invalid, by default the first."""
        del self._gate.tokens[token or self.token]

    # what happens there

    def add_repository(
        self, name: str, *, private: bool = False, default_branch: str = "main", language: str | None = "Python"
    ) -> Repository:
        """Make a repository."""
        with self._lock:
            return self.world.add_repository(name, private=private, default_branch=default_branch, language=language)

    def rename_repository(self, name: str, new: str) -> None:
        """Give a repository another name; the old one leads there."""
        with self._lock:
            repository = self._repository(name)
            repository.former.add(repository.name)
            self.world.repositories[new] = self.world.repositories.pop(repository.name)
            repository.name = new

    def add_run(
        self,
        repository: str = "acme/shop",
        *,
        workflow: str = "CI",
        file: str = "ci.yml",
        branch: str | None = "main",
        status: str = "completed",
        conclusion: str = "success",
        event: str = "push",
        sha: str | None = None,
        actor: str = "octocat",
        fork: str | None = None,
        created_at: datetime | None = None,
        queue: float = 5.0,
        duration: float = 60.0,
        jobs: Sequence[str] = ("build",),
        failing: Sequence[str] | None = None,
        labels: Sequence[str] = ("ubuntu-latest",),
    ) -> int:
        """Make a run and return its id.

        Args:
            repository: Its repository, made where it is new.
            workflow: The workflow's name.
            file: The workflow's file.
            branch: Its branch.
            status: ``queued``, ``in_progress`` or ``completed``.
            conclusion: How it ended.
            event: What caused it.
            sha: Its commit; made up when absent.
            actor: Who caused it.
            fork: The repository that its branch is in, where that is another.
            created_at: When it was asked for; now when absent.
            queue: Seconds until its jobs started.
            duration: Seconds from then to its end.
            jobs: Names of its jobs.
            failing: Which of them ended as the run did; all when absent.
            labels: Where they run.

        """
        with self._lock:
            created = (created_at or self.world.now()).replace(microsecond=0)
            home, run_id = self._repository(repository), self.world.new_id()
            run = Run(
                id=run_id, number=home.next_number(), repository=home, workflow=workflow, file=file, branch=branch,
                sha=sha or hashlib.sha1(str(run_id).encode(), usedforsecurity=False).hexdigest(),
                event=event, actor=actor, created_at=created, fork=fork,
            )  # fmt: skip
            self.world.add_run(run, jobs=jobs, labels=labels)
            if status != "queued":
                self.world.start(run, created + seconds(queue))
            if status == "completed":
                self.world.finish(run, conclusion, created + seconds(queue + duration), jobs if failing is None else failing)
            return run.id

    def start_run(self, run_id: int) -> None:
        """Let a run's jobs start now."""
        with self._lock:
            self.world.start(self.world.runs[run_id], self.world.now())

    def finish_run(self, run_id: int, conclusion: str = "success", *, failing: Sequence[str] | None = None) -> None:
        """Let a run's last attempt end now."""
        with self._lock:
            run = self.world.runs[run_id]
            self.world.finish(run, conclusion, self.world.now(), _names(run) if failing is None else failing)

    def rerun(
        self,
        run_id: int,
        *,
        conclusion: str | None = "success",
        actor: str = "octocat",
        failed_only: bool = False,
        at: datetime | None = None,
        duration: float = 60.0,
    ) -> int:
        """Run a run once more and return the number of the attempt; one without a conclusion waits."""
        with self._lock:
            run, began = self.world.runs[run_id], (at or self.world.now()).replace(microsecond=0)
            self.world.rerun(run, actor=actor, at=began, failed_only=failed_only)
            if conclusion is not None:
                self.world.start(run, began)
                self.world.finish(run, conclusion, began + timedelta(seconds=duration), _names(run))
            return run.last.number

    def touch_run(self, run_id: int) -> None:
        """Move a run's ``updated_at`` and nothing else, as GitHub does long after its end."""
        with self._lock:
            self.world.runs[run_id].last.updated_at = self.world.now()

    def delete_run(self, run_id: int) -> None:
        """Delete a run."""
        with self._lock:
            del self.world.runs[run_id]

    def run(self, run_id: int) -> dict[str, Any]:
        """Return a run as the REST API shows it."""
        with self._lock:
            run = self.world.runs[run_id]
            return rows.run(run, run.last, self.url)

    def _repository(self, name: str) -> Repository:
        return self.world.find(name) or self.add_repository(name)

    # calls

    def count(self, path: str = "", *, status: int | None = None) -> int:
        """Return how many calls had a path that contains this, and this status."""
        return sum(path in call.path and status in (None, call.status) for call in self.calls)

    @property
    def charged(self) -> int:
        """How many calls were counted against the limit an hour."""
        return self._gate.charged

    def forget_calls(self) -> None:
        """Begin to count anew; the hours begin anew too."""
        with self._lock:
            self._server.calls.clear()
            self._gate.hours.clear()
            self._gate.charged = 0

    # faults

    def limit_next(self, *, status: int = 403, retry_after: int | None = 30, path: str = "", times: int = 1) -> None:
        """Refuse the next requests for a secondary limit; without ``retry_after`` GitHub does not say for how long."""
        told = {} if retry_after is None else {"retry-after": str(retry_after)}
        self.fail_next(status, body=_SECONDARY, headers=told, path=path, times=times)

    def slow_down(self, seconds: float) -> None:
        """Answer so much later from now on."""
        self._faults.delay = seconds

    # webhooks

    def deliver_webhooks(self, url: str, secret: str | None = None) -> None:
        """Send a webhook for each change from now on, and wait for the answer; GitHub tries none twice.

        Args:
            url: Where to.
            secret: What to sign with; this fake's ``webhook_secret`` when absent.

        """
        self.webhook_secret = secret or self.webhook_secret
        self._hook = url

    def sign(self, payload: Any, *, event: str) -> Delivery:
        """Return any payload as GitHub would sign and send it."""
        return hooks.sign(payload, self.webhook_secret, event=event)

    def ping(self, repository: str = "acme/shop") -> Delivery:
        """Return the webhook that GitHub sends first."""
        return self.sign(hooks.ping(rows.repository(self._repository(repository), self.url, whole=True)), event="ping")

    def _tell(self, change: Change) -> None:
        event, payload = hooks.payload(change, self.url)
        delivery = hooks.sign(payload, self.webhook_secret, event=event, action=change.action)
        self.deliveries.append(delivery)
        if self._hook is not None:
            try:
                self.results.append(send(delivery, self._hook))
            except OSError:
                self.results.append(None)


def _names(run: Run) -> list[str]:
    return [job.name for job in run.last.jobs]
