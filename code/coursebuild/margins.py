"""Beside a paragraph stands what its terms mean and which works it names: HTML in, HTML out.

Both are in the page already, for whoever points at a link. Where a window is wide enough they are
notes in its margin. What is wide, code or a figure, reaches into the margin, too: a note that would
not end above it is left out, and the link still says it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sphinx.application import Sphinx

TAG = re.compile(
    r"<(/?)(section|p|div|ul|ol|dl|details|figure|table|blockquote|pre|h[1-6])\b[^>]*>"
)
WIDE = re.compile(r'<(?:h2|figure|table|div class="[^"]*(?:cell|highlight|explorable|pst-))')
TERM = re.compile(r' title="([^"]+)"[^>]*><span class="xref std std-term[^>]*>(.*?)</span>')
WORK = re.compile(
    r'<a class="reference internal" href="[^"]*references.html#[^"]*" title="([^"]+)">'
)
UNSEEN = re.compile(r'<span class="katex-mathml">.*?</span>|<[^>]+>', re.DOTALL)
TEXT_LINE, TEXT_HEIGHT, TEXT_GAP = 62, 29, 18  # letters of a line, its pixels, those to the next
NOTE_LINE, NOTE_HEIGHT, NOTE_GAP = 34, 20, 16


@dataclass
class Block:
    """A part of a page that stands by itself in a section: where it begins, and its HTML."""

    start: int
    html: str

    @property
    def height(self) -> int:
        """How many pixels it takes, about; what is wide ends the room anyway."""
        lines = -(-len(UNSEEN.sub("", self.html)) // TEXT_LINE)
        return lines * TEXT_HEIGHT + TEXT_GAP


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.connect("html-page-context", show_notes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def show_notes(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Put notes into the margin of the pages of the book, but for the one that it begins with."""
    if pagename.startswith("book/") and pagename != app.config.root_doc:
        context["body"] = with_notes(context["body"])


def with_notes(body: str) -> str:
    """Return a page's HTML with its notes, each before the block that it stands beside."""
    blocks = list(blocks_of(body))
    tops = [0]
    for block in blocks:
        tops.append(tops[-1] + block.height)
    ends = _ends(blocks, tops)
    said, free, pieces, at = set(), 0, [], 0
    for block, top, end in zip(blocks, tops, ends, strict=False):
        for note, letters in _notes(block.html):
            height = -(-letters // NOTE_LINE) * NOTE_HEIGHT
            begin = max(top, free)
            if note in said or begin + height > end:
                continue
            said.add(note)
            pieces += [body[at : block.start], note]
            at, free = block.start, begin + height + NOTE_GAP
    return "".join([*pieces, body[at:]])


def blocks_of(body: str) -> Iterator[Block]:
    """The blocks of a page that stand in its sections, and in nothing else."""
    depth, start = 0, 0
    for tag in TAG.finditer(body):
        if tag[2] == "section":
            continue
        if not tag[1]:
            if depth == 0:
                start = tag.start()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                yield Block(start, body[start : tag.end()])


def _ends(blocks: list[Block], tops: list[int]) -> list[int]:
    """For each block, where the next wide one begins; for a wide one, its own beginning."""
    ends, end = [], tops[-1]
    for block, top in zip(reversed(blocks), reversed(tops[:-1]), strict=True):
        if WIDE.match(block.html):
            end = top
        ends.append(end)
    return ends[::-1]


def _notes(html: str) -> Iterator[tuple[str, int]]:
    """The notes of a block, and how many letters each has."""
    for said, term in TERM.findall(html):
        name = term[:1].upper() + term[1:]
        yield _note(f"<b>{name}.</b> {said}"), len(name) + len(said)
    for work in WORK.findall(html):
        yield _note(work), len(work)


def _note(text: str) -> str:
    """A note, for the eye alone: who listens hears it from the link."""
    return f'<aside class="course-note" aria-hidden="true">{text}</aside>'
