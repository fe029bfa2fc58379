"""The guard of API keys, as any surface uses it."""

from __future__ import annotations

import pytest

import forgekit_sql
from forgekit import Forge
from forgekit.errors import PermissionDenied, Unauthenticated
from forgekit.hosting import ApiKeyGuard
from forgekit.http import RequestHead


@pytest.fixture
def forge():
    """A forge in memory with one key of the environment."""
    with Forge.open("sqlite://", plugins=[forgekit_sql], environ={"FORGEKIT_API_KEYS": "made-up"}) as opened:
        yield opened


def head(*headers):
    """A request with these headers from this machine."""
    return RequestHead(method="GET", path="/", headers=list(headers), peer="127.0.0.1")


def test_a_key_names_its_caller(forge):
    """The caller is the key, by its id."""
    issued = forge.accounts.issue_key("CI", scopes=["builds"])
    caller = ApiKeyGuard("builds")(head(("authorization", f"Bearer {issued.secret.reveal()}")), forge)
    assert (caller.kind, caller.id, caller.scopes, caller.subject) == ("key", issued.key.id, {"builds"}, issued.key)
    assert issued.secret.reveal() not in repr(caller)


def test_a_key_of_the_environment_may_everything(forge):
    """Keys of the environment have every scope."""
    assert ApiKeyGuard("builds")(head(("authorization", "bearer made-up")), forge).id == "environment-1"


@pytest.mark.parametrize(
    "headers", [(), (("authorization", "Bearer wrong"),), (("authorization", "Basic made-up"),), (("x-api-key", "made-up"),)]
)
def test_without_a_key_nobody_is_admitted(forge, headers):
    """No key, a wrong one, or one in another header is 401, on this machine too."""
    with pytest.raises(Unauthenticated):
        ApiKeyGuard("builds")(head(*headers), forge)


def test_a_key_for_something_else_is_refused(forge):
    """A key without the scope is known, and may not."""
    issued = forge.accounts.issue_key("CI", scopes=["other"])
    with pytest.raises(PermissionDenied):
        ApiKeyGuard("builds")(head(("authorization", f"Bearer {issued.secret.reveal()}")), forge)


def test_without_any_keys_everybody_is_refused():
    """A forge with no keys at all lets nobody in."""
    with Forge.open("sqlite://", plugins=[forgekit_sql], environ={}) as bare, pytest.raises(Unauthenticated):
        ApiKeyGuard("builds")(head(("authorization", "Bearer ")), bare)
