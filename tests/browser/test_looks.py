"""What the eye and a screen reader meet: sizes, colours, names."""

from __future__ import annotations

import pytest

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

# Text against what lies behind it, as WCAG 2 computes it; what is large needs less.
FAINT = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], below) => [r, g, b].map((value, at) => value * a + below[at] * (1 - a));
  const behind = (element) => {
    const chain = [];
    for (let each = element; each; each = each.parentElement) chain.push(numbers(getComputedStyle(each).backgroundColor));
    return chain.reverse().reduce((below, colour) => over(colour, below), [255, 255, 255]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const style = getComputedStyle(element);
    const says = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!box.width || box.right < 0 || style.visibility === "hidden") continue;
    const ground = behind(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const shown = contrast(over(numbers(style.color), ground), ground);
    if (says && shown < (large ? 3 : 4.5)) found.push(`${element.tagName} ${element.textContent.trim()}`);
    const edged = element.matches("input:not([type=radio]), button.second, button.switch");
    if (edged && contrast(numbers(style.borderTopColor), behind(element.parentElement)) < 3) found.push(`the edge of #${element.id}`);
  }
  return found;
}"""

# What cannot be told apart without seeing it.
NAMELESS = """() => {
  const named = (element) => {
    const by = (element.getAttribute("aria-labelledby") || "").split(" ").filter(Boolean);
    if (by.length) return by.every((id) => document.getElementById(id)?.textContent.trim());
    if (element.getAttribute("aria-label")) return true;
    if (element.labels?.length) return [...element.labels].some((label) => label.textContent.trim());
    return element.matches("a, button, summary") && element.textContent.trim();
  };
  const wanted = document.querySelectorAll("a, button, input:not([type=hidden]), select, progress, summary, section, nav, [role=region]");
  const nameless = [...wanted].filter((element) => !named(element)).map((element) => element.outerHTML.slice(0, 80));
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const doubled = ids.filter((id, at) => ids.indexOf(id) !== at);
  const pictures = [...document.querySelectorAll("img:not([alt])")].map((element) => element.outerHTML);
  return [...nameless, ...doubled, ...pictures];
}"""

OUTLINE = """() => ({
  language: document.documentElement.lang,
  landmarks: ["header", "nav", "main"].map((name) => document.querySelectorAll(`body ${name}`).length),
  levels: [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1])),
  undescribed: [...document.querySelectorAll("[aria-describedby]")]
    .map((each) => each.getAttribute("aria-describedby"))
    .filter((id) => !document.getElementById(id)),
})"""


def full(show, host, sprint, **options):
    """Open the page with everything on it: a sprint, its items, cycles, a result, a message."""
    page = show(host.address, **options)
    page.click("#load-cycles")
    page.locator(".choices label", has_text=sprint[0]).first.click()
    page.fill("#project", sprint[1])
    page.click("#import")
    page.wait_for_selector(f"#result:has-text('{sprint[0]}')")
    page.click("#result-summary")
    page.click("#items-summary")
    page.wait_for_selector("#items-list table")
    page.click("#check")
    page.wait_for_selector("[data-say=connection]:not([hidden])")
    return page


def test_everything_can_be_read_and_named(host, sprint, show):
    """In light and in dark all text and every control's edge stands out, and whatever can be used has a name of its own."""
    page = full(show, host, sprint)
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert page.evaluate(FAINT) == []
    assert grounds[0] != grounds[1]
    assert page.evaluate(NAMELESS) == []
    check_outline(**page.evaluate(OUTLINE))


# Words in drawings against what lies behind the drawing.
FAINT_WORDS = """() => {
  const light = (colour) => {
    const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.match(/[\\d.]+/g).map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = getComputedStyle(document.querySelector(".card")).backgroundColor;
  const words = [...document.querySelectorAll("svg text")].filter((text) => contrast(getComputedStyle(text).fill, ground) < 4.5);
  const marks = [...document.querySelectorAll("svg [class^=stroke]")].filter((line) => contrast(getComputedStyle(line).stroke, ground) < 3);
  return [...words, ...marks].map((each) => each.outerHTML);
}"""


def full_builds(show, host, github, name, **options):
    """Open the page of builds with everything on it: imports that ended well and not, charts with a table open, risks."""
    for number in range(12):
        github.add_run(name, conclusion="failure" if number > 5 else "success", workflow=name, branch=name.replace("/", "-"))
    page = show(f"{host.address}/console/builds", **options)
    for repository in (f"{name}-gone", name):
        page.fill("#repository", repository)
        page.check("#jobs")
        page.click("#start")
        page.wait_for_selector(f"button[aria-label='Import {repository} again']")
    page.wait_for_selector("#at-risk")
    page.click("#rows-heat-map-summary")
    page.click("#rows-jobs-summary")
    return page


@pytest.mark.parametrize("host", ["django"], indirect=True)
def test_the_builds_can_be_read_and_named(host, github, show):
    """In light and in dark all text, also in charts, and every line stands out, and whatever can be used has a name of its own."""
    page = full_builds(show, host, github, f"acme/{host.name}")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(FAINT) == []
        assert page.evaluate(FAINT_WORDS) == []
    assert page.evaluate(NAMELESS) == []
    check_outline(**page.evaluate(OUTLINE))


@pytest.mark.parametrize("host", ["django"], indirect=True)
def test_the_builds_fit_a_phone(host, github, show):
    """At 390 pixels the page is as wide as the screen, whatever the names; charts are moved within their frame."""
    page = full_builds(show, host, github, f"{'Averyverylongownerwithoutanyspace' * 2}/Andarepositorylikewise", **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    small = "[...document.querySelectorAll('main button')].filter((each) => each.getBoundingClientRect().height < 32).length"
    assert page.evaluate(small) == 0
    frame = (
        "(() => { const drawing = document.querySelector('#chart-trend .scroll'); return drawing.scrollWidth > drawing.clientWidth; })()"
    )
    assert page.evaluate(frame)


def check_outline(*, language, landmarks, levels, undescribed):
    """One banner, one navigation, one main part; one first heading, and no level is jumped over."""
    assert (language, landmarks, undescribed) == ("en", [1, 1, 1], [])
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip([0, *levels], levels, strict=False))


def test_a_phone_needs_no_sideways_scroll(host, plane, show):
    """At 390 pixels the page is as wide as the screen, whatever the names, and buttons are large enough for a thumb."""
    long = "Averyveryverylongnamewithoutanyspace" * 4
    cycle = plane.add_cycle(long)
    plane.add_item(f"{long} item", cycle=cycle)
    page = full(show, host, (long, "phone"), **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    small = "[...document.querySelectorAll('main button:not(.switch)')].filter((each) => each.getBoundingClientRect().height < 32).length"
    assert page.evaluate(small) == 0
    plane.delete_cycle(cycle)
