"""Rates as other tools make them."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

import forgekit_sql
from forgekit import Forge
from forgekit.builds import Rate, Scope, analyse
from forgekit.errors import InvalidInput

RATES = ("success", "failure", "error")
CHANGED = {*RATES, "project_metrics", "top_failing_projects"}


@pytest.fixture(scope="module", params=range(3))
def builds(request, history):
    """A history with builds of every status."""
    return history(request.param, 150)


def _differences(one, other):
    return {field.name for field in attrs.fields(type(one)) if getattr(one, field.name) != getattr(other, field.name)}


def test_rates_divide_by_all_rows_as_pandas_does(builds, by_pandas):
    """Overall and for each project they are the shares of all rows, cancelled and running ones too, that pandas finds."""
    frame = by_pandas.frame_of(builds).drop_duplicates(["provider", "project", "build_id", "attempt"])
    found = analyse(builds, compat="travistorrent")
    statuses = {"success": ["passed"], "failure": ["failed"], "error": ["errored", "timed_out"]}
    for name, own in statuses.items():
        assert float(getattr(found, name)) == frame["status"].isin(own).mean()
        shares = frame["status"].isin(own).groupby(frame["project"]).mean()
        assert {each.project: float(getattr(each, name)) for each in found.project_metrics} == shares.to_dict()


def test_nothing_else_changes(builds):
    """Every other number stays, and which projects are at risk or failing: these are told by our own rates."""
    ours, theirs = analyse(builds), analyse(builds, compat="travistorrent")
    assert _differences(ours, theirs) <= CHANGED
    assert theirs.success == Rate(ours.success.numerator, ours.n_builds)
    assert [each.project for each in theirs.top_failing_projects] == [each.project for each in ours.top_failing_projects]
    assert set(theirs.top_failing_projects) <= set(theirs.project_metrics)
    kept = {name: getattr(ours.project_metrics[0], name) for name in RATES}
    assert attrs.evolve(theirs.project_metrics[0], **kept) == ours.project_metrics[0]


@pytest.mark.parametrize(
    "asked", [{}, {"project": "p1"}, {"branch": "main"}, {"since": date(2026, 1, 10), "until": date(2026, 1, 25)}], ids=str
)
def test_stored_builds_have_the_same_rates(builds, asked):
    """From roll-ups, from a window of them and from builds themselves comes what the fold says."""
    scope = {name: value for name, value in asked.items() if name in {"project", "branch"}}
    others = {name: value for name, value in asked.items() if name not in scope}
    with Forge.open("sqlite://", plugins=[forgekit_sql]) as forge:
        forge.builds.submit(builds)
        found = forge.builds.analysis(**asked, compat="travistorrent")
    assert found == analyse(builds, scope=Scope(**scope), **others, compat="travistorrent")


def test_of_no_builds_there_is_no_rate():
    """Nothing divided by nothing is told as no rate."""
    found = analyse([], compat="travistorrent")
    assert (found.success.value, found.overall_success_rate) == (None, 0.0)


def test_unknown_tools_are_refused(builds):
    """A name that nobody knows is told, whichever way builds are analysed."""
    with pytest.raises(InvalidInput, match="'travis'"):
        analyse(builds, compat="travis")
    with Forge.open("sqlite://", plugins=[forgekit_sql]) as forge, pytest.raises(InvalidInput) as caught:
        forge.builds.analysis(compat="travis")
    assert caught.value.data["problems"][0]["pointer"] == "/compat"
