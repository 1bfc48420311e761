"""Figures with a caption have a number, and pages refer to them by it.

A figure of chapter 2 is "Figure 2.1", the next one "Figure 2.2"; on a page whose name has no number
it is called after the page's first letter. `[](#fig-bins)` becomes a link with the number of the
figure that `layerlab.pages.show` was given that anchor for.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from coursebuild.catalogues import say

FOLDER = "book"
CAPTION = re.compile(
    r'<figure class="course-figure"(?: id="(?P<anchor>[^"]+)")?>(?P<picture>(?:(?!</figure>).)*?)'
    r"<figcaption>",
    re.DOTALL,
)


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.connect("doctree-read", number_figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def number_of(page: str, place: int) -> str:
    """The number of a page's figure, the first of which is at place 1."""
    name = page.rpartition("/")[2]
    chapter = re.match(r"\d+", name)
    return f"{int(chapter[0]) if chapter else name[0].upper()}.{place}"


def number_figures(app: Sphinx, doctree: nodes.document) -> None:
    """Write a number before each caption of a page, and note where it is."""
    page, numbers = app.env.docname, {}
    if not page.startswith(f"{FOLDER}/"):
        return

    def with_number(found: re.Match) -> str:
        number = say("Figure {number}", number=number_of(page, len(numbers) + 1))
        anchor = found["anchor"] or f"figure-{len(numbers) + 1}"
        if anchor in numbers:
            raise ExtensionError(f"{page}: two figures have the anchor {anchor!r}; name one anew")
        numbers[anchor] = number
        start = f'<figure class="course-figure" id="{anchor}">{found["picture"]}<figcaption>'
        return f'{start}<span class="figure-number">{number}</span> '

    for output in list(doctree.findall(nodes.raw)):
        if output["format"] == "html" and "<figcaption>" in output.astext():
            text = CAPTION.sub(with_number, output.astext())
            output.replace_self(nodes.raw(text, text, format="html"))
    domain = app.env.get_domain("std")
    for anchor, number in numbers.items():
        domain.note_hyperlink_target(anchor, page, anchor, number)
