"""Trials in forks: limits count processor time, and what is known already is not run again."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coursebuild import gate, memory, promises, trials
from coursebuild.trials import Outcome

ENDLESS = "while True: pass"
STUBBORN = "while True:\n    try:\n        pass\n    except BaseException:\n        pass"
ASLEEP = "import time; time.sleep(1000)"


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Do not wait for the threads that this process has of other tests."""
    monkeypatch.setattr(trials, "wait_for_one_thread", lambda: 1)


def run(source: str, seconds: float = 1) -> Outcome:
    """Run a cell in a fork that may take so much of the processor."""
    return trials.in_child(
        lambda: trials.run_cells([source], {}, AssertionError, ["a cell"]), seconds
    )


# Limits ---------------------------------------------------------------------------------------


def test_a_child_sees_the_cells_before_and_changes_nothing():
    namespace = {"values": [1]}
    source = "values.append(2)\nprint(values)"
    outcome = trials.in_child(
        lambda: trials.run_cells([source], namespace, AssertionError, ["a cell"])
    )
    assert (outcome.error, outcome.output) == ("", ["[1, 2]\n"])
    assert namespace["values"] == [1]


def test_a_trial_that_waits_is_not_killed_for_it():
    assert run("import time; time.sleep(1.5)", seconds=1).error == ""


@pytest.mark.parametrize("source", [ENDLESS, STUBBORN])
def test_a_trial_that_never_ends_is_killed(source):
    outcome = run(source)
    assert (outcome.error, outcome.message) == ("killed", trials.BUSY.format(1))


def test_a_trial_that_sleeps_for_ever_is_killed(monkeypatch):
    monkeypatch.setattr(trials, "PATIENCE", 0.2)
    outcome = run(ASLEEP)
    assert (outcome.error, outcome.message) == ("killed", "it had not ended after 0.2 s")


@pytest.mark.parametrize(
    ("source", "patience", "words"),
    [(ENDLESS, 1000, "after 0.5 s of processor time"), (ASLEEP, 0.2, "not ended after 0.1 s")],
)
def test_a_cell_of_a_solution_that_never_ends_is_stopped(source, patience, words, monkeypatch):
    monkeypatch.setattr(trials, "PATIENCE", patience)
    handlers = [signal.getsignal(number) for number in (signal.SIGPROF, signal.SIGALRM)]
    with pytest.raises(TimeoutError, match=words), trials.alarm(0.5):
        exec(source)
    assert [signal.getsignal(number) for number in (signal.SIGPROF, signal.SIGALRM)] == handlers


def test_threads_are_waited_for_once(monkeypatch):
    waits = []
    monkeypatch.setattr(trials, "wait_for_one_thread", lambda: waits.append(1) or 2)
    rehearsed(["a = 1 + 1  # blank: 1 + 1", "b = 2 + 2  # blank: 2 + 2"])
    assert len(waits) == 1


# What is known already ------------------------------------------------------------------------


def rehearsed(sources: list[str], known: dict | None = None) -> trials.Rehearsal:
    """Run a solution of one step, and its trials with one blank left each."""
    sources = [*sources, "print('✓ right')"]
    last = len(sources)
    cells = [trials.Cell(i, text, None, "sums", i == last) for i, text in enumerate(sources, 1)]
    made = trials.blank_trials(trials.read_steps(cells)[0], "x.md")
    return trials.rehearse("x", cells, made, AssertionError, memory=known)


def test_what_is_known_is_not_run_again(monkeypatch):
    known = {}
    first = rehearsed(["a = 1 + 1  # blank: 1 + 1"], known)
    monkeypatch.setattr(trials, "in_child", lambda *_: pytest.fail("ran again"))
    again = rehearsed(["a = 1 + 1  # blank: 1 + 1"], known)
    assert [outcome.error for _, outcome in again.trials] == ["NameError"]
    assert (first.n_remembered, again.n_remembered) == (0, 1)


def test_what_is_not_known_is_run_and_becomes_known():
    known = {}
    rehearsed(["a = 1 + 1  # blank: 1 + 1"], known)
    more = rehearsed(["a = 1 + 1  # blank: 1 + 1", "b = 2 * a  # blank: 2 * a"], known)
    assert (more.n_remembered, len(known)) == (0, 3)  # the first one has a cell more to run


def trial(kind: str, *sources: str, step: str = "sums") -> trials.Trial:
    return trials.Trial(kind, "a title", trials.Step(step, [], []), list(sources), "a place")


def test_trials_that_do_the_same_have_one_key():
    mistake = trial("mistake", "a = 1")
    assert mistake.key == trial("refused", "a = 1").key
    others = [trial("mutant", "a = 1"), trial("odd", "a = 1"), trial("blank", "a = 1")]
    others += [trial("mistake", "a = 2"), trial("mistake", "a = 1", step="means")]
    assert len({mistake.key, *(other.key for other in others)}) == 6


def test_outcomes_are_kept_while_what_they_rest_on_is_the_same(tmp_path):
    outcome = Outcome(output=["a"], facts={"a: one": float("inf")}, seconds=2.5)
    memory.keep(tmp_path, "01-sums", {"page": "1"}, {"key": outcome})
    [kept] = memory.load(tmp_path, "01-sums", {"page": "1"}).values()
    assert (kept.output, kept.facts, kept.seconds) == (outcome.output, outcome.facts, 0)
    assert memory.load(tmp_path, "01-sums", {"page": "2"}) == {}
    assert memory.load(tmp_path, "02-means", {"page": "1"}) == {}


@pytest.mark.parametrize(
    ("inputs", "outcome"),
    [
        ({}, Outcome()),  # nobody knows what it rests on
        ({"page": "1"}, Outcome("killed")),
        ({"page": "1"}, Outcome("died")),
    ],
)
def test_what_may_come_out_otherwise_is_not_kept(inputs, outcome, tmp_path):
    memory.keep(tmp_path, "01-sums", inputs, {"key": outcome})
    assert memory.load(tmp_path, "01-sums", inputs) == {}


KERNELS = """
import sys
import numpy as np
import coursebuild.warm
from layerlab.information import mutual_information, pairwise_mutual_information

def loaded():
    own = [module for name, module in sys.modules.items() if name.startswith("layerlab.")]
    kernels = [thing for module in own for thing in vars(module).values()]
    return [len(kernel.overloads) for kernel in kernels if hasattr(kernel, "overloads")]

X, before = np.random.default_rng(1).normal(size=(4, 300)), loaded()
mutual_information(X[0], X[1])
pairwise_mutual_information(X)
print(sum(before) > 0, loaded() == before)
"""


def test_a_fork_finds_the_kernels_loaded():
    run = subprocess.run([sys.executable, "-c", KERNELS], capture_output=True, text=True)
    assert run.stdout == "True True\n", run.stderr


# What is left out -----------------------------------------------------------------------------


def test_the_promise_that_a_dead_process_is_blamed_for_is_one_that_was_tried():
    death = gate.Death(code=5, last_words=[], n_said=promises.PROMISES.index("mutants"), seconds=1)
    course = promises.Course(Path(), "tinychecks", without=("mutants",))
    assert gate._verdict_on(course, "01-good", death).promise == "says no answer"


def test_solutions_know_what_their_trials_rest_on():
    course = promises.Course(Path(__file__).resolve().parents[1], "coursechecks")
    for name in course.names([]):
        inputs = course.rests_on(name)
        number = promises.number_of(name)
        own = {f"solutions/{name}.md", f"solutions/mistakes/{number}.toml", "code/coursebuild"}
        checks = {f"code/coursechecks/ex{int(number)}.py", "code/coursechecks/engine.py"}
        assert own | checks <= inputs.keys()
