"""What an exercise promises to its readers, and how each promise is tried out.

One notebook at a time; `coursebuild.gate` is the command that tries them all. The promises, in
the order in which they are tried:

committed      the exercise made anew is the committed file, byte for byte
parses         every cell of the exercise is Python, blanks and all
size           it has 8 to 25 blanks
secrets        no answer stands in the exercise or, once built, on its page, in the page's source
               or in the search index
languages      in each language that it is translated into, the exercise has the same cells, points,
               blanks and code, and neither its words nor its hints give an answer away
solution       the solution runs from top to bottom, each check says what was right, nothing warns
blanks         each blank, alone left unfilled, stops its own step with a readable message
stored         what the checks know is what right and wrong programs do now
mistakes       each known mistake is caught, by its name alone; its hint leaves out the answer
two at once    two mistakes at once get both names, or one of the two, or none
alternatives   each valid other answer passes
mutants        a single edit of an answer is refused, unless nobody could tell it from the answer
says no answer what a check says of a wrong answer holds no number that would pass
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
from itertools import zip_longest
from pathlib import Path

import nbformat
import numpy as np
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from coursebuild import memory, mistakes, notebooks, odd, trials
from coursebuild.blanks import BLANK, blank, without_marks
from coursebuild.catalogues import Catalogue, CatalogueError, Language, languages
from coursebuild.classroom import forks
from coursebuild.course import CourseError
from coursebuild.execution import ANSI_COLOUR, execute, prepare_kernels
from coursebuild.messages import without_docstrings
from coursebuild.mistakes import Known
from coursebuild.notebooks import (
    FEWEST_BLANKS,
    MOST_BLANKS,
    SOLUTION_ONLY,
    BlankAnswers,
    NotebookError,
    squeeze,
)
from coursebuild.rules import counted
from coursebuild.tables import TableError
from coursebuild.trials import Cell, Outcome, Rehearsal, Step, Trial, place
from coursechecks.engine import CheckFailed, Finding, Observation, diagnose, load, message
from coursechecks.words import same

PROMISES = (
    "committed",
    "parses",
    "size",
    "secrets",
    "languages",
    "solution",
    "blanks",
    "stored",
    "mistakes",
    "two at once",
    "alternatives",
    "mutants",
    "says no answer",
    "odd answers",
    "runs alone",
)
SLOW = {"mutants": "mutant", "odd answers": "odd", "runs alone": ""}  # and the kind of trials

WRONG = ("mistake", "refused", "pair", "mutant")  # kinds of trials that should not pass
FRACTION = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")

ODD = """\
from coursebuild.odd import crashes
from coursechecks.engine import CheckFailed

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
        The package of the checks below `code`, with a module ``exN`` for each notebook ``NN-…``.
    seconds : float
        The processor time that a trial may take.
    edits : int
        How many single edits of an answer are tried, at most.
    without : tuple of str
        Promises that are left out, of those that take longest (`SLOW`).
    remembers : bool
        Whether trials are not run again while nothing that they rest on has changed.
    """

    root: Path
    checks: str
    seconds: float = trials.SECONDS
    edits: int = trials.MOST_MUTANTS
    without: tuple[str, ...] = ()
    remembers: bool = True

    @property
    def promises(self) -> list[str]:
        """The promises that are tried."""
        return [promise for promise in PROMISES if promise not in self.without]

    def solution(self, name: str) -> Path:
        """Where the source of a notebook is."""
        return self.root / "solutions" / f"{name}.md"

    def exercise(self, name: str) -> Path:
        """Where the committed exercise is."""
        return self.root / "exercises" / f"{name}.ipynb"

    def mistakes(self, name: str) -> Path:
        """Where the known mistakes of a notebook are written."""
        return self.root / "solutions" / "mistakes" / f"{number_of(name)}.toml"

    def stored(self, name: str) -> Path:
        """Where it is stored what right and wrong programs do."""
        return self.root / "code" / self.checks / "seen" / f"{number_of(name)}.json.xz"

    def names(self, wanted: list[str]) -> list[str]:
        """The notebooks that were asked for, or all.

        Raises
        ------
        CourseError
            If one of them is not there.
        """
        known = sorted(path.stem for path in (self.root / "solutions").glob("*.md"))
        unknown = [name for name in wanted if name not in known]
        if unknown or not known:
            there = ", ".join(known) or "none"
            what = f"there is no {unknown[0]!r}; " if unknown else ""
            raise CourseError(f"{what}{self.root / 'solutions'} has these notebooks: {there}")
        return wanted or known

    def rests_on(self, name: str) -> dict[str, str]:
        """All that the programs of a notebook rest on (see `coursebuild.memory`)."""
        if not self.stored(name).is_file():
            return {}
        return memory.rests_on(self.root, self.solution(name), [self.mistakes(name)])

    def relative(self, path: Path) -> str:
        """A path as the report says it."""
        return path.relative_to(self.root).as_posix()


def number_of(name: str) -> str:
    """The two digits that a notebook's name begins with."""
    return name.partition("-")[0]


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

    spoken = list(spoken_by(course, name))
    failures = [failure for one in spoken for failure in wrong_translation(course, name, one)]
    tried = counted(len(spoken), "translation")
    yield Verdict(name, "languages", tried, timer(), failures)

    yield from rehearsed(course, name)
    timer()
    if "runs alone" in course.promises:
        failures = wrong_alone(course.relative(committed), exercise, source)
        yield Verdict(name, "runs alone", "1 kernel", timer(), failures)


class Stopwatch:
    """Tells how long it is since it was last asked."""

    def __init__(self):
        self.last = time.perf_counter()

    def __call__(self) -> float:
        before, self.last = self.last, time.perf_counter()
        return self.last - before


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


# Languages ------------------------------------------------------------------------------------


def spoken_by(course: Course, name: str) -> Iterator[Language]:
    """The languages that an exercise is translated into."""
    for one in languages(course.root):
        language = Language(course.root, one)
        if language.path(f"solutions/{name}").is_file():
            yield language


def wrong_translation(course: Course, name: str, language: Language) -> Iterator[Failure]:
    """Complain of a translated exercise that is another one, or gives something away."""
    where = course.relative(language.path(f"solutions/{name}"))
    source = course.solution(name)
    try:
        english = notebooks.exercise_notebook(source)
        made = notebooks.exercise_notebook(source, language=language)
    except (NotebookError, CatalogueError) as error:
        yield Failure(where, str(error))
        return
    if len(made.cells) != len(english.cells):
        yield Failure(where, f"has {len(made.cells)} cells, and {len(english.cells)} in English")
    for one, other in zip(english.cells, made.cells, strict=False):
        if (one.id, one.cell_type, one.metadata) != (other.id, other.cell_type, other.metadata):
            yield Failure(where, f"cell {other.id} is {one.id} in English, or graded otherwise")
        elif one.cell_type == "code" and _code_of(one) != _code_of(other):
            yield Failure(where, f"cell {one.id} is other code than in English")
    catalogue = language.checks
    for hint in hints_of(course.mistakes(name)):
        told, wanted = (set(FRACTION.findall(text)) for text in (catalogue(hint), hint))
        if told - wanted:
            numbers = ", ".join(sorted(told - wanted))
            yield Failure(course.relative(catalogue.path), f"a hint tells {numbers}: {hint}")


def _code_of(cell: NotebookNode) -> str:
    """What a cell does, without its comments, its docstrings and the language of its checks."""
    tree = without_docstrings(cell.source)
    tree.body = [node for node in tree.body if "speak" not in ast.unparse(node)]
    return ast.dump(tree)


def hints_of(toml: Path) -> list[str]:
    """The hints in a file of mistakes; of one that cannot be read another promise complains."""
    try:
        steps = mistakes.read(toml).values()
    except (FileNotFoundError, TableError):
        return []
    return [one["hint"] for step in steps for one in step.get("mistake", []) if "hint" in one]


# The rehearsal --------------------------------------------------------------------------------


@dataclass
class Rehearsed:
    """A notebook's rehearsal, with what is known of it.

    Attributes
    ----------
    path, toml : str
        The solution and its mistakes, as the report says them.
    is_draft : bool
        Whether it may lack what only a release must have.
    cells : list of Cell
    steps : list of Step
    known : Known
    tried : list of Trial
        Everything that was to be tried.
    rehearsal : Rehearsal
    stored : dict of dict
        What the checks should know, by step.
    """

    path: str
    toml: str
    is_draft: bool
    cells: list[Cell]
    steps: list[Step]
    known: Known
    tried: list[Trial]
    rehearsal: Rehearsal
    stored: dict[str, dict]
    _findings: dict[int, Finding | None] = field(default_factory=dict)  # several promises ask

    def judged(self, kind: str) -> list[tuple[Trial, Outcome]]:
        """The trials of a kind with what became of them."""
        return [pair for pair in self.rehearsal.trials if pair[0].kind == kind]

    def finding(self, trial: Trial, outcome: Outcome) -> Finding | None:
        """What the check of a trial's step finds wrong with it; None if nothing."""
        step = self.stored.get(trial.step.name)
        if step is None:
            return None
        if id(outcome) not in self._findings:
            seen = Observation(outcome.facts, outcome.uses)
            self._findings[id(outcome)] = diagnose(step, seen)
        return self._findings[id(outcome)]


def rehearse(course: Course, name: str, only: set[str] | None = None) -> Rehearsed:
    """Run a solution with all trials that the course asks for.

    With `only`, those are the trials of some kinds, and the checks of the solution itself look on.

    Raises
    ------
    NotebookError
        If the solution breaks a rule.
    """
    path, toml = course.solution(name), course.mistakes(name)
    source = notebooks.read_solution(path)
    cells = trials.read_cells(source, path.read_text("utf-8"))
    steps = trials.read_steps(cells)
    known = Known(toml, course.relative(toml), steps)
    tried = list(known.trials)
    for step in steps:
        tried += trials.blank_trials(step, course.relative(path))
        tried += trials.mutant_trials(step, course.relative(path), course.edits)
        tried.append(odd_trial(step, course.relative(path)))
    if only is not None:
        tried = [trial for trial in tried if trial.kind in only]
    left_out = {SLOW[promise] for promise in course.without}
    tried = [trial for trial in tried if trial.kind not in left_out]
    inputs = course.rests_on(name) if course.remembers else {}
    outcomes = memory.load(course.root, name, inputs)
    options = {"only_look": only is not None, "memory": outcomes}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        rehearsal = trials.rehearse(name, cells, tried, CheckFailed, course.seconds, **options)
        os.chdir("/")
    memory.keep(course.root, name, inputs, outcomes)
    kept = mistakes.stored(known, rehearsal.trials)
    return Rehearsed(
        course.relative(path),
        course.relative(toml),
        notebooks.is_draft(source),
        cells,
        steps,
        known,
        tried,
        rehearsal,
        kept,
    )


def rehearsed(course: Course, name: str) -> Iterator[Verdict]:
    """Run the solution with all trials, and judge what came of them."""
    done = rehearse(course, name)
    seconds = sum(outcome.seconds for outcome in done.rehearsal.solution)
    checks = [cell for cell in done.cells if cell.is_check]
    failures = wrong_solution(done.path, done.cells, done.rehearsal)
    known = f", {counted(n, 'trial')} known" if (n := done.rehearsal.n_remembered) else ""
    yield Verdict(name, "solution", counted(len(checks), "check") + known, seconds, failures)

    def verdict(promise: str, kind: str, tried: str, failures: list[Failure]) -> Verdict:
        judged = done.judged(kind)
        seconds = sum(outcome.seconds for _, outcome in judged)
        missing = not_tried(kind, done.tried, done.rehearsal)
        return Verdict(name, promise, tried, seconds, failures + missing, {kind: len(judged)})

    blanks = done.judged("blank")
    failures = [Failure(*wrong) for pair in blanks if (wrong := wrong_blank(*pair))]
    yield verdict("blanks", "blank", counted(len(blanks), "blank"), failures)

    stored = course.stored(name)
    failures = not_stored(course.relative(stored), load(stored) if stored.is_file() else None, done)
    yield verdict("stored", "right", counted(len(done.stored), "step"), failures)

    n_names = sum(len(words["mistakes"]) for words in done.known.words.values())
    failures = [Failure(done.toml, problem) for problem in done.known.problems]
    failures += revealing(done, [language.checks for language in spoken_by(course, name)])
    failures += [f for pair in done.judged("mistake") if (f := wrong_mistake(done, *pair))]
    failures += [f for pair in done.judged("refused") if (f := not_refused(done, *pair))]
    n_trials = len(done.judged("mistake")) + len(done.judged("refused"))
    tried = f"{counted(n_names, 'mistake')}, {counted(n_trials, 'trial')}"
    result = verdict("mistakes", "mistake", tried, failures)
    result.counts["known"] = n_names
    yield result

    pairs = done.judged("pair")
    failures = [f for pair in pairs if (f := wrong_pair(done, *pair))]
    yield verdict("two at once", "pair", counted(len(pairs), "pair"), failures)

    others = done.judged("alternative")
    failures = [f for pair in others if (f := wrong_other(done, *pair))]
    if not others and not done.is_draft:
        failures.append(Failure(done.toml, "tries no alternative"))
    yield verdict("alternatives", "alternative", counted(len(others), "alternative"), failures)

    if "mutants" in course.promises:
        failures = [f for pair in done.judged("mutant") if (f := wrong_mutant(done, *pair))]
        yield verdict("mutants", "mutant", told_mutants(done), failures)

    wrong = [pair for kind in WRONG for pair in done.judged(kind)]
    failures = [f for pair in wrong if (f := told_answer(done, *pair))]
    yield verdict("says no answer", "", counted(len(wrong), "text"), failures)

    if "odd answers" in course.promises:
        failures = [failure for pair in done.judged("odd") for failure in wrong_odd(*pair)]
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


def not_stored(path: str, old: dict | None, done: Rehearsed) -> list[Failure]:
    """Complain if what the checks know is not what right and wrong programs do."""
    way_out = "`make exercises` stores it anew"
    if old is None:
        return [Failure(path, f"does not exist; {way_out}")]
    failures = [
        Failure(path, f"step {name}: is not what its programs do now; {way_out}")
        for name in {**old, **done.stored}
        if not same(old.get(name), done.stored.get(name))
    ]
    if not failures and list(old) != list(done.stored):
        failures.append(Failure(path, f"has its steps in another order; {way_out}"))
    return failures


def _where(trial: Trial) -> str:
    return f"step {trial.step.name}, {trial.origin}"


def wrong_mistake(done: Rehearsed, trial: Trial, outcome: Outcome) -> Failure | None:
    """Say what is wrong with how a check took a mistake, if something is."""
    if failure := not_refused(done, trial, outcome):
        return failure
    finding = done.finding(trial, outcome)
    if finding.names != [trial.title]:
        told = ", ".join(map(repr, finding.names)) or "no name"
        return Failure(_where(trial), f"{trial.title!r} is told as {told}\n{message(finding)}")
    return None


def not_refused(done: Rehearsed, trial: Trial, outcome: Outcome) -> Failure | None:
    """Complain of a wrong program that passes, or does not come to its check."""
    if outcome.facts is None:
        what = f"{trial.title!r} stops the step before its check:\n{outcome.first_lines}"
        return Failure(_where(trial), what)
    if done.finding(trial, outcome) is None:
        return Failure(_where(trial), f"{trial.title!r} is not caught")
    return None


def wrong_pair(done: Rehearsed, trial: Trial, outcome: Outcome) -> Failure | None:
    """Say what is wrong with how a check took two mistakes at once, if something is."""
    finding = done.finding(trial, outcome) if outcome.facts is not None else None
    if finding is None:  # two that undo each other are right
        return None
    step, names = done.stored[trial.step.name], trial.title.split("\n")
    false = mistakes.false_names(step, finding.names, names, outcome.facts)
    if not false:
        return None
    both = " and ".join(map(repr, trial.title.split("\n")))
    return Failure(_where(trial), f"{both} are told as {', '.join(map(repr, false))}")


def wrong_mutant(done: Rehearsed, trial: Trial, outcome: Outcome) -> Failure | None:
    """Complain of an edit that passes, though the rest of the notebook tells it apart."""
    if not passes(done, trial, outcome):
        return None
    start = done.cells.index(trial.step.cells[-1]) + 1
    later = zip(done.cells[start:], done.rehearsal.solution[start:], strict=False)
    ran = [outcome for cell, outcome in later if not cell.is_check]
    right = [o.output[0] for o in ran] + [o.first_lines for o in ran if o.error]
    apart = [
        f"printed\n{first_lines(came)}"
        for wanted, came in zip_longest(right, outcome.after, fillvalue="")
        if not same_text(wanted, came)
    ]
    old, new = done.rehearsal.values, outcome.values
    # What only some step of the solution changed later says nothing of this one.
    apart += [
        f"`{name}` is another" for name in old if name in new and not same(old[name], new[name])
    ]
    if not apart:
        return None
    what = f"`{trial.title}` passes, and further on {apart[0]}"
    return Failure(_where(trial), what)


def passes(done: Rehearsed, trial: Trial, outcome: Outcome) -> bool:
    """Whether a trial came to its check and would have been found right."""
    return outcome.facts is not None and done.finding(trial, outcome) is None


def same_text(wanted: str, came: str) -> bool:
    """Whether two printed texts are the same, their numbers but for the last digits."""
    split = [re.split(r"(-?\d+\.?\d*(?:e[-+]?\d+)?)", text) for text in (wanted, came)]
    if len(split[0]) != len(split[1]):
        return False
    words = all(a == b for a, b in zip(split[0][::2], split[1][::2], strict=True))
    numbers = zip(split[0][1::2], split[1][1::2], strict=True)
    return words and all(np.isclose(float(a), float(b), rtol=1e-3) for a, b in numbers)


def told_mutants(done: Rehearsed) -> str:
    """How many edits were tried, refused, and given a name."""
    judged = done.judged("mutant")
    refused = [pair for pair in judged if not passes(done, *pair)]
    findings = [done.finding(t, o) for t, o in refused if o.facts is not None]
    n_named = sum(bool(finding and finding.names) for finding in findings)
    return f"{counted(len(judged), 'edit')}, {len(refused)} refused, {n_named} named"


def told_answer(done: Rehearsed, trial: Trial, outcome: Outcome) -> Failure | None:
    """Complain of a text in which a number stands that the solution has, and the answer has not."""
    finding = done.finding(trial, outcome) if outcome.facts is not None else None
    if finding is None:
        return None
    words = [line.rpartition(": ")[2] for line in finding.lines]  # the probe may be told
    words += [mistake["hint"] for mistake in finding.mistakes]
    told = [float(text) for text in FRACTION.findall("\n".join(words))]
    right = all_numbers(done.stored[trial.step.name]["facts"], texts=True)
    for number in told:
        near = [value for value in right if np.isclose(number, value, rtol=1e-3, atol=0)]
        if near and not any(np.isclose(number, v, rtol=1e-3) for v in all_numbers(outcome.facts)):
            return Failure(_where(trial), f"the check tells {number:g}:\n{message(finding)}")
    return None


def all_numbers(value, texts: bool = False) -> set[float]:
    """All numbers in a canonical form that are not whole, also those in its texts."""
    if isinstance(value, (dict, list)):
        values = value.values() if isinstance(value, dict) else value
        return set().union(*(all_numbers(inner, texts) for inner in values))
    if texts and isinstance(value, str):
        return set(map(float, FRACTION.findall(value)))
    return {value} if isinstance(value, float) and value % 1 else set()


def wrong_other(done: Rehearsed, trial: Trial, outcome: Outcome) -> Failure | None:
    """Say what is wrong with how a step took an alternative, if something is."""
    if outcome.facts is None:
        said = outcome.first_lines
    elif finding := done.finding(trial, outcome):
        said = message(finding)
    else:
        return None
    return Failure(_where(trial), f"refused, though it is right ({trial.title}):\n{said}")


def odd_trial(step: Step, path: str) -> Trial:
    """Do a step right, then run its check on answers that are none."""
    *cells, check = step.cells
    names = odd.answers(check.source, [cell.source for cell in cells])
    last = ODD.format(check=check.source, names=names)
    sources = [*(without_marks(cell.source) for cell in cells), last]
    return Trial("odd", ", ".join(names), step, sources, place(path, check))


def wrong_odd(trial: Trial, outcome: Outcome) -> list[Failure]:
    """List the odd answers that a check does not refuse in words."""
    where = f"step {trial.step.name}, {trial.origin}"
    if outcome.error:
        return [Failure(where, outcome.first_lines)]
    return [Failure(where, line) for line in outcome.output[-1].splitlines()]


def revealing(done: Rehearsed, catalogues: list[Catalogue]) -> list[Failure]:
    """Complain of hints in which an answer of their step stands, in any language."""
    return [
        Failure(f"{done.toml}, step {step.name}", what)
        for step in done.steps
        for mistake in done.known.words[step.name]["mistakes"]
        for _, blank_ in step.blanks
        if not blank_.is_block
        and any(tells(say(mistake["hint"]), blank_.expression) for say in (str, *catalogues))
        for what in [f"the hint of {mistake['name']!r} gives away `{blank_.expression}`"]
    ]


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
        prepare_kernels(Path(folder) / "kernels", [], forks.VARIABLES)
        (Path(folder) / "empty").mkdir()
        seconds = trials.PATIENCE * trials.SECONDS  # a kernel's processor time nobody counts
        running = execute(solved, Path(folder) / "empty", seconds, partial(say_aside, path))
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
