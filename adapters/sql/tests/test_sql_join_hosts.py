"""Transactions of SQLAlchemy and of bare DBAPI connections are joined."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from forgekit.errors import Conflict, ForeignConnection, NetworkInTransaction, UsageError
from forgekit.kernel.storage.transaction import forbid_network

INSERT = text("INSERT INTO hosted VALUES ('host')")


@pytest.fixture
def engine(url, storage):
    """The host's own engine, to the forge's database."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE hosted (name TEXT)"))
    yield engine
    engine.dispose()


@pytest.fixture
def raw(url, engine):
    """The host's own DBAPI connection, as its driver opens it."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else psycopg.connect(url)
    yield connection
    connection.close()


def _hosted(engine):
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM hosted")).scalar()


class TestSqlalchemyConnection:
    def test_both_commit_together(self, storage, engine, add_project, keys):
        """After the host's commit both rows are there, and then the signal comes."""
        log = []
        with engine.begin() as connection:
            connection.execute(INSERT)
            with storage.join(connection) as tx:
                add_project(storage, tx, "a", log)
            assert not log
        assert (log, keys(storage), _hosted(engine)) == (["a"], ["a"], 1)

    def test_both_roll_back_together(self, storage, engine, add_project, keys):
        """After the host's rollback neither row is there, and no signal comes, then or with the next commit."""
        log = []
        with engine.connect() as connection:
            connection.execute(INSERT)
            with storage.join(connection) as tx:
                add_project(storage, tx, "a", log)
            connection.rollback()
            connection.execute(INSERT)
            connection.commit()
        assert (log, keys(storage), _hosted(engine)) == ([], [], 1)

    def test_signals_find_the_rows_committed(self, storage, engine, add_project, keys):
        """A signal's receiver sees the rows, on a connection of its own, before the host's commit() returns."""
        seen = []
        with engine.connect() as connection:
            connection.begin()
            for key in "ab":
                with storage.join(connection) as tx:
                    add_project(storage, tx, key)
                    tx.after_commit(lambda: seen.append(keys(storage)))
            connection.commit()
            assert seen == [["a", "b"], ["a", "b"]]

    def test_a_savepoint_takes_its_signals_along(self, storage, engine, add_project, keys):
        """What was joined in a savepoint that is rolled back, itself or around it, is announced to nobody."""
        log = []
        with engine.begin() as connection:
            with connection.begin_nested() as savepoint, storage.join(connection) as tx:
                add_project(storage, tx, "own", log)
                tx.after_commit(lambda: log.append("own"))
            assert not savepoint.is_active
            outer = connection.begin_nested()
            with connection.begin_nested(), storage.join(connection) as tx:
                add_project(storage, tx, "within", log)
            outer.rollback()
        assert (log, keys(storage)) == (["own", "own"], ["own"])

    def test_a_rolled_back_savepoint_is_forgotten_alone(self, storage, engine, add_project, keys):
        """Other savepoints of the host are no concern of what was joined before and around them."""
        log = []
        with engine.begin() as connection:
            with storage.join(connection) as tx:
                add_project(storage, tx, "top", log)
            with connection.begin_nested(), storage.join(connection) as tx:
                add_project(storage, tx, "released", log)
            savepoint = connection.begin_nested()
            with storage.join(connection) as tx:
                add_project(storage, tx, "lost", log)
            savepoint.rollback()
        assert (log, keys(storage)) == (["top", "released"], ["released", "top"])

    def test_a_failing_block_leaves_the_host_going(self, storage, engine, add_project, keys):
        """The block is a savepoint: the host may swallow its error and commit what is its own."""
        log = []
        with engine.begin() as connection:
            connection.execute(INSERT)
            with pytest.raises(Conflict), storage.join(connection) as tx:
                add_project(storage, tx, "a", log)
                add_project(storage, tx, "a", log)
            connection.execute(INSERT)
        assert (log, keys(storage), _hosted(engine)) == ([], [], 2)

    def test_no_transaction_is_refused(self, storage, engine):
        """A connection on which nothing has begun has nothing to join."""
        with engine.connect() as connection, pytest.raises(UsageError, match="begin one"), storage.join(connection):
            pass

    def test_autocommit_is_refused(self, storage, engine):
        """A connection that commits each statement by itself has nothing to join."""
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(INSERT)
            with pytest.raises(UsageError, match="by itself"), storage.join(connection):
                pass

    def test_a_hosts_own_listener_still_works(self, storage, engine, add_project):
        """What the host writes in its own listener to the commit is committed too."""
        with engine.connect() as connection:
            event.listen(connection, "commit", lambda conn: conn.execute(INSERT))
            connection.begin()
            with storage.join(connection) as tx:
                add_project(storage, tx, "a")
            event.listen(connection, "commit", lambda conn: conn.execute(INSERT))
            connection.commit()
        assert _hosted(engine) == 2

    def test_a_commit_that_fails_is_sqlalchemys_error(self, storage, engine, add_project):
        """The host sees the error that it knows, and no signal comes."""
        log = []
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
            connection.execute(
                text("CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"),
            )
        with pytest.raises(IntegrityError), engine.connect() as connection:
            if engine.name == "sqlite":
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.execute(text("INSERT INTO children VALUES (1)"))
            with storage.join(connection) as tx:
                add_project(storage, tx, "a", log)
            connection.commit()
        assert not log


class TestSqlalchemySession:
    def test_a_session_is_joined(self, storage, engine, add_project, keys):
        """A session's transaction is its connection's."""
        log = []
        with Session(engine) as session, session.begin():
            session.execute(INSERT)
            with storage.join(session) as tx:
                add_project(storage, tx, "a", log)
        assert (log, keys(storage), _hosted(engine)) == (["a"], ["a"], 1)

    def test_a_scoped_session_is_joined(self, storage, engine, add_project, keys):
        """The registry of sessions that web frameworks use stands for the present one."""
        log = []
        sessions = scoped_session(sessionmaker(engine))
        sessions.execute(INSERT)
        with storage.join(sessions) as tx:
            add_project(storage, tx, "a", log)
        sessions.rollback()
        sessions.remove()
        assert (log, keys(storage)) == ([], [])

    def test_a_session_without_a_transaction_is_refused(self, storage, engine):
        """A session on which nothing has begun has nothing to join."""
        with Session(engine) as session, pytest.raises(UsageError, match="begin one"), storage.join(session):
            pass


class TestDbapiConnection:
    def test_the_host_commits(self, storage, raw, engine, add_project, keys):
        """The forge's rows come with the host's commit, and the signal through the callback that the host was given."""
        log, callbacks = [], []
        raw.execute("INSERT INTO hosted VALUES ('host')")
        with storage.join(raw, on_commit=callbacks.append) as tx:
            add_project(storage, tx, "a", log)
        assert keys(storage) == []
        raw.commit()
        assert not log
        callbacks[0]()
        assert (log, keys(storage), _hosted(engine)) == (["a"], ["a"], 1)

    def test_the_host_rolls_back(self, storage, raw, add_project, keys):
        """The forge's rows go with the host's rollback."""
        raw.execute("INSERT INTO hosted VALUES ('host')")
        with storage.join(raw) as tx:
            add_project(storage, tx, "a")
        raw.rollback()
        assert not keys(storage)

    def test_a_fresh_connection_is_joined(self, storage, raw, add_project, keys):
        """A driver that opens transactions by itself has one to join before its first statement too."""
        with storage.join(raw) as tx:
            add_project(storage, tx, "a")
        raw.rollback()
        assert not keys(storage)
        with storage.join(raw) as tx:
            add_project(storage, tx, "a")
        raw.commit()
        assert keys(storage) == ["a"]

    def test_rows_are_read_whatever_the_hosts_factories(self, storage, raw, add_project):
        """A host that wants its rows as dicts, or its text as bytes, keeps that, and the forge reads its own all the same."""
        factory = sqlite3.Row if isinstance(raw, sqlite3.Connection) else psycopg.rows.dict_row
        raw.row_factory = factory
        if isinstance(raw, sqlite3.Connection):
            raw.text_factory = bytes
        with storage.join(raw) as tx:
            add_project(storage, tx, "a")
            assert storage.work(tx).project("a").key == "a"
        assert raw.row_factory is factory
        assert getattr(raw, "text_factory", bytes) is bytes
        raw.rollback()

    def test_a_guest_cannot_end_the_hosts_transaction(self, storage, raw, add_project, keys):
        """Commit, rollback and close of the lent connection do nothing."""
        with storage.join(raw) as tx:
            add_project(storage, tx, "a")
            lent = tx.connection.connection.dbapi_connection
            lent.commit()
            lent.rollback()
            lent.close()
            lent.autocommit = True
            assert storage.work(tx).project("a")
        assert not keys(storage)
        raw.commit()
        assert keys(storage) == ["a"]

    def test_a_strange_object_is_refused(self, storage):
        """What is no connection is named as what it is."""
        with pytest.raises(ForeignConnection, match="dict"), storage.join({}):
            pass

    def test_joining_counts_as_writing(self, storage, raw):
        """Within the block nobody leaves the process, and no second write transaction is opened on the thread."""
        with storage.join(raw):
            with pytest.raises(NetworkInTransaction):
                forbid_network()
            with pytest.raises(UsageError, match="tx="), storage.transaction():
                pass
        raw.rollback()
        forbid_network()


class TestOtherDatabases:
    def test_another_sqlite_file_is_refused(self, tmp_path, storage):
        """A file that is not the forge's, a database in memory, and another database's driver are refused."""
        for path in (tmp_path / "other.db", ":memory:"):
            connection = sqlite3.connect(path)
            with pytest.raises(ForeignConnection, match=r"(?i)this forge"), storage.join(connection):
                pass
            connection.close()

    def test_another_postgresql_database_is_refused(self, require_postgresql, storage):
        """Another database of the same server is refused."""
        with psycopg.connect(require_postgresql) as connection:
            with pytest.raises(ForeignConnection, match=r"(?i)this forge"), storage.join(connection):
                pass
            connection.rollback()

    def test_a_failed_postgresql_transaction_is_refused(self, emptied_postgresql_url, open_storage):
        """A transaction that can only be rolled back cannot be joined."""
        with open_storage(emptied_postgresql_url) as storage, psycopg.connect(emptied_postgresql_url) as connection:
            with pytest.raises(psycopg.Error):
                connection.execute("SELECT * FROM nowhere")
            with pytest.raises(UsageError, match="failed already"), storage.join(connection):
                pass

    def test_a_symbolic_link_is_the_same_file(self, tmp_path, add_project, keys, open_storage):
        """Two names of one file are one database."""
        with open_storage(f"sqlite:///{tmp_path}/forge.db") as storage:
            (tmp_path / "link.db").symlink_to(tmp_path / "forge.db")
            connection = sqlite3.connect(tmp_path / "link.db")
            with storage.join(connection) as tx:
                add_project(storage, tx, "a")
            connection.commit()
            connection.close()
            assert keys(storage) == ["a"]
