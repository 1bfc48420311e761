"""Blanks in a cell: text in, text out.

A solution's cell says in comments what its exercise leaves out:

    p_x = p_xy.sum(axis=1)  # blank: p_xy.sum(axis=1)

    # blank begin: add the two terms up
    total = first + second
    # blank end

`blank` writes the exercise's cell, `without_marks` the solution's, and `fill` a student's. A mark
that does not say clearly what to leave out is a `BlankError`. Marks are found with Python's own
tokenizer, so that a `#` or the text of a mark inside a string means nothing.
"""

import ast
import re
import textwrap
import tokenize
from dataclasses import dataclass
from io import StringIO

from layerlab.errors import LayerlabError

BLANK = "____"  # four underscores: IPython gives one, two and three a meaning

_MARK = re.compile(r"# blank: *")
_BEGIN = re.compile(r"# blank begin: *(.*)")
_END = "# blank end"
_ALMOST = re.compile(r"#+\s*blank\s*(:|begin\b|end\s*$)", re.IGNORECASE)
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


class BlankError(LayerlabError, ValueError):
    """A mark, or an answer to it, that cannot be used.

    Attributes
    ----------
    line : int
        The line in the cell, counted from 1.
    problem : str
        What is wrong and what to do, without the line.
    """

    def __init__(self, line: int, problem: str):
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


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


def _read(source: str) -> _Cell:
    """Find the marks and what they mean, and make sure that the rest is usable."""
    tree = _parse(source, "a cell must be plain Python: ")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == BLANK:
            problem = f"the solution uses the name {BLANK}, which means a blank in an exercise"
            raise BlankError(node.lineno, f"{problem}; give it another name")
    lines = source.split("\n")
    tokens = read_tokens(source)
    blocks = _find_blocks(lines, tokens)
    comments, found = {}, []
    for token in tokens:
        if token.type == tokenize.COMMENT and _MARK.search(token.string):
            row, column = token.start[0] - 1, token.start[1]
            kept, expressions = _split_comment(token.string, row + 1)
            comments[row] = column, kept
            found += _find_expressions(expressions, row, lines, tokens, blocks)
    ordered = sorted([*blocks, *found], key=lambda place: (place.row, place.column))
    places = [_numbered(place, number) for number, place in enumerate(ordered, 1)]
    cell = _Cell(lines, comments, places)
    if places:
        _check_rest(cell, tree)
    return cell


def _parse(source: str, complaint: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise BlankError(error.lineno or 1, complaint + (error.msg or "invalid syntax")) from error


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


def _split_comment(comment: str, line: int) -> tuple[str, list[str]]:
    """Take the marks out of a comment: what is left of it, and the marked expressions."""
    kept, expressions = [], []
    while mark := _MARK.search(comment):
        kept.append(comment[: mark.start()].rstrip())
        expression, comment = _split_code(comment[mark.end() :])
        expressions.append(expression)
        _check_expression(expression, line)
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


def _check_expression(expression: str, line: int) -> None:
    if not expression:
        raise BlankError(line, "the mark `# blank:` names nothing; write the expression after it")
    try:
        ast.parse(expression, mode="eval")
    except SyntaxError as error:
        problem = f"`# blank: {expression}` does not name an expression ({error.msg})"
        way_out = "mark the expression around it, or whole statements with `# blank begin: words`"
        raise BlankError(line, f"{problem}; {way_out}") from error


def _find_expressions(
    expressions: list[str],
    row: int,
    lines: list[str],
    tokens: list[tokenize.TokenInfo],
    blocks: list[_Place],
) -> list[_Place]:
    """Find the marked expressions in the code of their line."""
    for block in blocks:
        if block.row <= row < block.end_row:
            problem = f"`# blank: {expressions[0]}` overlaps with the block around it"
            raise BlankError(row + 1, f"{problem}; take one of the two marks out")
    code = [
        token
        for token in tokens
        if token.start[0] == token.end[0] == row + 1 and token.type not in _LAYOUT
    ]
    places = []
    for expression in expressions:
        place = _find_expression(expression, row, lines[row], code)
        for other in places:
            if place.column < other.end_column and other.column < place.end_column:
                problem = f"`# blank: {expression}` overlaps with `{other.blank.expression}`"
                raise BlankError(row + 1, f"{problem}; mark one of them, or what holds both")
        places.append(place)
    return places


def _find_expression(
    expression: str, row: int, line: str, code: list[tokenize.TokenInfo]
) -> _Place:
    mark = f"`# blank: {expression}`"
    if not code:
        way_out = "write it at the end of the line that it means"
        raise BlankError(row + 1, f"{mark} stands in a line without code; {way_out}")
    wanted = [token.string for token in read_tokens(expression) if token.type not in _LAYOUT]
    have = [token.string for token in code]
    starts = [i for i in range(len(have)) if have[i : i + len(wanted)] == wanted]
    if not starts:
        way_out = "write it as the code of that very line has it"
        raise BlankError(row + 1, f"{mark} matches nothing in its line; {way_out}")
    if len(starts) > 1:
        way_out = "mark a longer expression, or split the line"
        raise BlankError(row + 1, f"{mark} matches {len(starts)} places in its line; {way_out}")
    first, last = code[starts[0]], code[starts[0] + len(wanted) - 1]
    column, end_column = first.start[1], last.end[1]
    found = Blank(0, row + 1, expression, False, line[column:end_column])
    return _Place(found, row, column, row, end_column)


def _find_blocks(lines: list[str], tokens: list[tokenize.TokenInfo]) -> list[_Place]:
    """Find the blocks between `# blank begin: words` and `# blank end`."""
    places, opened, depth = [], None, 0
    for token in tokens:
        depth += (token.string in tuple("([{")) - (token.string in tuple(")]}"))
        if token.type != tokenize.COMMENT or _MARK.search(token.string):
            continue
        text, line = token.string.rstrip(), token.start[0]
        begin, end = _BEGIN.fullmatch(text), text == _END
        if not begin and not end:
            if _ALMOST.search(text):
                forms = "`# blank: EXPRESSION`, `# blank begin: words` or `# blank end`"
                raise BlankError(line, f"`{text}` is almost a mark; write {forms}")
            continue
        if depth or lines[line - 1][: token.start[1]].strip():
            where = "a line of its own, between whole statements"
            raise BlankError(line, f"`{text}` must stand in {where}")
        if begin:
            if opened:
                problem = f"`{text}` overlaps with the block of line {opened.start[0]}"
                raise BlankError(line, f"{problem}; end that one first with `{_END}`")
            opened = token
        else:
            if not opened:
                raise BlankError(line, f"`{_END}` has no `# blank begin: words` before it")
            places.append(_block(lines, opened, token))
            opened = None
    if opened:
        way_out = f"write `{_END}` after the block, as far indented"
        raise BlankError(opened.start[0], f"`{opened.string}` has no end; {way_out}")
    return places


def _block(lines: list[str], begin: tokenize.TokenInfo, end: tokenize.TokenInfo) -> _Place:
    mark, line, column = f"`{begin.string.rstrip()}`", begin.start[0], begin.start[1]
    words = _BEGIN.fullmatch(begin.string.rstrip()).group(1)
    if not words:
        raise BlankError(line, f"{mark} has no words; say what belongs there")
    inside = lines[line : end.start[0] - 1]
    answer = "\n".join(_dedent(text, column) for text in inside)
    if not any(text.strip() and not text.lstrip().startswith("#") for text in inside):
        raise BlankError(line, f"the block of {mark} is empty; put the statements before its end")
    first = next(text for text in inside if text.strip())
    if not len(first) - len(first.lstrip()) == column == end.start[1]:
        way_out = f"indent `{_END}` and the first statement as far as the begin"
        raise BlankError(line, f"the block of {mark} is not indented as its marks; {way_out}")
    try:
        ast.parse(answer)
    except SyntaxError as error:
        problem = f"the block of {mark} holds no whole statements ({error.msg})"
        raise BlankError(line, f"{problem}; move a mark") from error
    return _Place(Blank(0, line, words, True, answer), line - 1, column, end.start[0], 0)


def _dedent(line: str, column: int) -> str:
    """Move a line to the left; one that starts further left is inside a string, and stays."""
    return line if line[:column].strip() else line[column:]


# What remains --------------------------------------------------------------------------------


def _check_rest(cell: _Cell, tree: ast.Module) -> None:
    """Make sure that each blank alone leaves Python that stops at it."""
    for place in cell.places:
        mark = f"`# blank{' begin' if place.blank.is_block else ''}: {place.blank.expression}`"
        line = place.blank.line
        texts = [BLANK if other is place else None for other in cell.places]
        try:
            rest = ast.parse(_write(cell, texts))
        except SyntaxError as error:
            problem = f"what remains without {mark} does not parse ({error.msg})"
            raise BlankError(line, f"{problem}; mark a larger or a smaller piece") from error
        if not _is_read(rest):
            problem = f"{mark} leaves {BLANK} where Python reads no value"
            way_out = "mark what is computed, not a name that is given"
            raise BlankError(line, f"{problem}, so that nothing would stop there; {way_out}")
        if not place.blank.is_block and not _is_whole(cell, place, tree):
            problem = f"{mark} cuts through a larger expression, which binds otherwise"
            raise BlankError(line, f"{problem}; mark that one, or set brackets")


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
    for key in sorted(answers, key=lambda key: key not in keys):  # `TEXT @2` has the last word
        name, _, number = key.rpartition(" @")
        chosen = [i for i, known in enumerate(keys) if known == key]
        if not chosen and number.isdigit():
            same = [i for i, known in enumerate(keys) if known == name]
            chosen = same[int(number) - 1 : int(number)] if int(number) else []
        if not chosen:
            line = places[0].blank.line if places else 1
            there = ", ".join(f"`{known}`" for known in dict.fromkeys(keys)) or "no blank at all"
            raise BlankError(line, f"no blank is called `{key}`; there is {there}")
        for i in chosen:
            texts[i] = answers[key]
    return texts
