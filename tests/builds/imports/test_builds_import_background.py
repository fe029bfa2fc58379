"""Imports by the worker: rows that tell how they stand, wait by themselves, and go on in another process."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from forgekit.builds.imports import UNFINISHED, ImportStatus
from forgekit.errors import ForgeClosed
from forgekit.testing import FakeGitHub

SHOP = "acme/shop"
HOUR = timedelta(hours=1)


@pytest.fixture
def slices(imports_of):
    """Make the imports of a forge that take turns after each step."""

    def make(forge, github, **options):
        return imports_of(forge, github, monotonic=itertools.count(step=60.0).__next__, **options)

    return make


def standing(forge, asked):
    """Return how an import stands."""
    return forge.builds.import_state(asked.id)


# Asked for


def test_the_worker_imports_what_was_asked_for(any_forge, github, fill):
    """It tells when it began and ended, what came, what it cost, and that it is complete."""
    fill(250)
    asked = any_forge.builds.request_import("github", f" {SHOP} ")
    assert (asked.status, asked.project, github.count()) == (ImportStatus.QUEUED, SHOP, 0)
    any_forge.worker().drain()
    done = standing(any_forge, asked)
    assert (done.status, done.fetched, done.total, done.accepted, done.calls, done.complete) == (ImportStatus.DONE, 250, 250, 250, 3, True)
    assert done.started_at == done.finished_at == github.world.now()
    assert any_forge.builds.import_state("nobody") is None


def test_the_same_is_asked_for_once(forge, github):
    """While an import goes on, asking for it again returns it; other ones, and the same after its end, are new."""
    ask = forge.builds.request_import
    first = ask("github", SHOP)
    assert ask("github", SHOP) == first == ask("github", SHOP, branch="")
    others = [ask("github", SHOP, jobs=True), ask("github", SHOP, branch="main"), ask("github", SHOP, since=github.world.now())]
    forge.worker().drain()
    again = ask("github", SHOP)
    ids = {first.id, again.id, *(each.id for each in others)}
    assert len(ids) == 5
    assert [each.id for each in forge.builds.imports(limit=2)] == sorted(ids, reverse=True)[:2]


def test_many_who_ask_at_once_get_one_import(any_forge):
    """Those who ask for the same take turns: the first makes the import, the others are given it."""
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(lambda _: any_forge.builds.request_import("github", SHOP).id, range(16)))
    assert len(set(asked)) == 1
    assert [each.id for each in any_forge.builds.imports()] == asked[:1]


def test_who_asks_may_change_their_mind(forge):
    """An import is asked for in the caller's transaction, and not where that is rolled back."""
    with pytest.raises(ZeroDivisionError), forge.transaction() as tx:
        forge.builds.request_import("github", SHOP, tx=tx)
        raise ZeroDivisionError
    assert list(forge.builds.imports()) == []


# Turns


def test_progress_is_told_while_it_goes_on(forge, github, fill, slices):
    """After each turn the row tells how many of how many came."""
    fill(1100)
    asked, imports, seen = forge.builds.request_import("github", SHOP), slices(forge, github), []
    while imports.run_due() is not None:
        now = standing(forge, asked)
        seen.append((now.status.value, now.fetched, now.total, now.accepted, now.calls))
    assert seen == [("running", 500, 1100, 500, 5), ("running", 1000, 1100, 1000, 10), ("running", 1100, 1100, 1100, 11)]
    done = standing(forge, asked)
    assert (done.status, done.calls, done.complete) == (ImportStatus.DONE, 11 + 1, True)  # and whether anything came meanwhile
    assert (github.count(), github.count(status=304)) == (12, 1)


def test_imports_take_turns(forge, github, fill, slices):
    """A long import does not keep a short one waiting until its end."""
    fill(700)
    github.add_run("acme/small")
    long, short = (forge.builds.request_import("github", name) for name in (SHOP, "acme/small"))
    imports = slices(forge, github)
    for _ in range(4):
        forge.clock.advance(1)
        imports.run_due()
    assert (standing(forge, long).status, standing(forge, short).status) == (ImportStatus.RUNNING, ImportStatus.DONE)


def test_another_process_goes_on(open_forge, github, fill, slices, tmp_path):
    """After a shutdown between two turns the next worker fetches what is left, and no page again."""
    fill(700)
    url = f"sqlite:///{tmp_path}/forge.db"
    before = open_forge(github, url)
    asked = before.builds.request_import("github", SHOP)
    slices(before, github).run_due()
    before.close()
    after = open_forge(github, url)
    assert (standing(after, asked).status, standing(after, asked).accepted) == (ImportStatus.RUNNING, 500)
    after.worker().drain()
    done = standing(after, asked)
    assert (done.status, done.accepted, done.duplicates, done.complete) == (ImportStatus.DONE, 700, 0, True)
    assert github.count() == done.calls == 7 + 1  # and whether anything came meanwhile


def test_what_another_process_ended_is_forgotten(open_forge, github, fill, slices, tmp_path):
    """A process that had begun an import and lost it takes no harm from its end elsewhere."""
    fill(700)
    url = f"sqlite:///{tmp_path}/forge.db"
    one, other = open_forge(github, url), open_forge(github, url)
    asked = one.builds.request_import("github", SHOP)
    imports = slices(one, github)
    imports.run_due()
    other.worker().drain()
    assert imports.run_due() is None
    assert (standing(one, asked).status, standing(one, asked).accepted) == (ImportStatus.DONE, 700)


def test_a_worker_of_threads_imports(any_forge, github, fill, wait_until):
    """It is woken by the request, and stops when it is told to."""
    fill(120)
    with any_forge.worker():
        asked = any_forge.builds.request_import("github", SHOP)
        done = wait_until(lambda: (state := standing(any_forge, asked)).status not in UNFINISHED and state)
    assert (done.status, done.accepted) == (ImportStatus.DONE, 120)


# Waiting


def test_a_limit_is_waited_for_and_told(forge, github, fill, clock):
    """The row tells in words until when, and goes on by itself; calls that were made are not made again."""
    fill(450)
    github._gate.limit = 2
    asked = forge.builds.request_import("github", SHOP)
    worker = forge.worker()
    worker.drain()
    waits = standing(forge, asked)
    assert (waits.status, waits.fetched, waits.total, waits.code) == (ImportStatus.WAITING, 200, 450, "budget_exhausted")
    assert waits.error == "The budget of calls is used up until 2026-03-05 13:00 UTC; the import goes on from where it stopped."
    assert waits.retry_at == clock.now() + HOUR
    worker.drain()
    assert github.count() == 2
    github._gate.limit = 5000
    clock.advance(HOUR)
    worker.drain()
    done = standing(forge, asked)
    assert (done.status, done.accepted, done.error, done.code, done.retry_at) == (ImportStatus.DONE, 450, None, None, None)
    assert github.count() == done.calls == 5 + 1


def test_what_came_before_a_limit_is_counted(forge, github, fill, clock):
    """An import that is stopped in the middle of a turn tells all that came, then and in the end."""
    fill(1100)
    github._gate.limit = 7
    asked = forge.builds.request_import("github", SHOP)
    forge.worker().drain()
    waits = standing(forge, asked)
    assert (waits.status, waits.accepted, waits.calls) == (ImportStatus.WAITING, 700, 7)
    github._gate.limit = 5000
    clock.advance(HOUR)
    forge.worker().drain()
    done = standing(forge, asked)
    assert (done.status, done.accepted, done.calls) == (ImportStatus.DONE, 1100, github.count())


def test_a_refusal_of_githubs_is_waited_for(forge, github, fill, clock):
    """A secondary limit is told as the system's own."""
    fill(2)
    github.limit_next(retry_after=45)
    asked = forge.builds.request_import("github", SHOP)
    forge.worker().drain()
    waits = standing(forge, asked)
    assert (waits.code, waits.retry_at) == ("remote_rate_limited", clock.now() + timedelta(seconds=45))
    assert waits.error.startswith("The system's limit on calls is used up until 2026-03-05 12:00 UTC")
    clock.advance(45)
    forge.worker().drain()
    assert standing(forge, asked).status is ImportStatus.DONE


def test_who_waits_sees_new_settings(open_forge, github, clock, tmp_path):
    """An import that waits is opened anew: a token that was given meanwhile is used."""
    github.add_run()
    github._gate.anonymous_limit = 0
    url = f"sqlite:///{tmp_path}/forge.db"
    without = open_forge(github, url, token=None)
    asked = without.builds.request_import("github", SHOP)
    without.worker().drain()
    assert standing(without, asked).status is ImportStatus.WAITING
    clock.advance(HOUR + timedelta(seconds=1))
    open_forge(github, url).worker().drain()
    assert standing(without, asked).status is ImportStatus.DONE


def test_an_outage_is_waited_for_ever_longer_and_not_for_ever(forge, github, fill, clock):
    """After ten failures in a row an import has failed; one that succeeds meanwhile begins the count anew."""
    fill(2)
    github.fail_next(500, times=3)
    asked = forge.builds.request_import("github", SHOP)
    waits = []
    for _ in range(3):
        forge.worker().drain()
        state = standing(forge, asked)
        waits.append((state.status, state.failures, (state.retry_at - clock.now()).total_seconds()))
        clock.advance(state.retry_at - clock.now())
    assert waits == [(ImportStatus.WAITING, 1, 2.0), (ImportStatus.WAITING, 2, 4.0), (ImportStatus.WAITING, 3, 8.0)]
    forge.worker().drain()
    assert (standing(forge, asked).status, standing(forge, asked).failures) == (ImportStatus.DONE, 0)
    github.fail_next(500, times=100)
    asked = forge.builds.request_import("github", SHOP)
    for _ in range(11):
        forge.worker().drain()
        clock.advance(HOUR)
    failed = standing(forge, asked)
    assert (failed.status, failed.code, failed.failures) == (ImportStatus.FAILED, "remote_unavailable", 10)


def test_somebody_elses_import_is_waited_for(forge, github, fill, clock):
    """While a program imports the same, the worker's import waits for half a minute."""
    fill(150)

    def meanwhile(_done, _total):
        asked.append(forge.builds.request_import("github", SHOP))
        forge.worker().drain()

    asked = []
    forge.builds.import_github(SHOP, progress=meanwhile)
    waits = standing(forge, asked[0])
    assert (waits.status, waits.code, waits.retry_at) == (ImportStatus.WAITING, "conflict", clock.now() + timedelta(seconds=30))
    clock.advance(30)
    forge.worker().drain()
    assert standing(forge, asked[0]).status is ImportStatus.DONE


# Failures


def test_what_does_not_exist_has_failed_in_words(forge, github):
    """There is nothing to wait for; the row tells what is wrong, for people and for programs."""
    asked = forge.builds.request_import("github", "acme/none")
    forge.worker().drain()
    failed = standing(forge, asked)
    assert (failed.status, failed.code, failed.finished_at) == (ImportStatus.FAILED, "remote_not_found", github.world.now())
    assert failed.error == "GitHub does not know the repository acme/none, or not for this token."


def test_a_fault_of_a_plugin_takes_no_other_import_with_it(forge, github, fill, imports_of, caplog):
    """What is no error of the library's is told by its kind alone, and logged whole; the next import runs."""
    fill(1)
    imports = imports_of(forge, github)
    source = imports._sources["github"]

    def broken(priority):
        imports._sources["github"] = source
        raise ZeroDivisionError("a secret")

    imports._sources["github"] = broken
    first = forge.builds.request_import("github", "acme/other")
    forge.clock.advance(1)
    second = forge.builds.request_import("github", SHOP)
    while imports.run_due() is not None:
        pass
    assert standing(forge, first).error == "Something unexpected happened: ZeroDivisionError."
    assert standing(forge, second).status is ImportStatus.DONE
    assert "ZeroDivisionError: a secret" in caplog.text


def test_a_closing_forge_leaves_its_imports_to_the_next(open_forge, github, fill, imports_of, tmp_path):
    """An import that a shutdown meets goes on later: it has not failed."""
    fill(1)
    url = f"sqlite:///{tmp_path}/forge.db"
    forge = open_forge(github, url)
    asked = forge.builds.request_import("github", SHOP)
    forge.http.close()
    with pytest.raises(ForgeClosed):
        imports_of(forge, github).run_due()
    after = open_forge(github, url)
    assert standing(after, asked).status is ImportStatus.RUNNING
    after.worker().drain()
    assert standing(after, asked).status is ImportStatus.DONE


def test_nothing_to_do_is_done_at_once(forge, github, imports_of):
    """Without an import there is no next time."""
    assert imports_of(forge, github).run_due() is None


def test_two_githubs_are_not_mixed_up(open_forge, github, clock):
    """The budget of a token is its own: a limit that one has reached does not stop another."""
    github.add_run()
    with FakeGitHub(clock=clock) as other:
        other.add_run()
        github.limit_next(retry_after=600)
        first, second = open_forge(github), open_forge(other)
        asked = [each.builds.request_import("github", SHOP) for each in (first, second)]
        for each in (first, second):
            each.worker().drain()
        assert standing(first, asked[0]).status is ImportStatus.WAITING
        assert standing(second, asked[1]).status is ImportStatus.DONE
