from __future__ import annotations

import pytest

from forgekit.errors import NetworkInTransaction, TransactionOver, UsageError
from forgekit.kernel.storage.transaction import Transaction, counted_write, forbid_network
from forgekit.kernel.storage.units import reading, writing


def test_callbacks_run_in_order_and_apart(caplog):
    """A failing callback is logged and keeps no other from running."""
    seen = []
    tx = Transaction(None, writes=True)
    tx.after_commit(lambda: seen.append(1))
    tx.after_commit(lambda: 1 / 0)
    tx.after_commit(lambda: seen.append(2))
    tx.close()()
    assert seen == [1, 2]
    assert "an after-commit callback failed" in caplog.text


def test_an_ended_transaction_takes_no_callback():
    """A callback that nobody would call is refused."""
    tx = Transaction(None, writes=True)
    tx.close()
    with pytest.raises(TransactionOver):
        tx.after_commit(print)


def test_the_network_is_forbidden_while_a_write_is_open():
    """Only the outermost write's end lifts it."""
    forbid_network()
    with counted_write():
        with counted_write(), pytest.raises(NetworkInTransaction):
            forbid_network()
        with pytest.raises(NetworkInTransaction):
            forbid_network()
    forbid_network()


def test_a_reading_transaction_cannot_write():
    """Using it for a write is refused; reading in it is fine."""
    tx = Transaction(None, writes=False)
    with reading(None, tx) as same:
        assert same is tx
    with pytest.raises(UsageError), writing(None, tx):
        pass
