"""FakePlane keeps the traps of the real server, fails on order, and sends webhooks."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from forgekit.testing import FakePlane
from forgekit.testing.fake_plane import send


class HandClock:
    def __init__(self):
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self):
        return self.time


@pytest.fixture
def clock():
    """A clock that moves when it is told to."""
    return HandClock()


@pytest.fixture
def plane(clock):
    """A Plane in Tokyo."""
    with FakePlane(timezone="Asia/Tokyo", clock=clock) as server:
        yield server


@pytest.fixture
def call(plane):
    """Call a path below the project; return status, decoded body and headers."""

    def request(method, path, body=None, *, key=None, base=None, **headers):
        base = f"/api/v1/workspaces/acme/projects/{plane.project_id}" if base is None else base
        connection = http.client.HTTPConnection(urlsplit(plane.url).netloc)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            kind = {"Content-Type": "application/json"} if content is not None else {}
            connection.request(method, base + path, content, {"X-Api-Key": key or plane.api_key, **kind, **headers})
            answer = connection.getresponse()
            text = answer.read()
            plain = gzip.decompress(text) if answer.getheader("content-encoding") == "gzip" else text
            return answer.status, json.loads(plain) if plain else None, dict(answer.getheaders())
        finally:
            connection.close()

    return request


@pytest.mark.parametrize(
    "path",
    [
        "/cycles/",
        "/states/",
        "/labels/",
        "/members/",
        "/project-members/",
        "/modules/",
        "/summary/",
        "/archived-cycles/",
        "/work-items/",
        "/issues/",
        "/",
    ],
)
def test_each_list_is_served(call, path):
    """Each list, and the project itself, is there for its member."""
    assert call("GET", path)[0] == 200


@pytest.mark.parametrize(
    ("path", "status"), [("users/me/", 200), ("workspaces/acme/members/", 200), ("workspaces/acme/projects/", 200), ("workspaces/", 404)]
)
def test_what_is_above_the_project(call, path, status):
    """Users, members and projects are listed; workspaces are not."""
    assert call("GET", path, base="/api/v1/")[0] == status


def test_the_instance_tells_its_version(plane, call):
    """The version is told to anybody, unless the server is one that hides it."""
    _, body, _ = call("GET", "/api/instances/", base="")
    assert body["instance"]["current_version"] == "1.3.1"
    plane._gate.tells_version = False
    assert call("GET", "/api/instances/", base="")[0] == 404


def test_keys_tell_users_apart(plane, call):
    """A bad key is 403 with its own text, a stranger's 403 with another, one of the workspace may see the project alone."""
    plane.revoke_key(gone := plane.add_key())
    assert call("GET", "/cycles/", key=gone)[:2] == (403, {"detail": "Given API token is not valid"})
    assert call("GET", "/cycles/", key=plane.add_key("mallory"))[0] == 403
    bob = plane.add_key("bob")
    assert [call("GET", path, key=bob)[0] for path in ("/", "/cycles/")] == [200, 403]
    assert call("GET", "/", key=bob)[1]["is_member"] is False


def test_days_become_instants_of_the_project(plane):
    """A cycle starts just after local midnight and ends a minute before it, both told in UTC."""
    cycle = plane.cycle(plane.add_cycle("S", starts_on=date(2027, 3, 1), ends_on=date(2027, 3, 7)))
    assert (cycle["start_date"], cycle["end_date"]) == ("2027-02-28T15:00:01Z", "2027-03-07T14:59:00Z")
    assert cycle["timezone"] == "UTC"


def test_a_cycle_that_starts_today_starts_now(plane, clock):
    """The start of a cycle that begins today is the moment it was made."""
    cycle = plane.cycle(plane.add_cycle("S", starts_on=date(2026, 3, 1), ends_on=date(2026, 3, 7)))
    assert datetime.fromisoformat(cycle["start_date"]) == clock.now()


def test_views_follow_the_dates(plane, call):
    """Each view holds its cycles; the one of the current ones is a bare list."""
    made = {status: plane.add_cycle(status, status=status) for status in ("current", "upcoming", "completed", "draft")}
    assert [row["id"] for row in call("GET", "/cycles/?cycle_view=current")[1]] == [made["current"]]
    for view in ("upcoming", "completed", "draft"):
        assert [row["id"] for row in call("GET", f"/cycles/?cycle_view={view}")[1]["results"]] == [made[view]]
    assert call("GET", "/cycles/?cycle_view=anything")[1]["count"] == 4


def test_updated_at_moves_after_the_answer(plane, call):
    """A moment after a PATCH ``updated_at`` is later than its answer said, also where nothing changed."""
    item = plane.add_item("Login")
    for change in ({"priority": "low"}, {"priority": "low"}, {"unknown": 1}):
        before = plane.item(item)["updated_at"]
        status, body, _ = call("PATCH", f"/work-items/{item}/", change)
        assert status == 200
        assert before < body["updated_at"] < plane.item(item)["updated_at"]
    assert len(plane.deliveries) == 2


@pytest.mark.parametrize("act", ["comment", "move", "leave", "link", "relate", "touch"])
def test_updated_at_moves_for_more_than_content(plane, call, act):
    """Comments, links, relations and cycles move an item's ``updated_at``."""
    cycle, item, other = plane.add_cycle("S"), plane.add_item("Login"), plane.add_item("Other")
    plane.move_to_cycle(item, plane.add_cycle("T"))
    before = plane.item(item)["updated_at"]
    {
        "comment": lambda: plane.comment(item, "<p>hi</p>"),
        "move": lambda: plane.move_to_cycle(item, cycle),
        "leave": lambda: plane.remove_from_cycle(item),
        "link": lambda: call("POST", f"/work-items/{item}/links/", {"url": "https://example.com"}),
        "relate": lambda: plane.relate(item, blocked_by=other),
        "touch": lambda: plane.touch_item(item),
    }[act]()
    assert plane.item(item)["updated_at"] > before


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("plain & simple", "<span>plain &amp; simple</span>"),
        ("<p>a</p><p>b</p>", "<div><p>a</p><p>b</p></div>"),
        ("<p>a<script>alert(1)</script></p>", "<p>a</p>"),
        ("<p>a<br>b<b>c", "<p>a<br>b<b>c</b></p>"),
        ('<p class="x">a</b></p>', '<p class="x">a</p>'),
    ],
)
def test_descriptions_are_written_anew(plane, call, given, stored):
    """A description is stored as Plane writes it, not as it came."""
    item = plane.add_item("Login")
    assert call("PATCH", f"/work-items/{item}/", {"description_html": given})[1]["description_html"] == stored


@pytest.mark.parametrize(
    "change",
    [
        {"description_html": ""},
        {"description_html": 5},
        {"name": ""},
        {"name": 5},
        {"name": "x" * 256},
        {"priority": "P1"},
        {"state": "Done"},
        {"state": "00000000-0000-4000-8000-000000000000"},
        {"parent": "00000000-0000-4000-8000-000000000000"},
        {"labels": "ui"},
        {"assignees": {}},
        {"start_date": "soon"},
        {"target_date": 5},
        {"point": "x"},
        [],
        b"{",
        b"\xff",
    ],
)
def test_wrong_values_are_refused(plane, call, change):
    """A value that a field cannot have is 400 and changes nothing."""
    item = plane.add_item("Login")
    before = plane.item(item)
    assert call("PATCH", f"/work-items/{item}/", change)[0] == 400
    assert plane.item(item) == before


def test_strangers_are_dropped_from_assignees(plane, call):
    """People outside the project vanish without a word."""
    status, body, _ = call("POST", "/work-items/", {"name": "x", "assignees": [plane.world.users["bob"]["id"]]})
    assert (status, body["assignees"]) == (201, [])


def test_external_ids_make_creation_idempotent(plane, call):
    """A second item, cycle or comment with the same external id is 409 and names the first."""
    mark = {"external_id": "e-1", "external_source": "forgekit"}
    item = plane.add_item("Login")
    creations = [
        ("/work-items/", {"name": "x"}),
        ("/cycles/", {"name": "x", "project_id": plane.project_id}),
        (f"/work-items/{item}/comments/", {"comment_html": "x"}),
    ]
    for path, body in creations:
        first = call("POST", path, body | mark)[1]
        status, conflict, _ = call("POST", path, body | mark)
        assert (status, conflict["id"]) == (409, first["id"])


def test_an_ended_cycle_refuses(plane, call):
    """A cycle that is over takes neither edits nor items, and gives its open items away."""
    cycle, other = plane.add_cycle("S"), plane.add_cycle("T", status="upcoming")
    done, open_ = plane.add_item("done", cycle=cycle, state="completed", labels=["ui"]), plane.add_item("open", cycle=cycle)
    assert call("PATCH", f"/cycles/{cycle}/", {"description": "x"})[0] == 200
    plane.end_cycle(cycle)
    assert call("PATCH", f"/cycles/{cycle}/", {"description": "y"})[0] == 400
    assert call("POST", f"/cycles/{cycle}/cycle-issues/", {"issues": [open_]})[1]["code"] == "CYCLE_COMPLETED"
    assert call("POST", f"/cycles/{cycle}/transfer-issues/", {"new_cycle_id": other})[0] == 200
    after = call("GET", f"/cycles/{cycle}/")[1]
    assert (after["total_issues"], after["progress_snapshot"]["total_issues"]) == (1, 2)
    assert plane.world.bridges[done]["cycle"] == cycle


def test_open_items_do_not_go_into_the_past(plane, call):
    """A transfer into a cycle that is over is refused."""
    ended, other = plane.add_cycle("S", status="completed"), plane.add_cycle("T", status="completed")
    assert call("POST", f"/cycles/{ended}/transfer-issues/", {"new_cycle_id": other})[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "start_date": "2027-01-05"},
        {"name": "x", "start_date": "2027-01-05", "end_date": "2027-01-04"},
        {"name": "x", "start_date": "soon", "end_date": "2027-01-04"},
        {"start_date": None},
    ],
)
def test_a_cycle_needs_a_name_and_two_days_in_order(plane, call, body):
    """A cycle without a name, with one date, or with dates that are none is 400."""
    assert call("POST", "/cycles/", body | {"project_id": plane.project_id})[0] == 400


def test_things_can_be_deleted(plane, call):
    """What is deleted is gone from every list, and no webhook tells of it."""
    cycle = plane.add_cycle("S")
    item, child = plane.add_item("a", cycle=cycle), plane.add_item("b", cycle=cycle)
    plane.edit_item(child, parent=item)
    plane.relate(child, blocked_by=item)
    comment = call("POST", f"/issues/{item}/comments/", {})[1]["id"]
    told = len(plane.deliveries)
    assert call("DELETE", f"/issues/{item}/comments/{comment}/")[0] == 204
    assert call("DELETE", f"/issues/{item}/")[0] == 204
    assert plane.item(child)["parent"] is None
    assert [row["id"] for row in call("GET", f"/cycles/{cycle}/cycle-issues/")[1]["results"]] == [child]
    assert call("DELETE", f"/cycles/{cycle}/")[0] == 204
    assert call("GET", f"/cycles/{cycle}/")[0] == 404
    assert call("GET", f"/cycles/{cycle}/cycle-issues/")[1]["total_count"] == 0
    assert len(plane.deliveries) == told


def test_comments_can_be_read_and_changed(plane, call):
    """A comment is kept as it came, and only a changed text is told."""
    item = plane.add_item("a")
    base = f"/work-items/{item}/comments/"
    comment = call("POST", base, {"comment_html": "<script>1</script>"})[1]["id"]
    told = len(plane.deliveries)
    assert call("PATCH", f"{base}{comment}/", {"comment_html": "b"})[0] == 200
    assert call("PATCH", f"{base}{comment}/", {})[0] == 200
    assert (len(plane.deliveries) - told, plane.comments(item)) == (1, ["b"])
    assert call("GET", f"{base}{comment}/")[1]["comment_html"] == "b"
    assert call("GET", f"{base}{plane.project_id}/")[0] == 404


@pytest.mark.parametrize(
    ("version", "present"),
    [
        ("0.23", {"issues"}),
        ("1.0.9", {"issues"}),
        ("1.1", {"issues", "work-items"}),
        ("1.2.3", {"issues", "work-items"}),
        ("1.3.1", {"issues", "work-items", "relations"}),
    ],
)
def test_old_versions_lack_paths(plane, call, version, present):
    """``work-items`` came with 1.1 and relations with 1.3; ``issues`` was always there."""
    item = plane.add_item("Login")
    plane.world.version = version
    paths = {"issues": "/issues/", "work-items": "/work-items/", "relations": f"/work-items/{item}/relations/"}
    assert {name for name, path in paths.items() if call("GET", path)[0] == 200} == present


def test_very_old_lists_lack_the_state(plane, call):
    """Before 0.28 a cycle's items came without state and priority."""
    cycle = plane.add_cycle("S")
    plane.add_item("Login", cycle=cycle)
    plane.world.version = "0.27.1"
    assert not {"state", "priority"} & set(call("GET", f"/cycles/{cycle}/cycle-issues/")[1]["results"][0])


@pytest.mark.parametrize("by", ["name", "-name", "priority", "state__group", "target_date", "-updated_at"])
def test_items_can_be_ordered(plane, call, by):
    """Items come in the order asked for."""
    for name, priority in (("b", "low"), ("a", "urgent"), ("c", "none")):
        plane.add_item(name, priority=priority)
    assert call("GET", f"/work-items/?order_by={by}")[1]["count"] == 3


@pytest.mark.parametrize("by", ["bogus", "labels"])
def test_an_order_that_is_none_breaks_the_server(plane, call, by):
    """An unknown field to order by is 500."""
    plane.add_item("a")
    assert call("GET", f"/work-items/?order_by={by}")[0] == 500


def test_the_rate_limit_slides(plane, call, clock):
    """The 61st call within a minute is refused with the true wait; refusals are not counted."""
    headers = [call("GET", "/states/")[2] for _ in range(60)]
    assert (headers[0]["x-ratelimit-remaining"], headers[-1]["x-ratelimit-remaining"]) == ("59", "0")
    clock.time += timedelta(seconds=3)
    assert [call("GET", "/states/")[0] for _ in range(2)] == [429, 429]
    assert call("GET", "/states/")[2]["retry-after"] == "57"
    assert call("GET", "/states/", key=plane.add_key())[0] == 200
    clock.time += timedelta(seconds=57)
    assert call("GET", "/states/")[0] == 200


def test_answers_are_compressed_when_asked(plane, call):
    """A long answer is gzipped for those who take it."""
    assert call("GET", "/states/", **{"Accept-Encoding": "gzip"})[2]["content-encoding"] == "gzip"


def test_calls_are_counted(plane, call):
    """Every answered call is written down until that is forgotten."""
    call("GET", "/states/?per_page=1")
    call("POST", "/labels/", {"name": "ui"})
    assert [(each.method, each.status) for each in plane.calls] == [("GET", 200), ("POST", 201)]
    assert plane.calls[0].query == {"per_page": "1"}
    assert (plane.count(), plane.count("GET"), plane.count(path="/labels/"), plane.count("GET", "/labels/")) == (2, 1, 1, 0)
    plane.forget_calls()
    assert plane.count() == 0


def test_it_fails_on_order(plane, call):
    """A fault meets the next fitting requests and no other; the write may have happened."""
    item = plane.add_item("Login")
    plane.fail_next(503, method="PATCH", times=2)
    plane.fail_next(500, after_write=True, path="/comments/")
    assert call("GET", "/states/")[0] == 200
    assert [call("PATCH", f"/work-items/{item}/", {"name": "x"})[0] for _ in range(3)] == [503, 503, 200]
    assert call("POST", f"/work-items/{item}/comments/", {"comment_html": "x"})[0] == 500
    assert plane.comments(item) == ["x"]


def test_it_hangs_up_on_order(plane, call):
    """A dropped connection gives no answer, once."""
    plane.drop_connection()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        call("GET", "/states/")
    assert [each.status for each in plane.calls] == [0]
    assert call("GET", "/states/")[0] == 200


def test_it_heals(plane, call):
    """Faults that nobody met can be taken back."""
    plane.fail_next(500)
    plane.slow(60)
    plane.heal()
    assert call("GET", "/states/")[0] == 200


def test_it_can_keep_requests_waiting(plane, call, wait_until):
    """From the second on, what fits waits until it heals; other requests are answered meanwhile."""
    plane.hold(method="GET", path="/states/", after=1)
    assert call("GET", "/states/")[0] == 200
    with ThreadPoolExecutor(2) as pool, ExitStack() as after:
        after.callback(plane.heal)
        waiting = [pool.submit(call, "GET", "/states/") for _ in range(2)]
        wait_until(lambda: plane.held == 2)
        assert (call("GET", "/members/")[0], call("DELETE", "/states/")[0] > 400, plane.count("GET", "/states/")) == (200, True, 1)
    assert [each.result()[0] for each in waiting] == [200, 200]
    assert (call("GET", "/states/")[0], plane.held) == (200, 0)


# Webhooks


class Inbox(HTTPServer):
    """Receives webhooks and answers as it is told."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Doorman)
        self.got, self.answers = [], []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/plane"


class Doorman(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((list(self.headers.items()), body))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status:
            self.send_response(status)
            self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def inbox():
    """A server that keeps what it is sent."""
    server = Inbox()
    yield server
    server.shutdown()
    server.server_close()


def test_webhooks_are_signed_over_their_bytes(plane, inbox):
    """The signature is HMAC-SHA256 of the exact bytes, which are those of ``json.dumps``; headers come in Plane's order."""
    plane.deliver_webhooks(inbox.url, "plane_wh_x")
    plane.add_item("Käse")
    plane.settle()
    (headers, body), named = inbox.got[0], dict(inbox.got[0][0])
    assert body == json.dumps(json.loads(body)).encode()
    assert named["X-Plane-Signature"] == hmac.new(b"plane_wh_x", body, hashlib.sha256).hexdigest()
    assert [name for name, _ in headers if name.startswith("X-")] == ["X-Plane-Delivery", "X-Plane-Event", "X-Plane-Signature"]


def test_each_changed_field_is_a_webhook(plane, call):
    """A PATCH of k fields is k webhooks; one of a cycle's dates is two even where they stay."""
    cycle, item = plane.add_cycle("S"), plane.add_item("Login")
    call("PATCH", f"/work-items/{item}/", {"name": "x", "priority": "low"})
    dates = {"start_date": "2026-03-05", "end_date": "2026-03-09"}
    for _ in range(2):
        call("PATCH", f"/cycles/{cycle}/", dates)
    told = [(each.event, each.action, each.field) for each in plane.deliveries]
    assert told[:4] == [
        ("cycle", "created", None),
        ("issue", "created", None),
        ("issue", "updated", "name"),
        ("issue", "updated", "priority"),
    ]
    assert told[4:] == [("cycle", "updated", "start_date"), ("cycle", "updated", "end_date")] * 2


def test_membership_is_no_webhook(plane):
    """No webhook tells that items join or leave a cycle, are deleted or related."""
    cycle, item, other = plane.add_cycle("S"), plane.add_item("a"), plane.add_item("b")
    told = len(plane.deliveries)
    plane.move_to_cycle(item, cycle)
    plane.remove_from_cycle(item)
    plane.relate(item, blocked_by=other)
    plane.delete_item(item)
    plane.delete_cycle(cycle)
    assert len(plane.deliveries) == told


def test_an_error_counts_as_delivered(plane, inbox):
    """A webhook that was answered with 500 is never sent again."""
    inbox.answers = [500]
    plane.deliver_webhooks(inbox.url)
    plane.add_item("a")
    assert plane.settle() == [500]
    assert plane.webhooks_active


def test_silence_is_tried_again_under_new_ids(plane, inbox):
    """A webhook without an answer comes again with the same bytes and another delivery id."""
    inbox.answers = [None, None]
    plane.deliver_webhooks(inbox.url, retry_delay=0.001)
    plane.add_item("a")
    assert plane.settle() == [None, None, 200]
    assert len({body for _, body in inbox.got}) == 1
    assert len({dict(headers)["X-Plane-Delivery"] for headers, _ in inbox.got}) == 3


def test_too_much_silence_ends_it(plane, inbox):
    """After six attempts without an answer no webhook is sent any more."""
    inbox.answers = [None] * 6
    plane.deliver_webhooks(inbox.url, retry_delay=0.001)
    plane.add_item("a")
    plane.add_item("b")
    assert plane.settle() == [None] * 6
    assert not plane.webhooks_active


def test_a_delivery_can_be_sent_by_hand(plane, inbox):
    """Any payload can be signed and sent; without a sender there is nothing to wait for."""
    delivery = plane.sign({"event": "cycle"}, event="cycle")
    assert send(delivery, inbox.url) == 200
    assert (inbox.got[0][1], plane.settle()) == (b'{"event": "cycle"}', [])


def test_webhooks_may_move_elsewhere(plane, inbox):
    """Only the newest address gets webhooks."""
    plane.deliver_webhooks("http://127.0.0.1:9/")
    plane.deliver_webhooks(inbox.url)
    plane.add_item("a")
    plane.settle()
    assert len(inbox.got) == 1


def test_items_are_found_by_key_and_text(plane, call):
    """An item is found by its key, and by a part of its name."""
    plane.add_item("Login form")
    assert call("GET", "SHOP-1/", base="/api/v1/workspaces/acme/work-items/")[1]["name"] == "Login form"
    assert call("GET", "SHOP-9/", base="/api/v1/workspaces/acme/work-items/")[0] == 404
    found = call("GET", "search/?search=FORM", base="/api/v1/workspaces/acme/work-items/")[1]["issues"]
    assert [each["project__identifier"] for each in found] == ["SHOP"]


def test_states_and_labels_can_be_made(plane, call):
    """A new state stands behind the others; a name or a group that does not fit is refused."""
    assert (
        plane.state_of(plane.add_item("a", state=call("POST", "/states/", {"name": "In Review", "group": "started"})[1]["name"]))
        == "In Review"
    )
    assert plane.add_state("Parked", "unstarted") in [row["id"] for row in call("GET", "/states/")[1]["results"]]
    assert [call("POST", "/states/", body)[0] for body in ({"name": "x", "group": "odd"}, {"group": "started"})] == [400, 400]
    assert call("GET", f"/states/{plane.project_id}/")[0] == 404
    assert call("POST", "/labels/", {})[0] == 400
    assert plane.add_label("ui") == plane._label_id("ui")
