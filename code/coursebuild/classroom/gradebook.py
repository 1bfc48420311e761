"""The grades of a class as tables: for the instructor, for Canvas, for Moodle."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from coursebuild.classroom.files import write_whole
from coursebuild.classroom.results import GRADED, Result

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run


def write_tables(results: Iterable[Result], folder: Path) -> list[Path]:
    """Write all tables; the files, the gradebook first.

    Parameters
    ----------
    results : iterable of Result
    folder : Path
        Where they go.
    """
    results = sorted(results, key=lambda result: (result.student, result.exercise))
    exercises = sorted({result.exercise for result in results if result.exercise})
    tables = {"gradebook.csv": gradebook(results)}
    if any("canvas" in result.lms for result in results):
        tables["canvas.csv"] = canvas(results, exercises)
    for exercise in exercises:
        own = [r for r in results if r.exercise == exercise and "moodle" in r.lms]
        if own:
            tables[f"moodle-{exercise}.csv"] = moodle(own)
    for name, rows in tables.items():
        write_whole(folder / name, as_csv(rows))
    return [folder / name for name in tables]


def as_csv(rows: list[list]) -> str:
    """A table as text, in which no cell is a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([[_harmless(value) for value in row] for row in rows])
    return text.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def gradebook(results: list[Result]) -> list[list]:
    """A row for each student and exercise: state, points, and what each step got."""
    head = ["student", "exercise", "state", "points", "maximum", "steps", "file", "reason"]
    return [head, *map(_row, results)]


def _row(result: Result) -> list:
    steps = " ".join(f"{mark.step}={mark.points:g}" for mark in result.steps)
    points = ["", ""] if result.reason else [f"{result.points:g}", f"{result.maximum:g}"]
    start = [result.student, result.exercise, result.state]
    return [*start, *points, steps, result.path, result.reason]


def _whole_grade(result: Result | None) -> str:
    """The points, where nothing waits any more; no grade yet is no 0."""
    return f"{result.points:g}" if result is not None and result.state == GRADED else ""


def canvas(results: list[Result], exercises: list[str]) -> list[list]:
    """Rows as Canvas imports them: one for each student, a column for each exercise."""
    numbers = {r.student: r.lms["canvas"] for r in results if "canvas" in r.lms}
    by_user: dict[str, dict[str, Result]] = {}  # one of two namesakes may have two names
    for result in results:
        user = numbers.get(result.student, result.student)
        by_user.setdefault(user, {})[result.exercise] = result
    titles = {result.exercise: result.title for result in results}
    most = {result.exercise: result.maximum for result in results if not result.reason}
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *map(titles.get, exercises)]
    possible = ["Points Possible", "", "", "", "", *(most.get(name, "") for name in exercises)]
    rows = []
    for own in by_user.values():
        student = next(iter(own.values())).student
        grades = [_whole_grade(own.get(name)) for name in exercises]
        rows.append([student, numbers.get(student, ""), "", "", "", *grades])
    return [head, possible, *rows]


def moodle(results: list[Result]) -> list[list]:
    """Rows as Moodle's offline grading worksheet has them, for one assignment.

    Without comments: an empty one would replace one that is there.
    """
    head = ["Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)"]
    rows = []
    for result in results:
        identifier = f"Participant {result.lms['moodle']}"
        grade = [_whole_grade(result), f"{result.maximum:g}"]
        rows.append([identifier, result.student, *grade, ""])
    return [head, *rows]
