"""The schema's history."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, make_url, text

import forgekit_sql.migrations
from forgekit.errors import SchemaNewer, SchemaStale, StorageError
from forgekit_sql import SqlStorage, open_postgresql, open_sqlite
from forgekit_sql.migrations import REVISIONS, VERSION_TABLE, Migrations
from forgekit_sql.postgresql import Postgresql
from forgekit_sql.sqlite import Sqlite
from forgekit_sql.tables import metadata

HOME = Path(forgekit_sql.migrations.__file__).parent
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{down_revision}"

def upgrade():
    {body}
"""
NEXT_REVISION = "9999"
RECREATE = """
    with op.batch_alter_table("forgekit_projects", recreate="auto") as batch:
        batch.add_column(sa.Column("colour", sa.Text(), nullable=False, server_default="red"))
        batch.alter_column("name", type_=sa.String(500))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """A database of each kind without any table."""
    if request.param == "sqlite":
        database = Sqlite(make_url(f"sqlite:///{tmp_path}/new.db"))
    else:
        database = Postgresql(make_url(request.getfixturevalue("postgresql_url")))
    yield database
    database.close()


@pytest.fixture
def with_next(tmp_path):
    """Makes a history with one more revision of the given body."""

    def with_next(body):
        home = tmp_path / "migrations"
        shutil.copytree(HOME, home)
        text = NEXT.format(body=body, revision=NEXT_REVISION, down_revision=REVISIONS[-1])
        (home / "versions" / f"{NEXT_REVISION}_next.py").write_text(text)
        return Migrations(str(home), (*REVISIONS, NEXT_REVISION))

    return with_next


def _set_revision(database, revision):
    with database.begin(write=True) as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = :revision"), {"revision": revision})


def test_migrations_make_the_schema_of_this_code(database):
    """The history leads to exactly the tables that the repositories use."""
    Migrations().upgrade(database)
    options = {"compare_server_default": True, "include_name": lambda name, kind, _parents: kind != "table" or name != VERSION_TABLE}
    with database.begin(write=False) as connection:
        assert not compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def test_the_list_of_revisions_is_alembics():
    """The names that are kept without Alembic are those that Alembic finds, in one line."""
    config = Config()
    config.set_main_option("script_location", "forgekit_sql:migrations")
    config.set_main_option("path_separator", "os")
    found = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(revision.revision for revision in found)[::-1] == REVISIONS


def test_an_upgrade_tells_what_it_applied(database, clock):
    """The first upgrade applies everything, the second nothing."""
    storage = SqlStorage(database, clock)
    assert storage.upgrade() == REVISIONS
    assert storage.upgrade() == ()
    storage.check_schema()


def test_a_database_without_tables_is_stale(database, clock):
    """What was never upgraded is refused, and told what is missing."""
    with pytest.raises(SchemaStale) as caught:
        SqlStorage(database, clock).check_schema()
    assert caught.value.data["missing"] == list(REVISIONS)


def test_an_older_schema_is_stale(database, clock, with_next):
    """What this code's predecessor made is refused until it is upgraded."""
    Migrations().upgrade(database)
    storage = SqlStorage(database, clock, with_next("pass"))
    with pytest.raises(SchemaStale):
        storage.check_schema()
    assert storage.upgrade() == (NEXT_REVISION,)
    storage.check_schema()


def test_a_newer_schema_is_refused(database, clock):
    """A database that a later version has changed is left alone."""
    storage = SqlStorage(database, clock)
    storage.upgrade()
    _set_revision(database, "9999")
    for refused in (storage.check_schema, storage.upgrade):
        with pytest.raises(SchemaNewer) as caught:
            refused()
        assert caught.value.data == {"revision": "9999"}


def test_a_filled_database_keeps_its_rows(database, clock, with_next, add_project):
    """Changing a table that others refer to loses no row of either, and references are still watched over afterwards."""
    storage = SqlStorage(database, clock, with_next(RECREATE))
    Migrations().upgrade(database)
    with storage.transaction() as tx:
        add_project(storage, tx, "shop")
        tx.connection.execute(
            text("INSERT INTO forgekit_sprints (id, project_id, name, goal, state, created_at) VALUES ('s', 'shop', '', '', '', 0)")
        )
    assert storage.upgrade() == (NEXT_REVISION,)
    with storage.transaction() as tx:
        assert storage.work(tx).project("shop").name == "shop"
        assert tx.connection.execute(text("SELECT colour FROM forgekit_projects")).scalar() == "red"
        assert tx.connection.execute(text("SELECT count(*) FROM forgekit_sprints")).scalar() == 1
    with pytest.raises(StorageError.__base__, match="refers"), storage.transaction() as tx:
        tx.connection.execute(text("DELETE FROM forgekit_projects"))


def test_a_migration_that_fails_leaves_nothing(database, clock, with_next):
    """All of an upgrade is applied, or nothing of it."""
    Migrations().upgrade(database)
    storage = SqlStorage(database, clock, with_next("op.create_table('extra', sa.Column('x', sa.Text())); raise KeyError('broken')"))
    with pytest.raises(KeyError):
        storage.upgrade()
    with pytest.raises(SchemaStale):
        storage.check_schema()
    with database.begin(write=False) as connection:
        assert not inspect(connection).has_table("extra")


def test_a_migration_that_breaks_references_is_refused(tmp_path, clock, with_next, add_project):
    """On SQLite nobody watches over references during a migration, so they are checked before its commit."""
    database = Sqlite(make_url(f"sqlite:///{tmp_path}/new.db"))
    storage = SqlStorage(database, clock, with_next("op.execute('DELETE FROM forgekit_projects')"))
    Migrations().upgrade(database)
    with storage.transaction() as tx:
        add_project(storage, tx, "shop")
        tx.connection.execute(
            text("INSERT INTO forgekit_sprints (id, project_id, name, goal, state, created_at) VALUES ('s', 'shop', '', '', '', 0)")
        )
    with pytest.raises(StorageError, match="forgekit_sprints"):
        storage.upgrade()
    with storage.transaction(write=False) as tx:
        assert storage.work(tx).project("shop")
    storage.close()


def test_everything_can_be_taken_away(database):
    """The way back from the first revision leaves no table of ours."""
    Migrations().upgrade(database)
    from alembic import command

    with database.migrating() as connection:
        config = Config(attributes={"connection": connection, "version_table": VERSION_TABLE})
        config.set_main_option("script_location", "forgekit_sql:migrations")
        config.set_main_option("path_separator", "os")
        command.downgrade(config, "base")
    with database.begin(write=False) as connection:
        assert [name for name in inspect(connection).get_table_names() if name.startswith("forgekit")] == [VERSION_TABLE]


UPGRADE = """
import sys
from forgekit.kernel.clock import SystemClock
from forgekit_sql import SqlStorage
from forgekit_sql.{module} import {kind}
from sqlalchemy import make_url
storage = SqlStorage({kind}(make_url(sys.argv[1])), SystemClock())
print(len(storage.upgrade()))
storage.close()
"""


def test_processes_may_upgrade_at_once(database, tmp_path, request):
    """Of several processes that find an old schema one upgrades it, and the others wait for it."""
    if isinstance(database, Sqlite):
        program, url = UPGRADE.format(module="sqlite", kind="Sqlite"), f"sqlite:///{tmp_path}/new.db"
    else:
        program, url = UPGRADE.format(module="postgresql", kind="Postgresql"), request.getfixturevalue("postgresql_url")

    def upgrade(_number):
        return subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, timeout=300, check=False)

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(upgrade, range(3)))
    assert [process.stderr for process in done] == ["", "", ""]
    assert sorted(int(process.stdout) for process in done) == [0, 0, len(REVISIONS)]


def test_opening_sqlite_upgrades(tmp_path, clock):
    """An embedded database is brought up to date when it is opened."""
    for _ in range(2):
        storage = open_sqlite(f"sqlite:///{tmp_path}/forge.db", clock)
        storage.check_schema()
        assert list(storage.upgrade()) == []
        storage.close()


def test_opening_postgresql_does_not_upgrade(postgresql_url, clock):
    """A server's database is upgraded by whoever operates it."""
    storage = open_postgresql(postgresql_url, clock)
    with pytest.raises(SchemaStale):
        storage.check_schema()
    storage.close()


def test_opening_a_newer_sqlite_file_closes_it(tmp_path, clock):
    """A file that cannot be used is refused when it is opened, and let go."""
    url = f"sqlite:///{tmp_path}/forge.db"
    open_sqlite(url, clock).close()
    database = Sqlite(make_url(url))
    _set_revision(database, "9999")
    database.close()
    with pytest.raises(SchemaNewer):
        open_sqlite(url, clock)


def test_an_up_to_date_database_opens_without_alembic(tmp_path):
    """Alembic is loaded only where there is something to upgrade."""
    program = f"""
import sys
from forgekit.kernel.clock import SystemClock
from forgekit_sql import open_sqlite
open_sqlite("sqlite:///{tmp_path}/forge.db", SystemClock()).close()
print("alembic" in sys.modules)
"""
    told = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)]
    assert told == ["True", "False"]
