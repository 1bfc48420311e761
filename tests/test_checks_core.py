"""What all checks share: how an answer and a refusal are put into words."""

import numpy as np
import pytest

from layerlab.checks._core import CheckFailed, Mistake, call, compare, kind_of


def refusal(got, expected) -> list[str]:
    """The lines of a refusal of one answer, without the first."""
    with pytest.raises(CheckFailed) as caught:
        compare("answer", got, expected)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_counts_are_told_to_the_last_digit():
    assert refusal(14056, 14055) == ["expected: 14055", "got:      14056"]
    assert refusal([3, 8, 15, -1], [3, 8, 15, 17]) == [
        "expected: 17 at [3]",
        "got:      -1 there; 1 of 4 values differ",
    ]
    assert refusal([3.0, 8.0], [4, 9])[0] == "expected: [4, 9]"


def test_measured_numbers_are_told_about():
    assert refusal(0.25, 2 / 3) == ["expected: about 0.666667", "got:      0.25"]
    assert refusal(1.250002, 1.25) == ["expected: about 1.25", "got:      1.250002"]


def test_one_number_is_called_so():
    assert refusal(np.zeros(80), 2.5) == ["expected: a single number", "got:      the shape (80,)"]
    assert refusal(2.5, np.zeros(80)) == ["expected: the shape (80,)", "got:      a single number"]


def test_rows_of_different_lengths_are_called_so():
    assert (
        refusal([[1, 2], [3]], 2.5)[1] == "got:      a list whose parts do not have the same shape"
    )
    assert refusal(["one"], 2.5)[1] == "got:      a list that holds something else"


@pytest.mark.parametrize(
    ("thing", "words"),
    [(1, "an int"), (..., "an ellipsis"), (np.ones(2), "an ndarray"), ((), "a tuple")],
)
def test_kinds_have_their_article(thing, words):
    assert kind_of(thing) == words


def test_what_is_no_function_is_called_by_its_kind():
    with pytest.raises(CheckFailed, match="got:      an int$"):
        call("answer", 3)


def test_values_that_all_differ_are_described_as_a_whole():
    wanted, came = refusal(np.full((2, 3), 5.0), np.arange(6.0).reshape(2, 3) / 10)
    assert "from 0 to 0.5" in wanted and "every value differs" in came and " at [" not in came


def test_a_named_answer_that_looks_like_the_right_one_is_told_by_its_first_difference():
    right = np.array([6, 251, 155, 587, 300])
    with pytest.raises(CheckFailed) as caught:
        compare(
            "gaps", np.sort(right), right, {Mistake("sorted", "Leave their order."): np.sort(right)}
        )
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert lines[1].endswith("sorted.")
    assert lines[3:] == ["expected: 251 at [1]", "got:      155 there"]
