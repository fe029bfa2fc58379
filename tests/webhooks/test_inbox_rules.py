from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.webhooks import IncomingEvent, ReceiptAction, Relevance, Stored, VerifiedWebhook
from forgekit.webhooks.rules import MAX_EVENT_KEY, MAX_KIND, action_for, arrival_of, bounded

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WEBHOOK = VerifiedWebhook(provider="plane", secret_id="s", received_at=NOW, body=b"{}", event="issue", delivery_id="d")
TEXTS = st.text(st.characters(codec="utf-8"), max_size=400)


@given(st.sampled_from(Relevance), st.booleans(), st.booleans())
def test_dedup_is_answered_before_anything_else(relevance, duplicate, burst):
    """The order of the checks is dedup, relevance, active cycle."""
    action = action_for(relevance, Stored(id=1, duplicate=duplicate, burst=burst))
    assert (action is ReceiptAction.DEDUPED) == (duplicate or burst)


@pytest.mark.parametrize(
    ("relevance", "action", "wanted"),
    [
        (Relevance.WANTED, ReceiptAction.PROCESSED, True),
        (Relevance.IDLE, ReceiptAction.NO_ACTIVE_CYCLE, True),
        (Relevance.OTHER, ReceiptAction.PROCESSED, False),
        (Relevance.UNCONFIGURED, ReceiptAction.ERROR, False),
    ],
)
def test_each_relevance_has_its_answer(relevance, action, wanted):
    """What the sender is told, and whether a handler shall see the row."""
    assert action_for(relevance, Stored(id=1, duplicate=False, burst=False)) is action
    assert arrival_of(WEBHOOK, IncomingEvent(provider="plane", kind="issue", payload={}), relevance).wanted is wanted


@given(TEXTS, TEXTS, TEXTS)
def test_what_a_sender_wrote_fits_the_columns(kind, action, subject):
    """However long or odd the sender's texts are, the row holds bounded, printable ones."""
    event = IncomingEvent(provider="plane", kind=kind, action=action, subject=subject, payload={})
    row = arrival_of(WEBHOOK, event, Relevance.WANTED)
    assert len(row.kind) <= MAX_KIND
    assert len(row.event_key) <= MAX_EVENT_KEY
    assert (row.kind + row.event_key).isprintable()


@given(TEXTS, TEXTS)
def test_different_subjects_have_different_keys(one, other):
    """Bounding a key does not make two events one burst."""
    keys = {
        arrival_of(WEBHOOK, IncomingEvent(provider="p", kind="k", subject=each, payload={}), Relevance.WANTED).event_key
        for each in (one, other)
    }
    assert len(keys) == len({one, other})


def test_a_row_holds_what_it_takes_to_read_it_again():
    """Body, header's event and delivery id are stored as they came."""
    row = arrival_of(WEBHOOK, IncomingEvent(provider="plane", kind="issue", payload={}), Relevance.WANTED)
    assert (row.body, row.event, row.delivery_id, row.received_at, row.dedup_key) == (b"{}", "issue", "d", NOW, WEBHOOK.dedup_key)
    assert row.provider == "plane"


def test_what_a_sender_did_not_say_is_empty():
    """Without an event or an id in its headers, a row has neither."""
    webhook = VerifiedWebhook(provider="plane", secret_id="s", received_at=NOW, body=b"{}")
    row = arrival_of(webhook, IncomingEvent(provider="plane", kind="issue", payload={}), Relevance.WANTED)
    assert (row.event, row.delivery_id) == ("", "")


def test_a_text_at_the_limit_stays():
    """The limit itself is allowed; beyond it stands a hash that shows what it is."""
    assert bounded("x" * 10, 10) == "x" * 10
    assert bounded("x" * 11, 10).startswith("#")
