"""The book as a PDF: the command behind `make pdf`.

All chapters become one page of HTML, which Chromium prints twice: the first printing says on which
page everything is, the second has these numbers in its table of contents.
"""

import logging
import sys
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from pypdf import PdfReader, PdfWriter

from coursebuild.course import CourseError, course_root
from coursebuild.downloads import published_address
from coursebuild.editions import keep_file
from coursebuild.fonts import letters_of, one_weight_each
from coursebuild.pages import Book, Chapter, connect, read_book
from layerlab.errors import LayerlabError

logging.getLogger("pypdf").setLevel(logging.ERROR)  # it tells how Chromium counts its objects

STYLE = Path(__file__).with_suffix(".css")
SHEET, SHEET_ON_PAPER = Path("_static", "site.css"), ".book.css"
HEAD = """<!DOCTYPE html>
<html lang="{language}" data-theme="light" data-mode="light">
<head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="_static/{sheet}"><style>{style}</style></head>
<body class="paper"><header><h1>{title}</h1><p>{author}</p><p>{year}</p></header>
"""


def print_book(root: Path, build: Path) -> Path:
    """Print the finished site in `build` as one PDF, and return the file.

    Raises
    ------
    BookError
        If there is no finished site.
    NoBrowser
        If no Chromium is on this machine.
    """
    from benchmarks.browser import browser  # Playwright is not needed for anything else here

    book = read_book(root, build)
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    site_url = published_address(
        config["html"].get("baseurl") or "", config["repository"].get("url") or ""
    )
    connect(book, lambda chapter, place: f"#{anchor(chapter, place)}", site_url)
    prefix_ids(book)
    source, made = build / "html" / ".book.html", build / ".book.pdf"
    sheet = (build / "html" / SHEET).with_name(SHEET_ON_PAPER)
    try:
        with TemporaryDirectory() as fonts, browser() as chromium:
            sheet.write_text(_sheet(root, book, sheet.parent, Path(fonts)), encoding="utf-8")
            tab = chromium.new_page(color_scheme="light")
            numbers: dict[str, int] = {}
            for _ in range(2):
                source.write_text(as_html(book, numbers), encoding="utf-8")
                tab.goto(source.resolve().as_uri())
                tab.evaluate("() => document.fonts.ready")
                tab.pdf(path=made, prefer_css_page_size=True, print_background=True, tagged=True)
                numbers = pages_of(made)
    finally:
        source.unlink(missing_ok=True)
        sheet.unlink(missing_ok=True)
    add_outline(book, made, numbers)
    return keep_file(made, build, "book.pdf", book.edition)


def _sheet(root: Path, book: Book, static: Path, fonts: Path) -> str:
    """The site's style sheet with a font for each weight, none of which may be late."""
    sheet = (static / SHEET.name).read_text("utf-8").replace("font-display:optional", "")
    return one_weight_each(root, sheet, static, fonts, letters_of([as_html(book, {})]))


def anchor(chapter: Chapter, place: str = "") -> str:
    """The id that a place of a chapter has in the one page of all."""
    return f"{chapter.key}--{place}" if place else chapter.key


def prefix_ids(book: Book) -> None:
    """Give each id the name of its chapter: other chapters have sections of the same name."""
    for chapter in book.chapters:
        for tag in chapter.body.find_all(id=True):
            tag["id"] = anchor(chapter, tag["id"])
        chapter.body["id"] = anchor(chapter)


def as_html(book: Book, numbers: dict[str, int]) -> str:
    """Write the book as one page of HTML, with what is known of the page numbers."""
    texts = {name: escape(getattr(book, name)) for name in ("title", "author", "year", "language")}
    parts = [HEAD.format(sheet=SHEET_ON_PAPER, style=STYLE.read_text("utf-8"), **texts)]
    parts.append(f'<nav class="book-contents"><h2>Contents</h2>{_contents(book, numbers)}</nav>')
    parts += [str(chapter.body) for chapter in book.chapters]
    return "\n".join([*parts, "</body></html>"])


def _contents(book: Book, numbers: dict[str, int]) -> str:
    lines, part = [], ""
    for chapter in book.chapters:
        if chapter.part != part:
            part = chapter.part
            lines.append(f'<p class="part">{escape(part)}</p>')
        lines.append(_line("chapter", anchor(chapter), chapter.title, numbers))
        lines += [_line("section", place, title, numbers) for place, title in chapter.sections]
    return "\n".join(lines)


def _line(kind: str, place: str, title: str, numbers: dict[str, int]) -> str:
    number = f'<span class="number">{numbers.get(place, 0)}</span>'
    return f'<p class="{kind}"><a href="#{place}"><span>{escape(title)}</span>{number}</a></p>'


def pages_of(file: Path) -> dict[str, int]:
    """On which page of a PDF, from 1, each place is that links lead to."""
    reader = PdfReader(file)
    places = reader.named_destinations.items()
    return {name.lstrip("/"): reader.get_destination_page_number(to) + 1 for name, to in places}


def add_outline(book: Book, file: Path, numbers: dict[str, int]) -> None:
    """Give a PDF bookmarks: parts, their chapters, their sections."""
    writer = PdfWriter(clone_from=file)
    writer.add_metadata({"/Title": book.title, "/Author": book.author})
    part, above = "", None
    for chapter in book.chapters:
        page = numbers[anchor(chapter)] - 1
        if chapter.part != part:
            part = chapter.part
            above = writer.add_outline_item(title=part, page_number=page)
        item = writer.add_outline_item(title=chapter.title, page_number=page, parent=above)
        for place, title in chapter.sections:
            page = numbers[place] - 1
            writer.add_outline_item(title=title, page_number=page, parent=item)
    writer.write(file)


def main() -> int:
    """Run the command; return its exit code."""
    from benchmarks.browser import NoBrowser

    try:
        root = course_root(None)
        file = print_book(root, root / "_build")
    except (LayerlabError, CourseError, NoBrowser) as error:
        print(error, file=sys.stderr)
        return 1
    megabytes = file.stat().st_size / 1e6
    print(f"The book is printed ({len(PdfReader(file).pages)} pages, {megabytes:.1f} MB): {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
