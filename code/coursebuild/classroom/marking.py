"""The marking of one submission: it runs in a sandbox, and each of its steps is judged out here.

As soon as the cells of a step have run, what its answers did is judged. If they are not right, the
right ones take their place before the next step runs, so that no mistake costs more than its own
step. A step's right answers enter a process only after the step itself was judged there for good.
"""

import time
from dataclasses import dataclass, field

from coursebuild.classroom import inside
from coursebuild.classroom.key import BLANK
from coursebuild.classroom.needed import needed
from coursebuild.classroom.rebuild import Rebuilt
from coursebuild.classroom.sandbox import SandboxError, Zygote
from coursechecks.language import say
from coursechecks.verdicts import Verdict, judge

MOST_RUNS = 40  # of one submission; each cell that ends its process costs one more
MOST_ERRORS = 3  # of a step's cells, told to the student
BLANK_WORDS = "is still to be filled"


@dataclass
class StepMark:
    """What a step got.

    Attributes
    ----------
    step : str
    points, maximum : float
    names, hints, lines : list of str
        Known mistakes, their hints, and what else is to be said.
    group : str
        What of the answer is not right.
    errors : list of str
        What its cells raised.
    """

    step: str
    points: float
    maximum: float
    names: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    group: str = ""
    errors: list[str] = field(default_factory=list)


class Marking:
    """Runs a submission until each of its steps is judged.

    Parameters
    ----------
    zygote : Zygote
    known : dict
        What is stored of the exercise's steps.
    right : dict
        What the solution did on the hidden probes of each step.
    """

    def __init__(self, zygote: Zygote, known: dict, right: dict):
        self.zygote, self.key, self.known, self.right = zygote, zygote.key, known, right

    def mark(self, rebuilt: Rebuilt) -> tuple[list[StepMark], list[str]]:
        """The marks of all steps, and what else is to be told."""
        self.rebuilt = rebuilt
        self.verdicts: dict[str, Verdict] = {}
        self.errors: dict[str, list[str]] = {}
        self.told: list[str] = []
        self.skipped: set[int] = set()
        self.again: list[str] = []  # steps that failed where traces of earlier failures were left
        self.end = self.zygote.spent + self.zygote.limits.total_seconds
        for _ in range(MOST_RUNS):
            at = self._run(self._wrong()) if self._left() > 0 else None
            if at is None:
                break
            self._died(at)
        for step in self.again:
            if self._left() > 0:
                self._second_chance(step)
        return [self._mark(step) for step in self.key.steps], list(dict.fromkeys(self.told))

    def _left(self) -> float:
        """Processor time that this submission may still take."""
        return self.end - self.zygote.spent

    def _wrong(self) -> set[str]:
        return {step for step, verdict in self.verdicts.items() if not verdict.passed}

    def _second_chance(self, step: str) -> None:
        """Try a step once more in a process in which no wrong answer of another one ever ran."""
        before = self.verdicts.pop(step)
        self._run(self._wrong() - {step}, until=step)
        verdict = self.verdicts.get(step)
        if verdict is None or not verdict.passed:
            self.verdicts[step] = before

    def _run(self, replaced: set[str], until: str | None = None) -> int | None:
        """Run the submission once; the place of the cell that ended its process, if one did."""
        cells = list(self._cells(replaced, until))
        at = 0
        with self.zygote.submission() as connection:
            job = self.zygote.frame(self._left()) | {"cells": [cell for _, cell in cells]}
            try:
                inside.send(connection, job)
                if "begins" not in (first := inside.receive(connection)):
                    raise SandboxError(f"a submission could not begin: {first.get('broken')}")
                for place, cell in cells:
                    inside.receive(connection)  # the cell before it has ended, and it begins
                    at = place
                    if cell["kind"] == "observe":
                        report = self._report(connection)
                        inside.send(connection, self._judge(cell["step"], report))
            except (EOFError, OSError, ValueError, RecursionError):
                return at
        return None

    def _report(self, connection) -> dict:
        """What a step's answers did, as the sandbox says, for which nobody vouches."""
        message = inside.receive(connection)
        if not isinstance(message, dict):
            raise ValueError("what came is no report")
        return message

    def _cells(self, replaced: set[str], until: str | None):
        """The cells of a run: wrong steps replaced, and what is judged already not judged again."""
        for place, cell in enumerate(self.rebuilt.cells):
            step = cell.get("step")
            if place in self.skipped:
                continue
            if cell["kind"] == "observe":
                if step not in self.verdicts:
                    yield place, cell
                if step == until:
                    return
            elif cell["kind"] == "answer" and step in replaced:
                sources = [self.key.solutions[cell["label"]]]
                yield place, cell | {"kind": "given", "sources": sources, "replaced": True}
            else:
                yield place, cell

    def _judge(self, step: str, report: dict) -> dict:
        """Judge a step, once and for all in this process, and say how to go on."""
        self._note(step, report)
        verdict = self._verdict(step, report)
        self.verdicts[step] = verdict
        if verdict.passed:
            return {}
        is_blank = any(BLANK_WORDS in line for line in verdict.lines) or "missing" in report
        if report.get("is_own") is not True and not is_blank and step not in self.again:
            self.again.append(step)
        return {"sources": self.key.solution_of(step)}

    def _verdict(self, step: str, report: dict) -> Verdict:
        if "missing" in report:
            name = str(report["missing"])[:80]
            line = say("the name {name} is not there after the step's cells ran", name=name)
            if any(f"name '{BLANK}'" in error for error in self.errors.get(step, [])):
                line = say("a blank {blank} of this step is still to be filled", blank=BLANK)
            return Verdict(False, lines=[line])
        if "stopped" in report:
            return Verdict(False, lines=[str(report["stopped"])[:500]])
        documents = (_text(report.get("visible")), _text(report.get("hidden")))
        return judge(self.known[step], *documents, self.right[step])

    def _note(self, step: str, report: dict) -> None:
        """Keep what is to be told: of errors, those of the student's own cells of this step."""
        told = report.get("told")
        self.told += [str(line)[:200] for line in told[:20]] if isinstance(told, list) else []
        errors = report.get("errors")
        found = []
        for error in errors[:40] if isinstance(errors, list) else []:
            if isinstance(error, dict) and error.get("step") == step:
                says = f": {error['says']}" if error.get("says") else ""
                found.append(f"line {error.get('line')}: {error.get('error')}{says}"[:400])
        self.errors.setdefault(step, found[:MOST_ERRORS])

    def _died(self, at: int) -> None:
        """A cell ended the process: it costs its step, or is left out if it has none."""
        cell = self.rebuilt.cells[at]
        step = cell.get("step")
        if step is None or step in self.verdicts:
            self.skipped.add(at)
            text = say("{cell}: it ended the program, and was left out.", cell=cell["label"])
            self.told.append(text)
        else:
            line = say("the program ended, or was ended at a limit, while this step ran")
            self.verdicts[step] = Verdict(False, lines=[line])

    def _mark(self, step: str) -> StepMark:
        line = say("the program ended, or ran out of time, before this step")
        gone = Verdict(False, lines=[line])
        verdict, maximum = self.verdicts.get(step, gone), self.key.steps[step]
        if verdict.passed:
            return StepMark(step, maximum, maximum)
        said = (list(verdict.names), list(verdict.hints), list(verdict.lines))
        return StepMark(step, 0.0, maximum, *said, verdict.group, self.errors.get(step, []))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def solve(zygote: Zygote, known: dict) -> dict[str, str]:
    """What the solution does on the hidden probes of each step, in the submissions' sandbox.

    Raises
    ------
    SandboxError
        If the solution itself is not right there: then nobody can be graded.
    """
    rebuilt, key = Rebuilt(), zygote.key
    for cell in key.cells:
        base = {"label": cell.id, "step": cell.step}
        if cell.kind == "check":
            base |= {"kind": "observe", "answers": key.answers_of(cell.step)}
            rebuilt.cells.append(base | {"other": {}, "defines": {}})
        elif cell.kind in ("given", "answer"):
            sources = [cell.source if cell.solution is None else cell.solution]
            rebuilt.cells.append(base | {"kind": "given", "sources": sources})
    rebuilt.cells = needed(rebuilt.cells, key.solutions)
    marking = _Solving(zygote, known, {})
    start = time.perf_counter()
    marks, _ = marking.mark(rebuilt)
    wrong = [mark for mark in marks if not mark.points]
    if wrong:
        words = "; ".join([*wrong[0].lines, *wrong[0].errors])
        spent = time.perf_counter() - start
        raise SandboxError(
            f"the solution of {key.name} does not pass step {wrong[0].step} in the sandbox "
            f"({words}; {spent:.0f} s); nobody can be graded before it does"
        )
    return marking.right


class _Solving(Marking):
    """Takes what comes as what is right on the hidden probes; the visible ones it has to pass."""

    def _verdict(self, step: str, report: dict) -> Verdict:
        self.right[step] = report.get("hidden", "")
        return super()._verdict(step, report)
