import hashlib
import pickle

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit import errors
from forgekit.webhooks.signatures import Dedup, VerifiedWebhook
from forgekit.webhooks.signatures.verified import MAX_ID_IN_KEY


def _webhook(now, body=b"{}", **parts):
    return VerifiedWebhook(provider="acme", secret_id="only", received_at=now, body=body, **parts)


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_without_an_id_the_body_is_the_key(now):
    """Plane gives a retry a new id and LemonSqueezy gives none: equal bytes are one delivery."""
    assert _webhook(now, delivery_id="new-each-time").dedup_key == f"body:{_sha256(b'{}')}"


def test_a_signed_id_is_the_key(now):
    """A sender that signs its id is believed about it, whatever the body."""
    keys = {_webhook(now, body=body, delivery_id="msg_1", dedup=Dedup.SIGNED_ID).dedup_key for body in (b"1", b"2")}
    assert keys == {"id:msg_1"}


def test_an_unsigned_id_counts_with_the_body_only(now):
    """A captured body under the id of a delivery to come does not make that one a duplicate."""
    forged, real = (_webhook(now, body=body, delivery_id="d-1", dedup=Dedup.DELIVERY) for body in (b"old", b"new"))
    assert forged.dedup_key == f"delivery:d-1:{_sha256(b'old')}"
    assert real.dedup_key == f"delivery:d-1:{_sha256(b'new')}"
    assert _webhook(now, dedup=Dedup.DELIVERY).dedup_key == f"body:{_sha256(b'{}')}"


def test_the_body_hash_is_beyond_the_reach_of_headers(now):
    """A captured delivery under a new id has a new key, but the same hash of its body."""
    first, again = (_webhook(now, delivery_id=name, dedup=Dedup.DELIVERY) for name in ("d-1", "d-2"))
    assert first.dedup_key != again.dedup_key
    assert first.body_sha256 == again.body_sha256 == _sha256(b"{}")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"id": "evt_1"}', "event:evt_1"),
        (b'{"id": ""}', None),
        (b'{"id": 1}', None),
        (b"{}", None),
        (b"[]", None),
        (b"payload=form", None),
        ('{"id": "é"}'.encode(), "event:#" + _sha256("é".encode())),
        (b'{"id": "a\\u0000b"}', "event:#" + _sha256(b"a\0b")),
    ],
)
def test_the_id_in_a_signed_body_is_the_key(body, key, now):
    """Stripe and Slack sign an event id in the body; without one, or without JSON, the body's hash is the key."""
    webhook = _webhook(now, body=body, dedup=Dedup.BODY_ID, body_id="id")
    assert webhook.dedup_key == (key or f"body:{_sha256(body)}")


def test_a_long_id_is_hashed(now):
    """The longest id stands in the key as it is, one character more as a hash."""
    longest = "x" * MAX_ID_IN_KEY
    assert _webhook(now, delivery_id=longest, dedup=Dedup.SIGNED_ID).dedup_key == f"id:{longest}"
    assert _webhook(now, delivery_id=longest + "x", dedup=Dedup.SIGNED_ID).dedup_key == f"id:#{_sha256(longest.encode() + b'x')}"


@given(one=st.text(), other=st.text(), dedup=st.sampled_from(Dedup), body=st.binary())
def test_keys_are_bounded_plain_and_distinct(one, other, dedup, body, now):
    """Whatever the id, the key is short printable ASCII, and two ids share it only where ids do not count."""
    webhooks = [_webhook(now, body=body, delivery_id=name, dedup=dedup, body_id="id") for name in (one, other)]
    keys = [webhook.dedup_key for webhook in webhooks]
    assert all(key.isascii() and key.isprintable() and len(key) <= 180 for key in keys)
    if one and other and one != other and dedup in {Dedup.SIGNED_ID, Dedup.DELIVERY}:
        assert keys[0] != keys[1]


def test_a_hash_is_no_plain_id(now):
    """An id that looks like the hash of another has another key."""
    long = "x" * (MAX_ID_IN_KEY + 1)
    keys = {_webhook(now, delivery_id=name, dedup=Dedup.SIGNED_ID).dedup_key for name in (long, f"#{_sha256(long.encode())}")}
    assert len(keys) == 2


def test_the_body_is_parsed_once(now):
    """Every call gives the same object; null, too, is parsed once."""
    webhook = _webhook(now, body=b'{"a": [1]}')
    assert webhook.json() is webhook.json()
    assert _webhook(now, body=b"null").json() is None


def test_a_body_that_is_not_json_is_verified_but_not_parsed(now):
    """The webhook exists, and each attempt to parse it is refused."""
    webhook = _webhook(now, body=b"payload=form")
    for _ in range(2):
        with pytest.raises(errors.PayloadMalformed):
            webhook.json()


def test_a_verified_webhook_is_a_value(now):
    """It cannot be changed, keeps its body out of its text, and equals its copy whether parsed or not."""
    webhook = _webhook(now, body=b'"private"')
    copy = pickle.loads(pickle.dumps(webhook))  # noqa: S301 - our own
    webhook.json()
    assert copy == webhook
    assert copy.json() == "private"
    assert "private" not in repr(webhook)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        webhook.body = b"other"
