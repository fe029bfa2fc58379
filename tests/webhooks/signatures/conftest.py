"""A sender's and a receiver's secret for every scheme."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import attrs
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from forgekit.testing.signing import PayloadSigner
from forgekit.webhooks.signatures import SCHEMES, SigningSecret, Verifier, verifier_for

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
SEED = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
BASE64_KEY = "whsec_" + base64.b64encode(b"a key of twenty-four byt").decode()


def _keys(scheme):
    if scheme == "standard-webhooks-v1a":
        return "whsk_" + base64.b64encode(SEED).decode(), "whpk_" + base64.b64encode(PUBLIC).decode()
    return (BASE64_KEY, BASE64_KEY) if scheme in {"standard-webhooks", "gitlab-signing"} else ("It's made up", "It's made up")


@attrs.frozen
class Link:
    """A sender of one scheme, and the receiver that knows its secret."""

    name: str
    signer: PayloadSigner
    verifier: Verifier


@pytest.fixture(scope="session")
def now():
    """The present moment of these tests."""
    return NOW


@pytest.fixture(scope="session")
def signers():
    """A sender of each scheme."""
    return {scheme: PayloadSigner(scheme, _keys(scheme)[0]) for scheme in SCHEMES}


@pytest.fixture(scope="session")
def verifiers():
    """A receiver of each scheme, which knows that sender's secret."""
    return {scheme: verifier_for(scheme, [SigningSecret(id="only", value=_keys(scheme)[1])]) for scheme in SCHEMES}


@pytest.fixture(scope="session", params=sorted(SCHEMES))
def link(request, signers, verifiers):
    """Sender and receiver of every scheme in turn."""
    return Link(request.param, signers[request.param], verifiers[request.param])
