"""Both databases keep what every storage promises."""

from __future__ import annotations

from contextlib import closing

import pytest

from forgekit.testing.storage import StorageContract
from forgekit_sql import open_postgresql, open_sqlite


class TestSqliteFile(StorageContract):
    @pytest.fixture
    def storage(self, clock, tmp_path):
        with closing(open_sqlite(f"sqlite:///{tmp_path}/forge.db", clock)) as storage:
            yield storage


class TestSqliteInMemory(StorageContract):
    @pytest.fixture
    def storage(self, clock):
        with closing(open_sqlite("sqlite://", clock)) as storage:
            yield storage


class TestPostgresql(StorageContract):
    @pytest.fixture
    def storage(self, clock, emptied_postgresql_url):
        with closing(open_postgresql(emptied_postgresql_url, clock)) as storage:
            yield storage
