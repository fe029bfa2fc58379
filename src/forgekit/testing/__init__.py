"""For the tests of those who use or extend forgekit: fakes of outside systems, and the suites that adapters pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgekit.lazy import lazily as _lazily

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

# The fakes need no pytest, and the suites do.
__getattr__, __dir__ = _lazily(
    __name__,
    {
        "BuildSourceContract": "forgekit.testing.builds",
        "BuildSourceStage": "forgekit.testing.builds",
        "FakeClock": "forgekit.testing.clock",
        "FakeGitHub": "forgekit.testing.fake_github",
        "FakePlane": "forgekit.testing.fake_plane",
        "StorageContract": "forgekit.testing.storage",
        "TrackerContract": "forgekit.testing.tracker",
        "TrackerStage": "forgekit.testing.tracker",
    },
)
