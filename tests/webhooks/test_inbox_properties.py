from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forgekit.webhooks import ReceiptAction

DELIVERIES = st.lists(
    st.tuples(
        st.sampled_from(["issue", "cycle", "other"]),
        st.sampled_from(["1", "2"]),
        st.integers(0, 3),  # content: which edit it is
        st.floats(0, 8),  # seconds until the next delivery
        st.booleans(),  # whether the worker looks before it
    ),
    max_size=30,
)


def _play(house, deliveries):
    """Deliver everything, and return the bodies, the answers and when each came."""
    came = []
    for kind, subject, edit, pause, worker_looks in deliveries:
        if worker_looks:
            house.work()
        body = house.body(kind, subject, edit=edit)
        came.append((house.clock.now(), kind, subject, body, house.receive(body)))
        house.clock.move(pause)
    return came


@given(deliveries=DELIVERIES)
def test_every_distinct_event_has_its_effect(make_house, deliveries):
    """Whatever is repeated, in whatever order and pace: each distinct wanted body is handled exactly once, none is lost."""
    house = make_house()
    came = _play(house, deliveries)
    house.work()
    handled = [(event.kind, event.subject, event.payload["edit"]) for event in house.notes.handled]
    wanted = {body for _, kind, _, body, _ in came if kind != "other"}
    assert len(handled) == len(set(handled)) == len(wanted)
    house.service.close()


@given(deliveries=DELIVERIES)
def test_the_last_event_of_a_burst_is_handled_after_it_came(make_house, deliveries):
    """A worker that looks once at the end sees the newest edit of every subject."""
    house = make_house()
    came = _play(house, [(*delivery[:4], False) for delivery in deliveries])
    assert house.notes.handled == []
    house.work()
    handled = {(event.kind, event.subject, event.payload["edit"]) for event in house.notes.handled}
    newest = {(kind, subject): body for _, kind, subject, body, _ in came if kind != "other"}
    assert {house.body(kind, subject, edit=edit) for kind, subject, edit in handled} >= set(newest.values())
    house.service.close()


@given(deliveries=DELIVERIES)
def test_answers_are_as_documented(make_house, deliveries):
    """``deduped`` says that these bytes came ever before, or a stored event of this key within five seconds; else ``processed``."""
    house = make_house()
    seen, stored = set(), []
    for now, kind, subject, body, receipt in _play(house, deliveries):
        burst = any(key == (kind, subject) and (now - then).total_seconds() <= 5 for then, key in stored)
        expected = ReceiptAction.DEDUPED if body in seen or burst else ReceiptAction.PROCESSED
        assert receipt.action is expected
        if body not in seen:
            stored.append((now, (kind, subject)))
        seen.add(body)
    house.service.close()
