"""The gate: what every exercise promises, tried out. The command behind `make gate`.

    python -m coursebuild.gate [NAME …]

Each notebook is tried in a process of its own, as many at a time as there are cores, and each of
its promises (see `coursebuild.promises`) gets a line of the report, as soon as it is tried. Broken
promises follow with all that is wrong. One of them is enough for the exit code 1.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from coursebuild import trials
from coursebuild.promises import (
    PROMISES,
    Course,
    Failure,
    Verdict,
    counted,
    number_of,
    try_notebook,
)

ROOT = Path(__file__).resolve().parents[2]
CHECKS = "coursechecks"
FEWEST_MISTAKES = 60  # in the whole course
SECONDS = 600  # that one notebook may take
# What takes long to import is imported once, in the process that all others are forks of.
PRELOADED = ["coursebuild.promises"]
PRELOADED_FOR_COURSE = ["layerlab.pages", "layerlab.models", "sklearn.feature_selection"]


def try_all(course: Course, names: list[str], workers: int) -> Iterator[Verdict]:
    """Yield the verdicts on several notebooks, as they come.

    Parameters
    ----------
    course : Course
        Where the notebooks are.
    names : list of str
        Which ones. The last one starts first: later parts compute more, and what takes longest
        should not be left for the end.
    workers : int
        How many are tried at the same time.
    """
    os.environ.update(trials.SINGLE_THREADED)
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED + PRELOADED_FOR_COURSE * (course.checks == CHECKS))
    waiting, running = list(names), {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    worker = Worker.start(context, course, waiting.pop(), Path(folder))
                    running[worker.connection] = worker
                for connection in wait(running, timeout=1):
                    verdict = running[connection].receive()
                    if verdict:
                        yield verdict
                    if running[connection].is_done:
                        del running[connection]
                for worker in running.values():
                    worker.kill_if_late()
        finally:  # also when somebody stops the gate
            for worker in running.values():
                worker.process.kill()


@dataclass
class Worker:
    """The process that tries one notebook, as this one sees it."""

    name: str
    process: BaseProcess
    connection: Connection
    errors: Path
    started: float = field(default_factory=time.perf_counter)
    n_verdicts: int = 0
    is_done: bool = False

    @classmethod
    def start(cls, context: BaseContext, course: Course, name: str, folder: Path) -> "Worker":
        """Start a process that says through a connection what it finds."""
        receiving, sending = context.Pipe(duplex=False)
        errors = folder / f"{name}.txt"
        process = context.Process(target=work, args=(course, name, sending, errors), daemon=True)
        process.start()
        sending.close()  # so that the connection ends when the process does
        return cls(name, process, receiving, errors)

    def receive(self) -> Verdict | None:
        """Take the next verdict; at the end None, or a last one if it was no good end."""
        try:
            verdict = self.connection.recv()
        except EOFError:
            self.process.join()
            self.is_done = True
            return self._death() if self.process.exitcode else None
        self.n_verdicts += 1
        return verdict

    def kill_if_late(self) -> None:
        """End a process that takes far too long."""
        if time.perf_counter() - self.started > SECONDS:
            self.process.kill()

    def _death(self) -> Verdict:
        last_words = self.errors.read_text("utf-8", "replace").strip().splitlines()[-8:]
        code = self.process.exitcode
        what = [f"the process that tried it ended with code {code}", *last_words]
        promise = PROMISES[min(self.n_verdicts, len(PROMISES) - 1)]
        seconds = time.perf_counter() - self.started
        failure = Failure(f"solutions/{self.name}.md", "\n".join(what))
        return Verdict(self.name, promise, "1 process", seconds, [failure])


def work(course: Course, name: str, connection: Connection, errors: Path) -> None:
    """Be the process that tries one notebook."""
    file = os.open(errors, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 2)
    for verdict in try_notebook(course, name):
        connection.send(verdict)


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
    name, promise = f"{verdict.notebook:<22}", f"{verdict.promise:<12}"
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
    parser.add_argument("--root", type=Path, default=ROOT, help="root of the course")
    parser.add_argument("--checks", default=CHECKS, help="package of the checks")
    parser.add_argument(
        "--seconds", type=float, default=trials.SECONDS, help="time that a trial may take"
    )
    parser.add_argument(
        "--fewest", type=int, default=FEWEST_MISTAKES, help="fewest known mistakes in the course"
    )
    options = parser.parse_args(arguments)
    course = Course(options.root.resolve(), options.checks, options.seconds)
    known = sorted(path.stem for path in (course.root / "solutions").glob("*.md"))
    names = options.names or known
    if not known or set(names) - set(known):
        there = ", ".join(known) or "none"
        parser.error(f"{course.root / 'solutions'} has these notebooks: {there}")

    start, verdicts = time.perf_counter(), []
    try:
        for verdict in try_all(course, names, workers=min(4, os.cpu_count() or 1)):
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
