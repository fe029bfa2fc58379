"""The samples of webhooks, and a GitLab to import from."""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

import pytest

from forgekit.builds.ports import BuildSourceContext
from forgekit.kernel.clock import SystemClock
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.net.http import Http
from forgekit.kernel.secrets import Secret
from forgekit_ci import GitLabSettings
from forgekit_ci.plugin import forgekit_build_sources


def _load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SAMPLES, FAKE = _load("ci_samples"), _load("fake_gitlab")


@pytest.fixture(scope="session")
def samples():
    """Webhooks of each system."""
    return SAMPLES


def pytest_generate_tests(metafunc):
    """Run a test that asks for ``sample`` with each webhook that tells of a build, and one that asks for ``other`` with the others."""
    if {"system", "sample"} <= set(metafunc.fixturenames):
        metafunc.parametrize(("system", "sample"), [(name, each) for name, own in SAMPLES.SAMPLES.items() for each in own])
    elif {"system", "other"} <= set(metafunc.fixturenames):
        metafunc.parametrize(("system", "other"), [(name, each) for name, own in SAMPLES.OTHERS.items() for each in own])


# GitLab


@pytest.fixture
def fake_gitlab():
    """Make GitLabs, each closed in the end."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(FAKE.FakeGitLab(**options))


@pytest.fixture
def http():
    """A way out that does not wait between attempts."""
    door = Http(clock=SystemClock(), sleep=lambda _seconds: None)
    yield door
    door.close()


@pytest.fixture
def open_source(http):
    """Open the source on a GitLab."""

    def make(gitlab, *, token=FAKE.TOKEN, **changes):
        values = {"url": gitlab.url, "token": Secret(token) if token else None, "rate_limit": 10_000, **changes}
        context = BuildSourceContext(settings=GitLabSettings(**values), http=http, clock=SystemClock(), priority=Priority.PEOPLE)
        return forgekit_build_sources()["gitlab"].open(context)

    return make
