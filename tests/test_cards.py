"""Cards show what pages say of themselves, and pages that say too little fail the build."""

import re
import subprocess
import sys

import pytest
import yaml
from bs4 import BeautifulSoup

from coursebuild.contents import fold

CHAPTER = """\
# Part 1 · Distance

*How far apart are they, and who says so?*

After this chapter you can measure it, e.g. by 2.5 ways, and doubt it. It takes about 35 minutes.

## A section

*This emphasis comes too late to be the question.* It takes about 99 minutes.
"""
EXERCISE = """\
# Exercise 1

*Write a distance yourself, and be contradicted.*

* **Time:** about 45 minutes. **Difficulty:** easy to medium.
"""
HOME = """\
# Home

```{{cards}} {part}
```
"""


def build(tmp_path, part="The tools", chapter=CHAPTER):
    """Build a book of three pages; return its first page and what the build complained of."""
    source = tmp_path / "source"
    (source / "book").mkdir(parents=True)
    pages = {"home": HOME.format(part=part), "chapter": chapter, "exercise": EXERCISE}
    for name, text in pages.items():
        (source / "book" / f"{name}.md").write_text(text, "utf-8")
    toc = {
        "format": "jb-book",
        "root": "book/home",
        "parts": [
            {"caption": "The tools", "chapters": [{"file": "book/chapter"}]},
            {"caption": "Exercises", "chapters": [{"file": "book/exercise"}]},
        ],
    }
    (source / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    extensions = ["myst_parser", "sphinx_external_toc", "coursebuild.contents", "coursebuild.cards"]
    settings = f"extensions = {extensions}\nhtml_theme = 'basic'\nexternal_toc_path = '_toc.yml'\n"
    (source / "conf.py").write_text(settings, "utf-8")
    # A process of its own: what reads _toc.yml is meant for one build in a process.
    command = [sys.executable, "-m", "sphinx", "-q", source, tmp_path / "html"]
    said = subprocess.run(command, capture_output=True, text=True).stderr
    html = (tmp_path / "html" / "book" / "home.html").read_text("utf-8")
    return BeautifulSoup(html, "html.parser"), said


def test_a_card_says_what_its_page_says_at_its_head(tmp_path):
    page, said = build(tmp_path)
    [card] = page.select(".course-cards > li")
    texts = [re.sub(r"\s+", " ", p.text) for p in card.find_all("p")]
    assert texts == [
        "Part 1 · Distance",
        "How far apart are they, and who says so?",
        "You can measure it, e.g. by 2.5 ways, and doubt it.",
        "35 minutes",
    ]
    assert card.a["href"] == "chapter.html"
    assert not said


def test_an_exercise_says_how_hard_it_is(tmp_path):
    page, said = build(tmp_path, "Exercises")
    assert page.select_one(".card-meta").text == "45 minutes · easy to medium"
    assert not said


def test_a_page_that_says_too_little_is_named(tmp_path):
    _, said = build(tmp_path, chapter="# A chapter\n\nIt takes long.\n")
    assert "book/chapter does not say at its head: a question" in said
    assert "minutes" in said


def test_an_unknown_part_is_quoted_beside_those_there_are(tmp_path):
    _, said = build(tmp_path, "The tolls")
    assert "no part 'The tolls' in _toc.yml; it has The tools, Exercises" in said


def test_a_page_names_its_part(tmp_path):
    build(tmp_path)
    html = (tmp_path / "html" / "book" / "chapter.html").read_text("utf-8")
    assert BeautifulSoup(html, "html.parser").select_one(".course-kicker").text == "The tools"


@pytest.mark.parametrize("current", [True, False])
def test_the_sidebar_is_open_at_the_current_part_alone(current):
    is_current = " current active" if current else ""
    html = (
        '<p aria-level="2" class="caption" role="heading">'
        '<span class="caption-text">Tools</span></p>\n'
        f'<ul><li class="toctree-l1{is_current}"><a href="#">One</a></li></ul>'
    )
    part = BeautifulSoup(fold(html), "html.parser").details
    assert part.summary.text == "Tools"
    assert part.ul.text == "One"
    assert part.has_attr("open") == current
