from __future__ import annotations

import gzip
import json
import logging

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forgekit import errors
from forgekit.http import App, Caller, LimitState, Open, Surface, rfc9457_problems

JSON = ("Content-Type", "application/json")
TASKS = "/api/demo/projects/7/tasks"
TASK = {"title": "Add", "priority": 2, "due": "2026-02-11T00:00:00+01:00", "colour": "blue", "wireName": True}
HARMLESS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60, deadline=None)


@attrs.frozen
class Number:
    number: int


def post(ask, app, target, value, *headers):
    """Post JSON."""
    return ask(app, "POST", target, [JSON, *headers], json.dumps(value).encode())


def test_an_operation_is_called_and_answered(app, bench, ask_both):
    """Parameters and body reach the function typed, and its value comes back as JSON by field order."""
    answer = post(ask_both, app, TASKS, TASK, ("X-Agent", "curl"), ("Cookie", "visit=v1"))
    assert answer.status == 201
    assert json.loads(answer.body) == {
        "project": 7,
        "title": "Add",
        "priority": 2,
        "due": "2026-02-10T23:00:00Z",
        "colour": "blue",
        "made": "2026-02-10T14:30:00Z",
        "wireName": True,
    }
    caller, params, _ = bench.seen[0]
    assert (caller, params.agent, params.visit) == (Caller(kind="open"), "curl", "v1")


def test_answers_carry_their_headers(app, ask_both):
    """An API answer is typed, measured, not stored and not sniffed."""
    answer = post(ask_both, app, TASKS, TASK)
    assert dict(answer.headers) == {
        "content-type": "application/json",
        "content-length": str(len(answer.body)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        (f"{TASKS}?limit=3&tags=a&tags=b&loud=yes&unknown=1", {"limit": 3, "tags": ["a", "b"], "loud": True}),
        (f"{TASKS}?tags=%C3%A9", {"limit": 10, "tags": ["é"], "loud": False}),
        (TASKS, {"limit": 10, "tags": [], "loud": False}),
    ],
)
def test_query_parameters_are_read(app, ask_both, target, seen):
    """Query text becomes numbers, truth and lists; what nobody declared is ignored."""
    answer = json.loads(ask_both(app, "GET", target).body)
    assert {name: answer[name] for name in seen} == seen


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=x", "?limit"),
        ("limit=51", "?limit"),
        ("limit=1&limit=2", "?limit"),
        ("loud=maybe", "?loud"),
        ("limit=%00", "?limit"),
        ("a=%ff", "?"),
    ],
)
def test_wrong_query_parameters_are_named(app, ask_both, query, pointer):
    """A parameter that does not fit is a problem with its name."""
    answer = ask_both(app, "GET", f"{TASKS}?{query}")
    assert answer.status == 422
    assert [problem["pointer"] for problem in json.loads(answer.body)["errors"]] == [pointer]


def test_too_many_query_fields_are_refused(app, ask_both):
    """Endless query strings are not parsed."""
    assert ask_both(app, "GET", f"{TASKS}?{'a=1&' * 500}").status == 422


@pytest.mark.parametrize("number", ["x", "1.0", "9" * 30, "%00", "1%2F2", "-"])
def test_a_path_value_that_does_not_fit_names_nothing(app, ask_both, number):
    """A path whose value has the wrong form is 404."""
    assert ask_both(app, "GET", f"/api/demo/projects/{number}/tasks").status == 404


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b"{}", 422, ["/title"]),
        (b'{"title": "", "priority": 4, "x": 1}', 422, ["/title", "/priority", "/x"]),
        (b"[]", 422, [""]),
        (b"nope", 400, [""]),
        (b"", 400, [""]),
        (b"\xff", 400, [""]),
    ],
)
def test_wrong_bodies_are_told_where(app, ask_both, body, status, pointers):
    """Every wrong field of a body is named; what is no JSON is told so."""
    answer = ask_both(app, "POST", TASKS, [JSON], body)
    assert answer.status == status
    assert [problem["pointer"] for problem in json.loads(answer.body)["errors"]] == pointers


def test_a_surface_chooses_the_status_of_wrong_input(build, ask_both):
    """One entry of the table makes wrong bodies 400, malformed ones with them unless they have an entry of their own."""
    app = build(statuses={errors.InvalidInput: 400})
    assert {ask_both(app, "POST", TASKS, [JSON], body).status for body in (b"{}", b"nope")} == {400}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([JSON], 201),
        ([("Content-Type", "application/json; charset=utf-8")], 201),
        ([("Content-Type", "application/merge-patch+json")], 201),
        ([], 201),
        ([("Content-Type", "text/plain")], 415),
        ([("Content-Type", "multipart/form-data; boundary=x")], 415),
        ([JSON, ("Content-Encoding", "gzip")], 415),
        ([JSON, ("Content-Encoding", "identity")], 201),
    ],
)
def test_bodies_are_plain_json(app, ask_both, headers, status):
    """A body of another type, or a compressed one, is refused."""
    body = json.dumps(TASK).encode()
    body = gzip.compress(body) if ("Content-Encoding", "gzip") in headers else body
    assert ask_both(app, "POST", TASKS, headers, body).status == status


@pytest.mark.parametrize(("size", "status"), [(100, 200), (101, 413)])
def test_bodies_have_a_limit(app, ask_both, size, status):
    """An operation's own limit holds to the byte."""
    assert ask_both(app, "POST", "/api/demo/hooks", [], b"x" * size).status == status


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 5000])
def test_a_senseless_length_is_refused(app, ask_both, length):
    """Content-Length is a number, and not an absurd one."""
    assert ask_both(app, "POST", "/api/demo/hooks", [("Content-Length", length)]).status in (400, 413)


@pytest.mark.parametrize(
    ("method", "target", "status", "allow"),
    [
        ("GET", "/nowhere", 404, None),
        ("GET", "/api/demo/nowhere", 404, None),
        ("GET", f"{TASKS}/", 404, None),
        ("GET", "/api/demo/projects//tasks", 404, None),
        ("GET", "/api/demo/projects/%ff", 404, None),
        ("PUT", TASKS, 405, "GET, HEAD, OPTIONS, POST"),
        ("BREW", TASKS, 405, "GET, HEAD, OPTIONS, POST"),
        ("OPTIONS", TASKS, 204, "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/api/demo/projects/templates", 405, "GET, HEAD, OPTIONS"),
        ("DELETE", "/api/demo/projects/mine", 204, None),
    ],
)
def test_what_no_operation_serves(app, ask_both, method, target, status, allow):
    """Unknown paths are 404, unknown methods 405 with Allow, OPTIONS tells what is allowed."""
    answer = ask_both(app, method, target)
    assert (answer.status, answer.header("allow")) == (status, allow)


def test_the_fixed_path_wins(app, ask_both):
    """``/projects/templates`` stands beside ``/projects/{name}``."""
    assert ask_both(app, "GET", "/api/demo/projects/templates").body == b'["plain"]'
    assert ask_both(app, "GET", "/api/demo/projects/t%C3%A9mplates").body == '{"name":"témplates"}'.encode()


def test_head_is_get_without_a_body(app, ask_both):
    """HEAD has the headers of GET, its length too."""
    full, bare = (ask_both(app, method, "/api/demo/projects/templates") for method in ("GET", "HEAD"))
    assert (bare.status, bare.headers, bare.body) == (full.status, full.headers, b"")


def test_no_content_has_no_body_and_no_length(app, ask_both):
    """204 is nothing but headers."""
    answer = ask_both(app, "DELETE", "/api/demo/projects/x")
    assert (answer.body, answer.header("content-length"), answer.header("content-type")) == (b"", None, None)


@pytest.mark.parametrize(
    ("value", "status", "extra"),
    [({"type": "COMMIT", "hash": "abcd"}, 200, None), ({"type": "RESULT", "passed": True}, 202, "1"), ({"type": "NOTE"}, 422, None)],
)
def test_a_reply_decides_status_and_headers(app, ask_both, value, status, extra):
    """A tagged body is read, and an operation may answer with another status and headers."""
    answer = post(ask_both, app, "/api/demo/log", value)
    assert (answer.status, answer.header("x-log")) == (status, extra)


@pytest.mark.parametrize(("body", "said"), [(b"", b"false"), (b" \n", b"false"), (b'{"name": "x"}', b"true")])
def test_an_optional_body_may_be_missing(app, ask_both, body, said):
    """No body is None where the operation allows it."""
    assert ask_both(app, "POST", "/api/demo/maybe", [JSON], body).body == said


@pytest.mark.parametrize(
    ("cause", "status", "detail"),
    [
        ("bug", 500, "The server failed to answer this request."),
        ("usage", 500, "The server failed to answer this request."),
        ("conflict", 409, "Taken."),
        ("key", 401, "No."),
    ],
)
def test_errors_become_answers(app, ask_both, caplog, cause, status, detail):
    """An error of the tree has its status and message; any other is logged and shows nothing of the inside."""
    answer = ask_both(app, "POST", f"/api/demo/fail/{cause}")
    assert (answer.status, json.loads(answer.body)) == (status, {"detail": detail})
    logged = [record for record in caplog.records if record.levelno == logging.ERROR and record.exc_info]
    assert len(logged) == (2 if status == 500 else 0)


def test_retry_after_is_whole_seconds(app, ask_both):
    """An error that knows when to come back says so, rounded up."""
    assert ask_both(app, "POST", "/api/demo/fail/busy").header("retry-after") == "2"


def test_a_challenge_goes_with_401(build, ask_both):
    """A guard's challenge stands in the answer to missing credentials, and the guard comes before the body."""

    def guard(request, forge):
        raise errors.Unauthenticated

    guard.challenge, guard.inline = "Bearer", True
    answer = ask_both(build(guard), "POST", "/api/demo/anything", [("Content-Type", "text/plain")], b"nope")
    assert (answer.status, answer.header("www-authenticate")) == (401, "Bearer")


def test_the_mount_is_honoured(app, ask_both):
    """An application that is mounted somewhere answers below that place, and its document says where it is."""
    assert ask_both(app, "GET", "/api/demo/projects/templates", root_path="/forge").status == 200
    assert json.loads(ask_both(app, "GET", "/openapi.json", root_path="/forge").body)["servers"] == [{"url": "/forge"}]


def test_a_surface_moves_under_a_prefix(bench, ask_both):
    """The same contract can be served below another prefix."""
    surface = Surface("s", guard=Open(), prefix="/api")
    surface.op("GET", "/x")(lambda: 1)
    app = App([surface.at("/moved")], bench)
    assert (ask_both(app, "GET", "/moved/api/x").body, ask_both(app, "GET", "/api/x").status) == (b"1", 404)


def test_a_host_can_ask_what_is_handled(app):
    """Paths of operations are handled, others are left to the host."""
    paths = ["/api/demo/projects/x", "/docs", "/", "/api/demo"]
    assert [path for path in paths if app.handles(path)] == ["/api/demo/projects/x", "/docs"]


def test_problem_details(bench, ask_both):
    """A surface may answer with RFC 9457 problem details; paths near it are answered in its shape."""
    surface = Surface("s", guard=Open(), prefix="/s", problems=rfc9457_problems())
    surface.op("GET", "/x")(lambda: 1)
    answer = ask_both(App([surface], bench), "GET", "/s/y")
    assert answer.header("content-type") == "application/problem+json"
    assert json.loads(answer.body) == {
        "type": "about:blank",
        "title": "There is nothing at this path.",
        "status": 404,
        "code": "not_found",
    }


def test_buckets_are_asked(bench, ask_both):
    """An operation's bucket is taken from by caller, its state is told, and an empty one is 429."""
    taken = []

    def limiter(name, key):
        taken.append((name, key))
        if len(taken) > 4:
            raise errors.RateLimited(retry_after=3)
        return LimitState(limit=2, remaining=1, reset_after=0.5) if len(taken) > 2 else None

    surface = Surface("s", guard=Open())
    surface.op("GET", "/x", limit="few")(lambda: 1)
    app = App([surface], bench, limiter=limiter)
    answers = [ask_both(app, "GET", "/x") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert (answers[1].header("ratelimit-remaining"), answers[2].header("retry-after")) == ("1", "3")
    assert set(taken) == {("few", "peer:127.0.0.1")}


@pytest.mark.parametrize(("amount", "told"), [(7, ("7", "0", "3")), (None, (None, None, None))])
def test_a_refused_call_is_told_how_its_bucket_stands(bench, ask_both, amount, told):
    """The 429 has the same three headers as an answer, as far as the limiter knows them; a wait is rounded up."""

    def limiter(name, key):
        raise errors.RateLimited(retry_after=2.1, **({} if amount is None else {"amount": amount}))

    surface = Surface("s", guard=Open())
    surface.op("POST", "/x", limit="few")(lambda: 1)
    answer = ask_both(App([surface], bench, limiter=limiter), "POST", "/x", [JSON], b"{}")
    assert (answer.status, answer.header("retry-after")) == (429, "3")
    assert tuple(answer.header(f"ratelimit-{name}") for name in ("limit", "remaining", "reset")) == told


def test_the_head_of_a_body_that_is_refused_tells_the_bucket(bench, ask_both):
    """A call counts although its body is wrong, and its answer says what is left."""
    surface = Surface("s", guard=Open())

    @surface.op("POST", "/x", limit="few")
    def take(body: Number) -> int:
        return body.number

    app = App([surface], bench, limiter=lambda name, key: LimitState(limit=2, remaining=1, reset_after=0.5))
    answer = ask_both(app, "POST", "/x", [JSON], b'{"number": "x"}')
    assert (answer.status, answer.header("ratelimit-limit"), answer.header("ratelimit-reset")) == (422, "2", "1")


@pytest.mark.parametrize(
    ("target", "status", "headers"),
    [
        ("/page", 200, {"content-type": "text/html; charset=utf-8", "x-frame-options": "DENY"}),
        ("/file", 200, {"content-type": "text/csv", "etag": '"v1"'}),
        ("/away", 303, {"location": "/else%20where%0D%0AX-Evil:%201"}),
    ],
)
def test_answers_that_are_not_json(app, ask_both, target, status, headers):
    """Pages, files and redirects have their own headers, and no redirect can smuggle one in."""
    answer = ask_both(app, "GET", f"/api/demo{target}")
    assert answer.status == status
    assert headers.items() <= dict(answer.headers).items()


def test_a_page_has_a_strict_policy(app, ask_both):
    """A page runs no script but its host's own files."""
    policy = ask_both(app, "GET", "/api/demo/page").header("content-security-policy")
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_a_known_file_is_not_sent_again(app, ask_both):
    """A client that names the file's tag gets 304 without a body."""
    answer = ask_both(app, "GET", "/api/demo/file", [("If-None-Match", '"v1"')])
    assert (answer.status, answer.body, answer.header("content-length")) == (304, b"", None)


@HARMLESS
@given(
    body=st.binary(max_size=200),
    target=st.sampled_from([TASKS, "/api/demo/log", "/api/demo/maybe", "/api/demo/anything", "/api/demo/hooks"]),
)
def test_no_body_breaks_a_face(app, ask_both, body, target):
    """Any bytes as a body are answered, alike on both faces, and never with 5xx."""
    assert ask_both(app, "POST", target, [JSON], body).status < 500


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.sampled_from(["COMMIT", "RESULT"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["title", "type", "hash", "due", "name", "x"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@HARMLESS
@given(value=JSON_VALUES, target=st.sampled_from([TASKS, "/api/demo/log", "/api/demo/maybe", "/api/demo/anything"]))
def test_no_json_breaks_a_face(app, ask_both, value, target):
    """Any JSON as a body is answered, alike on both faces, and never with 5xx."""
    assert post(ask_both, app, target, value).status < 500


@HARMLESS
@given(path=st.binary(max_size=30), query=st.text("%&=abc0123456789+;", max_size=30))
def test_no_path_breaks_a_face(app, ask_both, path, query):
    """Any bytes as a path are answered, alike on both faces, and never with 5xx."""
    quoted = "".join(f"%{byte:02X}" for byte in path)
    assert ask_both(app, "GET", f"/api/demo/projects/{quoted}/tasks?{query}").status < 500
