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
from pathlib import Path

import jupytext
import nbformat
import yaml
from jupytext.myst import MystMetadataParsingError, get_parser, parse_directive_options
from markdown_it import MarkdownIt
from mdit_py_plugins.myst_role import myst_role_plugin
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from coursebuild.blanks import Problem, blank, examine, find_blanks, read_tokens, without_marks
from coursebuild.catalogues import Language, translatable
from coursebuild.course import CourseError, course_root, read_source
from coursebuild.messages import MessageError, with_code_messages, with_messages
from coursebuild.rules import (
    ANSWER,
    CHECK,
    EXERCISE_ONLY,
    KERNEL,
    RULES,
    SOLUTION_ONLY,
    NotebookError,
    Numbered,
    blanks_of,
    counted,
    find_problems,
    for_each_cell,
    grade_ids,
    is_draft,
    is_legible,
    step_of,
    tags_of,
)
from coursechecks import language as spoken
from layerlab.errors import LayerlabError

FEWEST_BLANKS, MOST_BLANKS = 8, 25
SHORTEST_ANSWER = 12  # characters without spaces; what is shorter stands anywhere by chance
PROMPT = translatable("*Write your answer here, in your own words.*")
IMPORTS_CHECK = re.compile(r"^from coursechecks\.ex\d+ import ", re.MULTILINE)
SPEAK = '\n\nspeak("{language}")'
INSTALL = translatable("""\
# Where the course's package is missing, as on a machine that is lent to you, install it first.
from importlib.util import find_spec

if getattr(find_spec("layerlab"), "origin", None) is None:  # a mere folder has no origin
    get_ipython().run_line_magic("pip", {command!r})""")

_KERNEL = {"display_name": "Python 3", "name": KERNEL}
_LANGUAGE = {"name": "python"}
_CODE_CELL = "{code-cell}"
_PUNCTUATION = {"=", ",", ":", ";", ")", "]", "}", "{", "->", ":=", "@=", "..."}


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
        If a mark, a tag or the order of a step's cells breaks a rule (see `coursebuild.rules`).
    """
    notebook = _read(path)
    if problems := find_problems(notebook, _name(path), RULES):
        raise NotebookError(problems)
    return finished(notebook)


def _name(path: Path) -> str:
    """What an error calls a solution."""
    return "/".join(Path(path).parts[-2:])


def _read(path: Path) -> NotebookNode:
    """Read a notebook of which nothing is known yet but that it is one."""
    name = _name(path)
    try:
        text = read_source(Path(path))
        return jupytext.reads(text, fmt="md:myst")
    except CourseError as error:
        raise NotebookError([str(error)]) from error
    except yaml.YAMLError as error:
        raise NotebookError([f"{name}: its front matter is no YAML: {error}"]) from error
    except MystMetadataParsingError as error:
        raise NotebookError([f"{name}: {error}"]) from error
    except nbformat.ValidationError as error:
        option, value = error.relative_path[-1], error.instance
        what = f"the option `{option}` is unusable, {error.message}"
        what += f"; a list is written as [{value}]" if error.validator_value == "array" else ""
        raise NotebookError([f"{name}{_place_of(text, option, value)}: {what}"]) from error


def _place_of(text: str, option: str | int, value: object) -> str:
    """Where an option is written with that value, as `:LINE`; empty if that is not to be seen."""
    written = re.compile(rf":?{option}:\s*{re.escape(str(value))}")
    lines = enumerate(text.splitlines(), start=1)
    return next((f":{number}" for number, line in lines if written.fullmatch(line.strip())), "")


def finished(notebook: NotebookNode) -> NotebookNode:
    """Make a notebook that keeps all rules the same in every version of what reads it."""
    metadata = {"kernelspec": dict(_KERNEL), "language_info": dict(_LANGUAGE)}
    metadata |= {"draft": True} if is_draft(notebook) else {}
    metadata |= {"myst": notebook.metadata.myst} if "myst" in notebook.metadata else {}
    notebook.metadata = nbformat.from_dict(metadata)
    notebook.nbformat_minor = 5  # the first with ids, whatever this version of nbformat prefers
    _name_cells(notebook)
    return notebook


def _name_cells(notebook: NotebookNode) -> None:
    """Give each cell an id that depends on nothing but itself, and nbgrader what it asks for."""
    seen = Counter()
    for cell, grade_id in zip(notebook.cells, grade_ids(notebook), strict=True):
        if grade_id is None:
            digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
            seen[digest] += 1
            cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        else:
            cell.id = grade_id
            cell.metadata["nbgrader"] = _grading(cell, grade_id)


def _grading(cell: NotebookNode, grade_id: str) -> NotebookNode:
    """Metadata of nbgrader, schema 3; nbgrader adds the checksum when it releases."""
    is_check, is_answer = CHECK in tags_of(cell), ANSWER in tags_of(cell)
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
        nb.cells = [cell for cell in nb.cells if SOLUTION_ONLY not in tags_of(cell)]
        return super().preprocess(nb, resources)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict, index: int
    ) -> tuple[NotebookNode, dict]:
        """Blank a code cell, or put the place to write in where an answer in words was."""
        if cell.cell_type == "code":
            cell.source = blank(cell.source)
        elif ANSWER in tags_of(cell):
            cell.source = PROMPT
        return cell, resources


def exercise_notebook(
    path: Path, *, package: str | None = None, language: Language | None = None
) -> NotebookNode:
    """Exercise made from a solution.

    Parameters
    ----------
    path : Path
        The solution's source.
    package : str, optional
        What pip needs to install the package; with it, a cell that does so where the package is
        missing comes first.
        The exercises in the repository have none.
    language : Language, optional
        What its texts and comments are translated into; cells, ids and code are the same.

    Returns
    -------
    NotebookNode
        Without outputs, each answer a blank.

    Raises
    ------
    NotebookError
        If the solution breaks a rule, or what remains still gives an answer away. A draft may
        break the rules that only readers need (see `lacks_for_release`).
    """
    notebook = _read(path)
    rules = [*RULES, for_each_cell(hidden_words), told_answers]
    rules += [] if is_draft(notebook) else RELEASE_RULES
    if problems := find_problems(notebook, _name(path), rules):
        raise NotebookError(problems)
    answers = _answer_texts(notebook)
    exercise, _ = BlankAnswers().preprocess(finished(notebook), {})
    if language is not None:
        _translate(exercise, path, language)
        if problems := find_problems(exercise, f"{_name(path)} in {language.name}", TEXT_RULES):
            raise NotebookError(problems)
        _require_silence(exercise, answers, f"{_name(path)} in {language.name}")
    return with_install_cell(exercise, package, language)


def lacks_for_release(path: Path) -> list[str]:
    """What a solution must have before readers get it, and lacks; a line for each."""
    notebook = _read(path)
    return [problem.what for rule in RELEASE_RULES for _, problem in rule(notebook)]


def solution_notebook(
    path: Path, *, package: str | None = None, language: Language | None = None
) -> NotebookNode:
    """Solution as a reader downloads it: without marks and without outputs.

    Parameters
    ----------
    path : Path
        The solution's source.
    package, language : optional
        As for `exercise_notebook`.

    Returns
    -------
    NotebookNode
    """
    notebook = read_solution(path)
    notebook.cells = [cell for cell in notebook.cells if EXERCISE_ONLY not in tags_of(cell)]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = without_marks(cell.source)
    if language is not None:
        _translate(notebook, path, language)
    return with_install_cell(notebook, package, language)


def _translate(notebook: NotebookNode, path: Path, language: Language) -> None:
    """Put a language's words into the cells of a notebook, and let its checks speak it."""
    catalogue = language.of(f"solutions/{Path(path).stem}")
    for cell in notebook.cells:
        try:
            if cell.cell_type == "markdown" and cell.source == PROMPT:
                cell.source = language.say(PROMPT)
            elif cell.cell_type == "markdown":
                cell.source = with_messages(cell.source, catalogue)
            else:
                cell.source = _speaking(with_code_messages(cell.source, catalogue), language.name)
        except MessageError as error:
            raise NotebookError([f"{_name(path)} in {language.name}: {error}"]) from error


def _speaking(source: str, language: str) -> str:
    """The cell that imports the check lets it speak a language, if checks do."""
    if language not in spoken.languages() or not IMPORTS_CHECK.search(source):
        return source
    source = IMPORTS_CHECK.sub(r"from coursechecks import speak\n\g<0>", source, count=1)
    return source + SPEAK.format(language=language)


def _require_silence(exercise: NotebookNode, answers: list[str], name: str) -> None:
    """Refuse a translated exercise whose words give an answer away."""
    texts = [(number, squeeze(cell.source)) for number, cell in enumerate(exercise.cells, 1)]
    problems = [
        f"{name}, cell {number}: the exercise gives away the answer `{answer}`; write it otherwise"
        for number, text in texts
        for answer in answers
        if squeeze(answer) in text
    ]
    if problems:
        raise NotebookError(problems)


def with_install_cell(
    notebook: NotebookNode, package: str | None, language: Language | None = None
) -> NotebookNode:
    if package is not None:
        install = language.say(INSTALL) if language else INSTALL
        source = install.format(command=f"install -q {package}")
        cell = nbformat.v4.new_code_cell(source, id="install")
        notebook.cells.insert(0, cell)
    return notebook


def count_blanks(notebook: NotebookNode) -> dict[str, int]:
    """Number of blanks in each step of a solution that `read_solution` returned."""
    counts = Counter()
    for cell in notebook.cells:
        if cell.cell_type == "code" and step_of(cell):
            counts[step_of(cell)] += len(find_blanks(cell.source))
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


# What an exercise must have ------------------------------------------------------------------


def wrong_size(notebook: NotebookNode) -> Iterator[Numbered]:
    """An exercise is neither too small nor too large."""
    n_blanks = len(blanks_of(notebook))
    if all(map(is_legible, notebook.cells)) and not FEWEST_BLANKS <= n_blanks <= MOST_BLANKS:
        rule = f"an exercise has {FEWEST_BLANKS} to {MOST_BLANKS}"
        yield 0, Problem(0, f"{counted(n_blanks, 'blank')}; {rule}")


def missing_question(notebook: NotebookNode) -> Iterator[Numbered]:
    """An exercise asks for an answer in words."""
    if not any(ANSWER in tags_of(cell) for cell in notebook.cells):
        yield 0, Problem(0, "no cell has the tag answer; ask a question in words at the end")


RELEASE_RULES = (wrong_size, missing_question)  # a draft may break them


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


def answers_in_words(path: Path) -> list[str]:
    """What a solution alone says in words: its model answers, and what else no exercise has."""
    only = {ANSWER, SOLUTION_ONLY}
    cells = read_solution(path).cells
    return [c.source for c in cells if c.cell_type == "markdown" and only & set(tags_of(c))]


def _answer_texts(notebook: NotebookNode) -> list[str]:
    texts = [text for found in blanks_of(notebook) for text in _code_lines(found.answer)]
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


def told_answers(notebook: NotebookNode) -> Iterator[Numbered]:
    """No answer stands in what a student reads."""
    answers = _answer_texts(notebook)
    for number, cell in enumerate(notebook.cells, 1):
        if not is_legible(cell) or {SOLUTION_ONLY, ANSWER} & set(tags_of(cell)):
            continue
        source = blank(cell.source) if cell.cell_type == "code" else cell.source
        lines, text = source.split("\n"), squeeze(source)
        for answer in answers:
            if (at := text.find(squeeze(answer))) >= 0:
                what = f"the exercise gives away the answer `{answer}`"
                way_out = "blank it here too, or write it in another way"
                yield number, Problem(_line_of(lines, at), f"{what}; {way_out}")


def _line_of(lines: list[str], at: int) -> int:
    """Line, from 1, that holds a position of the squeezed text."""
    for number, line in enumerate(lines, 1):
        at -= len(squeeze(line))
        if at < 0:
            return number
    return len(lines)


def hidden_words(cell: NotebookNode) -> Iterator[Problem]:
    """No Markdown in the exercise is such that only the site shows it as it is meant."""
    if cell.cell_type != "markdown" or {SOLUTION_ONLY, ANSWER} & set(tags_of(cell)):
        return
    parser = MarkdownIt("commonmark").enable("table").use(myst_role_plugin)
    for token in parser.parse(cell.source):
        line = (token.map[0] if token.map else 0) + 1
        for what in _unshown(token):
            yield Problem(line, f"plain Jupyter does not show {what}")


def _unshown(token) -> Iterator[str]:
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


TEXT_RULES = (for_each_cell(hidden_words),)  # that a translation could break


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
    lines, problems = text.split("\n"), []
    cells = list(enumerate(_code_cells(text), 1))
    for number, (_, body, end, _) in cells:
        place = f"{name}, code cell {number}"
        for problem in examine("\n".join(lines[body:end])):
            problems.append(f"{place}, line {body + problem.line} of the file: {problem.what}")
    if problems:
        raise NotebookError(problems)
    for _, (start, body, end, options) in reversed(cells):
        new = without_marks("\n".join(lines[body:end])).split("\n")
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
    size = f"{counted(sum(counts.values()), 'blank')} in {counted(len(counts), 'step')}"
    line = f"exercises/{target.name}: {{}}, {size}"
    if is_draft(exercise):
        lacks = [f"\n  before readers get it: {what}" for what in lacks_for_release(source)]
        line += "; a draft, so readers do not get it" + "".join(lacks)
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
    try:
        return 0 if make_exercises(course_root(), check=options.check) else 1
    except LayerlabError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
