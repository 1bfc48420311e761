"""What to teach again tomorrow: a class's results by exercise and step, without names.

A page, and the same as a table. Logs that students keep (`coursechecks.attempts`) and hand in add
how often a step was tried, and what was tried before.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from statistics import median

from coursebuild.classroom.document import document
from coursebuild.classroom.files import write_whole
from coursebuild.classroom.gradebook import as_csv
from coursebuild.classroom.key import Key
from coursebuild.classroom.marking import BLANK_WORDS
from coursebuild.classroom.results import NONE, Result

MOST_LINES = 20_000  # of one log
MOST_MISTAKES = 6  # of a step, on the page; the table has all
HEAD = ["exercise", "step", "what", "name", "n", "of"]
TITLE = "What to teach again"
STYLE = """\
:root { --right: light-dark(#1d6b52, #7fd1b0); --empty: light-dark(#e6e1da, #3a3530); }
body { max-width: 58rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0;
  border-bottom: 1px solid var(--line); }
meter { width: 7rem; } ul { margin: 0; padding-left: 1.1rem; }
@media (max-width: 40rem) { table, tbody, tr, th, td { display: block; }
  thead { display: none; } th, td { border: 0; padding: 0 0 .2rem; }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0; } }
"""


@dataclass
class StepReport:
    """How a class did in a step.

    Attributes
    ----------
    step : str
    n_right, n_blank, n_wrong, n_stopped, n_unnamed : int
        Students; those who stopped here were right in no step from here on, but were before; and
        what was wrong of those unnamed is no known mistake.
    mistakes : Counter
        Named mistakes in what was handed in.
    tried : Counter
        Named mistakes in the logs, each counted once a log.
    tries : list of int
        Checks until the step was right, one number a log.
    names : dict
        Students by what they got: "right", "blank" or "wrong".
    """

    step: str
    n_right: int = 0
    n_blank: int = 0
    n_wrong: int = 0
    n_stopped: int = 0
    n_unnamed: int = 0
    mistakes: Counter = field(default_factory=Counter)
    tried: Counter = field(default_factory=Counter)
    tries: list[int] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class ExerciseReport:
    """How a class did in an exercise: its steps in order, and all points that were reached."""

    name: str
    title: str
    steps: list[StepReport]
    points: list[float] = field(default_factory=list)
    maximum: float = 0.0
    n_without_grade: int = 0
    n_logs: int = 0


def count(results: Iterable[Result], keys: list[Key], logs: Iterable[list[dict]] = ()):
    """Report of each exercise that something was handed in for, in the order of the keys.

    Parameters
    ----------
    results : iterable of Result
    keys : list of Key
    logs : iterable of list of dict
        What each log says, as `read_log` reads it.
    """
    reports = {key.name: _empty(key) for key in keys}
    for result in results:
        if result.exercise in reports:
            _add(reports[result.exercise], result)
    numbers = {key.exercise: reports[key.name] for key in keys}
    for log in logs:
        for number, report in numbers.items():
            _add_log(report, [line for line in log if line["exercise"] == f"ex{number}"])
    return [report for report in reports.values() if report.points or report.n_without_grade]


def _empty(key: Key) -> ExerciseReport:
    return ExerciseReport(key.name, key.title, [StepReport(step) for step in key.steps])


def _add(report: ExerciseReport, result: Result) -> None:
    if result.state == NONE:
        report.n_without_grade += 1
        return
    report.points.append(sum(mark.points for mark in result.steps))  # words may wait
    report.maximum = max(report.maximum, sum(mark.maximum for mark in result.steps))
    marks = {mark.step: mark for mark in result.steps}
    known = [step for step in report.steps if step.step in marks]  # others: of another edition
    right = [step.step for step in known if marks[step.step].points]
    place = 1 + max((k for k, step in enumerate(report.steps) if step.step in right), default=-1)
    if right and place < len(report.steps):
        report.steps[place].n_stopped += 1
    for step in known:
        mark = marks[step.step]
        is_blank = any(BLANK_WORDS in line for line in mark.lines)
        kind = "right" if mark.points else "blank" if is_blank else "wrong"
        step.n_right += kind == "right"
        step.n_blank += kind == "blank"
        step.n_wrong += kind == "wrong"
        step.n_unnamed += kind == "wrong" and not mark.names
        step.mistakes.update(mark.names)
        step.names[kind].append(result.student)


def _add_log(report: ExerciseReport, lines: list[dict]) -> None:
    report.n_logs += bool(lines)
    for step in report.steps:
        own = [line for line in lines if line["step"] == step.step]
        first = next((k for k, line in enumerate(own) if line["right"]), None)
        if first is not None:
            step.tries.append(first + 1)
        step.tried.update({name for line in own for name in line["mistakes"]})


def read_log(data: bytes) -> list[dict]:
    """The lines of a log that are such; a log is a student's file, and may hold anything."""
    found = []
    for text in data.split(b"\n", MOST_LINES)[:MOST_LINES]:
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if _is_line(line):
            found.append(line)
    return found


def _is_line(line: object) -> bool:
    return (
        isinstance(line, dict)
        and isinstance(line.get("exercise"), str)
        and isinstance(line.get("step"), str)
        and isinstance(line.get("right"), bool)
        and isinstance(names := line.get("mistakes"), list)
        and all(isinstance(name, str) for name in names)
    )


# What is written --------------------------------------------------------------------------------


def write_report(reports: list[ExerciseReport], folder: Path, *, with_names: bool) -> Path:
    """Write the page and the table; the page's file.

    Parameters
    ----------
    reports : list of ExerciseReport
    folder : Path
    with_names : bool
        Whether it names students.
    """
    write_whole(folder / "class-report.csv", as_csv([HEAD, *_rows(reports, with_names)]))
    page = folder / "class-report.html"
    parts = [_exercise(report, with_names) for report in reports]
    write_whole(page, document(TITLE, "\n".join([f"<h1>{TITLE}</h1>", *parts]), STYLE))
    return page


def _rows(reports: list[ExerciseReport], with_names: bool) -> Iterable[list]:
    for report in reports:
        n = len(report.points)
        for points, k in sorted(Counter(report.points).items()):
            yield [report.name, "", "points", f"{points:g}", k, n]
        yield [report.name, "", "no grade yet", "", report.n_without_grade, ""]
        for step in report.steps:
            start = [report.name, step.step]
            for kind in ("right", "blank", "wrong", "stopped"):
                yield [*start, f"{kind} here" if kind == "stopped" else kind, "", _n(step, kind), n]
            for what, counts in (("mistake", step.mistakes), ("tried before", step.tried)):
                of = n if what == "mistake" else report.n_logs
                yield from ([*start, what, name, k, of] for name, k in counts.most_common())
            for kind, students in step.names.items() if with_names else ():
                yield from ([*start, f"{kind}, by name", name, 1, n] for name in students)


def _n(step: StepReport, kind: str) -> int:
    return getattr(step, f"n_{kind}")


def _exercise(report: ExerciseReport, with_names: bool) -> str:
    n = len(report.points)
    said = [f"{n} graded"]
    if report.points:
        said.append(
            f"{median(report.points):g} of {report.maximum:g} points for steps in the middle"
        )
    if report.n_without_grade:
        said.append(f"{report.n_without_grade} without a grade yet")
    if report.n_logs:
        said.append(f"{report.n_logs} handed in a log")
    head = "<thead><tr><th>Step</th><th>Right</th><th>What went wrong</th></tr></thead>"
    rows = "\n".join(_step(step, n, with_names) for step in report.steps)
    return (
        f"<section><h2>{escape(report.title)}</h2>\n<p>{' · '.join(said)}.</p>\n"
        f"<table>{head}<tbody>\n{rows}\n</tbody></table></section>"
    )


def _step(step: StepReport, n: int, with_names: bool) -> str:
    bar = f'<meter min="0" max="{max(n, 1)}" value="{step.n_right}">{step.n_right}</meter>'
    wrong = [f"{escape(name)}: {k}" for name, k in step.mistakes.most_common(MOST_MISTAKES)]
    wrong += [f"wrong in no known way: {step.n_unnamed}"] * bool(step.n_unnamed)
    wrong += [f"left blank: {step.n_blank}"] * bool(step.n_blank)
    wrong += [f"stopped here: {step.n_stopped}"] * bool(step.n_stopped)
    if step.tries:
        wrong.append(f"checks until it was right: {median(step.tries):g} in the middle")
    before = [f"{escape(k)} ({n_})" for k, n_ in step.tried.most_common(MOST_MISTAKES)]
    wrong += [f"tried before: {', '.join(before)}"] * bool(before)
    if with_names and (others := [*step.names["wrong"], *step.names["blank"]]):
        wrong.append(f"not right: {escape(', '.join(sorted(others)))}")
    items = "".join(f"<li>{line}</li>" for line in wrong)
    cells = f"<td>{bar} {step.n_right} of {n}</td><td>{f'<ul>{items}</ul>' if items else ''}</td>"
    return f"<tr><th>{escape(step.step)}</th>{cells}</tr>"
