"""A class with known truth, graded: is each grade right, and how long did it take?

    python -m benchmarks.class_of [--students 300] [--exercise NAME …] [--nbgrader PYTHON]

Most students solve some steps of each exercise and get others wrong: left blank, broken, with an
error. What a submission deserves is known: the points of the steps that were solved. In exercise 1
every other student is of a kind that classes have, as `tests/kinds.py` makes them, honest or not;
some of these reach for a file and a port of this machine, which are watched.

With the Python of an environment that has nbgrader, its own `autograde`, one by one, gets a sample
of the plain ones: between one half of the class and the other, so that both meet the same machine.
No submission that is out for harm is given to it, for it would run it as it is.
With `--kills`, the class is graded once more, by a command that is killed so many times.
"""

import argparse
import copy
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from benchmarks import machine
from coursebuild.classroom.command import grade_class
from coursebuild.classroom.results import Store
from coursebuild.classroom.running import Class
from coursebuild.classroom.sandbox import Limits
from coursebuild.course import course_root
from coursebuild.downloads import exercise_names
from coursebuild.keys import make_key
from coursebuild.notebooks import exercise_notebook

sys.path.insert(0, str(course_root() / "tests"))
import kinds

SEED = 14
SECONDS = 4  # of processor time for a cell, here and at nbgrader: some kinds never end
RESULT = Path(__file__).with_suffix(".json")
STOCK = f"""\
c = get_config()
c.ClearSolutions.enabled = False
c.Execute.timeout = {SECONDS * 10}
c.Execute.error_on_timeout = {{"ename": "Timeout", "evalue": "", "traceback": []}}
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
    ways = [empty, right.replace("(", "((", 1), f"raise ValueError('no idea')\n{right}"]
    return rng.choice(ways)


def hand_in(root: Path, keys: list, n_students: int, folder: Path, harmful: list) -> dict:
    """Write all submissions as nbgrader has them; what each deserves, None if no grade at all."""
    truth: dict[tuple[str, str], float | None] = {}
    mixed_in = [*kinds.KINDS, *harmful]
    for number in range(n_students):
        for key in keys:
            rng = random.Random(f"{SEED} {number} {key.name}")
            if key.name == kinds.NAME and number % 2:
                kind = mixed_in[number // 2 % len(mixed_in)]
                student, name = f"kind{number:03}-{kind.name}", kind.file
                data, deserved = kinds.as_bytes(kind.make()), kind.points
            else:
                student, name = f"plain{number:03}", f"{key.name}.ipynb"
                notebook, deserved = submission(root, key, rng)
                data = nbformat.writes(copy.deepcopy(notebook)).encode()
            path = folder / "submitted" / student / key.name / name
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
            truth[student, key.name] = deserved
    return truth


def halves(folder: Path) -> list[Path]:
    """The class in two folders, each with every other student."""
    students = sorted((folder / "submitted").iterdir())
    places = [folder / "first", folder / "second"]
    for number, student in enumerate(students):
        place = places[number % 2] / student.name
        shutil.copytree(student, place)
    return places


def graded_here(course: Class, place: Path, workers: int) -> float:
    """Seconds that grading takes."""
    start = time.perf_counter()
    grade_class(course, place, workers, [])
    return time.perf_counter() - start


def points_of(out: Path, truth: dict) -> dict:
    """What each submission was given; None where there is no grade."""
    found = {(r.student, r.exercise): r for r in Store(out / "results").all()}
    return {
        pair: found[pair].points if pair in found and not found[pair].reason else None
        for pair in truth
    }


def graded_by_nbgrader(
    root: Path, key, folder: Path, python: str, students: list[str]
) -> tuple[float, dict[str, float]]:
    """Seconds that nbgrader's own autograde takes for some, one by one; and what it gives."""
    stock = folder / f"nbgrader-{key.name}"
    (stock / "source" / key.name).mkdir(parents=True)
    exercise = root / "exercises" / f"{key.name}.ipynb"
    shutil.copyfile(exercise, stock / "source" / key.name / exercise.name)
    for student in students:
        own = Path("submitted") / student / key.name
        shutil.copytree(folder / own, stock / own)
    (stock / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
    path = os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])
    variables = os.environ | {"PYTHONPATH": str(root / "code"), "PATH": path}

    def run(*words: str) -> None:
        command = [python, "-m", "nbgrader", *words]
        done = subprocess.run(command, cwd=stock, env=variables, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")

    run("generate_assignment", key.name)
    start = time.perf_counter()
    run("autograde", key.name)
    spent = time.perf_counter() - start
    run("export")
    with (stock / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    return spent, {student: rows[student] for student in students}


def killed(root: Path, place: Path, out: Path, n_kills: int) -> dict[str, int]:
    """Grade by the command, killed so many times; what was done before each kill has to stay."""
    words = [sys.executable, "-m", "coursebuild.grade", "--out", str(out), "--workers", "2"]
    words += ["--seconds", str(SECONDS), str(place)]
    known: dict[Path, bytes] = {}
    figures = {"kills": n_kills, "lost": 0, "graded_twice": 0}
    for number in range(n_kills + 1):
        process = subprocess.Popen(words, cwd=root, stdout=subprocess.DEVNULL)
        n_wanted = len(known) + 1 + number % 3
        while process.poll() is None and (number == n_kills or len(_kept(out)) < n_wanted):
            time.sleep(0.05)
        if number < n_kills and process.poll() is None:
            process.send_signal(signal.SIGKILL)
        elif number < n_kills:
            raise RuntimeError("the class was graded before it was killed often enough")
        process.wait()
        now = {path: path.read_bytes() for path in _kept(out)}
        figures["lost"] += sum(path not in now for path in known)
        figures["graded_twice"] += sum(now.get(path, data) != data for path, data in known.items())
        known = now
    return figures


def _kept(out: Path) -> list[Path]:
    return list((out / "results").rglob("[!.]*.json"))


def measure(root: Path, keys: list, options: argparse.Namespace, folder: Path) -> dict:
    """Grade a class, half by half, and between the halves a sample by nbgrader."""
    canary = folder / "canary"
    canary.write_text("alive")
    with_kinds = any(key.name == kinds.NAME for key in keys)
    with kinds.open_port() if with_kinds else nullcontext((0, [])) as (port, visits):
        harmful = kinds.harmful(canary, port)
        truth = hand_in(root, keys, options.students, folder, harmful)
        course = Class(keys, root / "code", folder / "graded", Limits(seconds=SECONDS))
        first, second = halves(folder)
        figures = {"students": options.students, "submissions": len(truth)}
        spent = graded_here(course, first, options.workers)
        plain = sorted({student for student, _ in truth if student.startswith("plain")})
        sample = plain[:: max(1, len(plain) // options.sample)][: options.sample]
        for key in keys if options.nbgrader else []:
            beside, given = graded_by_nbgrader(root, key, folder, options.nbgrader, sample)
            same = [given[student] == truth[student, key.name] for student in sample]
            figures[f"nbgrader, {key.name}"] = {
                "sample": len(sample),
                "seconds_a_submission": round(beside / len(sample), 2),
                "points_as_deserved": sum(same),
            }
        spent += graded_here(course, second, options.workers)
    found = points_of(course.out, truth)
    wrong = {pair: (truth[pair], found[pair]) for pair in truth if found[pair] != truth[pair]}
    figures |= {"seconds": round(spent, 1), "workers": options.workers}
    figures["seconds_a_submission"] = round(spent / len(truth), 3)
    figures |= {"wrong": len(wrong), "canary": canary.read_text(), "visits": len(visits)}
    for (student, exercise), (deserved, given) in wrong.items():
        print(f"{student}, {exercise}: deserves {deserved}, got {given}")
    if options.kills:
        out = folder / "killed"
        figures["killed"] = killed(root, folder / "submitted", out, options.kills)
        again = points_of(out, truth)
        figures["killed"]["wrong"] = sum(again[pair] != truth[pair] for pair in truth)
    return figures


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 1 if a grade is wrong, or anything outside was reached."""
    parser = argparse.ArgumentParser(prog="benchmarks.class_of", description=__doc__)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--exercise", action="append", default=[])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--nbgrader", metavar="PYTHON", help="of an environment that has nbgrader")
    parser.add_argument("--sample", type=int, default=24, help="students that nbgrader gets")
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args(arguments)
    root = course_root()
    keys = [make_key(root, name) for name in options.exercise or exercise_names(root)]
    with tempfile.TemporaryDirectory() as name:
        begun = machine.stamp()
        figures = measure(root, keys, options, Path(name))
    figures |= {"machine": begun, "load_average_at_the_end": os.getloadavg()[0]}
    known = json.loads(RESULT.read_text("utf-8")) if RESULT.is_file() else {}
    known[f"{options.students} students, {', '.join(key.name for key in keys)}"] = figures
    RESULT.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))
    killed_well = not any(v for k, v in figures.get("killed", {}).items() if k != "kills")
    is_well = not figures["wrong"] and figures["canary"] == "alive" and not figures["visits"]
    return int(not (is_well and killed_well))


if __name__ == "__main__":
    sys.exit(main())
