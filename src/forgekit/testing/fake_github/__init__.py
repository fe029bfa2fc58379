"""A GitHub on the loopback, as far as Actions go, true to the real one down to its traps."""

from forgekit.testing.fake_github.github import FakeGitHub
from forgekit.testing.fake_github.hooks import Delivery
from forgekit.testing.loopback import Call, send

__all__ = ["Call", "Delivery", "FakeGitHub", "send"]
