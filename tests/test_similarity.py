"""Correlation, cosine, norms and CKA, against what others compute, or plain loops."""

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from layerlab.distances import pairwise_minkowski
from layerlab.errors import MeasureError
from layerlab.similarity import (
    linear_cka,
    norm_differences,
    pairwise_cka,
    pairwise_cosine,
    pairwise_pearson,
)

X = np.random.default_rng(0).standard_normal((2, 6, 9)) + 1  # a stack of two matrices


def test_cosine_and_pearson_are_those_of_scipy():
    for measure, metric in ((pairwise_cosine, "cosine"), (pairwise_pearson, "correlation")):
        expected = [1 - pdist(matrix, metric) for matrix in X]
        np.testing.assert_allclose(measure(X), expected, atol=1e-14)


def test_lengths_and_directions_make_the_distance():
    norms = np.linalg.norm(X, axis=-1)
    products = np.array([[a * b for a, b in combinations(row, 2)] for row in norms])
    squares = norm_differences(X) ** 2 + 2 * products * (1 - pairwise_cosine(X))
    np.testing.assert_allclose(np.sqrt(squares), pairwise_minkowski(X, 2), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e307])
def test_no_square_is_lost(scale):
    np.testing.assert_allclose(norm_differences(X * scale) / scale, norm_differences(X))
    np.testing.assert_allclose(linear_cka(*(X * scale)), linear_cka(*X))
    np.testing.assert_allclose(pairwise_cosine(X * scale), pairwise_cosine(X))
    np.testing.assert_allclose(pairwise_pearson(X * scale), pairwise_pearson(X))


def test_no_number_is_made_up_where_there_is_no_direction():
    zeros, equal, other = [0.0, 0, 0], [0.1, 0.1, 0.1], [1.0, 2, 4]
    assert np.isnan(pairwise_cosine([zeros, other]))
    assert np.isnan(pairwise_pearson([equal, other]))  # and not a correlation of rounding errors
    assert pairwise_cosine([equal, other]) > 0.8


def test_cka_is_the_average_over_all_fours_of_samples():
    """The unbiased estimate of HSIC, as it is defined: a mean over four different samples."""
    rng = np.random.default_rng(1)
    X, Y = rng.standard_normal((7, 5)), rng.standard_normal((7, 9))
    Y += X[:, :1]

    def hsic(K, L):
        fours = permutations(range(7), 4)
        return np.mean([K[i, j] * (L[i, j] + L[q, r] - 2 * L[i, q]) for i, j, q, r in fours])

    K, L = X @ X.T, Y @ Y.T
    assert linear_cka(X, Y) == pytest.approx(hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L)))


def test_cka_of_unrelated_sets_is_zero_on_average():
    rng = np.random.default_rng(2)
    values = [linear_cka(*rng.standard_normal((2, 12, 40))) for _ in range(300)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(300)
    assert np.mean(np.array(values) < 0) > 0.3


def test_cka_does_not_see_turns_shifts_and_scales():
    X = np.random.default_rng(3).standard_normal((20, 8))
    turn = np.linalg.qr(np.random.default_rng(4).standard_normal((8, 8)))[0]
    assert linear_cka(X, 1e-150 * (X @ turn + 5)) == pytest.approx(1)


def test_layers_are_compared_pair_by_pair():
    layers = np.random.default_rng(5).standard_normal((2, 3, 10, 4))
    expected = [[linear_cka(a, b) for a, b in combinations(part, 2)] for part in layers]
    np.testing.assert_allclose(pairwise_cka(layers), expected)


def test_cka_of_samples_that_are_all_alike_is_not_defined():
    assert np.isnan(linear_cka(np.ones((5, 3)), np.eye(5)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pairwise_cosine([1, 2]), r"\(2,\)"),
        (lambda: linear_cka(np.eye(5), np.eye(6)), r"\(5, 5\) and Y \(6, 6\)"),
        (lambda: linear_cka(np.eye(3), np.eye(3)), "3 samples are too few"),
        (lambda: pairwise_cka(np.zeros((1, 5, 2))), r"\(1, 5, 2\)"),
        (lambda: pairwise_cka(np.zeros((5, 2))), r"\(5, 2\)"),
        (lambda: pairwise_cka(np.zeros((2, 5, 0))), r"\(2, 5, 0\)"),
        (lambda: norm_differences(np.full((2, 9), 1.7e308)), "too long for float64"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, words):
    with pytest.raises(MeasureError, match=words):
        call()


@pytest.mark.parametrize("seed", range(20))
def test_samples_that_are_all_alike_have_no_cka(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 60))
    alike, others = np.tile(rng.standard_normal(32), (n, 1)), rng.standard_normal((n, 32))
    assert np.isnan(linear_cka(alike, np.tile(rng.standard_normal(32), (n, 1))))
    assert np.isnan(linear_cka(alike, others))
    assert np.isfinite(linear_cka(others + 1e6, others))
