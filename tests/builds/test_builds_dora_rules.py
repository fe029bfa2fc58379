"""The four key metrics: which builds are deployments, which incidents count, and how often is called what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest

from forgekit.builds import BuildRecord, Incident, Percentiles, Rate, Window
from forgekit.builds.rules.dora import dora

START = datetime(2026, 1, 8, 12, tzinfo=UTC)  # a Thursday
WEEKS = Window(date(2026, 1, 8), date(2026, 1, 21))
"""Two weeks, which touch three calendar weeks."""


def deployment(day=0, status="passed", **more):
    """Return a build that deploys to production so many days after the start."""
    started = START + timedelta(days=day)
    own = {"project": "p", "started_at": started, "finished_at": started + timedelta(hours=1), "environment": "production"}
    return BuildRecord(**{"build_id": str(day), "status": status, **own, **more})


def on(*days):
    """Return deployments so many days after the start."""
    return [deployment(day) for day in days]


def told(records, window=None, incidents=None):
    """Return the metrics of production."""
    return dora(records, incidents, environment="production", window=window)


def test_deployments_of_the_window_count():
    """Those that started in it are told a day of it, or ended in it, telling no start; what did neither is no deployment at all."""
    found = told(on(-1, 0, 13, 14), WEEKS)
    assert (found.deployments, found.per_day) == (2, 2 / 14)
    assert told([deployment(day, started_at=None) for day in (-1, 3)], WEEKS).deployments == 1
    assert told([deployment(started_at=None, finished_at=None)]) is None


def test_without_a_window_days_are_those_with_deployments():
    """The first and the last deployment are its ends, whatever else was tried before and after."""
    assert told([deployment(0, "failed"), *on(2, 4), deployment(9, "canceled")]).per_day == 2 / 3


def test_lead_time_is_from_commit_to_end():
    """Deployments whose commit or whose end nobody knows tell no lead time."""
    known = deployment(0, committed_at=START - timedelta(hours=2))
    silent = [deployment(1), deployment(2, committed_at=START, finished_at=None)]
    assert told([known, *silent]).lead_time == attrs.evolve(
        Percentiles(count=1), **dict.fromkeys(("p50", "p75", "p90", "p95", "p99", "longest"), 3 * 3600.0)
    )


def test_incidents_of_the_deployments_count():
    """A deployment fails once however many incidents it causes, and one of outside the window not at all."""
    inside, outside = deployment(1), deployment(-1)
    incidents = [Incident(id=name, project="p", deployment=each.key) for name, each in (("a", inside), ("b", inside), ("c", outside))]
    assert told([outside, inside, deployment(2)], WEEKS, incidents).change_failure == Rate(1, 2)


def test_recovery_is_from_the_deployment_to_the_end_of_its_incident():
    """Each incident that was resolved is told once, in its last version; a deployment that tells no end tells no recovery."""
    broke, silent = deployment(1), deployment(2, finished_at=None)
    hours = [(broke, "p", 5), (broke, "p", 3), (broke, "q", 9), (broke, "r", None), (silent, "s", 9)]
    incidents = [
        Incident(id="1", project=project, deployment=each.key, resolved_at=after and broke.finished_at + timedelta(hours=after))
        for each, project, after in hours
    ]
    found = told([broke, silent], None, incidents).recovery
    assert (found.count, found.p50, found.longest) == (2, 6 * 3600.0, 9 * 3600.0)


@pytest.mark.parametrize(
    ("days", "word"),
    [
        ([], None),
        ([0, 1, 2, 4, 5, 6, 13], "daily"),
        ([0, 1, 4, 5, 6, 13], "weekly"),
        ([0, 4], "weekly"),
        ([4], "monthly"),
    ],
)
def test_the_middle_week_says_how_often(days, word):
    """Three days of the middle calendar week are daily, one is weekly; weeks begin on Mondays, and a window's may be cut."""
    assert told([deployment(0, "failed"), *on(*days)], WEEKS).frequency == word


@pytest.mark.parametrize(
    ("window", "word"),
    [
        (Window(date(2026, 1, 8), date(2026, 2, 28)), "monthly"),
        (Window(date(2025, 12, 31), date(2026, 1, 31)), "monthly"),
        (Window(date(2026, 1, 8), date(2026, 3, 1)), "yearly"),
        (Window(date(2026, 1, 8), date(2027, 1, 31)), "yearly"),
    ],
)
def test_every_other_month_is_monthly(window, word):
    """Deployments in at least half of the calendar months are monthly, however they lie in them; in fewer they are yearly."""
    assert told(on(0, 1), window).frequency == word
