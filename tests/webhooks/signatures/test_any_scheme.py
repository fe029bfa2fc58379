"""One receiver, many ways to prove that one knows its secret."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import ConfigurationError, SignatureInvalid, SignatureMissing, TimestampOutOfRange, WebhookRejected
from forgekit.testing.signing import sign
from forgekit.webhooks.signatures import SCHEMES, AnyScheme, Dedup, SigningSecret, verifier_for

WAYS = ("generic", "circleci", "buildkite", "gitlab-signing", "gitlab-token")
ANY = AnyScheme(name="any", ways=[SCHEMES[name] for name in WAYS], id_headers="X-Delivery-Id", event_headers="X-Event")
SECRETS = {name: "whsec_YSBrZXkgaW4gYmFzZTY0IQ==" if name == "gitlab-signing" else "made up" for name in WAYS}
BODY = b'{"build_id": "1"}'


def verifier(*values):
    """A receiver with these secrets."""
    return verifier_for(ANY, [SigningSecret(id=str(number), value=value) for number, value in enumerate(values)])


@pytest.mark.parametrize("way", WAYS)
def test_each_way_proves_the_sender(way, now):
    """A sender of any of the ways is believed, by whichever secret is its own, and only over the bytes that it signed."""
    headers = sign(way, SECRETS[way], BODY, now, event="done", delivery_id="d-1")
    webhook = verifier("another", SECRETS[way]).verify(headers, BODY, now)
    assert (webhook.provider, webhook.secret_id, webhook.dedup) == ("any", "1", Dedup.DELIVERY)
    assert ANY.is_claimed(headers)
    with pytest.raises(SignatureInvalid):
        verifier("another").verify(headers, BODY, now)
    if not way.endswith("token"):
        with pytest.raises(SignatureInvalid):
            verifier(SECRETS[way]).verify(headers, BODY + b" ", now)


def test_the_first_proof_counts_alone(now):
    """A right token does not save a wrong signature, whatever else is sent."""
    headers = {**sign("gitlab-token", "made up", BODY, now), **sign("generic", "wrong", BODY, now)}
    with pytest.raises(SignatureInvalid):
        verifier("made up").verify(headers, BODY, now)


def test_a_time_is_checked_where_it_is_signed(now):
    """An old signature of a way with times is refused; ways without go on."""
    old = now - ANY.tolerance - timedelta(seconds=1)
    with pytest.raises(TimestampOutOfRange):
        verifier("made up").verify(sign("buildkite", "made up", BODY, old), BODY, now)
    assert verifier("made up").verify(sign("circleci", "made up", BODY, old), BODY, now).sent_at is None


def test_nothing_to_check_is_missing(now):
    """Without any proof, or with a time that was not signed, there is nothing to believe."""
    for headers in ({}, {"X-Event": "done"}, {"X-Buildkite-Signature": "signature=00"}, {"X-Gitlab-Token": ""}):
        assert not ANY.is_claimed(headers)
        with pytest.raises(SignatureMissing):
            verifier("made up").verify(headers, BODY, now)


def test_the_id_and_the_event_may_stand_in_headers_of_its_own(now):
    """Where a way has no header for them, the receiver's own are read."""
    headers = {**sign("circleci", "made up", BODY, now), "X-Delivery-Id": "d-1", "X-Event": "done"}
    webhook = verifier("made up").verify(headers, BODY, now)
    assert (webhook.delivery_id, webhook.event) == ("d-1", "done")


def test_a_secret_need_not_fit_every_way(now):
    """A secret that is no key of a way proves nothing that way; one that fits none is a configuration error."""
    with pytest.raises(SignatureInvalid):
        verifier("not base64!").verify(sign("gitlab-signing", SECRETS["gitlab-signing"], BODY, now), BODY, now)
    only = AnyScheme(name="only", ways=[SCHEMES["gitlab-signing"]])
    with pytest.raises(ConfigurationError, match="not base64"):
        verifier_for(only, [SigningSecret(id="s", value="not base64!")])


def test_it_signs_in_the_first_way(now):
    """What it signs itself it believes."""
    headers = sign(ANY, "made up", BODY, now, event="done")
    assert headers["X-Signature-256"].startswith("sha256=")
    assert verifier("made up").verify(headers, BODY, now).event == "done"


@pytest.mark.parametrize("parts", [{"name": "", "ways": [SCHEMES["github"]]}, {"name": "any", "ways": []}])
def test_a_receiver_without_ways_cannot_be_made(parts):
    """What could check nothing is a configuration error."""
    with pytest.raises(ConfigurationError):
        AnyScheme(**parts)


@given(headers=st.dictionaries(st.sampled_from(sorted(ANY.header_names)), st.text(max_size=80)))
def test_no_made_up_headers_are_believed(now, headers):
    """Whatever stands in the headers, who does not know the secret is refused with the one error family."""
    with pytest.raises(WebhookRejected):
        verifier("made up").verify(headers, BODY, now)
