"""A chapter's way into the laboratory: a line above its questions, or at its end.

The front matter of a chapter says what the line promises, and what the laboratory then shows::

    laboratory:
      promises: all four measures of every pair in one MLP
      shows: see=pairs&measure=MI&block=3

`shows` is what the laboratory's own address holds after `#`, and `see` the part of its page that
one is led to: tokens, sweep, pairs or one (token).
"""

import json

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from coursebuild.catalogues import say
from coursebuild.quizzes import Quiz

LABORATORY = "book/laboratory"
CLASS = "course-laboratory"
KEYS = {"promises", "shows"}

logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.connect("doctree-resolved", lead_there)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def lead_there(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Add the line to a chapter whose front matter asks for it."""
    asked = app.env.metadata[docname].get("laboratory")
    if not asked or app.builder.format != "html":
        return
    lead = json.loads(asked)
    if set(lead) != KEYS:
        logger.warning("`laboratory` needs promises and shows, and has %s", sorted(lead))
        return
    if LABORATORY not in app.env.found_docs:
        logger.warning("%s leads to %s, which is no page", docname, LABORATORY)
        return
    address = app.builder.get_relative_uri(docname, LABORATORY)
    link = nodes.reference("", lead["promises"], refuri=f"{address}#{lead['shows']}", internal=True)
    begin = nodes.strong("", say("Touch it")), nodes.Text(f" {say('in the laboratory:')} ")
    words = *begin, link, nodes.Text(".")
    _last_place(doctree).append(nodes.paragraph("", "", *words, classes=[CLASS]))


def _last_place(doctree: nodes.document) -> nodes.Element:
    """Return the section that ends before the questions, or the last of all."""
    chapter = next(doctree.findall(nodes.section))
    sections = [part for part in chapter.children if isinstance(part, nodes.section)]
    telling = [part for part in sections if next(part.findall(Quiz), None) is None]
    return telling[-1] if telling else chapter
