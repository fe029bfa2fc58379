"""An import in the foreground that meets a limit, and somebody who does not want to wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from forgekit.errors import RemoteRateLimited

SHOP = "acme/shop"


def _no_patience(_until):
    raise KeyboardInterrupt


def test_a_limit_that_is_waited_for_is_told(github, clock, open_forge):
    """Before the wait begins, its end is told."""
    forge, told = open_forge(github), []
    github.add_run(SHOP)
    github.limit_next(retry_after=60)

    def stop_at(until):
        told.append(until)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forge.builds.import_github(SHOP, progress=lambda *_: None, waiting=stop_at)
    assert timedelta(seconds=60) <= told[0] - clock.now() <= timedelta(seconds=70)


def test_who_stops_a_wait_may_begin_again_at_once(github, clock, open_forge):
    """What was held for the time of the wait is let go of; the next import comes to the limit, not to a conflict."""
    forge = open_forge(github)
    github.add_run(SHOP)
    github.limit_next(retry_after=60)
    with pytest.raises(KeyboardInterrupt):
        forge.builds.import_github(SHOP, progress=lambda *_: None, waiting=_no_patience)
    clock.advance(61)
    assert forge.builds.import_github(SHOP).accepted == 1


def test_nobody_is_told_where_nothing_is_waited_for(github, open_forge):
    """Without anybody who sees the progress a limit ends the import at once."""
    forge = open_forge(github)
    github.add_run(SHOP)
    github.limit_next(retry_after=60)
    with pytest.raises(RemoteRateLimited):
        forge.builds.import_github(SHOP, waiting=_no_patience)
