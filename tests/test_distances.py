"""Distances against the definition, SciPy, and the laws every distance keeps."""

import re

import numpy as np
import pytest
from scipy.spatial.distance import minkowski as scipy_minkowski
from scipy.special import logsumexp

from layerlab.distances import minkowski, pairwise_minkowski
from layerlab.errors import LayerlabError, MeasureError

ORDERS = (1, 1.5, 2, 3, np.inf)


@pytest.fixture
def vectors():
    return np.random.default_rng(0).standard_t(3, (7, 100)).astype(np.float32)


def test_a_triangle_of_three_four_five():
    assert minkowski([0, 0], [3, 4], 1) == 7
    assert minkowski([0, 0], [3, 4], 2) == 5
    assert minkowski([0, 0], [3, 4], np.inf) == 4


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_equals_the_sum_written_out(vectors, p):
    x, y = vectors[:2].astype(np.float64)
    assert minkowski(*vectors[:2], p) == pytest.approx(np.sum(np.abs(x - y) ** p) ** (1 / p))


@pytest.mark.parametrize("p", ORDERS)
def test_pairs_equal_a_loop_of_scipy_calls_in_its_order(vectors, p):
    X = vectors.astype(np.float64)
    loop = [scipy_minkowski(X[i], X[j], p) for i in range(7) for j in range(i + 1, 7)]
    np.testing.assert_allclose(pairwise_minkowski(vectors, p), loop, rtol=1e-14)


def test_one_distance_is_the_pair_of_two(vectors):
    for p in ORDERS:
        assert minkowski(*vectors[:2], p) == pytest.approx(pairwise_minkowski(vectors[:2], p)[0])


@pytest.mark.parametrize("unit", [1, 0.02, 4, 1e200, 1e-200, 5e-309])
@pytest.mark.parametrize("p", [1, 1.01, 2, 3, 400, 1000, 1e17, 10**400, np.inf])
def test_no_order_and_no_unit_is_beyond_float64(p, unit):
    X = np.random.default_rng(0).normal(size=(4, 30)) * unit
    X[1] *= 1e-9
    X[3] = X[2]
    differences = np.array([np.abs(X[i] - X[j]) for i in range(4) for j in range(i + 1, 4)])
    with np.errstate(divide="ignore"):  # log 0 of the pair that is equal
        order = min(p, 1e300)
        logs = np.log(differences / unit)  # (n_pairs, n_samples)
        expected = np.exp(logsumexp(order * logs, axis=1) / order) * unit
    found = pairwise_minkowski(X, p)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=5e-324)
    assert found[-1] == 0
    assert minkowski(X[0], X[1], p) == found[0]


@pytest.mark.parametrize("p", [1, 2, 3, np.inf])
def test_a_distance_beyond_the_largest_float_is_refused(p):
    with pytest.raises(MeasureError, match=r"1e\+308 are too far apart.*larger unit"):
        minkowski([1e308, 0], [-1e308, 0], p)


@pytest.mark.parametrize("p", ORDERS)
def test_keeps_the_laws_of_a_distance(vectors, p):
    x, y, z = vectors[:3]
    assert minkowski(x, x, p) == 0
    assert minkowski(x, y, p) == minkowski(y, x, p) > 0
    assert minkowski(x, z, p) <= minkowski(x, y, p) + minkowski(y, z, p)


def test_single_precision_is_measured_in_double():
    x = np.zeros(1000, np.float32)
    y = np.full(1000, 0.1, np.float32)
    assert minkowski(x, y, 1) == pytest.approx(1000 * float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize("p", [0, 0.5, -1, np.nan, "two", "2", None, True, 1j, [2]])
def test_an_order_below_one_is_refused_and_quoted(vectors, p):
    with pytest.raises(MeasureError, match=re.escape(repr(p))):
        minkowski(*vectors[:2], p)
    with pytest.raises(MeasureError, match=re.escape(repr(p))):
        pairwise_minkowski(vectors, p)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_place_of_a_bad_value_is_named(vectors, bad):
    vectors[2, 5] = bad
    with pytest.raises(MeasureError, match=rf"X\[2, 5\] is {bad}"):
        pairwise_minkowski(vectors, 2)
    with pytest.raises(MeasureError, match=rf"y\[5\] is {bad}"):
        minkowski(vectors[0], vectors[2], 2)


@pytest.mark.parametrize(
    ("x", "y"), [([1, 2], [1, 2, 3]), ([[1, 2]], [[1, 2]]), ([], []), (["a"], ["b"])]
)
def test_two_vectors_of_one_length_are_needed(x, y):
    with pytest.raises(MeasureError):
        minkowski(x, y, 2)


@pytest.mark.parametrize("X", [[1, 2, 3], [[1, 2, 3]], np.zeros((2, 1, 9)), np.zeros((3, 0))])
def test_a_matrix_of_two_rows_or_more_is_needed(X):
    with pytest.raises(MeasureError, match="n_vectors, n_samples"):
        pairwise_minkowski(X, 2)


@pytest.mark.parametrize("p", [1, 3])
def test_a_stack_of_matrices_is_measured_one_by_one(p):
    stack = np.random.default_rng(0).normal(size=(2, 3, 4, 20))
    found = pairwise_minkowski(stack, p)
    assert found.shape == (2, 3, 6)
    np.testing.assert_array_equal(found[1, 2], pairwise_minkowski(stack[1, 2], p))


def test_the_error_is_a_layerlab_error_and_a_value_error():
    with pytest.raises(ValueError, match="p = 0") as caught:
        minkowski([1], [2], 0)
    assert isinstance(caught.value, LayerlabError)
