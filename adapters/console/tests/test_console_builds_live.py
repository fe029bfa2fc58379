from __future__ import annotations

from forgekit.testing import FakeClock
from forgekit_console.live import BUILDS, SYNC, Live


class Listener:
    """Stands for a page's stream, past what it begins with."""

    def __init__(self, live, topic):
        self.heard = []
        live.stream(topic).subscribe(self)
        self.heard.clear()

    def send(self, event):
        self.heard.append(event.event)

    def close(self):
        """Never called."""


def test_an_import_is_told_from_its_beginning_to_its_end(open_forge, github):
    """The page of builds hears of each change of an import, also where it brings nothing, and the sprint sync hears of none."""
    forge = open_forge(clock=FakeClock(github.world.now()), github=github.settings)  # each second that passes would be told, too
    live = Live(forge.clock)
    live.hear(forge)
    builds, sync = Listener(live, BUILDS), Listener(live, SYNC)
    github.add_repository("acme/shop")
    forge.builds.request_import("github", "acme/shop")
    assert builds.heard == ["progress"]
    forge.worker().drain()
    assert builds.heard == ["progress"] * 3
    github.add_run("acme/shop")
    forge.builds.request_import("github", "acme/shop")
    forge.worker().drain()
    assert builds.heard[3:] == ["progress", "progress", "changed", "progress"]
    assert sync.heard == []
