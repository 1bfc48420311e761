"""Single edits of an answer: each is Python, differs in one place, and none comes twice."""

import ast

import pytest

from coursebuild.mistakes import false_names
from coursebuild.mutants import mutants


@pytest.mark.parametrize(
    ("answer", "edits"),
    [
        ("a + b", {"a - b", "a", "b", "b + b", "a + a"}),
        ("x[:n]", {"x", "x[:]", "n[:n]", "x[:x]"}),
        ("a < b", {"a <= b", "a > b", "b < b", "a < a"}),
        ("a and b", {"a or b", "a", "b", "b and b", "a and a"}),
        ("-x", {"x"}),
        ("3", {"4", "2"}),
        ("True", {"False"}),
        ("0.5", {"1.0"}),
        ("'lower'", {"'lowers'"}),
        ("' coffee'", {"'coffee'"}),
        ("v.sum(axis=1)", {"v.mean(axis=1)", "v.sum()", "v.sum(axis=2)", "v.sum(axis=0)"}),
        ("f(1)", {"1", "f(2)", "f(0)"}),
        ("net.eval()", {"net"}),
    ],
)
def test_an_answer_is_edited_in_one_place(answer, edits):
    assert set(mutants(answer, [], 99)) == edits


def test_arguments_of_a_call_change_places_and_are_left_out():
    assert {"f(b, a)", "f(a)"} <= set(mutants("f(a, b)", [], 99))


def test_two_arguments_stay_two_arguments():
    assert {"a, a", "b, b"} <= {text.strip("()") for text in mutants("a, b", [], 99)}


def test_other_names_of_the_function_may_stand_there():
    assert "y[0]" in mutants("x[0]", ["y"], 99)


def test_a_statement_that_only_calls_is_left_out():
    block = "handle = start()\nhandle.stop()"
    assert "handle = start()\npass" in mutants(block, [], 99)


def test_a_few_are_taken_evenly_from_all():
    every = mutants("np.sum(np.abs(x - y) ** p) ** (1 / p)", ["q"], 999)
    few = mutants("np.sum(np.abs(x - y) ** p) ** (1 / p)", ["q"], 5)
    assert len(set(every)) == len(every) > 20
    assert few[0] == every[0] and [every.index(text) for text in few] == sorted(
        every.index(text) for text in few
    )
    for text in every:
        ast.parse(text)


# Names that are false -------------------------------------------------------------------------

STEP = {
    "facts": {"a: x": 1.0, "b: y": 1.0},
    "mistakes": [
        {"name": name, "hint": "", "programs": [{"facts": facts, "uses": []}]}
        for name, facts in (("one", {"a: x": 2.0}), ("three", {"a: x": 2.0, "b: y": 2.0}))
    ],
}


@pytest.mark.parametrize(
    ("facts", "told", "false"),
    [
        ({"a: x": 2.0, "b: y": 2.0}, ["one"], []),
        ({"a: x": 2.0, "b: y": 5.0}, ["three"], ["three"]),
        ({"a: x": 2.0, "b: y": 2.0}, ["three"], []),  # nobody can tell the two from the third
    ],
)
def test_two_mistakes_that_are_as_a_third_may_be_told_as_that(facts, told, false):
    assert false_names(STEP, told, ["one", "two"], facts) == false
