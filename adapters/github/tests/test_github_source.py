"""The source against FakeGitHub: what it costs, and what it says when things go wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from forgekit.builds import Status
from forgekit.builds.ports import BuildQuery, CountsCalls, TellsAttempts, TellsJobs, TellsNews
from forgekit.errors import (
    BudgetExhausted,
    InvalidInput,
    RemoteForbidden,
    RemoteMalformed,
    RemoteNotFound,
    RemoteRateLimited,
    RemoteRefused,
    RemoteUnauthorized,
    RemoteUnavailable,
    UsageError,
)
from forgekit_github.plugin import forgekit_build_readers, forgekit_build_sources

EVERYTHING = BuildQuery()


def _fill(github, count, **values):
    now = github.world.now()
    return [github.add_run(created_at=now - timedelta(minutes=count - number), **values) for number in range(count)]


def _listed(source, query=EVERYTHING, project="acme/shop"):
    return [build for page in source.pages(project, query) for build in page.builds]


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (1000, 10), (1001, 11), (2345, 24)])
def test_a_list_costs_a_call_for_each_hundred_runs(github, source, count, calls):
    """Past GitHub's thousand too: windows are found without a call for finding them."""
    github.add_repository("acme/shop")
    made = _fill(github, count)
    assert {build.build_id for build in _listed(source)} == {str(run) for run in made}
    assert (github.count(), source.calls) == (calls, calls)


def test_it_has_every_optional_part(source):
    """The importer finds all that the port offers."""
    assert all(isinstance(source, part) for part in (TellsJobs, TellsAttempts, TellsNews, CountsCalls))


def test_news_cost_nothing_where_there_are_none(github, source):
    """With a token a 304 is not counted; without one it is."""
    github.add_run()
    mark = source.newest("acme/shop", EVERYTHING).mark
    charged = github.charged
    assert source.newest("acme/shop", EVERYTHING, mark=mark).page is None
    assert (github.charged, github.count(status=304)) == (charged, 1)
    assert source.newest("acme/shop", EVERYTHING, mark="no mark\r\n").page is not None


def test_private_repositories_need_a_token(github, open_source):
    """Without a token, or with another's, a private one looks as if it were not there."""
    github.add_repository("acme/secret", private=True)
    assert open_source(github).project("acme/secret").private
    for token in (None, github.add_token()):
        with pytest.raises(RemoteNotFound, match="acme/secret"):
            open_source(github, token=token).project("acme/secret")


def test_a_public_repository_needs_none(github, open_source):
    """Anybody may read what is public."""
    github.add_run()
    assert len(_listed(open_source(github, token=None))) == 1


def test_a_bad_token_is_refused(github, open_source):
    """The error says that it is the token, and does not repeat it."""
    with pytest.raises(RemoteUnauthorized) as caught:
        open_source(github, token="ghp_wrong").project("acme/shop")
    assert "ghp_wrong" not in str(caught.value) + repr(caught.value.data)


def test_a_renamed_repository_is_followed(github, source):
    """The old name leads to the new one, under which its builds are stored."""
    _fill(github, 3)
    github.rename_repository("acme/shop", "acme/store")
    assert source.project("acme/shop").name == "acme/store"
    assert {build.project for build in _listed(source)} == {"acme/store"}


@pytest.mark.parametrize("location", ["https://elsewhere.example/repositories/7", "/repos/a/b", "{url}/user", "{url}/repositories/../x"])
def test_no_redirect_leads_elsewhere(github, source, location):
    """A token is sent to GitHub's repositories alone."""
    github.fail_next(301, headers={"location": location.format(url=github.url)})
    with pytest.raises(RemoteMalformed):
        source.project("acme/shop")
    assert github.count() == 1


def test_an_unknown_workflow_is_named(github, source):
    """The error names the workflow; of a path its file is asked for."""
    github.add_run(file="ci.yml")
    assert len(_listed(source, BuildQuery(workflow=".github/workflows/ci.yml"))) == 1
    with pytest.raises(RemoteNotFound, match=r"nightly\.yml"):
        _listed(source, BuildQuery(workflow="nightly.yml"))


def test_a_forks_branch_is_another_branch(github, source):
    """A fork's ``main`` is not the project's, though GitHub lists it as such."""
    own = github.add_run(branch="main")
    github.add_run(branch="main", fork="mallory/shop", event="pull_request")
    assert {build.branch for build in _listed(source)} == {"main", "mallory:main"}
    assert [build.build_id for build in _listed(source, BuildQuery(branch="main"))] == [str(own)]


def test_jobs_of_a_rerun_are_its_own(github, source):
    """Jobs that a re-run of the failed ones took over ran in the attempt before."""
    run = github.add_run(conclusion="failure", jobs=("build", "test"), failing=("test",))
    github.rerun(run, failed_only=True)
    first, second = source.run("acme/shop", str(run))
    assert [(job.name, job.status) for job in source.jobs(first)] == [("build", Status.PASSED), ("test", Status.FAILED)]
    assert [(job.name, job.status) for job in source.jobs(second)] == [("test", Status.PASSED)]


def test_many_jobs_are_read_page_by_page(github, open_source):
    """An attempt with more jobs than fit on a page has them all."""
    run = github.add_run(jobs=[f"job {number}" for number in range(15)])
    source = open_source(github, page_size=7)
    assert len(source.jobs(source.run("acme/shop", str(run))[0])) == 15
    assert github.count("/jobs") == 3


def test_what_has_no_jobs_is_not_asked_for_them(github, source):
    """Runs that failed to start, and what is no run, cost no call; one that is gone has none."""
    startup = github.add_run(conclusion="startup_failure")
    gone = github.add_run()
    builds = {build.build_id: build for build in _listed(source)}
    calls = github.count()
    assert source.jobs(builds[str(startup)]) == ()
    with pytest.raises(InvalidInput):
        source.run("acme/shop", "deployment-7")
    assert github.count() == calls
    github.delete_run(gone)
    assert source.jobs(builds[str(gone)]) == ()


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(("retry_after", "seconds"), [(30, 30.0), (None, 60.0)])
def test_a_secondary_limit_is_an_error_that_says_until_when(github, source, status, retry_after, seconds):
    """Either status means the same; a minute is waited where GitHub does not say. Nobody calls before that."""
    github.limit_next(status=status, retry_after=retry_after)
    with pytest.raises(RemoteRateLimited) as caught:
        source.project("acme/shop")
    assert caught.value.retry_after == seconds
    assert caught.value.data["until"].startswith("2026-03-05T12:0")
    with pytest.raises(BudgetExhausted):
        source.project("acme/shop")
    assert github.count() == 1


def test_the_limit_an_hour_is_not_run_into(github, clock, open_source):
    """When the last call of the hour was made, the next one is not sent before the hour is over."""
    github._gate.limit = 2
    github.add_repository("acme/shop")
    source = open_source(github)
    for _ in range(2):
        source.project("acme/shop")
    with pytest.raises(BudgetExhausted) as caught:
        source.project("acme/shop")
    assert 3500 < caught.value.retry_after <= 3600
    assert github.count(status=403) == 0
    clock.advance(3601)
    assert source.project("acme/shop").name == "acme/shop"


def test_a_limit_that_others_used_up_is_told(github, source):
    """A refusal with nothing left says until when by the moment of its reset."""
    reset = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(github.world.now().timestamp()) + 90)}
    github.fail_next(403, body=b'{"message":"API rate limit exceeded"}', headers=reset)
    with pytest.raises(RemoteRateLimited) as caught:
        source.project("acme/shop")
    assert caught.value.retry_after == 90.0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 403, "body": b'{"message":"Resource not accessible by integration"}'}, RemoteForbidden),
        ({"status": 403, "body": b"<html>"}, RemoteForbidden),
        ({"status": 422, "body": b'{"message":"Validation failed"}'}, RemoteRefused),
        ({"status": 410, "body": b"{}"}, RemoteNotFound),
        ({"status": 500}, RemoteUnavailable),
        ({"status": 200, "body": b"[]"}, RemoteMalformed),
        ({"status": 200, "body": b"nothing"}, RemoteMalformed),
        ({"status": 304}, RemoteMalformed),
    ],
)
def test_answers_become_errors(github, source, answer, error):
    """Whatever GitHub answers is one of the library's errors."""
    github.fail_next(**answer)
    with pytest.raises(error):
        source.project("acme/shop")


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"workflow_runs":{}}',
        b'{"workflow_runs":[1]}',
        b'{"workflow_runs":[{"id":1}]}',
        b'{"workflow_runs":[{"created_at":"x"}]}',
        b'{"workflow_runs":[{"id":1,"created_at":"2026-03-05T12:00:00Z"}]}',
    ],
)
def test_a_list_of_another_shape_is_malformed(github, source, body):
    """An answer that is no list of runs is told as such."""
    github.fail_next(200, body=body)
    with pytest.raises(RemoteMalformed):
        _listed(source)


def test_an_unasked_304_is_malformed(github, source):
    """A list that claims not to have changed though nobody asked is no list."""
    github.fail_next(304)
    with pytest.raises(RemoteMalformed):
        _listed(source)


def test_a_short_outage_is_not_noticed(github, source):
    """A bad gateway and a broken connection are tried again."""
    github.add_run()
    github.fail_next(502)
    github.drop_connection()
    assert len(_listed(source)) == 1


@pytest.mark.parametrize("name", ["shop", "acme/", "/shop", "acme/shop/x", "acme/..", "../shop", "acme/sh op", ""])
def test_a_name_that_cannot_be_costs_no_call(github, source, name):
    """What is no repository's name is refused before anything is sent."""
    with pytest.raises(InvalidInput):
        source.project(name)
    assert github.count() == 0


def test_it_is_opened_with_its_own_settings_only():
    """A mistake in wiring is told at once."""
    adapter = forgekit_build_sources()["github"]
    with pytest.raises(UsageError):
        adapter.open(type("Context", (), {"settings": object()})())
    assert list(forgekit_build_readers()) == ["github"]


def test_a_reset_that_makes_no_sense_is_a_minute(github, source):
    """Where nothing is left and nothing tells until when, a minute is waited."""
    github.fail_next(403, body=b"{}", headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"})
    with pytest.raises(RemoteRateLimited) as caught:
        source.project("acme/shop")
    assert caught.value.retry_after == 60.0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"api_url": "ftp://example.com"}, "must begin with http"),
        ({"token": "two\nlines"}, "Authorization"),
        ({"page_size": 101}, "page_size"),
        ({"rate_limit": 0}, "rate_limit"),
    ],
)
def test_settings_that_cannot_be_are_refused(github, settings_of, changes, told):
    """Each mistake is told, and no secret is repeated."""
    with pytest.raises(ValueError, match=told) as caught:
        settings_of(github, **changes)
    assert "lines" not in str(caught.value)


def test_a_budget_belongs_to_an_address_and_a_token(github, settings_of):
    """Another token, or the same at another address, has calls of its own; nothing gives the token away."""
    settings = settings_of(github)
    others = [settings_of(github, token="other"), settings_of(github, api_url="https://example.com"), settings_of(github, token=None)]
    assert len({each.credential for each in (settings, *others)}) == 4
    assert settings.credential == settings_of(github, api_url=f"{github.url}/").credential
    assert github.token not in settings.credential + repr(settings)
