"""Notebooks on trial: their steps run with other answers than the right ones.

A solution runs once, from top to bottom, in this process. At the start of each step the process
forks a child for every trial of that step: an answer left out, a known mistake, an alternative.
The child runs the step with the other answers up to the check and says through a pipe what became
of it. So the expensive cells before a step run only once, and no trial sees another one.
"""

import ast
import hashlib
import io
import json
import linecache
import math
import os
import re
import resource
import select
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from nbformat import NotebookNode

from coursebuild.blanks import BLANK, Blank, BlankError, fill_cells, find_blanks, without_marks
from coursebuild.mutants import mutants
from coursebuild.notebooks import CHECK, EXERCISE_ONLY
from coursechecks import engine

# Limits count processor time, for on a busy machine everything may take long. What takes none,
# since it sleeps, is waited for PATIENCE times as long.
SECONDS = 60  # that a trial may take; one that takes longer is killed
PATIENCE = 20
BUSY = "it was still running after {:g} s of processor time"
IDLE = "it had not ended after {:g} s"
MOST_MUTANTS = 12  # of one answer
MUTANT_SECONDS = 30  # a mutant may go round for ever, and has then done something else
OBSERVED = {"right", "mistake", "refused", "alternative", "pair", "mutant"}  # their check looks on


# What is tried --------------------------------------------------------------------------------


@dataclass
class Cell:
    """A code cell of a solution.

    Attributes
    ----------
    number : int
        Its place among the code cells, from 1.
    source : str
        Its text, marks included.
    line : int or None
        The line of the solution's file at which the text begins.
    step : str or None
        The step that it belongs to.
    is_check : bool
        Whether it is the check of its step.
    """

    number: int
    source: str
    line: int | None
    step: str | None
    is_check: bool


@dataclass
class Step:
    """A step of a notebook: the cells from its first one to its check.

    Attributes
    ----------
    name : str
        The step's name.
    cells : list of Cell
        The cells, the check last.
    blanks : list of (Cell, Blank)
        All that is left blank in them, in order.
    """

    name: str
    cells: list[Cell]
    blanks: list[tuple[Cell, Blank]]


@dataclass
class Trial:
    """Other answers for a step, and where they come from.

    Attributes
    ----------
    kind : str
        "blank", "odd", "mutant", or one of those of `coursebuild.mistakes`.
    title : str
        The blank, the mistake's name, why the alternative is right, or the names of the answers.
    step : Step
        The step that it belongs to.
    sources : list of str
        The step's cells with these answers.
    origin : str
        Where the trial is written down.
    """

    kind: str
    title: str
    step: Step
    sources: list[str]
    origin: str

    @property
    def key(self) -> str:
        """The same for trials that do the same, wherever they are written down."""
        kind = "observed" if self.kind in OBSERVED - {"mutant"} else self.kind
        return hashlib.sha256(json.dumps([kind, self.step.name, self.sources]).encode()).hexdigest()


@dataclass
class Outcome:
    """What became of a run of one cell or several.

    Attributes
    ----------
    error : str
        The name of the exception's class; empty if there was none, "killed" after too long a time.
    message : str
        The exception's text.
    is_check_failed : bool
        Whether the exception is a CheckFailed.
    cell, line : int
        The cell that raised, by its place in the run from 0, and the line in it from 1.
    output, errors : list of str
        What each cell printed, on the standard output and on the standard error.
    seconds : float
        How long it took.
    facts : dict or None
        What the observer of the step's check saw, where a trial came so far.
    uses : list of str
        The names that the code of the answers uses.
    answers : list of str
        The names of the answers.
    after : list of str
        Of a mutant that did all that the solution does: what the cells behind the step printed.
    values : dict
        And what the notebook's names held in the end (see `digest`).
    """

    error: str = ""
    message: str = ""
    is_check_failed: bool = False
    cell: int = 0
    line: int = 0
    output: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0
    facts: dict | None = None
    uses: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    values: dict = field(default_factory=dict)

    @property
    def first_lines(self) -> str:
        """The exception in a few lines, for a report."""
        lines = f"{self.error}: {self.message}".splitlines()
        return "\n".join(lines[:6] + ["…"] * (len(lines) > 6))


def read_cells(notebook: NotebookNode, text: str) -> list[Cell]:
    """List the code cells that a solution runs, with the lines at which they stand in its text."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    lines = list(_code_lines(text))
    if len(lines) != len(code):  # written in a way that this simple search does not know
        lines = [None] * len(code)
    cells = []
    for number, (cell, line) in enumerate(zip(code, lines, strict=True), start=1):
        tags = cell.metadata.get("tags", [])
        if EXERCISE_ONLY not in tags:
            step = cell.metadata.get("step")
            cells.append(Cell(number, cell.source, line, step, CHECK in tags))
    return cells


def _code_lines(text: str) -> Iterator[int]:
    """Yield the line, from 1, at which the code of each cell of a MyST notebook begins."""
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if not re.match(r"`{3,}\{code-cell\}", line):
            continue
        i += 1
        if i < len(lines) and lines[i].strip() == "---":  # options as YAML between two rules
            i = lines.index("---", i + 1) + 1
        while i < len(lines) and re.match(r":\w[\w-]*:", lines[i]):
            i += 1
        while i < len(lines) and not lines[i].strip():
            i += 1
        yield i + 1


def read_steps(cells: list[Cell]) -> list[Step]:
    """Gather the steps of a notebook that `coursebuild.notebooks` has accepted.

    Parameters
    ----------
    cells : list of Cell
        All code cells. Those between the first cell of a step and its check belong to it, too.

    Returns
    -------
    list of Step
    """
    steps = []
    for name in dict.fromkeys(cell.step for cell in cells if cell.step):
        own = [cell for cell in cells if cell.step == name]
        run = cells[cells.index(own[0]) : cells.index(own[-1]) + 1]
        blanks = [(cell, blank) for cell in own for blank in find_blanks(cell.source)]
        steps.append(Step(name, run, blanks))
    return steps


def blank_trials(step: Step, path: str) -> list[Trial]:
    """Make a trial of each blank of a step, in which it alone is left unfilled."""
    made, seen = [], Counter()
    for cell, blank in step.blanks:
        seen[blank.expression] += 1
        one = {f"{blank.expression} @{seen[blank.expression]}": BLANK}
        sources = fill_cells([cell.source for cell in step.cells], one)
        origin = place(path, cell, blank.line)
        made.append(Trial("blank", blank.expression, step, sources, origin))
    return made


def mutant_trials(step: Step, path: str, most: int) -> list[Trial]:
    """Make a trial of each single edit of each answer of a step."""
    made, seen = [], Counter()
    for cell, blank in step.blanks:
        seen[blank.expression] += 1
        key = f"{blank.expression} @{seen[blank.expression]}"
        names = arguments_around(cell.source, blank.line)
        for text in mutants(blank.answer, names, most):
            try:
                sources = fill_cells([own.source for own in step.cells], {key: text})
            except BlankError:  # an edit that is no Python in this place
                continue
            origin = place(path, cell, blank.line)
            made.append(Trial("mutant", f"{blank.expression} → {text}", step, sources, origin))
    return made


def arguments_around(source: str, line: int) -> list[str]:
    """Names of the arguments of the innermost function that a line of a cell stands in."""
    names = []
    for node in ast.walk(ast.parse(without_marks(source))):
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= node.end_lineno + 2:
            names = [argument.arg for argument in node.args.args]
    return names


def place(path: str, cell: Cell, line: int = 1) -> str:
    """Say where a line of a cell stands: in the file if that is known, else in which cell."""
    if cell.line is None:
        return f"{path}, cell {cell.number}, line {line}"
    return f"{path}:{cell.line + line - 1} (cell {cell.number})"


# Running --------------------------------------------------------------------------------------


def run_cells(
    sources: list[str], namespace: dict, check_failed: type, labels: list[str]
) -> Outcome:
    """Run cells in order in one namespace, until one raises.

    Parameters
    ----------
    sources : list of str
        The cells.
    namespace : dict
        Where their names live; changed.
    check_failed : type
        The exception that a check raises.
    labels : list of str
        What tracebacks call each cell.

    Returns
    -------
    Outcome
        It never raises, not even for `SystemExit` or `KeyboardInterrupt`.
    """
    outcome = Outcome()
    start = time.perf_counter()
    for i, (source, label) in enumerate(zip(sources, labels, strict=True)):
        file_name = f"<{label}>"
        linecache.cache[file_name] = (len(source), None, source.splitlines(True), file_name)
        outcome.cell = i
        with captured() as streams:
            try:
                exec(compile(source, file_name, "exec"), namespace)
            except BaseException as error:
                _note_error(outcome, error, file_name, check_failed)
        outcome.output.append(streams[0])
        outcome.errors.append(streams[1])
        if outcome.error:
            break
    outcome.seconds = time.perf_counter() - start
    return outcome


def _note_error(outcome: Outcome, error: BaseException, file_name: str, check_failed: type) -> None:
    outcome.error = type(error).__name__
    outcome.message = str(error)
    outcome.is_check_failed = isinstance(error, check_failed)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file_name]
    outcome.line = getattr(error, "lineno", 0) if isinstance(error, SyntaxError) else 0
    outcome.line = outcome.line or (lines or [1])[0] or 1


@contextmanager
def captured() -> Iterator[list[str]]:
    """Catch all that is written to the two standard streams, also by compiled code."""
    texts = []
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        old = sys.stdout, sys.stderr
        for stream in old:
            stream.flush()
        kept = os.dup(1), os.dup(2)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.stdout, sys.stderr = (
            io.TextIOWrapper(io.FileIO(fd, "w", closefd=False), "utf-8", write_through=True)
            for fd in (1, 2)
        )
        try:
            yield texts
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            sys.stdout, sys.stderr = old
            for fd, copy in enumerate(kept, start=1):
                os.dup2(copy, fd)
                os.close(copy)
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode("utf-8", "replace"))


def count_threads() -> int:
    """Count this process's threads; those of compiled libraries too, where the system tells."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


def wait_for_one_thread(seconds: float = 60) -> int:
    """Wait until threads that are about to end have ended; return how many are left.

    Transformers reads a model's weights by threads, and goes on before they are gone.
    """
    deadline = time.perf_counter() + seconds
    while count_threads() > 1 and time.perf_counter() < deadline:
        time.sleep(0.01)
    return count_threads()


def in_child(work: Callable[[], Outcome], seconds: float = SECONDS) -> Outcome:
    """Do work in a forked child and return what it returned, whatever happens to the child.

    Parameters
    ----------
    work : callable
        What to do; this process does not see its side effects.
    seconds : float
        The processor time that it may take, in whole seconds, rounded up.

    Returns
    -------
    Outcome
        Its `error` is "killed" if the child took too long, and "died" if it ended by itself
        without an answer.
    """
    start = time.perf_counter()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _answer_and_exit(work, seconds, reader, writer)
    os.close(writer)
    answer, in_time = _read_all(reader, start + PATIENCE * seconds)
    os.close(reader)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    spent = time.perf_counter() - start
    if code == -signal.SIGXCPU:
        return Outcome("killed", BUSY.format(seconds), seconds=spent)
    if not in_time:
        return Outcome("killed", IDLE.format(PATIENCE * seconds), seconds=spent)
    if not answer:
        return Outcome("died", f"its process ended with code {code}", seconds=spent)
    outcome = Outcome(**json.loads(answer))
    outcome.seconds = spent
    return outcome


def _answer_and_exit(work: Callable[[], Outcome], seconds: float, reader: int, writer: int) -> None:
    """Be the child: no way leads out of here but the end of the process."""
    try:
        os.close(reader)
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), most))
        answer = json.dumps(asdict(work())).encode()
        while answer:
            answer = answer[os.write(writer, answer) :]
    finally:
        os._exit(0)


def _read_all(reader: int, deadline: float) -> tuple[bytes, bool]:
    """Read a pipe to its end, or until the deadline; tell which of the two it was."""
    parts = []
    while True:
        left = deadline - time.perf_counter()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            return b"".join(parts), False
        part = os.read(reader, 65536)
        if not part:
            return b"".join(parts), True
        parts.append(part)


@dataclass
class Rehearsal:
    """A solution's run, with all trials.

    Attributes
    ----------
    solution : list of Outcome
        The run of each cell, up to the first one that raised.
    trials : list of (Trial, Outcome)
        What became of each trial; not those of steps that the solution did not reach.
    n_remembered : int
        Of how many that was known before.
    threads : int
        The most threads that this process had when it was about to fork.
    values : dict
        What the notebook's names held in the end (see `digest`).
    """

    solution: list[Outcome] = field(default_factory=list)
    trials: list[tuple[Trial, Outcome]] = field(default_factory=list)
    n_remembered: int = 0
    threads: int = 1
    values: dict = field(default_factory=dict)


def rehearse(
    name: str,
    cells: list[Cell],
    trials: list[Trial],
    check_failed: type,
    seconds: float = SECONDS,
    *,
    only_look: bool = False,
    memory: dict[str, Outcome] | None = None,
) -> Rehearsal:
    """Run a solution once, and each trial of a step in a child forked before that step.

    Parameters
    ----------
    name : str
        The notebook's name.
    cells : list of Cell
        All code cells.
    trials : list of Trial
        What to try. The one of the kind "right" is to be the first of its step.
    check_failed : type
        The exception that a check raises.
    seconds : float
        The processor time that each trial may take.
    only_look : bool
        Whether the checks of the solution itself look on only, since nothing is stored yet that
        they could compare with; and whether no mutant goes on behind its step.
    memory : dict of Outcome
        What trials came to, by their keys; those that are not among them are run, and added.

    Returns
    -------
    Rehearsal
    """
    engine.recorder = (lambda *_: None) if only_look else None
    rehearsal, namespace = Rehearsal(), {"__name__": "__main__"}
    memory = {} if memory is None else memory
    for place, cell in enumerate(cells):
        facts = None
        for trial in [trial for trial in trials if trial.step.cells[0] is cell]:
            if trial.key in memory:
                rehearsal.n_remembered += 1
            else:
                if rehearsal.threads == 1:  # else nothing is proved any more; do not wait again
                    rehearsal.threads = wait_for_one_thread()
                labels = [f"{name}, cell {own.number}" for own in trial.step.cells]
                goes_on = trial.kind == "mutant" and not only_look
                later = cells[place + len(trial.step.cells) :] if goes_on else []
                run = partial(run_trial, trial, namespace, check_failed, labels, later, facts)
                limit = MUTANT_SECONDS if trial.kind == "mutant" else seconds
                memory[trial.key] = in_child(run, limit)
            outcome = memory[trial.key]
            rehearsal.trials.append((trial, outcome))
            facts = outcome.facts if trial.kind == "right" else facts
        with alarm(SECONDS):
            sources, labels = [without_marks(cell.source)], [f"{name}, cell {cell.number}"]
            rehearsal.solution.append(run_cells(sources, namespace, check_failed, labels))
        if rehearsal.solution[-1].error:
            break
    engine.recorder = None
    rehearsal.values = digest(namespace)
    return rehearsal


def run_trial(
    trial: Trial,
    namespace: dict,
    check_failed: type,
    labels: list[str],
    later: list[Cell],
    right: dict | None,
) -> Outcome:
    """Run a step with other answers; its check only looks on, and says what it saw.

    A mutant that does all that the solution does goes on through the rest of the notebook: a real
    run has to tell no more apart than the check did.
    """
    seen = []
    is_observed = trial.kind in OBSERVED
    engine.recorder = (lambda _, observation: seen.append(observation)) if is_observed else None
    outcome = run_cells(trial.sources, namespace, check_failed, labels)
    engine.recorder = None
    if seen and not outcome.error:
        outcome.facts, outcome.uses = seen[-1].facts, seen[-1].uses
        outcome.answers = seen[-1].answers
    is_mutant = trial.kind == "mutant" and right is not None and outcome.facts is not None
    if is_mutant and not engine.first_difference(right, outcome.facts):
        rest = [without_marks(cell.source) for cell in later if not cell.is_check]
        labels = [f"later cell {number}" for number in range(len(rest))]
        after = run_cells(rest, namespace, check_failed, labels)
        outcome.after = [*after.output, *([after.first_lines] if after.error else [])]
        outcome.values = digest(namespace)
    return outcome


def digest(namespace: dict) -> dict:
    """What the names of a notebook hold, as far as it can be compared; arrays by their sums."""
    values = {}
    for name, value in namespace.items():
        if name.startswith("_"):
            continue
        try:
            array = np.asarray(value.detach() if hasattr(value, "detach") else value)
        except (TypeError, ValueError):
            continue
        if array.dtype.kind in "biuf" and array.size:
            numbers = np.ma.filled(np.ma.asarray(value), 0) if np.ma.isMA(value) else array
            flat = np.nan_to_num(numbers.astype(float).ravel())
            weights = np.arange(1, len(flat) + 1) % 97
            values[name] = engine.plain([*array.shape, flat.sum(), (flat * weights).sum()])
        elif isinstance(value, str):
            values[name] = value
    return values


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise a TimeoutError in what takes more of the processor, or far more time without it."""

    limits = (
        (signal.ITIMER_PROF, signal.SIGPROF, BUSY, seconds),
        (signal.ITIMER_REAL, signal.SIGALRM, IDLE, PATIENCE * seconds),
    )

    def ring(number, _):
        raise TimeoutError(next(text.format(s) for _, own, text, s in limits if own == number))

    old = [signal.signal(number, ring) for _, number, _, _ in limits]
    for timer, _, _, most in limits:
        signal.setitimer(timer, most)
    try:
        yield
    finally:
        for (timer, number, _, _), handler in zip(limits, old, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)
