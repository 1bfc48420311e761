"""What the checks ask of arrays."""

import numpy as np
import pytest

from coursechecks.arrays import is_for_decimals, second_result


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
