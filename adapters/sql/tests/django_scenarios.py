"""A program: a Django host whose transactions are joined. Prints what became of each scenario as JSON.

Usage: django_scenarios.py FORGE_URL ENGINE NAME [HOST PORT USER]
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import django
from django.conf import settings

URL, ENGINE, NAME, OTHER, *SERVER = sys.argv[1:]
ADDRESS = dict(zip(("HOST", "PORT", "USER"), SERVER, strict=False))
settings.configure(
    USE_TZ=True,
    DATABASES={
        "default": {"ENGINE": f"django.db.backends.{ENGINE}", "NAME": NAME, **ADDRESS},
        "other": {"ENGINE": f"django.db.backends.{ENGINE}", "NAME": OTHER, **ADDRESS},
    },
)
django.setup()

from django.db import connection, connections, transaction  # noqa: E402 - after the settings

from forgekit.errors import Conflict, ForeignConnection, UsageError  # noqa: E402
from forgekit.kernel.clock import SystemClock  # noqa: E402
from forgekit.work.models import Project  # noqa: E402
from forgekit_sql import open_postgresql, open_sqlite  # noqa: E402

storage = (open_sqlite if ENGINE == "sqlite3" else open_postgresql)(URL, SystemClock())


def add_project(storage, tx, key, log):
    """Write as a guest, and log the signal."""
    storage.work(tx).add_project(Project(id=key, key=key, name=key, repository=None, created_at=datetime(2026, 1, 1, tzinfo=UTC)))
    tx.after_commit(lambda: log.append(key))


def keys(storage):
    """Return what the forge has committed."""
    with storage.transaction(write=False) as tx:
        return [project.key for project in storage.work(tx).projects()]


def fail():
    """Break off."""
    raise KeyError


def execute(statement, *parameters):
    """Do something as the host."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def hosted():
    """Return what the host has committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM hosted ORDER BY name")
        return [name for (name,) in cursor.fetchall()]


def commit(log):
    """Commit both."""
    with transaction.atomic():
        execute("INSERT INTO hosted VALUES (%s)", "commit")
        with storage.join(connection) as tx:
            add_project(storage, tx, "commit", log)
        execute("INSERT INTO hosted VALUES (%s)", "commit-2")
        return {"signals_inside": list(log)}


def rollback(log):
    """Fail after the joined block."""
    try:
        with transaction.atomic():
            execute("INSERT INTO hosted VALUES (%s)", "rollback")
            with storage.join(connection) as tx:
                add_project(storage, tx, "rollback", log)
            fail()
    except KeyError:
        return {}


def inner_rollback(log):
    """Fail in an inner atomic block."""
    with transaction.atomic():
        execute("INSERT INTO hosted VALUES (%s)", "outer")
        try:
            with transaction.atomic(), storage.join(connection) as tx:
                add_project(storage, tx, "inner", log)
                fail()
        except KeyError:
            return {}


def failing_block(log):
    """Fail in the joined block, and go on."""
    with transaction.atomic():
        execute("INSERT INTO hosted VALUES (%s)", "before")
        try:
            with storage.join(connection) as tx:
                add_project(storage, tx, "failing", log)
                add_project(storage, tx, "failing", log)
        except Conflict:
            execute("INSERT INTO hosted VALUES (%s)", "after")
    return {}


def refused(join):
    """Tell how a join is refused."""
    try:
        join()
    except UsageError as error:
        return {"error": type(error).__name__, "message": error.message}
    return {"error": None}


def outside(_log):
    """Join without a transaction."""
    return refused(lambda: storage.join(connection).__enter__())


def elsewhere(_log):
    """Join another database's transaction."""
    with transaction.atomic(using="other"):
        return refused(lambda: storage.join(connections["other"]).__enter__())


def unchanged(log):
    """Look at the connection before and after."""

    def look():
        names = ("isolation_level", "row_factory", "text_factory", "autocommit", "cursor_factory", "prepare_threshold")
        return [repr(getattr(connection.connection, name, None)) for name in names]

    connection.ensure_connection()
    with transaction.atomic():
        before = look()
        with storage.join(connection) as tx:
            add_project(storage, tx, "unchanged", log)
        same = before == look() and connection.in_atomic_block
    return {"same": same, "ForeignConnection": issubclass(ForeignConnection, UsageError)}


def run(scenario):
    """Run a scenario and tell what is left."""
    log = []
    told = scenario(log)
    return {**told, "signals": log, "hosted": hosted(), "keys": keys(storage)}


execute("CREATE TABLE hosted (name TEXT)")
print(
    json.dumps(
        {scenario.__name__: run(scenario) for scenario in (commit, rollback, inner_rollback, failing_block, outside, elsewhere, unchanged)}
    )
)
storage.close()
connections.close_all()
