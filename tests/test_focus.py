"""Where the keyboard is can be seen, and read: in each kind of page, light and dark.

What shows only while it has the focus is not there when a page at rest is searched for faults.
"""

import re

import pytest
from test_book import HTML, site  # noqa: F401 (a fixture)

from benchmarks.browser import NoBrowser, browser, open_page, served

KINDS = ["book/welcome", "book/02-mutual-information", "book/laboratory", "exercises/01-minkowski"]
KINDS += ["solutions/01-minkowski", "book/library", "search"]
MOST = 300  # more controls than any page has
# Of the element with the focus: its place among all, its ring and the ground that this lies on; and
# its letters, if it has any of its own, with the ground of these.
RING = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const groundOf = (below) => {
    const { backgroundColor } = getComputedStyle(below);
    const isClear = below.parentElement && /, 0\\)$/.test(backgroundColor);
    return isClear ? groundOf(below.parentElement) : backgroundColor;
  };
  const { outlineStyle, outlineWidth, outlineColor, color } = getComputedStyle(element);
  const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
  return {
    place: [...document.querySelectorAll("*")].indexOf(element),
    html: element.outerHTML.slice(0, 100),
    style: outlineStyle, width: parseFloat(outlineWidth), colour: outlineColor,
    ground: groundOf(element.parentElement),
    letters: texts.some((node) => node.data.trim()) ? color : null, paper: groundOf(element),
  };
}"""


def luminance(colour):
    """Of a colour as CSS names it, as WCAG defines it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(share * x for share, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def reached(tab):
    """What the Tab key reaches, one after the other, once each."""
    found = {}
    for _ in range(MOST):
        tab.keyboard.press("Tab")
        ring = tab.evaluate(RING)
        if ring is None:
            continue  # beyond the last comes the browser itself, and then the first
        if ring["place"] in found:
            break
        found[ring["place"]] = ring
    return list(found.values())


def test_contrast_is_that_of_wcag():
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("rgb(119, 119, 119)", "rgb(255, 255, 255)") == pytest.approx(4.48, abs=0.01)


@pytest.mark.check
@pytest.mark.usefixtures("site")
def test_every_control_has_a_ring_that_can_be_seen_and_letters_that_can_be_read():
    try:
        with served(HTML) as address, browser() as chromium:
            seen = {}
            for scheme in ("light", "dark"):
                tab = chromium.new_page(
                    color_scheme=scheme, viewport={"width": 1280, "height": 900}
                )
                for name in KINDS:
                    open_page(tab, f"{address}/{name}.html")
                    seen[name, scheme] = reached(tab)
    except NoBrowser as error:
        pytest.skip(str(error))
    assert all(len(rings) > 5 for rings in seen.values())
    bare = [
        (*page, ring["html"])
        for page, rings in seen.items()
        for ring in rings
        if ring["style"] != "solid"
        or ring["width"] < 2
        or contrast(ring["colour"], ring["ground"]) < 3
    ]
    assert bare == []
    pale = [
        (*page, ring["html"], ring["letters"], ring["paper"])
        for page, rings in seen.items()
        for ring in rings
        if ring["letters"] and contrast(ring["letters"], ring["paper"]) < 4.5
    ]
    assert pale == []
