"""Grade what a class handed in: points, feedback pages and a gradebook.

    python -m coursebuild.grade [--out FOLDER] [--workers N] [--again STUDENT] SUBMISSIONS

SUBMISSIONS is a folder or a zip, as nbgrader, Canvas or Moodle make it. Each submission runs in a
sandbox, and is judged outside it. Stopped at any moment, the same command goes on.
"""

import argparse
import os
import sys
from pathlib import Path

from coursebuild.classroom.gradebook import write_tables
from coursebuild.classroom.results import Result
from coursebuild.classroom.running import Class, grade
from coursebuild.classroom.sandbox import Limits, check_sandbox
from coursebuild.course import course_root, drafts
from coursebuild.downloads import exercise_names
from coursebuild.keys import make_key
from layerlab.errors import LayerlabError


def grade_class(course: Class, place: Path, workers: int, again: list[str]) -> list[Path]:
    """Grade a class and write its tables; the tables' files."""
    for student in again:
        n_forgotten = course.store.forget(student)
        print(f"{student}: {n_forgotten} results are forgotten")
        if not n_forgotten:
            raise LayerlabError(f"--again {student!r}: there is no result of that student")
    submissions, others = course.gather(place)
    if not submissions and not others:
        raise LayerlabError(f"{place} holds no notebook; name the folder or zip that was handed in")
    n_done = grade(course, submissions, workers, lambda line: print(line, flush=True))
    if n_done:
        print(f"{n_done} had a grade already")
    for other in others:
        print(f"no grade · {other.path}: {other.reason}")
    results = list(course.store.all())
    return write_tables([*results, *_without_grade(others, results)], course.out)


def _without_grade(others: list[Result], results: list[Result]) -> list[Result]:
    """What gets a row besides the results: notebooks that could not be graded."""
    return [other for other in others if other.student and other not in results]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.grade", description="Grade what a class handed in."
    )
    parser.add_argument("submissions", type=Path, help="a folder or a zip")
    parser.add_argument("--root", type=Path, help="root of the course")
    parser.add_argument("--out", type=Path, help="output folder (default: SUBMISSIONS-graded)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="at a time")
    parser.add_argument("--again", action="append", default=[], metavar="STUDENT")
    parser.add_argument("--seconds", type=float, default=Limits.seconds, help="for a cell")
    parser.add_argument(
        "--no-sandbox", action="store_true", help="only in a container that holds nothing else"
    )
    options = parser.parse_args(arguments)
    place = options.submissions.resolve()
    out = (options.out or place.with_name(f"{place.stem}-graded")).resolve()
    try:
        if not options.no_sandbox:
            check_sandbox()
        root = course_root(options.root)
        names = [name for name in exercise_names(root) if name not in drafts(root)]
        keys = [make_key(root, name) for name in names]
        limits = Limits(seconds=options.seconds)
        course = Class(keys, root / "code", out, limits, not options.no_sandbox)
        tables = grade_class(course, place, options.workers, options.again)
    except LayerlabError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    print(f"The gradebook is {tables[0]}; pages for students lie in {out / 'feedback'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
