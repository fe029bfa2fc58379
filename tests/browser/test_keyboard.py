"""The pages without a mouse."""

from __future__ import annotations

import pytest

# What keys do is the browser's business alone; the hosts take turns with the other pages' tests.
pytestmark = pytest.mark.parametrize("host", ["django"], indirect=True)

FOCUSED = """() => {
  const element = document.activeElement;
  const ring = element.type === "radio" ? element.closest("label") : element;
  const style = getComputedStyle(ring);
  return { name: element.id || element.getAttribute("href"), ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
}"""


@pytest.fixture
def page(host, sprint, show):
    """The sprint sync with its cycles loaded."""
    opened = show(host.address)
    opened.click("#load-cycles")
    opened.wait_for_selector("#import")
    opened.reload()
    opened.wait_for_selector("body[data-live=yes]")
    return opened


def walk(page):
    """Press Tab until the focus leaves the page, and tell where it was and whether that could be seen."""
    stops = []
    while True:
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop["name"] is None or stop["name"] in [each["name"] for each in stops]:
            return stops
        stops.append(stop)


def test_tab_goes_through_the_page_in_its_order(page):
    """Every stop is reached in reading order, each once, and each is visible."""
    stops = walk(page)
    names = [stop["name"] for stop in stops]
    header = ["#main", "./", "console/builds", "/docs"]
    expected = [*header, "items-summary", "project", "cycle", "import", "load-cycles", "result-summary", "check", "toggle"]
    order = [next((place for place, name in enumerate(expected) if stop.startswith(name)), -1) for stop in names]
    assert order == sorted(order)
    assert {*header[1:], "project", "import", "load-cycles", "check", "toggle"} <= set(names)
    assert [stop["name"] for stop in stops if not stop["ring"]] == []


def test_enter_in_the_project_field_imports(page, sprint):
    """Arrows choose the cycle, Enter imports it, and the focus stays in the field."""
    page.locator(".choices label", has_text=sprint[0]).first.locator("input").focus()
    page.keyboard.press("Space")
    page.focus("#project")
    page.keyboard.press("Control+A")
    page.keyboard.type(sprint[1])
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#result:has-text('{sprint[0]}')")
    assert page.evaluate("document.activeElement.id") == "project"


def test_enter_without_cycles_loads_them(host, show):
    """Where no cycle is listed yet, Enter in the project field asks for them."""
    page = show(host.address)
    page.evaluate("document.getElementById('import')?.remove()")
    page.fill("#project", "shop")
    with page.expect_response("**/console/cycles"):
        page.keyboard.press("Enter")


def test_buttons_keep_the_focus_while_they_work_and_after(page):
    """Pressing a button by keyboard leaves the focus on it, though its part of the page is rendered anew."""
    page.fill("#project", "focus")
    for name in ("import", "load-cycles", "check", "toggle", "toggle"):
        page.focus(f"#{name}")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#{name}:not([aria-disabled]):focus")
        assert page.evaluate("document.activeElement.id") == name


def test_the_skip_link_leads_to_the_content(page):
    """The first stop jumps over the header."""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
