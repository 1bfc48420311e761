"""First uses of the glossary's terms lead to it, and show what it says when one points at them.

In each page of the book the first place where a term stands in running words becomes a link; words
in code, headings, formulas and other links stay as they are. Terms that are also everyday words are
linked only where the page's author says so, by the role `term`.
"""

import re
from collections.abc import Iterator
from html import escape

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from coursebuild.languages import translated
from coursebuild.quizzes import ASKING

GLOSSARY = "book/notation"
EVERYDAY = {
    "bias",
    "bit",
    "component",
    "control",
    "head",
    "loss",
    "null",
    "own past",
    "target",
    "width",
}
CLOSED = (nodes.literal, nodes.reference, nodes.title, nodes.math, addnodes.pending_xref)
TERM_LINK = re.compile(
    r'<a [^>]*href="[^"#]*#(?P<anchor>[^"]+)"[^>]*(?=><span class="xref std std-term")'
)
PARAGRAPH, OUTPUT = nodes.paragraph, "cell_code_output"
SHORTEST = 3  # letters of a term that may stand in any case


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    # all pages hold terms or what is said of them, so an edit of the glossary makes all of them new
    app.add_config_value("course_glossary", "", "env", types=[str])
    app.connect("config-inited", read_glossary)
    app.connect("doctree-read", link_first_uses)
    app.connect("html-page-context", show_definitions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def read_glossary(app: Sphinx, config) -> None:
    """Take the glossary from its page's source, before any page is read."""
    path = app.srcdir / f"{GLOSSARY}.md"
    text = translated(GLOSSARY, path.read_text("utf-8"), app.srcdir) if path.is_file() else ""
    block = re.search(r"^```\{glossary\}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    config.course_glossary = block[1] if block else ""


def terms_of(glossary: str) -> list[str]:
    """The terms that are linked by themselves: lines of the source that are not indented."""
    return [term for term in re.findall(r"^\S.*$", glossary, re.MULTILINE) if term not in EVERYDAY]


def link_first_uses(app: Sphinx, doctree: nodes.document) -> None:
    """Make a link of the first place of each term in a page of the book."""
    page = app.env.docname
    if not page.startswith("book/") or page == GLOSSARY:
        return
    links = doctree.findall(addnodes.pending_xref)
    said = {link["reftarget"].lower() for link in links if link["reftype"] == "term"}
    terms = terms_of(app.config.course_glossary)
    waiting = {term: _pattern(term) for term in terms if term.lower() not in said}
    for text in _running_words(doctree):
        found = _first_matches(text.astext(), waiting)
        if found:
            text.parent.replace(text, list(_pieces(text.astext(), found, page)))
        for _, _, term in found:
            del waiting[term]


def _pattern(term: str) -> re.Pattern:
    """The term as a whole, or its plural; abbreviations in their own case."""
    any_case = re.IGNORECASE if term.lower() == term and len(term) >= SHORTEST else 0
    either = "|".join(re.escape(form) for form in (f"{term}s", f"{term}es", term))
    return re.compile(rf"(?<![\w-])(?:{either})(?![\w-])", any_case)


def _running_words(doctree: nodes.document) -> list[nodes.Text]:
    """Texts of the paragraphs, in their order, but for those in code, links and formulas.

    Nor in what a page asks, for a link in a choice would lead away who chooses it; nor in what a
    cell put out, such as the whole article, whose words are not the page's.
    """
    closed = {
        paragraph for part in doctree.findall(_is_closed) for paragraph in part.findall(PARAGRAPH)
    }
    return [
        text
        for paragraph in doctree.findall(PARAGRAPH)
        if paragraph not in closed
        for text in paragraph.findall(nodes.Text)
        if not any(isinstance(above, CLOSED) for above in _above(text, paragraph))
    ]


def _is_closed(node: nodes.Node) -> bool:
    is_container = isinstance(node, nodes.container)
    return isinstance(node, ASKING) or (is_container and node.get("nb_element") == OUTPUT)


def _above(node: nodes.Node, top: nodes.Node) -> Iterator[nodes.Node]:
    while node is not top:
        node = node.parent
        yield node


def _first_matches(text: str, waiting: dict[str, re.Pattern]) -> list[tuple[int, int, str]]:
    """Start, end and term of each first use in a text; of two that overlap, the longer one."""
    matches = [
        (match.start(), match.end(), term)
        for term, pattern in waiting.items()
        if (match := pattern.search(text))
    ]
    matches.sort(key=lambda match: (match[0], -match[1]))
    chosen: list[tuple[int, int, str]] = []
    for match in matches:
        if not chosen or match[0] >= chosen[-1][1]:
            chosen.append(match)
    return chosen


def _pieces(text: str, found: list[tuple[int, int, str]], page: str) -> Iterator[nodes.Node]:
    """The text with its terms as links to the glossary."""
    at = 0
    for start, end, term in found:
        yield nodes.Text(text[at:start])
        link = addnodes.pending_xref(
            "",
            nodes.inline("", text[start:end], classes=["xref", "std", "std-term"]),
            refdomain="std",
            reftype="term",
            reftarget=term,
            refexplicit=True,
            refwarn=True,
            refdoc=page,
        )
        yield link
        at = end
    yield nodes.Text(text[at:])


def show_definitions(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Let each link to a term show its definition; the theme makes a tooltip of it."""
    definitions = _definitions(app) if TERM_LINK.search(context.get("body", "")) else {}

    def with_definition(link: re.Match) -> str:
        said = definitions.get(link["anchor"])
        return f'{link[0]} title="{escape(said)}" data-bs-toggle="tooltip"' if said else link[0]

    context["body"] = TERM_LINK.sub(with_definition, context.get("body", ""))


def _definitions(app: Sphinx) -> dict[str, str]:
    """What the glossary says of each term, by the anchor of its entry."""
    said = {}
    for item in app.env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        for term in item.findall(nodes.term):
            for anchor in term["ids"]:
                said[anchor] = " ".join(item.children[-1].astext().split())
    return said
