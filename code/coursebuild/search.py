"""What one searches: the words of all pages, section by section, as a script that a search loads.

The theme's search loads Sphinx's index with every page, and fetches whole pages for what it quotes,
which no browser does from `file://`. Here nothing is loaded before somebody searches, and then one
file, from wherever the site lies. `book/web/search.js` makes an index of it.
"""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from sphinx.application import Sphinx

from coursebuild.catalogues import say

TEXTS = "_static/search-texts.js"
VOID = {"br", "hr", "img", "input", "link", "meta", "source", "wbr", "col", "area", "path", "use"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
INLINE = {"a", "abbr", "b", "code", "em", "i", "mark", "span", "strong", "sub", "sup", "kbd"}
INLINE |= {"mi", "mn", "mo", "mrow", "msub", "msup", "mtext", "math"}
SILENT_TAGS = {"script", "style", "svg", "button", "figure", "form"}
SILENT_CLASSES = {
    "headerlink",
    "cell_output",
    "katex-html",
    "course-downloads",
    "course-note",
    "eqno",
    "toctree-wrapper",
}


@dataclass
class Section:
    """A section of a page: where it begins, its heading, and its own words."""

    anchor: str
    heading: str = ""
    words: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    """Collects the sections of a page's article."""

    def __init__(self, *, code: bool) -> None:
        super().__init__()
        self._silent_tags = SILENT_TAGS if code else {*SILENT_TAGS, "pre"}
        self.sections: list[Section] = []
        self._open: list[tuple[str, bool]] = []  # elements, and whether their words are left out
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        values = {name: value or "" for name, value in attrs}
        silent = tag in self._silent_tags or not SILENT_CLASSES.isdisjoint(
            values.get("class", "").split()
        )
        if tag == "section":
            self.sections.append(Section(values.get("id", "")))
        elif tag not in INLINE:
            self.handle_data(" ")
        self._open.append((tag, silent))
        self._silent += silent

    def handle_endtag(self, tag: str) -> None:
        while tag not in VOID and self._open:
            last, silent = self._open.pop()
            self._silent -= silent
            if last == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._silent or not self.sections:
            return
        if any(tag in HEADINGS for tag, _ in self._open):
            self.sections[-1].heading += data
        else:
            self.sections[-1].words.append(data)


def sections_of(html: str, *, code: bool = True) -> list[Section]:
    """Return the sections of a page, from its HTML, with or without its code."""
    reader = _Reader(code=code)
    reader.feed(html.partition("<article")[2].partition("</article>")[0])
    return reader.sections


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.connect("builder-inited", leave_out_own_index)
    app.connect(
        "html-collect-pages", lambda app: [("search", {"title": say("Search")}, "search.html")]
    )
    app.connect("build-finished", write_texts, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def leave_out_own_index(app: Sphinx) -> None:
    """Have Sphinx make no index of its own."""
    app.builder.search = False


def write_texts(app: Sphinx, exception: Exception | None) -> None:
    """Write the words of all pages of this build."""
    if exception is not None or app.builder.format != "html":
        return
    rows = []
    for docname in sorted(app.env.found_docs):
        path = Path(app.builder.get_outfilename(docname))
        # an exercise and its solution are mostly the same code
        code = docname.startswith("book/")
        sections = sections_of(path.read_text("utf-8"), code=code) if path.is_file() else []
        address, title = (
            app.builder.get_target_uri(docname),
            sections[0].heading if sections else "",
        )
        for section in sections:
            words = " ".join("".join(section.words).split())
            rows.append([address, title.strip(), section.anchor, section.heading.strip(), words])
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    (Path(app.outdir) / TEXTS).write_text(f"courseTexts({text})", "utf-8")
