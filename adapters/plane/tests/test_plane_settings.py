"""Settings: names, limits, and secrets that stay secret."""

from __future__ import annotations

import attrs
import pytest

from forgekit.kernel.secrets import Secret
from forgekit.kernel.settings import declaration
from forgekit_plane import PlaneSettings
from forgekit_plane.settings import access

GIVEN = PlaneSettings(api_url="https://plane.example.com/", api_key=Secret("plane_api_k"), workspace_slug="acme", project_id="p")


def test_the_environment_has_the_documented_names():
    """Each setting is read from ``PLANE_`` and its name."""
    names = [setting.env for setting in declaration(PlaneSettings).settings.values()]
    assert names[:5] == ["PLANE_API_URL", "PLANE_API_KEY", "PLANE_WORKSPACE_SLUG", "PLANE_PROJECT_ID", "PLANE_WEBHOOK_SECRET"]


@pytest.mark.parametrize(
    "changes",
    [
        {"api_url": "plane.example.com"},
        {"api_url": "https://user:hunter2@plane.example.com"},
        {"api_key": Secret("line\nbreak")},
        {"workspace_slug": "../other"},
        {"project_id": ""},
        {"project_id": "x" * 101},
        {"poll_interval": 4},
        {"rate_limit": 0},
    ],
)
def test_what_cannot_work_is_refused(changes):
    """A value that no Plane could have is refused, and not repeated where it is secret."""
    with pytest.raises(ValueError, match=r".") as caught:
        attrs.evolve(GIVEN, **changes)
    assert "break" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_secrets_are_masked():
    """Neither settings nor access print the key."""
    assert "plane_api_k" not in repr(GIVEN) + repr(access(GIVEN))


@pytest.mark.parametrize("url", ["https://plane.example.com", "https://plane.example.com/", "https://plane.example.com/api/v1/"])
def test_one_key_has_one_budget(url):
    """However the address is written, the credential is the same; another key or server is another."""
    same = access(attrs.evolve(GIVEN, api_url=url)).credential
    assert same == access(GIVEN).credential
    assert same != access(attrs.evolve(GIVEN, api_key=Secret("plane_api_l"))).credential
    assert same != access(attrs.evolve(GIVEN, api_url="https://other.example.com")).credential
    assert len(same) == 64


def test_the_rate_limit_is_the_policy():
    """The server's limit is the budget's."""
    assert access(attrs.evolve(GIVEN, rate_limit=300)).policy.calls == 300
