"""An import from GitHub in the foreground: what it brings, and what it costs, call by call."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

import forgekit_sql
from forgekit import Forge
from forgekit.builds import BuildRecord, Job, Key, Status
from forgekit.builds.imports import Checkpoint, ImportKey
from forgekit.errors import InvalidInput, NotConfigured, RemoteForbidden, RemoteNotFound, RemoteUnauthorized, UnknownPlugin

SHOP = "acme/shop"
HOUR = timedelta(hours=1)


def statuses(forge, run):
    """Return the attempts of a run that are stored, with how they ended."""
    return {build.attempt: build.status for build in forge.builds.builds(project=SHOP) if build.build_id == str(run)}


# What comes


def test_a_first_import_brings_every_run(any_forge, github, fill):
    """Each run is stored with its times; a call for each hundred, and the progress tells how many of how many."""
    fill(249)
    github.add_run(status="in_progress")
    seen = []
    report = any_forge.builds.import_github(SHOP, progress=lambda done, total: seen.append((done, total)))
    assert (report.fetched, report.accepted, report.updated, report.duplicates, report.open) == (250, 250, 0, 0, 1)
    assert (report.calls, github.count(), report.total, report.complete) == (3, 3, 250, True)
    assert seen[-1] == (250, 250)
    assert any_forge.builds.count(project=SHOP) == 250
    assert any_forge.builds.analysis(project=SHOP).success.denominator == 249


def test_an_unchanged_repository_costs_one_call_that_is_free(forge, github, fill):
    """Where nothing happened, one conditional request is answered 304 and nothing is stored."""
    fill(120)
    forge.builds.import_github(SHOP)
    github.forget_calls()
    report = forge.builds.import_github(SHOP)
    assert (github.count(), github.count(status=304), github.charged) == (1, 1, 0)
    assert (report.fetched, report.accepted, report.calls, report.total, report.complete) == (0, 0, 1, None, None)


def test_only_news_are_fetched(forge, github, fill, clock):
    """Later imports read from a day before the newest known run, which a page of a hundred covers here."""
    fill(250)
    forge.builds.import_github(SHOP)
    github.forget_calls()
    clock.advance(HOUR)
    fill(3, every=timedelta(minutes=1))
    report = forge.builds.import_github(SHOP)
    assert (report.accepted, report.updated, github.count(), report.complete) == (3, 0, 1, True)
    assert report.duplicates == 25  # the day before


def test_past_the_cap_no_call_is_spent_on_finding_windows(forge, github, fill):
    """1,234 runs are 13 calls: each window's first page tells how many it has, and every page is a full one."""
    fill(1234, every=timedelta(minutes=7))
    report = forge.builds.import_github(SHOP)
    assert (report.accepted, report.total, report.complete) == (1234, 1234, True)
    assert github.count() == report.calls == 13
    assert {call.query["per_page"] for call in github.calls} == {"100"}
    assert ["created" in call.query for call in github.calls] == [False] + [True] * 12
    assert len({call.query.get("created") for call in github.calls}) == 3


def test_runs_of_a_time_come_first_and_the_older_ones_when_they_are_asked_for(forge, github, fill):
    """``since`` ends the list; a later import without it reads what is older, and nothing twice."""
    fill(300)
    since = github.world.now() - 49 * HOUR
    assert forge.builds.import_github(SHOP, since=since).accepted == 50
    assert github.count() == 1
    github.forget_calls()
    report = forge.builds.import_github(SHOP)
    assert (report.accepted, report.duplicates, report.total, report.complete) == (250, 0, 250, True)
    assert github.count() == 1 + 3  # nothing new, and 250 older ones
    assert forge.builds.import_github(SHOP, since=since).calls == 1


def test_nothing_within_a_time_does_not_hide_what_is_older(forge, github, fill):
    """An import that found nothing has not seen the list's end: the next one reads it though the page has not changed."""
    fill(2)
    assert forge.builds.import_github(SHOP, since=github.world.now() + HOUR).accepted == 0
    assert forge.builds.import_github(SHOP).accepted == 2


def test_one_branch_or_one_workflow_is_imported_alone(forge, github, fill):
    """Each has a checkpoint of its own; what a fork calls ``main`` does not count as missing."""
    fill(150)
    fill(20, branch="topic", file="nightly.yml", workflow="Nightly")
    fill(3, fork="mallory/shop")
    branch = forge.builds.import_github(SHOP, branch="main")
    assert (branch.accepted, branch.total, branch.complete) == (150, 153, True)
    assert forge.builds.import_github(SHOP, workflow="nightly.yml").accepted == 20
    assert forge.builds.import_github(SHOP).accepted == 3
    assert forge.builds.import_github(SHOP, workflow="nightly.yml").calls == 1


# Attempts


def test_attempts_of_a_run_are_kept_apart(any_forge, github):
    """A list shows the last attempt alone: the earlier ones cost a call each, once."""
    run = github.add_run(conclusion="failure", created_at=github.world.now() - HOUR)
    for conclusion in ("failure", "success"):
        github.rerun(run, conclusion=conclusion)
    report = any_forge.builds.import_github(SHOP)
    assert (report.accepted, report.calls, github.count("/attempts/")) == (3, 3, 2)
    assert statuses(any_forge, run) == {1: Status.FAILED, 2: Status.FAILED, 3: Status.PASSED}
    assert any_forge.builds.analysis(project=SHOP).rescue.numerator == 1
    github.add_run()
    assert any_forge.builds.import_github(SHOP).calls == 1


def test_a_rerun_of_a_known_run_adds_an_attempt(forge, github, clock):
    """The attempt that is known is not fetched again, nor changed."""
    run = github.add_run(conclusion="failure")
    forge.builds.import_github(SHOP)
    clock.advance(HOUR)
    github.rerun(run, conclusion="success")
    report = forge.builds.import_github(SHOP)
    assert (report.accepted, report.updated, report.calls) == (1, 0, 1)
    assert statuses(forge, run) == {1: Status.FAILED, 2: Status.PASSED}


def test_an_attempt_that_is_gone_is_not_waited_for(forge, github):
    """Where GitHub does not know an earlier attempt any more, the later ones are stored all the same."""
    run = github.add_run(conclusion="failure")
    github.rerun(run)
    github.fail_next(404, path="/attempts/1")
    assert forge.builds.import_github(SHOP).accepted == 1
    assert forge.builds.import_github(SHOP).calls == 1


# Runs that had not ended


def test_open_runs_are_fetched_again_until_they_end(forge, github, fill):
    """One behind the newest page costs a call each time; one on it costs none."""
    old = github.add_run(status="in_progress", created_at=github.world.now() - 200 * HOUR)
    fill(150)
    new = github.add_run(status="queued")
    assert forge.builds.import_github(SHOP).open == 2
    github.forget_calls()
    report = forge.builds.import_github(SHOP)
    assert (report.open, report.calls, github.count(f"/runs/{old}"), report.updated) == (2, 2, 1, 0)
    for run in (old, new):
        github.finish_run(run, "failure")
    report = forge.builds.import_github(SHOP)
    assert (report.open, report.calls, report.updated) == (0, 2, 2)
    assert (statuses(forge, old), statuses(forge, new)) == ({1: Status.FAILED}, {1: Status.FAILED})
    assert forge.builds.import_github(SHOP).calls == 1


def test_an_open_rerun_is_asked_for_with_its_attempts(forge, github, fill):
    """A re-run that is open does not tell when the run was created: it is asked for though the page has not changed."""
    run = github.add_run(conclusion="failure")
    github.rerun(run, conclusion=None)
    assert forge.builds.import_github(SHOP).open == 1
    assert forge.builds.import_github(SHOP).calls == 3  # the page, the run, its first attempt
    github.finish_run(run)
    assert forge.builds.import_github(SHOP).open == 0
    assert statuses(forge, run) == {1: Status.FAILED, 2: Status.PASSED}


def test_an_open_run_that_is_deleted_counts_as_cancelled(forge, github, fill):
    """It would never end otherwise, and cost a call for ever."""
    run = github.add_run(status="in_progress", created_at=github.world.now() - 200 * HOUR)
    fill(100)
    forge.builds.import_github(SHOP)
    github.delete_run(run)
    assert forge.builds.import_github(SHOP).open == 0
    assert statuses(forge, run) == {1: Status.CANCELED}
    assert forge.builds.import_github(SHOP).calls == 1


def test_what_only_webhooks_tell_of_is_left_alone(forge, github):
    """A deployment that goes on is none of GitHub's runs: an import neither asks for it nor ends it."""
    github.add_run()
    deployment = BuildRecord(provider="github", project=SHOP, build_id="deployment-7", status="running", started_at=github.world.now())
    other = BuildRecord(provider="gitlab", project=SHOP, build_id="7", status="running", started_at=github.world.now())
    forge.builds.observe([deployment, other])
    report = forge.builds.import_github(SHOP)
    assert (report.open, report.calls) == (1, 1)
    assert [forge.builds.build(each.key).status for each in (deployment, other)] == [Status.RUNNING] * 2


# Jobs


def test_jobs_cost_a_call_a_run_and_only_once(forge, github, fill):
    """With them the end of a run is known, and no estimate any more."""
    runs = fill(25, jobs=("build", "test"))
    report = forge.builds.import_github(SHOP, jobs=True)
    assert (report.accepted, report.updated, report.calls, github.count("/jobs")) == (25, 25, 26, 25)
    build = forge.builds.build(Key("github", SHOP, str(runs[0]), 1))
    assert ([job.name for job in build.jobs], build.end_estimated) == (["build", "test"], False)
    assert forge.builds.import_github(SHOP, jobs=True).calls == 1


def test_jobs_are_wanted_of_what_ended_since(forge, github, fill):
    """Runs that go on, and those before the time that is asked for, cost no call for jobs."""
    fill(5, jobs=("build",))
    github.add_run(status="in_progress")
    forge.builds.import_github(SHOP)
    seen = []
    since = github.world.now() - 2 * HOUR
    forge.builds.import_github(SHOP, since=since, jobs=True, progress=lambda done, total: seen.append((done, total)))
    assert github.count("/jobs") == 3
    assert seen[-1][0] == 3


def test_since_counts_from_the_beginning_of_its_second(forge, github, clock):
    """A run of the second in which the wanted time began comes, and so do its jobs: GitHub tells no fractions."""
    clock.advance(timedelta(milliseconds=700))
    since = clock.now()
    run = github.add_run(jobs=("build",), created_at=since)
    report = forge.builds.import_github(SHOP, since=since, jobs=True)
    assert (report.accepted, github.count("/jobs")) == (1, 1)
    assert [job.name for job in forge.builds.build(Key("github", SHOP, str(run), 1)).jobs] == ["build"]
    assert forge.builds.request_import("github", SHOP, since=since).since == since.replace(microsecond=0)


def test_jobs_whose_end_a_webhook_did_not_tell_are_mended(forge, github):
    """A job that still runs though its run ended is fetched."""
    run = github.add_run()
    job = Job(name="build", status="running", started_at=github.world.now())
    forge.builds.observe([BuildRecord(provider="github", project=SHOP, build_id=str(run), status="running", jobs=[job])])
    forge.builds.import_github(SHOP, jobs=True)
    assert [job.status for job in forge.builds.build(Key("github", SHOP, str(run), 1)).jobs] == [Status.PASSED]


# Errors in words


def test_an_unknown_repository_is_told(forge, github, open_forge):
    """Its name is in the error; without a token the error says that one may be missing."""
    with pytest.raises(RemoteNotFound, match="does not know the repository acme/none, or not for this token"):
        forge.builds.import_github("acme/none")
    github.add_repository("acme/secret", private=True)
    without = open_forge(github, token=None)
    with pytest.raises(RemoteNotFound, match="acme/secret, or not without a token"):
        without.builds.import_github("acme/secret")


def test_a_refused_token_is_told(open_forge, github):
    """The error says that it is the token, and does not repeat it."""
    with pytest.raises(RemoteUnauthorized, match="refuses the token") as caught:
        open_forge(github, token="ghp_wrong").builds.import_github(SHOP)
    assert "ghp_wrong" not in str(caught.value)


def test_a_token_that_may_not_is_told(forge, github):
    """GitHub's own reason is in the error."""
    github.fail_next(403, body=b'{"message":"Resource not accessible by personal access token"}')
    with pytest.raises(RemoteForbidden, match="does not permit to see the repository acme/shop: Resource not accessible"):
        forge.builds.import_github(SHOP)


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"project": " "}, "/project"),
        ({"project": "shop"}, "/project"),
        ({"project": "a\0b/c"}, "/project"),
        ({"project": SHOP, "branch": "x" * 501}, "/branch"),
        ({"project": SHOP, "workflow": "a\nb"}, "/workflow"),
        ({"project": SHOP, "since": datetime(2026, 3, 1)}, "/since"),  # noqa: DTZ001 - without a zone
        ({"project": SHOP, "since": date(2026, 3, 1)}, "/since"),
        ({"project": None}, "/project"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_without_a_call(forge, github, asked, pointer):
    """Each mistake is told with its place."""
    with pytest.raises(InvalidInput) as caught:
        forge.builds.import_builds("github", **asked)
    assert [problem["pointer"] for problem in caught.value.data["problems"]] == [pointer]
    assert github.count() == 0


def test_an_unknown_source_is_told(forge):
    """The error names what there is; asking in the background is refused just so."""
    for ask in (forge.builds.import_builds, forge.builds.request_import):
        with pytest.raises(UnknownPlugin, match="offered: github"):
            ask("travis", SHOP)
    with Forge.open("sqlite://", plugins=[forgekit_sql]) as alone, pytest.raises(UnknownPlugin, match="offered: none"):
        alone.builds.import_github(SHOP)


# How a forge comes by its settings


def test_the_environment_configures_it(github, clock, fill):
    """An installed plugin is found, and its address and token are read from the environment: a private repository is seen."""
    github.add_repository("acme/secret", private=True)
    github.add_run("acme/secret")
    environ = {"GITHUB_API_URL": github.url, "GITHUB_TOKEN": github.token}
    with Forge.open("sqlite://", discover=True, environ=environ, clock=clock) as forge:
        assert forge.builds.import_github("acme/secret").accepted == 1


def test_settings_that_are_missing_are_told(clock):
    """A source whose settings are not whole is not opened."""
    from forgekit.builds.ports import BuildSourceAdapter
    from forgekit.kernel.settings import setting, settings
    from forgekit.markers import hookimpl

    @settings("mill", env_prefix="MILL_")
    class MillSettings:
        url: str | None = setting(default=None, needed=True)

    class Plugin:
        @hookimpl
        def forgekit_build_sources(self):
            return {"mill": BuildSourceAdapter(settings=MillSettings, open=lambda context: None)}

    with (
        Forge.open("sqlite://", plugins=[forgekit_sql, Plugin()], environ={}, clock=clock) as forge,
        pytest.raises(NotConfigured, match="mill"),
    ):
        forge.builds.import_builds("mill", SHOP)


# What is here already


def test_a_renamed_repository_is_imported_under_its_present_name(forge, github):
    """The old name leads to the new one, and what is open is found there."""
    github.add_run(status="in_progress")
    github.rename_repository(SHOP, "acme/store")
    assert forge.builds.import_github(SHOP).open == 1
    assert forge.builds.projects() == ["acme/store"]
    assert forge.builds.import_github(SHOP).calls == 2  # the old name is redirected each time


def test_builds_past_the_retention_are_passed_over(github, fill, clock, configuration):
    """They are fetched and not stored, and their earlier attempts are not asked for."""
    old = github.add_run(conclusion="failure", created_at=github.world.now() - timedelta(days=100))
    github.rerun(old, at=github.world.now() - timedelta(days=90))
    fill(3)
    config = {**configuration(github), "builds": {"retention_days": 60}}
    with Forge.open("sqlite://", discover=True, config=config, environ={}, clock=clock) as forge:
        report = forge.builds.import_github(SHOP)
        assert (report.accepted, report.total, report.complete, report.calls) == (3, 4, True, 1)


def test_a_cursor_of_another_version_is_not_the_end(forge, github, fill):
    """Where the source does not know the place that was stored, the list is read from its beginning, changed or not."""
    fill(3)
    forge.builds.import_github(SHOP)
    with forge.transaction() as tx:
        imports = forge.storage.build_imports(tx)
        known = imports.checkpoint(ImportKey(source="github", project=SHOP))
        imports.save_checkpoint(Checkpoint(key=known.key, cursor="of another version", mark=known.mark))
    report = forge.builds.import_github(SHOP)
    assert (report.duplicates, report.complete) == (3, True)
    assert forge.builds.import_github(SHOP).calls == 1


def test_webhooks_and_an_import_come_to_the_same_builds(open_forge, github, clock):
    """Whether webhooks came before an import, after it or twice, the same builds are stored."""
    run = github.add_run(status="queued")
    github.start_run(run)
    clock.advance(60)
    github.finish_run(run, "failure")
    github.rerun(run)
    before, after = open_forge(github), open_forge(github)
    for forge, steps in ((before, ("hear", "import")), (after, ("import", "hear", "hear"))):
        for step in steps:
            if step == "import":
                forge.builds.import_github(SHOP)
                continue
            for delivery in github.deliveries:
                forge.webhooks.receive("github", dict(delivery.headers), delivery.body)
            forge.worker().drain()
    assert list(before.builds.builds(project=SHOP)) == list(after.builds.builds(project=SHOP))
    assert statuses(before, run) == {1: Status.FAILED, 2: Status.PASSED}
