"""What each CI system sends, sent as it sends it, and what comes of it."""

from __future__ import annotations

import base64
import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forgekit.builds import Status
from forgekit.testing.signing import PayloadSigner

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "made-up-generic"
PASSWORD = {"Authorization": f"Basic {base64.b64encode(b'ci:made-up-key').decode()}"}


def _samples():
    spec = importlib.util.spec_from_file_location("ci_samples", Path(__file__).parents[2] / "ci" / "tests" / "ci_samples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CI = _samples()
SYSTEMS = {
    "azure": (PASSWORD, ["88"], Status.FAILED),
    "bitbucket": ("bitbucket", ["ci-5@ffffffffffff", "{p-1}"], Status.PASSED),
    "buildkite": ("buildkite", ["bk-1"], Status.FAILED),
    "cdevents": ({"Authorization": "Bearer made-up-key"}, ["event-service.deployed", "run-1"], None),
    "circleci": ("circleci", ["wf-1"], Status.PASSED),
    "gitlab": ("gitlab-token", ["411", "deployment-15"], Status.PASSED),
    "jenkins": (PASSWORD, ["18"], Status.FAILED),
}
"""How each shows who it is, which builds its samples tell, and what became of the first that ended."""


@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_a_systems_webhooks_become_builds(ask, system):
    """Each sample is answered 202 without a proxy in between, and the worker makes of them the builds that they tell."""
    way, ids, status = SYSTEMS[system]
    for sample in [*CI.SAMPLES[system], *CI.OTHERS.get(system, [])]:
        content = json.dumps(sample).encode()
        headers = PayloadSigner(way, SECRET).sign(content, NOW) if isinstance(way, str) else way
        answer = ask("POST", "/webhook/generic", key=None, content=content, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (202, "ok"), answer.text
    ask.forge.worker().drain()
    stored = list(ask.forge.builds.builds())
    builds = {build.build_id: build for build in stored}
    assert ask.forge.webhooks.statistics("generic").failed == 0
    assert set(ids) <= set(builds), sorted(builds)
    assert {build.provider for build in builds.values()} == {system}
    assert status is None or status in {build.status for build in stored if build.build_id == ids[0]}
    assert ask("GET", "/analysis").json()["n_builds"] == len(stored)
