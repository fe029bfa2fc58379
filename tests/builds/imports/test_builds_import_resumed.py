"""An import that is broken off, or waits: what is here stays, what was fetched is not fetched again, and two do not do the same."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from forgekit.builds.importing import BuildImports
from forgekit.builds.imports import ImportKey, wanted
from forgekit.errors import BudgetExhausted, Conflict, ForgeClosed, RemoteRateLimited, RemoteUnavailable

SHOP = "acme/shop"
HOUR = timedelta(hours=1)


def pages(github):
    """Return how many pages of runs were asked for."""
    return sum(call.path.endswith("/actions/runs") for call in github.calls)


def stop(_done, _total):
    """End an import by hand."""
    raise KeyboardInterrupt


def during(forge, act):
    """Return a progress that does something once."""
    todo = [act]
    return lambda done, total: todo.pop()() if todo else None


# Broken off


def test_what_was_fetched_before_a_fault_stays(any_forge, github, fill):
    """A list that broke off at its third page goes on there; what it brings in the end is all there is."""
    fill(450)
    github.fail_next(500, path="/actions/runs", after=2)
    with pytest.raises(RemoteUnavailable):
        any_forge.builds.import_github(SHOP)
    assert any_forge.builds.count(project=SHOP) == 200
    github.forget_calls()
    report = any_forge.builds.import_github(SHOP)
    assert (report.accepted, report.duplicates, report.complete, pages(github)) == (250, 0, True, 3 + 1)
    assert github.count(status=304) == 1
    assert any_forge.builds.count(project=SHOP) == 450


def test_runs_that_come_meanwhile_are_not_lost(forge, github, fill, clock):
    """After an interruption the rest of the old list is read, then the news."""
    fill(600)
    with pytest.raises(KeyboardInterrupt):
        forge.builds.import_github(SHOP, progress=stop)
    assert forge.builds.count(project=SHOP) == 500
    clock.advance(HOUR)
    fill(7, every=timedelta(minutes=1))
    github.forget_calls()
    report = forge.builds.import_github(SHOP)
    assert (report.accepted, report.complete, forge.builds.count(project=SHOP)) == (107, True, 607)
    assert pages(github) == 1 + 1


def test_a_progress_that_fails_leaves_nothing_locked(forge, github, fill):
    """The error goes up, and the next import begins at once."""
    fill(1)

    def fail(_done, _total):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        forge.builds.import_github(SHOP, progress=fail)
    assert caught.traceback  # which holds on to every frame, as a notebook does
    assert forge.builds.import_github(SHOP).calls == 1


def test_earlier_attempts_are_fetched_after_an_interruption(forge, github, fill):
    """Though the list has gone on, the attempts of its re-runs come at the next import."""
    runs = fill(3, conclusion="failure")
    for run in runs:
        github.rerun(run)
    github.fail_next(500, path="/attempts/")
    with pytest.raises(RemoteUnavailable):
        forge.builds.import_github(SHOP)
    assert forge.builds.count(project=SHOP) == 3
    github.forget_calls()
    assert forge.builds.import_github(SHOP).accepted == 3
    assert (github.count("/attempts/"), pages(github)) == (3, 1)


def test_jobs_that_came_before_a_fault_stay(forge, github, fill):
    """Each job cost a call: those of the runs before the fault are not asked for again."""
    fill(30, jobs=("build",))
    forge.builds.import_github(SHOP)
    github._gate.limit = github.charged + 26
    with pytest.raises(BudgetExhausted):
        forge.builds.import_github(SHOP, jobs=True)
    asked = github.count("/jobs")
    github._gate.limit = 5000
    github.forget_calls()
    forge.clock.advance(2 * HOUR)
    forge.builds.import_github(SHOP, jobs=True)
    assert asked > 20
    assert github.count("/jobs") == 30 - asked


def test_pages_of_another_size_go_on_where_the_smaller_ones_stopped(open_forge, github, fill, tmp_path):
    """Settings may change between two imports: no run is skipped."""
    fill(300)
    url = f"sqlite:///{tmp_path}/forge.db"
    with pytest.raises(KeyboardInterrupt):
        open_forge(github, url, page_size=30).builds.import_github(SHOP, progress=stop)
    larger = open_forge(github, url)
    assert larger.builds.import_github(SHOP).complete
    assert larger.builds.count(project=SHOP) == 300


# Limits


def test_a_secondary_limit_is_told_and_not_waited_for_where_nobody_looks(forge, github, fill):
    """The error says until when; what came before it stays."""
    fill(150)
    github.limit_next(retry_after=90)
    with pytest.raises(RemoteRateLimited, match="used up until 2026-03-05 12:01 UTC; the import goes on from where it stopped") as caught:
        forge.builds.import_github(SHOP)
    assert (caught.value.retry_after, caught.value.data["until"]) == (90.0, "2026-03-05T12:01:30+00:00")
    assert github.count() == 1


@pytest.mark.parametrize(("status", "retry_after", "seconds"), [(403, 90, 90), (429, 90, 90), (403, None, 60), (429, None, 60)])
def test_a_secondary_limit_is_waited_for_where_somebody_looks(forge, github, fill, clock, imports_of, status, retry_after, seconds):
    """After as long as GitHub asks for, or a minute, the import goes on and fetches nothing twice."""
    fill(250)
    began, told = clock.now(), []
    github.limit_next(status=status, retry_after=retry_after)
    report = imports_of(forge, github).run(wanted("github", SHOP), progress=lambda done, total: None, waiting=told.append)
    assert (report.accepted, report.calls, github.count(status=status)) == (250, 4, 1)
    assert told == [began + timedelta(seconds=seconds)] == [clock.now()]


def test_the_hours_limit_is_waited_for_and_never_run_into(forge, github, fill, clock, imports_of):
    """With patience enough the import goes on in the next hour, without a single refusal."""
    fill(250)
    github._gate.limit = 2
    told = []
    report = imports_of(forge, github).run(wanted("github", SHOP), patience=3 * HOUR, waiting=told.append)
    assert (report.accepted, report.complete) == (250, True)
    assert (github.count(status=403), pages(github), len(told)) == (0, 3 + 1, 1)  # and whether anything came meanwhile


def test_a_limit_beyond_the_patience_is_told(forge, github, fill, clock, imports_of):
    """A quarter of an hour is waited for by default; what the hour let through is stored, and the rest comes later."""
    fill(450)
    github._gate.limit = 2
    with pytest.raises(BudgetExhausted, match="budget of calls is used up until 2026-03-05 13:00 UTC"):
        imports_of(forge, github).run(wanted("github", SHOP), progress=lambda done, total: None)
    assert (forge.builds.count(project=SHOP), clock.now().hour) == (200, 12)
    github._gate.limit = 5000
    clock.advance(HOUR + timedelta(seconds=1))
    assert forge.builds.import_github(SHOP).accepted == 250
    assert pages(github) == 5 + 1


def test_limits_that_others_used_up_say_when_the_hour_begins_anew(forge, github, fill):
    """A refusal with nothing left counts to the moment of its reset."""
    fill(1)
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(github.world.now().timestamp()) + 600)}
    for status in (403, 429):
        forge.clock.advance(HOUR)
        headers["x-ratelimit-reset"] = str(int(github.world.now().timestamp()) + 600)
        github.fail_next(status, body=b'{"message":"API rate limit exceeded"}', headers=headers)
        with pytest.raises(RemoteRateLimited) as caught:
            forge.builds.import_github(SHOP)
        assert datetime.fromisoformat(caught.value.data["until"]) == github.world.now() + timedelta(seconds=600)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ForgeClosed])
def test_who_stops_waiting_locks_nobody_out(forge, github, fill, imports_of, error):
    """While a limit is waited for the key is held; when the wait is broken off it is free."""
    fill(1)
    github.limit_next(retry_after=60)

    def pause(_seconds):
        with pytest.raises(Conflict):
            forge.builds.import_github(SHOP)
        raise error

    with pytest.raises(error):
        imports_of(forge, github, pause=pause).run(wanted("github", SHOP), patience=HOUR)
    forge.clock.advance(61)
    assert forge.builds.import_github(SHOP).accepted == 1


def test_a_limit_without_a_time_is_told_as_it_is(forge, clock):
    """Where a system does not say for how long, a program is told its error, and the background waits a minute."""

    class Silent:
        API_VERSION = 1

        def pages(self, project, query, *, cursor=None):
            raise RemoteRateLimited("Too many calls.")

    imports = BuildImports(
        forge.storage, forge.builds, forge._recorder, clock, sources={"silent": lambda _: Silent()}, wake=lambda: None, pause=clock.advance
    )  # fmt: skip
    with pytest.raises(RemoteRateLimited, match="Too many calls"):
        imports.run(wanted("silent", SHOP), patience=HOUR)
    asked = imports.request(wanted("silent", SHOP))
    assert imports.run_due() == 60.0
    assert imports.state(asked.id).retry_at == clock.now() + timedelta(seconds=60)


# Two at once


def test_two_do_not_import_the_same_at_once(any_forge, open_forge, github, fill):
    """The second is refused and told until when at most; another branch may be imported meanwhile."""
    fill(150)
    caught = []

    def second():
        with pytest.raises(Conflict, match="acme/shop is being imported from github already") as refused:
            any_forge.builds.import_github(SHOP)
        caught.append(refused.value.data["until"])
        assert any_forge.builds.import_github(SHOP, branch="next").accepted == 0

    assert any_forge.builds.import_github(SHOP, progress=during(any_forge, second)).accepted == 150
    assert caught == ["2026-03-05T12:01:30+00:00"]


def test_who_gave_no_sign_of_life_loses_the_key(forge, github, fill, clock):
    """When the lease is over another may import; the first one, should it live, stores nothing more and is told."""
    fill(550)

    def overtaken():
        clock.advance(91)
        assert forge.builds.import_github(SHOP).complete

    with pytest.raises(Conflict):
        forge.builds.import_github(SHOP, progress=during(forge, overtaken))
    assert forge.builds.count(project=SHOP) == 550
    assert forge.builds.import_github(SHOP).calls == 1


def test_a_key_that_cannot_be_let_go_becomes_free_by_itself(forge, github, fill, imports_of, clock):
    """Where the storage is gone when an import ends, its error is not the one that is told."""
    fill(1)

    def close(_done, _total):
        forge.close()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        imports_of(forge, github).run(wanted("github", SHOP), progress=close)


def test_the_checkpoint_tells_how_far_it_is(forge, github, fill):
    """What is covered is stored with the builds: up to the newest run, from the beginning."""
    fill(3)
    forge.builds.import_github(SHOP)
    with forge.transaction() as tx:
        point = forge.storage.build_imports(tx).checkpoint(ImportKey(source="github", project=SHOP))
    assert (point.name, point.watermark, point.covered_since, point.cursor, point.holder) == (SHOP, github.world.now(), None, None, None)
