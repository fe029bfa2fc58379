"""What answers a request: the token, the limits, the routes, and what has not changed."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping

import attrs

from forgekit.testing.fake_github import listing, rows
from forgekit.testing.fake_github.listing import Refusal
from forgekit.testing.fake_github.world import Repository, World
from forgekit.testing.loopback import Answer, RawRequest

_HOUR = 3600.0
_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)(/.*)?")
_BY_ID = re.compile(r"/repositories/([0-9]+)(/.*)?")
_NOT_FOUND = Refusal(404, "Not Found")


@attrs.define(kw_only=True)
class Hour:
    """The calls of one token in the hour that it began; 304s for those who show a token cost nothing."""

    ends: float
    used: int = 0


@attrs.define(kw_only=True)
class Gate:
    """Decides what a request is answered.

    Attributes:
        world: The data.
        tokens: Every token that is valid, and whether it may see private repositories.
        limit: Calls an hour with a token.
        anonymous_limit: Calls an hour without one.
        cap: Runs that a search shows.
        url: Its own address.

    """

    world: World
    tokens: dict[str, bool]
    limit: int
    anonymous_limit: int
    cap: int
    url: str = ""
    hours: dict[str, Hour] = attrs.field(factory=dict)
    charged: int = 0

    def answer(self, raw: RawRequest) -> Answer:
        """Return the answer to a request."""
        token = raw.headers.get("authorization", "").partition(" ")[2]
        if token and token not in self.tokens:
            return _refused(Refusal(401, "Bad credentials"))
        hour, limit = self._hour(token), self.limit if token else self.anonymous_limit
        if hour.used >= limit:
            return attrs.evolve(_refused(Refusal(403, "API rate limit exceeded for this token.")), headers=_counts(hour, limit))
        try:
            answer = self._unchanged(raw, self._routed(raw, private=self.tokens.get(token, False)))
        except Refusal as refusal:
            answer = _refused(refusal)
        if answer.status != 304 or not token:
            hour.used += 1
            self.charged += 1
        return attrs.evolve(answer, headers={**_counts(hour, limit), **answer.headers})

    def _hour(self, token: str) -> Hour:
        now = self.world.clock.now().timestamp()
        hour = self.hours.get(token)
        if hour is None or hour.ends <= now:
            hour = self.hours[token] = Hour(ends=math.ceil(now) + _HOUR)
        return hour

    def _unchanged(self, raw: RawRequest, answer: Answer) -> Answer:
        etag = f'W/"{hashlib.sha256(json.dumps(answer.body, sort_keys=True).encode()).hexdigest()}"'
        if answer.status == 200 and raw.headers.get("if-none-match") == etag:
            return Answer(304, headers={"etag": etag})
        return attrs.evolve(answer, headers={"etag": etag, **answer.headers})

    def _routed(self, raw: RawRequest, *, private: bool) -> Answer:
        if raw.method != "GET":
            raise _NOT_FOUND
        named, numbered = _REPOSITORY.fullmatch(raw.path), _BY_ID.fullmatch(raw.path)
        if named is not None:
            repository, below = self.world.find(named[1]), named[2] or ""
        elif numbered is not None:
            found = (each for each in self.world.repositories.values() if each.id == int(numbered[1]))
            repository, below = next(found, None), numbered[2] or ""
        else:
            raise _NOT_FOUND
        if repository is None or (repository.private and not private):
            raise _NOT_FOUND
        if named is not None and named[1].lower() != repository.name.lower():
            there = f"{self.url}/repositories/{repository.id}{below}"
            return Answer(301, {"message": "Moved Permanently", "url": there}, headers={"location": there})
        return self._below(repository, below, raw.query)

    def _below(self, repository: Repository, below: str, query: Mapping[str, str]) -> Answer:
        if below == "":
            return Answer(200, rows.repository(repository, self.url, whole=True))
        for pattern, handler in _ROUTES:
            match = pattern.fullmatch(below)
            if match is not None:
                return Answer(200, handler(self, repository, query, *match.groups()))
        raise _NOT_FOUND

    # The routes

    def runs(self, repository: Repository, query: Mapping[str, str], workflow: str | None = None) -> rows.Row:
        """Return a page of runs."""
        found = self.world.of(repository)
        if workflow is not None:
            found = [run for run in found if workflow in (run.file, str(rows.run(run, run.last, self.url)["workflow_id"]))]
            if not found:
                raise _NOT_FOUND
        kept = listing.filtered(found, query)
        page = listing.page(kept, query, cap=self.cap if listing.is_search(query) else None)
        return {"total_count": len(kept), "workflow_runs": [rows.run(run, run.last, self.url) for run in page]}

    def run(self, repository: Repository, _query: Mapping[str, str], run_id: str, attempt: str | None = None) -> rows.Row:
        """Return a run, in its last attempt or the one that is asked for."""
        run = self.world.runs.get(int(run_id))
        number = 0 if run is None else int(attempt or len(run.attempts))
        if run is None or run.repository is not repository or not 1 <= number <= len(run.attempts):
            raise _NOT_FOUND
        return rows.run(run, run.attempts[number - 1], self.url)

    def jobs(self, repository: Repository, query: Mapping[str, str], run_id: str, attempt: str | None = None) -> rows.Row:
        """Return a page of the jobs of an attempt, those taken over from the one before among them."""
        row = self.run(repository, query, run_id, attempt)
        run = self.world.runs[int(run_id)]
        found = run.attempts[int(row["run_attempt"]) - 1].jobs
        page = listing.page(found, query, cap=None)
        return {"total_count": len(found), "jobs": [rows.job(job, run, self.url) for job in page]}


Handler = Callable[..., rows.Row]
_ROUTES: tuple[tuple[re.Pattern[str], Handler], ...] = (
    (re.compile(r"/actions/runs"), Gate.runs),
    (re.compile(r"/actions/workflows/([^/]+)/runs"), Gate.runs),
    (re.compile(r"/actions/runs/([0-9]+)"), Gate.run),
    (re.compile(r"/actions/runs/([0-9]+)/attempts/([0-9]+)"), Gate.run),
    (re.compile(r"/actions/runs/([0-9]+)/jobs"), Gate.jobs),
    (re.compile(r"/actions/runs/([0-9]+)/attempts/([0-9]+)/jobs"), Gate.jobs),
)


def _refused(refusal: Refusal) -> Answer:
    body = {"message": refusal.message, "documentation_url": "https://docs.github.com/rest", "status": str(refusal.status)}
    return Answer(refusal.status, body)


def _counts(hour: Hour, limit: int) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(max(limit - hour.used, 0)),
        "x-ratelimit-used": str(hour.used),
        "x-ratelimit-reset": str(int(hour.ends)),
        "x-ratelimit-resource": "core",
    }
