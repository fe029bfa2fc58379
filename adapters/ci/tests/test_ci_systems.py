"""What each system's webhooks come to."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce
from itertools import permutations

import attrs
import pytest

from forgekit.builds import Job, Key, Status
from forgekit.builds.rules.merging import combined
from forgekit.errors import InvalidInput
from forgekit_ci import AZURE, BITBUCKET, BUILDKITE, CDEVENTS, CIRCLECI, GITLAB, JENKINS


def at(text):
    """Return a moment of the second of March."""
    return datetime.fromisoformat(f"2026-03-02T{text}").replace(tzinfo=UTC)


def told(reader, payload):
    """Return the one sighting."""
    (record,) = reader.read("", payload)
    return record


def together(reader, *payloads):
    """Return what payloads come to, in whatever order they arrive."""
    outcomes = [reduce(combined, order) for order in permutations([told(reader, each) for each in payloads])]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    return outcomes[0]


def within(payload, *way, **changes):
    """Return a payload with other members in the object at a place."""
    if not way:
        return {**payload, **changes}
    return {**payload, way[0]: within(payload[way[0]], *way[1:], **changes)}


# GitLab


def test_a_gitlab_pipeline_keeps_its_own_duration(samples):
    """The time that GitLab says it ran, and the time on the wall with the idle time between its stages, stand apart."""
    record = told(GITLAB, samples.GITLAB_PIPELINE)
    assert record.key == Key("gitlab", "acme/shop", "411", 1)
    assert (record.status, record.branch, record.commit, record.workflow) == (Status.PASSED, "main", "a" * 40, "nightly")
    assert (record.queued_at, record.started_at, record.finished_at) == (at("10:00"), at("10:00:12"), at("11:30"))
    assert (record.duration_seconds, record.event, record.actor) == (95, "push", "ada")
    assert record.committed_at == at("08:58")
    assert record.jobs[0] == Job(name="test", status="passed", started_at=at("10:00:14"), finished_at=at("10:01"))


def test_a_gitlab_pipeline_that_hardly_waited_starts_with_its_first_job(samples):
    """Where GitLab tells no waiting time, the first job's start stands in."""
    payload = within(samples.GITLAB_PIPELINE, "object_attributes", queued_duration=None)
    assert told(GITLAB, payload).started_at == at("10:00:14")


def test_a_gitlab_pipeline_that_waits_for_ever_is_refused(samples):
    """A waiting time that ends after the end of time is named."""
    with pytest.raises(InvalidInput) as caught:
        told(GITLAB, within(samples.GITLAB_PIPELINE, "object_attributes", queued_duration=1e300))
    assert caught.value.data["problems"][0]["pointer"] == "/object_attributes/queued_duration"


@pytest.mark.parametrize(
    ("word", "status"),
    [("created", "queued"), ("canceling", "running"), ("canceled", "canceled"), ("manual", "skipped"), ("failed", "failed")],
)
def test_gitlabs_words(samples, word, status):
    """Each of its statuses has a meaning, and an end is taken over only with one that ended."""
    record = told(GITLAB, within(samples.GITLAB_PIPELINE, "object_attributes", status=word))
    assert record.status == status
    assert (record.finished_at is None) == (status in {"queued", "running"})


def test_gitlab_jobs_and_pipelines_meet(samples):
    """A job's webhook, the pipeline's start and its end come to one build, in any order."""
    start = within(samples.GITLAB_PIPELINE, "object_attributes", status="running", finished_at=None, duration=None)
    record = together(GITLAB, samples.GITLAB_JOB, {**start, "builds": []}, {**samples.GITLAB_PIPELINE, "builds": None})
    assert (record.status, record.duration_seconds) == (Status.PASSED, 95)
    assert [job.name for job in record.jobs] == ["test"]


def test_a_gitlab_pipeline_that_is_retried_ends_as_it_ended_last(samples):
    """A retry begins the same pipeline again; its second end holds, whichever is told first."""
    failed = within(samples.GITLAB_PIPELINE, "object_attributes", status="failed", finished_at="2026-03-02 10:20:00 UTC")
    running = within(samples.GITLAB_PIPELINE, "object_attributes", status="running", finished_at=None)
    assert together(GITLAB, failed, running, samples.GITLAB_PIPELINE).status is Status.PASSED


def test_an_old_gitlabs_job_names_its_project_and_pipeline_elsewhere(samples):
    """Older servers tell the project's name with spaces and the pipeline as the commit's id."""
    old = {**samples.GITLAB_JOB, "project": None, "pipeline_id": None, "build_status": "pending"}
    record = told(GITLAB, old)
    assert (record.project, record.build_id, record.status) == ("Acme/Shop", "411", Status.QUEUED)


def test_a_gitlab_deployment_is_a_build_with_an_environment(samples):
    """A deployment is told apart from its pipeline, by where it goes and with the whole commit."""
    running = {**samples.GITLAB_DEPLOYMENT, "status": "running", "status_changed_at": "2026-03-02 10:04:00 +0100"}
    record = together(GITLAB, samples.GITLAB_DEPLOYMENT, running)
    assert (record.build_id, record.environment, record.commit) == ("deployment-15", "production", "a" * 40)
    assert (record.started_at, record.finished_at) == (at("09:04"), at("09:05"))
    assert told(GITLAB, {**samples.GITLAB_DEPLOYMENT, "commit_url": None}).commit == "aaaaaaaa"


# Jenkins


def phase(samples, name, second, **changes):
    """Return the sample in another phase, at a second after 10:00."""
    moment = int(at("10:00").timestamp() * 1000) + second * 1000
    return within(samples.JENKINS, "build", phase=name, timestamp=moment, **changes)


def test_a_jenkins_build_is_told_in_phases(samples):
    """In whatever order its phases come: when it was queued, started and ended, and how long it says that it ran."""
    record = together(
        JENKINS,
        phase(samples, "QUEUED", 0, status=None, duration=0),
        phase(samples, "STARTED", 30, status="SUCCESS", duration=0, scm={}),
        phase(samples, "COMPLETED", 121),
        phase(samples, "FINALIZED", 150),
    )
    assert record.key == Key("jenkins", "acme/shop/main", "18", 1)
    assert (record.status, record.branch, record.tests_run, record.tests_failed) == (Status.FAILED, "main", 40, 2)
    assert (record.queued_at, record.started_at, record.finished_at) == (at("10:00"), at("10:00:30"), at("10:02:01"))
    assert (record.duration_seconds, record.end_estimated) == (90.5, False)


def test_the_last_phase_alone_tells_an_estimated_end(samples):
    """After the post-build steps nobody knows exactly when it ended; its start is what its duration says."""
    record = told(JENKINS, phase(samples, "FINALIZED", 150))
    assert (record.finished_at, record.end_estimated, record.started_at) == (at("10:02:30"), True, at("10:00:59.500"))


def test_a_jenkins_without_times_tells_none(samples):
    """Older plugins send neither times nor durations; a job without an address goes by its name."""
    payload = {"name": "shop", "build": {"number": 1, "phase": "FINALIZED", "status": "ABORTED"}}
    record = told(JENKINS, payload)
    assert (record.project, record.status, record.started_at, record.finished_at) == ("shop", Status.CANCELED, None, None)
    assert told(JENKINS, {"name": "shop", "build": {"number": 1, "phase": "NONE"}}).status is Status.RUNNING
    assert told(JENKINS, within(samples.JENKINS, "build", scm={"branch": "feature"})).branch == "feature"


@pytest.mark.parametrize(("name", "value"), [("duration", 1e300), ("timestamp", 10**30), ("timestamp", 10**15), ("timestamp", 10**13)])
def test_times_beyond_time_are_refused(samples, name, value):
    """What lies beyond the years that a record takes is named."""
    with pytest.raises(InvalidInput):
        told(JENKINS, within(samples.JENKINS, "build", **{name: value}))


@pytest.mark.parametrize(
    "payload", [{"build": {"phase": "STARTED", "number": 1}}, {"name": "shop", "build": {"phase": "COMPLETED", "number": 1}}]
)
def test_a_jenkins_webhook_without_project_or_result_is_refused(payload):
    """A build of nobody and an end without a result say nothing."""
    with pytest.raises(InvalidInput):
        told(JENKINS, payload)


# CircleCI


def test_a_circleci_workflow_and_its_jobs_meet(samples):
    """A workflow is the build; a job's webhook neither ends nor reopens it."""
    record = together(CIRCLECI, samples.CIRCLECI_WORKFLOW, samples.CIRCLECI_JOB)
    assert record.key == Key("circleci", "acme/shop", "wf-1", 1)
    assert (record.status, record.workflow, record.branch, record.actor) == (Status.PASSED, "ci", "main", "Ada")
    assert (record.queued_at, record.started_at, record.finished_at) == (at("10:00"), at("10:00:05"), at("10:04"))
    assert record.jobs == (Job(name="lint", status="failed", started_at=at("10:00:09"), finished_at=at("10:00:40")),)


def test_a_circleci_project_of_ids_goes_by_its_names(samples):
    """Newer integrations tell ids where the names were, and the change among the trigger's parameters."""
    newer = within(samples.CIRCLECI_WORKFLOW, "project", slug="circleci/9f/3a")
    newer["pipeline"] = {"trigger_parameters": {"git": {"branch": "next", "checkout_sha": "1" * 40}}}
    record = told(CIRCLECI, newer)
    assert (record.project, record.branch, record.commit) == ("acme/shop", "next", "1" * 40)
    assert told(CIRCLECI, {**newer, "organization": None}).project == "circleci/9f/3a"


@pytest.mark.parametrize(("word", "status"), [("error", "errored"), ("unauthorized", "errored"), ("canceled", "canceled")])
def test_circlecis_words(samples, word, status):
    """Each of its statuses has a meaning."""
    assert told(CIRCLECI, within(samples.CIRCLECI_WORKFLOW, "workflow", status=word)).status == status


# Buildkite


def test_a_buildkite_build_and_its_jobs_meet(samples):
    """Builds and jobs come to one build of ``organization/pipeline``."""
    scheduled = within(samples.BUILDKITE_BUILD, "build", state="scheduled", started_at=None, finished_at=None, commit="HEAD")
    record = together(BUILDKITE, {**scheduled, "event": "build.scheduled"}, samples.BUILDKITE_JOB, samples.BUILDKITE_BUILD)
    assert record.key == Key("buildkite", "acme/shop-ci", "bk-1", 1)
    assert (record.status, record.commit, record.workflow) == (Status.FAILED, "d" * 40, "Shop CI")
    assert (record.queued_at, record.started_at, record.finished_at) == (at("10:00"), at("10:00:10"), at("10:03"))
    assert [job.status for job in record.jobs] == [Status.PASSED]


def test_a_step_without_a_machine_is_no_job(samples):
    """Waits and triggers are passed over, and a job without a name goes by what names it."""
    assert told(BUILDKITE, within(samples.BUILDKITE_JOB, "job", type="waiter", name=None)).jobs == ()
    nameless = told(BUILDKITE, within(samples.BUILDKITE_JOB, "job", name=None, step_key="unit"))
    assert [job.name for job in nameless.jobs] == ["unit"]


@pytest.mark.parametrize("address", [None, "https://[", "https://buildkite.example/x"])
def test_a_pipeline_without_an_organization_goes_by_its_slug(samples, address):
    """An address that does not name the organization is of no use."""
    assert told(BUILDKITE, within(samples.BUILDKITE_BUILD, "build", web_url=address)).project == "shop-ci"


# Azure DevOps


def test_an_azure_build(samples):
    """A build is told whole when it is complete; partly succeeded is failed."""
    record = told(AZURE, samples.AZURE_BUILD)
    assert record.key == Key("azure", "Shop", "88", 1)
    assert (record.status, record.branch, record.commit, record.workflow) == (Status.FAILED, "main", "e" * 40, "shop")
    assert (record.queued_at, record.finished_at) == (at("10:00:00.123456"), at("10:06:00.123456"))


def test_an_azure_run(samples):
    """A run goes by the project that its address names, or by the project's id; while it is in progress it has no end."""
    record = told(AZURE, samples.AZURE_RUN)
    assert (record.project, record.status, record.finished_at) == ("My Shop", Status.PASSED, at("10:06"))
    running = within(samples.AZURE_RUN, "resource", "run", state="inProgress", result=None, _links=None)
    assert attrs.astuple(told(AZURE, running))[1:3] == ("guid", Status.RUNNING)
    assert told(AZURE, within(running, "resource", "run", _links={"web": {"href": "https://["}})).project == "guid"


def test_an_end_that_azure_does_not_judge_is_skipped(samples):
    """A run that ended without a result counts nowhere; an older server's build has its result as status."""
    assert told(AZURE, within(samples.AZURE_RUN, "resource", "run", result=None)).status is Status.SKIPPED
    assert told(AZURE, within(samples.AZURE_BUILD, "resource", result=None, status="succeeded")).status is Status.PASSED


# Bitbucket


def test_a_bitbucket_status_is_a_build_of_its_commit(samples):
    """A key names a build of one commit; when it ended is known as far as when it last changed."""
    begun = within(samples.BITBUCKET_STATUS, "commit_status", state="INPROGRESS", updated_on="2026-03-02T10:00:00+00:00")
    record = together(BITBUCKET, begun, samples.BITBUCKET_STATUS)
    assert record.key == Key("bitbucket", "acme/shop", "ci-5@ffffffffffff", 1)
    assert (record.status, record.branch, record.end_estimated) == (Status.PASSED, "main", True)
    assert (record.started_at, record.finished_at) == (at("10:00"), at("10:04"))


def test_a_bitbucket_pipeline(samples):
    """A pipeline is told as the REST API shows it, bare or in an envelope."""
    record = told(BITBUCKET, samples.BITBUCKET_PIPELINE)
    assert record.key == Key("bitbucket", "acme/shop", "{p-1}", 1)
    assert (record.status, record.duration_seconds, record.finished_at) == (Status.ERRORED, 230, at("10:04"))
    assert told(BITBUCKET, {"pipeline": samples.BITBUCKET_PIPELINE}) == record
    pending = {**samples.BITBUCKET_PIPELINE, "state": {"name": "PENDING"}, "completed_on": None}
    assert together(BITBUCKET, pending, samples.BITBUCKET_PIPELINE).queued_at == at("10:00")
    assert told(BITBUCKET, pending).started_at is None


# CDEvents


def test_a_cdevents_run_is_told_in_pieces(samples):
    """Queued, started and finished come to one build, bare or within a CloudEvent, with what stands under ``customData.forgekit``."""
    queued = samples.cdevent("pipelinerun.queued", at="2026-03-02T09:59:00Z", attempt=2, version="0.1.0")
    record = together(CDEVENTS, samples.CDEVENTS_FINISHED, samples.CDEVENTS_STRUCTURED, queued, samples.CDEVENTS_TASK)
    assert record.key == Key("cdevents", "/acme/shop", "run-1", 2)
    assert (record.status, record.branch, record.commit, record.workflow) == (Status.FAILED, "main", "9" * 40, "ci")
    assert (record.queued_at, record.started_at, record.finished_at) == (at("09:59"), at("10:00"), at("10:04"))
    assert record.jobs == (Job(name="lint", status="passed", finished_at=at("10:00")),)


def test_a_cdevent_in_base64_is_read_as_it_is(samples):
    """Libraries that take the data of a CloudEvent for bytes tell the same; what is no JSON in base64 is told with its place."""
    assert told(CDEVENTS, samples.CDEVENTS_ENCODED) == told(CDEVENTS, samples.CDEVENTS_STRUCTURED)
    for odd in ("no base64", "bm8ganNvbg==", "W10=", 7):
        with pytest.raises(InvalidInput) as caught:
            CDEVENTS.read("", {**samples.CDEVENTS_ENCODED, "data_base64": odd})
        assert caught.value.data["problems"][0]["pointer"] == "/data_base64"


def test_a_cdevents_task_that_started(samples):
    """A task is a job of its run, from its start on."""
    record = told(CDEVENTS, samples.cdevent("taskrun.started", {"taskName": "lint", "pipelineRun": {"id": "r", "source": "/other"}}))
    assert (record.project, record.build_id) == ("/other", "r")
    assert record.jobs == (Job(name="lint", status="running", started_at=at("10:00")),)


def test_a_cdevents_deployment_is_a_build_with_an_environment(samples):
    """Each deployment of a service is a build of its own, named by the event."""
    record = told(CDEVENTS, samples.CDEVENTS_DEPLOYED)
    assert (record.build_id, record.environment, record.workflow) == ("event-service.deployed", "production", "run-1")
    assert (record.status, record.started_at, record.finished_at) == (Status.PASSED, at("10:00"), at("10:00"))


@pytest.mark.parametrize(
    ("content", "status"),
    [({"outcome": "cancel"}, "canceled"), ({"outcome": "error"}, "errored"), ({"errors": "x"}, "failed"), ({}, "skipped")],
)
def test_the_outcomes_of_cdevents(samples, content, status):
    """An end without an outcome is failed where it tells errors, and is no judgement where it does not."""
    assert told(CDEVENTS, samples.cdevent("pipelinerun.finished", content)).status == status


def test_the_senders_own_words_go_first(samples):
    """What a sender says under ``customData.forgekit`` replaces what the event says; custom data that is text says nothing."""
    event = samples.cdevent("pipelinerun.started", {"pipelineName": "ci"}, project="acme/shop", workflow="release")
    assert (told(CDEVENTS, event).project, told(CDEVENTS, event).workflow) == ("acme/shop", "release")
    assert told(CDEVENTS, {**event, "customData": "opaque"}).workflow == "ci"
