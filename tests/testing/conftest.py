"""The second tracker, as a module that tests can ask for: files beside tests are not importable by name."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def json_tracker():
    """The module ``json_tracker``."""
    spec = importlib.util.spec_from_file_location("json_tracker", Path(__file__).with_name("json_tracker.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
