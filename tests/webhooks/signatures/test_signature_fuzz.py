from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from forgekit import errors

LIKELY = "v1a,=. t\x00\x7fäK/+0123456789abcdef"
TEXT = st.text(st.characters(exclude_categories=[])) | st.text(LIKELY, max_size=200)
HUGE = st.builds(lambda text, times: text * times, TEXT, st.integers(1, 5000))
# A doubled header may hold the true signature as one of several entries.
RESPELLING = ["cut", "upper", "prefix", "suffix", "other", "comma", "drop"]
TAMPERING = [*RESPELLING, "double"]


def _tampered(value, how, noise):
    return {
        "cut": value[:-1],
        "double": value + value,
        "upper": value.swapcase(),
        "prefix": noise + value,
        "suffix": value + noise,
        "other": noise,
        "comma": value.replace(",", ",,").replace("=", "=="),
        "drop": value.replace(",", "").replace("=", ""),
    }[how]


def _rejected_or_verified(verifier, headers, body, now):
    """Return the code of the refusal; any error outside the family goes through, and fails the test."""
    try:
        webhook = verifier.verify(headers, body, now)
        assert len(webhook.dedup_key) <= 180
        webhook.json()
    except errors.WebhookRejected as error:
        return error.code
    return "verified"


def _headers(link):
    names = st.sampled_from(sorted(link.verifier.scheme.header_names))
    spelled = st.builds(lambda name, spell: spell(name), names, st.sampled_from([str, str.lower, str.upper]))
    text = st.lists(st.tuples(spelled | TEXT, TEXT | HUGE), max_size=6)
    raw = st.lists(st.tuples(spelled.map(str.encode) | st.binary(), st.binary(max_size=5000)), max_size=6)
    return text | raw | text.map(dict)


@given(data=st.data(), body=st.binary())
def test_arbitrary_headers_are_rejected_by_one_family(data, body, link, now):
    """Whatever stands in the headers that a scheme reads, as text or as bytes, nothing but its own errors comes out."""
    answer = _rejected_or_verified(link.verifier, data.draw(_headers(link)), body, now)
    assert answer in {"signature_missing", "signature_invalid", "timestamp_out_of_range"}


@given(data=st.data(), how=st.sampled_from(TAMPERING), noise=TEXT.filter(bool))
def test_a_tampered_header_is_rejected_by_one_family(data, how, noise, link, now):
    """A header that counts, changed in any way, gives a webhook or one of the family's errors."""
    body = data.draw(st.binary())
    headers = link.signer.sign(body, now, event="push", delivery_id="d-1")
    name = data.draw(st.sampled_from(sorted(headers)))
    headers[name] = _tampered(headers[name], how, noise)
    answer = _rejected_or_verified(link.verifier, headers, body, now)
    assert answer in {"verified", "payload_malformed", "signature_missing", "signature_invalid", "timestamp_out_of_range"}


@given(how=st.sampled_from(RESPELLING), noise=st.text("abcdef0123456789=.:+/", min_size=1), body=st.binary())
def test_a_tampered_signature_is_refused(how, noise, body, link, now):
    """No other spelling of a signature counts as the signature."""
    headers = link.signer.sign(body, now)
    name = next(iter(headers))
    before, headers[name] = headers[name], _tampered(headers[name], how, noise)
    if headers[name] != before:
        assert _rejected_or_verified(link.verifier, headers, body, now).startswith(("signature_", "timestamp_"))


@given(data=st.data(), body=st.binary(), drift=st.integers(-300, 300))
def test_what_is_signed_is_verified(data, body, drift, link, now):
    """Any body, event and id survive the way from a sender to its receiver, within the tolerance."""
    event, name = data.draw(st.none() | st.text("abcXYZ_.-")), data.draw(st.none() | st.text("abc019_-", min_size=1))
    headers = link.signer.sign(body, now, event=event, delivery_id=name)
    raw = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
    webhook = link.verifier.verify(raw, body, now + timedelta(seconds=drift))
    assert webhook.body == body
    assert len(webhook.dedup_key) <= 180


@given(body=st.binary(min_size=1), position=st.integers(0), change=st.integers(1, 255))
def test_one_changed_byte_is_refused(body, position, change, link, now):
    """A body that differs anywhere from what was signed is not believed, but where the sender signs nothing."""
    headers = link.signer.sign(body, now)
    changed = bytearray(body)
    changed[position % len(body)] ^= change
    answer = _rejected_or_verified(link.verifier, headers, bytes(changed), now)
    assert answer == "signature_invalid" or link.name.endswith("-token")


@given(body=st.binary(max_size=50))
def test_senders_are_not_confused(body, link, signers, now):
    """Headers that another sender signed never verify, unless both sign alike."""
    for other, signer in signers.items():
        alike = {link.name, other} in ({"standard-webhooks", "gitlab-signing"}, {"plane", "lemonsqueezy"}) or link.name == other
        answer = _rejected_or_verified(link.verifier, signer.sign(body, now), body, now)
        assert alike or answer.startswith("signature_")
