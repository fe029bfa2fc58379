"""What users of the analyser that these names come from were promised, through our names; and what went wrong there."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime

import pytest

from forgekit.builds import Analysis, BuildRecord, Rate, analyse, read_csv, to_flat
from forgekit.errors import InvalidInput

STATUSES = ["passed", "passed", "failed", "passed", "errored", "passed", "failed", "failed", "passed", "passed"]
DURATIONS = [100, 120, 150, 90, 200, 300, 350, 400, 280, 320]


def rows(**columns):
    """Return ten rows of two projects in TravisTorrent's columns, some of them replaced."""
    table = {
        "tr_build_id": range(1, 11),
        "gh_project_name": ["proj-a"] * 5 + ["proj-b"] * 5,
        "tr_status": STATUSES,
        "tr_duration": DURATIONS,
        "gh_build_started_at": [f"2024-01-{day:02} 10:00:00" for day in range(1, 11)],
        "gh_lang": ["java"] * 5 + ["python"] * 5,
        "tr_log_num_tests_run": [50] * 5 + [100] * 5,
        "tr_log_num_tests_failed": [0, 0, 5, 0, 0, 0, 10, 15, 0, 0],
    }
    table.update(columns)
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def write(path, table):
    """Write rows as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    return path


@pytest.fixture
def path(tmp_path):
    """A CSV file of ten builds."""
    return write(tmp_path / "builds.csv", rows())


@pytest.fixture
def analysis(path):
    """What the file comes to."""
    return analyse(path)


def test_a_file_is_loaded(path):
    """Every row of a file becomes a build."""
    assert len(list(read_csv(path))) == 10


def test_without_a_file_there_is_an_error(tmp_path):
    """A file that is not there, or of a kind that nobody reads, is an error."""
    with pytest.raises(FileNotFoundError):
        analyse(tmp_path / "none.csv")
    with pytest.raises(InvalidInput, match=r"\.csv"):
        analyse("builds.xlsx")


def test_without_data_there_is_no_error():
    """Nothing comes to nothing: rates are 0.0, and none of them divides."""
    nothing = analyse([])
    assert (nothing.n_builds, nothing.overall_success_rate, nothing.median_duration_seconds) == (0, 0.0, 0.0)


def test_the_result_is_typed(analysis):
    """The result is an analysis."""
    assert isinstance(analysis, Analysis)


def test_counts(analysis):
    """Builds and projects are counted."""
    assert (analysis.n_builds, analysis.n_projects) == (10, 2)


def test_rates(analysis):
    """Six passed, three failed and one errored of ten, with the counts that the rates come from."""
    assert (analysis.overall_success_rate, analysis.overall_failure_rate, analysis.overall_error_rate) == (0.6, 0.3, 0.1)
    assert analysis.success == Rate(6, 10)


def test_statuses_and_languages(analysis):
    """Statuses and languages are counted."""
    assert analysis.status_counts == {"passed": 6, "failed": 3, "errored": 1}
    assert analysis.language_counts == {"java": 5, "python": 5}


def test_durations(analysis):
    """The quantiles are linear: the median of ten lies between the fifth and the sixth."""
    assert analysis.median_duration_seconds == 240.0
    assert analysis.p90_duration_seconds == 355.0
    assert analysis.max_duration_seconds == 400.0


def test_projects(analysis):
    """Each project has its own rates and durations."""
    a, b = analysis.project_metrics
    assert (a.project, a.n_builds, a.success_rate, a.failure_rate, a.error_rate) == ("proj-a", 5, 0.6, 0.2, 0.2)
    assert (b.project, b.n_builds, b.success_rate, b.failure_rate, b.error_rate) == ("proj-b", 5, 0.6, 0.4, 0.0)
    assert (a.median_duration_seconds, b.median_duration_seconds) == (120.0, 320.0)


def test_average_tests(analysis):
    """Each project has the average of its tests."""
    assert [(each.avg_tests_run, each.avg_tests_failed) for each in analysis.project_metrics] == [(50.0, 1.0), (100.0, 5.0)]


def test_the_range_of_dates(analysis):
    """The first and the last start are told, in UTC."""
    assert analysis.date_range_start == datetime(2024, 1, 1, 10, tzinfo=UTC)
    assert analysis.date_range_end == datetime(2024, 1, 10, 10, tzinfo=UTC)


def test_json(analysis):
    """The result is JSON, with the names that its readers know."""
    assert '"n_builds": 10' in analysis.to_json()
    assert '"n_projects": 2' in analysis.to_json()
    told = json.loads(analysis.to_json())
    assert told["overall_success_rate"] == 0.6
    assert told["date_range_start"] == "2024-01-01T10:00:00+00:00"
    assert [each["success_rate"] for each in told["project_metrics"]] == [0.6, 0.6]
    assert {"bottlenecks", "projects_at_risk", "top_failing_projects", "p90_duration_seconds", "max_duration_seconds"} <= told.keys()


def test_the_context_of_a_language_model(analysis):
    """The Markdown says what was counted, and leaves out what there is none of."""
    context = analysis.to_markdown()
    assert context.startswith("# CI/CD Build Analysis Results\n")
    assert "Total builds analyzed: 10" in context
    assert "Success rate: 60.0%" in context
    assert "Failure rate: 30.0%" in context
    assert "## Bottlenecks" not in context
    assert "## Projects at Risk" not in context


def test_large_numbers_are_readable():
    """Thousands have their commas."""
    records = (
        BuildRecord(build_id=str(number), project="p", status="passed", started_at=datetime(2024, 1, 1, tzinfo=UTC))
        for number in range(1000)
    )
    assert "Total builds analyzed: 1,000" in analyse(records).to_markdown()


def test_slow_projects_are_bottlenecks():
    """A project whose median is more than twice that of all is a bottleneck; one of exactly twice is none."""
    slow = rows(gh_project_name=["fast"] * 7 + ["slow"] * 3, tr_duration=[100] * 7 + [201] * 3)
    (found,) = analyse(slow).bottlenecks
    assert (found.transition, found.avg_wait_seconds, found.frequency) == ("builds in slow", 201.0, 3)
    assert "builds in slow: median" in analyse(slow).to_markdown()
    assert not analyse(rows(gh_project_name=["fast"] * 7 + ["slow"] * 3, tr_duration=[100] * 7 + [200] * 3)).bottlenecks


def test_projects_that_break_are_at_risk():
    """More than 40 % broken of at least ten puts a project at risk, more than 30 % failed among the failing; nine builds say nothing."""
    bad = rows(gh_project_name=["p"] * 10, tr_status=["failed"] * 4 + ["errored"] + ["passed"] * 5)
    found = analyse(bad)
    assert found.projects_at_risk == ("p",)
    assert [each.project for each in found.top_failing_projects] == ["p"]
    assert "- p: 40.0% failure rate (10 builds)" in found.to_markdown()
    assert not analyse(bad[:9]).projects_at_risk


def test_a_build_as_values():
    """A build becomes JSON-able values; a time that is not there is none."""
    moment = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    record = BuildRecord(build_id="1", project="p", status="passed", duration_seconds=120.5, started_at=moment)
    assert to_flat(record)["started_at"] == "2024-01-15T10:30:00+00:00"
    assert to_flat(record)["duration_seconds"] == 120.5
    assert "started_at" not in to_flat(BuildRecord(build_id="1", project="p", status="queued"))


# What went wrong there


@pytest.mark.parametrize("other", ["2024-01-01T12:00:00+02:00", "2024-01-01T10:00:00Z", "2024-01-01 10:00:00 UTC", "2024-01-01T10:00:00"])
def test_offsets_may_be_mixed(other):
    """Times with different offsets, with Z and with none are the moments that they say."""
    mixed = rows(gh_build_started_at=["2024-01-01 10:00:00"] * 9 + [other])
    found = analyse(mixed)
    assert found.date_range_start == found.date_range_end == datetime(2024, 1, 1, 10, tzinfo=UTC)


def test_the_same_build_twice_counts_once():
    """A row that comes again is no other build."""
    assert analyse(rows() + rows()).n_builds == 10


def test_running_and_cancelled_builds_are_in_no_denominator():
    """What has not ended or was cancelled is counted, and lowers no rate and no duration."""
    found = analyse(rows(tr_status=[*STATUSES[:8], "started", "canceled"]))
    assert found.n_builds == 10
    assert found.success == Rate(4, 8)
    assert found.duration.count == 8
    assert found.health.open_builds == 1
