import hashlib
from datetime import datetime, timedelta

import attrs
import pytest

from forgekit import errors
from forgekit.webhooks.signatures import SCHEMES, HmacScheme, SigningSecret, verifier_for
from forgekit.webhooks.signatures.verifier import MAX_BODY

BODY = b'{"id": "evt_1", "event_id": "Ev1"}'
WITH_TIMESTAMP = ["buildkite", "gitlab-signing", "slack", "standard-webhooks", "standard-webhooks-v1a", "stripe"]
WITHOUT_EVENT = {"slack", "standard-webhooks", "standard-webhooks-v1a", "stripe"}
WITHOUT_ID = {"buildkite", "buildkite-token", "circleci", "lemonsqueezy", "slack", "stripe"}
SECRET = SigningSecret(id="only", value="made up")


def test_a_signed_webhook_is_verified(link, now):
    """What a sender signs, the receiver with its secret accepts, and tells who sent it."""
    webhook = link.verifier.verify(link.signer.sign(BODY, now, event="push", delivery_id="d-1"), BODY, now)
    assert (webhook.provider, webhook.secret_id, webhook.received_at, webhook.body) == (link.name, "only", now, BODY)
    assert webhook.sent_at == (now if link.name in WITH_TIMESTAMP else None)


def test_the_headers_name_the_event_and_the_delivery(link, now):
    """Event and delivery id are told where the sender has a header for them."""
    webhook = link.verifier.verify(link.signer.sign(BODY, now, event="push", delivery_id="d-1"), BODY, now)
    assert webhook.event == (None if link.name in WITHOUT_EVENT else "push")
    assert webhook.delivery_id == (None if link.name in WITHOUT_ID else "d-1")


def test_without_headers_the_signature_is_missing(link, now):
    """No header at all is told apart from a wrong signature."""
    with pytest.raises(errors.SignatureMissing) as caught:
        link.verifier.verify({}, BODY, now)
    assert caught.value.data == {"provider": link.name}


def test_another_body_is_refused(link, now):
    """A signature fits one body, to the byte; the refusal names the configured sender, for logs and counters."""
    if link.name.endswith("-token"):
        pytest.skip("it signs nothing")
    with pytest.raises(errors.SignatureInvalid) as caught:
        link.verifier.verify(link.signer.sign(BODY, now), BODY + b" ", now)
    assert caught.value.data == {"provider": link.name}


def test_another_secret_is_refused(link, now):
    """What a sender with another secret signs is not believed."""
    alike = {"whsec_": "whsec_YWJj", "whpk_": "whpk_" + "A" * 43 + "="}
    value = next((other for prefix, other in alike.items() if link.verifier.secrets[0].value.startswith(prefix)), "another")
    with pytest.raises(errors.SignatureInvalid):
        verifier_for(link.name, [SigningSecret(id="other", value=value)]).verify(link.signer.sign(BODY, now), BODY, now)


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("scheme", WITH_TIMESTAMP)
def test_a_timestamp_may_be_five_minutes_off(scheme, side, signers, verifiers, now):
    """The tolerance itself is accepted, a microsecond beyond it is not, in the past as in the future."""
    headers = signers[scheme].sign(BODY, now)
    assert verifiers[scheme].verify(headers, BODY, now + side * timedelta(seconds=300)).sent_at == now
    with pytest.raises(errors.TimestampOutOfRange) as caught:
        verifiers[scheme].verify(headers, BODY, now + side * timedelta(seconds=300, microseconds=1))
    assert caught.value.data == {"provider": scheme}


def test_the_tolerance_can_be_configured(signers, now):
    """A scheme with another tolerance is another scheme, made from the first."""
    strict = attrs.evolve(SCHEMES["slack"], tolerance=timedelta(seconds=1))
    verifier = verifier_for(strict, [signers["slack"].secret])
    headers = signers["slack"].sign(BODY, now)
    assert verifier.verify(headers, BODY, now + timedelta(seconds=1))
    with pytest.raises(errors.TimestampOutOfRange):
        verifier.verify(headers, BODY, now + timedelta(seconds=2))


def test_a_body_has_a_largest_size(signers, now):
    """The largest body is accepted; a byte more is refused before anything is computed."""
    verifier = verifier_for("github", [signers["github"].secret], max_body=4)
    assert verifier.verify(signers["github"].sign(b"1234", now), b"1234", now)
    with pytest.raises(errors.PayloadTooLarge) as caught:
        verifier.verify({}, b"12345", now)
    assert caught.value.data == {"provider": "github", "limit": 4}


def test_the_default_limit_is_five_mebibytes():
    """Unless told otherwise, bodies up to 5 MiB are accepted."""
    assert verifier_for("github", [SECRET]).max_body == MAX_BODY == 5_242_880


@pytest.mark.parametrize(("body", "moment"), [("{}", None), (bytearray(b"{}"), None), ({}, None), (b"{}", datetime(2026, 1, 1))])  # noqa: DTZ001
def test_mistakes_of_the_calling_code_are_told_apart(body, moment, verifiers, now):
    """A body that is not raw bytes and a naive time are usage errors, not a sender's fault."""
    with pytest.raises(errors.UsageError):
        verifiers["github"].verify({}, body, moment or now)


def test_an_unknown_scheme_is_refused():
    """The error lists the names that there are."""
    with pytest.raises(errors.UnknownPlugin, match="github, gitlab-signing") as caught:
        verifier_for("githab", [SECRET])
    assert caught.value.data == {"name": "githab"}


def test_a_scheme_of_ones_own_is_used_as_it_is(now):
    """A plugin's scheme needs no registration to verify."""
    scheme = HmacScheme(name="acme", signature_headers=("X-Acme-Signature",), prefix="sha256=", encoding="base64")
    verifier = verifier_for(scheme, [SECRET])
    assert verifier.verify(scheme.sign(SECRET, b"[]", timestamp=0, delivery_id="", event=None), b"[]", now).provider == "acme"


def test_the_table_of_schemes_is_keyed_by_their_names():
    """What configuration names is what a verified webhook tells, and the table cannot be changed."""
    assert {name: scheme.name for name, scheme in SCHEMES.items()} == {name: name for name in SCHEMES}
    with pytest.raises(TypeError):
        SCHEMES["own"] = SCHEMES["github"]


def test_the_first_timestamp_header_counts(signers, verifiers, now):
    """A timestamp under both of its names is read once, under the first."""
    headers = signers["standard-webhooks"].sign(BODY, now) | {"svix-timestamp": "1"}
    assert verifiers["standard-webhooks"].verify(headers, BODY, now).sent_at == now


def test_a_retry_in_the_standard_form_keeps_its_key(signers, verifiers, now):
    """The signed id stays the same while the timestamp and the signature change."""
    later = now + timedelta(minutes=5)
    keys = {verifiers["standard-webhooks"].verify(signers["standard-webhooks"].sign(BODY, at), BODY, at).dedup_key for at in (now, later)}
    assert keys == {f"id:msg_{hashlib.sha256(BODY).hexdigest()[:24]}"}
