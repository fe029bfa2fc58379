from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds.imports import BuildImport, ImportStatus
from forgekit_console.builds.orders import Filters, Order
from forgekit_console.builds.wording import told

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=7)
TIME = '<time datetime="2026-03-01T12:37:00+00:00" data-clock>12:37 UTC</time>'


def view(status, **fields):
    """Return an import in words."""
    one = BuildImport(id="i", source="github", project="acme/shop", status=ImportStatus(status), requested_at=NOW, **fields)
    return told(one, NOW)


WORDS = [
    (view("queued"), "off", "It begins in a moment."),
    (view("running"), "good", "Asking GitHub"),
    (view("running", fetched=1200), "good", "Fetching 1,200 runs"),
    (view("running", fetched=3, total=9000, jobs=True), "good", "Fetching 3 of 9,000: runs, then the jobs of each"),
    (view("done", fetched=3, accepted=2, updated=1, complete=True), "good", "2 new, 1 changed, 0 known."),
    (view("done", complete=True), "good", "There was nothing new."),
    (view("done", fetched=3, accepted=3, complete=False), "warn", "import again for the rest."),
    (view("failed", error="Odd", code="remote_refused"), "bad", "Odd."),
    (view("failed"), "bad", "Something went wrong."),
    (view("failed", error="GitHub answered something odd.", code="remote_malformed"), "bad", "Does GITHUB_API_URL lead to a GitHub?"),
    (view("waiting", code="remote_rate_limited", retry_at=LATER), "warn", f"Limit reached until {TIME}."),
    (view("waiting", code="budget_exhausted", retry_at=LATER), "warn", f"Limit reached until {TIME}."),
    (view("waiting", code="conflict", retry_at=LATER), "warn", f"being imported already. This one looks again at {TIME}."),
    (view("waiting", error="github answered.", retry_at=LATER), "warn", f"GitHub answered. The next try is at {TIME}."),
]  # fmt: skip


@pytest.mark.parametrize(("shown", "tone", "words"), WORDS)
def test_an_import_is_told_in_words(shown, tone, words):
    """However an import stands, a sentence and a colour say so."""
    assert words in shown.words
    assert shown.tone == tone
    assert shown.ended == (shown.one.status in {ImportStatus.DONE, ImportStatus.FAILED})


@pytest.mark.parametrize(
    ("shown", "running"),
    [
        (view("queued"), True),
        (view("running"), True),
        (view("waiting", retry_at=LATER), False),
        (view("waiting", retry_at=NOW + timedelta(seconds=10)), True),
        (view("done"), False),
        (view("failed"), False),
    ],
)
def test_what_comes_on_soon_is_watched(shown, running):
    """The page looks often at what changes in a moment, and not at what waits for an hour to end."""
    assert shown.running is running


def test_without_a_token_the_limit_is_explained():
    """What GitHub allows is said where GitHub refused, and not where our own limit did."""
    assert "60 calls an hour" in view("waiting", code="remote_rate_limited", retry_at=LATER).words
    assert "60 calls an hour" not in view("waiting", code="budget_exhausted", retry_at=LATER).words


@given(st.text(), st.sampled_from(["failed", "waiting"]))
def test_what_github_says_stays_text(said, status):
    """Whatever an error says, the words hold no markup but the times'."""
    words = view(status, error=said, code="remote_unavailable", retry_at=LATER).words.replace(TIME, "")
    assert not re.search(r"[<>\"']", words)
    assert "".join(words.split(" ")).isprintable()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "all branches and workflows"),
        ({"branch": "a\nb", "workflow": "ci.yml"}, "branch a b, workflow ci.yml"),
        ({"since": NOW, "jobs": True}, "from 2026-03-01 on, with jobs"),
    ],
)
def test_what_is_imported_is_told(fields, words):
    """The choice of the form reads as one line."""
    assert view("queued", **fields).scope == words


@given(st.text())
def test_whatever_is_typed_names_a_repository_or_does_not(typed):
    """An order has the repository's name, or what was typed; reading it never fails."""
    project = Order(repository=typed).project
    assert project == typed or (typed.startswith("http") and re.fullmatch(r"[\w.-]+/[\w.-]*", project, re.ASCII))


@given(st.text(), st.text(), st.text(), st.text())
def test_filters_that_are_right_can_be_asked_for(project, branch, since, until):
    """Whatever stands in the address is either wrong by field, or an argument of an analysis."""
    filters = Filters(project=project, branch=branch, since=since, until=until)
    if not filters.problems:
        assert filters.wanted()["project"] == (project or None)
    assert filters.query.isascii()
