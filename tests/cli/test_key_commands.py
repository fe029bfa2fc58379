"""``forgekit key``."""

from __future__ import annotations

from forgekit import Forge


def test_a_key_is_issued_listed_and_revoked(command, tmp_path):
    """The printed key opens until it is revoked; the list tells it by its id and never by its secret."""
    assert command("key", "issue", "CI", "--scope", "builds") == 0
    secret = command.out.strip()
    assert command("key", "list", "--json") == 0
    (listed,) = command.json
    assert (listed["name"], listed["scopes"], secret in command.out) == ("CI", ["builds"], False)
    with Forge.open(f"sqlite:///{tmp_path}/forge.db", discover=True) as forge:
        assert forge.accounts.authenticate_key(secret).id == listed["id"]
        assert command("key", "revoke", listed["id"]) == 0
        assert forge.accounts.authenticate_key(secret) is None
    command("key", "list")
    assert "revoked" in command.out


def test_a_key_for_programs_is_json(command):
    """With --json the answer has the id beside the secret."""
    assert command("key", "issue", "CI", "--days", "30", "--json") == 0
    assert command.json["secret"].startswith(f"fk_{command.json['id']}_")
    command("key", "list")
    assert "good until" in command.out


def test_keys_without_an_end_and_expired_ones_are_told(command, monkeypatch):
    """The list says which keys are good."""
    command("key", "issue", "Old", "--days", "1")
    command("key", "issue", "Lasting")
    monkeypatch.setattr("forgekit.accounts.models.ApiKey.usable_at", lambda *_: False)
    command("key", "list")
    assert "expired" in command.out
    assert "good" in command.out


def test_no_keys_say_what_to_do(command):
    """Without keys the list is a sentence."""
    assert command("key", "list") == 0
    assert "forgekit key issue" in command.out


def test_an_unknown_key_is_refused(command):
    """Revoking names a key that there is."""
    assert command("key", "revoke", "nothing") == 1
    assert command.err.startswith("error: ")
