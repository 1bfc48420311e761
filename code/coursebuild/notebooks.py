"""Exercise notebooks, made from the solutions.

A solution is a MyST text whose code cells carry marks (see `coursebuild.blanks`). Jupytext reads
it, an nbconvert preprocessor blanks it, and nbformat validates and writes what comes out: without
outputs, with nbgrader's metadata, and the same bytes every time.

`python -m coursebuild.notebooks` (or `make exercises`) writes all exercises; with `--check` it only
says which of them are not what their solutions make.
"""

import argparse
import hashlib
import keyword
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import jupytext
import nbformat
from jupytext.myst import MystMetadataParsingError, get_parser, parse_directive_options
from markdown_it import MarkdownIt
from mdit_py_plugins.myst_role import myst_role_plugin
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from coursebuild.blanks import Blank, BlankError, blank, find_blanks, read_tokens, without_marks
from layerlab.errors import LayerlabError

ROOT = Path(__file__).resolve().parents[2]
FEWEST_BLANKS, MOST_BLANKS = 8, 25
SHORTEST_ANSWER = 12  # characters without spaces; what is shorter stands anywhere by chance
CHECK, ANSWER = "check", "answer"
SOLUTION_ONLY, EXERCISE_ONLY = "solution-only", "exercise-only"
PROMPT = "*Write your answer here, in your own words.*"
INSTALL = """\
# Where the course's package is missing, as on a machine that is lent to you, install it first.
from importlib.util import find_spec

if getattr(find_spec("layerlab"), "origin", None) is None:  # a mere folder has no origin
    get_ipython().run_line_magic("pip", {command!r})"""

_TAGS = {CHECK, ANSWER, SOLUTION_ONLY, EXERCISE_ONLY}
_TAGS_OF_PAGES = re.compile(r"(hide|remove)-(input|output|cell|stderr)|full-width|margin")
_STEP = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KERNEL = {"display_name": "Python 3", "name": "python3"}
_LANGUAGE = {"name": "python"}
_CODE_CELL = "{code-cell}"
_PUNCTUATION = {"=", ",", ":", ";", ")", "]", "}", "{", "->", ":=", "@=", "..."}


class NotebookError(LayerlabError, ValueError):
    """A solution notebook that no exercise can be made from; names notebook, cell and line."""


# Reading a solution --------------------------------------------------------------------------


def read_solution(path: Path) -> NotebookNode:
    """Read a solution's source, its marks included.

    Parameters
    ----------
    path : Path
        The MyST notebook.

    Returns
    -------
    NotebookNode
        Every cell has the id and, in a step, the nbgrader metadata that it has in the exercise.
        The metadata `step` and `tags` are those of the source.

    Raises
    ------
    NotebookError
        If a mark, a tag or the order of a step's cells breaks a rule.
    """
    path = Path(path)
    name = f"{path.parent.name}/{path.name}"
    try:
        notebook = jupytext.reads(path.read_text("utf-8"), fmt="md:myst")
    except MystMetadataParsingError as error:
        raise NotebookError(f"{name}: {error}") from error
    except nbformat.ValidationError as error:
        raise NotebookError(f"{name}: a cell's option is unusable, {error.message}") from error
    notebook.metadata = _notebook_metadata(notebook.metadata, name)
    notebook.nbformat_minor = 5  # the first with ids, whatever this version of nbformat prefers
    for number, cell in enumerate(notebook.cells, 1):
        place = _place(name, number, cell)
        _check_cell(cell, place)
        _check_marks(cell, place)
    _check_prose(notebook, name)
    _check_steps(notebook, name)
    _name_cells(notebook, name)
    return notebook


def _notebook_metadata(given: NotebookNode, name: str) -> NotebookNode:
    """Metadata without what changes with jupytext's version."""
    kernel = given.get("kernelspec", {}).get("name")
    if kernel != _KERNEL["name"]:
        raise NotebookError(f"{name}: its kernelspec must be python3, not {kernel!r}")
    metadata = {"kernelspec": dict(_KERNEL), "language_info": dict(_LANGUAGE)}
    if "myst" in given:
        metadata["myst"] = given["myst"]
    return nbformat.from_dict(metadata)


def _place(name: str, number: int, cell: NotebookNode) -> str:
    """Where a cell is, in words for an error."""
    step = cell.metadata.get("step")
    return f"{name}, cell {number}" + (f" (step {step})" if step else "")


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def _check_cell(cell: NotebookNode, place: str) -> None:
    """Make sure that a cell's step and tags mean something."""
    tags, step = _tags(cell), cell.metadata.get("step")
    for tag in tags:
        if tag not in _TAGS and not _TAGS_OF_PAGES.fullmatch(tag):
            known = ", ".join(sorted(_TAGS))
            raise NotebookError(f"{place}: the tag {tag!r} means nothing here; there is {known}")
    if step is not None and not _STEP.fullmatch(str(step)):
        raise NotebookError(f"{place}: name a step in lower-case words with hyphens")
    is_code = cell.cell_type == "code"
    if CHECK in tags and not (is_code and step):
        raise NotebookError(f"{place}: a check is a code cell with the `:step:` that it checks")
    if ANSWER in tags and not (cell.cell_type == "markdown" and step):
        raise NotebookError(f'{place}: an answer is a Markdown cell with a "step" of its own')
    if step and SOLUTION_ONLY in tags:
        raise NotebookError(f"{place}: a cell of a step cannot be absent from the exercise")
    if step and EXERCISE_ONLY in tags:
        raise NotebookError(f"{place}: a cell of a step cannot be absent from the solution")


def _check_marks(cell: NotebookNode, place: str) -> list[Blank]:
    """Blanks of a code cell, which must be those of a step."""
    if cell.cell_type != "code":
        return []
    try:
        blanks = find_blanks(cell.source)
    except BlankError as error:
        raise NotebookError(f"{place}, line {error.line}: {error.problem}") from error
    if blanks and (CHECK in _tags(cell) or not cell.metadata.get("step")):
        kind = "a check" if CHECK in _tags(cell) else "a cell without `:step:`"
        way_out = "move the mark into a cell of a step, before its check"
        raise NotebookError(f"{place}, line {blanks[0].line}: {kind} holds no blank; {way_out}")
    return blanks


def _check_prose(notebook: NotebookNode, name: str) -> None:
    """Make sure that words about a cell that only the solution has are not in the exercise."""
    for number, (before, cell) in enumerate(pairwise(notebook.cells), 2):
        is_about = before.cell_type == "code" and SOLUTION_ONLY in _tags(before)
        is_prose = cell.cell_type == "markdown" and not cell.source.startswith("#")
        if is_about and is_prose and not _tags(cell):
            problem = "it follows a cell that only the solution has, and is in the exercise, too"
            way_out = f"give it the tag {SOLUTION_ONLY}, or begin it with a heading"
            raise NotebookError(f"{_place(name, number, cell)}: {problem}; {way_out}")


def _check_steps(notebook: NotebookNode, name: str) -> None:
    """Make sure that each step is a run of cells with blanks and one check at its end."""
    closed, current, n_blank_cells = set(), None, 0
    last = name
    for number, cell in enumerate(notebook.cells, 1):
        place, step = _place(name, number, cell), cell.metadata.get("step")
        if not step or (cell.cell_type != "code" and ANSWER not in _tags(cell)):
            continue
        if current and step != current:
            way_out = "end it with a cell of the tag check"
            raise NotebookError(f"{last}: the step {current} has no check; {way_out}")
        if step in closed:
            way_out = "a check is the last cell of its step, and each step has its own name"
            raise NotebookError(f"{place}: the step {step} has ended before; {way_out}")
        last = place
        if ANSWER in _tags(cell):
            closed.add(step)
        elif CHECK in _tags(cell):
            if not n_blank_cells:
                way_out = "put cells with blanks and the same `:step:` before it"
                raise NotebookError(f"{place}: there is nothing to check; {way_out}")
            closed.add(step)
            current, n_blank_cells = None, 0
        elif not find_blanks(cell.source):
            way_out = "take `:step:` away, or add the tag check"
            raise NotebookError(f"{place}: a cell of a step has blanks or is its check; {way_out}")
        else:
            current, n_blank_cells = step, n_blank_cells + 1
    if current:
        way_out = "end it with a cell of the tag check"
        raise NotebookError(f"{last}: the step {current} has no check; {way_out}")


# Names of cells ------------------------------------------------------------------------------


def _name_cells(notebook: NotebookNode, name: str) -> None:
    """Give each cell an id that depends on nothing but itself, and nbgrader what it asks for."""
    in_step, seen, owners = Counter(), Counter(), {}
    for number, cell in enumerate(notebook.cells, 1):
        grade_id = _grade_id(cell, in_step)
        if grade_id is None:
            digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
            seen[digest] += 1
            cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
            continue
        if grade_id in owners:
            problem = f"would be named {grade_id}, as cell {owners[grade_id]} is"
            raise NotebookError(f"{_place(name, number, cell)}: {problem}; rename a step")
        owners[grade_id] = number
        cell.id = grade_id
        cell.metadata["nbgrader"] = _grading(cell, grade_id)


def _grade_id(cell: NotebookNode, in_step: Counter) -> str | None:
    """Name of a cell to grade or to fill, or None; counts a step's cells with blanks."""
    step = cell.metadata.get("step")
    if not step or (cell.cell_type != "code" and ANSWER not in _tags(cell)):
        return None
    if CHECK in _tags(cell):
        return f"{step}-check"
    in_step[step] += 1
    return step if in_step[step] == 1 else f"{step}-{in_step[step]}"


def _grading(cell: NotebookNode, grade_id: str) -> NotebookNode:
    """Metadata of nbgrader, schema 3; nbgrader adds the checksum when it releases."""
    is_check, is_answer = CHECK in _tags(cell), ANSWER in _tags(cell)
    grading = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": is_check or is_answer,
        "solution": not is_check,
        "locked": is_check,
        "task": False,
        "cell_type": cell.cell_type,
    }
    if grading["grade"]:
        grading["points"] = 1
    return nbformat.from_dict(grading)


# The two notebooks ---------------------------------------------------------------------------


class BlankAnswers(Preprocessor):
    """Leave out of a solution what its exercise asks for."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Drop the cells that only the solution has, and blank the others."""
        nb.cells = [cell for cell in nb.cells if SOLUTION_ONLY not in _tags(cell)]
        return super().preprocess(nb, resources)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict, index: int
    ) -> tuple[NotebookNode, dict]:
        """Blank a code cell, or put the place to write in where an answer in words was."""
        if cell.cell_type == "code":
            cell.source = blank(cell.source)
        elif ANSWER in _tags(cell):
            cell.source = PROMPT
        return cell, resources


def exercise_notebook(path: Path, *, package: str | None = None) -> NotebookNode:
    """Exercise made from a solution.

    Parameters
    ----------
    path : Path
        The solution's source.
    package : str, optional
        What pip needs to install the package; with it, a cell that does so where the package is
        missing comes first.
        The exercises in the repository have none.

    Returns
    -------
    NotebookNode
        Without outputs, each answer a blank.

    Raises
    ------
    NotebookError
        If the solution breaks a rule, or what remains still gives an answer away.
    """
    path = Path(path)
    name = f"{path.parent.name}/{path.name}"
    solution = read_solution(path)
    n_blanks = sum(count_blanks(solution).values())
    if not FEWEST_BLANKS <= n_blanks <= MOST_BLANKS:
        rule = f"an exercise has {FEWEST_BLANKS} to {MOST_BLANKS}"
        raise NotebookError(f"{name}: {n_blanks} blanks; {rule}")
    if not any(ANSWER in _tags(cell) for cell in solution.cells):
        raise NotebookError(
            f"{name}: no cell has the tag answer; ask a question in words at the end"
        )
    answers = _answer_texts(solution)
    for number, cell in enumerate(solution.cells, 1):
        if cell.cell_type == "markdown" and not {SOLUTION_ONLY, ANSWER} & set(_tags(cell)):
            _check_markdown(cell, _place(name, number, cell))
    numbers = {cell.id: number for number, cell in enumerate(solution.cells, 1)}
    exercise, _ = BlankAnswers().preprocess(solution, {})
    for cell in exercise.cells:
        _check_secrecy(cell, answers, _place(name, numbers[cell.id], cell))
    return _with_install_cell(exercise, package)


def solution_notebook(path: Path, *, package: str | None = None) -> NotebookNode:
    """Solution as a reader downloads it: without marks and without outputs.

    Parameters
    ----------
    path : Path
        The solution's source.
    package : str, optional
        As for `exercise_notebook`.

    Returns
    -------
    NotebookNode
    """
    notebook = read_solution(path)
    notebook.cells = [cell for cell in notebook.cells if EXERCISE_ONLY not in _tags(cell)]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = without_marks(cell.source)
    return _with_install_cell(notebook, package)


def _with_install_cell(notebook: NotebookNode, package: str | None) -> NotebookNode:
    if package is not None:
        source = INSTALL.format(command=f"install -q {package}")
        cell = nbformat.v4.new_code_cell(source, id="install")
        notebook.cells.insert(0, cell)
    return notebook


def count_blanks(notebook: NotebookNode) -> dict[str, int]:
    """Number of blanks in each step of a solution that `read_solution` returned."""
    counts = Counter()
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.metadata.get("step"):
            counts[cell.metadata["step"]] += len(find_blanks(cell.source))
    return dict(counts)


def as_text(notebook: NotebookNode) -> str:
    """Text of a notebook's file; raises if the notebook breaks Jupyter's schema."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4, indent=1, ensure_ascii=False).rstrip("\n") + "\n"


def write(notebook: NotebookNode, path: Path) -> bool:
    """Write a notebook unless the file holds it already; returns whether it was written."""
    path, content = Path(path), as_text(notebook).encode("utf-8")
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True


# What must not stand in an exercise ----------------------------------------------------------


def answer_texts(path: Path) -> list[str]:
    """Answers of a solution that are long enough to be searched for.

    Parameters
    ----------
    path : Path
        The solution's source.

    Returns
    -------
    list of str
        Blanked expressions, and lines of blanked blocks, with twelve or more characters besides
        spaces and with an operator, a call, an index or an attribute. Compare without whitespace.
    """
    return _answer_texts(read_solution(path))


def _answer_texts(notebook: NotebookNode) -> list[str]:
    blanks = [
        found
        for cell in notebook.cells
        if cell.cell_type == "code"
        for found in find_blanks(cell.source)
    ]
    texts = [text for found in blanks for text in _code_lines(found.answer)]
    return list(dict.fromkeys(texts))


def _code_lines(code: str) -> Iterator[str]:
    """Lines worth searching for, without indentation and comments."""
    lines = code.split("\n")
    rows = [[] for _ in lines]
    for token in read_tokens(code):
        if token.type != tokenize.COMMENT and token.string.strip():
            rows[token.start[0] - 1].append(token)
    for line, tokens in zip(lines, rows, strict=True):
        if not tokens or tokens[-1].end[0] != tokens[0].start[0] or not _is_computed(tokens):
            continue
        text = line[tokens[0].start[1] : tokens[-1].end[1]]
        if len(squeeze(text)) >= SHORTEST_ANSWER and not _is_ceremony(text):
            yield text


def _is_computed(tokens: list[tokenize.TokenInfo]) -> bool:
    """Tell whether there is an operator, a call, an index or an attribute."""
    before = ""
    for token in tokens:
        if token.string in ("(", "["):  # a call or an index, if something stands before it
            if before in (")", "]") or (before.isidentifier() and not keyword.iskeyword(before)):
                return True
        elif token.string not in _PUNCTUATION and (
            token.type == tokenize.OP or token.string in ("and", "or", "not", "is")
        ):
            return True
        before = token.string
    return False


def _is_ceremony(line: str) -> bool:
    """Tell whether a block's line says no more than any code does, as `with no_grad():`."""
    word, text = line.split()[0], squeeze(line)
    has_arguments = text.count("(") > text.count("()")
    return word in ("def", "class", "import", "from") or (word == "with" and not has_arguments)


def squeeze(text: str) -> str:
    """Text without whitespace, as answers are compared."""
    return "".join(text.split())


def _check_secrecy(cell: NotebookNode, answers: list[str], place: str) -> None:
    lines = cell.source.split("\n")
    text = squeeze(cell.source)
    for answer in answers:
        at = text.find(squeeze(answer))
        if at >= 0:
            line = _line_of(lines, at)
            way_out = "blank it here too, or write it in another way"
            problem = f"the exercise gives away the answer `{answer}`"
            raise NotebookError(f"{place}, line {line}: {problem}; {way_out}")


def _line_of(lines: list[str], at: int) -> int:
    """Line, from 1, that holds a position of the squeezed text."""
    for number, line in enumerate(lines, 1):
        at -= len(squeeze(line))
        if at < 0:
            return number
    return len(lines)


def _check_markdown(cell: NotebookNode, place: str) -> None:
    """Refuse what only the site shows as it is meant."""
    parser = MarkdownIt("commonmark").enable("table").use(myst_role_plugin)
    for token in parser.parse(cell.source):
        line = (token.map[0] if token.map else 0) + 1
        for problem in _problems_of(token):
            raise NotebookError(f"{place}, line {line}: plain Jupyter does not show {problem}")


def _problems_of(token) -> Iterator[str]:
    if token.type == "fence" and token.info.startswith("{"):
        yield f"the directive `{token.info}`; say it in plain Markdown"
    if token.type != "inline":
        return
    for line in token.content.split("\n"):
        if re.match(r":::+\s*\{", line):
            yield f"the directive `{line}`; say it in plain Markdown"
        if re.fullmatch(r"\([^()\s]+\)=", line.strip()):
            yield f"the label `{line}`; link to the page instead"
    children = token.children or []
    for child, after in zip(children, [*children[1:], None], strict=True):
        if child.type == "myst_role":
            yield f"the role `{{{child.meta['name']}}}`; say it in plain Markdown"
        if child.type == "link_open":
            target = child.attrs["href"]
            if target.startswith("#"):
                yield f"where the link to `{target}` leads; link to a page"
            if after.type == "link_close":
                yield f"a link without words, to `{target}`; give it some"


# The page of a solution ----------------------------------------------------------------------


def solution_page(text: str, name: str = "the page") -> str:
    """Source text of a solution's page: the MyST text without marks.

    Parameters
    ----------
    text : str
        The solution's source.
    name : str
        What to call it in an error.

    Returns
    -------
    str
        The text without marks and without what only the exercise has. All else is as it was, and
        at the same line: where lines of a cell went, empty ones follow the cell.

    Raises
    ------
    NotebookError
        If a mark cannot be used.
    """
    lines = text.split("\n")
    for number, (start, body, end, options) in reversed(list(enumerate(_code_cells(text), 1))):
        source = "\n".join(lines[body:end])
        try:
            new = without_marks(source).split("\n")
        except BlankError as error:
            place = f"{name}, code cell {number}, line {body + error.line} of the file"
            raise NotebookError(f"{place}: {error.problem}") from error
        n_gone = end - body - len(new)
        closing = lines[end : end + 1]
        lines[body : end + 1] = [*new, *closing, *[""] * n_gone]
        if EXERCISE_ONLY in options.get("tags", []):
            lines[start : end + 1] = [""] * (end + 1 - start)
    for start, end in _exercise_only_prose(text):
        lines[start:end] = [""] * (end - start)
    return "\n".join(lines)


def _top_level(text: str) -> list:
    """Tokens of blocks that stand in no other block, as jupytext sees them."""
    tokens, depth = [], 0
    for token in get_parser().parse(text + "\n"):
        depth += token.nesting
        if depth == 0:
            tokens.append(token)
    return tokens


def _is_code_cell(token) -> bool:
    return token.type == "fence" and token.info.startswith(_CODE_CELL)


def _code_cells(text: str) -> Iterator[tuple[int, int, int, dict]]:
    """Rows of each code cell: its fence, its code, the end of its code; and its options."""
    for token in _top_level(text):
        if _is_code_cell(token):
            body, options = parse_directive_options(token.content, "")
            end = token.map[0] + 1 + token.content.count("\n")
            yield token.map[0], end - len(body), end, options


def _exercise_only_prose(text: str) -> Iterator[tuple[int, int]]:
    """Rows of the Markdown cells that only the exercise has, with the line that opens them."""
    start = None
    n_lines = text.count("\n") + 1
    for token in _top_level(text):
        if start is not None and (token.type == "myst_block_break" or _is_code_cell(token)):
            yield start, token.map[0]
            start = None
        if token.type == "myst_block_break" and EXERCISE_ONLY in token.content:
            start = token.map[0]
    if start is not None:
        yield start, n_lines


# The command ---------------------------------------------------------------------------------


def make_exercises(root: Path, *, check: bool = False) -> bool:
    """Make the exercises of all solutions, and remove those that have no solution.

    Parameters
    ----------
    root : Path
        The folder that holds `solutions` and `exercises`.
    check : bool
        Only say which exercises are not what their solutions make; change nothing.

    Returns
    -------
    bool
        Whether every solution could be used and, for a check, every exercise is right.
    """
    sources = sorted((root / "solutions").glob("[0-9][0-9]-*.md"))
    if not sources:
        print("There are no solutions/NN-topic.md to make exercises from.", file=sys.stderr)
        return False
    right = True
    for source in sources:
        target = root / "exercises" / f"{source.stem}.ipynb"
        try:
            right &= _make_exercise(source, target, check)
        except NotebookError as error:
            print(error, file=sys.stderr)
            right = False
    names = {source.stem for source in sources}
    for path in sorted((root / "exercises").glob("*.ipynb")):
        if path.stem not in names:
            right &= not check
            print(f"exercises/{path.name}: " + ("has no solution" if check else "removed"))
            if not check:
                path.unlink()
    return right


def _make_exercise(source: Path, target: Path, check: bool) -> bool:
    """Make or check one exercise, and say in a line what came of it."""
    exercise = exercise_notebook(source)
    counts = count_blanks(read_solution(source))
    size = f"{sum(counts.values())} blanks in {len(counts)} steps"
    line = f"exercises/{target.name}: {{}}, {size}"
    if not check:
        print(line.format("written" if write(exercise, target) else "unchanged"))
        return True
    same = target.is_file() and target.read_bytes() == as_text(exercise).encode("utf-8")
    if not same:
        state = "differs from what its solution makes" if target.exists() else "is missing"
        print(f"exercises/{target.name}: {state}; run `make exercises`", file=sys.stderr)
    else:
        print(line.format("as its solution makes it"))
    return same


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="coursebuild.notebooks", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, say what differs")
    options = parser.parse_args(arguments)
    return 0 if make_exercises(ROOT, check=options.check) else 1


if __name__ == "__main__":
    sys.exit(main())
