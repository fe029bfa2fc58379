"""The fold's metrics are those that SQLite finds with window functions."""

from __future__ import annotations

import sqlite3

import pytest

from forgekit.builds import analyse

EPOCH = 719_163  # date.toordinal of 1970-01-01
TABLES = """
CREATE TABLE builds (id INTEGER PRIMARY KEY, provider TEXT, project TEXT, build TEXT, attempt INT, status TEXT, branch TEXT, workflow TEXT,
    sha TEXT, language TEXT, queued INT, started INT, ended INT, took INT, run INT, failed INT,
    UNIQUE (provider, project, build, attempt) ON CONFLICT IGNORE);
CREATE TABLE jobs (id INT, project TEXT, name TEXT, status TEXT, began INT, ended INT);
CREATE VIEW finished AS SELECT *, status IN ('failed', 'errored', 'timed_out') AS broken,
    status IN ('passed', 'failed', 'errored', 'timed_out') AS counted FROM builds WHERE status NOT IN ('running', 'queued');
CREATE VIEW points AS SELECT *, ROW_NUMBER() OVER (PARTITION BY project, branch, workflow ORDER BY ended, started, provider, build, attempt)
    AS place FROM finished WHERE ended IS NOT NULL AND started IS NOT NULL;
CREATE VIEW coloured AS SELECT *, LAG(broken) OVER line AS before, LAG(ended) OVER line AS last FROM points WHERE counted
    WINDOW line AS (PARTITION BY project, branch, workflow ORDER BY place);
CREATE VIEW turns AS SELECT *, LEAD(ended) OVER (PARTITION BY project, branch, workflow ORDER BY place) AS closed
    FROM coloured WHERE before IS NULL OR before <> broken;
CREATE VIEW verdicts AS SELECT *, started - LAG(started) OVER (PARTITION BY project, workflow, sha ORDER BY started) AS gap
    FROM finished WHERE status IN ('passed', 'failed') AND sha IS NOT NULL AND started IS NOT NULL;
CREATE VIEW episodes AS SELECT *, SUM(gap IS NULL OR gap > 14 * 86400000) OVER (PARTITION BY project, workflow, sha ORDER BY started
    RANGE UNBOUNDED PRECEDING) AS episode FROM verdicts;
CREATE VIEW attempts AS SELECT *, LAG(broken) OVER run AS after, LEAD(attempt) OVER run AS later
    FROM finished WINDOW run AS (PARTITION BY provider, project, build ORDER BY attempt);
"""


def _ms(moment):
    return None if moment is None else round(moment.timestamp() * 1000)


def _database(records):
    database = sqlite3.connect(":memory:")
    database.executescript(TABLES)
    for number, each in enumerate(records):
        wall = None if each.finished_at is None else _ms(each.finished_at) - _ms(each.started_at)
        took = wall if each.duration_seconds is None else round(each.duration_seconds * 1000)
        ended = _ms(each.finished_at) if each.finished_at or took is None else _ms(each.started_at) + took
        labels = (each.status, each.branch, each.workflow, each.commit, each.language)
        times = (_ms(each.queued_at), _ms(each.started_at), ended, took, each.tests_run, each.tests_failed)
        row = (number, each.provider, each.project, each.build_id, each.attempt, *labels, *times)
        database.execute(f"INSERT INTO builds VALUES ({', '.join('?' * 16)})", row)
        jobs = [(number, each.project, job.name, job.status, _ms(job.started_at), _ms(job.finished_at)) for job in each.jobs]
        database.executemany("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?)", jobs)
    return database


@pytest.fixture(scope="module", params=range(6))
def both(request, history):
    """An analysis of a history, and a function that asks SQLite about the same history."""
    records = history(request.param, 4 * 3**request.param, jobs=True)
    database = _database(records)
    yield analyse(records), lambda statement: database.execute(statement).fetchall()
    database.close()


def _pair(rate):
    return rate.numerator, rate.denominator


def test_rates(both):
    """Rates have the numerators and denominators that SQL counts."""
    found, ask = both
    columns = (
        "COALESCE(SUM(status = 'passed'), 0), COALESCE(SUM(status = 'failed'), 0), COALESCE(SUM(status IN ('errored', 'timed_out')), 0)"
    )
    passed, failed, errored, n = ask(f"SELECT {columns}, COUNT(*) FROM finished WHERE counted")[0]
    assert [_pair(rate) for rate in (found.success, found.failure, found.error)] == [(passed, n), (failed, n), (errored, n)]


def test_statuses_and_languages(both):
    """Statuses and languages are counted alike."""
    found, ask = both
    assert found.status_counts == dict(ask("SELECT status, COUNT(*) FROM builds GROUP BY 1"))
    assert found.language_counts == dict(ask("SELECT language, COUNT(*) FROM builds WHERE language IS NOT NULL GROUP BY 1"))


QUANTILE = """
WITH s AS (SELECT v, ROW_NUMBER() OVER (ORDER BY v) - 1 AS i, COUNT(*) OVER () AS n FROM (SELECT {value} AS v FROM finished WHERE {where})),
     q AS (SELECT (n - 1) * {share} AS h, n FROM s LIMIT 1)
SELECT (SELECT v FROM s WHERE i = CAST(h AS INT)) * (1 - (h - CAST(h AS INT)))
     + (SELECT v FROM s WHERE i = MIN(CAST(h AS INT) + 1, n - 1)) * (h - CAST(h AS INT)) FROM q
"""


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("duration", "took", "counted AND took IS NOT NULL"),
        ("success_duration", "took", "status = 'passed' AND took IS NOT NULL"),
    ],
)
def test_percentiles(both, name, value, where):
    """Percentiles are what SQL interpolates, within the documented error."""
    found, ask = both
    for share in (50, 75, 90, 95, 99):
        rows = ask(QUANTILE.format(value=value, where=where, share=share / 100))
        expected = pytest.approx(rows[0][0] / 1000, rel=0.0005) if rows else None
        assert getattr(getattr(found, name), f"p{share}") == expected


def test_spells(both):
    """Recoveries, green spells and what is red are those of the turns that SQL finds."""
    found, ask = both
    closed = "SELECT COALESCE(SUM(closed - ended), 0) / 1000.0, COUNT(*) FROM turns WHERE closed IS NOT NULL AND broken = "
    assert (found.mttr.total, found.mttr.count) == ask(closed + "1")[0]
    assert (found.mttf.total, found.mttf.count) == ask(closed + "0")[0]
    spells = ask("SELECT project, branch, workflow, ended FROM turns WHERE broken AND closed IS NULL")
    assert {(each.project, each.branch, each.workflow, _ms(each.since)) for each in found.open_spells} == set(spells)


def test_time_in_red(both):
    """Default branches were red for as long as SQL adds up."""
    found, ask = both
    where = "before IS NOT NULL AND (branch IS NULL OR branch IN ('main', 'master', 'trunk'))"
    expected = ask(f"SELECT COALESCE(SUM(before * (ended - last)), 0), COALESCE(SUM(ended - last), 0) FROM coloured WHERE {where}")
    assert _pair(found.red_time) == expected[0]


def test_what_follows_what(both):
    """Edges are the pairs that LAG finds."""
    found, ask = both
    before = "SELECT status, LAG(status) OVER (PARTITION BY project, branch, workflow ORDER BY place) AS b FROM points"
    expected = ask(f"SELECT b, status, COUNT(*) FROM ({before}) WHERE b IS NOT NULL GROUP BY 1, 2")
    assert {(edge.before, edge.after, edge.count) for edge in found.edges} == set(expected)


def test_flaky_commits(both):
    """A commit that passed and failed is flaky; builds more than 14 days apart are not compared."""
    found, ask = both
    groups = "SELECT COUNT(DISTINCT status) AS k FROM episodes GROUP BY project, workflow, sha, episode"
    assert _pair(found.flaky) == ask(f"SELECT COALESCE(SUM(k = 2), 0), COUNT(*) FROM ({groups})")[0]


def test_reruns_and_rescues(both):
    """Re-runs and rescues are those of the attempts."""
    found, ask = both
    runs = "SELECT MAX(attempt) > 1 AS again FROM finished GROUP BY provider, project, build"
    assert _pair(found.rerun) == ask(f"SELECT COALESCE(SUM(again), 0), COUNT(*) FROM ({runs})")[0]
    assert _pair(found.rescue) == ask("SELECT COALESCE(SUM(status = 'passed'), 0), COUNT(*) FROM attempts WHERE after")[0]


def test_minutes(both):
    """A begun minute of a job is a minute; what broke, was cancelled or was superseded is wasted."""
    found, ask = both
    jobs = "SELECT SUM((MAX(j.ended - began, 0) + 59999) / 60000) FROM jobs j WHERE j.id = a.id AND j.ended IS NOT NULL"
    cost = f"COALESCE(({jobs}), (COALESCE(took, 0) + 59999) / 60000)"
    wasted = "broken OR status = 'canceled' OR (status = 'passed' AND later IS NOT NULL)"
    total = f"SELECT COALESCE(SUM({cost}), 0), COALESCE(SUM(({cost}) * ({wasted})), 0) FROM attempts a"
    assert (found.minutes, found.wasted_minutes) == ask(total)[0]


def test_jobs(both):
    """Jobs have the runs and failures that SQL counts."""
    found, ask = both
    broken, counted = "SUM(j.status IN ('failed', 'errored', 'timed_out'))", "SUM(j.status NOT IN ('canceled', 'skipped'))"
    ended = "FROM jobs j JOIN finished USING (id) WHERE j.status NOT IN ('running', 'queued') GROUP BY 1, 2"
    expected = ask(f"SELECT j.project, name, COUNT(*), {broken}, {counted} {ended}")
    assert {(job.project, job.name, job.runs, *_pair(job.failure)) for job in found.jobs} == set(expected)


def test_steps(both):
    """Which job follows which is what LAG finds among a run's jobs by their start."""
    found, ask = both
    ended = "j.status NOT IN ('running', 'queued') AND j.ended IS NOT NULL"
    order = "PARTITION BY id ORDER BY began, j.ended, name"
    step = "name || ':' || j.status"
    steps = f"SELECT {step} AS s, LAG({step}) OVER ({order}) AS b FROM jobs j JOIN finished USING (id) WHERE {ended}"
    expected = ask(f"SELECT b, s, COUNT(*) FROM ({steps}) WHERE b IS NOT NULL GROUP BY 1, 2")
    assert {(edge.before, edge.after, edge.count) for edge in found.steps} == set(expected)


def test_weeks_and_hours(both):
    """Weeks and hours have the builds that SQL puts there."""
    found, ask = both
    weeks = f"SELECT {EPOCH} + started / 86400000 - (started / 86400000 + 3) % 7, COUNT(*) FROM finished GROUP BY 1"
    assert {week.start.toordinal(): week.builds for week in found.weekly if week.builds} == dict(ask(weeks))
    hours = "SELECT (started / 86400000 + 3) % 7, started / 3600000 % 24, SUM(broken), COUNT(*) FROM finished WHERE counted GROUP BY 1, 2"
    cells = {(day, hour, *_pair(cell)) for day, row in enumerate(found.heat_map) for hour, cell in enumerate(row) if cell.denominator}
    assert cells == set(ask(hours))
