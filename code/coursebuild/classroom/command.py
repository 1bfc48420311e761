"""The command that grades a class, for a course that lies here or for its keys alone."""

import argparse
import os
import sys
from pathlib import Path

import coursechecks
from coursebuild.classroom.gradebook import write_tables
from coursebuild.classroom.key import Key
from coursebuild.classroom.owners import is_notebook
from coursebuild.classroom.report import count, read_log, write_report
from coursebuild.classroom.results import WAITS, Result
from coursebuild.classroom.running import Class, Submission, grade
from coursebuild.classroom.sandbox import Limits, check_sandbox
from coursebuild.classroom.words import POINTS, read_points, with_points, write_form
from layerlab.errors import LayerlabError, PackageError


def grade_class(
    course: Class,
    place: Path,
    workers: int,
    again: list[str],
    *,
    with_names: bool = False,
    scheduler: str | None = None,
) -> tuple[list[Path], Path]:
    """Grade a class and write its tables and its report, in which nobody is named unless asked.

    With the address of a `scheduler`, the workers of its cluster grade in place of this machine's.

    Returns
    -------
    (list of Path, Path)
        The tables, the gradebook first; and the report's page.
    """
    submissions, others = course.gather(place)
    if not submissions and not others:
        raise LayerlabError(f"{place} holds no notebook; name the folder or zip that was handed in")
    for student in again:
        n_forgotten = course.forget(student)
        print(f"{student}: {n_forgotten} results are forgotten")
        if not n_forgotten:
            raise LayerlabError(f"--again {student!r}: there is no result of that student")
    n_done = _grade(course, submissions, workers, scheduler)
    if n_done:
        print(f"{n_done} had a grade already")
    results = list(course.store.all())
    _say_what_is_odd(submissions, others, results)
    given, wrong = read_points(course.out / POINTS, results)
    results = [with_points(result, given) for result in results]
    for result in results:
        if result.words:
            course.tell(result)
    form = write_form(results, course.keys, course.out)
    if form and any(result.state == WAITS for result in results):
        print(f"Answers in words wait to be read: {form}")
    reports = count(results, course.keys, map(read_log, course.logs))
    report = write_report(reports, course.out, with_names=with_names)
    tables = write_tables([*results, *_without_grade(others, results)], course.out)
    if wrong:
        ignored = "all else stands in the tables, and these lines do not count:"
        raise LayerlabError("\n".join([ignored, *wrong]))
    return tables, report


def _say_what_is_odd(
    submissions: list[Submission], others: list[Result], results: list[Result]
) -> None:
    """Say what an instructor should look at, for a file may be somebody else's."""
    for other in others:
        print(f"no grade · {other.path}: {other.reason}")
    for own in submissions:
        if len(own.files) > 1:
            paths = ", ".join(path for path, _ in own.files)
            print(f"{own.student}: of {len(own.files)} files the best one counts: {paths}")
    there = {(own.student, own.key.name) for own in submissions}
    gone = [r for r in results if (r.student, r.exercise) not in there]
    if gone:
        names = ", ".join(sorted({result.student for result in gone}))
        print(f"{len(gone)} results are of files that are gone (`--again` forgets them): {names}")


def _grade(
    course: Class, submissions: list[Submission], workers: int, scheduler: str | None
) -> int:
    """Grade here or on a cluster; how many had a grade already."""

    def report(line: str) -> None:
        print(line, flush=True)

    if scheduler is None:
        return grade(course, submissions, workers, report)
    try:
        from coursebuild.classroom.several import grade_on
    except ModuleNotFoundError as error:
        raise PackageError(
            f"--scheduler needs the package {error.name!r}: pip install 'layerlab[atlas]'",
            name=error.name,
        ) from error
    return grade_on(course, submissions, scheduler, report)


def _without_grade(others: list[Result], results: list[Result]) -> list[Result]:
    """What gets a row besides the results: notebooks that could not be graded.

    And whatever else came from somebody of whom nothing was graded.
    """
    graded = {result.student for result in results}
    return [
        other
        for other in others
        if other.student and (is_notebook(other.path) or other.student not in graded)
    ]


def number(text: str) -> int:
    """How many workers; the parser calls what is none by this name."""
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def main(arguments: list[str] | None = None, keys: Path | list[Key] = Path("key")) -> int:
    """Run the command; return its exit code.

    Parameters
    ----------
    arguments : list of str, optional
    keys : Path or list of Key
        The folder that holds the keys, or the keys.
    """
    parser = argparse.ArgumentParser(description="Grade what a class handed in.")
    parser.add_argument("submissions", type=Path, help="a folder or a zip")
    parser.add_argument("--out", type=Path, help="output folder (default: SUBMISSIONS-graded)")
    workers = parser.add_mutually_exclusive_group()
    workers.add_argument("--workers", type=number, default=os.cpu_count() or 1, help="at a time")
    workers.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, tcp://…")
    parser.add_argument("--again", action="append", default=[], metavar="STUDENT")
    parser.add_argument("--seconds", type=float, default=Limits.seconds, help="for a cell")
    parser.add_argument(
        "--no-sandbox", action="store_true", help="only in a container that holds nothing else"
    )
    parser.add_argument("--names", action="store_true", help="name students in the report")
    options = parser.parse_args(arguments)
    place = options.submissions.resolve()
    name = place.name if place.is_dir() else place.stem
    out = (options.out or place.with_name(f"{name}-graded")).resolve()
    if isinstance(keys, Path):
        keys = [Key.read(path) for path in sorted(keys.glob("*.json"))]
    try:
        if not options.no_sandbox and not options.scheduler:
            check_sandbox()
        code = Path(coursechecks.__file__).parents[1]
        course = Class(keys, code, out, Limits(seconds=options.seconds), not options.no_sandbox)
        how = {"with_names": options.names, "scheduler": options.scheduler}
        tables, report = grade_class(course, place, options.workers, options.again, **how)
    except LayerlabError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"{error}\nIs there room, and may one write there? `--out` names another folder; "
            "what has a grade keeps it, and the same command goes on",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    print(f"The gradebook is {tables[0]}; pages for students lie in {out / 'feedback'}")
    print(f"What to teach again: {report}")
    return 0
