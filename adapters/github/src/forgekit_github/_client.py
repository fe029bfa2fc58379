"""I/O: the calls that the source makes, over the forge's HTTP machine and within the token's budget."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from forgekit.errors import BudgetExhausted, InvalidInput
from forgekit.kernel.clock import Clock
from forgekit.kernel.net.http import Http, Param, Response
from forgekit.kernel.net.models import Priority
from forgekit.kernel.net.rules import segment
from forgekit.kernel.secrets import Secret
from forgekit_github._judge import SYSTEM, exhausted, haste, judge
from forgekit_github.settings import GithubSettings

_VERSION = "2022-11-28"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}", re.ASCII)
_MARK = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{1,200}"', re.ASCII)
_TIMEOUT = 30.0
_MOVED = frozenset({301, 302, 307, 308})


class Client:
    """GitHub's endpoints, as far as they are needed."""

    def __init__(self, settings: GithubSettings, http: Http, clock: Clock, priority: Priority) -> None:
        """Keep the parts; makes no call."""
        self.page_size = settings.page_size
        self._clock = clock
        self._lock = threading.Lock()
        self._calls = 0
        self._hide = settings.token.reveal() if settings.token is not None else ""
        self._base_path = urlsplit(settings.api_url).path.rstrip("/")
        self._host = urlsplit(settings.api_url).netloc
        headers: dict[str, str | Secret] = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": _VERSION}
        if settings.token is not None:
            headers["Authorization"] = Secret(f"Bearer {self._hide}")
        self._ticket = http.budgets.ticket(settings.credential, settings.policy, priority)
        self._session = http.session(
            system=SYSTEM, base_url=settings.api_url, headers=headers, budget=self._ticket, timeout=_TIMEOUT, haste=haste
        )

    @property
    def calls(self) -> int:
        """How many requests were sent."""
        return self._calls

    def repository(self, name: str) -> Any:
        """Return a repository."""
        return self._get(_repository(name), f"the repository {name}")

    def runs(self, name: str, workflow: str | None, params: Mapping[str, Param], mark: str | None = None) -> tuple[Any, str | None]:
        """Return a page of runs and its mark; None for the page where it has not changed since the mark was given."""
        path = f"{_repository(name)}/actions/"
        path += "runs" if workflow is None else f"workflows/{segment(_workflow(workflow))}/runs"
        what = f"the repository {name}" if workflow is None else f"the workflow {workflow} of {name}"
        fitting = {"If-None-Match": mark} if mark is not None and _MARK.fullmatch(mark) else {}
        response = self._answer(path, {**params, "per_page": self.page_size, "exclude_pull_requests": "true"}, fitting)
        etag = response.headers.get("etag", "")
        if response.status == HTTPStatus.NOT_MODIFIED:
            return None, mark
        return judge(response, what, hide=self._hide), etag if _MARK.fullmatch(etag) else None

    def run(self, name: str, run_id: str, attempt: int | None = None) -> Any:
        """Return a run's latest attempt, or an earlier one."""
        below = "" if attempt is None else f"/attempts/{attempt}"
        path = f"{_repository(name)}/actions/runs/{segment(run_id)}{below}"
        return self._get(path, f"the run {run_id} of {name}", {"exclude_pull_requests": "true"})

    def jobs(self, name: str, run_id: str, attempt: int, page: int) -> Any:
        """Return a page of the jobs of an attempt."""
        path = f"{_repository(name)}/actions/runs/{segment(run_id)}/attempts/{attempt}/jobs"
        return self._get(path, f"the jobs of the run {run_id} of {name}", {"per_page": self.page_size, "page": page})

    def _get(self, path: str, what: str, params: Mapping[str, Param] | None = None) -> Any:
        return judge(self._answer(path, params or {}, {}), what, hide=self._hide)

    def _answer(self, path: str, params: Mapping[str, Param], headers: Mapping[str, str]) -> Response:
        response = self._once(path, params, headers)
        moved = self._moved_to(response)
        return response if moved is None else self._once(moved, params, headers)

    def _once(self, path: str, params: Mapping[str, Param], headers: Mapping[str, str]) -> Response:
        with self._lock:
            self._calls += 1
        try:
            response = self._session.request("GET", path, params=params, headers=headers)
        except BudgetExhausted:
            with self._lock:
                self._calls -= 1  # nothing was sent
            raise
        seconds = exhausted(response, self._clock.now())
        if seconds is not None:
            # The next call would be refused: who comes next waits for the new hour, whoever it is and in whichever process.
            self._ticket.block(seconds)
        return response

    def _moved_to(self, response: Response) -> str | None:
        """Return the path that a renamed repository's redirect leads to; None for anything that leads elsewhere."""
        if response.status not in _MOVED:
            return None
        parts = urlsplit(response.headers.get("location", ""))
        below = parts.path.removeprefix(self._base_path)
        if parts.netloc != self._host or not re.fullmatch(r"/repositories/[0-9]{1,19}(?:/[A-Za-z0-9._%/-]*)?", below, re.ASCII):
            return None
        return below.lstrip("/")


def _repository(name: str) -> str:
    owner, _, repository = name.partition("/")
    if not _NAME.fullmatch(name) or {owner, repository} & {".", ".."}:
        raise InvalidInput(
            "A repository is named owner/repository, as in its address on GitHub.",
            problems=[{"pointer": "/project", "message": "must be owner/repository"}],
        )
    return f"repos/{owner}/{repository}"


def _workflow(workflow: str) -> str:
    """Return a workflow's file name or id; of a path its last part, which is all that GitHub takes."""
    return workflow.rsplit("/", 1)[-1]
