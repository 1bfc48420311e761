"""Blanks in a cell: text in, text out.

A solution's cell says in comments what its exercise leaves out:

    p_x = p_xy.sum(axis=1)  # blank: p_xy.sum(axis=1)

    # blank begin: add the two terms up
    total = first + second
    # blank end

`blank` writes the exercise's cell, `without_marks` the solution's, and `fill` a student's. Marks
that do not say clearly what to leave out are a `BlankError`, which names them all; `examine` only
lists them. Marks are found with Python's own tokenizer, so that a `#` or the text of a mark inside
a string means nothing.
"""

import ast
import re
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import StringIO

from layerlab.errors import LayerlabError

BLANK = "____"  # four underscores: IPython gives one, two and three a meaning

_MARK = re.compile(r"# blank: *")
_BEGIN = re.compile(r"# blank begin: *(.*)")
_END = "# blank end"
# What may be meant as a mark: left alone, it would stand in the exercise, and the answer with it.
_ALMOST = re.compile(r"#\W*bla?n?k|\bbla?n?k\w*\s*([:-]|begin\b|end\b)", re.IGNORECASE)
_TOLD = 6  # characters besides spaces of code that a comment says again
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong in a cell.

    Attributes
    ----------
    line : int
        The line in the cell, counted from 1; 0 means the cell as a whole.
    what : str
        What is wrong and what to do, without the line.
    """

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


class BlankError(LayerlabError, ValueError):
    """Marks, or answers to them, that cannot be used; a line of text for each.

    Attributes
    ----------
    problems : list of Problem
        All that is wrong in the cell, from top to bottom.
    """

    def __init__(self, problems: list[Problem]):
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Blank:
    """One blank of a cell.

    Attributes
    ----------
    number : int
        Its place among the cell's blanks, counted from 1.
    line : int
        The line of its mark in the cell, counted from 1.
    expression : str
        The text of its mark: the expression, or the words of a block. The key for `fill`.
    is_block : bool
        Whether whole statements are left out.
    answer : str
        The code that is left out.
    """

    number: int
    line: int
    expression: str
    is_block: bool
    answer: str


def find_blanks(source: str) -> list[Blank]:
    """Blanks of a cell, from top to bottom.

    Parameters
    ----------
    source : str
        The cell as it stands in the solution, with its marks.

    Returns
    -------
    list of Blank

    Raises
    ------
    BlankError
        If the cell is no plain Python, or a mark says not clearly what to leave out.
    """
    return [place.blank for place in _read(source).places]


def examine(source: str) -> list[Problem]:
    """All that `find_blanks` would refuse a cell for, from top to bottom; empty if it would not."""
    try:
        _read(source)
    except BlankError as error:
        return error.problems
    return []


def blank(source: str) -> str:
    """Cell of the exercise: each answer replaced by `____`, no marks."""
    cell = _read(source)
    return _write(cell, [BLANK] * len(cell.places))


def without_marks(source: str) -> str:
    """Cell of the solution as a reader sees it: the answers stay, the marks go."""
    cell = _read(source)
    return _write(cell, [None] * len(cell.places))


def fill(source: str, answers: dict[str, str]) -> str:
    """Cell with some answers replaced, and the solution's own in all other blanks.

    Parameters
    ----------
    source : str
        The cell as it stands in the solution, with its marks.
    answers : dict of str
        What to write into a blank, by the text of its mark: the expression, or a block's words.
        Where several blanks have the same text, the answer goes into each; `TEXT @2` means the
        second of them alone. The answer `____` leaves a blank as it is in the exercise.

    Returns
    -------
    str
        The cell, without marks.

    Raises
    ------
    BlankError
        If there is no such blank, or the filled cell does not parse.
    """
    return fill_cells([source], answers)[0]


def fill_cells(sources: list[str], answers: dict[str, str]) -> list[str]:
    """Cells of one step, filled as `fill` does; `TEXT @2` counts through all of them."""
    cells = [_read(source) for source in sources]
    places = [place for cell in cells for place in cell.places]
    texts = _choose(places, answers)
    filled = []
    for cell in cells:
        own, texts = texts[: len(cell.places)], texts[len(cell.places) :]
        filled.append(_write(cell, own))
        _parse(filled[-1], "the filled cell does not parse: ")
    return filled


# Reading -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """Where a blank stands; rows from 0, and the end is not part of it."""

    blank: Blank
    row: int
    column: int
    end_row: int
    end_column: int


@dataclass(frozen=True)
class _Cell:
    lines: list[str]
    comments: dict[int, tuple[int, str]]  # of rows with marks: where to cut, what to put there
    places: list[_Place]


@cache  # a cell is looked at by all who make a page, a notebook or an archive of it
def _read(source: str) -> _Cell:
    """Find the marks and what they mean, and make sure that the rest is usable."""
    tree = _parse(source, "a cell must be plain Python: ")
    lines, tokens = source.split("\n"), read_tokens(source)
    blocks, problems = _sort_out(_find_blocks(lines, tokens))
    found, more = _sort_out(_find_expressions(lines, tokens, blocks))
    ordered = sorted([*blocks, *found], key=lambda place: (place.row, place.column))
    places = [_numbered(place, number) for number, place in enumerate(ordered, 1)]
    cell = _Cell(lines, _comments_without_marks(tokens), places)
    problems += [*more, *_names_that_mean_a_blank(tree), *_wrong_rests(cell, tree)]
    if problems:
        raise BlankError(sorted(problems))
    return cell


def _sort_out(found: Iterator[_Place | Problem]) -> tuple[list[_Place], list[Problem]]:
    """Part what can be used from what is wrong."""
    places, problems = [], []
    for one in found:
        (problems if isinstance(one, Problem) else places).append(one)
    return places, problems


def _parse(source: str, complaint: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        what = complaint + (error.msg or "invalid syntax")
        raise BlankError([Problem(error.lineno or 1, what)]) from error


def _names_that_mean_a_blank(tree: ast.Module) -> Iterator[Problem]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == BLANK:
            what = f"the solution uses the name {BLANK}, which means a blank in an exercise"
            yield Problem(node.lineno, f"{what}; give it another name")


def _numbered(place: _Place, number: int) -> _Place:
    old = place.blank
    numbered = Blank(number, old.line, old.expression, old.is_block, old.answer)
    return _Place(numbered, place.row, place.column, place.end_row, place.end_column)


def read_tokens(source: str) -> list[tokenize.TokenInfo]:
    """Tokens of a source, with an f-string as one of them in every version of Python."""
    tokens, depth, start = [], 0, (0, 0)
    for token in tokenize.generate_tokens(StringIO(source).readline):
        name = tokenize.tok_name[token.type]
        if name in ("FSTRING_START", "TSTRING_START"):
            depth += 1
            if depth == 1:
                start = token.start
        if depth == 0:
            tokens.append(token)
        if name in ("FSTRING_END", "TSTRING_END"):
            depth -= 1
            if depth == 0:
                text = _cut(source.split("\n"), start, token.end)
                tokens.append(
                    tokenize.TokenInfo(tokenize.STRING, text, start, token.end, token.line)
                )
    return tokens


def _cut(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """Text between two positions of the tokenizer, whose rows count from 1."""
    rows = lines[start[0] - 1 : end[0]]
    rows[-1] = rows[-1][: end[1]]
    rows[0] = rows[0][start[1] :]
    return "\n".join(rows)


def _has_mark(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.COMMENT and _MARK.search(token.string) is not None


def _comments_without_marks(tokens: list[tokenize.TokenInfo]) -> dict[int, tuple[int, str]]:
    """Where the comments with marks begin, and what is left of them, by their rows."""
    marked = filter(_has_mark, tokens)
    return {t.start[0] - 1: (t.start[1], _split_comment(t.string)[0]) for t in marked}


def _split_comment(comment: str) -> tuple[str, list[str]]:
    """Take the marks out of a comment: what is left of it, and the marked expressions."""
    kept, expressions = [], []
    while mark := _MARK.search(comment):
        kept.append(comment[: mark.start()].rstrip())
        expression, comment = _split_code(comment[mark.end() :])
        expressions.append(expression)
    kept.append(comment)
    return "  ".join(filter(None, kept)), expressions


def _split_code(text: str) -> tuple[str, str]:
    """Split a line of code where its comment begins; a `#` in a string begins none."""
    try:
        for token in tokenize.generate_tokens(StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                column = token.start[1]
                return text[:column].rstrip(), text[column:]
    except (tokenize.TokenError, SyntaxError):
        pass  # the parser will say what is wrong
    return text.rstrip(), ""


def _find_expressions(
    lines: list[str], tokens: list[tokenize.TokenInfo], blocks: list[_Place]
) -> Iterator[_Place | Problem]:
    """Find the marked expressions in the code of their lines."""
    for token in filter(_has_mark, tokens):
        row, (_, expressions) = token.start[0] - 1, _split_comment(token.string)
        if any(block.row <= row < block.end_row for block in blocks):
            what = f"`# blank: {expressions[0]}` overlaps with the block around it"
            yield Problem(row + 1, f"{what}; take one of the two marks out")
        else:
            yield from _find_in_line(expressions, row, lines[row], tokens)


def _find_in_line(
    expressions: list[str], row: int, line: str, tokens: list[tokenize.TokenInfo]
) -> Iterator[_Place | Problem]:
    """Find the marked expressions of one line."""
    code = [
        token
        for token in tokens
        if token.start[0] == token.end[0] == row + 1 and token.type not in _LAYOUT
    ]
    places = []
    for expression in expressions:
        what = _no_expression(expression) or _not_one_place(expression, code)
        if what:
            yield Problem(row + 1, what)
            continue
        place = _find_expression(expression, row, line, code)
        if other := next((other for other in places if _overlap(place, other)), None):
            what = f"`# blank: {expression}` overlaps with `{other.blank.expression}`"
            yield Problem(row + 1, f"{what}; mark one of them, or what holds both")
            continue
        places.append(place)
        yield place


def _overlap(one: _Place, other: _Place) -> bool:
    """Tell whether two places of one line share a column."""
    return one.column < other.end_column and other.column < one.end_column


def _no_expression(expression: str) -> str:
    """Say why a mark names no expression; empty if it does."""
    if not expression:
        return "the mark `# blank:` names nothing; write the expression after it"
    try:
        ast.parse(expression, mode="eval")
    except SyntaxError as error:
        what = f"`# blank: {expression}` does not name an expression ({error.msg})"
        way_out = "mark the expression around it, or whole statements with `# blank begin: words`"
        return f"{what}; {way_out}"
    return ""


def _not_one_place(expression: str, code: list[tokenize.TokenInfo]) -> str:
    """Say why a mark does not mean one place of its line; empty if it does."""
    mark, n_places = f"`# blank: {expression}`", len(_starts(expression, code))
    if not code:
        way_out = "write it at the end of the line that it means"
        return f"{mark} stands in a line without code; {way_out}"
    if not n_places:
        way_out = "write it as the code of that very line has it"
        return f"{mark} matches nothing in its line; {way_out}"
    if n_places > 1:
        way_out = "mark a longer expression, or split the line"
        return f"{mark} matches {n_places} places in its line; {way_out}"
    return ""


def _words(expression: str) -> list[str]:
    return [token.string for token in read_tokens(expression) if token.type not in _LAYOUT]


def _starts(expression: str, code: list[tokenize.TokenInfo]) -> list[int]:
    """Where in the tokens of a line an expression begins."""
    wanted, have = _words(expression), [token.string for token in code]
    return [i for i in range(len(have)) if have[i : i + len(wanted)] == wanted]


def _find_expression(
    expression: str, row: int, line: str, code: list[tokenize.TokenInfo]
) -> _Place:
    """The one place of an expression in its line."""
    [start] = _starts(expression, code)
    first, last = code[start], code[start + len(_words(expression)) - 1]
    column, end_column = first.start[1], last.end[1]
    found = Blank(0, row + 1, expression, False, line[column:end_column])
    return _Place(found, row, column, row, end_column)


def _find_blocks(lines: list[str], tokens: list[tokenize.TokenInfo]) -> Iterator[_Place | Problem]:
    """Find the blocks between `# blank begin: words` and `# blank end`."""
    opened, is_usable, depth = None, True, 0
    for token in tokens:
        depth += (token.string in tuple("([{")) - (token.string in tuple(")]}"))
        if token.type != tokenize.COMMENT or _has_mark(token):
            continue
        text, line = token.string.rstrip(), token.start[0]
        begins, ends = _BEGIN.fullmatch(text), text == _END
        what = _misplaced(text, lines[line - 1][: token.start[1]], depth)
        if begins and opened:
            what = f"`{text}` overlaps with the block of line {opened.start[0]}"
            what = f"{what}; end that one first with `{_END}`"
        if ends and not opened:
            what = f"`{_END}` has no `# blank begin: words` before it"
        if what and not (ends and opened and not is_usable):  # one problem for each block
            yield Problem(line, what)
        if begins:
            opened, is_usable = opened or token, not what
        elif ends and opened:
            if is_usable and not what:  # else nobody knows what the block should be
                yield _block(lines, opened, token)
            opened = None
    if opened:
        way_out = f"write `{_END}` after the block, as far indented"
        yield Problem(opened.start[0], f"`{opened.string}` has no end; {way_out}")


def _misplaced(text: str, before: str, depth: int) -> str:
    """Say what is wrong with a comment that is a block's mark, or almost one; else empty."""
    if not _BEGIN.fullmatch(text) and text != _END:
        forms = "`# blank: EXPRESSION`, `# blank begin: words` or `# blank end`"
        if _ALMOST.search(text):
            return f"`{text}` is almost a mark; write {forms}"
        if _repeats(text, before):
            return f"`{text}` says again what its line does; if it is to be a mark, write {forms}"
        return ""
    where = "a line of its own, between whole statements"
    return f"`{text}` must stand in {where}" if depth or before.strip() else ""


def _repeats(comment: str, before: str) -> bool:
    """Whether a comment ends in code of its own line, as a mark would that is spelt wrong."""
    said, code = "".join(comment.lstrip("#").split()[1:]), "".join(before.split())
    return len(said) >= _TOLD and said in code


def _block(
    lines: list[str], begin: tokenize.TokenInfo, end: tokenize.TokenInfo
) -> _Place | Problem:
    mark, line, column = f"`{begin.string.rstrip()}`", begin.start[0], begin.start[1]
    words = _BEGIN.fullmatch(begin.string.rstrip()).group(1)
    if not words:
        return Problem(line, f"{mark} has no words; say what belongs there")
    inside = lines[line : end.start[0] - 1]
    answer = "\n".join(_dedent(text, column) for text in inside)
    if not any(text.strip() and not text.lstrip().startswith("#") for text in inside):
        return Problem(line, f"the block of {mark} is empty; put the statements before its end")
    first = next(text for text in inside if text.strip())
    if not len(first) - len(first.lstrip()) == column == end.start[1]:
        way_out = f"indent `{_END}` and the first statement as far as the begin"
        return Problem(line, f"the block of {mark} is not indented as its marks; {way_out}")
    try:
        ast.parse(answer)
    except SyntaxError as error:
        what = f"the block of {mark} holds no whole statements ({error.msg})"
        return Problem(line, f"{what}; move a mark")
    return _Place(Blank(0, line, words, True, answer), line - 1, column, end.start[0], 0)


def _dedent(line: str, column: int) -> str:
    """Move a line to the left; one that starts further left is inside a string, and stays."""
    return line if line[:column].strip() else line[column:]


# What remains --------------------------------------------------------------------------------


def _wrong_rests(cell: _Cell, tree: ast.Module) -> Iterator[Problem]:
    """Find the blanks that, each alone, do not leave Python that stops at them."""
    for place in cell.places:
        if what := _wrong_rest(cell, place, tree):
            yield Problem(place.blank.line, what)


def _wrong_rest(cell: _Cell, place: _Place, tree: ast.Module) -> str:
    """Say what is wrong with a cell in which one blank is left alone; empty if nothing is."""
    mark = f"`# blank{' begin' if place.blank.is_block else ''}: {place.blank.expression}`"
    texts = [BLANK if other is place else None for other in cell.places]
    try:
        rest = ast.parse(_write(cell, texts))
    except SyntaxError as error:
        what = f"what remains without {mark} does not parse ({error.msg})"
        return f"{what}; mark a larger or a smaller piece"
    if not _is_read(rest):
        what = f"{mark} leaves {BLANK} where Python reads no value"
        way_out = "mark what is computed, not a name that is given"
        return f"{what}, so that nothing would stop there; {way_out}"
    if not place.blank.is_block and not _is_whole(cell, place, tree):
        what = f"{mark} cuts through a larger expression, which binds otherwise"
        return f"{what}; mark that one, or set brackets"
    return ""


def _is_read(rest: ast.Module) -> bool:
    """Tell whether `____` is there as a name whose value is asked for."""
    return any(
        isinstance(node, ast.Name) and node.id == BLANK and isinstance(node.ctx, ast.Load)
        for node in ast.walk(rest)
    )


def _is_whole(cell: _Cell, place: _Place, tree: ast.Module) -> bool:
    """Tell whether the code means the same with the expression, or its items, in brackets."""
    expression = place.blank.expression
    forms = [f"({expression})"]
    node = ast.parse(expression, mode="eval").body
    if isinstance(node, ast.Tuple):  # such as the two arguments of a call
        items = [ast.get_source_segment(expression, item) for item in node.elts]
        forms.append(", ".join(item if item.startswith("*") else f"({item})" for item in items))
    meaning = ast.dump(tree)
    for form in forms:
        texts = [form if other is place else None for other in cell.places]
        try:
            if ast.dump(ast.parse(_write(cell, texts))) == meaning:
                return True
        except SyntaxError:
            continue
    return False


# Writing -------------------------------------------------------------------------------------


def _write(cell: _Cell, texts: list[str | None]) -> str:
    """Write a cell without marks; None keeps the answer of the solution."""
    lines = list(cell.lines)
    for row, (column, kept) in cell.comments.items():
        code = lines[row][:column].rstrip()
        lines[row] = f"{code}  {kept}" if kept else code
    for place, text in reversed(list(zip(cell.places, texts, strict=True))):
        if place.blank.is_block:
            lines[place.row : place.end_row] = _block_lines(lines, place, text)
        elif text is not None:
            line = lines[place.row]
            lines[place.row] = line[: place.column] + text.strip() + line[place.end_column :]
    return "\n".join(lines)


def _block_lines(lines: list[str], place: _Place, text: str | None) -> list[str]:
    if text is None:
        return lines[place.row + 1 : place.end_row - 1]
    if text.strip() == BLANK:
        text = f"{BLANK}  # {place.blank.expression}"
    text = textwrap.dedent(text.strip("\n")).rstrip()
    return textwrap.indent(text, " " * place.column).split("\n")


def _choose(places: list[_Place], answers: dict[str, str]) -> list[str | None]:
    """Give each blank its answer, or None."""
    keys = [place.blank.expression for place in places]
    texts: list[str | None] = [None] * len(places)
    unknown = []
    for key in sorted(answers, key=lambda key: key not in keys):  # `TEXT @2` has the last word
        name, _, number = key.rpartition(" @")
        chosen = [i for i, known in enumerate(keys) if known == key]
        if not chosen and number.isdigit():
            same = [i for i, known in enumerate(keys) if known == name]
            chosen = same[int(number) - 1 : int(number)] if int(number) else []
        if not chosen:
            line = places[0].blank.line if places else 1
            there = ", ".join(f"`{known}`" for known in dict.fromkeys(keys)) or "no blank at all"
            unknown.append(Problem(line, f"no blank is called `{key}`; there is {there}"))
        for i in chosen:
            texts[i] = answers[key]
    if unknown:
        raise BlankError(unknown)
    return texts
