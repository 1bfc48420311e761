"""What an instructor grades with: the folder for nbgrader, and nbgrader's own verdicts on it."""

import copy
import csv
import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from test_downloads import commands_of
from test_site import ROOT

from coursebuild.downloads import exercise_names
from coursebuild.grading import main, make_course
from coursebuild.notebooks import exercise_notebook, solution_notebook

NAME = "01-minkowski"
SOURCE = ROOT / "solutions" / f"{NAME}.md"
SOLUTION = solution_notebook(SOURCE).cells
ANSWERS = {cell.id: cell.source for cell in SOLUTION}
STEPS = tuple(c.metadata.step for c in SOLUTION if "check" in c.metadata.get("tags", []))
SECONDS = 4  # for a cell; none of the honest ones takes one
READ_GRADES = """\
import json, sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    print(json.dumps({
        found.student.id: {grade.name: grade.auto_score for grade in found.notebooks[0].grades}
        for found in book.assignment_submissions(sys.argv[1])
    }))
"""


# The submissions -------------------------------------------------------------------------------


def filled(exercise: NotebookNode, steps=(*STEPS, "in-words")) -> NotebookNode:
    """Fill in the answers of some steps."""
    notebook = copy.deepcopy(exercise)
    for cell in notebook.cells:
        if cell.metadata.get("step") in steps:
            cell.source = ANSWERS[cell.id]
    return notebook


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    names = ((c, {c.id, c.metadata.get("nbgrader", {}).get("grade_id")}) for c in notebook.cells)
    return next(cell for cell, own in names if name in own)


def with_cell(notebook: NotebookNode, cell_id: str, change: Callable) -> NotebookNode:
    cell = cell_of(notebook, cell_id)
    cell.source = change(cell.source)
    return notebook


def edited(exercise: NotebookNode) -> NotebookNode:
    """Fill nothing in; let every check pass, and count for ten."""
    notebook = copy.deepcopy(exercise)
    for cell in notebook.cells:
        if "check" in cell.metadata.get("tags", []):
            cell.source = "print('✓ all right')"
            cell.metadata.nbgrader.points = 10
    return notebook


def without_checks(exercise: NotebookNode) -> NotebookNode:
    notebook = copy.deepcopy(exercise)
    notebook.cells = [
        cell for cell in notebook.cells if "check" not in cell.metadata.get("tags", [])
    ]
    return notebook


def warns(source: str) -> str:
    """Make the right function warn whenever it is called."""
    return re.sub(r"(?m)^(def .*\n)", r"\1    import warnings; warnings.warn('careful')\n", source)


def patched(source: str) -> str:
    return "check = lambda *step, **answers: None\nby_hand = None\n"


def submissions(released: NotebookNode) -> dict[str, NotebookNode]:
    """What a class hands in."""
    site = exercise_notebook(SOURCE, package="https://course.example/layerlab.whl")
    return {
        "right": filled(released),
        "partly": filled(released, STEPS[:2]),
        "blank": copy.deepcopy(released),
        "broken": with_cell(filled(released), "by-hand", lambda code: code.replace(":\n", "\n")),
        "endless": with_cell(
            filled(released), "by-hand", lambda code: "import time\nwhile True:\n    time.sleep(1)"
        ),
        "edited": edited(released),
        "deleted": without_checks(filled(released)),
        "downloaded": filled(site),
        "downloaded-blank": site,
        "warning": with_cell(filled(released), "by-hand", warns),
        "patched": with_cell(filled(released, STEPS[:1]), "by-hand", patched),
    }


# The course ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The folder for nbgrader."""
    return make_course(ROOT, tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def nbgrader(course):
    """Run one of nbgrader's commands in the folder, as the README of the folder says.

    Its environment is this one, with nbgrader on top: the package and most pins are here already.
    """
    subprocess.run([sys.executable, "-m", "venv", course / ".venv"], check=True)
    python = course / ".venv" / "bin" / "python"
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.check_output(ask, text=True).strip())
    below = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (packages / "below.pth").write_text(below, encoding="utf-8")
    commands = commands_of((course / "README.md").read_text("utf-8"), "sh")
    first, enter, install = (command.strip() for command in commands[:3])
    assert (first, enter) == ("python3 -m venv .venv", "source .venv/bin/activate")
    variables = os.environ | {"OMP_NUM_THREADS": "1", "JUPYTER_CONFIG_DIR": str(course / "none")}

    def run(command):
        inside = f"source .venv/bin/activate\n{command}"
        shell = ["bash", "-ec", inside]
        result = subprocess.run(shell, cwd=course, env=variables, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stderr

    words = shlex.split(install)
    run(shlex.join(word for word in words if ".whl" not in word))
    return run


@pytest.fixture(scope="module")
def released(course, nbgrader):
    nbgrader(f'nbgrader db assignment add {NAME} --duedate="2030-01-31 23:59:59 UTC"')
    nbgrader(f"nbgrader generate_assignment {NAME}")
    return nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", 4)


@pytest.fixture(scope="module")
def grades(course, nbgrader, released):
    """Points for each check of each submission."""
    for student, notebook in submissions(released).items():
        folder = course / "submitted" / student / NAME
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{NAME}.ipynb")
    nbgrader(f"nbgrader autograde {NAME} --GradeApart.seconds={SECONDS}")
    command = [course / ".venv" / "bin" / "python", "-c", READ_GRADES, NAME]
    return json.loads(subprocess.check_output(command, cwd=course, text=True))


def passed(grades: dict) -> set[str]:
    return {name.removesuffix("-check") for name, points in grades.items() if points}


def test_the_command_writes_the_folder_and_says_where(tmp_path, capsys):
    assert main([str(ROOT), "--out", str(tmp_path)]) == 0
    assert str(tmp_path / "grading") in capsys.readouterr().out
    kept = tmp_path / "grading" / "submitted"
    kept.mkdir()
    assert main([str(ROOT), "--out", str(tmp_path)]) == 0
    assert kept.is_dir()
    names = sorted(path.name for path in (tmp_path / "grading" / "source").iterdir())
    assert names == exercise_names(ROOT)


def test_a_course_without_exercises_is_refused(tmp_path, capsys):
    assert main([str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "make exercises" in capsys.readouterr().err


@pytest.mark.check
def test_release_keeps_the_blanks_and_locks_the_checks(released):
    exercise = nbformat.read(ROOT / "exercises" / f"{NAME}.ipynb", 4)
    assert [cell.source for cell in released.cells] == [cell.source for cell in exercise.cells]
    checks = [cell for cell in released.cells if "check" in cell.metadata.get("tags", [])]
    assert [cell.metadata.step for cell in checks] == list(STEPS)
    assert not any(cell.metadata.editable for cell in checks)


@pytest.mark.check
@pytest.mark.parametrize(
    ("student", "steps"),
    [
        ("right", STEPS),
        ("downloaded", STEPS),
        ("warning", STEPS),
        ("partly", STEPS[:2]),
        ("blank", ()),
        ("downloaded-blank", ()),
        ("edited", ()),
        ("deleted", STEPS),  # put back, and graded
    ],
)
def test_points_are_those_of_the_steps_that_were_done(grades, student, steps):
    assert set(grades[student]) == {f"{step}-check" for step in STEPS} | {"in-words"}
    assert passed(grades[student]) == set(steps)


@pytest.mark.check
@pytest.mark.parametrize("student", ["broken", "endless"])
def test_a_cell_that_cannot_run_costs_its_own_step_alone(grades, student):
    assert passed(grades[student]) == set(STEPS) - {"by-hand"}


@pytest.mark.check
def test_words_wait_for_a_reader_unless_there_are_none(grades):
    assert grades["right"]["in-words"] is None
    assert grades["blank"]["in-words"] == 0
    assert grades["downloaded-blank"]["in-words"] == 0


@pytest.mark.check
def test_a_replaced_check_decides_nothing(grades, course):
    assert passed(grades["patched"]) == set(STEPS[:1])
    graded = nbformat.read(course / "autograded" / "patched" / NAME / f"{NAME}.ipynb", 4)
    assert cell_of(graded, "by-hand-check").outputs[0].ename == "CheckFailed"
    graded = nbformat.read(course / "autograded" / "right" / NAME / f"{NAME}.ipynb", 4)
    assert cell_of(graded, "by-hand-check").outputs[0].text.startswith("✓")


@pytest.mark.check
def test_a_notebook_that_was_not_graded_to_its_end_is_graded_anew(grades, nbgrader, course):
    path = course / "autograded" / "partly" / NAME / f"{NAME}.ipynb"
    half = nbformat.read(path, 4)
    del half.metadata["graded_by"]
    nbformat.write(half, path)
    said = nbgrader(f"nbgrader autograde {NAME} --student partly")
    assert "graded anew" in said
    assert "graded_by" in nbformat.read(path, 4).metadata


@pytest.mark.check
def test_export_has_a_line_for_each_student(grades, nbgrader, course):
    nbgrader("nbgrader export")
    with (course / "grades.csv").open(encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert rows.keys() == grades.keys()
    assert {float(row["max_score"]) for row in rows.values()} == {len(STEPS) + 1}
    assert float(rows["right"]["score"]) == len(STEPS)


@pytest.mark.check
def test_a_zip_of_moodle_is_collected_and_namesakes_stay_two(released, nbgrader, course):
    archive = course / "downloaded" / NAME / "archive"
    archive.mkdir(parents=True)
    with zipfile.ZipFile(archive / "moodle.zip", "w") as zipped:
        for who in ("Eva Li_1", "Eva Li_2", "Bo_3"):
            name = f"course/{who}_assignsubmission_file/{NAME}.ipynb"
            zipped.write(ROOT / "exercises" / f"{NAME}.ipynb", name)
    nbgrader(f"nbgrader zip_collect {NAME}")
    collected = (course / "submitted").glob(f"*/{NAME}/{NAME}.ipynb")
    assert {"Eva Li (1)", "Eva Li (2)", "Bo"} <= {path.parts[-3] for path in collected}
