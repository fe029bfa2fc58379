from __future__ import annotations

from contextlib import contextmanager

import attrs
import pytest

from forgekit.kernel.secrets import Sealer
from forgekit.kernel.settings import Settings
from forgekit.kernel.storage.transaction import Transaction, counted_write


class Rows:
    """A storage of settings in memory, with commit and rollback, that counts how often it is asked."""

    def __init__(self):
        self.rows = {}
        self.transactions = 0

    @contextmanager
    def transaction(self, *, write=True):
        self.transactions += 1
        before = dict(self.rows)
        tx = Transaction(self, writes=write)
        try:
            with counted_write():
                yield tx
        except BaseException:
            self.rows = before
            tx.close()
            raise
        tx.close()()

    def settings(self, tx):
        tx.check()
        return self

    def read(self, namespace):
        return [row for row in self.rows.values() if row.namespace == namespace]

    def write(self, settings):
        self.rows.update({(row.namespace, row.name): row for row in settings})

    def remove(self, namespace, names):
        for name in names:
            self.rows.pop((namespace, name), None)

    def sealed(self, *, not_with, limit):
        rows = [self.rows[key] for key in sorted(self.rows)]
        return [row for row in rows if row.sealed and row.value.split(".")[1] != not_with][:limit]


class Seconds:
    """A clock of plain seconds that a test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@attrs.define
class Rig:
    """One storage, and as many services on it as a test likes."""

    rows: Rows = attrs.field(factory=Rows)
    seconds: Seconds = attrs.field(factory=Seconds)
    environ: dict = attrs.field(factory=dict)

    def service(self, *, explicit=None, keys=("k1",), store=True):
        pairs = [(kid, kid.encode().ljust(32)) for kid in keys]
        return Settings(
            self.rows if store else None, sealer=lambda: Sealer(pairs), explicit=explicit, environ=self.environ, monotonic=self.seconds
        )


@pytest.fixture
def rig():
    """A storage in memory, a clock and an environment."""
    return Rig()
