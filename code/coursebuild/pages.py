"""The finished site's pages as chapters of one book, in the order of the table of contents.

Of each page its article is taken, as somebody meets it who cannot click: no buttons, no scripts,
answers open, and one drawing of each figure. Code that a page folds is left out: it draws or
tabulates, and the chapter's notebook has it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from posixpath import join, normpath

import yaml
from bs4 import BeautifulSoup, Tag

from layerlab.errors import LayerlabError

NEEDLESS = (
    "script, style, source, button, .headerlink, .course-downloads, .course-files, [hidden], "
    ".course-laboratory, .course-deck, .course-note, "
    "details.above-input, .sd-tab-set > input, .card-picture, summary svg"
)
FOR_SCRIPTS = re.compile(r"data-.*|loading|title")
TO_WORK_WITH = re.compile(r"exercises/|book/(?:exercises|laboratory)$")  # not to be read


class BookError(LayerlabError):
    """The book cannot be made of what is there."""


@dataclass
class Chapter:
    """A page of the site.

    Attributes
    ----------
    page : str
        Its name, such as "book/01-minkowski".
    part : str
        The part of the table of contents that it belongs to; "" for the first page.
    body : Tag
        Its article.
    """

    page: str
    part: str
    body: Tag

    @property
    def key(self) -> str:
        """A name without slashes."""
        return self.page.replace("/", "-")

    @property
    def title(self) -> str:
        """Its heading."""
        return words(self.body.h1)

    @property
    def sections(self) -> list[tuple[str, str]]:
        """Where its sections begin, and what they are called."""
        return [(tag.parent["id"], words(tag)) for tag in self.body.select("section[id] > h2")]


@dataclass
class Book:
    """A finished site as a book.

    Attributes
    ----------
    title, author, year, language : str
        As `_config.yml` says.
    edition : str
        What the site holds, as `coursebuild.editions` names it.
    chapters : list of Chapter
        In order, the first page first.
    """

    title: str
    author: str
    year: str
    language: str
    edition: str
    chapters: list[Chapter]


def words(tag: Tag) -> str:
    """Return what one reads of an element, on one line."""
    return " ".join(tag.get_text().split())


def read_book(root: Path, build: Path) -> Book:
    """Read the pages of a finished site; those of exercises and the laboratory are left out.

    Raises
    ------
    BookError
        If there is no site, or its last build failed.
    """
    mark = build / ".html-succeeded"
    if not mark.is_file():
        raise BookError(f"{build / 'html'} holds no finished site; `make book` builds it")
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    listed = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    wanted = [(page, part) for page, part in _listed(listed) if not TO_WORK_WITH.match(page)]
    pages = [(page, part, build / "html" / f"{page}.html") for page, part in wanted]
    return Book(
        title=config["title"],
        author=config["author"],
        year=str(config["copyright"]),
        language=config["sphinx"]["config"]["language"],
        edition=mark.read_text("utf-8"),
        chapters=[Chapter(page, part, _article(f)) for page, part, f in pages if f.is_file()],
    )


def _listed(contents: dict) -> list[tuple[str, str]]:
    found = [(contents["root"], "")]
    for part in contents.get("parts", [{**contents, "caption": ""}]):
        chapters = part.get("chapters", [])
        found += [(entry["file"], part.get("caption", "")) for entry in chapters if "file" in entry]
    return found


def _article(path: Path) -> Tag:
    article = BeautifulSoup(path.read_text("utf-8"), "html.parser").select_one("article.bd-article")
    for tag in article.select(NEEDLESS):
        tag.decompose()
    for picture in article.find_all("picture"):
        picture.unwrap()
    for details in article.find_all("details"):
        details["open"] = ""
    for tag in article.find_all(True):
        for name in [name for name in tag.attrs if FOR_SCRIPTS.fullmatch(name)]:
            del tag[name]
    return article


def connect(book: Book, to: Callable[[Chapter, str], str], site_url: str) -> None:
    """Let links between chapters lead to where they are in the book.

    Parameters
    ----------
    book : Book
        Its chapters are changed.
    to : callable
        The address of a place in a chapter, given by its id ("" for the chapter's beginning).
    site_url : str
        Where the site is published; a link to a page that the book lacks leads there, and without
        it only its words stay.
    """
    known = {f"{chapter.page}.html": chapter for chapter in book.chapters}
    for chapter in book.chapters:
        folder = chapter.page.rpartition("/")[0]
        for link in chapter.body.find_all("a", href=True):
            if re.match(r"[a-z]+:", link["href"]):
                continue
            name, _, place = link["href"].partition("#")
            name = normpath(join(folder, name)) if name else f"{chapter.page}.html"
            if name in known:
                link["href"] = to(known[name], place)
            elif site_url:
                link["href"] = f"{site_url}/{name}{'#' if place else ''}{place}"
            else:
                link.unwrap()
        for image in chapter.body.find_all("img", src=True):
            if not image["src"].startswith("data:"):
                image["src"] = normpath(join(folder, image["src"]))
