"""What an exercise promises to its readers, and how each promise is tried out.

One notebook at a time; `coursebuild.gate` is the command that tries them all. The promises, in
the order in which they are tried:

committed      the exercise made anew is the committed file, byte for byte
parses         every cell of the exercise is Python, blanks and all
size           it has 8 to 25 blanks
secrets        no answer stands in the exercise or, once built, on its page, in the page's source
               or in the search index
solution       the solution runs from top to bottom, each check says what was right, nothing warns
blanks         each blank, alone left unfilled, stops its own step with a readable message
mistakes       each known mistake is caught, by its name, with a hint that leaves out the answer
alternatives   each valid other answer passes
odd answers    what is no answer at all, such as a list of words, is refused in words
runs alone     the solved exercise runs in a kernel, in an empty folder
"""

import ast
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from importlib import import_module
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from coursebuild import notebooks, odd, trials
from coursebuild.blanks import BLANK, blank, without_marks
from coursebuild.execution import ANSI_COLOUR, execute, prepare_kernels
from coursebuild.notebooks import (
    FEWEST_BLANKS,
    MOST_BLANKS,
    SOLUTION_ONLY,
    BlankAnswers,
    NotebookError,
    squeeze,
)
from coursebuild.trials import Cell, Outcome, Rehearsal, Step, Trial, place

PROMISES = (
    "committed",
    "parses",
    "size",
    "secrets",
    "solution",
    "blanks",
    "mistakes",
    "alternatives",
    "odd answers",
    "runs alone",
)


ODD = """\
from coursebuild.odd import crashes
from {checks} import CheckFailed

print(*crashes({check!r}, {names}, globals(), CheckFailed), sep="\\n", end="")
"""


@dataclass
class Failure:
    """One way in which a promise is broken.

    Attributes
    ----------
    where : str
        The place in a file, the trial, or the step.
    what : str
        What was found there, in one line or several.
    """

    where: str
    what: str


@dataclass
class Verdict:
    """What became of one promise of one notebook.

    Attributes
    ----------
    notebook : str
        The notebook's name; "course" for a promise of all together.
    promise : str
        The promise's name.
    tried : str
        What was tried, and how many of it.
    seconds : float
        How long that took.
    failures : list of Failure
        Empty if the promise is kept.
    counts : dict of int
        Numbers for the summary.
    """

    notebook: str
    promise: str
    tried: str
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class Course:
    """Where the notebooks are, and which checks they call.

    Attributes
    ----------
    root : Path
        The folder with `solutions`, `exercises` and, once built, `_build/html`.
    checks : str
        The package of the checks: it has `CheckFailed`, `Mistake`, and a module ``partN`` for
        each notebook ``NN-…``.
    seconds : float
        The time that a trial may take.
    """

    root: Path
    checks: str
    seconds: float = trials.SECONDS

    def solution(self, name: str) -> Path:
        """Where the source of a notebook is."""
        return self.root / "solutions" / f"{name}.md"

    def exercise(self, name: str) -> Path:
        """Where the committed exercise is."""
        return self.root / "exercises" / f"{name}.ipynb"

    def relative(self, path: Path) -> str:
        """A path as the report says it."""
        return path.relative_to(self.root).as_posix()

    def check_failed(self) -> type:
        """Return the exception that checks raise."""
        return import_module(self.checks).CheckFailed

    def mistakes(self, name: str) -> list:
        """List the mistakes that a notebook's checks know; only that part is imported."""
        package = import_module(self.checks)
        members = vars(import_module(f"{self.checks}.part{part_of(name)}")).values()
        return [member for member in members if isinstance(member, package.Mistake)]


def part_of(name: str) -> int:
    """The number of the part that a notebook belongs to."""
    return int(name.partition("-")[0])


# One notebook ---------------------------------------------------------------------------------


def try_notebook(course: Course, name: str) -> Iterator[Verdict]:
    """Yield a verdict for each promise of a notebook."""
    path, committed, timer = course.solution(name), course.exercise(name), Stopwatch()
    try:
        source = notebooks.read_solution(path)
    except NotebookError as error:  # nothing can be tried
        yield Verdict(name, "committed", "1 file", timer(), [Failure(path.name, str(error))])
        return
    yield Verdict(name, "committed", "1 file", timer(), differences(course, name))

    made, _ = BlankAnswers().preprocess(nbformat.from_dict(source), {})
    exercise = nbformat.read(committed, as_version=4) if committed.exists() else made
    code = [cell for cell in exercise.cells if cell.cell_type == "code"]
    failures = unparsable(course.relative(committed), code)
    yield Verdict(name, "parses", counted(len(code), "cell"), timer(), failures)

    n_blanks = sum(notebooks.count_blanks(source).values())
    failures = [] if notebooks.is_draft(source) else wrong_size(course.relative(path), n_blanks)
    yield Verdict(name, "size", counted(n_blanks, "blank"), timer(), failures)

    answers = notebooks.answer_texts(path)
    texts = {course.relative(committed): "\n".join(cell.source for cell in exercise.cells)}
    texts |= site_texts(course, name)
    tried = f"{counted(len(answers), 'answer')}, {counted(len(texts), 'file')}"
    yield Verdict(name, "secrets", tried, timer(), told_secrets(texts, answers))

    cells = trials.read_cells(source, path.read_text("utf-8"))
    yield from rehearsed(course, name, cells)
    timer()
    failures = wrong_alone(course.relative(committed), exercise, source)
    yield Verdict(name, "runs alone", "1 kernel", timer(), failures)


class Stopwatch:
    """Tells how long it is since it was last asked."""

    def __init__(self):
        self.last = time.perf_counter()

    def __call__(self) -> float:
        before, self.last = self.last, time.perf_counter()
        return self.last - before


def counted(number: int, word: str) -> str:
    """A number with its noun."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def differences(course: Course, name: str) -> list[Failure]:
    """Compare the committed exercise with the one made anew."""
    committed = course.exercise(name)
    where = course.relative(committed)
    try:
        new = notebooks.as_text(notebooks.exercise_notebook(course.solution(name))).encode()
    except NotebookError as error:
        return [Failure(where, f"cannot be made: {error}")]
    if not committed.exists():
        return [Failure(where, "does not exist; `make exercises` makes it")]
    old = committed.read_bytes()
    if new == old:
        return []
    pairs = zip(new.splitlines(), old.splitlines(), strict=False)
    number = next((i for i, (a, b) in enumerate(pairs, start=1) if a != b), None)
    what = "is not what its solution makes; `make exercises` makes it anew"
    return [Failure(f"{where}:{number}" if number else where, what)]


def unparsable(path: str, code: list) -> list[Failure]:
    """List the cells that are no Python."""
    failures = []
    for number, cell in enumerate(code, start=1):
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            where = f"{path}, cell {number}, line {error.lineno}"
            failures.append(
                Failure(where, f"SyntaxError: {error.msg}: {(error.text or '').strip()}")
            )
    return failures


def wrong_size(path: str, n_blanks: int) -> list[Failure]:
    """Complain of an exercise that is too small or too large."""
    if FEWEST_BLANKS <= n_blanks <= MOST_BLANKS:
        return []
    what = f"{counted(n_blanks, 'blank')}; an exercise has {FEWEST_BLANKS} to {MOST_BLANKS}"
    return [Failure(path, what)]


# Secrets --------------------------------------------------------------------------------------


def told_secrets(texts: dict[str, str], answers: list[str]) -> list[Failure]:
    """Look for answers in what a student reads; spaces and line breaks make no difference."""
    return [
        Failure(path, f"gives away the answer `{answer}`")
        for path, text in ((path, squeeze(text)) for path, text in texts.items())
        for answer in answers
        if squeeze(answer) in text
    ]


def site_texts(course: Course, name: str) -> dict[str, str]:
    """Read what the built site says of an exercise; nothing if it was built from another one."""
    site = course.root / "_build" / "html"
    page = site / "exercises" / f"{name}.html"
    committed = course.exercise(name)
    if not page.exists() or not committed.exists():
        return {}
    if page.stat().st_mtime < committed.stat().st_mtime:
        return {}
    texts = {course.relative(page): visible(page.read_text("utf-8"))}
    for path in (site / "_sources" / "exercises" / f"{name}.ipynb", site / "searchindex.js"):
        if path.exists():
            # A backslash in JSON or JavaScript only escapes; answers are compared without it.
            texts[course.relative(path)] = path.read_text("utf-8").replace('\\"', '"')
    return texts


def visible(html: str) -> str:
    """A page's text as somebody reads it, or copies it."""
    return unescape(re.sub(r"<[^>]*>", "", html))


# The rehearsal --------------------------------------------------------------------------------


def rehearsed(course: Course, name: str, cells: list[Cell]) -> Iterator[Verdict]:
    """Run the solution with all trials, and judge what came of them."""
    path = course.relative(course.solution(name))
    toml = course.root / "solutions" / "trials" / f"{name}.toml"
    toml_path = course.relative(toml)
    steps = trials.read_steps(cells)
    written, unusable = trials.read_trials(toml, toml_path, steps)
    unfilled = [trial for step in steps for trial in trials.blank_trials(step, path)]
    strange = [odd_trial(step, path, course.checks) for step in steps]
    tried = unfilled + written + strange
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        rehearsal = trials.rehearse(name, cells, tried, course.check_failed(), course.seconds)
        os.chdir("/")
    judged = {
        kind: [(trial, outcome) for trial, outcome in rehearsal.trials if trial.kind == kind]
        for kind in ("blank", "mistake", "alternative", "odd")
    }
    missing = {kind: not_tried(kind, tried, rehearsal) for kind in judged}

    seconds = sum(outcome.seconds for outcome in rehearsal.solution)
    checks = [cell for cell in cells if cell.is_check]
    failures = wrong_solution(path, cells, rehearsal)
    yield Verdict(name, "solution", counted(len(checks), "check"), seconds, failures)

    def verdict(promise: str, kind: str, tried: str, failures: list[Failure]) -> Verdict:
        seconds = sum(outcome.seconds for _, outcome in judged[kind])
        counts = {kind: len(judged[kind])}
        return Verdict(name, promise, tried, seconds, failures + missing[kind], counts)

    failures = [Failure(*wrong) for pair in judged["blank"] if (wrong := wrong_blank(*pair))]
    yield verdict("blanks", "blank", counted(len(unfilled), "blank"), failures)

    failures = [Failure(toml_path, problem) for problem in unusable["mistake"]]
    try:
        known = course.mistakes(name)
    except Exception as error:  # a module of checks may fail in any way
        known = []
        what = f"the checks cannot be imported: {type(error).__name__}: {error}"
        failures.append(Failure(f"{course.checks}, part {part_of(name)}", what))
    failures += undeclared(
        toml_path, known, [trial for trial in written if trial.kind == "mistake"]
    )
    failures += revealing(known, judged["mistake"])
    failures += [Failure(*wrong) for pair in judged["mistake"] if (wrong := wrong_mistake(*pair))]
    n_names = len({trial.title for trial, _ in judged["mistake"]})
    n_trials = counted(len(judged["mistake"]), "trial")
    result = verdict("mistakes", "mistake", f"{counted(n_names, 'mistake')}, {n_trials}", failures)
    result.counts["known"] = len(known)
    yield result

    failures = [Failure(toml_path, problem) for problem in unusable["alternative"]]
    failures += [Failure(*wrong) for pair in judged["alternative"] if (wrong := wrong_other(*pair))]
    if not judged["alternative"] and not failures:
        failures.append(Failure(toml_path, "tries no alternative"))
    n_others = counted(len(judged["alternative"]), "alternative")
    yield verdict("alternatives", "alternative", n_others, failures)

    failures = [failure for pair in judged["odd"] for failure in wrong_odd(*pair)]
    n_kinds = f"{counted(len(odd.odd_values()), 'kind')} of answers"
    yield verdict("odd answers", "odd", n_kinds, failures)


def not_tried(kind: str, tried: list[Trial], rehearsal: Rehearsal) -> list[Failure]:
    """Complain of trials that the solution stopped too early for."""
    done = [trial for trial, _ in rehearsal.trials]
    left = [trial for trial in tried if trial.kind == kind and trial not in done]
    failures = []
    if left:
        what = "not tried, for the solution stopped before"
        failures.append(Failure(f"{counted(len(left), 'trial')} from {left[0].origin} on", what))
    if rehearsal.threads > 1:
        what = f"the process had {rehearsal.threads} threads; a fork of it proves nothing"
        failures.append(Failure("the gate", what))
    return failures


def wrong_solution(path: str, cells: list[Cell], rehearsal: Rehearsal) -> list[Failure]:
    """Complain of cells that raise, warn, or check and do not say what was right."""
    failures = []
    for cell, outcome in zip(cells, rehearsal.solution, strict=False):
        if outcome.error:
            failures.append(Failure(place(path, cell, outcome.line), outcome.first_lines))
        elif outcome.errors[0]:
            what = f"on the standard error:\n{first_lines(outcome.errors[0])}"
            failures.append(Failure(place(path, cell), what))
        elif cell.is_check and not is_praise(outcome.output[0]):
            failures.append(Failure(place(path, cell), no_praise(outcome.output[0])))
    return failures


def is_praise(text: str) -> bool:
    """Tell whether a check said one thing, and that something was right."""
    return text.startswith("✓ ") and text.count("\n") == 1 and text.endswith("\n")


def no_praise(text: str) -> str:
    """Say what a check printed instead."""
    return f"a check prints one line that starts with ✓; this one printed:\n{first_lines(text)}"


def first_lines(text: str, most: int = 6) -> str:
    """The beginning of a text."""
    lines = text.splitlines()
    return "\n".join(lines[:most] + ["…"] * (len(lines) > most))


def wrong_blank(trial: Trial, outcome: Outcome) -> tuple[str, str] | None:
    """Say what is wrong with how a step took an unfilled blank, if something is."""
    where = f"step {trial.step.name}, {trial.origin}"
    left = f"with `{trial.title}` left as {BLANK}"
    if not outcome.error:
        return where, f"{left} the step and its check go through"
    named = outcome.error == "NameError" and repr(BLANK) in outcome.message
    if not named and not outcome.is_check_failed:
        return where, f"{left} the step stops with something unreadable:\n{outcome.first_lines}"
    return None


def wrong_mistake(trial: Trial, outcome: Outcome) -> tuple[str, str] | None:
    """Say what is wrong with how a check took a mistake, if something is."""
    where = f"step {trial.step.name}, {trial.origin}"
    if not outcome.error:
        return where, f"{trial.title!r} is not caught"
    if not outcome.is_check_failed or outcome.cell != len(trial.step.cells) - 1:
        return (
            where,
            f"{trial.title!r} stops the step, but not at its check:\n{outcome.first_lines}",
        )
    if trial.title not in named_mistakes(outcome.message):
        return where, f"{trial.title!r} is caught and not named:\n{outcome.first_lines}"
    return None


def named_mistakes(message: str) -> list[str]:
    """List the mistakes that the text of a failed check names."""
    return re.findall(r"known mistake: (.*)\.$", message, re.MULTILINE)


def wrong_other(trial: Trial, outcome: Outcome) -> tuple[str, str] | None:
    """Say what is wrong with how a step took an alternative, if something is."""
    where = f"step {trial.step.name}, {trial.origin}"
    if outcome.error:
        return where, f"refused, though it is right ({trial.title}):\n{outcome.first_lines}"
    if not is_praise(outcome.output[-1]):
        return where, f"passes ({trial.title}), but the check does not say so"
    return None


def odd_trial(step: Step, path: str, checks: str) -> Trial:
    """Do a step right, then run its check on answers that are none."""
    *cells, check = step.cells
    names = odd.answers(check.source, [cell.source for cell in cells])
    last = ODD.format(checks=checks, check=check.source, names=names)
    sources = [*(without_marks(cell.source) for cell in cells), last]
    return Trial("odd", ", ".join(names), step, sources, place(path, check))


def wrong_odd(trial: Trial, outcome: Outcome) -> list[Failure]:
    """List the odd answers that a check does not refuse in words."""
    where = f"step {trial.step.name}, {trial.origin}"
    if outcome.error:
        return [Failure(where, outcome.first_lines)]
    return [Failure(where, line) for line in outcome.output[-1].splitlines()]


def undeclared(path: str, known: list, written: list[Trial]) -> list[Failure]:
    """Compare the mistakes that checks know with those that trials make."""
    names, made = [mistake.name for mistake in known], {trial.title for trial in written}
    failures = [
        Failure(path, f"no trial makes the mistake {name!r}")
        for name in dict.fromkeys(names)
        if name not in made
    ]
    failures += [
        Failure(trial.origin, f"the checks know no mistake {trial.title!r}")
        for trial in written
        if trial.title not in names
    ]
    failures += [
        Failure(path, f"the checks have two mistakes called {name!r}")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    return failures


def revealing(known: list, judged: list[tuple[Trial, Outcome]]) -> list[Failure]:
    """Complain of hints in which an answer of the step stands."""
    hints = {mistake.name: mistake.hint for mistake in known}
    failures = {}
    for trial, _ in judged:
        for _, blank_ in trial.step.blanks:
            if not blank_.is_block and tells(hints.get(trial.title, ""), blank_.expression):
                what = f"the hint of {trial.title!r} gives away `{blank_.expression}`"
                failures[what] = Failure(f"step {trial.step.name}, {trial.origin}", what)
    return list(failures.values())


def tells(hint: str, answer: str) -> bool:
    """Tell whether an answer stands in a hint; single names and numbers may."""
    if len(answer) < 4 or re.fullmatch(r"[-+]?[\w.]+", answer):
        return False
    pattern = r"\s*".join(re.escape(character) for character in squeeze(answer))
    return re.search(rf"(?<!\w){pattern}(?!\w)", hint) is not None


# Alone ----------------------------------------------------------------------------------------


def wrong_alone(path: str, exercise: NotebookNode, source: NotebookNode) -> list[Failure]:
    """Fill the exercise in and run it in a kernel, in an empty folder."""
    solved, n_left = solve(exercise, source)
    if n_left:
        what = f"{counted(n_left, 'cell')} of the solution found no place in it"
        return [Failure(path, what)]
    with tempfile.TemporaryDirectory() as folder:
        prepare_kernels(Path(folder) / "kernels", [], trials.SINGLE_THREADED)
        (Path(folder) / "empty").mkdir()
        running = execute(solved, Path(folder) / "empty", trials.SECONDS, partial(say_aside, path))
        try:
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(running)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            text = ANSI_COLOUR.sub("", str(error)).strip()
            return [Failure(path, "\n".join(text.splitlines()[-8:]))]
    return wrong_outputs(path, solved)


def say_aside(path: str, words: str) -> None:
    print(path + words, file=sys.stderr)


def solve(exercise: NotebookNode, source: NotebookNode) -> tuple[NotebookNode, int]:
    """Put the answers into a copy of an exercise.

    Returns
    -------
    solved : NotebookNode
        The exercise with the code that its solution has in the same cells.
    n_left : int
        How many cells of the solution were not found in it.
    """
    solved = nbformat.from_dict(exercise)
    left = [
        cell.source
        for cell in source.cells
        if cell.cell_type == "code" and SOLUTION_ONLY not in cell.metadata.get("tags", [])
    ]
    for cell in solved.cells:
        if cell.cell_type == "code" and left and cell.source == blank(left[0]):
            cell.source = without_marks(left.pop(0))
    return solved, len(left)


def wrong_outputs(path: str, solved: NotebookNode) -> list[Failure]:
    """Complain of warnings, and of checks that do not say what was right."""
    failures = []
    code = [cell for cell in solved.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        streams = {"stdout": "", "stderr": ""}
        for output in cell.outputs:
            if output.output_type == "stream":
                streams[output.name] += output.text
        where = f"{path}, cell {number}"
        if streams["stderr"]:
            what = f"on the standard error:\n{first_lines(streams['stderr'])}"
            failures.append(Failure(where, what))
        if cell.metadata.get("nbgrader", {}).get("locked") and not is_praise(streams["stdout"]):
            failures.append(Failure(where, no_praise(streams["stdout"])))
    return failures
