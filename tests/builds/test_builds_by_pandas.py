"""The fold's metrics are those that pandas finds."""

from __future__ import annotations

import pytest

from forgekit.builds import analyse

SEEDS = range(8)
QUANTILES = ("p50", "p75", "p90", "p95", "p99", "longest")


@pytest.fixture(scope="module", params=SEEDS)
def both(request, history, by_pandas):
    """An analysis of a history, and what pandas finds in it."""
    records = history(request.param, 10 * 3**request.param if request.param < 5 else 400)
    return analyse(records), by_pandas.metrics(by_pandas.frame_of(records))


def near(value):
    """Whole seconds are exact, and no number here is longer than four digits: only the interpolation rounds."""
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["success", "failure", "error", "rerun", "rescue", "flaky"])
def test_rates(both, name):
    """Rates have the same numerators and denominators."""
    found = getattr(both[0], name)
    assert (found.numerator, found.denominator) == both[1][name]


@pytest.mark.parametrize("name", ["duration", "success_duration", "queue"])
def test_percentiles(both, name):
    """Percentiles are pandas' own linear quantiles, within the documented error."""
    found, expected = getattr(both[0], name), both[1][name]
    values = [getattr(found, each) for each in QUANTILES]
    assert values == ([None] * 6 if expected is None else pytest.approx(expected, rel=0.0005))


def test_counts(both):
    """Builds, statuses, languages and the range of dates are the same."""
    found, expected = both
    assert found.n_builds == expected["n_builds"]
    assert found.status_counts == expected["status_counts"]
    assert found.language_counts == expected["language_counts"]
    assert (found.date_range_start, found.date_range_end) == expected["range"]
    assert (found.throughput.total, found.throughput.count) == expected["throughput"]


def test_spells(both):
    """Recoveries, green spells, what is red and the time in red are the same."""
    found, expected = both
    assert (found.mttr.total, found.mttr.count) == expected["mttr"]
    assert (found.mttf.total, found.mttf.count) == expected["mttf"]
    assert found.n_open_spells == expected["open"]
    red = found.red_time
    assert (red.numerator / 1000, red.denominator / 1000) == near(expected["red_time"])


def test_minutes(both):
    """Billed and wasted minutes are the same."""
    assert (both[0].minutes, both[0].wasted_minutes) == near((both[1]["minutes"], both[1]["wasted"]))


def test_edges(both):
    """What follows what, how often and after how long, is the same."""
    found = {(edge.before, edge.after): (edge.count, edge.median_gap_seconds) for edge in both[0].edges}
    expected = {pair: (row["count"], row["median"]) for pair, row in both[1]["edges"].iterrows()}
    assert found.keys() == expected.keys()
    for pair, (count, gap) in expected.items():
        assert found[pair] == (count, pytest.approx(gap, rel=0.05))  # gaps are kept to two digits


def test_projects(both):
    """Every project's numbers are the same."""
    table = both[1]["projects"].fillna(0)
    assert [each.project for each in both[0].project_metrics] == sorted(table.index)
    for each in both[0].project_metrics:
        row = table.loc[each.project]
        assert (each.n_builds, each.success.numerator, each.failure.numerator) == (row["n"], row["passed"], row["failed"])
        assert each.success.denominator == row["counted"]
        assert (each.median_duration_seconds, each.p90_duration_seconds) == pytest.approx((row["median"], row["p90"]), rel=0.0005)
        assert (each.avg_tests_run or 0, each.avg_tests_failed or 0) == near((row["tests_run"], row["tests_failed"]))


def test_weeks(both):
    """Every week's numbers are the same, and weeks between are empty."""
    table = both[1]["weekly"]
    found = {week.start: week for week in both[0].weekly}
    for start, row in table.iterrows():
        week = found.pop(start.date())
        assert (week.builds, week.success.numerator, week.success.denominator) == (row["builds"], row["passed"], row["counted"])
        if row["passed"] and row["p50"] == row["p50"]:
            assert (week.median_duration_seconds, week.p95_duration_seconds) == pytest.approx((row["p50"], row["p95"]), rel=0.0005)
    assert not any(week.builds for week in found.values())


def test_heat_map(both):
    """Every hour of the week has the same builds and breaks."""
    expected = {place: (row["sum"], row["count"]) for place, row in both[1]["heat"].iterrows()}
    for weekday, row in enumerate(both[0].heat_map):
        for hour, cell in enumerate(row):
            assert (cell.numerator, cell.denominator) == expected.get((weekday, hour), (0, 0))
