"""A site in another language: the same outputs, other words, and a list of what is missing."""

import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup
from test_site import built, edit, make_book, run

from coursebuild.catalogues import BOOK, ENGLISH, FOLDER, begin
from coursebuild.languages import choose_language, slug, translated

ROOT = Path(__file__).resolve().parents[1]
HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8"\n'
PAGE = """# Page

The first paragraph says what the page is about, and it says *more*.

A second one.

## What follows

It leads to [itself](#what-follows), and to [another](welcome.md).
"""


def entries(*pairs: tuple[str, str]) -> str:
    return HEAD + "".join(f'\nmsgid "{message}"\nmsgstr "{said}"\n' for message, said in pairs)


WORDS = entries(
    ("Search", "Suche"),
    ("Search this book", "Dieses Buch durchsuchen"),
    ("Exercise", "Übung"),
    ("Solution", "Lösung"),
    ("Download this exercise (.ipynb)", "Diese Übung herunterladen (.ipynb)"),
    ("*Write your answer here, in your own words.*", "*Schreib deine Antwort hierher.*"),
)
GERMAN = {
    "words": WORDS,
    "book/page": entries(
        ("Page", "Seite"),
        (
            "The first paragraph says what the page is about, and it says *more*.",
            "Der erste Absatz sagt, worum es geht, und er sagt *mehr*.",
        ),
        ("What follows", "Was folgt"),
        ("It is gone.", "Es ist weg."),
    ),
    "book/welcome": entries(("A small book", "Ein kleines Buch")),
    "solutions/01-lines": entries(
        ("Exercise: Lines", "Übung: Linien"),
        ("What is the largest of them?", "Welches ist das größte davon?"),
        ("add the first two values up", "addiere die ersten beiden Werte"),
    ),
}


def translate(book: Path, catalogues: dict[str, str]) -> None:
    for name, text in catalogues.items():
        path = book / BOOK / "de" / FOLDER / f"{name}.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def build(book: Path, language: str = "de"):
    return run("-m", "coursebuild.build", str(book), "--language", language)


def soup(book: Path, page: str) -> BeautifulSoup:
    text = (book / "_build" / "de" / "html" / f"{page}.html").read_text("utf-8")
    return BeautifulSoup(text, "html.parser")


@pytest.fixture(scope="module")
def german(tmp_path_factory):
    """A book that was built in English and then in German, and what the second build said."""
    folder = tmp_path_factory.mktemp("languages")
    book = make_book(folder, exercises=("01-lines",), page=PAGE)
    built(book)
    translate(book, GERMAN)
    result = build(book)
    assert result.returncode == 0, result.stdout + result.stderr
    return book, result.stdout


@pytest.mark.check
def test_no_page_runs_because_of_a_language(german):
    assert "executed" not in german[1]
    assert "the value is 1" in soup(german[0], "book/welcome").find("article").get_text()


@pytest.mark.check
def test_a_page_says_what_is_translated_in_german_and_the_rest_in_english(german):
    page = soup(german[0], "book/page")
    assert page.html["lang"] == "de"
    assert page.h1.get_text().startswith("Seite")
    words = page.find("article").get_text()
    assert "worum es geht" in words
    assert "A second one." in words
    assert page.find("input", {"name": "q"})["placeholder"] == "Dieses Buch durchsuchen"


@pytest.mark.check
def test_links_lead_to_headings_by_their_english_anchors(german):
    page = soup(german[0], "book/page")
    (link,) = (a for a in page.find("article").find_all("a") if a.get_text() == "itself")
    assert page.find(id=link["href"].removeprefix("#")).h2.get_text().startswith("Was folgt")


@pytest.mark.check
def test_a_page_without_translations_is_marked_as_english(german):
    assert soup(german[0], "book/other").find("section")["lang"] == "en"
    assert not soup(german[0], "book/page").find("section").has_attr("lang")


@pytest.mark.check
def test_what_is_missing_is_told_of_each_page_and_listed(german):
    book, said = german
    line = "book/page: 2 of 5 messages are not translated; translated, but no messages: 1"
    assert line in said.splitlines()
    listed = (book / "_build" / "de" / "untranslated.txt").read_text("utf-8")
    assert f"{line}\n  A second one.\n  It leads to [itself](#what-follows)" in listed
    assert "  translated, and no message any more: It is gone.\n" in listed


@pytest.mark.check
def test_the_exercise_of_the_site_and_its_download_are_german(german):
    book, _ = german
    page = soup(book, "exercises/01-lines")
    words = page.find("article").get_text()
    assert "Übung: Linien" in words and "Diese Übung herunterladen" in words
    downloads = book / "_build" / "de" / "html" / "downloads"
    made = nbformat.read(downloads / "exercises" / "01-lines.ipynb", 4)
    english = nbformat.read(book / "exercises" / "01-lines.ipynb", 4)
    assert [cell.id for cell in made.cells] == [cell.id for cell in english.cells]
    text = "\n".join(cell.source for cell in made.cells)
    assert "# addiere die ersten beiden Werte" in text
    assert "*Schreib deine Antwort hierher.*" in text
    with zipfile.ZipFile(downloads / "exercises.zip") as archive:
        assert "Welches ist das größte" in archive.read("exercises/01-lines.ipynb").decode()
    assert soup(book, "solutions/01-lines").h1.get_text().startswith("Lösung: Linien")


@pytest.mark.check
def test_the_english_site_is_as_it_was(german):
    path = german[0] / "_build" / "html" / "book" / "page.html"
    page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
    assert page.html["lang"] == "en"
    assert "The first paragraph" in page.find("article").get_text()


@pytest.mark.check
def test_a_new_translation_renews_its_page_alone(german, tmp_path):
    book = german[0]
    path = book / BOOK / "de" / FOLDER / "book" / "page.po"
    kept = shutil.copy(path, tmp_path / "page.po")
    edit(path, "worum es geht", "wovon sie handelt")
    said = build(book).stdout
    assert "pages to write: 1\n" in said
    assert "wovon sie handelt" in soup(book, "book/page").find("article").get_text()
    shutil.copy(kept, path)


@pytest.mark.check
def test_a_translation_that_loses_a_link_stops_the_build_with_its_place(german, tmp_path):
    book = german[0]
    path = book / BOOK / "de" / FOLDER / "book" / "page.po"
    kept = shutil.copy(path, tmp_path / "page.po")
    message = "It leads to [itself](#what-follows), and to [another](welcome.md)."
    path.write_text(path.read_text("utf-8") + entries((message, "Nirgends.")).removeprefix(HEAD))
    result = build(book)
    assert result.returncode == 1
    assert "page.po:" in result.stderr and "the link to welcome.md is missing" in result.stderr
    shutil.copy(kept, path)


@pytest.mark.check
def test_an_unknown_language_is_told_with_the_way_out(german):
    result = build(german[0], "xx")
    assert result.returncode == 2
    assert "nothing is translated into 'xx'; book/locale has de" in result.stderr
    assert "make translation LANGUAGE=xx" in result.stderr


def test_a_published_site_says_that_it_lies_below_the_english_one(tmp_path):
    translate(tmp_path, GERMAN)
    options = {"html_theme_options": {}, "html_title": "A", "project": "A", "author": ""}
    config = SimpleNamespace(language="de", html_baseurl="https://ann.example/course/", **options)
    try:
        choose_language(SimpleNamespace(srcdir=tmp_path), config)
    finally:
        begin(tmp_path, ENGLISH)
    assert config.html_baseurl == "https://ann.example/course/de"


def test_anchors_of_translated_headings_are_those_of_the_english_ones(tmp_path):
    translate(tmp_path, GERMAN)
    try:
        begin(tmp_path, "de")
        assert "## Was folgt" in translated("book/page", PAGE, tmp_path)
        assert slug("Was folgt") == "what-follows"
        assert slug("Another heading") == "another-heading"
    finally:
        begin(tmp_path, ENGLISH)
