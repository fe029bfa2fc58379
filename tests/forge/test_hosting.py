"""What a host gets: an application of surfaces, checked before it serves, and the guard for routes of its own."""

from __future__ import annotations

import pytest

import forgekit_ci
import forgekit_github
import forgekit_plane
import forgekit_sql
from forgekit import Forge, hosting
from forgekit.errors import EmptySecret, NotFound, PermissionDenied, SettingsInvalid, Unauthenticated, UnknownPlugin
from forgekit_surfaces import plugin as surfaces

PLUGINS = [forgekit_sql, forgekit_plane, forgekit_github, forgekit_ci, surfaces]


@pytest.fixture
def open_forge():
    """Opens forges in memory with everything that a host has; closed afterwards."""
    opened = []

    def make(**environ):
        opened.append(Forge.open("sqlite://", plugins=PLUGINS, environ=environ))
        return opened[-1]

    yield make
    for forge in opened:
        forge.close()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FORGEKIT_BUILDS_RETENTION_DAYS", "7"),
        ("FORGEKIT_BUILDS_KEEP_WEBHOOKS_DAYS", "for ever"),
        ("FORGEKIT_BUILDS_WEBHOOK_SECRET", ""),
        ("GITHUB_RATE_LIMIT", "many"),
        ("GITHUB_WEBHOOK_SECRET", ""),
        ("GITLAB_PAGE_SIZE", "0"),
        ("PLANE_POLL_INTERVAL", "1"),
        ("FORGEKIT_LIMITS", '{"builds.key": "often"}'),
    ],
)
def test_a_mistake_in_the_environment_is_told_before_anything_is_served(open_forge, variable, value):
    """A host does not begin with a setting that would fail every request; the message names it."""
    with pytest.raises(SettingsInvalid, match=f"(?i){variable.rpartition('_')[2]}"):
        hosting.application(open_forge(**{variable: value}))


def test_an_empty_secret_of_webhooks_is_told_before_anything_is_served(open_forge):
    """A secret that would verify nothing is no secret."""
    with pytest.raises(EmptySecret):
        hosting.application(open_forge(FORGEKIT_WEBHOOK_SECRETS='{"github": ""}'))


def test_what_is_absent_is_no_mistake(open_forge):
    """Without any variable everything that plugins offer is mounted; a name that nobody offers is refused."""
    forge = open_forge()
    assert hosting.application(forge).handles("/api/v1/health")
    assert set(forge.build_sources) >= {"github", "gitlab"}
    with pytest.raises(UnknownPlugin, match="no-such"):
        hosting.application(forge, ["no-such"])


def test_a_surface_may_stand_below_another_path(open_forge):
    """A host chooses a further path before a surface's own."""
    app = hosting.application(open_forge(), ["builds"], prefixes={"builds": "/ci"})
    assert [app.handles(path) for path in ("/ci/api/v1/health", "/api/v1/health")] == [True, False]


def test_routes_of_the_host_ask_the_same_guard(open_forge):
    """Without a token this machine is admitted, with one whoever shows it."""
    near = {"method": "GET", "path": "/own", "peer": "127.0.0.1"}
    assert hosting.admit(open_forge(), headers=[], **near).kind == "host"
    with pytest.raises(PermissionDenied):
        hosting.admit(open_forge(), headers=[], **{**near, "peer": "192.0.2.1"})
    guarded = open_forge(FORGEKIT_HOST_TOKEN="made-up")
    assert hosting.admit(guarded, headers=[("Authorization", "Bearer made-up")], **near).id == "host"
    with pytest.raises(Unauthenticated):
        hosting.admit(guarded, headers=[], **near)


def test_routes_of_the_host_answer_errors_as_surfaces_do():
    """An error becomes a status and a body; only who is not known is told how to sign in."""
    missing, unknown = hosting.problem(NotFound("There is no such thing.")), hosting.problem(Unauthenticated("Who?"))
    assert (missing.status, missing.headers, unknown.status) == (404, [], 401)
    assert ("WWW-Authenticate", "Bearer") in unknown.headers
