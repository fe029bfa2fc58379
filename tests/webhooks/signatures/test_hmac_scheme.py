import hashlib
import hmac
from datetime import timedelta

import attrs
import pytest

from forgekit import errors
from forgekit.webhooks.signatures import SCHEMES, Dedup, HmacScheme, SigningSecret, verifier_for
from forgekit.webhooks.signatures.headers import MAX_SIGNATURES
from forgekit.webhooks.signatures.signed_text import SignedText
from forgekit.webhooks.signatures.token_scheme import TokenScheme

SECRET = SigningSecret(id="only", value="made up")
ACME = HmacScheme(name="acme", signature_headers="X-Acme")
TIMED = attrs.evolve(ACME, signed="{timestamp}.{body}", timestamp_headers="X-Time")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": ""}, "needs a name"),
        ({"signature_headers": ()}, "needs a signature header"),
        ({"signature_headers": "X Acme"}, "not a header name"),
        ({"id_headers": ("X-Id", "")}, "not a header name"),
        ({"event_headers": "X-Évent"}, "not a header name"),
        ({"encoding": "base32"}, "neither hex nor base64"),
        ({"key": "hex"}, "neither text nor base64"),
        ({"algorithm": "md5"}, "algorithm"),
        ({"algorithm": "sha1"}, "allow_sha1"),
        ({"timestamp_headers": "X-Time"}, "one place, and is signed"),
        ({"signed": "{timestamp}{body}"}, "one place, and is signed"),
        ({"signed": "{timestamp}{body}", "timestamp_headers": "T", "timestamp_prefix": "t=", "separator": ","}, "one place"),
        ({"signed": "{timestamp}{body}", "timestamp_prefix": "t="}, "needs a separator"),
        ({"tolerance": timedelta(0)}, "not positive"),
        ({"signed": "{id}.{body}"}, "signed id needs a header"),
        ({"id_headers": "X-Id", "dedup": Dedup.SIGNED_ID}, "id is not signed"),
        ({"dedup": Dedup.DELIVERY}, "no delivery id"),
        ({"dedup": Dedup.BODY_ID}, "belong together"),
        ({"body_id": "id"}, "belong together"),
    ],
)
def test_a_description_that_contradicts_itself_is_refused(changes, reason):
    """A plugin's mistake is found when the scheme is made, and named."""
    with pytest.raises(errors.ConfigurationError, match=reason):
        attrs.evolve(ACME, **changes)


@pytest.mark.parametrize(
    "template",
    ["", "body", "{body}.", "{body}{timestamp}", "{timestamp}", "{url}{body}", "{body}{body}", "{timestamp}{timestamp}{body}", "{id}{body}",
     "{id!r}.{body}", "{id:>9}.{body}", "{id.__class__}.{body}", "{}{body}", "{body", "é{body}"],
)  # fmt: skip
def test_a_broken_template_is_refused(template):
    """The signed text ends with the body, once, and names nothing but the id and the timestamp before it."""
    with pytest.raises(errors.ConfigurationError, match=r"template|Nothing ends the id"):
        SignedText.parse(template)


@pytest.mark.parametrize(
    ("template", "head", "after_id"),
    [
        ("{body}", b"", ""),
        ("v0:{timestamp}:{body}", b"v0:12:", ""),
        ("{id}.{timestamp}.{body}", b"abc.12.", "."),
        ("{timestamp}{id}--{body}", b"12abc--", "--"),
        ("{{{timestamp}}}{body}", b"{12}", ""),
    ],
)
def test_a_template_gives_the_bytes_before_the_body(template, head, after_id):
    """Every documented form of signed text can be written."""
    text = SignedText.parse(template)
    assert (text.head_bytes("12", "abc"), text.after_id) == (head, after_id)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_the_signature_is_the_plain_hmac(algorithm, now):
    """What is accepted is what the standard library computes, by each algorithm."""
    scheme = attrs.evolve(ACME, algorithm=algorithm, allow_sha1=True)
    signature = hmac.new(b"made up", b"{}", algorithm).hexdigest()
    verifier = verifier_for(scheme, [SECRET])
    assert verifier.verify({"x-acme": signature}, b"{}", now).provider == "acme"
    with pytest.raises(errors.SignatureInvalid):
        verifier.verify({"x-acme": signature[:-1]}, b"{}", now)


def test_the_header_does_not_choose_the_algorithm(now):
    """SHA-1 in Bitbucket's header is refused, though GitHub used that header for it."""
    sha1 = "sha1=" + hmac.new(b"made up", b"{}", hashlib.sha1).hexdigest()
    for scheme in ("bitbucket", "github"):
        with pytest.raises((errors.SignatureInvalid, errors.SignatureMissing)):
            verifier_for(scheme, [SECRET]).verify({"X-Hub-Signature": sha1, "User-Agent": "GitHub-Hookshot"}, b"{}", now)


def test_the_first_of_several_headers_counts(now):
    """Plane's own header goes before the general one; the general one does where the other is absent or empty."""
    verifier = verifier_for("plane", [SECRET])
    good = hmac.new(b"made up", b"{}", "sha256").hexdigest()
    assert verifier.verify({"X-Signature": "0" * 64, "X-Plane-Signature": good}, b"{}", now)
    assert verifier.verify({"X-Signature": good, "X-Plane-Signature": ""}, b"{}", now)
    with pytest.raises(errors.SignatureInvalid):
        verifier.verify({"X-Signature": good, "X-Plane-Signature": "0" * 64}, b"{}", now)


def test_only_so_many_signatures_are_looked_at(signers, verifiers, now):
    """The largest number of entries is read, and one more is refused."""
    headers = signers["standard-webhooks"].sign(b"{}", now)
    good = headers["webhook-signature"]
    headers["webhook-signature"] = " ".join(["v1,x"] * (MAX_SIGNATURES - 1) + [good])
    assert verifiers["standard-webhooks"].verify(headers, b"{}", now)
    headers["webhook-signature"] = " ".join(["v1,x"] * MAX_SIGNATURES + [good])
    with pytest.raises(errors.SignatureInvalid, match="more than"):
        verifiers["standard-webhooks"].verify(headers, b"{}", now)


def _answer_to_timestamp(text, now):
    scheme = attrs.evolve(TIMED, tolerance=timedelta(days=200_000))
    signature = hmac.new(b"made up", f"{text}.{{}}".encode(), "sha256").hexdigest()
    try:
        return verifier_for(scheme, [SECRET]).verify({"x-acme": signature, "x-time": text}, b"{}", now).sent_at.timestamp()
    except errors.WebhookRejected as error:
        return error.code


@pytest.mark.parametrize("text", ["0", "1", "0001", "1793620800", "9999999999"])
def test_a_timestamp_is_signed_as_it_was_written(text, now):
    """One to ten digits are a timestamp, and the header's own text is what the signature covers."""
    assert _answer_to_timestamp(text, now) == int(text)


@pytest.mark.parametrize(
    "text", ["99999999999", "00000000001", "-1", "+1", "1.5", "1e3", " 1", "1 ", "\u0661", "\uff11", "0x1", "1_0", "a"], ids=ascii
)
def test_a_timestamp_is_plain_digits(text, now):
    """Whatever else Python reads as a number is refused, however well it is signed."""
    assert _answer_to_timestamp(text, now) == "signature_invalid"


def test_an_empty_timestamp_is_missing(now):
    """An empty header is as good as none."""
    assert _answer_to_timestamp("", now) == "signature_missing"


def test_an_id_cannot_move_into_the_timestamp(now):
    """A signed id that holds the character after it is refused, though its signature fits."""
    scheme = SCHEMES["standard-webhooks"]
    key = SigningSecret(id="only", value="whsec_YWJj")
    stamp = int(now.timestamp())
    headers = scheme.sign(key, b"{}", timestamp=stamp, delivery_id=f"a.{stamp}", event=None)
    with pytest.raises(errors.SignatureInvalid, match="two ways"):
        verifier_for(scheme, [key]).verify(headers, b"{}", now)


def test_an_id_may_be_signed_without_a_time(now):
    """A template of id and body needs no timestamp, but the id."""
    scheme = attrs.evolve(ACME, signed="{id}.{body}", id_headers="X-Id", dedup=Dedup.SIGNED_ID)
    signature = hmac.new(b"made up", b"m-1.{}", "sha256").hexdigest()
    webhook = verifier_for(scheme, [SECRET]).verify({"x-acme": signature, "x-id": "m-1"}, b"{}", now)
    assert (webhook.dedup_key, webhook.sent_at) == ("id:m-1", None)
    with pytest.raises(errors.SignatureMissing, match="no id"):
        verifier_for(scheme, [SECRET]).verify({"x-acme": signature}, b"{}", now)


def test_entries_of_other_versions_are_no_signatures(now):
    """A header that holds only versions that this scheme does not know is refused."""
    with pytest.raises(errors.SignatureInvalid, match="expected form"):
        verifier_for("stripe", [SECRET]).verify({"stripe-signature": f"t={int(now.timestamp())},v0={'0' * 64}"}, b"{}", now)


def test_a_token_signs_nothing():
    """A token scheme has no time to compare and recognises deliveries by id and body together."""
    scheme = SCHEMES["gitlab-token"]
    assert (scheme.tolerance, scheme.dedup, scheme.body_id) == (timedelta(0), Dedup.DELIVERY, None)


@pytest.mark.parametrize(("name", "headers"), [("", "X-Token"), ("acme", ())])
def test_a_token_scheme_needs_a_name_and_a_header(name, headers):
    """A token scheme that could not find its token is a configuration error."""
    with pytest.raises(errors.ConfigurationError, match="name and a token header"):
        TokenScheme(name=name, token_headers=headers)
