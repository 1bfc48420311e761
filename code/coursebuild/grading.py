"""A folder that nbgrader takes as its course: hand out, collect, grade.

    python -m coursebuild.grading [--out FOLDER] [SOURCE]

It holds the exercises as assignments, the settings that they need, their keys, what grades them,
the package with its pins, and the way from one to the next in its README. Whatever else lies in
the folder (submissions, grades) stays, so that a new edition can be written over an old one.
"""

import argparse
import shutil
import sys
from pathlib import Path

from coursebuild.classroom.sandbox import SECONDS
from coursebuild.course import course_root, drafts
from coursebuild.downloads import CPU_INDEX, EXTRA, build_wheel, exercise_names
from coursebuild.keys import make_key
from layerlab.errors import LayerlabError

COURSE_ID = "layerlab"
SETTINGS = f"""\
# Settings of nbgrader for this course.
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER / "grader"))
from coursebuild.classroom import bridge
from nbgrader.converters import Autograde

traits = Autograde.class_traits()

c = get_config()
c.CourseDirectory.course_id = "{COURSE_ID}"
c.CourseDirectory.root = str(FOLDER)

# Where `release_assignment` puts what students fetch; on a JupyterHub, a folder that all can read.
(FOLDER / "exchange").mkdir(exist_ok=True)
c.Exchange.root = str(FOLDER / "exchange")

# The exercises come with their blanks. Without this line nbgrader would empty their cells instead.
c.ClearSolutions.enabled = False

# Files as Canvas and Moodle zip them, in downloaded/NAME/archive.
c.ZipCollectApp.collector_plugin = bridge.Collector

# Submissions are read in any encoding and format, and given cells and checks are put back.
c.Autograde.exporter_class = bridge.Reader
sanitize = traits["sanitize_preprocessors"].default()
c.Autograde.sanitize_preprocessors = [bridge.PutTogether, *sanitize]

# They run in a sandbox, and are judged outside of it, where nbgrader would run them itself.
_, *after = traits["autograde_preprocessors"].default()
c.Autograde.autograde_preprocessors = [bridge.GradeApart, *after, bridge.Finish]
c.PutTogether.keys = c.GradeApart.keys = str(FOLDER / "key")
c.PutTogether.source = str(FOLDER / "source")
c.GradeApart.out = str(FOLDER / ".grader")
if "autograde" in sys.argv:
    bridge.forget_halves(FOLDER)
"""
README = """\
# Grading

`source/` holds each exercise as an assignment of nbgrader: one point for every step and one for the
answer in words, which you give by hand. `key/` holds the answers, so keep this folder to yourself.
Work in it.

1. Make an environment with the course's package and nbgrader, and enter it, in every new terminal
   again:

   ```sh
   python3 -m venv .venv
   source .venv/bin/activate
   python -m pip install -c constraints.txt "{wheel}[{extra}]" nbgrader
   ```

   On Linux without a GPU, add `{cpu_index}`
   to the last line. Submissions run in a sandbox, which needs Linux and bubblewrap
   (`apt-get install bubblewrap` on Debian and Ubuntu); below is what to do where there is none.

2. Release an exercise, with a date if there is one. Its notebook then lies in `release/`, for you
   to hand out. Students who downloaded it from the site instead have the same cells, and are graded
   in the same way.

   ```sh
   nbgrader db assignment add {first} --duedate="2030-01-31 23:59:59 UTC"
   nbgrader generate_assignment {first}
   ```

   On a JupyterHub, `nbgrader release_assignment {first}` puts it into `exchange/`; say in
   `nbgrader_config.py` which folder that is for all.

3. Put what comes back into `submitted/STUDENT/{first}/{first}.ipynb`, and grade it:

   ```sh
   nbgrader autograde {first}
   nbgrader generate_feedback {first}
   nbgrader export
   ```

   `grades.csv` has a line for each student. To read the answers in words and to give their points,
   start `jupyter notebook` and choose *Formgrader* in the menu *Nbgrader*.

   A zip of Canvas or Moodle goes into `downloaded/{first}/archive/`; then, before you grade,
   `nbgrader zip_collect {first}`.

## Without nbgrader

The same grades, many submissions at a time, from a folder or zip in any layout:

```sh
python grade.py submitted
```

It writes `submitted-graded/`: a gradebook, tables for Canvas and Moodle, a page for each student, a
class report, and `words.html`, on which you mark the answers in words; put the `words.csv` that it
saves beside it, and run the same command again.
Stopped at any moment, the same command goes on. A student's name after `--again` grades anew.

## What a grade means

* A step has its points if its answers do what the solution does. Checks that a submission changed
  or deleted are put back, and it is told so. A wrong step costs its own points, and no others.
* A submission is a program, and grading runs it. It runs in a process that sees Python, the package
  and a folder of its own: no network, no other file of this machine, no solution. A cell is stopped
  after {seconds} seconds of processor time. Whether a step is right is decided outside of that
  process, so that no submission can say so itself.
* The sandbox is made of Linux namespaces, by bubblewrap. It keeps out what a curious student tries;
  against an attack on the kernel itself it is no protection. Do not grade where other secrets lie.

## Where there is no bubblewrap

Grade in a container that holds nothing but this folder and has no network. There the container is
the wall between submissions and your machine. Between one submission and the next there is none,
and the answers in `key/` are within their reach.

```sh
docker build -t grader - <<'END'
FROM python:3.11
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1
END
docker run --rm -it -v "$PWD":/grading -w /grading grader python -m venv .container
docker run --rm -it -v "$PWD":/grading -w /grading grader \\
    .container/bin/python -m pip install -c constraints.txt "{wheel}[{extra}]" nbformat ipython
docker run --rm -it --network none -v "$PWD":/grading -w /grading grader \\
    .container/bin/python grade.py --no-sandbox submitted
```
"""
GRADE = """\
\"\"\"Grade submissions: python grade.py FOLDER. What it can do: python grade.py --help.\"\"\"

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER / "grader"))
from coursebuild.classroom.command import main

sys.exit(main(keys=FOLDER / "key"))
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
    (folder / "grade.py").write_text(GRADE, encoding="utf-8")
    for name in names:
        make_key(root, name).write(folder / "key" / f"{name}.json")
    _copy_grader(folder / "grader" / "coursebuild")
    facts = {"wheel": wheel.name, "extra": EXTRA, "cpu_index": CPU_INDEX, "seconds": SECONDS}
    readme = README.format(first=names[0], **facts)
    (folder / "README.md").write_text(readme, encoding="utf-8")
    return folder


def _copy_grader(target: Path) -> None:
    """Put what grades a class into the folder: it is no part of the students' package."""
    source = Path(__file__).parent
    shutil.rmtree(target, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source / "classroom", target / "classroom", ignore=ignore)
    shutil.copyfile(source / "__init__.py", target / "__init__.py")


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
