"""For the tests of those who use or extend forgekit: fakes of outside systems, and the suites that adapters pass."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forgekit.testing.builds import BuildSourceContract, BuildSourceStage
    from forgekit.testing.clock import FakeClock
    from forgekit.testing.fake_github import FakeGitHub
    from forgekit.testing.fake_plane import FakePlane
    from forgekit.testing.storage import StorageContract
    from forgekit.testing.tracker import TrackerContract, TrackerStage

__all__ = [
    "BuildSourceContract",
    "BuildSourceStage",
    "FakeClock",
    "FakeGitHub",
    "FakePlane",
    "StorageContract",
    "TrackerContract",
    "TrackerStage",
]

_HOMES = {
    "BuildSourceContract": "forgekit.testing.builds",
    "BuildSourceStage": "forgekit.testing.builds",
    "FakeClock": "forgekit.testing.clock",
    "FakeGitHub": "forgekit.testing.fake_github",
    "FakePlane": "forgekit.testing.fake_plane",
    "StorageContract": "forgekit.testing.storage",
    "TrackerContract": "forgekit.testing.tracker",
    "TrackerStage": "forgekit.testing.tracker",
}
"""Where each name lives: imported on first use, for the fakes need no pytest and the suites do."""


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
