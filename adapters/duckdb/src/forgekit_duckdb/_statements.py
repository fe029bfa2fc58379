"""The rules of build analysis as SQL, each as ``forgekit.builds.rules`` has it. Moments are microseconds, lengths milliseconds.

``first_day`` and ``last_day`` are variables of the connection: the days that are told of, as ``date.toordinal``.
"""

from __future__ import annotations

MACROS = """
CREATE TEMP MACRO lasted(start, finish) AS CASE WHEN finish > start THEN (finish - start) // 1000 WHEN finish <= start THEN 0 END;
CREATE TEMP MACRO kept(length, digits) AS CASE WHEN length < 10 ** digits THEN length ELSE
    (length + (10 ** (len(length::VARCHAR) - digits))::BIGINT // 2) // (10 ** (len(length::VARCHAR) - digits))::BIGINT
    * (10 ** (len(length::VARCHAR) - digits))::BIGINT END;
CREATE TEMP MACRO between_two(low, high, share) AS low + (high - low) * share;
CREATE TEMP MACRO quantile_at(ordered, place) AS between_two(
    ordered[floor(place)::BIGINT + 1], ordered[least(floor(place)::BIGINT + 2, len(ordered))], place - floor(place));
CREATE TEMP MACRO quantiles(ordered, shares) AS
    CASE WHEN len(ordered) > 0 THEN [quantile_at(ordered, (len(ordered) - 1) * s::DOUBLE) for s in shares] END;
CREATE TEMP MACRO begun(length) AS (length + 59999) // 60000 * 1000;
CREATE TEMP MACRO inside(day) AS day BETWEEN getvariable('first_day') AND getvariable('last_day');
"""
"""What the statements below are written with: ``kept`` rounds to significant digits, ``begun`` gives thousandths of begun minutes.

``quantiles`` does the very operations of ``forgekit.builds.rules.buckets``: DuckDB's own ``quantile_cont`` differs in the last digit, by
which a project may be a bottleneck or none.
"""

_LINE = "PARTITION BY project, branch, workflow ORDER BY ended, started, provider, build_id, attempt"
_POINT = "ended IS NOT NULL AND started IS NOT NULL"
_COMMIT = 'PARTITION BY project, workflow, "commit" ORDER BY started'

SCOPED = """
CREATE TEMP TABLE scoped AS
WITH moments AS (
    SELECT * EXCLUDE (started_at, queued_at, finished_at),
        epoch_us(started_at) AS started, epoch_us(queued_at) AS queued, epoch_us(finished_at) AS stopped
    FROM builds WHERE {where}
), told AS (
    SELECT *,
        coalesce(floor(coalesce(started, queued) / 86400000000)::BIGINT + 719163, 0) AS day,
        coalesce(stopped, started + round_even(duration_seconds * 1000000, 0)::BIGINT) AS ended,
        coalesce(round_even(duration_seconds * 1000, 0)::BIGINT, lasted(started, stopped)) AS took,
        [{{began: epoch_us(j.started_at), ended: epoch_us(j.finished_at), rate: j.rate}} for j in jobs] AS spans
    FROM moments
)
SELECT row_number() OVER () AS id, provider, project, build_id, attempt, status, branch, workflow, "commit", language,
    tests_run, tests_failed, end_estimated, started, queued, ended, day, jobs, kept(took, 4) AS length,
    kept(lasted(
        CASE WHEN attempt = 1 THEN queued ELSE started END,
        coalesce(list_min([s.began for s in spans]), CASE WHEN attempt = 1 THEN started END)
    ), 4) AS waited,
    coalesce(
        list_sum([
            round_even(begun(lasted(s.began, s.ended)) * s.rate, 0)::BIGINT
            for s in spans if s.began IS NOT NULL AND s.ended IS NOT NULL
        ]),
        begun(coalesce(took, 0))
    )::BIGINT AS cost,
    status NOT IN ('running', 'queued') AS finished,
    status IN ('passed', 'failed', 'errored', 'timed_out') AS counted,
    status IN ('failed', 'errored', 'timed_out') AS broken
FROM told
"""
"""The builds that count, with what each tells by itself."""

COLOURS = f"""
CREATE TEMP TABLE coloured AS
SELECT project, branch, workflow, day, started, ended, provider, build_id, attempt, broken, lag(broken) OVER line AS red,
    lag(ended) OVER line AS last
FROM scoped WHERE counted AND {_POINT} WINDOW line AS ({_LINE});
CREATE TEMP TABLE spells AS
SELECT project, branch, workflow, broken, day AS since_day, ended AS since, lead(day) OVER line AS day, lead(ended) OVER line AS until
FROM coloured WHERE red IS NULL OR red <> broken WINDOW line AS ({_LINE});
CREATE TEMP VIEW closed AS
SELECT project, day, if(broken, 'red', 'green') AS colour, lasted(since, until) AS ms FROM spells WHERE day IS NOT NULL
"""  # noqa: S608 - constants of this module
"""Timelines: the colour before each counted build, and the spells of one colour."""

RUNS = """
CREATE TEMP TABLE runs AS
SELECT project, day, status, cost, attempt, broken, lag(broken) OVER run AS after_broken, lag(attempt) OVER run IS NULL AS is_first,
    lead(attempt) OVER run IS NOT NULL AS is_superseded
FROM scoped WHERE finished WINDOW run AS (PARTITION BY provider, project, build_id ORDER BY attempt)
"""
"""Attempts, each beside the one before and after."""

COMMITS = f"""
CREATE TEMP TABLE commits AS
WITH judged AS (
    SELECT project, workflow, "commit", started, day, status, started - lag(started) OVER ({_COMMIT}) AS gap
    FROM scoped WHERE status IN ('passed', 'failed') AND "commit" <> '' AND started IS NOT NULL
), episodes AS (
    SELECT *, count(*) FILTER (gap > 14 * 86400000000) OVER ({_COMMIT}) AS episode FROM judged
)
SELECT project, min(day) AS day, count(DISTINCT status) > 1 AS flaky FROM episodes GROUP BY project, workflow, "commit", episode
"""  # noqa: S608 - constants of this module
"""Commits with a verdict; one whose builds are more than fourteen days apart has several."""

JOBS = """
CREATE TEMP TABLE jobs AS
WITH each_job AS (SELECT id, project, unnest(jobs, recursive := true) FROM scoped WHERE finished AND inside(day))
SELECT id, project, name, status, epoch_us(started_at) AS began, epoch_us(finished_at) AS ended
FROM each_job WHERE status NOT IN ('running', 'queued');
CREATE TEMP TABLE timed AS
SELECT *, row_number() OVER (PARTITION BY id ORDER BY began, ended, name, status) AS place,
    row_number() OVER (PARTITION BY id ORDER BY ended, began, name) AS place_by_end
FROM jobs WHERE began IS NOT NULL AND ended IS NOT NULL;
CREATE TEMP TABLE critical AS
WITH RECURSIVE path AS (
    SELECT id, project, max_by({name: name, began: began, ended: ended, place: place_by_end}, place_by_end) AS job
    FROM timed GROUP BY id, project
    UNION ALL
    SELECT t.id, t.project, max_by({name: t.name, began: t.began, ended: t.ended, place: t.place_by_end}, t.place_by_end)
    FROM path JOIN timed t ON t.id = path.id AND t.place_by_end < path.job.place AND t.ended <= path.job.began GROUP BY t.id, t.project
)
SELECT project, job.name AS name, sum(lasted(job.began, job.ended))::BIGINT AS ms FROM path GROUP BY ALL
"""
"""Jobs that ended, in their order, and the path that each run waited for: back from the job that ended last."""

# What is read. Rows come in any order: whoever reads them sorts.

STATUSES = "SELECT status, count(*) FROM scoped WHERE inside(day) GROUP BY 1"
LENGTHS = "SELECT status, length, count(*) FROM scoped WHERE inside(day) AND counted AND length IS NOT NULL GROUP BY 1, 2"
DAYS = "SELECT min(day), max(day) FROM scoped WHERE inside(day) AND day > 0"
UNDATED = "SELECT count(*) FROM scoped WHERE inside(day) AND day = 0"
EXTENT = "SELECT min(started), max(started) FROM scoped WHERE inside(day)"
LATEST = "SELECT max(greatest(ended, started, queued)) FROM scoped"
HEAT = """
SELECT project, day, started // 900000000 % 96 AS quarter, (status <> 'passed')::INT, count(*)
FROM (SELECT '' AS project, if(getvariable('by_day'), day, (day - 1) % 7 + 1) AS day, started, status
      FROM scoped WHERE inside(day) AND counted AND started IS NOT NULL) GROUP BY ALL
"""

LANGUAGES = "SELECT language, count(*) FROM scoped WHERE inside(day) AND language <> '' GROUP BY 1"
QUEUE = "SELECT waited, count(*) FROM scoped WHERE inside(day) AND finished AND waited IS NOT NULL GROUP BY 1"
ESTIMATED = "SELECT count(*) FROM scoped WHERE inside(day) AND finished AND end_estimated"
OBSERVED = """
SELECT if(red, 'red', 'green'), sum(lasted(last, ended))::BIGINT FROM coloured
WHERE inside(day) AND red IS NOT NULL AND (branch IS NULL OR branch IN ('main', 'master', 'trunk')) GROUP BY 1
"""
EDGES = f"""
WITH pairs AS (
    SELECT day, status, ended, lag(status) OVER line AS before, lag(ended) OVER line AS last
    FROM scoped WHERE finished AND {_POINT} WINDOW line AS ({_LINE})
)
SELECT before, status, kept(lasted(last, ended), 2) AS gap, count(*) FROM pairs WHERE before IS NOT NULL AND inside(day) GROUP BY 1, 2, 3
"""  # noqa: S608 - constants of this module
STEPS = """
WITH steps AS (
    SELECT name || ':' || status AS step, began, lag(name || ':' || status) OVER run AS before, lag(ended) OVER run AS last
    FROM timed WINDOW run AS (PARTITION BY id ORDER BY place)
)
SELECT before, step, kept(lasted(last, began), 2) AS gap, count(*) FROM steps WHERE before IS NOT NULL GROUP BY 1, 2, 3
"""
VARIANTS = """
WITH ways AS (SELECT string_agg(name || ':' || status, ' → ' ORDER BY place) AS way FROM timed GROUP BY id)
SELECT way, count(*) AS n FROM ways GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
"""

# By project; where the whole is asked for, these are added up.

SPELLS = "SELECT project, colour, count(*), sum(ms)::BIGINT FROM closed WHERE inside(day) GROUP BY 1, 2"
VERDICTS = "SELECT project, count(*) FILTER (flaky), count(*) FILTER (NOT flaky) FROM commits WHERE inside(day) GROUP BY 1"
ATTEMPTS = """
SELECT project, count(*) FILTER (is_first), count(*) FILTER (is_first AND (attempt > 1 OR is_superseded)), count(*) FILTER (after_broken),
    count(*) FILTER (after_broken AND status = 'passed'), sum(cost)::BIGINT,
    coalesce(sum(cost) FILTER (broken OR status = 'canceled' OR (status = 'passed' AND is_superseded)), 0)::BIGINT
FROM runs WHERE inside(day) GROUP BY 1
"""
PROJECTS = """
SELECT project, count(*), count(*) FILTER (counted), count(*) FILTER (status = 'passed'), count(*) FILTER (status = 'failed'),
    count(*) FILTER (status IN ('errored', 'timed_out')),
    quantiles(list_sort(list(length) FILTER (counted AND length IS NOT NULL)), [0.5, 0.9]),
    avg(tests_run) FILTER (finished), avg(tests_failed) FILTER (finished)
FROM scoped WHERE inside(day) GROUP BY 1
"""
JOB_METRICS = """
WITH ended AS (
    SELECT project, name, count(*) AS runs, count(*) FILTER (status IN ('failed', 'errored', 'timed_out')) AS broken,
        count(*) FILTER (status NOT IN ('canceled', 'skipped')) AS counted
    FROM jobs GROUP BY 1, 2
), spread AS (
    SELECT project, name, count(*) AS n, quantiles(list_sort(list(length)), [0.5, 0.75, 0.9, 0.95, 0.99, 1.0]) AS spread
    FROM (SELECT project, name, kept(lasted(began, ended), 4) AS length FROM timed) GROUP BY 1, 2
)
SELECT project, name, runs, broken, counted, coalesce(n, 0), spread, coalesce(ms, 0),
    coalesce(sum(ms) OVER (PARTITION BY project), 0)::BIGINT
FROM ended LEFT JOIN spread USING (project, name) LEFT JOIN critical USING (project, name)
"""

_WEEK = """count(*) FILTER (finished), count(*) FILTER (counted), count(*) FILTER (status = 'passed'),
    count(*) FILTER (status = 'passed' AND length IS NOT NULL),
    quantiles(list_sort(list(length) FILTER (status = 'passed' AND length IS NOT NULL)), [0.5, 0.95])"""
WEEKS = f"SELECT day - (day - 1) % 7, {_WEEK} FROM scoped WHERE inside(day) AND day > 0 GROUP BY 1"  # noqa: S608 - constants of this module
PROJECT_WEEKS = f"SELECT project, day - (day - 1) % 7, {_WEEK} FROM scoped WHERE day BETWEEN $first AND $last GROUP BY 1, 2"  # noqa: S608 - likewise

# Of two stretches of days each, for the trend.

_STRETCH = "if(day >= $now, $now, $before)"
RECENT_LENGTHS = f"""
SELECT {_STRETCH}, status, if(status = 'passed', length, NULL) AS length, count(*) FROM scoped
WHERE day BETWEEN $before AND $last GROUP BY ALL
"""  # noqa: S608 - constants of this module
RECENT_SPELLS = f"""
SELECT {_STRETCH}, colour, count(*), sum(ms)::BIGINT FROM closed WHERE day BETWEEN $before AND $last GROUP BY ALL
"""  # noqa: S608 - constants of this module

# What is open at the end of the days that are told of.

OPEN = """
SELECT provider, project, build_id, attempt, coalesce(greatest(1, coalesce(started, queued) // 1000), 1)
FROM scoped WHERE NOT finished AND day <= getvariable('last_day') AND (day > 0 OR getvariable('first_day') = 0)
"""
RED = """
SELECT greatest(1, since // 1000), project, branch, workflow FROM spells
WHERE broken AND until IS NULL AND since_day <= getvariable('last_day')
"""
DEPLOYMENTS = """
SELECT provider, project, build_id, attempt, status, epoch_us(started_at), epoch_us(finished_at), duration_seconds, epoch_us(committed_at)
FROM builds WHERE {where} AND environment = $environment
"""
