from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from datetime import timedelta

import pytest

from forgekit import errors
from forgekit.kernel.events.models import Handler
from forgekit.kernel.storage.transaction import counted_write
from forgekit.testing.signing import PayloadSigner
from forgekit.webhooks import ReceiptAction, SigningSecret, WebhookReceived


def test_a_wanted_webhook_is_stored_then_handled(house):
    """An authentic event is a row before it is answered, and its effect comes with the worker."""
    receipt = house.receive(house.body())
    assert receipt.action is ReceiptAction.PROCESSED
    assert house.storage.rows[receipt.id - 1].state == "ready"
    assert house.wakes == 1
    house.work()
    assert [event.subject for event in house.notes.handled] == ["1"]


def test_the_same_bytes_are_refused_for_ever(house):
    """However much later the same bytes come again, they are a duplicate and stored once."""
    first = house.receive(house.body())
    house.clock.move(90 * 86_400)
    again = house.receive(house.body())
    assert (again.action, again.id) == (ReceiptAction.DEDUPED, first.id)
    assert len(house.storage.rows) == 1


def test_a_burst_is_answered_deduped_and_loses_nothing(house):
    """A second, different edit within five seconds is stored and handled all the same."""
    house.receive(house.body(title="first"))
    house.clock.move(5)
    second = house.receive(house.body(title="second"))
    assert second.action is ReceiptAction.DEDUPED
    house.work()
    assert [event.payload["title"] for event in house.notes.handled] == ["first", "second"]


def test_after_the_burst_an_event_is_new(house):
    """More than five seconds after the last event of its key, an event is answered as a new one."""
    house.receive(house.body(title="first"))
    house.clock.move(5.001)
    assert house.receive(house.body(title="second")).action is ReceiptAction.PROCESSED


def test_events_without_a_subject_are_no_burst(house):
    """Two events that name nothing are not taken for one."""
    house.receive(house.body(subject="", n=1))
    assert house.receive(house.body(subject="", n=2)).action is ReceiptAction.PROCESSED


def test_without_an_active_cycle_the_row_still_waits(house):
    """The answer says that there is nothing to import into; the handler decides anew, on fresh data."""
    house.notes.active = False
    receipt = house.receive(house.body())
    assert receipt.action is ReceiptAction.NO_ACTIVE_CYCLE
    assert house.storage.rows[receipt.id - 1].state == "ready"


def test_an_event_that_nobody_wants_is_kept_as_done(house):
    """It is stored, answered processed, and has no effect."""
    receipt = house.receive(house.body(kind="other"))
    assert receipt.action is ReceiptAction.PROCESSED
    assert house.storage.rows[receipt.id - 1].state == "done"
    assert house.wakes == 0


def test_unconfigured_is_an_error_that_can_be_replayed(house):
    """Without configuration the event is kept and answered error; once configured it can be replayed."""
    house.notes.configured = False
    receipt = house.receive(house.body())
    assert receipt.action is ReceiptAction.ERROR
    house.work()
    assert house.notes.handled == []
    house.service.replay(receipt.id)
    house.work()
    assert len(house.notes.handled) == 1


def test_a_body_over_the_limit_is_refused_unread(make_house):
    """Size is checked before the signature, and the limit itself is still allowed."""
    house = make_house(max_body=100)
    with pytest.raises(errors.PayloadTooLarge):
        house.service.submit("notes", {}, b"x" * 101)
    with pytest.raises(errors.SignatureMissing):
        house.service.submit("notes", {}, b"x" * 100)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b'{"kind": null}', b'{"kind": ["a"]}', b"\xff", b"[" * 100_000])
def test_an_authentic_body_of_the_wrong_shape_is_malformed(house, body):
    """Whatever bytes were signed, they are read or refused, with one error."""
    with pytest.raises(errors.PayloadMalformed):
        house.service.submit("notes", house.headers(body), body)


def test_a_refusal_leaves_a_counter_and_an_audit_line(house, caplog):
    """A forged webhook leaves no row, and nothing of what it held."""
    with caplog.at_level(logging.WARNING, "forgekit.audit"), pytest.raises(errors.SignatureInvalid):
        house.service.submit("notes", {"X-Plane-Signature": "f" * 64}, b'{"evil": 1}')
    assert house.service.statistics("notes").rejected == 1
    assert house.storage.rows == []
    assert [record.message for record in caplog.records] == [
        "a webhook of notes was refused: signature_invalid (0 more since the last such line)"
    ]


def test_a_flood_of_refusals_is_one_audit_line_a_second(house, caplog):
    """Every refusal is counted; the log gets one line a second, which tells how many it left out."""
    for seconds in [0.0, 0.1, 0.8, 0.1]:
        house.clock.move(seconds)
        with caplog.at_level(logging.WARNING, "forgekit.audit"), pytest.raises(errors.SignatureMissing):
            house.service.submit("notes", {}, b"{}")
    assert house.service.statistics("notes").rejected == 4
    assert [record.args[2] for record in caplog.records] == [0, 2]


def test_without_a_secret_only_local_peers_are_believed(house):
    """With no secret configured, a peer on this machine is accepted and any other is not."""
    house.notes.secrets = ()
    body = house.body()
    with pytest.raises(errors.SignatureMissing):
        house.service.submit("notes", {}, body)
    receipt = house.service.receive("notes", {"x-plane-event": "issue"}, body, trusted_peer=True)
    assert receipt.action is ReceiptAction.PROCESSED
    assert house.storage.rows[0].arrival.event == "issue"


def test_a_local_peer_does_not_replace_a_signature(house):
    """Where a secret is configured, being local is not enough."""
    with pytest.raises(errors.SignatureMissing):
        house.service.submit("notes", {}, house.body(), trusted_peer=True)


def test_a_new_secret_counts_at_once(house, make_house):
    """The verifier follows the configuration, not the first one it saw."""
    house.receive(house.body())
    house.notes.secrets = tuple(type(secret)(id=secret.id, value="another") for secret in house.notes.secrets)
    with pytest.raises(errors.SignatureInvalid):
        house.receive(house.body(n=2))


def test_an_unknown_provider_is_a_clear_error(house):
    """A name that nobody offers is told from a bad signature."""
    with pytest.raises(errors.UnknownPlugin):
        house.service.submit("nobody", {}, b"{}")


def test_verify_stores_and_counts_nothing(house):
    """It is a question: no row, no counter."""
    body = house.body()
    assert house.service.verify("notes", house.headers(body), body).json()["subject"] == "1"
    with pytest.raises(errors.SignatureMissing):
        house.service.verify("notes", {}, body)
    assert house.storage.rows == []
    assert house.service.statistics("notes").rejected == 0


def test_a_signal_tells_of_each_stored_webhook(house):
    """``WebhookReceived`` comes once for each row, never for a duplicate."""
    seen = []
    house.signals.on(WebhookReceived, seen.append)
    for _ in range(2):
        receipt = house.receive(house.body())
    assert seen == [WebhookReceived(provider="notes", kind="issue", inbox_id=receipt.id)]


def test_a_durable_handler_gets_a_row_with_the_webhook(house):
    """What must happen because of a webhook is an outbox row of the same transaction, one for each stored webhook."""
    house.recorder.register([Handler(name="tests.notice", event=WebhookReceived, run=lambda event, tx: None)])
    for _ in range(2):
        receipt = house.receive(house.body())
    (row,) = house.storage.outbox
    assert (row.handler, row.payload["inbox_id"]) == ("tests.notice", receipt.id)


def test_a_stored_webhook_can_be_read_again(house):
    """``event`` gives the one form, from the bytes that came, until retention takes them."""
    receipt = house.receive(house.body(kind="other"))
    assert house.service.event(receipt.id).kind == "other"
    house.clock.move(31 * 86_400)
    house.service.purge()
    for inbox_id in (receipt.id, receipt.id + 1):
        with pytest.raises(errors.NotFound):
            house.service.event(inbox_id)


def test_received_inside_a_transaction_shares_its_fate(house):
    """Given a transaction, the webhook is stored in it, and gone with it."""
    body = house.body()
    with suppress(ZeroDivisionError), house.storage.transaction() as tx:
        assert house.service.receive("notes", house.headers(body), body, tx=tx).action is ReceiptAction.PROCESSED
        raise ZeroDivisionError
    assert house.storage.rows == []
    assert house.wakes == 0
    assert house.receive(body).action is ReceiptAction.PROCESSED


def test_an_awaited_receipt_is_the_same(house):
    """The Future of ``submit`` can be awaited, and holds what ``receive`` returns."""
    body = house.body()

    async def main():
        return await house.service.submit("notes", house.headers(body), body)

    assert asyncio.run(main()).action is ReceiptAction.PROCESSED


def test_a_row_that_the_database_refuses_is_answered_error(house, caplog):
    """The bad row is answered error, the log names no content, and the next one is stored."""

    def refuse(rows):
        if any(b"bad" in row.arrival.body for row in rows):
            raise ValueError(rows)

    house.storage.before_commit = refuse
    assert house.receive(house.body(n="bad")).action is ReceiptAction.ERROR
    assert house.receive(house.body(n="good")).action is ReceiptAction.PROCESSED
    assert [record.message for record in caplog.records] == ["a webhook of notes could not be stored: ValueError"]


def test_a_storage_that_is_away_is_an_error_not_an_answer(house):
    """Nothing stored means nothing promised: the sender hears that it failed and may come again."""

    def away(rows):
        raise errors.StorageBusy(retry_after=1)

    house.storage.before_commit = away
    with pytest.raises(errors.StorageBusy):
        house.receive(house.body())


def test_a_duplicate_of_a_failed_webhook_is_due_again(house):
    """What a handler gave up is taken up again when the sender redelivers it."""
    receipt = house.receive(house.body())
    house.storage.rows[receipt.id - 1].state = "failed"
    assert house.receive(house.body()).action is ReceiptAction.DEDUPED
    house.work()
    assert len(house.notes.handled) == 1


def test_statistics_count_what_was_stored_refused_and_repeated(house):
    """Each number counts what its name says."""
    for body in [house.body(), house.body(), house.body(n=1), house.body(kind="other")]:
        house.receive(body)
    found = house.service.statistics("notes")
    assert (found.received, found.deduplicated, found.waiting, found.failed) == (3, 1, 2, 0)
    assert found.last_at == house.clock.now()


def test_a_sender_without_an_adapter_is_stored_for_whoever_wants_it(make_house):
    """With a secret of its own and nobody to act on it, a webhook is stored as done, and known again."""
    house = make_house(secrets=lambda: {"github": [SigningSecret(id="github", value="s")]})
    body = b'{"action": "opened"}'
    headers = PayloadSigner("github", "s").sign(body, house.clock.now(), event="issues")
    assert house.service.receive("github", headers, body).action is ReceiptAction.PROCESSED
    assert [row.state for row in house.storage.rows] == ["done"]
    assert house.service.receive("github", headers, body).action is ReceiptAction.DEDUPED
    house.service.close()


def test_a_thread_that_writes_must_hand_its_transaction_over(house):
    """The committer would wait for this thread's own transaction: that is an error, not a standstill."""
    with counted_write(), pytest.raises(errors.NetworkInTransaction):
        house.receive(house.body())


class TestReplay:
    def test_handles_a_stored_webhook_once_more(self, house):
        """A replayed row is handled again, from the bytes that came."""
        receipt = house.receive(house.body())
        house.work()
        house.service.replay(receipt.id)
        house.work()
        assert house.notes.handled[0] == house.notes.handled[1]

    def test_refuses_what_waits_already(self, house):
        """A row that was not handled yet cannot be asked for again."""
        receipt = house.receive(house.body())
        with pytest.raises(errors.Conflict):
            house.service.replay(receipt.id)

    def test_refuses_what_is_not_there(self, house):
        """An unknown row is not found."""
        with pytest.raises(errors.NotFound):
            house.service.replay(17)

    def test_refuses_what_nobody_handles(self, house):
        """A provider without a receiver has nobody to replay to."""
        with pytest.raises(errors.NotConfigured):
            house.service.replay_range("github", since=house.clock.now())

    def test_takes_a_range_by_time_and_state(self, house):
        """The start counts, the end does not, and only the chosen states."""
        for number in range(4):
            house.receive(house.body(n=number))
            house.clock.move(10)
        house.work()
        start = house.clock.now() - timedelta(seconds=30)
        assert house.service.replay_range("notes", since=start, until=start + timedelta(seconds=20), states={"done"}) == 2
        assert house.service.replay_range("notes", since=start, states={"failed"}) == 0
        house.work()
        assert [event.payload["n"] for event in house.notes.handled] == [0, 1, 2, 3, 1, 2]


class TestRetention:
    def test_empties_the_body_and_keeps_the_key(self, house):
        """After thirty days the body is gone, a replay is refused, and the same bytes are still known."""
        receipt = house.receive(house.body())
        house.work()
        house.clock.move(31 * 86_400)
        assert house.service.purge() == 1
        assert house.service.entries("notes")[0].body == b""
        with pytest.raises(errors.Conflict):
            house.service.replay(receipt.id)
        assert house.receive(house.body()).action is ReceiptAction.DEDUPED

    def test_leaves_what_was_not_handled(self, house):
        """A webhook that waits or was given up keeps its body, however old."""
        for number in range(2):
            house.receive(house.body(n=number))
        house.storage.rows[0].state = "failed"
        house.clock.move(365 * 86_400)
        assert house.service.purge() == 0

    def test_runs_daily_in_small_transactions(self, house):
        """The schedule's function empties all that is due, five hundred rows a transaction."""
        for number in range(501):
            house.receive(house.body(kind="other", n=number))
        house.clock.move(31 * 86_400)
        commits = house.storage.commits
        (schedule,) = house.service.schedules()
        assert (schedule.name, schedule.every, schedule.run()) == ("webhooks.retention", timedelta(days=1), None)
        assert house.storage.commits - commits == 2


class TestForgetting:
    @pytest.fixture
    def forgetful(self, make_house):
        """Makes a house whose receiver keeps bodies for a time of its own."""
        houses = []

        def make(keep):
            houses.append(make_house(keep=keep))
            return houses[-1]

        yield make
        for house in houses:
            house.service.close()

    @pytest.mark.parametrize("kind", ["issue", "other"])
    def test_a_body_is_dropped_with_what_ends_its_row(self, forgetful, kind):
        """Where nothing is kept, a handled webhook loses its body in that transaction, one that has no effect when it is stored."""
        house = forgetful(timedelta())
        house.receive(house.body(kind))
        assert bool(house.service.entries("notes")[0].body) is (kind == "issue")
        house.work()
        assert house.service.entries("notes")[0].body == b""
        assert house.receive(house.body(kind)).action is ReceiptAction.DEDUPED

    def test_bodies_are_kept_for_a_time_if_wanted(self, forgetful):
        """Until the time is over a webhook can be replayed."""
        house = forgetful(timedelta(days=2))
        receipt = house.receive(house.body())
        house.work()
        house.clock.move(86_400)
        assert house.service.purge() == 0
        house.service.replay(receipt.id)
        house.work()
        house.clock.move(86_401)
        assert (house.service.purge(), house.service.entries("notes")[0].body) == (1, b"")

    def test_durable_handlers_have_a_day(self, forgetful):
        """Where a durable handler reads what came, bodies stay for a day, whatever the receiver says."""
        house = forgetful(timedelta())
        house.recorder.register([Handler(name="reads", event=WebhookReceived, run=lambda *_: None)])
        house.receive(house.body())
        house.work()
        assert (house.service.purge(), house.service.entries("notes")[0].body) == (0, house.body())
        house.clock.move(86_401)
        assert house.service.purge() == 1


class TestKnownSenders:
    def test_are_believed_without_a_signature(self, house):
        """Who has proved who it is by other means needs no signature, though a secret is configured."""
        with pytest.raises(errors.SignatureMissing):
            house.service.receive("notes", {}, house.body())
        receipt = house.service.receive("notes", {}, house.body(), known_sender=True)
        assert (receipt.action, house.service.submit("notes", {}, house.body(), known_sender=True).result().action) == (
            ReceiptAction.PROCESSED,
            ReceiptAction.DEDUPED,
        )

    def test_are_bounded_all_the_same(self, house):
        """Size and shape are checked of everybody."""
        with pytest.raises(errors.PayloadTooLarge):
            house.service.receive("notes", {}, b" " * 5_000_001, known_sender=True)
        with pytest.raises(errors.PayloadMalformed):
            house.service.receive("notes", {}, b"[]", known_sender=True)


def test_entries_are_newest_first_and_can_be_filtered(house):
    """The newest come first, within the limit, of one state if asked."""
    for number in range(3):
        house.receive(house.body(kind="other" if number == 1 else "issue", n=number))
    assert [json.loads(entry.body)["n"] for entry in house.service.entries("notes", limit=2)] == [2, 1]
    assert [entry.state for entry in house.service.entries("notes", state="done")] == ["done"]


def test_a_closed_service_refuses(house):
    """After the end nothing is accepted that could not be stored."""
    house.receive(house.body())
    house.service.close()
    with pytest.raises(errors.ForgeClosed):
        house.receive(house.body(n=2))
