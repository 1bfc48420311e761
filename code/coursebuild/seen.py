"""Store what right and wrong programs do, for the checks to compare with.

    python -m coursebuild.seen [NAME …]

The second half of `make exercises`: it runs each solution with all that its file of mistakes lists,
and writes what the observers saw into ``code/coursechecks/seen``. Whether all promises hold is the
gate's question; here a program that cannot be run is only told.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from coursebuild import mistakes, trials
from coursebuild.gate import CHECKS, PRELOADED, PRELOADED_FOR_COURSE, ROOT
from coursebuild.notebooks import NotebookError
from coursebuild.promises import Course, counted, rehearse
from coursechecks.engine import STOPPED

KINDS = {"right", "mistake", "pair"}


def store(course: Course, name: str) -> tuple[str, bool]:
    """Store what the programs of one notebook do.

    Returns
    -------
    line : str
        What was done, and what could not be.
    succeeded : bool
    """
    start = time.perf_counter()
    try:
        done = rehearse(course, name, KINDS)
    except NotebookError as error:
        return str(error), False
    problems = list(done.known.problems)
    problems += [
        f"{trial.origin}: {outcome.first_lines}"
        for trial, outcome in done.rehearsal.trials
        if outcome.facts is None and trial.kind != "pair"
    ]
    problems += [
        f"{trial.origin}: the solution stops its own observer: {outcome.facts[STOPPED]}"
        for trial, outcome in done.judged("right")
        if STOPPED in (outcome.facts or {})
    ]
    path = course.stored(name)
    changed = mistakes.write(done.stored, path)
    words = "written" if changed else "unchanged"
    line = f"{course.relative(path)}: {words}, {counted(len(done.stored), 'step')}"
    line += f", {path.stat().st_size / 1e3:.0f} KB ({time.perf_counter() - start:.0f} s)"
    return "\n".join([line, *problems]), not problems


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.seen", description="Store what right and wrong programs do."
    )
    parser.add_argument("names", nargs="*", help="notebooks, such as 01-minkowski (default: all)")
    parser.add_argument("--root", type=Path, default=ROOT, help="root of the course")
    parser.add_argument("--checks", default=CHECKS, help="package of the checks")
    options = parser.parse_args(arguments)
    course = Course(options.root.resolve(), options.checks)
    names = options.names or sorted(p.stem for p in (course.root / "solutions").glob("*.md"))
    os.environ.update(trials.SINGLE_THREADED)
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED + PRELOADED_FOR_COURSE * (course.checks == CHECKS))
    succeeded = True
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1), context, max_tasks_per_child=1) as pool:
        waiting = [pool.submit(store, course, name) for name in reversed(names)]
        for future in as_completed(waiting):
            line, is_whole = future.result()
            print(line, flush=True)
            succeeded &= is_whole
    return int(not succeeded)


if __name__ == "__main__":
    sys.exit(main())
