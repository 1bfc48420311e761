"""Keys of the exercises, made of their solutions: what grading needs, right answers among it."""

import re
from pathlib import Path

from nbformat import NotebookNode

from coursebuild.classroom.key import Key, KeyCell
from coursebuild.mistakes import withheld_of
from coursebuild.notebooks import exercise_notebook, solution_notebook
from coursebuild.rules import ANSWER, CHECK, tags_of
from coursebuild.teaching import rubric_of


def make_key(root: Path, name: str) -> Key:
    """Make the key of an exercise.

    Parameters
    ----------
    root : Path
        The root of the course.
    name : str
        Such as ``01-minkowski``.

    Raises
    ------
    NotebookError
        If the solution breaks a rule.
    """
    path = root / "solutions" / f"{name}.md"
    exercise = exercise_notebook(path)
    answers = {cell.id: cell.source for cell in solution_notebook(path).cells}
    title = re.search(r"(?m)^# (.+)$", exercise.cells[0].source)
    cells = tuple(_key_cell(cell, answers) for cell in exercise.cells)
    known = root / "solutions" / "mistakes" / f"{name[:2]}.toml"
    withheld, kept = withheld_of(known) if known.is_file() else ([], [])  # of no mistakes known
    rubric = tuple(
        f"{part}: {one['earned']} Not: {one['not']}" for part, one in rubric_of(root, name).items()
    )
    title = title[1] if title else name
    return Key(name, title, cells, tuple(withheld), tuple(kept), rubric)


def _key_cell(cell: NotebookNode, answers: dict[str, str]) -> KeyCell:
    grading = cell.metadata.get("nbgrader", {})
    kind = "given" if cell.cell_type == "code" else "text"
    if CHECK in tags_of(cell):
        kind = "check"
    elif ANSWER in tags_of(cell):
        kind = "words"
    elif grading.get("solution"):
        kind = "answer"
    solution = answers.get(cell.id) if kind == "answer" else None
    step = cell.metadata.get("step")
    return KeyCell(cell.id, kind, cell.source, step, solution, float(grading.get("points", 0)))
