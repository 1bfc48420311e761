"""What one searches: the words of a page, section by section, and nothing that it does not show."""

import json

import pytest
from test_web import ROOT

from benchmarks.browser import NoBrowser, browser
from coursebuild.search import sections_of
from coursebuild.web import make_scripts

PAGE = """<html><nav>Contents</nav><article class="bd-article">
<section id="top"><h1>A title<a class="headerlink" href="#top">#</a></h1>
<p>Words with <em>stress</em>, a <span class="math"><span class="katex"><span class="katex-mathml">
<math><mrow><mi>x</mi></mrow></math></span>
<span class="katex-html"><span>X X</span></span></span></span> and <br>a break.</p>
<figure><img alt="A picture" src="a.svg"></figure>
<section id="inner"><h2>Inner <code>name</code></h2><pre>code = 1</pre>
<div class="cell_output"><pre>an output</pre></div><ul><li>one</li><li>two</li></ul></section>
</section></article><footer>The end</footer></html>"""


def test_each_section_has_its_heading_and_its_own_words():
    top, inner = sections_of(PAGE)
    assert (top.anchor, top.heading) == ("top", "A title")
    assert (inner.anchor, inner.heading) == ("inner", "Inner name")
    assert " ".join("".join(top.words).split()) == "Words with stress, a x and a break."
    assert " ".join("".join(inner.words).split()) == "code = 1 one two"


def test_code_can_be_left_out():
    inner = sections_of(PAGE, code=False)[1]
    assert "code = 1" not in "".join(inner.words) and "two" in "".join(inner.words)


def test_a_page_without_an_article_has_nothing_to_find():
    assert sections_of("<html><section id='x'><h1>No</h1></section></html>") == []


FORM = """<!DOCTYPE html><html lang="en" data-content_root="./"><title>Words</title>
<main><form class="bd-search" role="search"><input type="search" aria-label="Search"></form></main>
<script src="_static/web/search.js"></script></html>"""
ROWS = [[f"book/{name}.html", name, "top", f"On {name}", "a word"] for name in ("a", "b", "c")]


@pytest.fixture
def tab(tmp_path):
    """A page with a search field, and three pages that hold a word."""
    make_scripts(ROOT, tmp_path / "_static" / "web")
    texts = f"courseTexts({json.dumps(ROWS)});"
    (tmp_path / "_static" / "search-texts.js").write_text(texts, "utf-8")
    (tmp_path / "index.html").write_text(FORM, "utf-8")
    try:
        with browser() as chromium:
            tab = chromium.new_page()
            tab.goto((tmp_path / "index.html").as_uri())
            yield tab
    except NoBrowser as error:
        pytest.skip(str(error))


@pytest.mark.check
def test_arrows_lead_through_the_results_and_back(tab):
    field = tab.get_by_role("searchbox")
    field.fill("word")
    tab.get_by_text("Found in 3 sections.").wait_for()
    focused = "document.activeElement.textContent"
    steps = [("ArrowDown", "On a"), ("ArrowDown", "On b"), ("ArrowDown", "On c")]
    steps += [("ArrowDown", "On c"), ("ArrowUp", "On b")]
    for key, where in steps:
        tab.keyboard.press(key)
        assert tab.evaluate(focused) == where
    for _ in range(3):
        tab.keyboard.press("ArrowUp")
    assert tab.evaluate("document.activeElement.type") == "search"
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.activeElement.href").endswith("/book/a.html#top")


@pytest.mark.check
def test_what_is_said_is_the_number_and_not_each_result(tab):
    said = "text => document.querySelector('[aria-live]').textContent.includes(text)"
    for typed, words, links in (("wor", "in 3 sections.", 3), ("nothing", "is nowhere", 0)):
        tab.get_by_role("searchbox").fill(typed)
        tab.wait_for_function(said, arg=words)
        assert tab.get_by_role("link").count() == links
        assert tab.locator("[aria-live] a").count() == 0
