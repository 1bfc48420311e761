"""Slides of the chapters, for whoever teaches them: made of the pages as the site shows them.

A chapter's figures, formulas, tables and cells become slides, each under the first sentence of what
stands before it; the whole text becomes the notes that the speaker sees. So a deck has nothing of
its own that could fall behind its chapter. `book/web/slides.js` shows it.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path, PurePosixPath
from posixpath import join, normpath

from bs4 import BeautifulSoup, NavigableString, Tag
from sphinx.application import Sphinx

from coursebuild.cards import Card, read_card
from coursebuild.chapters import chapters
from coursebuild.web import scripts_asked_for

FOLDER = "slides"
TOLD = ("p", "ul", "ol", "dl", "blockquote")  # spoken; all else is shown
NEEDLESS = ".headerlink, .course-kicker, .course-downloads, .course-note, .course-laboratory, "
NEEDLESS += "button, details.above-input, details.below-input"
ADDRESSED = {"a": "href", "img": "src", "source": "srcset"}
ELSEWHERE = re.compile(r"[a-z]+:|/")
END_OF_SENTENCE = re.compile(r"(?<=[.?!])(?=\s|$)")
MOST_POINTS = 5  # of a section that shows nothing
OFFER = '<p class="course-deck"><a href="{}">This chapter as slides</a>, for who teaches it.</p>'


@dataclass
class Slide:
    """What stands on a slide, and what is said about it.

    Attributes
    ----------
    heading : str
        That of the section, as HTML.
    lead : str
        A sentence over what is shown, as HTML.
    shown, notes : list of str
        As HTML.
    """

    heading: str
    lead: str = ""
    shown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.connect("html-page-context", write_deck, priority=950)  # when the page is as it will be
    app.connect("build-finished", remove_old_decks, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def slides_of(section: Tag, *slides: Slide) -> Iterator[Slide]:
    """Make slides of a section and of those in it, in order, after those that it has already."""
    heading = _inner(section.find(["h1", "h2", "h3", "h4"], recursive=False))
    slides = list(slides)
    told: list[Tag] = []
    below: list[Tag] = []
    for tag in section.find_all(True, recursive=False):
        if tag.name == "section":
            below.append(tag)
        elif tag.name in TOLD:
            told.append(tag)
        elif "said" in tag.get("class", ()) and slides:
            slides[-1].shown.append(str(tag))
        elif _is_shown(tag):
            notes = list(map(str, told))
            slides.append(Slide(heading, first_sentence(told[-1:]), [str(tag)], notes))
            told = []
    if slides:
        slides[-1].notes += map(str, told)
    elif told:
        points = "".join(f"<li>{first_sentence([tag])}</li>" for tag in told[:MOST_POINTS])
        slides = [Slide(heading, "", [f"<ul>{points}</ul>"], list(map(str, told)))]
    yield from slides
    for part in below:
        yield from slides_of(part)


def _is_shown(tag: Tag) -> bool:
    """Tell headings, marks and cells whose output stays unseen from what a slide can show."""
    if tag.name in ("div", "figure", "table", "aside"):
        return bool(tag.get_text(strip=True) or tag.find(["img", "table"]))
    return False


def _inner(tag: Tag) -> str:
    return tag.decode_contents().strip()


def first_sentence(tags: list[Tag]) -> str:
    """Return the first sentence of the first of some elements, as HTML without ids."""
    if not tags:
        return ""
    source = tags[0].find("li") or tags[0]
    made = BeautifulSoup("", "html.parser").new_tag("span")
    for child in source.children:
        if isinstance(child, NavigableString):
            said, *rest = END_OF_SENTENCE.split(str(child), maxsplit=1)
            made.append(said)
            if rest:
                break
        elif child.name in TOLD:  # what an item holds beside its words
            made.append(BeautifulSoup(first_sentence([child]), "html.parser"))
            break
        else:
            made.append(copy.copy(child))
    for tag in made.find_all(id=True):
        del tag["id"]
    return _inner(made)


def article_of(body: str, page: str) -> Tag:
    """Read a page's article, without what one clicks; its addresses hold from the decks' folder."""
    article = BeautifulSoup(body, "html.parser")
    for tag in article.select(NEEDLESS):
        tag.decompose()
    name = f"{PurePosixPath(page).name}.html"
    for tag in article.find_all(list(ADDRESSED)):
        attribute = ADDRESSED[tag.name]
        address = tag.get(attribute, "")
        if address and not ELSEWHERE.match(address):
            path, mark, place = address.partition("#")
            moved = normpath(join(f"../{PurePosixPath(page).parent}", path or name))
            tag[attribute] = moved + mark + place
    return article.section


def title_slide(card: Card) -> Slide:
    """Make the first slide: the question, and what one can do when it is answered."""
    shown = [f"<p>{escape(text)}</p>" for text in (card.question, card.able) if text]
    return Slide(escape(card.title), "", shown)


def is_taught(app: Sphinx, page: str) -> bool:
    """Tell whether a page is a chapter that says what one can do after it."""
    return page in chapters(app) and bool(read_card(app.env.get_doctree(page)).able)


def deck_of(page: str) -> str:
    """The address of a page's deck, from the site's root."""
    return f"{FOLDER}/{PurePosixPath(page).name}.html"


def write_deck(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Write the deck of a page that is taught."""
    if app.builder.format != "html" or not is_taught(app, pagename):
        return
    body = context["body"]
    section = article_of(body, pagename)
    first = title_slide(read_card(app.env.get_doctree(pagename)))
    facts = {
        "title": first.heading,
        "language": app.config.language,
        "page": f"../{app.builder.get_target_uri(pagename)}",
        "slides": list(slides_of(section, first)),
        "scripts": ["slides", *scripts_asked_for(body)],
    }
    path = Path(app.outdir) / deck_of(pagename)
    path.parent.mkdir(exist_ok=True)
    path.write_text(app.builder.templates.render("slides.html", facts), encoding="utf-8")
    context["body"] = body + OFFER.format(context["pathto"](deck_of(pagename), 1))


def remove_old_decks(app: Sphinx, exception: Exception | None) -> None:
    """Remove the decks of pages that are gone, or are not taught any more."""
    kept = {Path(app.outdir, deck_of(page)) for page in chapters(app) if is_taught(app, page)}
    for path in Path(app.outdir, FOLDER).glob("*.html"):
        if path not in kept:
            path.unlink()
