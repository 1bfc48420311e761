"""What a reader has done: kept in the browser, shown in the sidebar, taken away as a file."""

import json
from contextlib import contextmanager

import pytest
from bs4 import BeautifulSoup
from test_web import ROOT

from benchmarks.browser import NoBrowser, browser
from coursebuild.contents import fold
from coursebuild.web import make_scripts

PARTS = {
    "The tools": ["book/one", "book/two"],
    "Exercises": ["book/exercises", "exercises/01-lines"],
    "Materials": ["book/notation"],
}
COUNTED = {"The tools": "read", "Exercises": "done"}
PREDICTED = {"value": 1, "words": "the walk"}
PAGE = """<!DOCTYPE html><html lang="en" data-content_root="../"><title>{page}</title>
<div id="pst-primary-sidebar"><nav class="bd-links">{sidebar}</nav></div>
<article class="bd-article"><h1>{page}</h1><div style="height: 3000px"></div></article>
<script src="../_static/web/progress.js"></script></html>"""


def sidebar(page: str) -> str:
    """A sidebar as the theme writes it."""
    html = ""
    for caption, pages in PARTS.items():
        lines = [
            f'<li class="toctree-l1"><a href="{"#" if name == page else f"../{name}.html"}">'
            f"{name}</a></li>"
            for name in pages
        ]
        html += '<p aria-level="2" class="caption" role="heading"><span class="caption-text">'
        html += f"{caption}</span></p><ul>{''.join(lines)}</ul>"
    return fold(html, COUNTED)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    make_scripts(ROOT, folder / "_static" / "web")
    for page in (name for pages in PARTS.values() for name in pages):
        (folder / page).parent.mkdir(exist_ok=True)
        text = PAGE.format(page=page, sidebar=sidebar(page))
        (folder / f"{page}.html").write_text(text, encoding="utf-8")
    return folder.resolve()


@contextmanager
def reader(site, *, keeps: bool = True):
    """Somebody who reads the site from a folder; yields a tab and how to open a page."""
    try:
        with browser() as chromium:
            tab = chromium.new_page()
            tab.clock.install()
            if not keeps:
                refuse = "get() { throw new DOMException('no', 'SecurityError'); }"
                tab.add_init_script(f"Object.defineProperty(window, 'localStorage', {{{refuse}}});")
            problems = []
            tab.on("pageerror", lambda error: problems.append(error))
            tab.on("dialog", lambda dialog: dialog.accept())
            yield tab, lambda page: tab.goto((site / f"{page}.html").as_uri())
            assert problems == []
    except NoBrowser as error:
        pytest.skip(str(error))


def count(tab) -> str:
    return tab.locator(".course-count").inner_text()


def seen(tab) -> None:
    """Wait until the browser has told its observers what is in sight."""
    watch = "new IntersectionObserver(done).observe(document.querySelector('.course-read'))"
    tab.evaluate(f"() => new Promise((done) => {watch})")


def marked(tab) -> list[str]:
    lines = tab.locator("li:has(.course-mark)").all_text_contents()
    return [line.removesuffix("✓") for line in lines]


def test_the_sidebar_says_what_is_counted():
    parts = BeautifulSoup(sidebar("book/one"), "html.parser").find_all("details")
    assert [part.get("data-progress") for part in parts] == ["read", "done", None]


@pytest.mark.check
def test_a_tick_lasts_shows_on_each_page_and_is_cleared(site):
    with reader(site) as (tab, visit):
        visit("book/one")
        assert count(tab) == "0 of 2 read"
        tab.get_by_label("I have read this chapter").check()
        assert (count(tab), marked(tab)) == ("1 of 2 read", ["book/one"])
        visit("exercises/01-lines")
        assert (count(tab), marked(tab)) == ("1 of 2 read", ["book/one"])
        tab.get_by_label("I have done this exercise").check()
        assert marked(tab) == ["book/one", "exercises/01-lines"]
        tab.get_by_text("Your progress").click()
        assert "Exercises done: 1 of 1" in tab.locator(".course-kept").inner_text()
        tab.get_by_role("button", name="Clear").click()
        assert (count(tab), marked(tab)) == ("0 of 2 read", [])
        assert not tab.get_by_label("I have done this exercise").is_checked()


@pytest.mark.check
def test_pages_that_are_looked_up_in_have_no_box(site):
    with reader(site) as (tab, visit):
        for page in ("book/exercises", "book/notation"):
            visit(page)
            assert count(tab) == "0 of 2 read"
            assert tab.locator(".course-read").count() == 0


@pytest.mark.check
def test_the_end_counts_as_read_after_a_while_and_a_tick_taken_away_stays_away(site):
    with reader(site) as (tab, visit):
        visit("book/two")
        box = tab.get_by_label("I have read this chapter")
        tab.clock.fast_forward(60_000)
        assert not box.is_checked()  # open for long, and not read to its end
        visit("book/two")
        box.scroll_into_view_if_needed()
        seen(tab)
        tab.clock.run_for(20_000)
        assert not box.is_checked()  # at its end, and not open for long
        tab.clock.run_for(20_000)
        assert box.is_checked()
        box.uncheck()
        visit("book/two")
        box.scroll_into_view_if_needed()
        seen(tab)
        tab.clock.run_for(60_000)
        assert not box.is_checked()
        visit("book/one")
        box.scroll_into_view_if_needed()
        seen(tab)
        tab.clock.run_for(5_000)
        box.check()
        box.uncheck()
        tab.clock.run_for(60_000)
        assert not box.is_checked()


@pytest.mark.check
def test_a_file_brings_progress_to_another_browser(site, tmp_path):
    with reader(site) as (tab, visit):
        visit("book/one")
        kept = json.dumps(json.dumps(PREDICTED))
        tab.evaluate(f"localStorage.setItem('course:predict:one/larger', {kept})")
        tab.get_by_label("I have read this chapter").check()
        tab.get_by_text("Your progress").click()
        with tab.expect_download() as saved:
            tab.get_by_role("button", name="Save as a file").click()
        saved.value.save_as(tmp_path / "saved.json")
    kept = json.loads((tmp_path / "saved.json").read_text("utf-8"))["kept"]
    assert kept == {"predict:one/larger": PREDICTED, "read:book/one": True}
    none = [{"kept": {"read:book/two": True}}]
    none += [{"course": "progress", "version": 1, "kept": odd} for odd in ("abc", [1, 2], 5, None)]
    half = {"course": "progress", "version": 1, "kept": {"read:book/two": True, "quiz:one/1": 5}}
    (tmp_path / "half.json").write_text(json.dumps(half), encoding="utf-8")
    with reader(site) as (tab, visit):
        visit("book/two")
        tab.get_by_text("Your progress").click()
        for other in none:
            (tmp_path / "other.json").write_text(json.dumps(other), encoding="utf-8")
            tab.locator(".course-kept .note").evaluate("(note) => (note.textContent = '')")
            tab.set_input_files("input[type=file]", tmp_path / "other.json")
            tab.get_by_text("This is no file that was saved here.").wait_for()
            assert count(tab) == "0 of 2 read"
            assert tab.evaluate("localStorage.length") == 0
        tab.set_input_files("input[type=file]", tmp_path / "half.json")
        tab.get_by_text("Loaded half.json, without 1 of its entries").wait_for()
        assert tab.evaluate("Object.keys(localStorage)") == ["course:read:book/two"]
        tab.get_by_label("I have read this chapter").uncheck()
        tab.set_input_files("input[type=file]", tmp_path / "saved.json")
        tab.get_by_text("Loaded saved.json.").wait_for()
        assert (count(tab), marked(tab)) == ("1 of 2 read", ["book/one"])
        assert "Predictions made: 1" in tab.locator(".course-kept").inner_text()


@pytest.mark.check
def test_two_tabs_tell_each_other_what_changed_and_then_are_quiet(site):
    try:
        with browser() as chromium:
            context = chromium.new_context()
            heard = "addEventListener('storage', ({ key }) => (window.heard ??= []).push(key));"
            context.add_init_script(heard)
            tabs = [context.new_page(), context.new_page()]
            for tab, page in zip(tabs, ("book/one", "book/two"), strict=True):
                tab.goto((site / f"{page}.html").as_uri())
            tabs[0].get_by_label("I have read this chapter").check()
            tabs[1].get_by_text("1 of 2 read").wait_for()
            heard = [tab.evaluate("window.heard ?? []") for tab in tabs]
            assert heard[1][-1] == "course:read:book/one"
            assert all(len(keys) <= 5 for keys in heard)  # of a probe a page, and of the tick
    except NoBrowser as error:
        pytest.skip(str(error))


@pytest.mark.check
def test_a_browser_that_keeps_nothing_says_so(site):
    with reader(site, keeps=False) as (tab, visit):
        visit("book/one")
        tab.get_by_label("I have read this chapter").check()
        assert count(tab) == "1 of 2 read"
        assert "This browser keeps nothing here" in tab.locator(".course-kept").text_content()
