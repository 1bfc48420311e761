"""The whole book as a file: its chapters, the PDF, the EPUB, and which site offers them."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from test_site import ROOT, build, html, make_book, run

from benchmarks.browser import NoBrowser
from coursebuild.editions import edition, keep_file, offered
from coursebuild.epub import in_light, write_epub
from coursebuild.fonts import faces
from coursebuild.pages import BookError, connect, read_book
from coursebuild.paper import pages_of, print_book
from coursebuild.web import LOCK, make_scripts, web_folder

CONFIG = """title: Lines & Planes
author: Ann
copyright: "1948"
html: {baseurl: "ADDRESS"}
repository: {url: ""}
sphinx: {config: {language: en}}
"""
TOC = """format: jb-book
root: book/welcome
parts:
- {caption: The tools, chapters: [{file: book/one}, {file: book/two}]}
- {caption: Exercises, chapters: [{file: book/exercises}, {file: exercises/01-lines}]}
- {caption: Solutions, chapters: [{file: solutions/01-lines}]}
"""
PAGE = """<html><body><nav>Menu</nav><article class="bd-article"><section id="top"><h1>{title}
<a class="headerlink" href="#top">#</a></h1>{text}</section></article></body></html>"""
FORMULA = (
    '<span class="katex"><span class="katex-mathml">'
    '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math></span>'
    '<span class="katex-html">x drawn</span></span>'
)
ONE = f"""<p>See <a href="two.html#end">its end</a>,
<a href="../exercises/01-lines.html#a">a task</a> and {FORMULA}.
Hidden: <span hidden="">never</span></p>
<details class="hide above-input"><summary>Show</summary><pre>folded()</pre></details>
<details><summary>Answer</summary><p>Open.</p></details>
<img alt="A line" src="../_images/line.svg">
<section id="end"><h2>The end</h2><p>It ends.</p></section>"""
TWO = '<p>Back to <a href="one.html">one</a>.</p><section id="end"><h2>Its end</h2></section>'
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><style>:root{--0:#111}'
    "@media(prefers-color-scheme:dark){:root{--0:#eee}}</style>"
    '<path style="stroke: red"/><path d="M 0 0 L 9 9" style="stroke: var(--0)"/></svg>'
)


def lay_out(folder: Path, address: str = "") -> Path:
    """A finished site as a build leaves it."""
    site = folder / "_build" / "html"
    pages = {
        "book/welcome": ("Welcome", "<p>Begin.</p>"),
        "book/one": ("Part 1", ONE),
        "book/two": ("Part 2", TWO),
        "book/exercises": ("Exercises", ""),
        "exercises/01-lines": ("Exercise 1", ""),
    }
    for page, (title, text) in pages.items():
        (site / page).parent.mkdir(parents=True, exist_ok=True)
        (site / f"{page}.html").write_text(PAGE.format(title=title, text=text), encoding="utf-8")
    for name, text in (("_images/line.svg", SVG), ("_static/pygments.css", "")):
        (site / name).parent.mkdir()
        (site / name).write_text(text, encoding="utf-8")
    (folder / "_config.yml").write_text(CONFIG.replace("ADDRESS", address), encoding="utf-8")
    (folder / "_toc.yml").write_text(TOC, encoding="utf-8")
    (folder / "_build" / ".html-succeeded").write_text(edition(False), encoding="utf-8")
    return folder


@pytest.fixture
def course(tmp_path):
    return lay_out(tmp_path)


def test_chapters_stand_in_order_without_exercises_and_what_the_site_lacks(course):
    book = read_book(course, course / "_build")
    assert [(chapter.page, chapter.part) for chapter in book.chapters] == [
        ("book/welcome", ""),
        ("book/one", "The tools"),
        ("book/two", "The tools"),
    ]
    assert [chapter.title for chapter in book.chapters] == ["Welcome", "Part 1", "Part 2"]
    assert book.chapters[1].sections == [("end", "The end")]
    assert (book.title, book.edition) == ("Lines & Planes", edition(False))


def test_a_chapter_is_as_somebody_meets_it_who_cannot_click(course):
    body = read_book(course, course / "_build").chapters[1].body
    text = body.get_text()
    assert all(word not in text for word in ("#", "folded", "never", "Menu"))
    assert [d.has_attr("open") for d in body.find_all("details")] == [True]


@pytest.mark.parametrize("address", ["", "https://s.example"])
def test_links_lead_into_the_book_or_to_the_published_site(course, address):
    book = read_book(course, course / "_build")
    connect(book, lambda chapter, place: f"{chapter.key}!{place}", address)
    links = [link["href"] for link in book.chapters[1].body.find_all("a")]
    beyond = [f"{address}/exercises/01-lines.html#a"] if address else []
    assert links == ["book-two!end", *beyond]
    assert "a task" in book.chapters[1].body.get_text()
    assert book.chapters[1].body.img["src"] == "_images/line.svg"


def test_no_book_is_made_of_an_unfinished_site(course):
    (course / "_build" / ".html-succeeded").unlink()
    with pytest.raises(BookError, match="make book"):
        read_book(course, course / "_build")


def test_a_site_offers_only_books_of_its_own_edition(tmp_path):
    (tmp_path / "made").write_text("x")
    keep_file(tmp_path / "made", tmp_path, "book.pdf", edition(True))
    assert offered(tmp_path, edition(True)) == ["book.pdf"]
    assert offered(tmp_path, edition(False)) == []


def test_a_figure_in_light_needs_no_variables():
    light = in_light(SVG)
    assert "stroke: #111" in light
    assert all(word not in light for word in ("var(", "@media", "stroke: red"))


def test_an_epub_holds_all_chapters_and_the_same_bytes_each_time(course):
    first = write_epub(course, course / "_build").read_bytes()
    file = write_epub(course, course / "_build")
    assert file.read_bytes() == first
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist()[0] == "mimetype"
        one = BeautifulSoup(archive.read("EPUB/book-one.xhtml"), "html.parser")
        contents = archive.read("EPUB/contents.xhtml").decode()
    assert [link["href"] for link in one.find_all("a")] == ["book-two.xhtml#end"]
    assert "x drawn" not in one.get_text()
    assert one.find("math")
    assert 'href="book-one.xhtml#end">The end' in contents


@pytest.mark.check
def test_the_next_site_offers_what_was_made_and_one_of_another_edition_does_not(tmp_path):
    book = make_book(tmp_path, exercises=("01-lines", "02-planes"))
    assert build(book).returncode == 0
    assert "course-files" not in html(book, "welcome")
    (tmp_path / "made").write_bytes(b"%PDF")
    keep_file(tmp_path / "made", book / "_build", "book.pdf", edition(True))
    assert build(book).returncode == 0
    assert 'href="../downloads/book.pdf"' in html(book, "welcome")
    file = book / "_build" / "html" / "downloads" / "book.pdf"
    assert file.read_bytes() == b"%PDF"
    assert run("-m", "coursebuild.build", "--solutions", "no", str(book)).returncode == 0
    assert "course-files" not in html(book, "welcome")
    assert not file.exists()


@pytest.mark.check
def test_epubcheck_finds_nothing_to_say(course):
    program = next(filter(Path.is_file, map(Path, ["/usr/share/java/epubcheck.jar"])), None)
    if not (program and shutil.which("java")):
        pytest.skip("epubcheck is not installed: apt-get install epubcheck")
    file = write_epub(course, course / "_build")
    command = ["java", "-jar", str(program), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "0 fatals / 0 errors / 0 warnings" in done.stdout, done.stdout + done.stderr


def bring_fonts(course: Path) -> None:
    """Give a course the fonts of this one, and the lock file that says how they are cut."""
    static, web = course / "_build" / "html" / "_static", web_folder(course)
    make_scripts(ROOT, static / "web")
    named = faces((static / "web" / "look.css").read_text("utf-8"))
    rules = 'body {font-family: "Source Serif 4"} h1 {font: 600 20pt "Inter"}'
    (static / "site.css").write_text("".join(f.rule for f in named) + rules, encoding="utf-8")
    web.mkdir(parents=True)
    for name in ("package.json", LOCK):
        shutil.copy(web_folder(ROOT) / name, web / name)


@pytest.mark.check
def test_a_pdf_has_numbers_bookmarks_links_and_its_own_fonts(course):
    bring_fonts(course)
    try:
        file = print_book(course, course / "_build")
    except NoBrowser as error:
        pytest.skip(str(error))
    assert not list((course / "_build" / "html").glob(".book*"))
    reader = PdfReader(file)
    texts = [page.extract_text() for page in reader.pages]
    numbers = pages_of(file)
    for name, title in (("book-one", "Part 1"), ("book-two", "Part 2"), ("book-two--end", "end")):
        assert title in texts[numbers[name] - 1], name
    (contents,) = [text for text in texts if "Contents" in text]
    lines = contents.replace("\n", " ")
    assert f"Part 2 {numbers['book-two']}" in lines
    welcome, (tools, *_) = reader.outline[0], [reader.outline[1]]
    assert (welcome["/Title"], tools["/Title"]) == ("Welcome", "The tools")
    inner = [item["/Title"] for item in reader.outline[2] if not isinstance(item, list)]
    assert inner == ["Part 1", "Part 2"]
    assert reader.metadata.title == "Lines & Planes"
    fonts = [
        font.get_object()
        for page in reader.pages
        for font in page["/Resources"].get("/Font", {}).values()
    ]
    assert "/Type3" not in {font["/Subtype"] for font in fonts}  # drawings of letters
    names = {font["/BaseFont"] for font in fonts}
    assert all(any(family in name for name in names) for family in ("SourceSerif", "Inter"))
