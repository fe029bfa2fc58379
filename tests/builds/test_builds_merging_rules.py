"""What several sightings of one build come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise, permutations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import FINISHED, BuildRecord, Job, Status
from forgekit.builds.rules.merging import combined
from forgekit.errors import UsageError

START = datetime(2026, 3, 1, tzinfo=UTC)
SEEN = BuildRecord(build_id="1", project="a", status="running")


def at(minutes):
    """Return a moment."""
    return START + timedelta(minutes=minutes)


def seen(status="running", **more):
    """Return a sighting of the one build."""
    return attrs.evolve(SEEN, status=Status(status), **more)


def of(*sightings):
    """Return what sightings come to, and see that no order of them comes to anything else."""
    outcomes = [reduce(combined, order) for order in permutations(sightings)]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    return outcomes[0]


moments = st.none() | st.integers(0, 3).map(at)
texts = st.sampled_from([None, "a", "b", "aa"])
numbers = st.none() | st.integers(0, 2)
jobs = st.builds(
    Job,
    name=st.sampled_from(["lint", "test"]),
    status=st.sampled_from(Status),
    started_at=moments,
    finished_at=moments,
    rate=st.sampled_from([1.0, 2.0]),
)
sightings = st.builds(
    BuildRecord,
    build_id=st.just("1"),
    project=st.just("a"),
    status=st.sampled_from(Status),
    **dict.fromkeys(("started_at", "queued_at", "finished_at", "updated_at", "committed_at"), moments),
    **dict.fromkeys(("branch", "commit", "workflow", "event", "actor", "language", "url", "environment"), texts),
    **dict.fromkeys(("duration_seconds", "tests_run", "tests_failed"), numbers),
    end_estimated=st.booleans(),
    jobs=st.lists(jobs, max_size=3),
)


# Laws


@given(sightings, sightings)
def test_it_does_not_matter_which_comes_first(one, other):
    """Both orders of two sightings come to the same."""
    assert combined(one, other) == combined(other, one)


@given(sightings, sightings, sightings)
def test_it_does_not_matter_which_meet_first(one, two, three):
    """However three sightings meet, they come to the same."""
    assert combined(combined(one, two), three) == combined(one, combined(two, three))


@given(sightings, sightings)
def test_a_repetition_tells_nothing(one, other):
    """A sighting that comes again changes nothing, whatever came in between."""
    assert combined(one, attrs.evolve(one)) is one
    both = combined(one, other)
    assert combined(both, one) == combined(both, other) == both


@given(sightings, sightings)
def test_nothing_that_was_told_is_lost(one, other):
    """A field that either tells is told afterwards, each job too; only ``updated_at`` stays with the status that it dates."""
    both = combined(one, other)
    for name in attrs.fields_dict(BuildRecord).keys() - {"updated_at", "end_estimated", "jobs"}:
        told = {getattr(one, name), getattr(other, name)} - {None}
        assert (getattr(both, name) in told) if told else getattr(both, name) is None
    assert {job.name for job in both.jobs} == {job.name for job in (*one.jobs, *other.jobs)}


@given(sightings, sightings)
def test_an_attempt_ends_once_and_stays_ended(one, other):
    """The outcome has ended if and only if one of the sightings has."""
    assert (combined(one, other).status in FINISHED) == (one.status in FINISHED or other.status in FINISHED)


def test_two_builds_are_not_one():
    """Sightings of two attempts are refused."""
    with pytest.raises(UsageError):
        combined(seen(), seen(attempt=2))


# The status


@pytest.mark.parametrize("status", sorted(FINISHED))
def test_a_late_start_does_not_reopen_a_run(status):
    """A run that ended stays so, however new the sighting claims to be that says it runs or waits."""
    late = at(60)
    told = of(seen(status, updated_at=at(5)), seen("running", updated_at=late), seen("queued", updated_at=late))
    assert (told.status, told.updated_at) == (status, at(5))


def test_what_runs_waits_no_more():
    """A late "queued" does not take a run back, however new it claims to be."""
    assert of(seen("running"), seen("queued", updated_at=at(60))).status is Status.RUNNING


def test_the_later_word_holds():
    """Of two ends of one run the status that the system told last holds, and one that is not dated is older than any."""
    told = of(seen("failed", updated_at=at(5)), seen("passed", updated_at=at(9)), seen("errored"))
    assert (told.status, told.updated_at) == (Status.PASSED, at(9))


def test_of_two_words_of_one_moment_the_graver_holds():
    """Where nothing else tells, failed is graver than errored, timed out, passed, canceled and skipped."""
    order = ["skipped", "canceled", "passed", "timed_out", "errored", "failed"]
    for light, grave in pairwise(order):
        assert of(seen(light), seen(grave)).status == grave


# The end


def test_a_known_end_beats_an_estimate():
    """An estimate gives way to a known end, be it later or earlier."""
    for known in (at(1), at(9)):
        told = of(seen("passed", finished_at=at(5), end_estimated=True), seen("passed", finished_at=known))
        assert (told.finished_at, told.end_estimated) == (known, False)


def test_of_two_estimates_the_earlier_is_nearer():
    """A system's "last changed" only moves away from the end."""
    told = of(*(seen("passed", finished_at=at(minutes), end_estimated=True) for minutes in (5, 9)))
    assert (told.finished_at, told.end_estimated) == (at(5), True)


def test_of_two_known_ends_the_later_holds():
    """A system that takes up a run again which had ended tells a second end."""
    assert of(seen("failed", finished_at=at(5)), seen("passed", finished_at=at(9))).finished_at == at(9)


def test_an_estimate_is_better_than_nothing():
    """An end that nobody tells for certain is still an estimate after a sighting that tells none."""
    told = of(seen("passed", finished_at=at(5), end_estimated=True), seen("running"), seen("passed", updated_at=at(9)))
    assert (told.finished_at, told.end_estimated) == (at(5), True)


def test_an_estimate_of_nothing_says_nothing():
    """Who flags an end that is not told does not make anything an estimate."""
    assert of(seen(end_estimated=True), seen(branch="main")).end_estimated is False


# The other fields


def test_the_earliest_times_and_the_greatest_numbers_hold():
    """What a system told first of beginnings, and last of what it counts up."""
    told = of(
        seen(queued_at=at(1), started_at=at(2), committed_at=at(0), duration_seconds=5, tests_run=9, tests_failed=2),
        seen(queued_at=at(3), started_at=at(4), committed_at=at(1), duration_seconds=7, tests_run=8, tests_failed=1),
    )
    assert (told.queued_at, told.started_at, told.committed_at) == (at(1), at(2), at(0))
    assert (told.duration_seconds, told.tests_run, told.tests_failed) == (7, 9, 2)


@pytest.mark.parametrize("name", ["branch", "commit", "workflow", "event", "actor", "language", "url", "environment"])
def test_the_fuller_text_holds(name):
    """Of two texts the longer, and of two as long the last in order; text is never lost to none."""
    told = of(seen(**{name: "bb"}), seen(**{name: "abc"}), seen(**{name: "abd"}), seen())
    assert getattr(told, name) == "abd"


# Jobs


def test_jobs_join_by_their_names():
    """A job that is told twice is one, with what its later telling says; jobs come sorted by name."""
    told = of(
        seen(jobs=[Job(name="test", status="running", started_at=at(1))]),
        seen(jobs=[Job(name="test", status="passed", started_at=at(1), finished_at=at(4))]),
        seen(jobs=[Job(name="lint", status="queued")]),
    )
    expected = (Job(name="lint", status="queued"), Job(name="test", status="passed", started_at=at(1), finished_at=at(4)))
    assert told.jobs == expected


@pytest.mark.parametrize("status", ["passed", "queued"])
def test_jobs_alone_neither_end_nor_reopen_a_run(status):
    """A sighting of a job leaves the run as far as it is, or lets it run."""
    job = seen("running", jobs=[Job(name="test", status="failed", finished_at=at(9))])
    run = seen(status, updated_at=at(5))
    assert of(job, run).status == ("passed" if status == "passed" else "running")


def test_the_further_advanced_telling_of_a_job_holds():
    """A job that ended does not run, one that runs does not wait; of two ends the later holds, then the graver."""
    order = [
        Job(name="test", status="queued", finished_at=at(9)),
        Job(name="test", status="running", finished_at=at(8)),
        Job(name="test", status="passed"),
        Job(name="test", status="failed"),
        Job(name="test", status="failed", finished_at=at(2)),
        Job(name="test", status="passed", finished_at=at(3)),
    ]
    for less, more in pairwise(order):
        assert of(seen(jobs=[less]), seen(jobs=[more])).jobs == (more,)


def test_a_job_started_when_it_last_says_so():
    """A job's start is the latest that is told, and is kept where the end is told without one; so is what a minute costs."""
    told = of(
        seen(jobs=[Job(name="test", status="queued", started_at=at(0), rate=2)]),
        seen(jobs=[Job(name="test", status="running", started_at=at(3))]),
        seen(jobs=[Job(name="test", status="passed", finished_at=at(5))]),
    )
    assert told.jobs == (Job(name="test", status="passed", started_at=at(3), finished_at=at(5), rate=2),)


def test_a_job_that_one_sighting_tells_twice_is_one():
    """Names repeat in one list where a system lists what it took up again."""
    twice = seen(jobs=[Job(name="test", status="failed", finished_at=at(1)), Job(name="test", status="passed", finished_at=at(2))])
    assert combined(twice, seen()).jobs == (Job(name="test", status="passed", finished_at=at(2)),)
