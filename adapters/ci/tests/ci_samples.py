"""Webhooks of each system, made up after their documentation."""

from __future__ import annotations

import base64
import json

GITLAB_PIPELINE = {
    "object_kind": "pipeline",
    "object_attributes": {
        "id": 411,
        "iid": 9,
        "name": "nightly",
        "ref": "main",
        "sha": "a" * 40,
        "source": "push",
        "status": "success",
        "created_at": "2026-03-02 10:00:00 UTC",
        "finished_at": "2026-03-02 11:30:00 UTC",
        "duration": 95,
        "queued_duration": 12,
        "url": "https://gitlab.example/acme/shop/-/pipelines/411",
    },
    "user": {"id": 1, "username": "ada"},
    "project": {"id": 7, "path_with_namespace": "acme/shop", "default_branch": "main"},
    "commit": {"id": "a" * 40, "timestamp": "2026-03-02T09:58:00+01:00"},
    "builds": [
        {"id": 1, "name": "test", "status": "success", "started_at": "2026-03-02 10:00:14 UTC", "finished_at": "2026-03-02 10:01:00 UTC"},
        {"id": 2, "name": "deploy", "status": "manual", "started_at": None, "finished_at": None},
    ],
}
GITLAB_JOB = {
    "object_kind": "build",
    "ref": "main",
    "sha": "a" * 40,
    "build_id": 1,
    "build_name": "test",
    "build_status": "success",
    "build_started_at": "2026-03-02 10:00:14 UTC",
    "build_finished_at": "2026-03-02 10:01:00 UTC",
    "pipeline_id": 411,
    "project_name": "Acme / Shop",
    "user": {"username": "ada"},
    "project": {"path_with_namespace": "acme/shop"},
    "commit": {"id": 411, "status": "running"},
}
GITLAB_DEPLOYMENT = {
    "object_kind": "deployment",
    "status": "success",
    "status_changed_at": "2026-03-02 10:05:00 +0100",
    "deployment_id": 15,
    "environment": "production",
    "project": {"path_with_namespace": "acme/shop"},
    "short_sha": "aaaaaaaa",
    "commit_url": f"https://gitlab.example/acme/shop/-/commit/{'a' * 40}",
    "user": {"username": "ada"},
    "ref": "main",
}
JENKINS = {
    "name": "main",
    "url": "job/acme/job/shop/job/main/",
    "build": {
        "full_url": "https://jenkins.example/job/acme/job/shop/job/main/18/",
        "number": 18,
        "phase": "COMPLETED",
        "status": "UNSTABLE",
        "timestamp": 1_772_445_720_000,
        "duration": 90_500,
        "url": "job/acme/job/shop/job/main/18/",
        "scm": {"url": "https://git.example/acme/shop.git", "branch": "origin/main", "commit": "b" * 40},
        "test_summary": {"total": 40, "failed": 2, "passed": 38, "skipped": 0},
    },
}
CIRCLECI_WORKFLOW = {
    "id": "e-1",
    "type": "workflow-completed",
    "happened_at": "2026-03-02T10:04:00.500Z",
    "webhook": {"id": "w", "name": "forge"},
    "project": {"id": "p", "name": "shop", "slug": "gh/acme/shop"},
    "organization": {"id": "o", "name": "acme"},
    "workflow": {
        "id": "wf-1",
        "name": "ci",
        "status": "success",
        "created_at": "2026-03-02T10:00:05Z",
        "stopped_at": "2026-03-02T10:04:00Z",
        "url": "https://app.circleci.example/wf-1",
    },
    "pipeline": {
        "id": "pl",
        "number": 3,
        "created_at": "2026-03-02T10:00:00Z",
        "trigger": {"type": "webhook"},
        "vcs": {
            "revision": "c" * 40,
            "branch": "main",
            "commit": {"author": {"name": "Ada"}, "committed_at": "2026-03-02T09:00:00Z"},
        },
    },
}
CIRCLECI_JOB = {
    **CIRCLECI_WORKFLOW,
    "type": "job-completed",
    "workflow": {"id": "wf-1", "name": "ci", "created_at": "2026-03-02T10:00:05Z"},
    "job": {
        "id": "j",
        "name": "lint",
        "number": 4,
        "status": "failed",
        "started_at": "2026-03-02T10:00:09Z",
        "stopped_at": "2026-03-02T10:00:40Z",
    },
}
BUILDKITE_BUILD = {
    "event": "build.finished",
    "build": {
        "id": "bk-1",
        "number": 27,
        "state": "failed",
        "blocked": False,
        "branch": "main",
        "commit": "d" * 40,
        "source": "webhook",
        "creator": {"name": "Ada"},
        "web_url": "https://buildkite.example/acme/shop-ci/builds/27",
        "created_at": "2026-03-02 10:00:00 UTC",
        "scheduled_at": "2026-03-02 10:00:00 UTC",
        "started_at": "2026-03-02 10:00:10 UTC",
        "finished_at": "2026-03-02 10:03:00 UTC",
    },
    "pipeline": {"id": "x", "slug": "shop-ci", "name": "Shop CI"},
    "sender": {"id": "s", "name": "Ada"},
}
BUILDKITE_JOB = {
    **BUILDKITE_BUILD,
    "event": "job.finished",
    "build": {**BUILDKITE_BUILD["build"], "state": "running", "finished_at": None},
    "job": {
        "id": "j",
        "type": "script",
        "name": "test",
        "state": "passed",
        "started_at": "2026-03-02T10:00:12Z",
        "finished_at": "2026-03-02T10:02:00Z",
    },
}
AZURE_BUILD = {
    "id": "n-1",
    "eventType": "build.complete",
    "publisherId": "tfs",
    "resource": {
        "id": 88,
        "buildNumber": "20260302.1",
        "status": "completed",
        "result": "partiallySucceeded",
        "queueTime": "2026-03-02T10:00:00.1234567Z",
        "startTime": "2026-03-02T10:00:08.1234567Z",
        "finishTime": "2026-03-02T10:06:00.1234567Z",
        "reason": "individualCI",
        "sourceBranch": "refs/heads/main",
        "sourceVersion": "e" * 40,
        "definition": {"id": 1, "name": "shop"},
        "project": {"id": "guid", "name": "Shop"},
        "requestedFor": {"displayName": "Ada"},
        "_links": {"web": {"href": "https://azure.example/acme/guid/_build/results?buildId=88"}},
    },
    "resourceContainers": {"project": {"id": "guid"}},
    "createdDate": "2026-03-02T10:06:01Z",
}
AZURE_RUN = {
    "id": "n-2",
    "eventType": "ms.vss-pipelines.run-state-changed-event",
    "publisherId": "pipelines",
    "resource": {
        "run": {
            "id": 88,
            "name": "20260302.1",
            "state": "completed",
            "result": "succeeded",
            "createdDate": "2026-03-02T10:00:00Z",
            "finishedDate": "2026-03-02T10:06:00Z",
            "_links": {"web": {"href": "https://azure.example/acme/My%20Shop/_build/results?buildId=88"}},
        },
        "pipeline": {"id": 1, "name": "shop"},
    },
    "resourceContainers": {"project": {"id": "guid"}},
    "createdDate": "2026-03-02T10:06:01Z",
}
BITBUCKET_STATUS = {
    "actor": {"display_name": "Ada"},
    "repository": {"type": "repository", "full_name": "acme/shop"},
    "commit_status": {
        "type": "build",
        "key": "ci-5",
        "name": "ci",
        "state": "SUCCESSFUL",
        "refname": "main",
        "url": "https://ci.example/5",
        "created_on": "2026-03-02T10:00:00.000000+00:00",
        "updated_on": "2026-03-02T10:04:00.000000+00:00",
        "commit": {"hash": "f" * 40, "date": "2026-03-02T09:00:00+00:00"},
    },
}
BITBUCKET_PIPELINE = {
    "type": "pipeline",
    "uuid": "{p-1}",
    "build_number": 5,
    "repository": {"type": "repository", "full_name": "acme/shop"},
    "state": {"name": "COMPLETED", "result": {"name": "ERROR"}},
    "target": {"ref_name": "main", "commit": {"hash": "f" * 40}, "selector": {"pattern": "main"}},
    "trigger": {"name": "PUSH"},
    "creator": {"display_name": "Ada"},
    "created_on": "2026-03-02T10:00:00.000000+00:00",
    "completed_on": "2026-03-02T10:04:00.000000+00:00",
    "duration_in_seconds": 230,
}


def cdevent(kind, content=None, *, at="2026-03-02T10:00:00Z", version="0.3.0", **own):
    """Return a bare CDEvent."""
    return {
        "context": {
            "specversion": "0.6.0-draft",
            "id": f"event-{kind}",
            "source": "/acme/shop",
            "type": f"dev.cdevents.{kind}.{version}",
            "timestamp": at,
        },
        "subject": {"id": "run-1", "type": "pipelineRun", "content": content or {}},
        "customData": {"forgekit": own},
    }


CDEVENTS_FINISHED = cdevent(
    "pipelinerun.finished",
    {"pipelineName": "ci", "uri": "https://ci.example/run-1", "outcome": "failure", "errors": "two tests"},
    at="2026-03-02T10:04:00Z",
    branch="main",
    commit="9" * 40,
    attempt=2,
)
CDEVENTS_STRUCTURED = {
    "specversion": "1.0",
    "id": "event-1",
    "source": "/acme/shop",
    "type": "dev.cdevents.pipelinerun.started.0.3.0",
    "datacontenttype": "application/json",
    "data": cdevent("pipelinerun.started", {"pipelineName": "ci"}, attempt=2),
}
CDEVENTS_ENCODED = {name: value for name, value in CDEVENTS_STRUCTURED.items() if name != "data"} | {
    "data_base64": base64.b64encode(json.dumps(CDEVENTS_STRUCTURED["data"]).encode()).decode()
}
CDEVENTS_TASK = cdevent("taskrun.finished", {"taskName": "lint", "pipelineRun": {"id": "run-1"}, "outcome": "success"}, attempt=2)
CDEVENTS_DEPLOYED = cdevent("service.deployed", {"environment": {"id": "production"}, "artifactId": "pkg:oci/shop"}, version="0.2.0")

SAMPLES = {
    "gitlab": [GITLAB_PIPELINE, GITLAB_JOB, GITLAB_DEPLOYMENT],
    "jenkins": [JENKINS],
    "circleci": [CIRCLECI_WORKFLOW, CIRCLECI_JOB],
    "buildkite": [BUILDKITE_BUILD, BUILDKITE_JOB],
    "azure": [AZURE_BUILD, AZURE_RUN],
    "bitbucket": [BITBUCKET_STATUS, BITBUCKET_PIPELINE],
    "cdevents": [CDEVENTS_FINISHED, CDEVENTS_STRUCTURED, CDEVENTS_ENCODED, CDEVENTS_TASK, CDEVENTS_DEPLOYED],
}
OTHERS = {
    "gitlab": [{"object_kind": "push"}],
    "circleci": [{"type": "ping", "id": "1", "happened_at": "2026-03-02T10:00:00Z", "webhook": {"id": "w"}}],
    "buildkite": [{"event": "ping", "organization": {"id": "1"}}, {"event": "agent.connected", "agent": {}}],
    "azure": [{"eventType": "workitem.created", "publisherId": "tfs", "resource": {}}],
    "bitbucket": [{"push": {}, "repository": {"type": "repository", "full_name": "acme/shop"}}],
    "cdevents": [
        cdevent("artifact.published"),
        cdevent("pipelinerun.paused"),
        {"specversion": "1.0", "type": "dev.cdevents.x", "data": cdevent("x.y")},
        {"context": {"type": "dev.cdeventsx.acme-pipelinerun.finished.0.1.0", "source": "/acme"}, "subject": {"id": "1"}},
    ],
}
