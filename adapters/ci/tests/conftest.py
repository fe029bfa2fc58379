"""The samples of webhooks."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


def _load():
    spec = importlib.util.spec_from_file_location("ci_samples", Path(__file__).with_name("ci_samples.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SAMPLES = _load()


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
