"""Builds over HTTP: batches and what they come to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from openapi_spec_validator import validate

from forgekit.builds import Analysis, parse_build
from forgekit.builds.events import AnalysisMade
from forgekit.builds.reading.strict import MOST_PROBLEMS
from forgekit_surfaces.builds.shapes import shape_of_class

NUMBERS = [
    "n_builds", "n_projects", "overall_success_rate", "overall_failure_rate", "overall_error_rate", "median_duration_seconds",
    "p90_duration_seconds", "max_duration_seconds",
]  # fmt: skip
KEYED = [("POST", "/builds"), ("GET", "/analysis"), ("POST", "/analyze"), ("POST", "/webhook/generic")]
LIMIT_HEADERS = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]


def counts(answer):
    """What became of a batch: new, changed, known."""
    assert answer.status_code == 201, answer.text
    return [answer.json()[name] for name in ("accepted", "updated", "duplicates")]


def pointers(answer):
    """The places that an answer finds wrong."""
    return [problem["pointer"] for problem in answer.json()["errors"]]


def test_a_batch_is_stored_once(ask, row):
    """New builds are accepted; the same again are duplicates; a change updates."""
    batch = {"builds": [row(1), row(2, status="running")]}
    assert counts(ask("POST", "/builds", json=batch)) == [2, 0, 0]
    assert counts(ask("POST", "/builds", json=batch)) == [0, 0, 2]
    assert counts(ask("POST", "/builds", json={"builds": [row(2), row(1)]})) == [0, 1, 1]
    assert ask.forge.builds.count() == 2


def test_every_field_is_stored(ask, row):
    """What a sender may tell of a build is what is stored of it."""
    whole = row(
        branch="main", commit="abc", workflow="ci", attempt=2, event="push", actor="ann", queued_at="2026-02-10T14:29:00",
        finished_at="2026-02-10T16:31:00+02:00", language="python", tests_run=10, tests_failed=0, url="https://ci.example/1",
        provider="own",
    )  # fmt: skip
    assert counts(ask("POST", "/builds", json={"builds": [{**whole, "status": "cancelled"}]})) == [1, 0, 0]
    (stored,) = ask.forge.builds.builds()
    assert stored == parse_build({**whole, "status": "canceled"})


def test_one_bad_build_in_the_middle_stores_nothing(ask, row):
    """All that is wrong is told by its place, and nothing is stored."""
    answer = ask("POST", "/builds", json={"builds": [row(1), row(2, status="green", attempt="1"), row(3), {}]})
    assert (answer.status_code, ask.forge.builds.count()) == (422, 0)
    assert pointers(answer) == ["/builds/1/status", "/builds/1/attempt", "/builds/3/build_id", "/builds/3/project", "/builds/3/status"]


def test_partial_stores_the_good_ones(ask, row):
    """With ``partial`` the good builds are stored and the bad ones listed; without any good one nothing is."""
    answer = ask("POST", "/builds?partial=true", json={"builds": [row(1), row(2, status="green"), row(3)]})
    assert (counts(answer), pointers(answer)) == ([2, 0, 0], ["/builds/1/status"])
    answer = ask("POST", "/builds?partial=true", json={"builds": [None]})
    assert (counts(answer), answer.json()["errors"]) == ([0, 0, 0], [{"pointer": "/builds/0", "message": "must be an object"}])


def test_a_refusal_is_not_many_times_as_large_as_what_it_refuses(ask, row):
    """A thousand problems are told and no more; with ``partial`` every build that is not stored is told, by one place at least."""
    bad = {"status": 0, "attempt": 0, **dict.fromkeys(map(str, range(50)), 0)}
    rows = [row(1), *[bad] * 3_000, row(2)]
    answer = ask("POST", "/builds", json={"builds": rows})
    assert (answer.status_code, len(answer.json()["errors"]), ask.forge.builds.count()) == (422, MOST_PROBLEMS, 0)
    answer = ask("POST", "/builds?partial=true", json={"builds": rows})
    told = pointers(answer)
    assert (counts(answer), len(told) < MOST_PROBLEMS + 3_000) == ([2, 0, 0], True)
    assert {place.split("/")[2] for place in told} == {str(place) for place in range(1, 3_001)}
    answer = ask("POST", "/webhook/generic", json={"builds": rows})
    assert (answer.status_code, len(answer.json()["errors"])) == (422, MOST_PROBLEMS)
    answer = ask("POST", "/builds", json=dict.fromkeys(map(str, range(5_000)), 0))
    assert (answer.status_code, len(answer.json()["errors"])) == (422, MOST_PROBLEMS)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422), ({"builds": []}, 422), ({"builds": {}}, 422), ({"builds": None}, 422), ([], 422), ("text", 422),
        ({"builds": [{}] * 10_001}, 422), ({"builds": [{"build_id": "1"}], "more": 1}, 422),
    ],
)  # fmt: skip
def test_what_is_no_batch_is_refused(ask, body, status):
    """A batch has 1 to 10,000 builds and nothing beside them."""
    answer = ask("POST", "/builds", json=body)
    assert (answer.status_code, bool(answer.json()["errors"]), ask.forge.builds.count()) == (status, True, 0)


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b" " * 16_000_001, {}, 413),
        (b'{"builds": [' + b"{}," * 1_100_000 + b"{}]}", {}, 400),
        (b"{", {}, 400),
        (b"", {}, 400),
        (b'{"builds": [{"build_id": "\\u0000"}]}', {}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Encoding": "gzip"}, 415),
    ],
)
def test_a_body_is_bounded_and_json(ask, content, headers, status):
    """More than sixteen megabytes, or a million values, or what is no JSON, is refused before it is looked into."""
    answer = ask("POST", "/builds", content=content, headers={"Content-Type": "application/json", **headers})
    assert (answer.status_code, "detail" in answer.json()) == (status, True)


def test_a_body_without_a_length_is_bounded_while_it_is_read(make_client, open_forge):
    """An endless body is refused once it is too large; no more of it is read than the bound and a piece."""
    sent = []

    async def pieces():
        while True:
            sent.append(1)
            yield b" " * 1_000_000

    client = make_client(open_forge(), "asgi")
    assert client("POST", "/builds", content=pieces(), headers={"Content-Type": "application/json"}).status_code == 413
    assert len(sent) <= 18


def test_builds_older_than_the_retention_are_refused(make_client, open_forge, row, clock):
    """What would be deleted at once is not taken, and is told by its place; with ``partial`` the others are."""
    client = make_client(open_forge(FORGEKIT_BUILDS_RETENTION_DAYS="60"), "wsgi")
    old = (clock.now() - timedelta(days=90)).isoformat()
    batch = {"builds": [{}, row(1), row(2, started_at=old), row(3)]}
    answer = client("POST", "/builds?partial=true", json=batch)
    assert (counts(answer), pointers(answer)[-1]) == ([2, 0, 0], "/builds/2")
    answer = client("POST", "/builds", json={"builds": [row(4), row(2, started_at=old)]})
    assert (answer.status_code, pointers(answer), client.forge.builds.count()) == (422, ["/builds/1"], 2)


def test_the_analysis_is_the_librarys(ask, row):
    """GET and POST tell what ``forge.builds.analysis`` does, with the keys of the contract as numbers."""
    ask("POST", "/builds", json={"builds": [row(number, status="failed" if number % 4 == 0 else "passed") for number in range(1, 21)]})
    answer = ask("GET", "/analysis")
    found = answer.json()
    assert (answer.status_code, found) == (200, json.loads(ask.forge.builds.analysis().to_json()))
    assert [isinstance(found[name], (int, float)) for name in NUMBERS] == [True] * len(NUMBERS)
    assert (found["overall_success_rate"], found["status_counts"]) == (0.75, {"passed": 15, "failed": 5})
    assert [project["project"] for project in found["project_metrics"]] == ["shop/web"]
    assert ask("POST", "/analyze").json() == found == ask("POST", "/analyze", json={"project": "shop/web"}).json()


def test_filters_choose(ask, row):
    """Project, branch and whole UTC days choose the builds, in the query and in the body."""
    rows = [row(1, branch="main"), row(2, branch="x"), row(3, project="shop/app", started_at="2026-02-12T00:00:00Z")]
    ask("POST", "/builds", json={"builds": rows})
    asked = [
        {"project": "shop/web"},
        {"branch": "main"},
        {"since": "2026-02-11"},
        {"until": "2026-02-10"},
        {"project": "shop/web", "branch": "x"},
    ]
    assert [ask("GET", "/analysis", params=each).json()["n_builds"] for each in asked] == [2, 1, 1, 2, 1]
    assert [ask("POST", "/analyze", json=each).json()["n_builds"] for each in asked] == [2, 1, 1, 2, 1]


def test_without_builds_there_is_no_analysis(ask, row):
    """GET is 404 while nothing was submitted, or nothing for that project; POST tells of nothing."""
    assert ask("GET", "/analysis").status_code == 404
    assert (ask("POST", "/analyze").status_code, ask("POST", "/analyze").json()["n_builds"]) == (200, 0)
    ask("POST", "/builds", json={"builds": [row()]})
    assert [ask("GET", "/analysis", params={"project": name}).status_code for name in ("shop/web", "shop/app")] == [200, 404]


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-02-30"}, "until"),
        ({"project": ""}, "project"),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "until"),
    ],
)
def test_wrong_filters_are_told(ask, row, asked, name):
    """A filter that is none is 422 with its place, in the query and in the body."""
    ask("POST", "/builds", json={"builds": [row()]})
    answers = [ask("GET", "/analysis", params=asked), ask("POST", "/analyze", json=asked)]
    assert [(answer.status_code, pointers(answer)) for answer in answers] == [(422, [f"?{name}"]), (422, [f"/{name}"])]


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "2200-01-01", "9999-12-31"])
def test_days_beyond_all_builds_are_told(ask, row, day):
    """A day on which no build can be is 422 with its place, however far it is."""
    ask("POST", "/builds", json={"builds": [row()]})
    for name in ("since", "until"):
        answers = [ask("GET", "/analysis", params={name: day}), ask("POST", "/analyze", json={name: day})]
        assert [(answer.status_code, pointers(answer)) for answer in answers] == [(422, [f"?{name}"]), (422, [f"/{name}"])]
    assert ask("POST", "/analyze?background=true", json={"since": day, "until": day}).status_code == 422


def test_an_analysis_in_the_background_is_a_job(ask, row):
    """202 with the job's id and the place of the result; the worker makes it and tells."""
    ask("POST", "/builds", json={"builds": [row(1), row(2, project="a b&c")]})
    told = []
    ask.forge.on(AnalysisMade, told.append)
    answer = ask("POST", "/analyze?background=true", json={"project": "a b&c", "since": "2026-02-01"})
    assert (answer.status_code, answer.headers["Location"]) == (202, answer.json()["location"])
    ask.forge.worker().drain()
    assert [(made.job_id, made.n_builds, made.success_rate) for made in told] == [(answer.json()["job_id"], 1, 1.0)]
    assert ask("GET", answer.headers["Location"].removeprefix("/api/v1")).json()["n_builds"] == 1


@pytest.mark.parametrize(("method", "path"), KEYED)
def test_without_a_key_nobody_is_let_in(ask, method, path):
    """No key, or a wrong one, is 401 with a challenge, from this machine too; the body is not looked at."""
    for key in (None, "wrong", "fk_" + "0" * 16 + "_" + "a" * 43):
        answer = ask(method, path, key=key, content=b"{" if method == "POST" else None)
        assert (answer.status_code, list(answer.json()), answer.headers["WWW-Authenticate"]) == (401, ["detail"], "Bearer")


def test_issued_keys_open_until_they_are_revoked(ask, row):
    """A key from storage is good at once and refused at once; one for something else is 403."""
    issued = ask.forge.accounts.issue_key("CI", scopes=["builds"])
    secret = issued.secret.reveal()
    assert ask("POST", "/builds", key=secret, json={"builds": [row()]}).status_code == 201
    ask.forge.accounts.revoke_key(issued.key.id)
    assert ask("POST", "/builds", key=secret, json={"builds": [row()]}).status_code == 401
    other = ask.forge.accounts.issue_key("Other", scopes=["other"]).secret.reveal()
    assert ask("GET", "/analysis", key=other).status_code == 403


def test_a_key_has_a_hundred_calls_a_minute(ask):
    """The 101st call in a minute is 429 with the headers and when to come back; another key is not touched."""
    answers = [ask("POST", "/analyze") for _ in range(101)]
    assert [answer.status_code for answer in answers] == [200] * 100 + [429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers[-3:]] == ["1", "0", "0"]
    assert [sum(name in answer.headers for answer in answers) for name in LIMIT_HEADERS] == [101] * 3
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert ask("GET", "/analysis", key=ask.forge.accounts.issue_key("CI").secret.reveal()).status_code == 404


def test_health_is_open_and_asks_the_database(ask, monkeypatch):
    """Anybody may ask; where the database does not answer the host is not well."""
    found = ask("GET", "/health", key=None)
    assert (found.status_code, found.json()["status"]) == (200, "ok")

    def broken(**_):
        from forgekit.errors import StorageError

        raise StorageError("The database is away.")

    monkeypatch.setattr(ask.forge.storage, "transaction", broken)
    assert ask("GET", "/health", key=None).status_code == 503


def test_the_document_describes_what_is_sent_and_answered(ask):
    """The OpenAPI document is valid, bounds the batch, lists each field, and names the ways to sign in."""
    document = json.loads(json.dumps(ask.application.openapi()))
    validate(document)
    batch = document["components"]["schemas"]["BatchInput"]["properties"]["builds"]
    assert (batch["minItems"], batch["maxItems"], batch["items"]["$ref"].rpartition("/")[2]) == (1, 10_000, "NewBuildInput")
    assert set(NUMBERS) <= set(document["components"]["schemas"]["Analysis"]["required"])
    assert document["paths"]["/api/v1/webhook/generic"]["post"]["security"][:3] == [{"apiKey": []}, {"password": []}, {"signature": []}]
    assert set(document["paths"]["/api/v1/builds"]["post"]["responses"]) >= {"201", "400", "401", "413", "422", "429"}


def test_the_shape_of_an_analysis_is_its_dictionarys(ask, row):
    """The members that the document tells are those that an analysis has in JSON."""
    now = datetime(2026, 2, 10, tzinfo=UTC)
    rows = [row(number, status="failed" if number % 2 else "passed", branch="main", environment="production") for number in range(30)]
    ask.forge.builds.submit([parse_build({**each, "committed_at": now, "jobs": [{"name": "a", "status": "passed"}]}) for each in rows])
    schema = ask.application.openapi()["components"]["schemas"]
    found = ask.forge.builds.analysis().to_dict()
    assert set(schema["Analysis"]["properties"]) == set(found)
    assert set(schema["ProjectMetrics"]["properties"]) == set(found["project_metrics"][0])
    assert set(schema["Dora"]["properties"]) == set(found["dora"])
    assert set(schema["Rate"]["properties"]) == set(found["success"])
    assert shape_of_class(Analysis) is not shape_of_class(Analysis)


@pytest.mark.slow
def test_a_hundred_thousand_builds_in_batches(make_client, open_forge, row):
    """Ten batches of ten thousand are stored, and the same again are all duplicates."""
    client = make_client(open_forge(), "wsgi")
    times = [(datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat() for number in range(100_000)]
    rows = [row(number, project=f"shop/{number % 7}", started_at=moment) for number, moment in enumerate(times)]
    batches = [json.dumps({"builds": rows[first : first + 10_000]}).encode() for first in range(0, len(rows), 10_000)]
    headers = {"Content-Type": "application/json"}
    assert [counts(client("POST", "/builds", content=batch, headers=headers)) for batch in batches] == [[10_000, 0, 0]] * 10
    assert [counts(client("POST", "/builds", content=batch, headers=headers)) for batch in batches] == [[0, 0, 10_000]] * 10
    assert client("GET", "/analysis").json()["n_builds"] == 100_000
