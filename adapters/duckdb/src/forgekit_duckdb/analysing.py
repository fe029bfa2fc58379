"""From Parquet files to an analysis, computed where the data is."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import attrs
import duckdb

from forgekit.builds import Analysis, BuildRecord, Incident, Question, Scope, Window
from forgekit.builds.analysing import window_of
from forgekit.builds.results import Dora
from forgekit.builds.rules.compatibility import Compat, check_compat, compatible
from forgekit.builds.rules.dora import dora
from forgekit.builds.rules.summary import summarise_facts
from forgekit.errors import InvalidInput
from forgekit_duckdb import _statements as sql
from forgekit_duckdb._facts import facts
from forgekit_duckdb.opening import connect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def analyse_parquet(
    path: str | os.PathLike[str],
    *,
    scope: Scope | None = None,
    since: date | None = None,
    until: date | None = None,
    zone: tzinfo = UTC,
    as_of: datetime | None = None,
    expected: int | None = None,
    environment: str = "production",
    incidents: Collection[Incident] | None = None,
    compat: Compat | None = None,
) -> Analysis:
    """Return what the builds in Parquet files come to: the same as ``forgekit.builds.analyse`` of these builds.

    They are not read into Python. DuckDB keeps what it needs in memory, and what does not fit there in the temporary directory.

    Args:
        path: A Parquet file, or a pattern (``builds/*.parquet``) of several. A build that several tell of counts once.
        scope: Which builds count; None for all.
        since: First UTC day that counts; None for the first with a build.
        until: Last UTC day that counts; None for the last with a build.
        zone: Time zone of the heat map.
        as_of: The moment by which ages are told; None for the latest that any build tells of.
        expected: How many builds the system says there are, for the completeness.
        environment: Which builds' deployments the DORA metrics are about.
        incidents: What deployments broke; None where nobody tells.
        compat: Whose success, failure and error rates are told, as of ``forgekit.builds.analyse``; None for ours.

    Raises:
        InvalidInput: The files cannot be read as builds, or the first day is after the last.

    """
    check_compat(compat)
    asked = {name: value for name, value in attrs.asdict(scope or Scope()).items() if value is not None}
    where = " AND ".join([f'"{name}" = ${name}' for name in asked]) or "true"
    with tempfile.TemporaryDirectory(prefix="forgekit-duckdb-") as spill, connect(path, spill=spill) as connection:
        window = _prepare(connection, where, asked, since, until)

        def ask(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
            return connection.execute(statement, parameters or None).fetchall()

        deployments = ask(sql.DEPLOYMENTS.format(where=where), **asked, environment=environment)
        question = Question(
            window=window,
            zone=zone,
            as_of=as_of,
            extent=_extent(ask(sql.EXTENT)),
            latest=next((_moment(latest) for (latest,) in ask(sql.LATEST) if latest is not None), None),
            expected=expected,
            dora=_dora(deployments, incidents, environment, window),
        )
        return compatible(summarise_facts(facts(ask, window, zone), question), compat)


def _prepare(
    connection: duckdb.DuckDBPyConnection, where: str, asked: dict[str, Any], since: date | None, until: date | None
) -> Window | None:
    """Make the tables that are asked afterwards, and return the days that are told of."""
    _days(connection, 0, date.max.toordinal())
    connection.execute(sql.MACROS)
    try:
        connection.execute(sql.SCOPED.format(where=where), asked)
    except duckdb.ConversionException as error:
        raise InvalidInput(f"Builds cannot be read: {str(error).splitlines()[0]}") from error
    window = _window(connection, since, until)
    if window is not None:
        _days(connection, window.since.toordinal(), window.until.toordinal())
    for statement in (sql.COLOURS, sql.RUNS, sql.COMMITS, sql.JOBS):
        connection.execute(statement)
    return window


def _days(connection: duckdb.DuckDBPyConnection, first: int, last: int) -> None:
    connection.execute(f"SET VARIABLE first_day = {first}; SET VARIABLE last_day = {last}")


def _window(connection: duckdb.DuckDBPyConnection, since: date | None, until: date | None) -> Window | None:
    first, last = connection.execute(sql.DAYS).fetchall()[0]
    return window_of(since, until, (date.fromordinal(first), date.fromordinal(last)) if first is not None else None)


def _extent(rows: list[tuple[Any, ...]]) -> tuple[datetime, datetime] | None:
    first, last = rows[0]
    return (_moment(first), _moment(last)) if first is not None else None


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _dora(rows: list[tuple[Any, ...]], incidents: Collection[Incident] | None, environment: str, window: Window | None) -> Dora | None:
    records = []
    for provider, project, build_id, attempt, status, started, finished, duration, committed in rows:
        record = BuildRecord(
            provider=provider,
            project=project,
            build_id=build_id,
            attempt=attempt,
            status=status,
            started_at=_moment(started) if started is not None else None,
            finished_at=_moment(finished) if finished is not None else None,
            duration_seconds=duration,
            committed_at=_moment(committed) if committed is not None else None,
            environment=environment,
        )
        records.append(record)
    return dora(records, incidents, environment=environment, window=window)
