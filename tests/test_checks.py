"""Checks compare what an answer does with what right and wrong programs do."""

import json
import lzma
import math
import types
import warnings

import numpy as np
import pytest
import torch

from coursechecks import engine
from coursechecks.engine import (
    About,
    CheckFailed,
    Observation,
    Raised,
    calls,
    depends,
    diagnose,
    observe,
    plain,
    run,
    with_names,
)
from coursechecks.words import same


class Odd:
    def __repr__(self):
        return "<odd>"


# The canonical form ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        [[1.0, 2.0], [3.0, 4.0]],
        ((1, 2), (3, 4)),
        np.array([[1, 2], [3, 4]], dtype=np.float32),
        torch.tensor([[1, 2], [3, 4]], requires_grad=False),
        torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
        np.ma.masked_array([[1, 2], [3, 4]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_numbers_read_the_same_in_whatever_they_lie(value):
    assert plain(value) == {"shape": [2, 2], "numbers": [1.0, 2.0, 3.0, 4.0]}


def test_masked_and_missing_numbers_read_the_same():
    masked = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    assert same(plain(masked), plain([1.0, math.nan]))


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (None, None),
        (np.True_, True),
        ("text", "text"),
        (np.float64(-0.0), 0.0),
        (10**400, math.inf),
        (np.array(2.5), 2.5),
        (["a", 1], {"items": ["a", 1.0]}),
        ({"a": [1]}, {"entries": [["a", {"shape": [1], "numbers": [1.0]}]]}),
        ([[1.0], [1.0, 2.0]], None),
        (1j, {"kind": "a complex"}),
        (np.array([1j]), {"kind": "an ndarray"}),
        (Odd(), {"kind": "an Odd"}),
        ((torch.ones(2, requires_grad=True),) * 2, None),
        (About(1.0), {"about": 1.0}),
        (
            Raised(IndexError("index 12 of GPT2's int64 at 0x7f12")),
            {"error": "IndexError", "says": "index 12 of GPT2's int64 at #"},
        ),
    ],
    ids=str,
)
def test_each_kind_has_a_form(value, form):
    if form is None and value is not None:
        form = {"items": [plain(item) for item in value]}
    assert plain(value) == form


def test_what_is_stored_comes_back_from_json_as_it_was():
    form = plain({"a": [1.5, math.nan], "b": [None, "x", {"c": Odd()}]})
    assert same(json.loads(json.dumps(form)), form)


@pytest.mark.parametrize(
    ("a", "b", "is_same"),
    [
        (1.0, 1.0 + 1e-9, True),
        (1.0, 1.0 + 1e-5, False),
        (About(1.0), About(1.0 + 5e-5), True),
        (About(1.0), 1.0, False),
        (About([50.0, 1e-3]), About([50.0, 1e-3 + 5e-6]), True),  # of 50 float32 has six digits
        (About([50.0, 1e-3]), About([50.0, 1e-3 + 2e-4]), False),
        (About([5e-3, 1e-3]), About([5e-3, 1e-3 + 5e-6]), False),
        (1.0, True, False),
        ([1.0, 2.0], [[1.0, 2.0]], False),
        ("1", 1, False),
        (None, 0, False),
        (Raised(IndexError("index 12 of 9")), Raised(IndexError("index 5 of 4")), True),
        (Raised(IndexError("index 12")), Raised(IndexError("axis 12")), False),
    ],
    ids=str,
)
def test_forms_are_the_same_to_within_the_tolerance(a, b, is_same):
    assert same(plain(a), plain(b)) is is_same


# Calling and observing ------------------------------------------------------------------------


def test_an_answer_cannot_change_what_the_check_holds():
    numbers = [3, 1, 2]
    run(lambda given: given.sort(), numbers)
    assert numbers == [3, 1, 2]


def test_what_an_answer_changes_is_a_sign():
    facts = dict(calls("sort", lambda given: given.sort(), [3, 1, 2]))
    assert facts == {"sort: result": None, "sort: changes what it is given?": True}


def test_an_error_is_a_result():
    assert plain(run(lambda: 1 / 0))["error"] == "ZeroDivisionError"


def test_a_blank_in_a_function_stops_the_check_and_is_named():
    with pytest.raises(CheckFailed, match="____ in this function is still to be filled"):
        run(eval("lambda: ____"))


def test_a_warning_is_kept_once():
    def warn():
        warnings.warn("mind the gap", RuntimeWarning, stacklevel=1)

    seen = observe(lambda warn: iter([("a: b", run(warn)), ("a: c", run(warn))]), {"warn": warn})
    assert seen.warned == ["RuntimeWarning: mind the gap"]


def test_an_argument_that_makes_no_difference_shows():
    facts = dict(depends(lambda x, y: x, (1, 2), (3, 4)))
    assert list(facts.values()) == [True, False]


def test_after_an_error_no_argument_is_asked_for():
    assert not dict(depends(lambda x: x[0], (1,), (2,)))


def test_a_function_is_tried_with_other_data_of_its_notebook():
    namespace = {"table": [1, 2]}
    exec("def total(more=1, *, less=0):\n    return sum(table) + more - less", namespace)
    other = with_names(namespace["total"], table=[10, 20])
    assert (other(), other(2, less=1), namespace["total"]()) == (31, 31, 4)


def test_what_is_no_function_is_tried_as_it_is():
    assert with_names(Odd, table=[]) is Odd


def test_an_observer_that_cannot_go_on_says_so():
    def observer(answer):
        yield "sizes: first", answer[0]

    facts = observe(observer, {"answer": 5}).facts
    assert facts == {
        engine.STOPPED: {"error": "TypeError", "says": "'int' object is not subscriptable"}
    }


def test_a_sign_that_shows_in_one_of_several_calls_is_there():
    def observer(answers):
        for answer in answers:
            yield "calls: changes what it is given?", answer

    assert list(observe(observer, {"answers": [True, False]}).facts.values()) == [True]


def test_names_within_functions_of_a_function_are_its_own():
    def outer():
        return [abs(len(x)) for x in sorted([])]

    assert {"abs", "len", "sorted"} <= set(observe(lambda f: iter(()), {"f": outer}).uses)


# Diagnosing -----------------------------------------------------------------------------------


def program(facts, uses=(), **more):
    return {"facts": facts, "uses": list(uses), **more}


def mistake(name, *programs):
    return {"name": name, "hint": f"Think of {name}.", "programs": list(programs)}


STEP = {
    "right": "Well done.",
    "facts": {"a: one": 1.0, "a: two": 2.0, "a: rises?": True, "b: three": 3.0},
    "mistakes": [
        mistake("doubled", program({"a: one": 2.0, "a: two": 4.0}, ["double"])),
        mistake("shifted", program({"a: one": 2.0, "a: two": 3.0}, ["shift"])),
        mistake(
            "turned", program({"a: one": -1.0, "a: two": -2.0, "a: rises?": False, "b: three": 9.0})
        ),
        mistake("twin", program({"a: one": 2.0, "a: two": 4.0}, ["twice", "again"])),
        mistake("late", program({"b: three": 4.0})),
        mistake("gone", program({"b: three": engine.MISSING, engine.STOPPED: "x"})),
    ],
}


def found(facts, uses=()):
    finding = diagnose(STEP, Observation({**STEP["facts"], **facts}, list(uses)))
    return finding and finding.names


@pytest.mark.parametrize(
    ("facts", "uses", "names"),
    [
        ({}, (), None),
        ({"a: one": 1.0 + 1e-9}, (), None),
        ({"a: one": 2.0, "a: two": 3.0}, (), ["shifted"]),
        ({"a: one": 2.0, "a: two": 5.0}, (), []),  # one number alone is no sign of a mistake
        ({"a: one": 2.0, "a: two": 4.0}, ["double"], ["doubled"]),
        ({"a: one": 2.0, "a: two": 4.0}, ["twice", "again"], ["twin"]),
        ({"a: one": 2.0, "a: two": 4.0}, ["none", "of", "both"], ["doubled"]),  # fewer names off
        ({"a: one": -9.0, "a: two": -3.0, "a: rises?": False}, (), ["turned"]),
        ({"a: one": 2.0, "a: two": 3.0, "b: three": 4.0}, (), ["shifted"]),  # the first group
        ({"b: three": 4.0}, (), ["late"]),
        ({"b: more": 4.0}, (), []),
        ({"b: three": 9.0}, (), []),  # `turned` leads there, but shows in the first group before
        ({"a: one": Raised(ValueError("x")), "a: rises?": False}, (), []),  # an error, not a sign
    ],
    ids=str,
)
def test_a_mistake_is_named_by_what_it_does(facts, uses, names):
    assert found({name: plain(value) for name, value in facts.items()}, uses) == names


def test_an_answer_that_stops_the_observer_is_told_by_that():
    facts = {"a: one": 1.0, "a: two": 2.0, "a: rises?": True, engine.STOPPED: "x"}
    assert diagnose(STEP, Observation(facts)).names == ["gone"]


def test_two_mistakes_at_once_get_both_names():
    both = program({"a: one": -2.0, "a: two": -4.0}, also=["turned"])
    step = {**STEP, "mistakes": [*STEP["mistakes"], mistake("doubled and turned", both)]}
    facts = {**STEP["facts"], "a: one": -2.0, "a: two": -4.0}
    assert diagnose(step, Observation(facts)).names == ["doubled and turned", "turned"]


# The check ------------------------------------------------------------------------------------


@pytest.fixture
def exercise(tmp_path):
    """A module of checks with two steps, of which the second asks for a function."""
    module = types.ModuleType("scratch.ex3")
    module.__file__ = str(tmp_path / "ex3.py")
    module.READS = ("seen/03.json.xz",)

    def first(number):
        yield "number: itself", number

    def then_double(double):
        for x in (2.0, 3.0, -5.0):
            yield "double: of numbers", run(double, x)

    module.first, module.then_double = first, then_double
    halves = mistake(
        "halved",
        program(
            {
                "double: of numbers": 1.0,
                "double: of numbers (2)": 1.5,
                "double: of numbers (3)": -2.5,
            }
        ),
    )
    steps = {
        "first": {
            "right": "A number.",
            "answers": ["number"],
            "facts": {"number: itself": 4.25},
            "mistakes": [],
        },
        "then-double": {
            "right": "Twice as much.",
            "answers": ["double"],
            "facts": {
                "double: of numbers": 4.0,
                "double: of numbers (2)": 6.0,
                "double: of numbers (3)": -10.0,
            },
            "mistakes": [halves],
        },
    }
    (tmp_path / "seen").mkdir()
    data = lzma.compress(json.dumps(steps).encode())
    (tmp_path / "seen" / "03.json.xz").write_bytes(data)
    engine._passed.clear()
    return lambda step, **answers: engine.check(module, step, **answers)


def refused(exercise, step, **answers) -> str:
    with pytest.raises(CheckFailed) as failure:
        exercise(step, **answers)
    return str(failure.value)


def test_a_right_answer_gets_one_line(exercise, capsys):
    exercise("first", number=4.25)
    assert capsys.readouterr().out == "✓ A number.\n"


def test_a_warning_is_told_on_the_standard_output(exercise, capsys):
    def double(x):
        warnings.warn("mind the gap", RuntimeWarning, stacklevel=1)
        return 2 * x

    exercise("then-double", double=double)
    told = "· Python warned: RuntimeWarning: mind the gap\n✓ Twice as much.\n"
    assert capsys.readouterr() == (told, "")


def test_a_wrong_answer_is_never_told_the_right_one(exercise):
    text = refused(exercise, "first", number=0.5)
    assert text == "✗ number: not right yet.\n  itself: too small (yours: 0.5)"


def test_a_known_mistake_is_named_with_its_hint(exercise):
    exercise("first", number=4.25)
    text = refused(exercise, "then-double", double=lambda x: x / 2)
    assert "known mistake: halved.\n  Hint: Think of halved." in text


def test_a_check_says_that_an_earlier_step_that_is_used_is_not_right_yet(exercise):
    double = eval("lambda x: x - number", {})
    assert "Begin earlier: the step first has not" in refused(
        exercise, "then-double", double=double
    )
    exercise("first", number=4.25)
    assert "Begin earlier" not in refused(exercise, "then-double", double=double)


def test_an_earlier_step_that_is_not_used_is_not_blamed(exercise):
    assert "Begin earlier" not in refused(exercise, "then-double", double=abs)


def test_an_unknown_step_is_refused(exercise):
    assert "no observer `fifth` for a step 'fifth'" in refused(exercise, "fifth", number=1)


def test_while_the_course_is_built_a_check_only_looks_on(exercise, monkeypatch):
    seen = []
    monkeypatch.setattr(engine, "recorder", lambda step, what: seen.append((step, what.facts)))
    exercise("first", number=3)
    assert seen == [("first", {"number: itself": 3.0})]
