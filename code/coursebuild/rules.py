"""What a solution must keep to before an exercise can be made from it.

Each rule is a function that yields problems. `find_problems` asks all of them, so that an author
hears of everything at once, in the order of the file.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, pairwise

from nbformat import NotebookNode

from coursebuild.blanks import Blank, Problem, examine, find_blanks
from layerlab.errors import LayerlabError

CHECK, ANSWER = "check", "answer"
SOLUTION_ONLY, EXERCISE_ONLY = "solution-only", "exercise-only"
KERNEL = "python3"

_TAGS = {CHECK, ANSWER, SOLUTION_ONLY, EXERCISE_ONLY}
_TAGS_OF_PAGES = re.compile(r"(hide|remove)-(input|output|cell|stderr)|full-width|margin")
_STEP = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Numbered = tuple[int, Problem]  # the cell's number, from 1; 0 for the whole notebook
Rule = Callable[[NotebookNode], Iterator[Numbered]]


class NotebookError(LayerlabError, ValueError):
    """A solution that no exercise can be made from; a line of text for each problem.

    Attributes
    ----------
    problems : list of str
        All that is wrong, in the order of the file. Each names notebook, cell, step and line, as
        far as it has one.
    """

    def __init__(self, problems: list[str]):
        super().__init__("\n".join(problems))
        self.problems = problems


def find_problems(notebook: NotebookNode, name: str, rules: Iterable[Rule]) -> list[str]:
    """All that is wrong with a solution, in the order of the file.

    Parameters
    ----------
    notebook : NotebookNode
        The solution as jupytext reads it.
    name : str
        What to call it.
    rules : iterable of callable
        Each takes the notebook and yields the number of a cell, 0 for none, and a `Problem`.

    Returns
    -------
    list of str
        A line for each problem, with notebook, cell, step and line.
    """
    found = sorted(numbered for rule in rules for numbered in rule(notebook))
    return [f"{_place(name, notebook, *numbered)}: {numbered[1].what}" for numbered in found]


def _place(name: str, notebook: NotebookNode, number: int, problem: Problem) -> str:
    """Where a problem is, in words for an error."""
    words = name
    if number:
        step = step_of(notebook.cells[number - 1])
        words += f", cell {number}" + (f" (step {step})" if step else "")
    return words + (f", line {problem.line}" if problem.line else "")


def counted(number: int, word: str) -> str:
    """A number with its noun."""
    return f"{number} {word}{'' if number == 1 else 's'}"


# Cells ---------------------------------------------------------------------------------------


def tags_of(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def step_of(cell: NotebookNode) -> str:
    """The name of a cell's step; empty if it is of none."""
    return str(cell.metadata.get("step", ""))


def is_of_step(cell: NotebookNode) -> bool:
    """Tell whether a cell is to be filled or checked; other words in a step are only words."""
    return step_of(cell) != "" and (cell.cell_type == "code" or ANSWER in tags_of(cell))


def is_legible(cell: NotebookNode) -> bool:
    """Tell whether a cell has no marks, or marks that can be used."""
    return cell.cell_type != "code" or not examine(cell.source)


def blanks_of(notebook: NotebookNode) -> list[Blank]:
    """Blanks of all cells whose marks can be used, from top to bottom."""
    return [
        found
        for cell in notebook.cells
        if cell.cell_type == "code" and is_legible(cell)
        for found in find_blanks(cell.source)
    ]


def grade_ids(notebook: NotebookNode) -> list[str | None]:
    """Names of the cells to fill or to grade, as nbgrader will know them; None for all others."""
    in_step = Counter()
    return [_grade_id(cell, in_step) if is_of_step(cell) else None for cell in notebook.cells]


def _grade_id(cell: NotebookNode, in_step: Counter) -> str:
    """Name of a cell of a step; counts the step's cells with blanks."""
    step = step_of(cell)
    if CHECK in tags_of(cell):
        return f"{step}-check"
    in_step[step] += 1
    return step if in_step[step] == 1 else f"{step}-{in_step[step]}"


# Rules for single cells ----------------------------------------------------------------------


def for_each_cell(rule: Callable[[NotebookNode], Iterator[Problem]]) -> Rule:
    """Make a rule for notebooks from one for cells."""

    def of_notebook(notebook: NotebookNode) -> Iterator[Numbered]:
        for number, cell in enumerate(notebook.cells, 1):
            for problem in rule(cell):
                yield number, problem

    return of_notebook


def unknown_tags(cell: NotebookNode) -> Iterator[Problem]:
    """Every tag means something."""
    known = ", ".join(sorted(_TAGS))
    for tag in tags_of(cell):
        if tag not in _TAGS and not _TAGS_OF_PAGES.fullmatch(tag):
            yield Problem(0, f"the tag {tag!r} means nothing here; there is {known}")


def unusable_step(cell: NotebookNode) -> Iterator[Problem]:
    """A step has a name that nbgrader takes, and its cells are in both notebooks."""
    if "step" not in cell.metadata:
        return
    if not _STEP.fullmatch(step_of(cell)):
        what = "name a step in lower-case words with hyphens"
        yield Problem(0, f"{what}, not {step_of(cell)!r}")
    for tag, absent in ((SOLUTION_ONLY, "exercise"), (EXERCISE_ONLY, "solution")):
        if tag in tags_of(cell):
            yield Problem(0, f"a cell of a step cannot be absent from the {absent}")


def lost_tags(cell: NotebookNode) -> Iterator[Problem]:
    """A check and an answer are cells of their kind, and of a step."""
    kind = cell.cell_type if step_of(cell) else "a cell of no step"
    if CHECK in tags_of(cell) and kind != "code":
        yield Problem(0, "a check is a code cell with the `:step:` that it checks")
    if ANSWER in tags_of(cell) and kind != "markdown":
        yield Problem(0, 'an answer is a Markdown cell with a "step" of its own')


def unusable_marks(cell: NotebookNode) -> Iterator[Problem]:
    """Every mark says clearly what to leave out."""
    if cell.cell_type == "code":
        yield from examine(cell.source)


def misplaced_blanks(cell: NotebookNode) -> Iterator[Problem]:
    """Cells have blanks if they are of a step, and no check."""
    if cell.cell_type != "code" or not is_legible(cell):
        return
    is_check, step = CHECK in tags_of(cell), step_of(cell)
    blanks = find_blanks(cell.source)
    if blanks and (is_check or not step):
        kind = "a check" if is_check else "a cell without `:step:`"
        way_out = "move the mark into a cell of a step, before its check"
        yield Problem(blanks[0].line, f"{kind} holds no blank; {way_out}")
    if step and not blanks and not is_check:
        way_out = "take `:step:` away, or add the tag check"
        yield Problem(0, f"a cell of a step has blanks or is its check; {way_out}")


# Rules for the whole -------------------------------------------------------------------------


def wrong_front_matter(notebook: NotebookNode) -> Iterator[Numbered]:
    """The notebook runs in Python, and says clearly whether it is a draft."""
    kernel = notebook.metadata.get("kernelspec", {}).get("name")
    draft = notebook.metadata.get("draft", False)
    if kernel != KERNEL:
        yield 0, Problem(0, f"its kernelspec must be {KERNEL}, not {kernel!r}")
    if not isinstance(draft, bool):
        way_out = "write `draft: true`, or take the line away"
        yield 0, Problem(0, f"`draft: {draft!r}` says neither yes nor no; {way_out}")


def is_draft(notebook: NotebookNode) -> bool:
    """Tell whether a solution says that it is not yet for readers."""
    return notebook.metadata.get("draft") is True


def left_words(notebook: NotebookNode) -> Iterator[Numbered]:
    """Words about a cell that only the solution has are not in the exercise."""
    for number, (before, cell) in enumerate(pairwise(notebook.cells), 2):
        is_about = before.cell_type == "code" and SOLUTION_ONLY in tags_of(before)
        is_prose = cell.cell_type == "markdown" and not cell.source.startswith("#")
        if is_about and is_prose and not tags_of(cell):
            what = "it follows a cell that only the solution has, and is in the exercise, too"
            way_out = f"give it the tag {SOLUTION_ONLY}, or begin it with a heading"
            yield number, Problem(0, f"{what}; {way_out}")


def wrong_steps(notebook: NotebookNode) -> Iterator[Numbered]:
    """Each step is a run of cells with blanks and one check at its end, or one answer in words."""
    cells = [(number, cell) for number, cell in enumerate(notebook.cells, 1) if is_of_step(cell)]
    seen, ended = set(), set()
    for step, run in groupby(cells, key=lambda numbered: step_of(numbered[1])):
        run = list(run)
        if step in ended:
            yield run[0][0], _ended_before(step)
        elif step not in seen:  # else it was already said that its first cells have no check
            yield from _wrong_run(step, run)
        seen.add(step)
        ended |= {step} if any(_ends_step(cell) for _, cell in run) else set()


def _ends_step(cell: NotebookNode) -> bool:
    return bool({CHECK, ANSWER} & set(tags_of(cell)))


def _ended_before(step: str) -> Problem:
    way_out = "a check is the last cell of its step, and each step has its own name"
    return Problem(0, f"the step {step} has ended before; {way_out}")


def _wrong_run(step: str, run: list[tuple[int, NotebookNode]]) -> Iterator[Numbered]:
    """Judge the cells of a step, which follow each other; each with its number."""
    end = next((i for i, (_, cell) in enumerate(run) if _ends_step(cell)), len(run))
    last = run[min(end, len(run) - 1)][1]
    if end and CHECK not in tags_of(last):
        way_out = "end it with a cell of the tag check"
        yield run[end - 1][0], Problem(0, f"the step {step} has no check; {way_out}")
    elif not end and CHECK in tags_of(last):
        way_out = "put cells with blanks and the same `:step:` before it"
        yield run[0][0], Problem(0, f"there is nothing to check; {way_out}")
    elif end + 1 < len(run):
        yield run[end + 1][0], _ended_before(step)


def colliding_names(notebook: NotebookNode) -> Iterator[Numbered]:
    """No two cells of different steps get the same name."""
    owners = {}
    for number, (cell, name) in enumerate(zip(notebook.cells, grade_ids(notebook), strict=True), 1):
        if name is None:
            continue
        owner = owners.setdefault(name, number)
        if step_of(notebook.cells[owner - 1]) != step_of(cell):
            yield number, Problem(0, f"would be named {name}, as cell {owner} is; rename a step")


RULES = (
    wrong_front_matter,
    *map(
        for_each_cell,
        (unknown_tags, unusable_step, lost_tags, unusable_marks, misplaced_blanks),
    ),
    left_words,
    wrong_steps,
    colliding_names,
)
