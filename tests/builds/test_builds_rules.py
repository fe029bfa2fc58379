"""The rules one by one: percentiles, spells, jobs, trend, anomalies, deliveries, health."""

from __future__ import annotations

import statistics
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import FINISHED, BuildRecord, Fold, Incident, Job, Key, Mean, Rate, Scope, Status, Window, analyse
from forgekit.builds.bulk import uncollected
from forgekit.builds.rules.buckets import ERROR, Distribution, Percentiles, bucket
from forgekit.builds.rules.statuses import otel_result
from forgekit.builds.rules.timelines import Line, measure_points, point
from forgekit.errors import InvalidInput

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday


def build(number, status="passed", *, hours=0.0, minutes=10, **more):
    """Return a build that starts so many hours after a Monday's midnight and takes so many minutes."""
    started = START + timedelta(hours=hours)
    own = {"project": "p", "started_at": started, "finished_at": started + timedelta(minutes=minutes), "branch": "main"}
    return BuildRecord(build_id=str(number), status=status, **{**own, **more})


def line_of(*statuses, **more):
    """Return a timeline with a build an hour."""
    return [build(number, status, hours=number, **more) for number, status in enumerate(statuses)]


# Percentiles


@given(st.integers(0, 2**31 * 1000))
def test_rounding_has_a_bound(value):
    """A rounded duration is off by at most one part in 2,000, and whole seconds below 10,000 by nothing."""
    assert abs(bucket(value) - value) <= ERROR * value
    whole = value % 10_000 * 1000
    assert bucket(whole) == whole


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_rounding_keeps_the_order(one, other):
    """Of two durations the longer is not rounded to the shorter."""
    low, high = sorted((one, other))
    assert bucket(low) <= bucket(high)


@given(st.lists(st.integers(0, 10**8), min_size=2, max_size=60))
def test_percentiles_have_the_bound(values):
    """A percentile is off by at most one part in 2,000 from the linear one of the durations themselves."""
    found = Distribution(Counter(map(bucket, values)))
    for number, cut in enumerate(statistics.quantiles(values, n=20, method="inclusive"), start=1):
        assert found.quantile(number / 20) * 1000 == pytest.approx(cut, rel=ERROR * 1.000001, abs=1e-6)


def test_nothing_has_no_percentiles():
    """Of no durations there is none, and of one there is only that."""
    assert Distribution({}).percentiles() == Percentiles()
    assert set(attrs.astuple(Distribution({7000: 1}).percentiles())) == {1, 7.0}


# Statuses and records


def test_results_have_their_names_in_opentelemetry():
    """What has ended has a result there, what has not has none."""
    assert (otel_result(Status.TIMED_OUT), otel_result(Status.CANCELED)) == ("timeout", "cancellation")
    assert {status for status in Status if otel_result(status) is not None} == FINISHED


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempt": 0},
        {"duration_seconds": -1},
        {"duration_seconds": float("nan")},
        {"started_at": datetime(1, 1, 1, tzinfo=UTC)},
        {"tests_run": -1},
    ],
)
def test_a_record_keeps_its_rules(wrong):
    """A record with an impossible number or time is not made."""
    with pytest.raises(ValueError, match="between"):
        build(1, **wrong)


def test_times_become_utc():
    """A time with an offset is converted, one without is taken as UTC."""
    there = datetime(2026, 1, 5, 2, tzinfo=ZoneInfo("Europe/Berlin"))
    for told in (there, START.replace(hour=1, tzinfo=None)):
        started = build(1, started_at=told).started_at
        assert (started, started.tzinfo) == (START + timedelta(hours=1), UTC)


# Timelines


def test_a_red_spell_lasts_from_the_first_break_to_the_first_pass():
    """Breaks within a spell do not begin it anew, and what is cancelled or skipped neither begins nor ends one."""
    found = analyse(line_of("passed", "failed", "canceled", "errored", "skipped", "passed", "passed", "failed"))
    assert found.mttr == Mean(4 * 3600, 1)
    assert found.mttf == Mean((1 + 2) * 3600, 2)
    assert [(each.branch, each.since, each.age_seconds) for each in found.open_spells] == [
        ("main", START + timedelta(hours=7, minutes=10), 0)
    ]
    assert found.red_time == Rate(4 * 3600_000, 7 * 3600_000)


def test_branches_and_workflows_have_timelines_of_their_own():
    """A pass on one branch is no recovery of another; time in red is told of default branches alone."""
    found = analyse([build(1, "failed"), build(2, hours=1, branch="next"), build(3, hours=2, workflow="ci")])
    assert found.mttr.count == 0
    assert len(found.open_spells) == 1
    assert analyse(line_of("failed", "passed", branch="topic")).red_time == Rate(0, 0)


@given(st.lists(st.sampled_from(["passed", "failed", "canceled"]), min_size=1, max_size=12), st.data())
def test_the_end_of_a_timeline_can_be_measured_alone(statuses, data):
    """What a late build changes is seen from the first point of a colour run before it: storage redoes no more than that."""
    points = [point(each) for each in line_of(*statuses)]
    late = point(build("late", data.draw(st.sampled_from(["passed", "failed"])), hours=data.draw(st.floats(0, 12))))
    key = Line("p", "main", None)
    counted = [each for each in points if each.status != "canceled"]
    turns = [now for before, now in pairwise(counted) if (before.status == "passed") != (now.status == "passed")]
    older = [each for each in turns if each < late]
    end = [each for each in points if not older or each >= older[-1]]
    change = measure_points({key: [*end, late]}) - measure_points({key: end})
    assert measure_points({key: points}) + change == measure_points({key: [*points, late]})


# Commits, runs and minutes


def test_a_commit_that_passes_and_fails_is_flaky():
    """Errors and cancellations are no verdict; builds more than 14 days apart are not compared; workflows are apart."""
    days = 24 * 15
    same = [build(1, "failed", commit="a"), build(2, commit="a", hours=1), build(3, "failed", commit="b"), build(4, commit="b", hours=days)]
    others = [build(5, "errored", commit="c"), build(6, commit="c", hours=2), build(7, "failed", commit="a", workflow="other")]
    silent = [build(8, "canceled", commit="c"), build(9, "canceled", commit="d")]
    assert analyse(same + others + silent).flaky == Rate(1, 5)


def test_reruns_rescue_and_waste():
    """A re-run that passes after a failure is a rescue; what passed and was run again is wasted, as is what broke or was cancelled."""
    attempts = [build(1, "failed"), build(1, hours=1, attempt=2), build(1, hours=2, attempt=3), build(2, "canceled", minutes=0.5), build(3)]
    found = analyse(attempts)
    assert (found.rerun, found.rescue) == (Rate(1, 3), Rate(1, 1))
    assert (found.minutes, found.wasted_minutes) == (41, 21)


def test_a_rerun_whose_first_attempt_is_unknown_is_one():
    """An attempt of a higher number is a re-run even if it is all that is known."""
    assert analyse([build(1, attempt=2)]).rerun == Rate(1, 1)


# Jobs


def job(name, start, end, status="passed", **more):
    """Return a job from one minute to another."""
    return Job(name=name, status=status, started_at=START + timedelta(minutes=start), finished_at=START + timedelta(minutes=end), **more)


def test_jobs_and_their_critical_path():
    """The path that held the run up goes back from the job that ended last, each time to the one that ended last before."""
    found = analyse([build(1, jobs=[job("lint", 0, 1), job("test", 0, 5, "failed"), job("pack", 5, 7.5, rate=2), job("late", 6, 7)])])
    jobs = {each.name: each for each in found.jobs}
    assert [each.name for each in found.jobs] == ["test", "pack", "late", "lint"]
    assert {name: each.critical.numerator for name, each in jobs.items()} == {"test": 300_000, "pack": 150_000, "late": 0, "lint": 0}
    assert (jobs["test"].failure, jobs["test"].duration.p50, jobs["test"].runs) == (Rate(1, 1), 300.0, 1)
    assert found.minutes == 1 + 5 + 2 * 3 + 1
    assert [each.steps for each in found.variants] == ["lint:passed → test:failed → pack:passed → late:passed"]


def test_queue_time():
    """The wait ends when the first job starts; a re-run waits from its own start, and without jobs nobody knows."""
    asked = START - timedelta(minutes=2)
    first = build(1, queued_at=asked, jobs=[job("lint", 1, 2), job("test", 3, 4)])
    rerun = attrs.evolve(first, attempt=2)
    silent = [build(2), attrs.evolve(first, attempt=3, jobs=())]
    plain = build(3, queued_at=asked)
    assert analyse([first]).queue.p50 == 180
    assert analyse([rerun]).queue.p50 == 60
    assert analyse([plain]).queue.p50 == 120
    assert analyse(silent).queue.count == 0


def test_the_systems_own_duration_goes_before_the_wall_time():
    """A pipeline that idles between its stages ran for as long as its system says."""
    assert analyse([build(1, minutes=1000, duration_seconds=1512)]).median_duration_seconds == 1512


# Scopes, windows, trend, anomalies, hours


def test_a_scope_chooses_builds():
    """Only builds that fit every value of the scope count."""
    mixed = [build(1, event="push", actor="ada"), build(2, branch="next", event="push"), build(3, project="q", event="push")]
    assert analyse(mixed, scope=Scope(event="push", branch="main")).n_builds == 2
    assert analyse(mixed, scope=Scope(actor="ada")).n_builds == 1
    assert analyse(mixed, scope=Scope(project="q")).n_projects == 1
    assert analyse(mixed, scope=Scope(workflow="ci")).n_builds == 0


def test_the_days_of_a_window():
    """An end that is not given is the data's; a first day after the last is refused."""
    days = [build(number, hours=24 * number) for number in range(5)]
    assert analyse(days, since=date(2026, 1, 7)).n_builds == 3
    assert analyse(days, until=date(2026, 1, 7)).window == Window(date(2026, 1, 5), date(2026, 1, 7))
    assert analyse([], since=date(2026, 1, 7)).window == Window(date(2026, 1, 7), date(2026, 1, 7))
    with pytest.raises(InvalidInput, match="after the last"):
        analyse(days, since=date(2026, 1, 8), until=date(2026, 1, 7))


def test_what_is_open_is_told_however_old():
    """A window tells of branches that are red and builds that are open since before it."""
    found = analyse([build(1, "failed"), build(2, "running", hours=1), build(3, hours=24 * 9, branch="next")], since=date(2026, 1, 12))
    assert found.n_builds == 1
    assert [each.since.day for each in found.open_spells] == [5]
    assert found.health.oldest_open == Key("api", "p", "2", 1)


def test_the_trend_compares_equal_windows():
    """The change is relative; where nothing was before, there is none."""
    early, late = [build(1, "failed"), build(2, hours=1)], [build(3, hours=24 * 28, minutes=20), build(4, hours=24 * 28 + 1, minutes=20)]
    found = analyse(early + late).trend
    assert found.window.days == 28
    assert (found.success_rate.current, found.success_rate.prior, found.success_rate.change) == (1.0, 0.5, 1.0)
    assert (found.median_duration_seconds.change, found.builds.change) == (1.0, 0.0)
    assert (found.mttr_seconds.current, found.mttr_seconds.prior, found.mttr_seconds.change) == (None, 3600.0, None)
    assert analyse(early).trend.builds.change is None


def test_a_week_unlike_its_past_is_an_anomaly():
    """Twelve quiet weeks make a slow and failing week an anomaly, and a little noise none."""
    quiet = [build((week, n), hours=168 * week + n, minutes=10 + (week + n) % 2) for week in range(12) for n in range(6)]
    loud = [build((99, n), "failed", hours=168 * 12 + n) for n in range(6)]
    slow = [build((98, n), hours=168 * 12 + n, minutes=60) for n in range(6)]
    found = analyse(quiet + loud + slow).anomalies
    assert {(each.metric, each.value, each.week) for each in found} == {
        ("success_rate", 0.5, date(2026, 3, 30)),
        ("median_duration_seconds", 3600.0, date(2026, 3, 30)),
    }
    assert not analyse(quiet).anomalies
    assert not analyse(quiet + loud, until=date(2026, 3, 20)).anomalies


def test_hours_are_those_of_a_time_zone():
    """The heat map has local hours, before and after the clocks change, also half an hour off."""
    winter, summer = (
        build(1, started_at=datetime(2026, 3, 27, 23, 15, tzinfo=UTC)),
        build(2, "failed", started_at=datetime(2026, 4, 3, 22, 15, tzinfo=UTC)),
    )
    cells = analyse([winter, summer], zone=ZoneInfo("Europe/Berlin")).heat_map
    assert cells[5][0] == Rate(1, 2)
    assert analyse([winter], zone=ZoneInfo("Asia/Kolkata")).heat_map[5][4] == Rate(0, 1)


# Deliveries and health


def deploy(number, status="passed", **more):
    """Return a deployment to production whose commit is an hour old."""
    own = build(number, status, **more)
    return attrs.evolve(own, environment="production", committed_at=own.started_at - timedelta(hours=1))


def test_the_four_key_metrics():
    """Deployments, lead time, failures and recoveries come from builds that deploy and the incidents that they caused."""
    done = [deploy(number, hours=24 * number) for number in range(4)]
    broke = [
        Incident(id="i", project="p", deployment=done[1].key, resolved_at=done[1].finished_at + timedelta(hours=2)),
        Incident(id="j", project="p", deployment=done[1].key),
        Incident(id="k", project="p"),
    ]
    others = [deploy(7, "failed"), attrs.evolve(deploy(8), environment="staging"), build(9)]
    found = analyse(done + others, incidents=broke).dora
    assert (found.deployments, found.per_day, found.frequency) == (4, 1.0, "daily")
    assert found.lead_time.p50 == 70 * 60
    assert (found.change_failure, found.recovery.p50) == (Rate(1, 4), 7200.0)


def test_without_deployments_there_are_no_key_metrics():
    """None where nothing deploys; no failures where nobody tells of incidents; nothing a day where none succeeded."""
    assert analyse([build(1)]).dora is None
    assert analyse([deploy(1)]).dora.change_failure is None
    none = analyse([deploy(1, "failed")]).dora
    assert (none.deployments, none.per_day, none.frequency) == (0, 0.0, None)


@pytest.mark.parametrize(("every", "count", "word"), [(1, 20, "daily"), (7, 8, "weekly"), (30, 6, "monthly"), (150, 4, "yearly")])
def test_how_often_is_called(every, count, word):
    """Frequency has the words of the Four Keys."""
    assert analyse([deploy(number, hours=24 * every * number) for number in range(count)]).dora.frequency == word


def test_health():
    """How complete, how fresh and how exact the data is, by the moment that is given."""
    records = [build(1, end_estimated=True), build(2, "running", hours=2), build(3, "queued", started_at=None, finished_at=None)]
    found = analyse(records, as_of=START + timedelta(hours=5), expected=4).health
    assert (found.completeness, found.estimated_ends, found.undated, found.open_builds) == (Rate(3, 4), Rate(1, 1), 1, 2)
    assert found.lag_seconds == pytest.approx(3600 * 3 - 600)
    assert (found.oldest_open.build_id, found.oldest_open_seconds) == ("2", 3 * 3600)


def test_the_collector_is_left_as_it_was():
    """Counting suspends the collector, and starts it again unless it was off."""
    import gc

    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_fold_is_read_as_it_is():
    """An analysis of a fold is that of its records."""
    records = line_of("passed", "failed", "passed")
    assert analyse(Fold(records)) == analyse(records)
