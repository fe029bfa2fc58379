"""What an analyser of CSV files in TravisTorrent's columns promises, for any such file; and what its users had measured as wrong."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import statistics
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import forgekit_sql
from forgekit import Forge
from forgekit.builds import Fold, Rate, Status, analyse, read_csv
from forgekit.errors import InvalidInput

NAMES = (
    "tr_build_id", "gh_project_name", "tr_status", "tr_duration", "gh_build_started_at", "gh_lang", "tr_log_num_tests_run",
    "tr_log_num_tests_failed",
)  # fmt: skip
START = datetime(2024, 1, 1, tzinfo=UTC)
COUNTED = {"passed", "failed", "errored"}
SHAPES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%dT%H:%M:%S")

ROWS = st.fixed_dictionaries(
    {
        "gh_project_name": st.sampled_from(["org/a", "org/b", "org/c"]),
        "tr_status": st.sampled_from(["passed", "failed", "errored", "canceled", "started"]),
        "tr_duration": st.integers(0, 9_999),
        "gh_build_started_at": st.integers(0, 90 * 86_400).map(lambda seconds: f"{START + timedelta(seconds=seconds):{SHAPES[0]}}"),
        "gh_lang": st.sampled_from(["java", "ruby", "NA", ""]),
        "tr_log_num_tests_run": st.sampled_from([0, 10, 15, "NA"]),
        "tr_log_num_tests_failed": st.sampled_from([0, 1, "NA"]),
    }
)


def numbered(rows):
    """Give every row a build of its own."""
    return [{"tr_build_id": number, **row} for number, row in enumerate(rows, start=1)]


TABLES = st.lists(ROWS, max_size=40).map(numbered)


def as_csv(rows, names=NAMES):
    """Return the rows as an open CSV file."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    file.seek(0)
    return file


def analysed(rows, names=NAMES):
    """Return what the rows, written as CSV, come to."""
    return analyse(read_csv(as_csv(rows, names)))


class _Undone(Exception):
    """Ends a transaction that is not to last."""


def stored(forge, *parts, names=NAMES):
    """Return what rows come to once they are stored, file by file; nothing stays behind."""
    with contextlib.suppress(_Undone), forge.transaction() as tx:
        for rows in parts:
            forge.builds.submit(read_csv(as_csv(rows, names)), tx=tx)
        found = forge.builds.analysis(tx=tx)
        raise _Undone
    return found


@pytest.fixture(scope="module")
def forge():
    """A forge that keeps nothing from one test to the next."""
    with Forge.open("sqlite://", plugins=[forgekit_sql]) as opened:
        yield opened


@pytest.fixture(scope="module", params=["fold", "stored"])
def way(request, forge):
    """Tells what rows come to: by the fold, and from a database where they are stored."""
    return analysed if request.param == "fold" else lambda rows, names=NAMES: stored(forge, rows, names=names)


def row(number=1, **columns):
    """Return one row of a build that passed."""
    own = dict(zip(NAMES, (number, "org/a", "passed", 60, "2024-01-01 10:00:00", "java", 10, 0), strict=True))
    return {**own, **columns}


def type_7(values, share):
    """Return the linear quantile, as numpy computes it by default, exactly."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * Fraction(share)
    low, high = ordered[int(position)], ordered[min(int(position) + 1, len(ordered) - 1)]
    return float(low + (high - low) * (position - int(position)))


# What holds for every file


@given(TABLES)
def test_builds_projects_statuses_and_languages_are_counted(rows):
    """Every row is in the counts, under its status, its project and, where it has one, its language."""
    found = analysed(rows)
    statuses = [{"started": "running"}.get(each["tr_status"], each["tr_status"]) for each in rows]
    assert (found.n_builds, found.n_projects) == (len(rows), len({each["gh_project_name"] for each in rows}))
    assert found.status_counts == {status: statuses.count(status) for status in set(statuses)}
    languages = [each["gh_lang"] for each in rows if each["gh_lang"] not in {"", "NA"}]
    assert found.language_counts == {language: languages.count(language) for language in set(languages)}


@given(TABLES)
def test_rates_are_shares_of_the_counted_builds(rows):
    """Success, failure and error rate are shares of what ended and was not cancelled; together they are everything."""
    found = analysed(rows)
    statuses = [each["tr_status"] for each in rows if each["tr_status"] in COUNTED]
    expected = {name: Rate(statuses.count(status), len(statuses)) for name, status in (("success", "passed"), ("failure", "failed"))}
    assert (found.success, found.failure) == (expected["success"], expected["failure"])
    assert found.success.numerator + found.failure.numerator + found.error.numerator == len(statuses)
    assert found.overall_success_rate == (statuses.count("passed") / len(statuses) if statuses else 0.0)


@given(TABLES.filter(len))
def test_durations_have_linear_quantiles(rows):
    """Median, 90th percentile and maximum are numpy's, of what is counted."""
    found = analysed(rows)
    values = [each["tr_duration"] for each in rows if each["tr_status"] in COUNTED]
    told = (found.median_duration_seconds, found.p90_duration_seconds, found.max_duration_seconds)
    expected = (type_7(values, "1/2"), type_7(values, "9/10"), max(values)) if values else (0.0, 0.0, 0.0)
    assert told == pytest.approx(expected, rel=1e-12)


@given(TABLES)
def test_projects_are_the_whole_in_parts(rows):
    """Each project's metrics are those of a file with its rows alone, and their counts add up to the whole."""
    found = analysed(rows)
    assert [each.project for each in found.project_metrics] == sorted({each["gh_project_name"] for each in rows})
    assert sum(each.n_builds for each in found.project_metrics) == found.n_builds
    for each in found.project_metrics:
        (alone,) = analysed([own for own in rows if own["gh_project_name"] == each.project]).project_metrics
        assert each == alone


@given(TABLES)
def test_average_tests_are_means_of_the_builds_that_tell(rows):
    """A project's average tests are the mean over its finished builds with a number; builds without one lower nothing."""
    for each in analysed(rows).project_metrics:
        own = [own for own in rows if own["gh_project_name"] == each.project and own["tr_status"] != "started"]
        told = [own["tr_log_num_tests_run"] for own in own if own["tr_log_num_tests_run"] != "NA"]
        assert each.avg_tests_run == (statistics.fmean(told) if told else None)


@given(TABLES)
def test_bottlenecks_take_twice_the_median(rows):
    """Bottlenecks are the projects whose median is over twice the median of all, slowest first, with how many builds they have."""
    found = analysed(rows)
    medians = {each.project: each.median_duration_seconds for each in found.project_metrics}
    slow = sorted((name for name, median in medians.items() if median > 2 * found.median_duration_seconds), key=lambda name: -medians[name])
    assert [each.avg_wait_seconds for each in found.bottlenecks] == [medians[name] for name in slow]
    counts = {each.project: each.n_builds for each in found.project_metrics}
    assert all(each.frequency == counts[each.project] for each in found.bottlenecks)
    assert all(f"builds in {each.project}" == each.transition for each in found.bottlenecks)


@given(TABLES)
def test_the_range_of_dates_is_that_of_the_starts(rows):
    """The first and the last start of any build are the range."""
    starts = [datetime.strptime(each["gh_build_started_at"], SHAPES[0]).replace(tzinfo=UTC) for each in rows]
    found = analysed(rows)
    assert (found.date_range_start, found.date_range_end) == ((min(starts), max(starts)) if starts else (None, None))


@given(TABLES)
def test_json_says_what_the_result_says(rows):
    """The JSON has the names that readers know, with the values of the result; nothing in it is no JSON."""
    found = analysed(rows)
    told = json.loads(found.to_json(), parse_constant=pytest.fail)
    for name in ("n_builds", "n_projects", "overall_success_rate", "overall_failure_rate", "overall_error_rate", "p90_duration_seconds"):
        assert told[name] == getattr(found, name)
    assert told["status_counts"] == dict(found.status_counts)
    assert told["date_range_start"] == (found.date_range_start.isoformat() if found.date_range_start else None)
    assert [each["project"] for each in told["project_metrics"]] == [each.project for each in found.project_metrics]
    assert [each["project"] for each in told["bottlenecks"]] == [each.project for each in found.bottlenecks]


@given(TABLES)
def test_the_context_tells_the_numbers(rows):
    """A language model's context tells counts, rates and durations, and a section only where there is something in it."""
    found = analysed(rows)
    context = found.to_markdown()
    assert f"Total builds analyzed: {found.n_builds:,}" in context
    assert f"Projects: {found.n_projects}" in context
    if found.success.value is not None:
        assert f"Success rate: {found.success.value:.1%}" in context
    assert ("## Bottlenecks" in context) is bool(found.bottlenecks)
    assert ("## Projects at Risk" in context) is bool(found.projects_at_risk)


@given(TABLES.filter(len))
def test_a_frame_is_read_as_the_file_is(rows):
    """What pandas makes of the file comes to the same as the file."""
    pandas = pytest.importorskip("pandas")
    assert analyse(pandas.read_csv(as_csv(rows))) == analysed(rows)


@given(TABLES, st.integers(0, 40))
def test_stored_builds_keep_every_promise(forge, rows, cut):
    """Submitted in one file or in two, and once more, rows come to what the fold says of them: whatever is promised of it holds."""
    assert stored(forge, rows[:cut], rows[cut:], rows) == analysed(rows)


# What a file may lack


def test_a_file_of_names_alone(way):
    """A file with a head and no rows is an analysis of nothing."""
    assert way([]).n_builds == 0
    assert "Total builds analyzed: 0" in way([]).to_markdown()


@pytest.mark.parametrize("missing", ["tr_build_id", "gh_project_name", "tr_status"])
def test_a_column_that_must_be_there(way, missing):
    """A file without a column that every build needs is refused by that column's name."""
    with pytest.raises(InvalidInput) as caught:
        way([row()], [name for name in NAMES if name != missing])
    wanted = "build_id" if missing == "tr_build_id" else missing  # without its first column it is no such file at all
    assert any(problem["pointer"] == f"/{wanted}" for problem in caught.value.data["problems"])


@pytest.mark.parametrize("missing", NAMES[3:])
def test_a_column_that_may_be_missing(way, missing):
    """Durations, starts, languages and tests may be missing: the rest is counted."""
    found = way([row()], [name for name in NAMES if name != missing])
    assert (found.n_builds, found.success) == (1, Rate(1, 1))


# What was measured as wrong there


@given(st.lists(st.tuples(st.integers(0, 10**7), st.sampled_from([*SHAPES, 2, -8, 5.5])), min_size=1, max_size=20))
def test_times_of_any_spelling_are_moments(starts):
    """Offsets, Z, UTC and nothing may be mixed in one column: no time is dropped, and each is counted on its own UTC day."""
    rows, moments = [], []
    for number, (seconds, spelling) in enumerate(starts):
        moment = START + timedelta(seconds=seconds)
        local = moment.astimezone(timezone(timedelta(hours=spelling))).isoformat() if not isinstance(spelling, str) else None
        rows.append(row(number, gh_build_started_at=local or f"{moment:{spelling}}"))
        moments.append(moment)
    found = analysed(rows)
    assert (found.date_range_start, found.date_range_end) == (min(moments), max(moments))
    assert found.health.undated == 0
    assert sum(week.builds for week in found.weekly) == len(rows)
    assert found == analysed([{**each, "gh_build_started_at": f"{moment:{SHAPES[1]}}"} for each, moment in zip(rows, moments, strict=True)])


@given(TABLES, st.randoms(use_true_random=False))
def test_rows_that_come_again_change_nothing(rows, chance):
    """The same builds again, in whatever order and from however many files, come to the same."""
    again = [*rows, *rows]
    chance.shuffle(again)
    assert analysed(again) == analysed(rows)
    assert analyse(Fold.merge(Fold(read_csv(as_csv(rows))), Fold(read_csv(as_csv(again))))) == analysed(rows)


@given(TABLES)
def test_what_has_not_ended_lowers_nothing(rows):
    """Running and cancelled builds are counted, and are in no rate, no duration, no project at risk and no bottleneck's median."""
    with_all, ended = analysed(rows), analysed([each for each in rows if each["tr_status"] in COUNTED])
    for name in ("success", "failure", "error", "duration", "projects_at_risk", "flaky", "mttr"):
        assert getattr(with_all, name) == getattr(ended, name)
    medians = {each.project: (each.success, each.median_duration_seconds) for each in ended.project_metrics}
    for each in with_all.project_metrics:
        assert (each.success, each.median_duration_seconds) == medians.get(each.project, (Rate(0, 0), 0.0))


@given(TABLES, st.lists(st.integers(1, 5), min_size=40, max_size=40))
def test_rows_of_jobs_are_no_builds(rows, jobs):
    """A build that ran several jobs has a row each, and is one build: in the counts, the rates, the durations and the tests' means."""
    split = []
    for each, count in zip(rows, jobs, strict=False):
        tests = each["tr_log_num_tests_run"]
        for job in range(count):
            told = tests if job == 0 or tests == "NA" else 0
            split.append({**each, "tr_job_id": f"{each['tr_build_id']}.{job}", "tr_log_num_tests_run": told})
            split[-1]["tr_log_num_tests_failed"] = each["tr_log_num_tests_failed"] if job == 0 else "NA"
    assert analysed(split, (*NAMES, "tr_job_id")) == analysed(rows)


def test_a_branch_recovers_by_its_own_builds(way):
    """What passes on another branch repairs nothing: a recovery is told of one project, branch and workflow."""
    hours = [f"2024-01-01 {hour:02}:00:00" for hour in range(4)]
    statuses, branches = ["failed", "passed", "failed", "passed"], ["main", "other", "main", "main"]
    rows = [
        row(number, tr_status=status, git_branch=branch, gh_build_started_at=hour)
        for number, (status, branch, hour) in enumerate(zip(statuses, branches, hours, strict=True))
    ]
    found = way(rows, (*NAMES, "git_branch"))
    assert (found.mttr.count, found.mttr.value) == (1, 3 * 3600)
    assert {(edge.before, edge.after): edge.count for edge in found.edges} == {
        (Status.FAILED, Status.FAILED): 1,
        (Status.FAILED, Status.PASSED): 1,
    }


def test_a_long_file_is_read_once():
    """A file is streamed: what reads it asks for each row once, and keeps none."""
    asked = []

    def lines():
        yield ",".join(NAMES) + "\n"
        for number in range(500):
            asked.append(number)
            yield f"{number},org/a,passed,60,2024-01-01 10:00:00,java,10,0\n"

    found = read_csv(lines())
    assert next(found).build_id == "0"
    assert len(asked) <= 3
    assert analyse(found).n_builds == 499
    assert asked == list(range(500))
