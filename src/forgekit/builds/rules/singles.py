"""What each build counts by itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from forgekit.builds.models import BROKEN, COUNTED, FINISHED, BuildRecord, Status
from forgekit.builds.rules.buckets import GAP_DIGITS, bucket
from forgekit.builds.rules.tally import Entry, Measure, Tally

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MINUTE = 60_000
_WASTED = BROKEN | {Status.CANCELED}


def milliseconds(start: datetime, end: datetime) -> int:
    """Return how long it is from start to end in whole ms; 0 where clocks disagree and the end comes first."""
    return (end - start) // _MILLISECOND if end > start else 0


def since_1970(moment: datetime) -> int:
    """Return the moment in whole ms since 1970; at least 1, for an entry of 0 is none."""
    return max(1, (moment - EPOCH) // _MILLISECOND)


def open_since(record: BuildRecord) -> int:
    """Return since when a build is open in whole ms since 1970; 1 where that is unknown."""
    moment = record.started_at or record.queued_at
    return since_1970(moment) if moment else 1


def duration(record: BuildRecord) -> int | None:
    """Return how long an attempt ran in ms, as its system says or else by its times; None where neither tells."""
    if record.duration_seconds is not None:
        return round(record.duration_seconds * 1000)
    if record.started_at is None or record.finished_at is None:
        return None
    return milliseconds(record.started_at, record.finished_at)


def queue_time(record: BuildRecord) -> int | None:
    """Return how long an attempt waited for a machine in ms; None where nobody knows.

    Until its first job starts, counted from the request for a first attempt and from its own start for a re-run, whose request is not
    told. Without jobs it is known of first attempts alone.
    """
    first = record.attempt == 1
    began = record.started_at if first else None
    if record.jobs:
        began = min((job.started_at for job in record.jobs if job.started_at is not None), default=began)
    asked = record.queued_at if first else record.started_at
    return milliseconds(asked, began) if began is not None and asked is not None else None


def minutes(record: BuildRecord) -> int:
    """Return thousandths of the minutes that an attempt is billed: each job's begun minutes at its rate, else the build's own."""
    timed = [
        (milliseconds(job.started_at, job.finished_at), job.rate)
        for job in record.jobs
        if job.started_at is not None and job.finished_at is not None
    ]
    if timed:
        return sum(round(_begun(taken) * rate) for taken, rate in timed)
    return _begun(duration(record))


def _begun(taken: int | None) -> int:
    """Return thousandths of the minutes that so many ms have begun."""
    return -(-(taken or 0) // _MINUTE) * 1000


def measure_singles(records: Iterable[BuildRecord]) -> Tally:
    """Count what every record counts without regard to any other."""
    dated = [(record.project, record.day, record) for record in records]
    finished = [each for each in dated if each[2].status in FINISHED]
    counts: dict[Measure, dict[Entry, int]] = {
        # Lists of entries that C code counts: adding one by one would double the time of the whole fold.
        Measure.BUILDS: Counter([(project, day, record.status) for project, day, record in dated]),
        Measure.LANGUAGES: Counter([(project, day, record.language) for project, day, record in dated if record.language]),
        Measure.ESTIMATED: Counter([(project, day) for project, day, record in finished if record.end_estimated]),
        Measure.OPEN: dict(_open(each) for each in dated if each[2].status not in FINISHED),
        Measure.TESTS: _tests(finished),
        Measure.HEAT: Counter(
            [
                (project, day, moment.hour * 4 + moment.minute // 15, int(record.status is not Status.PASSED))
                for project, day, record in finished
                if record.status in COUNTED and (moment := record.started_at) is not None
            ]
        ),
        **_times(finished),
        **_jobs([each for each in finished if each[2].jobs]),
    }
    return Tally.kept(counts)


Dated = tuple[str, int, BuildRecord]
"""A record behind its project and day, which every entry begins with."""


def _open(dated: Dated) -> tuple[Entry, int]:
    project, day, record = dated
    return (project, day, record.provider, record.build_id, record.attempt), open_since(record)


def _times(finished: Iterable[Dated]) -> dict[Measure, dict[Entry, int]]:
    durations: list[Entry] = []
    queue: list[Entry] = []
    billed: defaultdict[Entry, int] = defaultdict(int)
    for project, day, record in finished:
        status = record.status
        taken = duration(record)
        if taken is not None:
            durations.append((project, day, status, bucket(taken)))
        waited = queue_time(record)
        if waited is not None:
            queue.append((project, day, bucket(waited)))
        cost = minutes(record) if record.jobs else _begun(taken)
        billed[project, day, "all"] += cost
        if status in _WASTED:
            billed[project, day, "wasted"] += cost
    return {Measure.DURATIONS: Counter(durations), Measure.QUEUE: Counter(queue), Measure.MINUTES: billed}


def _tests(finished: Iterable[Dated]) -> dict[Entry, int]:
    entries: defaultdict[Entry, int] = defaultdict(int)
    for project, day, record in finished:
        if (run := record.tests_run) is not None:
            entries[project, day, "run", "n"] += 1
            entries[project, day, "run", "sum"] += run
        if (failed := record.tests_failed) is not None:
            entries[project, day, "failed", "n"] += 1
            entries[project, day, "failed", "sum"] += failed
    return entries


def _jobs(records: Iterable[Dated]) -> dict[Measure, Counter[Entry]]:
    counts: dict[Measure, Counter[Entry]] = {
        measure: Counter() for measure in (Measure.JOBS, Measure.JOB_DURATIONS, Measure.CRITICAL, Measure.STEPS, Measure.VARIANTS)
    }
    for project, day, record in records:
        ended = [job for job in record.jobs if job.status in FINISHED]
        counts[Measure.JOBS].update((project, day, job.name, job.status) for job in ended)
        timed = sorted(
            (job.started_at, job.finished_at, job.name, job.status)
            for job in ended
            if job.started_at is not None and job.finished_at is not None
        )
        counts[Measure.JOB_DURATIONS].update((project, day, name, bucket(milliseconds(start, end))) for start, end, name, _ in timed)
        for start, end, name in _critical_path([each[:3] for each in timed]):
            counts[Measure.CRITICAL][project, day, name] += milliseconds(start, end)
        steps = [f"{name}:{status}" for _, _, name, status in timed]
        for before, after, one, two in zip(timed, timed[1:], steps, steps[1:], strict=False):
            counts[Measure.STEPS][project, day, one, two, bucket(milliseconds(before[1], after[0]), GAP_DIGITS)] += 1
        if steps:
            counts[Measure.VARIANTS][project, day, " → ".join(steps)] += 1
    return counts


def _critical_path(jobs: Sequence[tuple[datetime, datetime, str]]) -> list[tuple[datetime, datetime, str]]:
    """Return the jobs that a run waited for, last first: the one that ended last, the one that ended last before that began, and so on."""
    path: list[tuple[datetime, datetime, str]] = []
    left = sorted(jobs, key=lambda job: (job[1], job[0], job[2]))
    while left:
        path.append(left.pop())
        left = [job for job in left if job[1] <= path[-1][0]]
    return path
