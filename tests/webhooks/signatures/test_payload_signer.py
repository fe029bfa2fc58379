import base64
from datetime import datetime

import pytest

from forgekit import errors
from forgekit.testing.signing import PayloadSigner, published_vectors, sign
from forgekit.webhooks.signatures import SCHEMES, SigningSecret

ACCEPTED = [vector for vector in published_vectors() if vector.error is None]


@pytest.mark.parametrize("scheme", sorted({vector.scheme for vector in ACCEPTED} - {"standard-webhooks-v1a"}))
def test_the_signer_reproduces_the_published_examples(scheme):
    """What the signer writes is what each sender has published."""
    vector = next(vector for vector in ACCEPTED if vector.scheme == scheme)  # the first of a scheme is the plain one
    given = dict(vector.headers)
    signed = sign(scheme, vector.secret, vector.body, vector.now, delivery_id=given.get("webhook-id"))
    signature = next(iter(signed))
    assert signed[signature] == given[signature]


def test_a_retry_of_a_body_has_the_same_id(now):
    """Without an id of its own, a delivery is named after its body."""
    signer = PayloadSigner("standard-webhooks", "whsec_YWJj")
    assert signer.sign(b"1", now)["webhook-id"] == signer.sign(b"1", now)["webhook-id"] != signer.sign(b"2", now)["webhook-id"]


def test_headers_are_those_that_the_sender_has(now):
    """A sender's headers carry its own names, and the event and the id only where it has headers for them."""
    assert list(sign("github", "s", b"{}", now, event="push")) == ["X-Hub-Signature-256", "X-GitHub-Delivery", "X-GitHub-Event"]
    assert list(sign("stripe", "s", b"{}", now, event="push")) == ["Stripe-Signature"]
    assert list(sign("lemonsqueezy", "s", b"{}", now)) == ["X-Signature"]
    assert list(sign("gitlab-token", "s", b"{}", now)) == ["X-Gitlab-Token", "Idempotency-Key"]


def test_a_signer_takes_a_scheme_and_a_secret_as_they_are(now):
    """Names and objects give the same signer, and no text of it shows the secret."""
    signer = PayloadSigner(SCHEMES["github"], SigningSecret(id="signer", value="hush"))
    assert signer == PayloadSigner("github", "hush")
    assert "hush" not in repr(signer)


def test_a_signer_needs_an_aware_time():
    """A naive time is a usage error."""
    with pytest.raises(errors.UsageError):
        sign("github", "s", b"{}", datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize(("scheme", "secret", "error"), [("github", "", "EmptySecret"), ("none", "s", "UnknownPlugin")])
def test_a_signer_refuses_what_cannot_sign(scheme, secret, error):
    """Unknown schemes and empty secrets are configuration errors."""
    with pytest.raises(getattr(errors, error)):
        PayloadSigner(scheme, secret)


@pytest.mark.parametrize("key", [b"short", bytes(31)])
def test_an_ed25519_sender_needs_a_private_key(key, now):
    """A seed of fewer than 32 bytes is a configuration error; the public key behind it is not needed."""
    with pytest.raises(errors.ConfigurationError, match="not an Ed25519 private key"):
        sign("standard-webhooks-v1a", "whsk_" + base64.b64encode(key).decode(), b"{}", now)


def test_an_ed25519_key_may_carry_its_public_half(now):
    """Seed alone and seed with public key sign alike."""
    keys = ["whsk_" + base64.b64encode(bytes(32) + rest).decode() for rest in (b"", bytes(32))]
    assert len({str(sign("standard-webhooks-v1a", key, b"{}", now)) for key in keys}) == 1
