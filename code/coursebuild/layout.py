"""Prepare a page's code, output and tables for narrow windows: HTML in, HTML out.

CSS can break a long line, but not show where, and it can stack a table's cells, but not say whose
column each was; nor can it tell what a check says from what else a cell prints. So long lines
become elements, cells carry the names of their columns, and what a passed check says has a class.
How they look, and from which width on, is up to the styles. The text stays what it was, so that it
is copied and searched as before.
"""

import re
from html import escape, unescape
from itertools import pairwise

FITS = 40  # characters of a line that fit on a narrow phone at the smallest size
NOTHING = "<span></span>"  # Pygments begins with it
PRE = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)
# The output of a cell that begins with the sign of a check that was passed.
RIGHT = re.compile(
    r'(<div class="cell_output[^"]*)("(?:>\s*<div\b[^>]*)*>\s*<pre>(?:<span></span>)?✓)'
)
TABLE = re.compile(r'<table class="([^"]*)">(.*?)</table>', re.DOTALL)
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.DOTALL)
COLUMN = 32  # characters that the widest column of a printed table may have
CHARACTER, PADDING = 8.5, 10  # px, of a table's letters and a cell's sides where room is short
PHONE = 21  # rem, the column of a phone
STEPS = 30, 46  # rem: a table stacks where its room is less than one of these


def lay_out(body: str) -> str:
    """Return a page's HTML with its long lines and wide tables made ready to break."""
    return TABLE.sub(_name_cells, PRE.sub(_mark_long_lines, RIGHT.sub(r"\1 right\2", body)))


def _words(html: str) -> str:
    """Return what one reads of a piece of HTML."""
    return unescape(re.sub(r"<[^>]+>", "", html))


def _mark_long_lines(match: re.Match) -> str:
    """Make each long line an element, and tell the block how many characters the longest has.

    Pygments closes all its elements at a line's end.
    """
    lines = match[1].removeprefix(NOTHING).split("\n")
    texts = [_words(line) for line in lines]
    longest = max(map(len, texts))
    if longest <= FITS:
        return match[0]
    long = [i for i, text in enumerate(texts) if len(text) > FITS]
    starts = [] if "<" in match[1].removeprefix(NOTHING) else _columns([texts[i] for i in long])
    for i in long:
        parts = [texts[i][start:end] for start, end in pairwise([*starts, None])]
        columns = (f'<span class="column">{escape(part)}</span>' for part in parts if part)
        lines[i] = f'<span class="fold">{"<wbr>".join(columns) or lines[i]}</span>'
    return f'<pre style="--longest:{longest}">{NOTHING}' + "\n".join(lines) + "</pre>"


def _columns(lines: list[str]) -> list[int]:
    """Return where columns begin that all lines have in common; none if this is no table."""
    longest = max(map(len, lines))
    padded = [line.ljust(longest) for line in lines]
    gaps = [all(line[i] == " " for line in padded) for i in range(longest)]
    starts = [0, *(i + 1 for i, (gap, after) in enumerate(pairwise(gaps)) if gap and not after)]
    widest = max(end - start for start, end in pairwise([*starts, longest]))
    return starts if len(lines) > 1 and widest <= COLUMN else []


def _name_cells(match: re.Match) -> str:
    """Give each cell of a table its column's name, and the table the width at which it stacks."""
    head, _, rest = match[2].partition("</thead>")
    names = [_words(cell[3]).strip() for cell in CELL.finditer(head)]
    rows = [[_words(cell[3]) for cell in CELL.finditer(row)] for row in ROW.findall(rest)]
    if not rows or any(len(row) != len(names) for row in rows):
        return match[0]  # no names, or cells that span several columns
    width = sum(map(_width, zip(names, *rows, strict=True))) / 16
    if width <= PHONE:
        return match[0]
    step = next((step for step in STEPS if width <= step), STEPS[-1])

    def name_row(row: re.Match) -> str:
        columns = iter(names)
        return CELL.sub(lambda cell: _name_cell(cell, next(columns)), row[0])

    return f'<table class="{match[1]} stack-{step}">{head}</thead>{ROW.sub(name_row, rest)}</table>'


def _width(texts: tuple[str, ...]) -> float:
    """Guess the pixels a column needs: for its longest word, or its longest text on three lines."""
    longest_word = max((len(word) for text in texts for word in text.split()), default=0)
    return max(longest_word, max(map(len, texts)) / 3) * CHARACTER + PADDING


def _name_cell(cell: re.Match, name: str) -> str:
    if cell[1] == "th":
        return cell[0]
    if not _words(cell[3]).strip():
        return f"<td{cell[2]}></td>"
    return f'<td{cell[2]} data-label="{escape(name)}"><div>{cell[3]}</div></td>'
