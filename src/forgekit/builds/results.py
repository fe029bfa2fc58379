"""The parts of an analysis."""

from __future__ import annotations

from datetime import date, datetime

import attrs

from forgekit.builds.models import Key, Mean, Rate, Window
from forgekit.builds.rules.buckets import Percentiles


@attrs.frozen(kw_only=True)
class ProjectMetrics:
    """A project in numbers.

    Attributes:
        project: Its name.
        n_builds: All its builds.
        success: Passed builds of the counted ones (finished, neither cancelled nor skipped).
        failure: Failed ones of these.
        error: Errored and timed out ones of these.
        median_duration_seconds: Of the counted builds; 0.0 of none.
        p90_duration_seconds: Likewise.
        avg_tests_run: Mean over builds that tell; None where none does.
        avg_tests_failed: Likewise.
        mttr: Seconds from red to green again.
        flaky: Commits that both passed and failed, of those with a verdict.
        rerun: Runs with more than one attempt, of all.
        minutes: Billed minutes.
        wasted_minutes: Those of builds that broke, were cancelled, or passed and were run again.

    """

    project: str
    n_builds: int
    success: Rate
    failure: Rate
    error: Rate
    median_duration_seconds: float
    p90_duration_seconds: float
    avg_tests_run: float | None = None
    avg_tests_failed: float | None = None
    mttr: Mean = attrs.field(factory=lambda: Mean(0, 0))
    flaky: Rate = attrs.field(factory=lambda: Rate(0, 0))
    rerun: Rate = attrs.field(factory=lambda: Rate(0, 0))
    minutes: float = 0.0
    wasted_minutes: float = 0.0

    @property
    def success_rate(self) -> float:
        """Passed of counted builds; 0.0 of none."""
        return float(self.success)

    @property
    def failure_rate(self) -> float:
        """Failed of counted builds; 0.0 of none."""
        return float(self.failure)

    @property
    def error_rate(self) -> float:
        """Errored and timed out of counted builds; 0.0 of none."""
        return float(self.error)


@attrs.frozen(kw_only=True)
class Bottleneck:
    """A project whose median build takes more than twice the median of all builds.

    Attributes:
        transition: What is slow, in words.
        avg_wait_seconds: The project's median duration.
        frequency: How many builds it has.
        project: Its name.

    """

    transition: str
    avg_wait_seconds: float
    frequency: int
    project: str


@attrs.frozen(kw_only=True)
class OpenSpell:
    """A branch that is red now.

    Attributes:
        project: The project.
        branch: The branch.
        workflow: The workflow that broke.
        since: End of the first build that broke.
        age_seconds: How long that is ago.

    """

    project: str
    branch: str | None
    workflow: str | None
    since: datetime
    age_seconds: float


@attrs.frozen(kw_only=True)
class Week:
    """A week in numbers.

    Attributes:
        start: Its Monday.
        builds: Finished builds that started in it.
        success: Passed of counted builds.
        median_duration_seconds: Of passed builds; None of none.
        p95_duration_seconds: Likewise.

    """

    start: date
    builds: int
    success: Rate
    median_duration_seconds: float | None
    p95_duration_seconds: float | None


@attrs.frozen(kw_only=True)
class Change:
    """A number now and before.

    Attributes:
        current: In the window.
        prior: In the window of equal length before it; None where that tells nothing.
        change: (current - prior) / prior; None where there is no prior or it is 0.

    """

    current: float | None
    prior: float | None
    change: float | None


@attrs.frozen(kw_only=True)
class Trend:
    """The latest window beside the one before it.

    Attributes:
        window: The window.
        builds: Finished builds.
        success_rate: Passed of counted builds.
        median_duration_seconds: Of passed builds.
        mttr_seconds: From red to green.

    """

    window: Window
    builds: Change
    success_rate: Change
    median_duration_seconds: Change
    mttr_seconds: Change


@attrs.frozen(kw_only=True)
class Anomaly:
    """A week that does not fit a project's own past.

    Attributes:
        project: The project.
        week: The Monday.
        metric: ``success_rate`` or ``median_duration_seconds``.
        value: What it was.
        expected: The median of the weeks before.
        tolerance: How far from it would have been usual.

    """

    project: str
    week: date
    metric: str
    value: float
    expected: float
    tolerance: float


@attrs.frozen(kw_only=True)
class JobMetrics:
    """A job in numbers.

    Attributes:
        project: The project.
        name: The job.
        runs: How often it ended.
        failure: Failed, errored and timed out of counted ones.
        duration: How long it took.
        critical: Milliseconds that it held up its project's runs, of all milliseconds on their critical paths.

    """

    project: str
    name: str
    runs: int
    failure: Rate
    duration: Percentiles
    critical: Rate


@attrs.frozen(kw_only=True)
class Edge:
    """One thing that follows another.

    Attributes:
        before: The first.
        after: What came next.
        count: How often.
        median_gap_seconds: The time between, in the middle.

    """

    before: str
    after: str
    count: int
    median_gap_seconds: float


@attrs.frozen(kw_only=True)
class Variant:
    """A way that runs went.

    Attributes:
        steps: Jobs and how they ended, in order.
        count: How many runs went so.

    """

    steps: str
    count: int


@attrs.frozen(kw_only=True)
class Dora:
    """The four key metrics of deliveries, from builds that deploy.

    Attributes:
        deployments: Successful deployments to the environment.
        per_day: Of them a day.
        frequency: ``daily``, ``weekly``, ``monthly`` or ``yearly``; None without deployments.
        lead_time: From commit to deployment, where the commit's time is known.
        change_failure: Deployments with an incident, of all; None where nobody tells of incidents.
        recovery: From a deployment to the end of its incident; None where nobody tells of incidents.

    """

    deployments: int
    per_day: float
    frequency: str | None
    lead_time: Percentiles
    change_failure: Rate | None
    recovery: Percentiles | None


@attrs.frozen(kw_only=True)
class Health:
    """Whether the data can be believed.

    Attributes:
        completeness: Builds here, of those that the system says there are; None where it does not say.
        open_builds: Builds that have not ended.
        oldest_open: The longest of them, of those that tell since when; of others only where none does.
        oldest_open_seconds: How long it is open; None where nobody knows.
        last_event_at: The latest moment that any build tells of.
        lag_seconds: How long that is ago.
        estimated_ends: Finished builds whose end is a guess, of all finished.
        undated: Builds that tell no time.

    """

    completeness: Rate | None
    open_builds: int
    oldest_open: Key | None
    oldest_open_seconds: float | None
    last_event_at: datetime | None
    lag_seconds: float | None
    estimated_ends: Rate
    undated: int
