"""What the checks ask of arrays."""

import numpy as np
import pytest

from coursechecks.arrays import is_for_decimals, second_result
from coursechecks.engine import size_of


@pytest.mark.parametrize("kind", [np.array, list, lambda part: (np.array(part),)])
def test_what_an_answer_keeps_shows_once_it_is_overwritten(kind):
    kept = {}
    answer = second_result(lambda n: kept.setdefault(n, kind([0.0] * n)), (3,), (3,))
    assert np.all(np.array(answer) == -7)


def test_an_answer_that_keeps_nothing_is_not_touched():
    assert not np.any(second_result(np.zeros, (3,), (3,)))


@pytest.mark.parametrize(
    ("dtype", "is_fit"),
    [(float, True), (np.float32, True), (np.float16, False), (complex, False), (bool, False)],
)
def test_an_array_for_measures_holds_six_digits(dtype, is_fit):
    assert is_for_decimals(np.zeros(2, dtype=dtype)) == is_fit


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({4: 0.5, 5: 0.25}, "a dict"),
        ((number for number in (1, 2)), "a generator"),
        ({1.0, 2.0}, "a set"),
        (map(abs, [1]), "a map"),
        (np.float64(3), "a single one"),
        ([1, 2, 3], "3"),
        (range(4), "4"),
    ],
)
def test_what_numpy_takes_for_one_thing_is_called_by_its_kind(value, words):
    assert size_of(value) == words
