"""Builds imported from GitLab."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import Job, Key, Status
from forgekit.builds.ports import BuildQuery, BuildSourceContext, CountsCalls, SourceProject, TellsJobs
from forgekit.errors import (
    BudgetExhausted,
    InvalidInput,
    RemoteForbidden,
    RemoteMalformed,
    RemoteNotFound,
    RemoteRateLimited,
    RemoteRefused,
    RemoteUnauthorized,
    UsageError,
)
from forgekit.kernel.clock import SystemClock
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.secrets import Secret
from forgekit_ci import GitLabSettings
from forgekit_ci.gitlab import _wire
from forgekit_ci.plugin import open_gitlab

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
ALL = BuildQuery()


def filled(gitlab, number=25):
    """Return a GitLab with a project of so many pipelines, one an hour; every fifth of another branch, every seventh named."""
    gitlab.add_project("acme/team/shop")
    for hour in range(number):
        ref, name = "next" if hour % 5 == 0 else "main", "nightly" if hour % 7 == 0 else None
        gitlab.add_pipeline("acme/team/shop", created=START + timedelta(hours=hour), ref=ref, name=name)
    return gitlab


def ids(pages):
    """Return the ids of the builds on pages, in their order."""
    return [int(build.build_id) for page in pages for build in page.builds]


def test_it_tells_jobs_and_counts_its_calls(fake_gitlab, open_source):
    """The source has two of the optional parts."""
    source = open_source(filled(fake_gitlab(), 1))
    assert isinstance(source, TellsJobs)
    assert isinstance(source, CountsCalls)
    list(source.pages("acme/team/shop", ALL))
    assert source.calls == 2


def test_a_project(fake_gitlab, open_source):
    """A project is told under its own spelling; a private one is not seen without a token."""
    gitlab = fake_gitlab()
    gitlab.add_project("Acme/Shop", private=True, default_branch=None)
    assert open_source(gitlab).project("Acme/Shop") == SourceProject(name="Acme/Shop", private=True)
    with pytest.raises(RemoteNotFound):
        open_source(gitlab, token=None).project("Acme/Shop")


@pytest.mark.parametrize("name", ["shop", "", "a/../b", "a b/c", "/a/b", "a/b/", "a/" + "b" * 500, "ä/b", "7"])
def test_a_name_that_cannot_be_is_not_asked_for(fake_gitlab, open_source, name):
    """A name that is no path is refused without a call."""
    gitlab = fake_gitlab()
    with pytest.raises(InvalidInput):
        open_source(gitlab).project(name)
    assert gitlab.calls == []


def test_a_pipeline_comes_whole(fake_gitlab, open_source):
    """A list tells no times; they are asked for, with GitLab's own duration, unless the pipeline has not begun."""
    gitlab = filled(fake_gitlab(), 1)
    gitlab.add_pipeline("acme/team/shop", created=START + timedelta(hours=1), status="pending")
    ((waiting, build),) = [page.builds for page in open_source(gitlab).pages("acme/team/shop", ALL)]
    assert build.key == Key("gitlab", "acme/team/shop", "1", 1)
    assert (build.started_at, build.finished_at) == (START + timedelta(seconds=5), START + timedelta(minutes=3))
    assert (build.duration_seconds, build.queued_at, build.actor, build.event) == (42, START, "ada", "push")
    assert waiting.status is Status.QUEUED
    assert [call.path.rpartition("/")[2] for call in gitlab.calls] == ["pipelines", "1"]


@pytest.mark.parametrize("counts", [True, False])
def test_all_pipelines_come_newest_first(fake_gitlab, open_source, counts):
    """Every pipeline is on some page, whether the server tells of the next page or not."""
    source = open_source(filled(fake_gitlab(counts=counts)), page_size=10)
    pages = list(source.pages("acme/team/shop", ALL))
    assert ids(pages) == list(range(25, 0, -1))
    assert [page.total for page in pages] == [25 if counts else None] * 3
    assert [page.cursor is None for page in pages] == [False, False, True]


@pytest.mark.parametrize("created_filters", [True, False])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (BuildQuery(branch="next"), [21, 16, 11, 6, 1]),
        (BuildQuery(workflow="nightly"), [22, 15, 8, 1]),
        (BuildQuery(since=START + timedelta(hours=20)), [25, 24, 23, 22, 21]),
        (BuildQuery(until=START + timedelta(hours=3)), [3, 2, 1]),
        (BuildQuery(since=START + timedelta(hours=9), until=START + timedelta(hours=11)), [11, 10]),
        (BuildQuery(since=START + timedelta(days=9)), []),
    ],
)
def test_a_query_is_answered_exactly(fake_gitlab, open_source, query, expected, created_filters):
    """What an older server does not filter is passed over here; there is at least one page."""
    source = open_source(filled(fake_gitlab(created_filters=created_filters)), page_size=4)
    pages = list(source.pages("acme/team/shop", query))
    assert pages
    assert ids(pages) == expected


def test_what_is_older_than_the_query_is_not_read(fake_gitlab, open_source):
    """Old pipelines that changed lately do not keep a reading from its end."""
    gitlab = filled(fake_gitlab(created_filters=False))
    for row in gitlab.pipelines["acme/team/shop"].values():
        row["updated_at"] = "2026-09-01T00:00:00.000Z"
    list(open_source(gitlab, page_size=5).pages("acme/team/shop", BuildQuery(since=START + timedelta(hours=23))))
    assert [call.path.rpartition("/")[2] for call in gitlab.calls].count("pipelines") == 1


@pytest.mark.parametrize("gone", [[], [25, 24, 20]])
def test_a_reading_goes_on_at_any_later_time(fake_gitlab, open_source, gone):
    """Whatever joined the list or left it since, nothing behind the cursor is missed, and nothing comes twice."""
    gitlab = filled(fake_gitlab())
    first = next(open_source(gitlab, page_size=10).pages("acme/team/shop", ALL))
    for number in gone:
        del gitlab.pipelines["acme/team/shop"][number]
    for hour in range(3):
        gitlab.add_pipeline("acme/team/shop", created=START + timedelta(days=2, hours=hour))
    rest = open_source(gitlab, page_size=10).pages("acme/team/shop", ALL, cursor=first.cursor)
    assert ids([first]) + ids(rest) == list(range(25, 0, -1))


@given(st.text(max_size=12).filter(lambda text: ":" not in text) | st.sampled_from(["0:1", "1:0", "1:x", "٣:1", "1:1 "]))
def test_a_cursor_of_somebody_else_is_refused(text):
    """Only what this source wrote is a cursor of its."""
    with pytest.raises(InvalidInput):
        _wire.read_cursor(text)


def test_a_run_as_it_stands_now(fake_gitlab, open_source):
    """A pipeline is told anew; one that is gone is told by nothing, and so is what never was one."""
    source = open_source(filled(fake_gitlab(), 2))
    assert [build.build_id for build in source.run("acme/team/shop", "2")] == ["2"]
    assert source.run("acme/team/shop", "9") == source.run("acme/team/shop", "x/y") == ()


def test_a_deployment_as_it_stands_now(fake_gitlab, open_source):
    """What a webhook told of a deployment can be followed up."""
    gitlab = filled(fake_gitlab(), 1)
    gitlab.deployments["acme/team/shop"][15] = {
        "id": 15,
        "status": "success",
        "ref": "main",
        "sha": "a" * 40,
        "created_at": "2026-03-02T10:00:00Z",
        "updated_at": "2026-03-02T10:05:00Z",
        "environment": {"name": "production"},
        "deployable": {"started_at": "2026-03-02T10:01:00Z", "finished_at": "2026-03-02T10:05:00Z"},
    }
    (build,) = open_source(gitlab).run("acme/team/shop", "deployment-15")
    assert (build.build_id, build.environment, build.status) == ("deployment-15", "production", Status.PASSED)
    assert build.finished_at == START + timedelta(minutes=5)
    assert open_source(gitlab).jobs(build) == ()


def test_the_jobs_of_a_pipeline(fake_gitlab, open_source):
    """All pages of jobs come; a pipeline that is gone has none."""
    gitlab = filled(fake_gitlab(), 2)
    row = {"status": "failed", "started_at": "2026-03-02T10:00:00Z", "finished_at": None}
    gitlab.jobs[1] = [{"id": number, "name": f"job {number}", **row} for number in range(7)]
    source = open_source(gitlab, page_size=3)
    (one,), (two,) = source.run("acme/team/shop", "1"), source.run("acme/team/shop", "2")
    assert source.jobs(one) == [Job(name=f"job {number}", status="failed", started_at=START) for number in range(7)]
    gitlab.pipelines["acme/team/shop"].clear()
    assert source.jobs(two) == ()


def test_a_pipeline_that_is_deleted_meanwhile_is_told_as_it_was_listed(fake_gitlab, open_source):
    """What vanishes between the list and the look is not lost."""
    gitlab = filled(fake_gitlab(), 1)
    gitlab.fail_next(404, path="/pipelines/1")
    (page,) = open_source(gitlab).pages("acme/team/shop", ALL)
    assert [(build.build_id, build.status, build.finished_at) for build in page.builds] == [("1", Status.PASSED, None)]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, b'{"message": "403 Forbidden"}', RemoteForbidden),
        (400, b'{"error": "page is invalid"}', RemoteRefused),
        (418, b"<html>", RemoteRefused),
        (301, b"", RemoteMalformed),
        (200, b"{}", RemoteMalformed),
        (200, b"[1]", RemoteMalformed),
        (200, b'[{"id": 0, "created_at": "2026-03-02T10:00:00Z"}]', RemoteMalformed),
        (200, b'[{"id": 1}]', RemoteMalformed),
        (200, b"nonsense", RemoteMalformed),
    ],
)
def test_each_failure_has_its_error(fake_gitlab, open_source, status, body, error):
    """An answer that is no success, or not of its shape, is told as what it is."""
    gitlab = filled(fake_gitlab(), 1)
    gitlab.fail_next(status, body=body)
    with pytest.raises(error) as caught:
        list(open_source(gitlab).pages("acme/team/shop", ALL))
    assert caught.value.data["system"] == "gitlab"


@pytest.mark.parametrize(("path", "body"), [("/pipelines/1", b"[]"), ("/pipelines/1", b'{"id": 1}'), ("shop", b"{}")])
def test_things_that_are_not_of_their_shape(fake_gitlab, open_source, path, body):
    """A pipeline and a project without what they must have are refused."""
    gitlab = filled(fake_gitlab(), 1)
    gitlab.fail_next(200, path=path, body=body)
    source = open_source(gitlab)
    with pytest.raises(RemoteMalformed):
        source.project("acme/team/shop") if path == "shop" else source.run("acme/team/shop", "1")


def test_a_wrong_token_is_told_without_the_token(fake_gitlab, open_source):
    """The server repeats the token; no error does, nor does any settings' text."""
    source = open_source(filled(fake_gitlab(), 1), token="glpat-wrong")
    with pytest.raises(RemoteUnauthorized) as caught:
        source.project("acme/team/shop")
    assert "glpat" not in repr(caught.value) + str(caught.value.data)
    assert "glpat" not in repr(GitLabSettings(token=Secret("glpat-wrong")))


def test_a_refusal_tells_for_how_long(fake_gitlab, open_source):
    """A 429 blocks the token for as long as it says."""
    gitlab = filled(fake_gitlab(), 1)
    gitlab.fail_next(429, headers={"retry-after": "40"})
    source = open_source(gitlab)
    with pytest.raises(RemoteRateLimited) as caught:
        source.project("acme/team/shop")
    assert caught.value.retry_after == pytest.approx(40, abs=2)
    with pytest.raises(BudgetExhausted):
        source.project("acme/team/shop")


def test_the_last_call_of_a_minute_is_noticed(fake_gitlab, open_source):
    """Where an answer says that nothing is left, the next call waits for the new minute instead of being refused."""
    gitlab = filled(fake_gitlab(), 1)
    gitlab.headers = {"RateLimit-Remaining": "0", "RateLimit-Reset": str(int(time.time()) + 50)}
    source = open_source(gitlab)
    source.project("acme/team/shop")
    with pytest.raises(BudgetExhausted):
        source.project("acme/team/shop")
    assert len(gitlab.calls) == 1


@pytest.mark.parametrize("value", [None, "", "soon", "9" * 11])
def test_a_limit_without_an_end_is_no_limit(fake_gitlab, open_source, value):
    """Headers that make no sense block nobody."""
    gitlab = filled(fake_gitlab(), 1)
    gitlab.headers = {"RateLimit-Remaining": "0"} | ({} if value is None else {"RateLimit-Reset": value})
    source = open_source(gitlab)
    assert source.project("acme/team/shop") == source.project("acme/team/shop")


# Settings


@pytest.mark.parametrize(
    "values",
    [{"url": "ftp://x"}, {"token": Secret("a\nb")}, {"rate_limit": 0}, {"page_size": 101}, {"page_size": 0}, {"rate_limit": 10**6}],
)
def test_settings_that_cannot_work_are_refused(values):
    """Each is wrong by itself."""
    with pytest.raises(ValueError, match=r".+"):
        GitLabSettings(**values)


def test_an_address_may_name_the_interface():
    """``/api/v4`` behind the address is passed over, and makes no other credential."""
    plain, whole = GitLabSettings(url="https://git.example"), GitLabSettings(url="https://git.example/api/v4/")
    assert plain.base_url == whole.base_url == "https://git.example"
    assert plain.credential == whole.credential != GitLabSettings(url="https://git.example", token=Secret("x")).credential


def test_the_source_wants_its_settings(http):
    """It is not opened with those of another."""
    with pytest.raises(UsageError):
        open_gitlab(BuildSourceContext(settings=object(), http=http, clock=SystemClock(), priority=Priority.PEOPLE))
