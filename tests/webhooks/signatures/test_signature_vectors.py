import base64
import json
import re
from pathlib import Path

import pytest

from forgekit import errors
from forgekit.testing.signing import published_vectors
from forgekit.webhooks.signatures import SCHEMES, SigningSecret, verifier_for

VECTORS = published_vectors()
RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"
DELIVERIES = sorted((RECORDINGS / "plane" / "webhooks").glob("*.json"))


def _answer(vector):
    verifier = verifier_for(vector.scheme, [SigningSecret(id="only", value=vector.secret)])
    try:
        return verifier.verify(vector.headers, vector.body, vector.now)
    except errors.WebhookRejected as error:
        return error


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_every_published_vector_is_answered_as_published(vector):
    """What the vector file says of a request is what the verifier does."""
    answer = _answer(vector)
    if vector.error is None:
        assert answer.secret_id == "only"
    else:
        assert answer.code == vector.error
        assert answer.data == {"provider": vector.scheme} or answer.data.keys() == {"header"}


def test_the_vectors_cover_every_scheme():
    """Each built-in scheme has at least one accepted example, and no two examples have one name."""
    assert {vector.scheme for vector in VECTORS if vector.error is None} == set(SCHEMES)
    assert len({vector.name for vector in VECTORS}) == len(VECTORS)


@pytest.mark.parametrize("path", DELIVERIES or [None], ids=lambda path: path.name if path else "none")
def test_recorded_plane_deliveries_verify(path, now):
    """Every delivery of a real Plane server verifies over its exact bytes."""
    if path is None:
        pytest.skip("the recordings are not here")
    recorded = json.loads(path.read_bytes())
    body = base64.b64decode(recorded["body_b64"])
    secret = re.search(r"plane_wh_[0-9a-f]+", (RECORDINGS / "README.md").read_text())[0]
    webhook = verifier_for("plane", [SigningSecret(id="recorded", value=secret)]).verify(recorded["headers"], body, now)
    assert webhook.event == webhook.json()["event"]
    assert webhook.dedup_key == f"body:{webhook.body_sha256}"
