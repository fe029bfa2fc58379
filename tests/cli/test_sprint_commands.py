from __future__ import annotations

import pytest


@pytest.fixture
def cycle(plane):
    """A cycle of two items."""
    made = plane.add_cycle("Sprint 5")
    plane.add_item("Login", cycle=made, state="Todo", priority="urgent")
    plane.add_item("A [bold] name", cycle=made, state="Todo")
    return made


def test_cycles_are_listed(command, cycle):
    """``sprint cycles`` shows id, name and status."""
    assert command("sprint", "cycles", "--json") == 0
    assert [(found["id"], found["status"]) for found in command.json] == [(cycle, "current")]


def test_an_import_says_what_it_did(command, cycle):
    """Names of the tracker are shown as they are, never as markup."""
    assert command("sprint", "import", cycle, "--project", "shop") == 0
    assert "2 imported, 0 updated, 0 skipped" in command.out
    assert "A [bold] name" in command.out


def test_an_import_as_json_has_the_counts(command, cycle):
    """A program gets counts and details."""
    command("sprint", "import", cycle, "--project", "shop", "--json")
    assert (command.json["imported"], len(command.json["details"])) == (2, 2)


def test_an_unknown_cycle_ends_with_4(command, plane):
    """The tracker does not know it: told, with a hint."""
    assert command("sprint", "import", "nope", "--project", "shop") == 4
    assert "sprint cycles" in command.err


def test_a_bad_key_ends_with_4(command, plane, cycle):
    """A refused key is told without the key."""
    plane.revoke_key()
    assert command("sprint", "import", cycle, "--project", "shop") == 4
    assert plane.api_key not in command.err


def test_without_configuration_the_variables_are_named(command):
    """A newcomer is told what to set."""
    assert command("sprint", "cycles") == 3
    assert "PLANE_API_URL" in command.err


def test_a_sprint_from_import_to_report(command, cycle):
    """Record, status, report and completion tell one story."""
    command("sprint", "import", cycle, "--project", "shop")
    assert command("sprint", "record", "shop", 1, "--failed", "--note", "red") == 0
    assert command("sprint", "complete", "shop") == 1
    assert "not completed" in command.out
    for number in (1, 2):
        command("sprint", "record", "shop", number, "--passed")
    assert command("sprint", "report", "shop") == 0
    assert "2 of 2 items tested, 66.7 % of the runs passed" in command.out
    assert command("sprint", "status") == 0
    assert "2 of 2 pass" in command.out
    assert command("sprint", "complete", "shop") == 0
    assert "completed: 2 items pass" in command.out


def test_status_and_report_as_json(command, cycle):
    """Programs get the numbers."""
    command("sprint", "import", cycle, "--project", "shop")
    command("sprint", "status", "--json")
    assert command.json["statistics"]["total"] == 2
    command("--json", "sprint", "report", "shop")
    assert command.json["total_items"] == 2


def test_an_unknown_item_is_told(command, cycle):
    """A number that the project has not is refused."""
    command("sprint", "import", cycle, "--project", "shop")
    assert command("sprint", "record", "shop", 99, "--passed") == 1
    assert "has no work item 99" in command.err


def test_the_loop_is_turned_on_and_off(command, cycle):
    """The choice is kept from one run of the command to the next."""
    command("sprint", "import", cycle, "--project", "shop")
    assert command("sprint", "toggle", "--on") == 0
    command("sprint", "status", "--json")
    assert command.json["state"]["enabled"] is True
    command("sprint", "toggle", "--off", "--json")
    assert command.json["state"]["enabled"] is False


def test_a_round_by_hand_fetches_and_tells(command, cycle, plane):
    """``sprint sync`` brings edits in and takes results back."""
    command("sprint", "import", cycle, "--project", "shop")
    command("sprint", "record", "shop", 1, "--passed")
    command("worker", "--drain")
    assert command("sprint", "sync") == 0
    assert plane.state_of(next(iter(plane.world.items))) == "Done"
