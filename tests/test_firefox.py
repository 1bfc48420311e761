"""The book in Firefox: nothing complains, and what readers touch answers, served and from files."""

import json

import pytest
import test_book

from benchmarks.browser import NoBrowser, firefox_program, served
from coursebuild.web import node_modules, run_node

ROOT, HTML = test_book.ROOT, test_book.HTML
site = test_book.site
TOUCHED = {
    "book/welcome": [],
    "book/01-minkowski": ["minkowski"],
    "book/02-mutual-information": ["bins", "neighbours"],
    "book/05-positions": ["tau", "mantel"],
    "book/06-laminar-sweep": ["blocks"],
    "book/08-how-good": ["estimators"],
    "book/15-what-we-found": ["profiles"],
    "exercises/01-minkowski": [],
    "book/laboratory": [],
}


def read_in_firefox(address, width):
    """What `firefox.cjs` met on the pages."""
    try:
        program = firefox_program()
    except NoBrowser as error:
        pytest.skip(str(error))
    script = ROOT / "tests" / "firefox.cjs"
    asked = [str(script), program, address, str(width), *TOUCHED]
    return json.loads(run_node(asked, ROOT, node_modules(ROOT, tools=True)))


@pytest.mark.check
@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(("way", "width"), [("served", 1280), ("from files", 375)])
def test_firefox_shows_and_answers_all_that_a_reader_touches(way, width):
    if way == "served":
        with served(HTML) as address:
            came = read_in_firefox(address, width)
    else:
        came = read_in_firefox(HTML.as_uri(), width)
    for name, parts in TOUCHED.items():
        page = came[name]
        assert (page["problems"], page["wider"]) == ([], False), name
        assert way == "served" or page["lostFonts"] == [], (
            name
        )  # a server's may wait for a next page
        assert page["themes"] == ["dark", "light"], name
        assert page["touched"] == dict.fromkeys(parts, True), name
        assert page["found"] > 5, name
    kept = [page["predicted"] for page in came.values() if "predicted" in page]
    assert len(kept) > 3 and all(kept)
    laboratory = came["book/laboratory"]["laboratory"]
    assert laboratory["counts"].endswith("10 of them compared, in 45 pairs.")
    assert laboratory["curves"] == 3
