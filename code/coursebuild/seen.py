"""Store what right and wrong programs do, for the checks to compare with.

    python -m coursebuild.seen [--all] [NAME …]

The second half of `make exercises`: it runs each solution with all that its file of mistakes lists,
and writes what the observers saw into ``code/coursechecks/seen``. Whether all promises hold is the
gate's question; here a program that cannot be run is only told. A notebook is left alone while all
that its programs rest on is as it was when they last ran on this machine.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from coursebuild import mistakes, trials
from coursebuild.course import CourseError, course_root
from coursebuild.notebooks import NotebookError
from coursebuild.promises import Course, place, rehearse
from coursebuild.rules import counted
from coursebuild.workers import CHECKS, Death, run_each
from coursechecks.engine import STOPPED

RECORD = "_build/seen.json"  # what each notebook's programs rested on when they last ran
KINDS = {"right", "mistake", "pair"}


def _records(course: Course) -> dict[str, dict]:
    path = course.root / RECORD
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def store(course: Course, name: str) -> Iterator[tuple[str, bool]]:
    """Store what the programs of one notebook do; yield what was done, and if all could be."""
    start = time.perf_counter()
    try:
        done = rehearse(course, name, KINDS)
    except NotebookError as error:
        yield str(error), False
        return
    problems = [
        f"{place(done.path, cell, outcome.line)}: {outcome.first_lines}"
        for cell, outcome in zip(done.cells, done.rehearsal.solution, strict=False)
        if outcome.error  # and nothing after it was tried
    ]
    problems += done.known.problems
    problems += [
        f"{trial.origin}: {outcome.first_lines}"
        for trial, outcome in done.rehearsal.trials
        if outcome.facts is None and trial.kind != "pair"
    ]
    problems += [
        f"{done.path}, step {trial.step.name}: its observer stops at the solution itself: "
        f"{outcome.facts[STOPPED]['error']}: {outcome.facts[STOPPED]['says']}"
        for trial, outcome in done.judged("right")
        if STOPPED in (outcome.facts or {})
    ]
    path = course.stored(name)
    if len(done.stored) < len(done.steps):
        left = "kept as it was" if path.is_file() else "not written"
        kept = f"{course.relative(path)}: {left}, for not every step could be stored"
        yield "\n".join([kept, *problems]), False
        return
    words = "written" if mistakes.write(done.stored, path) else "unchanged"
    line = f"{course.relative(path)}: {words}, {counted(len(done.stored), 'step')}"
    line += f", {path.stat().st_size / 1e3:.0f} KB ({time.perf_counter() - start:.0f} s)"
    yield "\n".join([line, *problems]), not problems


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.seen", description="Store what right and wrong programs do."
    )
    parser.add_argument("names", nargs="*", help="notebooks, such as 01-minkowski (default: all)")
    parser.add_argument("--all", action="store_true", help="also what has not changed")
    parser.add_argument("--root", type=Path, help="root of the course")
    parser.add_argument("--checks", default=CHECKS, help="package of the checks")
    parser.add_argument(
        "--seconds", type=float, default=trials.SECONDS, help="processor time of a program, at most"
    )
    options = parser.parse_args(arguments)
    try:
        root, remembers = course_root(options.root), not options.all
        course = Course(root, options.checks, options.seconds, remembers=remembers)
        names = course.names(options.names)
    except CourseError as error:
        parser.error(str(error))
    records, succeeded = {} if options.all else _records(course), True
    done = [name for name in names if records.get(name) and records[name] == course.rests_on(name)]
    for name in done:
        print(f"{course.relative(course.stored(name))}: nothing changed that it rests on")
    names = [name for name in names if name not in done]
    for name, said in run_each(store, course, names):
        line, is_whole = (f"{name}: {said}", False) if isinstance(said, Death) else said
        print(line, flush=True)
        succeeded &= is_whole
        records[name] = course.rests_on(name) if is_whole else {}
    (course.root / RECORD).parent.mkdir(exist_ok=True)
    (course.root / RECORD).write_text(json.dumps(_records(course) | records), "utf-8")
    return int(not succeeded)


if __name__ == "__main__":
    sys.exit(main())
