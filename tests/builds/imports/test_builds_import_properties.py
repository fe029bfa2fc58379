"""Whatever a system's history and wherever an import is broken off, in the end all is here as it is there."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forgekit.builds import BuildRecord
from forgekit.builds.importing import BuildImports
from forgekit.builds.imports import wanted
from forgekit.builds.ports import BuildPage
from forgekit.errors import RemoteUnavailable

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
_numbers = itertools.count()


class Killed(BaseException):
    """What no import takes for an error of the system's."""


@attrs.define
class Mill:
    """A system that tells of its builds a few at a time, in their latest attempts; every call may break off, softly or by hand."""

    size: int
    breaks: list
    runs: dict = attrs.field(factory=dict)
    API_VERSION = 1

    def add(self, hours, *ends):
        """Make a run with these attempts; None is one that goes on."""
        self.runs[str(len(self.runs))] = (hours, list(ends))

    def records(self, project, number):
        """Return every attempt of a run."""
        hours, ends = self.runs[number]
        told = []
        for attempt, end in enumerate(ends, start=1):
            created = NOW + timedelta(hours=hours, minutes=attempt - 1)
            done = {"finished_at": created + timedelta(seconds=30)} if end else {}
            told.append(
                BuildRecord(
                    build_id=number, project=project, provider="mill", attempt=attempt, status=end or "running",
                    queued_at=created, started_at=created, updated_at=created + timedelta(seconds=30 if end else 0), **done,
                )
            )  # fmt: skip
        return told

    def _call(self):
        broken = self.breaks.pop(0) if self.breaks else None
        if broken is not None:
            raise broken

    def pages(self, project, query, *, cursor=None):
        found = sorted(((hours, number) for number, (hours, _) in self.runs.items()), reverse=True)
        found = [each for each in found if query.since is None or NOW + timedelta(hours=each[0]) >= query.since]
        if cursor is not None:
            hours, _, number = cursor.partition("/")
            found = [each for each in found if each < (int(hours), number)]
        while True:
            self._call()
            page, found = found[: self.size], found[self.size :]
            cursor = f"{page[-1][0]}/{page[-1][1]}" if found else None
            yield BuildPage(builds=[self.records(project, number)[-1] for _, number in page], cursor=cursor)
            if cursor is None:
                return

    def run(self, project, build_id):
        self._call()
        return self.records(project, build_id)

    def earlier(self, build):
        self._call()
        return self.records(build.project, build.build_id)[: build.attempt - 1]


ends = st.lists(st.sampled_from(["passed", "failed", "canceled"]), max_size=2)
lasts = st.sampled_from(["passed", "failed", None])
histories = st.lists(st.tuples(st.integers(-60, 0), ends, lasts), max_size=12)
news = st.lists(st.tuples(st.integers(0, 60), ends, lasts), max_size=12)
faults = st.lists(st.sampled_from([None, None, RemoteUnavailable("away"), Killed()]), max_size=12)


@given(histories, faults, st.integers(1, 4), news, faults)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_all_is_here_as_it_is_there(forge, clock, history, breaks, size, later, more_breaks):
    """Runs with re-runs and open ones, pages of any size, builds that come and end meanwhile, and breaks anywhere."""
    mill, project = Mill(size, list(breaks)), f"p{next(_numbers)}"
    imports = BuildImports(
        forge.storage, forge.builds, forge._recorder, clock, sources={"mill": lambda _: mill}, wake=lambda: None, pause=lambda _: None
    )  # fmt: skip
    for happened, broken in ((history, breaks), (later, more_breaks)):
        for hours, before, last in happened:
            mill.add(hours, *before, last)
        mill.breaks = list(broken)
        while True:
            try:
                imports.run(wanted("mill", project))
            except (RemoteUnavailable, Killed):
                continue
            break
        # What was open ends, which the next import sees.
        for _, attempts in mill.runs.values():
            attempts[-1] = attempts[-1] or "passed"
    mill.breaks = []
    imports.run(wanted("mill", project))
    again = imports.run(wanted("mill", project))
    there = {record.key: record for number in mill.runs for record in mill.records(project, number)}
    assert {build.key: build for build in forge.builds.builds(project=project)} == there
    assert (again.accepted, again.updated, again.open) == (0, 0, 0)
