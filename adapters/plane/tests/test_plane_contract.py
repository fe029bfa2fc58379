"""The adapter, looking at FakePlane, is a tracker like any other."""

from __future__ import annotations

import attrs
import pytest

from forgekit.sprints.ports import Tracker
from forgekit.testing import FakePlane, TrackerContract
from forgekit_plane import html_to_text

PRIORITIES = ("urgent", "high", "medium", "low", "none")


@attrs.frozen
class PlaneStage:
    """A person in Plane's web interface."""

    plane: FakePlane
    tracker: Tracker

    def add_cycle(self, name, *, description="", ended=False):
        return self.plane.add_cycle(name, description=description, status="completed" if ended else "current")

    def add_item(self, cycle_id, name, *, group=None, priority=5, category=None, parent_id=None):
        return self.plane.add_item(
            name,
            cycle=cycle_id,
            state=group.value if group else "unstarted",
            priority=PRIORITIES[priority - 1],
            labels=[category] if category else [],
            parent=parent_id,
        )

    def rename_item(self, item_id, name):
        self.plane.edit_item(item_id, name=name)

    def remove_from_cycle(self, item_id):
        self.plane.remove_from_cycle(item_id)

    def relate(self, item_id, *, blocked_by):
        self.plane.relate(item_id, blocked_by=blocked_by)

    def comments(self, item_id):
        return [html_to_text(html) for html in self.plane.comments(item_id)]

    def description(self, cycle_id):
        return self.plane.cycle(cycle_id)["description"]


class TestPlaneTracker(TrackerContract):
    @pytest.fixture
    def stage(self, plane, tracker):
        return PlaneStage(plane, tracker)


class TestSmallPages(TestPlaneTracker):
    """The same with pages of seven, so that every list of the suite has several."""

    @pytest.fixture
    def stage(self, plane, open_tracker):
        return PlaneStage(plane, open_tracker(plane, page_size=7))
