"""A class with known truth, graded: is each grade right, and how long did it take?

    python -m benchmarks.class_of [--students 300] [--exercise NAME …] [--nbgrader PYTHON]

Each student solves some steps of each exercise and gets others wrong, in one of the ways that
classes have: left blank, broken, with an error, endless in one of a hundred. What a submission
deserves is known: the points of the steps that were solved. With the Python of an environment that
has nbgrader, its own `autograde`, one by one, takes a sample of the same submissions beside it.
"""

import argparse
import copy
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from coursebuild.classroom.command import grade_class
from coursebuild.classroom.running import Class
from coursebuild.course import course_root
from coursebuild.downloads import exercise_names
from coursebuild.keys import make_key
from coursebuild.notebooks import exercise_notebook

SEED = 14
ENDLESS = 0.01  # of the wrong steps
STOCK = """\
c = get_config()
c.ClearSolutions.enabled = False
c.Execute.timeout = 120
"""


def submission(root: Path, key, rng: random.Random) -> tuple[NotebookNode, int]:
    """An exercise with some steps solved, and what it deserves."""
    notebook = exercise_notebook(root / "solutions" / f"{key.name}.md")
    share = rng.choice([1.0, 1.0, 0.8, 0.5, 0.0])
    solved = {step for step in key.steps if rng.random() < share}
    answers = {cell.id: cell.solution for cell in key.cells if cell.kind == "answer"}
    for cell in notebook.cells:
        if cell.id not in answers:
            continue
        right = answers[cell.id]
        cell.source = right if cell.metadata.step in solved else spoiled(cell.source, right, rng)
    return notebook, len(solved)


def spoiled(empty: str, right: str, rng: random.Random) -> str:
    """A cell that solves nothing, in one of several ways."""
    if rng.random() < ENDLESS:
        return "while True:\n    pass"
    ways = [empty, right.replace("(", "((", 1), f"raise ValueError('no idea')\n{right}"]
    return rng.choice(ways)


def hand_in(root: Path, keys: list, n_students: int, folder: Path) -> dict[tuple[str, str], int]:
    """Write all submissions as nbgrader has them; what each deserves."""
    truth = {}
    for number in range(n_students):
        student = f"student{number:03}"
        for key in keys:
            rng = random.Random(f"{SEED} {student} {key.name}")
            notebook, deserved = submission(root, key, rng)
            path = folder / "submitted" / student / key.name / f"{key.name}.ipynb"
            path.parent.mkdir(parents=True)
            nbformat.write(copy.deepcopy(notebook), path)
            truth[student, key.name] = deserved
    return truth


def graded_here(root: Path, keys: list, folder: Path, workers: int) -> tuple[float, dict]:
    """Seconds, and the points of each submission."""
    course = Class(keys, root / "code", folder / "graded")
    start = time.perf_counter()
    grade_class(course, folder / "submitted", workers, [])
    spent = time.perf_counter() - start
    found = {(r.student, r.exercise): None if r.reason else r.points for r in course.store.all()}
    return spent, found


def graded_by_nbgrader(root: Path, key, folder: Path, python: str, students: list[str]) -> float:
    """Seconds that nbgrader's own autograde takes for some students, one by one."""
    stock = folder / f"nbgrader-{key.name}"
    (stock / "source" / key.name).mkdir(parents=True)
    exercise = root / "exercises" / f"{key.name}.ipynb"
    shutil.copyfile(exercise, stock / "source" / key.name / exercise.name)
    for student in students:
        own = Path("submitted") / student / key.name
        shutil.copytree(folder / own, stock / own)
    (stock / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
    variables = os.environ | {"PYTHONPATH": str(root / "code")}

    def run(*words: str) -> None:
        command = [python, "-m", "nbgrader", *words]
        subprocess.run(command, cwd=stock, env=variables, capture_output=True, check=True)

    run("generate_assignment", key.name)
    start = time.perf_counter()
    run("autograde", key.name)
    return time.perf_counter() - start


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 1 if a grade is wrong."""
    parser = argparse.ArgumentParser(prog="benchmarks.class_of", description=__doc__)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--exercise", action="append", default=[])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--nbgrader", metavar="PYTHON", help="of an environment that has nbgrader")
    parser.add_argument("--sample", type=int, default=10, help="students that nbgrader gets")
    parser.add_argument("--out", type=Path, help="file for the figures, as JSON")
    options = parser.parse_args(arguments)
    root = course_root()
    keys = [make_key(root, name) for name in options.exercise or exercise_names(root)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = hand_in(root, keys, options.students, folder)
        spent, found = graded_here(root, keys, folder, options.workers)
        wrong = {
            pair: (truth[pair], found.get(pair)) for pair in truth if found.get(pair) != truth[pair]
        }
        figures = {"submissions": len(truth), "wrong": len(wrong), "seconds": round(spent, 1)}
        if options.nbgrader:
            students = sorted({student for student, _ in truth})[: options.sample]
            for key in keys:
                beside = graded_by_nbgrader(root, key, folder, options.nbgrader, students)
                figures[f"nbgrader, s a submission of {key.name}"] = round(
                    beside / len(students), 2
                )
    for (student, exercise), (deserved, given) in wrong.items():
        print(f"{student}, {exercise}: deserves {deserved}, got {given}")
    text = json.dumps(figures, indent=1)
    print(text)
    if options.out:
        options.out.write_text(re.sub(r"\s*$", "\n", text), encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
