"""The port is not Plane in disguise: a tracker of a hundred lines over a JSON file passes the same suite."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import attrs
import pytest

from forgekit.errors import RemoteMalformed
from forgekit.kernel.clock import SystemClock
from forgekit.sprints.models import StateGroup
from forgekit.testing import TrackerContract


@attrs.frozen
class JsonStage:
    """A person with an editor."""

    tracker: object

    def _change(self, change):
        content = json.loads(self.tracker.path.read_text())
        change(content)
        self.tracker.write(content)

    def add_cycle(self, name, *, description="", ended=False):
        today, cycle_id = self.tracker.clock.now().date(), str(uuid4())
        first, last = (-20, -7) if ended else (-3, 10)
        row = {"id": cycle_id, "name": name, "description": description}
        row |= {"from": str(today + timedelta(first)), "to": str(today + timedelta(last))}
        self._change(lambda content: content["cycles"].append(row))
        return cycle_id

    def add_item(self, cycle_id, name, *, group=StateGroup.UNSTARTED, priority=5, category=None, parent_id=None):
        row = {"id": str(uuid4()), "cycle": cycle_id, "name": name, "group": group.value, "updated": str(self.tracker.clock.now())}
        row |= {"priority": priority, "category": category, "parent": parent_id}
        self._change(lambda content: content["items"].append(row))
        return row["id"]

    def _edit_item(self, item_id, **changes):
        self._change(lambda content: [row.update(changes) for row in content["items"] if row["id"] == item_id])

    def rename_item(self, item_id, name):
        self._edit_item(item_id, name=name, updated=str(self.tracker.clock.now()))

    def remove_from_cycle(self, item_id):
        self._edit_item(item_id, cycle=None)

    def relate(self, item_id, *, blocked_by):
        self._edit_item(item_id, blocked_by=[blocked_by], updated=str(self.tracker.clock.now()))

    def comments(self, item_id):
        rows = json.loads(self.tracker.path.read_text())["items"]
        return next(list(row["comments"].values()) for row in rows if row["id"] == item_id)

    def description(self, cycle_id):
        rows = json.loads(self.tracker.path.read_text())["cycles"]
        return next(row["description"] for row in rows if row["id"] == cycle_id)


class TestJsonTracker(TrackerContract):
    @pytest.fixture
    def stage(self, tmp_path, json_tracker):
        path = tmp_path / "tracker.json"
        path.write_text('{"project": "Shop", "cycles": [], "items": []}')
        return JsonStage(json_tracker.JsonTracker(path, SystemClock()))

    @pytest.fixture
    def knows_relations(self):
        return False

    @pytest.fixture
    def ended_cycles_refuse(self):
        return False

    def test_a_file_that_is_none_is_told(self, stage):
        """What is no JSON is the tracker's fault, told in the port's own words."""
        stage.tracker.path.write_text("{")
        with pytest.raises(RemoteMalformed):
            stage.tracker.check()


class TestRelatedJsonTracker(TestJsonTracker):
    @pytest.fixture
    def stage(self, tmp_path, json_tracker):
        path = tmp_path / "tracker.json"
        path.write_text('{"project": "Shop", "cycles": [], "items": []}')
        return JsonStage(json_tracker.RelatedJsonTracker(path, SystemClock()))

    @pytest.fixture
    def knows_relations(self):
        return True


def test_the_suite_asks_for_its_stage():
    """A subclass that writes no stage fails with a sentence that says so."""
    fixture = TrackerContract.__dict__["stage"]
    with pytest.raises(pytest.fail.Exception, match="writes the fixture stage"):
        getattr(fixture, "__wrapped__", fixture)(TrackerContract())
