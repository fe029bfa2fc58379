"""Keys as programs issue, use and revoke them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

import forgekit_sql
from forgekit import Forge
from forgekit.accounts import ApiKeyIssued, ApiKeyRevoked
from forgekit.errors import InvalidInput, NotFound, SettingsInvalid
from forgekit.testing import FakeClock

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HASHED = "sha256:" + hashlib.sha256(b"made-up-two").hexdigest()


@pytest.fixture
def clock():
    """A clock that stands still."""
    return FakeClock(NOW)


@pytest.fixture
def environ():
    """An environment with two keys."""
    return {"FORGEKIT_API_KEYS": f"made-up-one, {HASHED}"}


@pytest.fixture
def forge(clock, environ):
    """A forge in memory."""
    with Forge.open("sqlite://", plugins=[forgekit_sql], environ=environ, clock=clock) as opened:
        yield opened


def test_an_issued_key_opens(forge):
    """The secret that was shown once is the key from then on."""
    issued = forge.accounts.issue_key("CI", scopes=["builds"])
    found = forge.accounts.authenticate_key(issued.secret.reveal())
    assert (found, found.scopes, found.created_at) == (issued.key, ("builds",), NOW)


def test_the_secret_is_nowhere_else(forge):
    """Neither the list of keys nor anything printed nor the storage tells a key's text."""
    issued = forge.accounts.issue_key("CI")
    text = issued.secret.reveal()
    with forge.transaction() as tx:
        stored = forge.storage.accounts(tx).key(issued.key.id)
    assert text not in repr((issued, stored, forge.accounts.keys()))
    assert text not in stored.digest


def test_a_revoked_key_is_refused_at_once(forge, clock):
    """After the commit of its revocation nobody gets in with it; revoking again changes nothing."""
    issued = forge.accounts.issue_key("CI")
    assert forge.accounts.revoke_key(issued.key.id).revoked_at == NOW
    clock.advance(timedelta(hours=1))
    assert forge.accounts.revoke_key(issued.key.id).revoked_at == NOW
    assert forge.accounts.authenticate_key(issued.secret.reveal()) is None
    (listed,) = forge.accounts.keys()
    assert listed.id == issued.key.id


def test_an_expired_key_is_refused(forge, clock):
    """From its expiry on a key is none."""
    issued = forge.accounts.issue_key("CI", expires_at=NOW + timedelta(minutes=1))
    assert forge.accounts.authenticate_key(issued.secret.reveal()) is not None
    clock.advance(timedelta(minutes=1))
    assert forge.accounts.authenticate_key(issued.secret.reveal()) is None


@pytest.mark.parametrize(("text", "key_id"), [("made-up-one", "environment-1"), ("made-up-two", "environment-2")])
def test_keys_of_the_environment_open(forge, text, key_id):
    """A key of the environment is found by its text, whether that or its hash is given; it may do everything."""
    found = forge.accounts.authenticate_key(text)
    assert (found.id, found.allows("builds")) == (key_id, True)


@pytest.mark.parametrize("text", ["", "made-up", "MADE-UP-ONE", HASHED, "x" * 600, "käse", "fk_" + "0" * 16 + "_" + "a" * 43])
def test_other_texts_open_nothing(forge, text):
    """A wrong key is none, and neither is the hash itself."""
    assert forge.accounts.authenticate_key(text) is None


def test_a_right_id_with_a_wrong_secret_opens_nothing(forge):
    """Whoever knows the id, which is no secret, knows nothing."""
    issued = forge.accounts.issue_key("CI")
    assert forge.accounts.authenticate_key(issued.secret.reveal()[:-1] + "-") is None or issued.secret.reveal().endswith("-")
    assert forge.accounts.authenticate_key(f"fk_{issued.key.id}_{'a' * 43}") is None


def test_keys_of_the_environment_can_change(forge, environ, monkeypatch):
    """The environment is looked at again within a second: a key taken out is refused then."""
    assert forge.accounts.authenticate_key("made-up-one") is not None
    environ["FORGEKIT_API_KEYS"] = "made-up-three"
    monkeypatch.setattr("forgekit.kernel.settings.service.SNAPSHOT_AGE", 0)
    assert [forge.accounts.authenticate_key(text) is not None for text in ("made-up-one", "made-up-three")] == [False, True]


@pytest.mark.parametrize("text", ["a,,b", "", "sha256:1"])
def test_a_mistake_in_the_environment_stops_the_start(text):
    """An empty or unreadable entry is told when the forge opens, without the keys."""
    with pytest.raises(SettingsInvalid, match="FORGEKIT_API_KEYS"):
        Forge.open("sqlite://", plugins=[forgekit_sql], environ={"FORGEKIT_API_KEYS": text})


@pytest.mark.parametrize("expires_at", [NOW, NOW - timedelta(days=1), datetime(2027, 1, 1)])  # noqa: DTZ001 - that is the mistake
def test_a_key_expires_in_the_future(forge, expires_at):
    """A time in the past, or one without an offset, is refused."""
    with pytest.raises(InvalidInput):
        forge.accounts.issue_key("CI", expires_at=expires_at)


def test_an_unknown_key_cannot_be_revoked(forge):
    """Revoking names a key that was issued here."""
    with pytest.raises(NotFound):
        forge.accounts.revoke_key("environment-1")


def test_issuing_and_revoking_are_told(forge):
    """Both are events, without the secret; a second revocation is none."""
    told = []
    forge.on(ApiKeyIssued, told.append)
    forge.on(ApiKeyRevoked, told.append)
    issued = forge.accounts.issue_key("CI")
    for _ in range(2):
        forge.accounts.revoke_key(issued.key.id)
    assert told == [ApiKeyIssued(key_id=issued.key.id, key_name="CI"), ApiKeyRevoked(key_id=issued.key.id)]


def test_keys_commit_with_the_callers_transaction(forge):
    """What is rolled back was never issued."""
    with pytest.raises(RuntimeError), forge.transaction() as tx:
        forge.accounts.issue_key("CI", tx=tx)
        raise RuntimeError
    assert forge.accounts.keys() == []
