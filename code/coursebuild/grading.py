"""A folder that nbgrader takes as its course: hand out, collect, grade.

    python -m coursebuild.grading [--out FOLDER] [SOURCE]

It holds the exercises as assignments, the settings that they need, the package with its pins, and
the way from one to the next in its README. Grading itself is nbgrader's. Whatever else lies in the
folder (submissions, grades) stays, so that a new edition can be written over an old one.
"""

import argparse
import shutil
import sys
from pathlib import Path

from coursebuild.course import course_root, drafts
from coursebuild.downloads import CPU_INDEX, EXTRA, build_wheel, exercise_names
from layerlab.errors import LayerlabError

SECONDS = 120  # for one cell; the slowest honest one took 5 on two cores
SETTINGS = f"""\
# Settings of nbgrader for this course.
c = get_config()

# The exercises come with their blanks. Without this line nbgrader would empty their cells instead.
c.ClearSolutions.enabled = False

# A check that somebody deleted is put back, and graded.
c.OverwriteCells.add_missing_cells = True

# Seconds for one cell. An endless one is interrupted, and the cells after it still run.
c.Execute.timeout = {SECONDS}
"""
README = """\
# Grading with nbgrader

`source/` holds each exercise as an assignment: one point for every check that passes and one for
the answer in words, which you give by hand. Work in this folder.

1. Make an environment with the course's package and nbgrader:

   ```sh
   python3 -m venv .venv
   .venv/bin/python -m pip install -c constraints.txt "{wheel}[{extra}]" nbgrader
   ```

   On Linux without a GPU, add `{cpu_index}`
   to the second line.

2. Release an exercise. Its notebook then lies in `release/`, for you to hand out. Students who
   downloaded it from the site instead have the same cells, and are graded in the same way.

   ```sh
   .venv/bin/nbgrader generate_assignment {first}
   ```

3. Put what comes back into `submitted/STUDENT/{first}/{first}.ipynb`, and grade it:

   ```sh
   .venv/bin/nbgrader autograde {first}
   .venv/bin/nbgrader export
   ```

   `grades.csv` has a line for each student. To read the answers in words and to give their points,
   start `.venv/bin/jupyter notebook` and choose *Formgrader* in the menu *Nbgrader*.

## What a grade means

* A submission is a program, and autograding runs it. Do that where it can do no harm: in a
  container, or under an account that owns nothing else.
* Checks that a submission changed or deleted are put back before they run, and points that it gave
  itself are set right. A cell that does not end is stopped after {seconds} seconds. It costs the
  checks that needed it, and no others.
* A submission can still replace the checks *from inside an answer*, with a line such as
  `check = print`. Nothing stops that, but it shows: a check that passed says so in a line that
  begins with ✓, and an honest answer has no business with the name `check`.
"""


def make_course(root: Path, out: Path) -> Path:
    """Write the exercises, settings, package and instructions for nbgrader.

    Parameters
    ----------
    root : Path
        The root of the course.
    out : Path
        The folder for what is built. The course lies in its `grading` afterwards.

    Returns
    -------
    Path
        The folder, in which `nbgrader` is to be run.

    Raises
    ------
    LayerlabError
        If the course has no exercises, or the package cannot be packed.
    """
    names = exercise_names(root)
    if not names:
        raise LayerlabError(f"{root} holds no exercises; `make exercises` makes them")
    folder = out / "grading"
    for name in names:
        assignment = folder / "source" / name
        assignment.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / "exercises" / f"{name}.ipynb", assignment / f"{name}.ipynb")
    wheel = build_wheel(root, out / ".wheel")
    shutil.copyfile(wheel, folder / wheel.name)
    shutil.copyfile(root / "constraints.txt", folder / "constraints.txt")
    (folder / "nbgrader_config.py").write_text(SETTINGS, encoding="utf-8")
    facts = {"wheel": wheel.name, "extra": EXTRA, "cpu_index": CPU_INDEX, "seconds": SECONDS}
    readme = README.format(first=names[0], **facts)
    (folder / "README.md").write_text(readme, encoding="utf-8")
    return folder


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.grading", description="Make a course folder for nbgrader."
    )
    parser.add_argument("source", nargs="?", type=Path, help="root of the course")
    parser.add_argument("--out", type=Path, help="output folder (default: SOURCE/_build)")
    options = parser.parse_args(arguments)
    try:
        root = course_root(options.source)
        folder = make_course(root, (options.out or root / "_build").resolve())
    except LayerlabError as error:
        print(error, file=sys.stderr)
        return 1
    for name in drafts(root):
        print(f"left out {name}, whose solution says `draft: true`")
    print(f"The course for nbgrader lies in {folder}; read README.md there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
