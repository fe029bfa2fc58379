"""What GitHub's webhooks tell of builds, and that they and imports come to the same record in any order."""

from __future__ import annotations

import functools
import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import Status
from forgekit.builds.ports import BuildQuery
from forgekit.builds.rules.merging import combined
from forgekit.errors import InvalidInput
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.net.http import Http
from forgekit.kernel.secrets import Secret
from forgekit.testing import FakeClock, FakeGitHub
from forgekit_github import GithubReader, GithubSettings, GithubSource
from forgekit_github._client import Client

READER = GithubReader()
START = datetime(2026, 3, 5, 12, tzinfo=UTC)
REPOSITORY = {"full_name": "acme/shop", "language": "Python"}
RUN = {
    "id": 7, "name": "CI", "head_branch": "main", "head_sha": "c0ffee", "run_attempt": 1, "event": "push", "status": "completed",
    "conclusion": "success", "created_at": "2026-03-05T12:00:00Z", "run_started_at": "2026-03-05T12:00:05Z",
    "updated_at": "2026-03-05T12:03:00Z", "html_url": "https://github.com/acme/shop/actions/runs/7", "actor": {"login": "octocat"},
    "head_commit": {"timestamp": "2026-03-05T11:59:00+00:00"}, "head_repository": {"full_name": "Acme/shop"},
}  # fmt: skip
JOB = {
    "id": 70, "run_id": 7, "run_attempt": 1, "name": "build", "status": "completed", "conclusion": "failure", "head_sha": "c0ffee",
    "workflow_name": "CI", "created_at": "2026-03-05T12:00:05Z", "started_at": "2026-03-05T12:00:09Z",
    "completed_at": "2026-03-05T12:02:58Z", "labels": ["ubuntu-latest"],
}  # fmt: skip


def told(event, **payload):
    """Return what a webhook of the repository tells."""
    return READER.read(event, {"repository": REPOSITORY, "sender": {"login": "octocat"}, **payload})


def of_run(**changes):
    """Return the one sighting of a run."""
    (sighting,) = told("workflow_run", workflow_run={**RUN, **changes})
    return sighting


def of_job(**changes):
    """Return the one sighting of a job."""
    (sighting,) = told("workflow_job", workflow_job={**JOB, **changes})
    return sighting


# workflow_run


def test_a_run_is_a_build():
    """All that the run tells arrives; its end is an estimate, for GitHub tells none."""
    build = of_run()
    assert build.key == ("github", "acme/shop", "7", 1)
    assert (build.status, build.branch, build.commit, build.workflow, build.event) == (Status.PASSED, "main", "c0ffee", "CI", "push")
    assert (build.actor, build.language, build.url) == ("octocat", "Python", RUN["html_url"])
    assert (build.queued_at, build.started_at) == (START, START + timedelta(seconds=5))
    assert (build.finished_at, build.end_estimated, build.updated_at) == (START + timedelta(minutes=3), True, START + timedelta(minutes=3))
    assert build.committed_at == START - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("status", "conclusion", "wanted"),
    [
        ("requested", None, Status.QUEUED),
        ("queued", None, Status.QUEUED),
        ("waiting", None, Status.QUEUED),
        ("pending", None, Status.QUEUED),
        ("in_progress", None, Status.RUNNING),
        ("completed", None, Status.RUNNING),
        ("completed", "success", Status.PASSED),
        ("completed", "failure", Status.FAILED),
        ("completed", "startup_failure", Status.ERRORED),
        ("completed", "timed_out", Status.TIMED_OUT),
        ("completed", "cancelled", Status.CANCELED),
        ("completed", "skipped", Status.SKIPPED),
        ("completed", "neutral", Status.SKIPPED),
        ("completed", "stale", Status.SKIPPED),
        ("completed", "something new", Status.SKIPPED),
        ("completed", "in_progress", Status.SKIPPED),
    ],
)
def test_every_status_is_known(status, conclusion, wanted):
    """What does not wait runs, what has not ended has no end, and a conclusion that is not known yet is no judgement."""
    build = of_run(status=status, conclusion=conclusion)
    assert build.status is wanted
    assert (build.started_at is None) is (wanted is Status.QUEUED)
    assert (build.finished_at is None) is (wanted in {Status.QUEUED, Status.RUNNING})


def test_a_run_that_waits_for_approval_begins_with_it():
    """GitHub tells it as completed, and later the same attempt as it ran: its times are those of the run."""
    unapproved = of_run(conclusion="action_required", updated_at="2026-03-05T12:00:06Z")
    assert (unapproved.status, unapproved.started_at, unapproved.finished_at) == (Status.SKIPPED, None, None)
    ran = of_run(run_started_at="2026-03-05T15:00:00Z", updated_at="2026-03-05T15:03:00Z")
    for build in (combined(unapproved, ran), combined(ran, unapproved)):
        assert (build.status, build.started_at) == (Status.PASSED, START + timedelta(hours=3))
        assert build.finished_at == START + timedelta(hours=3, minutes=3)


def test_a_rerun_is_asked_for_when_it_starts():
    """Its ``created_at`` is still that of the first attempt."""
    again = START + timedelta(hours=21)
    build = of_run(run_attempt=3, run_started_at="2026-03-06T09:00:00Z", updated_at="2026-03-06T09:01:00Z")
    assert (build.attempt, build.queued_at, build.started_at) == (3, again, again)


def test_odd_values_are_left_out():
    """What is null, empty, of another type or of the year 1 is not told; an end before the start is the start."""
    build = of_run(
        run_attempt=True, head_branch=None, head_sha=7, name="", html_url="a\0b", run_started_at="0001-01-01T00:00:00Z", head_commit=None,
        actor=None, triggering_actor={"login": "mallory"}, updated_at="2026-03-05T11:00:00", created_at="2026-03-05T13:00:00+01:00",
    )  # fmt: skip
    assert (build.attempt, build.branch, build.commit, build.workflow, build.url, build.actor) == (1, None, None, None, "ab", "mallory")
    assert build.queued_at == build.started_at == build.finished_at == START
    for moment in ("soon", "9999-12-31T23:59:59-23:00", "1970-01-01T00:00:00+14:00", "2199-12-31T23:00:00-02:00", 7):
        build = of_run(created_at=moment, run_started_at=moment, updated_at=moment)
        assert (build.queued_at, build.started_at, build.finished_at, build.updated_at) == (None, None, None, None)


@pytest.mark.parametrize(
    ("head", "branch"), [({"full_name": "mallory/shop"}, "mallory:main"), (None, "main"), ({"full_name": "ACME/SHOP"}, "main")]
)
def test_a_forks_branch_names_its_owner(head, branch):
    """A fork's ``main`` is not the project's; a deleted fork cannot be told from the project."""
    assert of_run(head_repository=head).branch == branch


# workflow_job


def test_a_job_is_told_alone():
    """It neither begins, ends nor dates its run, and does not tell its branch."""
    sighting = of_job()
    assert (sighting.key, sighting.status, sighting.branch) == (("github", "acme/shop", "7", 1), Status.RUNNING, None)
    assert (sighting.started_at, sighting.finished_at, sighting.updated_at, sighting.workflow) == (None, None, None, "CI")
    (job,) = sighting.jobs
    assert (job.name, job.status, job.started_at) == ("build", Status.FAILED, START + timedelta(seconds=9))
    assert job.finished_at == START + timedelta(minutes=2, seconds=58)


def test_a_waiting_job_has_not_started():
    """GitHub gives it the time of its making as its start."""
    sighting = of_job(status="queued", conclusion=None, completed_at=None)
    assert (sighting.status, sighting.jobs[0].status, sighting.jobs[0].started_at) == (Status.QUEUED, Status.QUEUED, None)


def test_a_skipped_job_took_no_time():
    """One that never ran is told to have ended before it started."""
    (job,) = of_job(conclusion="skipped", started_at="2026-03-05T12:05:00Z").jobs
    assert (job.status, job.started_at) == (Status.SKIPPED, job.finished_at)


@pytest.mark.parametrize(
    ("labels", "rate"),
    [(["ubuntu-latest"], 1.0), (["windows-2025"], 2.0), (["macOS-15"], 10.0), (["self-hosted", "windows"], 1.0), (None, 1.0), ([7], 1.0)],
)
def test_a_minute_costs_as_much_as_its_machine(labels, rate):
    """By GitHub's multipliers; machines of one's own count once."""
    assert of_job(labels=labels).jobs[0].rate == rate


# check_suite, deployment_status, ping and the rest

SUITE = {
    "id": 9, "head_branch": "main", "head_sha": "c0ffee", "status": "completed", "conclusion": "failure", "latest_check_runs_count": 2,
    "created_at": "2026-03-05T12:00:00Z", "updated_at": "2026-03-05T12:01:00Z", "app": {"id": 1, "slug": "other-ci", "name": "Other CI"},
}  # fmt: skip


def test_another_apps_suite_is_a_build():
    """Systems that tell GitHub of their checks are known by these."""
    (build,) = told("check_suite", check_suite=SUITE)
    assert (build.build_id, build.status, build.workflow, build.event) == ("check-suite-9", Status.FAILED, "Other CI", "check_suite")
    assert (build.finished_at, build.end_estimated) == (START + timedelta(minutes=1), True)


@pytest.mark.parametrize(
    "changes",
    [
        {"app": {"id": 15368}},
        {"app": {"slug": "github-actions"}},
        {"status": "requested", "conclusion": None},
        {"status": "in_progress", "conclusion": None},
        {"latest_check_runs_count": 0},
    ],
)
def test_a_suite_that_counts_nothing_new_is_passed_over(changes):
    """Those of Actions are its runs, told by ``workflow_run``; others count once they ended with at least one check."""
    assert told("check_suite", check_suite={**SUITE, **changes}) == ()


DEPLOYMENT = {
    "id": 5, "ref": "main", "sha": "c0ffee", "task": "deploy", "environment": "production", "created_at": "2026-03-05T12:00:00Z",
    "creator": {"login": "octocat"},
}  # fmt: skip
STATE = {"state": "success", "environment": "production", "created_at": "2026-03-05T12:04:00Z", "log_url": "https://ci.example/5"}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("success", Status.PASSED), ("failure", Status.FAILED), ("error", Status.ERRORED), ("in_progress", Status.RUNNING),
        ("queued", Status.QUEUED), ("pending", Status.QUEUED), ("waiting", Status.QUEUED),
    ],
)  # fmt: skip
def test_a_deployment_without_a_run_is_a_build(state, status):
    """It is known by its environment, and ends with its last status."""
    (build,) = told("deployment_status", deployment=DEPLOYMENT, deployment_status={**STATE, "state": state})
    assert (build.build_id, build.status, build.environment, build.url) == ("deployment-5", status, "production", "https://ci.example/5")
    assert (build.finished_at is not None) is (state in {"success", "failure", "error"})


def test_a_deployment_that_was_replaced_tells_nothing():
    """``inactive`` is said of the one before; a state that is not known yet says nothing either."""
    for state in ("inactive", "marvellous", None):
        assert told("deployment_status", deployment=DEPLOYMENT, deployment_status={**STATE, "state": state}) == ()


def test_a_deployment_by_a_run_makes_that_run_one():
    """A run is known for the environment that it reached, and its end is its own."""
    payload = {"deployment": DEPLOYMENT, "deployment_status": STATE, "workflow_run": {**RUN, "status": "in_progress", "conclusion": None}}
    (sighting,) = told("deployment_status", **payload)
    assert (sighting.key, sighting.status, sighting.environment) == (of_run().key, Status.RUNNING, "production")
    both = {combined(of_run(), sighting), combined(sighting, of_run())}
    assert [(build.status, build.environment) for build in both] == [(Status.PASSED, "production")]
    assert told("deployment_status", **{**payload, "deployment_status": {**STATE, "state": "failure"}}) == ()


def test_other_events_tell_of_no_build(github):
    """``ping`` and events of other things are GitHub's, and what is not GitHub's is left to others."""
    delivery = github.ping()
    assert READER.read("ping", json.loads(delivery.body)) == ()
    assert told("push", ref="refs/heads/main") == told("star") == ()
    assert READER.read("push", {"object_kind": "push"}) is None
    assert READER.read("", {"workflow_run": RUN}) is None
    assert READER.read("workflow_run", [RUN]) is None


@pytest.mark.parametrize(
    ("event", "payload", "pointer"),
    [
        ("workflow_run", {}, "/workflow_run"),
        ("workflow_run", {"workflow_run": []}, "/workflow_run"),
        ("workflow_run", {"workflow_run": {**RUN, "id": "7"}}, "/workflow_run/id"),
        ("workflow_run", {"workflow_run": {**RUN, "id": True}}, "/workflow_run/id"),
        ("workflow_run", {"workflow_run": RUN, "repository": {}}, "/repository/full_name"),
        ("workflow_job", {"workflow_job": {**JOB, "name": None}}, "/workflow_job/name"),
        ("workflow_job", {"workflow_job": {**JOB, "run_id": 0}}, "/workflow_job/run_id"),
        ("check_suite", {"check_suite": {**SUITE, "id": -1}}, "/check_suite/id"),
        ("deployment_status", {"deployment_status": STATE}, "/deployment"),
        ("deployment_status", {"deployment_status": STATE, "deployment": {**DEPLOYMENT, "id": None}}, "/deployment/id"),
    ],
)
def test_a_body_of_another_shape_is_told_with_its_place(event, payload, pointer):
    """What GitHub would not send is refused with what is wrong and where."""
    with pytest.raises(InvalidInput) as caught:
        told(event, **payload)
    assert [problem["pointer"] for problem in caught.value.data["problems"]] == [pointer]


FIELDS = [*RUN, *JOB, "app", "full_name", "login"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["2026-03-05T12:00:00Z", "completed", "success"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from(["workflow_run", "workflow_job", "check_suite", "deployment_status", "deployment", "repository"])


@given(names, st.dictionaries(names, anything, max_size=4))
def test_whatever_comes_is_read_or_refused(event, payload):
    """No body makes the reader stumble."""
    try:
        found = READER.read(event, {"repository": REPOSITORY, **payload})
    except InvalidInput:
        return
    assert found is None or all(build.provider == "github" for build in found)


# Webhooks and imports tell of the same builds


def live(github, run, look):
    """Let a run wait, fail in part, run again and be touched long after; look at the list after each change."""
    for change in (
        lambda: None,
        lambda: github.start_run(run),
        lambda: github.finish_run(run, "failure", failing=("test",)),
        lambda: github.rerun(run, failed_only=True, conclusion=None),
        lambda: github.finish_run(run),
        lambda: github.touch_run(run),
    ):
        change()
        look()


@pytest.fixture(scope="module")
def sightings():
    """All that was told of one run with two attempts, by webhooks and by lists between them."""
    clock, listed = FakeClock(START), []
    http = Http(clock=clock, sleep=lambda _seconds: None)
    with FakeGitHub(clock=clock) as github:
        settings = GithubSettings(api_url=github.url, token=Secret(github.token))
        source = GithubSource(Client(settings, http, clock, Priority.PEOPLE))

        def look():
            builds = next(iter(source.pages("acme/shop", BuildQuery()))).builds
            listed.extend([*builds, *(each for build in builds for each in source.earlier(build))])
            clock.advance(60)

        live(github, github.add_run(status="queued", jobs=("build", "test")), look)
        heard = [READER.read(each.event, json.loads(each.body)) for each in github.deliveries]
    http.close()
    return [*itertools.chain.from_iterable(heard), *listed]


@given(st.data())
def test_webhooks_and_imports_come_to_the_same_in_any_order(sightings, data):
    """However the sightings are mixed and repeated, each attempt is the same record in the end."""
    order = data.draw(st.permutations(sightings))
    repeated = data.draw(st.lists(st.sampled_from(sightings), max_size=5))

    def known(seen):
        records = {}
        for sighting in seen:
            records[sighting.key] = combined(records.get(sighting.key, sighting), sighting)
        return records

    wanted = known(sightings)
    assert known([*order, *repeated]) == wanted
    first, second = (functools.reduce(combined, [each for each in sightings if each.attempt == attempt]) for attempt in (1, 2))
    assert (first.status, [job.status for job in first.jobs]) == (Status.FAILED, [Status.PASSED, Status.FAILED])
    assert (second.status, [job.name for job in second.jobs]) == (Status.PASSED, ["test"])
    assert first.finished_at < second.queued_at < second.finished_at < second.updated_at
    assert (first.branch, second.language) == ("main", "Python")


# Recorded bodies


def test_recorded_bodies_are_read(recordings):
    """Every example that GitHub publishes is read, and tells of as many builds as it should."""
    counts = {}
    for path in sorted((recordings / "github").glob("*.json")):
        event = path.name.partition(".")[0]
        found = READER.read(event, json.loads(path.read_text(encoding="utf-8")))
        counts.setdefault(event, []).append(None if found is None else len(found))
        for build in found or ():
            assert build.project.count("/") == 1
            assert build.build_id
    assert set(counts["workflow_run"]) == set(counts["workflow_job"]) == {1}
    assert set(counts["ping"]) <= {0}
    assert set(counts["deployment_status"]) <= {0, 1}
