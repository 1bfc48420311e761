"""The directive `cards`: the pages of a part as cards, each with what it says of itself.

A card shows a page's title, its question, how long it takes, and what one can do afterwards or how
hard it is. All of that stands in the page's first paragraphs, and nowhere else. Its picture is the
page's first figure, or that whose number the page's front matter gives as `card`.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from coursebuild.catalogues import say, translatable
from coursebuild.contents import parts

logger = logging.getLogger(__name__)

# What is looked for is what pages say, so translators write these, too: regular expressions whose
# first group a card shows.
MINUTES = translatable(r"about (\d+) minutes")
ABLE = translatable(r"(?:After|Afterwards|after)\b[^.]*?\b(you (?:can|know) .+?\.)(?=\s+[A-Z]|$)")
DIFFICULTY = translatable(r"Difficulty: ([\w ]+)")
PICTURE = re.compile(r'<figure class="course-figure"[^>]*>.*?(<picture>.*?</picture>)', re.DOTALL)


class Cards(nodes.General, nodes.Element):
    """Where the cards of a part will stand."""


class CardsDirective(SphinxDirective):
    """```{cards} The tools```: a card for each page of that part."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict] = {"except": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Leave a place for the cards: other pages may not be read yet."""
        left_out = self.options.get("except", "").split()
        place = Cards(part=self.arguments[0], left_out=left_out, page=self.env.docname)
        self.set_source_info(place)
        return [place]


@dataclass
class Card:
    """What a page says of itself; "" where it does not say it."""

    title: str
    question: str
    minutes: str
    able: str
    difficulty: str

    @property
    def lacks(self) -> list[str]:
        """What a card cannot do without, and this page does not say."""
        wanted = {
            "a question in *italics* or **bold**": self.question,
            "“about … minutes”": self.minutes,
            "“After it you can …” or a difficulty": self.able or self.difficulty,
        }
        return [name for name, value in wanted.items() if not value]


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.add_directive("cards", CardsDirective)
    app.add_node(Cards)
    app.connect("env-updated", renew_pages_with_cards)
    app.connect("doctree-resolved", lay_cards)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def read_card(page: nodes.document) -> Card:
    """Read what a page says of itself before its first section."""
    top = next(page.findall(nodes.section))
    head = [child for child in top.children if not isinstance(child, nodes.section)]
    stressed = [
        node for child in head for node in child.findall(nodes.emphasis) if len(node.astext()) > 20
    ]
    stressed += [
        node for child in head for node in child.findall(nodes.strong) if "?" in node.astext()
    ]
    words = " ".join(" ".join(child.astext().split()) for child in head)
    minutes, able, difficulty = (_found(one, words) for one in (MINUTES, ABLE, DIFFICULTY))
    return Card(
        title=top.next_node(nodes.title).astext(),
        question=" ".join(stressed[0].astext().split()) if stressed else "",
        minutes=minutes,
        able=able[:1].upper() + able[1:],
        difficulty=difficulty,
    )


def _found(pattern: str, words: str) -> str:
    """What a page says there in its own language, or in English where it is not translated."""
    found = re.search(say(pattern), words) or re.search(pattern, words)
    return found[1].strip() if found else ""


def renew_pages_with_cards(app: Sphinx, env) -> list[str]:
    """Write the pages that show others again whenever one was read."""
    if not getattr(app, "course_read", None):
        return []
    return [name for name in env.found_docs if next(env.get_doctree(name).findall(Cards), None)]


def lay_cards(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the cards where the directive left a place for them."""
    for place in list(doctree.findall(Cards)):
        pages = parts(app.env).get(place["part"], [])
        if not pages:
            known = ", ".join(parts(app.env)) or "none"
            logger.warning(
                "no part %r in _toc.yml; it has %s", place["part"], known, location=place
            )
        cards = nodes.bullet_list(classes=["course-cards"])
        for page in pages:
            if page not in place["left_out"]:
                card = read_card(app.env.get_doctree(page))
                if card.lacks:
                    lacks = ", ".join(card.lacks)
                    logger.warning("%s does not say at its head: %s", page, lacks, location=place)
                cards += _card_node(app, docname, page, card)
        place.replace_self(cards)


def _picture(app: Sphinx, page: str) -> list[nodes.Node]:
    """Return a figure of a page, if it has one; beside the words it is there to be seen only."""
    outputs = (raw.astext() for raw in app.env.get_doctree(page).findall(nodes.raw))
    figures = [match[1] for output in outputs for match in PICTURE.finditer(output)]
    which = int(app.env.metadata[page].get("card", 1))
    if not figures:
        return []
    if which > len(figures):
        logger.warning("%s has no figure %s for its card", page, which, location=page)
    html = re.sub(
        r'alt="[^"]*"', 'alt="" aria-hidden="true"', figures[min(which, len(figures)) - 1]
    )
    return [nodes.raw("", f'<div class="card-picture">{html}</div>', format="html")]


def _card_node(app: Sphinx, docname: str, page: str, card: Card) -> nodes.list_item:
    address = app.builder.get_relative_uri(docname, page)
    link = nodes.reference("", card.title, refuri=address, internal=True)
    title = nodes.paragraph("", "", link, classes=["card-title"])
    question = nodes.paragraph("", card.question, classes=["card-question"])
    meta = " · ".join(filter(None, [say("{n} minutes", n=card.minutes), card.difficulty]))
    texts = [nodes.paragraph("", card.able)] if card.able else []
    last = nodes.paragraph("", meta, classes=["card-meta"])
    return nodes.list_item("", title, *_picture(app, page), question, *texts, last)
