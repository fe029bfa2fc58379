"""I/O: the calls that the source makes, over the forge's HTTP machine and within the token's budget."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from forgekit.kernel.clock import Clock
from forgekit.kernel.net.http import Http, Param, Response
from forgekit.kernel.net.models import Priority
from forgekit.kernel.net.rules import segment
from forgekit.kernel.secrets import Secret
from forgekit_ci.gitlab import _wire
from forgekit_ci.gitlab.settings import GitLabSettings

_TIMEOUT = 30.0


class Client:
    """GitLab's endpoints, as far as they are needed."""

    def __init__(self, settings: GitLabSettings, http: Http, clock: Clock, priority: Priority) -> None:
        """Keep the parts; makes no call."""
        self.page_size = settings.page_size
        self._clock = clock
        self._lock = threading.Lock()
        self._calls = 0
        self._hide = settings.token.reveal() if settings.token is not None else ""
        headers: dict[str, str | Secret] = {"Accept": "application/json"}
        if settings.token is not None:
            headers["PRIVATE-TOKEN"] = settings.token
        self._ticket = http.budgets.ticket(settings.credential, settings.policy, priority)
        self._session = http.session(
            system=_wire.SYSTEM, base_url=settings.base_url, headers=headers, budget=self._ticket, timeout=_TIMEOUT
        )

    @property
    def calls(self) -> int:
        """How many requests were sent."""
        return self._calls

    def project(self, name: str) -> Any:
        """Return a project."""
        return self._judged(self._answer(name), f"the project {name}")

    def pipelines(self, name: str, params: Mapping[str, Param], page: int) -> tuple[Any, Response]:
        """Return a page of pipelines, and the answer whose headers tell of the others."""
        response = self._answer(name, "/pipelines", {**params, "per_page": self.page_size, "page": page})
        return self._judged(response, f"the project {name}"), response

    def pipeline(self, name: str, pipeline_id: str) -> Any:
        """Return one pipeline."""
        return self._judged(self._answer(name, f"/pipelines/{segment(pipeline_id)}"), f"the pipeline {pipeline_id} of {name}")

    def deployment(self, name: str, deployment_id: str) -> Any:
        """Return one deployment."""
        return self._judged(self._answer(name, f"/deployments/{segment(deployment_id)}"), f"the deployment {deployment_id} of {name}")

    def jobs(self, name: str, pipeline_id: str, page: int) -> Any:
        """Return a page of a pipeline's jobs, each as it was tried last."""
        response = self._answer(name, f"/pipelines/{segment(pipeline_id)}/jobs", {"per_page": self.page_size, "page": page})
        return self._judged(response, f"the jobs of the pipeline {pipeline_id} of {name}")

    def _judged(self, response: Response, what: str) -> Any:
        return _wire.judge(response, what, hide=self._hide)

    def _answer(self, name: str, below: str = "", params: Mapping[str, Param] | None = None) -> Response:
        path = f"api/v4/projects/{segment(_wire.check_name(name))}{below}"
        with self._lock:
            self._calls += 1
        response = self._session.request("GET", path, params=params)
        seconds = _wire.exhausted(response, self._clock.now())
        if seconds is not None:
            # The next call would be refused: who comes next waits, whoever it is and in whichever process.
            self._ticket.block(seconds)
        return response
