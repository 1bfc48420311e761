"""Everything that one cohort needs, in a folder: the command behind `make release`.

    python -m coursebuild.release COHORT [--solutions no|yes|YYYY-MM-DD] [--out FOLDER] [SOURCE]

`students/` is the site to publish, `instructor/` the guide and the folder to grade in, which hold
all answers. `manifest.json` says what it was made of, and `SHA256SUMS` what each file has to be.
Where answers are withheld and one is found all the same, there is no release.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from coursebuild.course import course_root
from coursebuild.downloads import exercise_names
from coursebuild.leaks import answers_of, places
from layerlab import __version__
from layerlab.errors import LayerlabError

COHORT = re.compile(r"\w[\w.-]{0,60}")
STUDENTS, INSTRUCTOR = "students", "instructor"
SUMS, MANIFEST = "SHA256SUMS", "manifest.json"
PARTS = {"guide": "guide/html", "grading": "grading"}  # where builds put them, and we put what
MOST_LEAKS = 20  # that are listed


def is_open(solutions: str, today: date) -> bool:
    """Whether the solutions are out.

    Parameters
    ----------
    solutions : str
        "no", "yes", or the day from which on they are, as YYYY-MM-DD.
    today : date

    Raises
    ------
    LayerlabError
        If it is none of these.
    """
    if solutions in ("no", "yes"):
        return solutions == "yes"
    try:
        return today >= date.fromisoformat(solutions)
    except ValueError as error:
        raise LayerlabError(
            f"--solutions {solutions!r} is neither no nor yes nor a day such as 2027-02-15"
        ) from error


def make_release(root: Path, cohort: str, out: Path, *, solutions: bool) -> Path:
    """Make the release of a cohort, whole or not at all; return its folder.

    Parameters
    ----------
    root : Path
        The root of the course.
    cohort : str
        Its name, which becomes that of the folder.
    out : Path
        The folder for what is built. What was released for the same cohort before is replaced.
    solutions : bool
        Whether students get them.

    Raises
    ------
    LayerlabError
        If the name is none for a folder, something does not build, or answers would get out.
    """
    if not COHORT.fullmatch(cohort):
        raise LayerlabError(
            f"the cohort {cohort!r} is no name for a folder; take letters, digits, . - and _"
        )
    folder = out / "release" / cohort
    part = folder.with_name(f".{cohort}.part")
    shutil.rmtree(part, ignore_errors=True)
    edition = ("--solutions", "yes" if solutions else "no")
    _make("build", *edition, "--out", str(out), "--copy", str(part / STUDENTS), str(root))
    leaks = [] if solutions else places(part / STUDENTS, answers_of(root))
    if leaks:
        shutil.rmtree(part)
        more = [f"and {len(leaks) - MOST_LEAKS} more"] if len(leaks) > MOST_LEAKS else []
        raise LayerlabError("\n".join(["answers would get out:", *leaks[:MOST_LEAKS], *more]))
    _make("grading", "--out", str(out), str(root))
    _make("guide", "--out", str(out / "guide"), str(root))
    for name, place in PARTS.items():
        shutil.copytree(out / place, part / INSTRUCTOR / name)
    _write_lists(root, part, cohort, solutions)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder


def _make(module: str, *words: str) -> None:
    """Run one of the course's commands; each build of Sphinx needs a process of its own."""
    command = [sys.executable, "-m", f"coursebuild.{module}", *words]
    if subprocess.run(command).returncode:
        raise LayerlabError(f"`{' '.join(command[1:])}` failed, so there is no release; see above")


def _write_lists(root: Path, folder: Path, cohort: str, solutions: bool) -> None:
    sums = {path.relative_to(folder).as_posix(): _sum(path) for path in _files(folder)}
    about = {
        "cohort": cohort,
        "made": date.today().isoformat(),
        "version": __version__,
        "commit": _commit(root),
        "solutions": solutions,
        "exercises": exercise_names(root),
        "constraints": _sum(root / "constraints.txt"),
        "files": len(sums),
        "bytes": sum((folder / name).stat().st_size for name in sums),
    }
    (folder / MANIFEST).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    sums[MANIFEST] = _sum(folder / MANIFEST)
    lines = (f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _commit(root: Path) -> str:
    """The commit that a course is at, with what is not committed; empty outside of Git."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip()


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.release", description="Make all that a cohort needs."
    )
    parser.add_argument("cohort", help="its name, such as 2027-spring")
    parser.add_argument("source", nargs="?", type=Path, help="root of the course")
    parser.add_argument("--solutions", default="no", help="no, yes, or from which day on")
    parser.add_argument("--out", type=Path, help="output folder (default: SOURCE/_build)")
    options = parser.parse_args(arguments)
    try:
        root = course_root(options.source)
        out = (options.out or root / "_build").resolve()
        solutions = is_open(options.solutions, date.today())
        folder = make_release(root, options.cohort, out, solutions=solutions)
    except LayerlabError as error:
        print(error, file=sys.stderr)
        return 1
    with_them = "with" if solutions else "without"
    print(f"The release of {options.cohort}, {with_them} solutions for students, lies in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
