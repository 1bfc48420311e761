"""Slides of a chapter: what they show, what the speaker reads, and that they can be presented."""

import pytest
from bs4 import BeautifulSoup
from test_site import NOTEBOOK, built, make_book

from benchmarks.browser import NoBrowser, browser
from coursebuild.slides import article_of, first_sentence, slides_of

BODY = """
<section id="top"><h1>Sums<a class="headerlink" href="#top">#</a></h1>
<div class="course-downloads"><a href="x.ipynb">Take it</a></div>
<p>Why add? To know <a href="other.html#two">more</a>.</p>
<section id="one"><h2>By hand</h2>
<p>We start at <em>e.g.</em> one. Then we go on.</p>
<aside class="course-note">beside it</aside>
<p>So does <b id="it">the formula</b>. It is short.</p>
<div class="math">1 + 1</div>
<p>It says 2.</p>
<div class="cell"><details class="above-input">folded</details>
<img alt="A line" src="../_images/line.svg"></div>
<div class="said">It was two.</div>
<div class="cell"><details class="above-input">only this</details></div>
<p>The end.</p>
<section id="two"><h3>Nothing to see</h3><p>One thing. And more.</p><ul><li>Another. Yes.</li></ul>
</section></section></section>
"""
CHAPTER = """# Sums

What is one and one?

*What is the sum of one and one, and who says so?* About 5 minutes.
After this chapter you can add two numbers.

## By hand

```{code-cell} ipython3
a = 1
```

The formula is short. Read it aloud.

$$1 + 1 = 2$$

Here is the sum. It is printed.

```{code-cell} ipython3
print("the sum is", a + 1)
```
"""
NOT_TAUGHT = "# Other\n\nA page to read.\n\n```{code-cell} ipython3\nb = 2\n```\n"


def words(html: str) -> str:
    return " ".join(BeautifulSoup(html, "html.parser").get_text().split())


def test_each_thing_to_see_is_a_slide_under_the_sentence_before_it():
    slides = list(slides_of(article_of(BODY, "book/sums")))
    assert [(slide.heading, words(slide.lead)) for slide in slides] == [
        ("Sums", ""),
        ("By hand", "So does the formula."),
        ("By hand", "It says 2."),
        ("Nothing to see", ""),
    ]
    assert [words("".join(slide.shown)) for slide in slides] == [
        "Why add?",
        "1 + 1",
        "It was two.",
        "One thing. Another.".replace(". A", ".A"),
    ]
    assert 'src="../_images/line.svg"' in slides[2].shown[0]


def test_all_that_the_chapter_tells_is_in_the_notes():
    slides = list(slides_of(article_of(BODY, "book/sums")))
    told = words(" ".join(note for slide in slides for note in slide.notes))
    for paragraph in BeautifulSoup(BODY, "html.parser").find_all(["p", "li"]):
        assert words(str(paragraph)) in told
    assert not any(words in str(slides) for words in ("Take it", "only this", "beside it"))


def test_addresses_hold_from_the_folder_of_the_decks():
    article = article_of(BODY + "", "book/sums")
    assert article.find("a")["href"] == "../book/other.html#two"
    inner = article_of('<section><p><a href="#one">up</a></p></section>', "book/sums")
    assert inner.a["href"] == "../book/sums.html#one"
    out = article_of('<section><a href="https://course.example/a">o</a></section>', "book/sums")
    assert out.a["href"] == "https://course.example/a"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>One. Two.</p>", "One."),
        ("<p>Of 3.5 bits, <i>one. two</i> stay. Then?</p>", "Of 3.5 bits, <i>one. two</i> stay."),
        ('<p>A <b id="x">mark</b></p>', "A <b>mark</b>"),
        ("<ul><li>First. More.</li><li>Second.</li></ul>", "First."),
        ("<ul><li><p>First? More.</p></li></ul>", "First?"),
    ],
)
def test_a_first_sentence_ends_where_it_ends(html, expected):
    tag = BeautifulSoup(html, "html.parser").find(True)
    assert first_sentence([tag]) == expected


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slides")
    book = make_book(folder, sums=NOTEBOOK + CHAPTER, rest=NOTEBOOK + NOT_TAUGHT)
    built(book)
    return book


@pytest.fixture
def tab(site):
    try:
        with browser() as chromium:
            tab = chromium.new_page(viewport={"width": 1280, "height": 720})
            tab.wrong = []
            tab.on("pageerror", lambda error: tab.wrong.append(str(error)))
            tab.on("console", lambda m: tab.wrong.append(m.text) if m.type == "error" else None)
            tab.goto((site / "_build" / "html" / "slides" / "sums.html").as_uri())
            yield tab
    except NoBrowser as error:
        pytest.skip(str(error))


@pytest.mark.check
def test_a_chapter_leads_to_its_deck_and_what_is_not_taught_has_none(site):
    pages = site / "_build" / "html"
    assert "slides/sums.html" in (pages / "book" / "sums.html").read_text("utf-8")
    assert [path.name for path in (pages / "slides").iterdir()] == ["sums.html"]
    assert "slides/" not in (pages / "book" / "rest.html").read_text("utf-8")


@pytest.mark.check
def test_a_deck_is_presented_by_keys_and_leads_back(tab):
    tab.wait_for_selector(".reveal.ready")
    now = ".slides > section.present"
    assert "add two numbers" in tab.inner_text(now)
    tab.keyboard.press("Space")
    tab.keyboard.press("Space")
    assert "The formula is short." in tab.inner_text(now)
    assert "Read it aloud" not in tab.inner_text(now)
    tab.keyboard.press("ArrowRight")
    assert "the sum is 2" in tab.inner_text(now)
    with tab.expect_popup() as popup:
        tab.keyboard.press("s")
    popup.value.get_by_text("It is printed.").wait_for()
    tab.keyboard.press("c")
    tab.wait_for_url("**/book/sums.html")
    assert tab.wrong == []


@pytest.mark.check
def test_keys_scroll_a_slide_that_is_too_tall_before_they_leave_it(tab):
    tab.wait_for_selector(".reveal.ready")
    tab.keyboard.press("Space")
    now = tab.locator(".slides > section.present")
    tab.set_viewport_size({"width": 1280, "height": 160})
    now.evaluate("(slide) => (slide.style.fontSize = '60px')")
    assert now.evaluate("(slide) => slide.scrollHeight > 1.5 * slide.clientHeight")
    heading = now.inner_text()
    place = "(slide) => slide.scrollTop"
    tops = []
    for key in ("ArrowDown", "PageDown", "ArrowUp", "Shift+Space"):
        tab.keyboard.press(key)
        tops.append(now.evaluate(place))
        assert now.inner_text() == heading
    assert 0 < tops[0] < tops[1] > tops[2] > tops[3]
    for _ in range(20):
        tab.keyboard.press("Space")
        if now.inner_text() != heading:
            break
    assert now.inner_text() != heading
    assert tab.wrong == []


@pytest.mark.check
def test_on_paper_each_slide_stands_with_its_notes(tab):
    tab.wait_for_selector(".reveal.ready")
    tab.emulate_media(media="print")
    shown = tab.locator(".slides > section")
    assert all(slide.is_visible() for slide in shown.all())
    assert tab.get_by_text("Read it aloud.").is_visible()
    assert tab.wrong == []
