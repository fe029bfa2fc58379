"""What webhooks of CI systems mean to builds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from forgekit.builds import BuildRecord
from forgekit.errors import InvalidInput, PayloadMalformed
from forgekit.receivers import GENERIC, BuildReceiver, GenericProvider, read_flat, reading_of
from forgekit.webhooks import IncomingEvent, Relevance, SigningSecret, VerifiedWebhook

FLAT = {"build_id": "1", "project": "shop/web", "status": "passed", "started_at": "2026-02-10T14:30:00Z"}
NOW = datetime(2026, 2, 10, 15, tzinfo=UTC)


class Toy:
    """The reader of a system whose webhooks have a member ``toy``: its number of builds, or something wrong."""

    def read(self, event, payload, /):
        if "toy" not in payload:
            return None
        if payload["toy"] == "wrong":
            raise InvalidInput("The toy is wrong.", problems=[{"pointer": "/toy", "message": "is wrong"}])
        name = payload.get("name", event or "toy")
        return [BuildRecord(build_id=str(number), project=name, status="running") for number in range(payload["toy"])]


class Desk:
    """Writes down what was seen."""

    def __init__(self):
        self.seen = []

    def observe(self, sightings, *, tx):
        self.seen += [(build, tx) for build in sightings]


@pytest.fixture
def provider():
    """The generic provider with one reader."""
    return GenericProvider(readers={"toy": Toy()})


@pytest.fixture
def receiver(provider):
    """A receiver that keeps nothing."""
    return BuildReceiver(
        name=GENERIC,
        secrets=lambda: (SigningSecret(id="s", value="made-up"),),
        read=provider.sightings,
        keep=lambda tx: timedelta(days=1 if tx is None else 2),
        desk=Desk(),
    )


def webhook(body, event=None):
    """An authentic webhook with this body."""
    return VerifiedWebhook(provider=GENERIC, secret_id="s", received_at=NOW, body=json.dumps(body).encode(), event=event)


@pytest.mark.parametrize(
    ("body", "kind", "builds"),
    [
        ({"builds": [FLAT, {**FLAT, "build_id": "2"}]}, "builds", ["1", "2"]),
        (FLAT, "builds", ["1"]),
        ({"toy": 2}, "toy", ["0", "1"]),
        ({"toy": 1, "build_id": 7}, "toy", ["0"]),
        ({"toy": 0}, "toy", []),
    ],
)
def test_the_shape_tells_the_reader(provider, receiver, body, kind, builds):
    """A body is read by the system that knows it, else as flat builds; what tells of no build has no effect."""
    event = provider.parse(webhook(body))
    assert (event.kind, [build.build_id for build in provider.sightings(event)]) == (kind, builds)
    assert receiver.relevance(event) is (Relevance.WANTED if builds else Relevance.OTHER)


def test_the_events_name_reaches_the_reader(provider):
    """What stands in the header is told to the reader, also when the webhook is read again from storage."""
    event = provider.parse(webhook({"toy": 1}, "toy.done"))
    assert (event.action, provider.sightings(event)[0].project, event.key) == ("toy.done", "toy.done", "")


def test_an_unknown_shape_says_what_is_known(provider):
    """A body that nobody reads is refused with the names of the systems that are known."""
    with pytest.raises(InvalidInput, match="toy"):
        provider.parse(webhook({"some": "thing"}))
    with pytest.raises(InvalidInput, match="none is installed"):
        GenericProvider(readers={}).parse(webhook({"toy": 1}))
    with pytest.raises(PayloadMalformed):
        provider.parse(webhook([FLAT]))


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"builds": [FLAT, {**FLAT, "status": "green", "attempt": "1"}, {}]},
         ["/builds/1/status", "/builds/1/attempt", "/builds/2/build_id", "/builds/2/project", "/builds/2/status"]),
        ({"builds": []}, ["/builds"]),
        ({"builds": {}}, ["/builds"]),
        ({"builds": [FLAT], "more": 1}, ["/builds"]),
        ({"builds": [FLAT] * 10_001}, ["/builds"]),
        ({**FLAT, "status": "green"}, ["/status"]),
    ],
)  # fmt: skip
def test_flat_builds_are_read_strictly(body, pointers):
    """All that is wrong is told at once, each by its place."""
    with pytest.raises(InvalidInput) as caught:
        read_flat(body)
    assert [problem["pointer"] for problem in caught.value.data["problems"]] == pointers


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", "ä\0"])
def test_text_that_no_database_takes_is_refused(receiver, name):
    """What could not be stored is refused before it is."""
    event = IncomingEvent(provider=GENERIC, kind="toy", payload={"toy": 1, "name": name})
    with pytest.raises(InvalidInput):
        receiver.relevance(event)


def test_what_was_seen_is_stored_in_the_transaction(receiver):
    """The sightings go to the desk with the transaction that ends the row."""
    receiver.handle(IncomingEvent(provider=GENERIC, kind="builds", payload=FLAT), "tx")
    assert [(build.build_id, tx) for build, tx in receiver.desk.seen] == [("1", "tx")]


def test_secrets_and_keeping_come_from_the_settings(receiver):
    """The receiver is always configured; for how long bodies are kept is asked anew each time."""
    configuration = receiver.configuration()
    assert (configuration.configured, [secret.id for secret in configuration.secrets]) == (True, ["s"])
    assert (receiver.keep_bodies(), receiver.keep_bodies("tx")) == (timedelta(days=1), timedelta(days=2))


def test_a_known_sender_with_an_odd_body_is_malformed():
    """Where the sender's system is fixed, a body that it would not send is malformed, and another's is none of a build."""
    read = reading_of(Toy())
    with pytest.raises(PayloadMalformed):
        read(IncomingEvent(provider="toy", kind="toy", payload={"toy": "wrong"}))
    assert read(IncomingEvent(provider="toy", kind="toy", payload={})) == ()


def test_a_readers_own_refusal_is_told(provider):
    """What a system's reader refuses is refused with its places."""
    with pytest.raises(InvalidInput) as caught:
        provider.parse(webhook({"toy": "wrong"}))
    assert caught.value.data["problems"] == [{"pointer": "/toy", "message": "is wrong"}]
