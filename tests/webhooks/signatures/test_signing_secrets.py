import pickle
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from forgekit import errors
from forgekit.webhooks.signatures import SCHEMES, SigningSecret, verifier_for

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", " ", "\t\n ", "whsec_", " whsec_\n"])
def test_an_empty_secret_is_refused(value):
    """Nothing, white space and a bare prefix are configuration errors, not secrets."""
    with pytest.raises(errors.EmptySecret) as caught:
        SigningSecret(id="old", value=value)
    assert caught.value.data == {"secret_id": "old"}


def test_half_a_character_is_refused():
    """A secret that has no bytes in UTF-8 is a configuration error."""
    with pytest.raises(errors.ConfigurationError, match="not valid text"):
        SigningSecret(id="old", value="\ud800 secret")


def test_a_secret_needs_an_id():
    """Logs tell secrets apart by id, so there is always one."""
    with pytest.raises(errors.ConfigurationError, match="needs an id"):
        SigningSecret(id="", value="secret")


def test_an_end_without_time_zone_is_refused():
    """A naive end would mean another moment on another machine."""
    with pytest.raises(errors.ConfigurationError, match="no time zone"):
        SigningSecret(id="old", value="secret", not_after=datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake under test


def test_no_text_of_a_secret_shows_its_value():
    """Neither a secret nor a verifier that holds it writes the value out."""
    secret = SigningSecret(id="old", value="hush")
    assert "hush" not in f"{secret!r} {secret} {verifier_for('github', [secret])!r}"
    assert pickle.loads(pickle.dumps(secret)) == secret  # noqa: S301 - our own


@pytest.mark.parametrize(
    "value",
    ["whsec_%%%%", "whsec_abc", "whsec_YWJj ", "YWJj\n", "whsec_YWJjZA", "whsec_YWJjZA==YWJj", "whsec_ÄÖÜä", "plain text"],
)
@pytest.mark.parametrize("scheme", ["standard-webhooks", "gitlab-signing"])
def test_a_key_that_is_not_base64_is_refused(scheme, value):
    """Where the secret writes its key in base64, anything else is found at construction, and not shown."""
    with pytest.raises(errors.ConfigurationError, match="not base64") as caught:
        verifier_for(scheme, [SigningSecret(id="old", value=value)])
    assert value not in str(caught.value)


@pytest.mark.parametrize("value", ["whpk_YWJj", "whpk_", "whpk_????", "YWJj"])
def test_a_key_that_is_not_a_public_one_is_refused(value):
    """An Ed25519 receiver takes a public key of 32 bytes."""
    with pytest.raises(errors.ConfigurationError):
        verifier_for("standard-webhooks-v1a", [SigningSecret(id="old", value=value)])


def test_a_token_that_no_header_can_carry_is_refused():
    """A token with other than ASCII characters could never match."""
    with pytest.raises(errors.ConfigurationError, match="not ASCII"):
        verifier_for("gitlab-token", [SigningSecret(id="old", value="Schlüssel")])


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_no_secret_at_all_is_refused(scheme):
    """A verifier without secrets cannot be made: it fails closed."""
    with pytest.raises(errors.ConfigurationError, match="no secret"):
        verifier_for(scheme, [])


def test_two_secrets_of_one_id_are_refused():
    """Which secret has signed could not be told."""
    with pytest.raises(errors.ConfigurationError, match="same id"):
        verifier_for("github", [SigningSecret(id="one", value="a"), SigningSecret(id="one", value="b")])


@pytest.mark.parametrize(("moment", "valid"), [(-1, True), (0, True), (1, False)])
def test_a_secret_ends_after_its_last_moment(moment, valid):
    """``not_after`` itself is still in time; a microsecond later is not."""
    secret = SigningSecret(id="old", value="secret", not_after=NOON)
    assert secret.valid_at(NOON + timedelta(microseconds=moment)) is valid


def test_while_secrets_change_both_are_accepted(signers, now):
    """The verified webhook tells which of several secrets has signed it."""
    old, new = SigningSecret(id="old", value="It's made up", not_after=now), SigningSecret(id="new", value="fresh")
    verifier = verifier_for("github", [new, old])
    assert verifier.verify(signers["github"].sign(b"{}", now), b"{}", now).secret_id == "old"
    assert verifier.verify(attrs.evolve(signers["github"], secret="fresh").sign(b"{}", now), b"{}", now).secret_id == "new"


def test_an_expired_secret_is_refused(signers, now):
    """A signature by a secret past its end is invalid, also where no other secret is left."""
    verifier = verifier_for("github", [SigningSecret(id="old", value="It's made up", not_after=now)])
    with pytest.raises(errors.SignatureInvalid):
        verifier.verify(signers["github"].sign(b"{}", now), b"{}", now + timedelta(microseconds=1))
