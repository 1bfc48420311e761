"""The gate: what every exercise promises, tried out. The command behind `make gate`.

    python -m coursebuild.gate [--all] [--without PROMISE] [NAME …]

Each notebook is tried in a process of its own, as many at a time as there are cores, and each of
its promises (see `coursebuild.promises`) gets a line of the report, as soon as it is tried. Broken
promises follow with all that is wrong. One of them is enough for the exit code 1. A trial is not
run again while nothing that it rests on has changed on this machine, unless ``--all`` is said.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from coursebuild import trials
from coursebuild.course import CourseError, course_root
from coursebuild.promises import (
    SLOW,
    Course,
    Failure,
    Verdict,
    number_of,
    try_notebook,
)
from coursebuild.rules import counted
from coursebuild.workers import CHECKS, Death, run_each

FEWEST_MISTAKES = 60  # in the whole course


def try_all(course: Course, names: list[str]) -> Iterator[Verdict]:
    """Yield the verdicts on several notebooks, as they come."""
    for name, said in run_each(try_notebook, course, names):
        yield _verdict_on(course, name, said) if isinstance(said, Death) else said


def _verdict_on(course: Course, name: str, death: Death) -> Verdict:
    """The promise that a notebook's process did not live to keep."""
    promise = course.promises[min(death.n_said, len(course.promises) - 1)]
    failure = Failure(f"solutions/{name}.md", str(death))
    return Verdict(name, promise, "1 process", death.seconds, [failure])


def try_course(course: Course, names: list[str], n_known: int, fewest: int) -> Verdict:
    """Judge what only all notebooks together promise."""
    failures = []
    if n_known < fewest:
        what = f"the checks know {n_known} mistakes; there should be at least {fewest}"
        failures.append(Failure(course.checks, what))
    for pattern in (
        "exercises/*.ipynb",
        "solutions/mistakes/*.toml",
        f"code/{course.checks}/seen/*.xz",
    ):
        for path in sorted(course.root.glob(pattern)):
            if path.stem.partition(".")[0] not in {*names, *map(number_of, names)}:
                failures.append(Failure(course.relative(path), "has no solution"))
    return Verdict("course", "complete", counted(n_known, "known mistake"), 0.0, failures)


# The report -----------------------------------------------------------------------------------


def line(verdict: Verdict) -> str:
    """A promise's line in the report."""
    word, tried = "PASS", verdict.tried
    if verdict.failures:
        word, tried = "FAIL", f"{tried}, {len(verdict.failures)} wrong"
    name, promise = f"{verdict.notebook:<22}", f"{verdict.promise:<14}"
    return f"{word}  {name}  {promise}  {tried:<34}{verdict.seconds:6.1f} s"


def print_failures(verdicts: list[Verdict]) -> None:
    """Print each failure with where it is, what came, and how to see it again."""
    for verdict in verdicts:
        for failure in verdict.failures:
            print(f"\nFAIL  {verdict.notebook} · {verdict.promise} · {failure.where}")
            for text in failure.what.splitlines():
                print(f"      {text}")
            name = "" if verdict.notebook == "course" else f" {verdict.notebook}"
            print(f"      again: python -m coursebuild.gate{name}")


def summary(names: list[str], verdicts: list[Verdict], seconds: float) -> str:
    """The last line of the report."""
    parts = [counted(len(names), "exercise")]
    for kind in ("blank", "mistake", "alternative"):
        parts.append(counted(sum(verdict.counts.get(kind, 0) for verdict in verdicts), kind))
    parts.append(counted(len(verdicts), "promise"))
    broken = [verdict for verdict in verdicts if verdict.failures]
    n_failures = sum(len(verdict.failures) for verdict in broken)
    end = f"{len(broken)} broken ({counted(n_failures, 'failure')})" if broken else "all kept"
    return f"gate: {', '.join(parts)}, {end} in {seconds:.0f} s"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.gate", description="Try out what the exercises promise."
    )
    parser.add_argument("names", nargs="*", help="notebooks, such as 01-minkowski (default: all)")
    parser.add_argument("--all", action="store_true", help="also trials whose outcome is known")
    parser.add_argument(
        "--without", action="append", choices=SLOW, default=[], help="leave a promise out"
    )
    parser.add_argument("--root", type=Path, help="root of the course")
    parser.add_argument("--checks", default=CHECKS, help="package of the checks")
    parser.add_argument(
        "--seconds", type=float, default=trials.SECONDS, help="processor time of a trial, at most"
    )
    parser.add_argument(
        "--fewest", type=int, default=FEWEST_MISTAKES, help="fewest known mistakes in the course"
    )
    parser.add_argument(
        "--edits", type=int, default=trials.MOST_MUTANTS, help="most single edits of an answer"
    )
    options = parser.parse_args(arguments)
    try:
        course = Course(
            course_root(options.root),
            options.checks,
            options.seconds,
            options.edits,
            tuple(options.without),
            remembers=not options.all,
        )
        names = course.names(options.names)
    except CourseError as error:
        parser.error(str(error))

    start, verdicts = time.perf_counter(), []
    try:
        for verdict in try_all(course, names):
            print(line(verdict), flush=True)
            verdicts.append(verdict)
    except KeyboardInterrupt:
        print("\ngate: stopped", file=sys.stderr)
        return 130
    if not options.names:
        n_known = sum(verdict.counts.get("known", 0) for verdict in verdicts)
        verdicts.append(try_course(course, names, n_known, options.fewest))
        print(line(verdicts[-1]))
    print_failures(verdicts)
    print("\n" + summary(names, verdicts, time.perf_counter() - start))
    return int(any(verdict.failures for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
