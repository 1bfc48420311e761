"""Keys of the exercises, made of their solutions: what grading needs, right answers among it."""

import re
from pathlib import Path

from nbformat import NotebookNode

from coursebuild.catalogues import Language, languages
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
    others = _translated(root, path)
    cells = tuple(_key_cell(cell, answers, others) for cell in exercise.cells)
    known = root / "solutions" / "mistakes" / f"{name[:2]}.toml"
    withheld, kept = withheld_of(known) if known.is_file() else ([], [])  # of no mistakes known
    rubric = tuple(
        f"{part}: {one['earned']} Not: {one['not']}" for part, one in rubric_of(root, name).items()
    )
    title = title[1] if title else name
    return Key(name, title, cells, tuple(withheld), tuple(kept), rubric)


def _translated(root: Path, path: Path) -> dict[str, list[str]]:
    """The texts of the cells of an exercise, by their ids, in all languages that there are."""
    found: dict[str, list[str]] = {}
    for name in languages(root):
        language = Language(root, name)
        if language.path(f"solutions/{path.stem}").is_file():
            for cell in exercise_notebook(path, language=language).cells:
                found.setdefault(cell.id, []).append(cell.source)
    return found


def _key_cell(cell: NotebookNode, answers: dict[str, str], others: dict[str, list[str]]) -> KeyCell:
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
    points = float(grading.get("points", 0))
    translated = tuple(text for text in others.get(cell.id, []) if text != cell.source)
    return KeyCell(cell.id, kind, cell.source, step, solution, points, translated)
